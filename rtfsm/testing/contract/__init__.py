"""What livekit-agents expects of a realtime session, as probes that any RealtimeModel can be put to.

    for probe in PROBES:
        print(perform(probe, open_my_stage))

A stage is the provider's end of the session: see ``Stage``. A *drill* is a story that drives session, host and provider
and demands what its clause demands. A *watch* judges what a ``Witness`` saw under any ordering whatever:

    witness = Witness(model.session())
    ...
    findings = judge(witness, WATCHES)

``conformance`` makes a page of the results.
"""

from __future__ import annotations

from . import (
    context,
    generation,
    in_session,
    interruption,
    lifecycle,
    metrics,
    requests,
    streams,
    tools,
    trouble,
    turns,
)
from .clauses import CLAUSES
from .probe import Book, Broken, Clause, NotApplicable, NotExercised, Outcome, Probe, Result, demand
from .report import conformance
from .running import Finding, judge, perform
from .scene import Scene
from .seen import Called, SeenGeneration, SeenMessage, SeenRequest, Told
from .stage import NotOffered, OpenStage, Stage
from .witness import Witness

__all__ = [
    "CLAUSES",
    "PROBES",
    "WATCHES",
    "Book",
    "Broken",
    "Called",
    "Clause",
    "Finding",
    "NotApplicable",
    "NotExercised",
    "NotOffered",
    "OpenStage",
    "Outcome",
    "Probe",
    "Result",
    "Scene",
    "SeenGeneration",
    "SeenMessage",
    "SeenRequest",
    "Stage",
    "Told",
    "Witness",
    "conformance",
    "demand",
    "judge",
    "perform",
]

_BOOKS = (requests, generation, streams, interruption, turns, context, tools, lifecycle, trouble, metrics, in_session)

PROBES: tuple[Probe, ...] = tuple(
    sorted((probe for module in _BOOKS for probe in module.book.probes), key=lambda probe: probe.clause)
)
"""Every probe, by clause."""
WATCHES: tuple[Probe, ...] = tuple(probe for probe in PROBES if probe.is_watch)
"""Those that judge any ordering."""
