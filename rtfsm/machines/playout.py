"""The playout machine: whether a message is, or will be, heard.

Theory. Generated is not heard: the host plays messages one by one, long after the wire has delivered them. Of all this
the other machines need two bits: *audible*, some message is queued or playing, and whether one of them keeps the floor.
The host stops everything it plays when it is told that the user speaks, and when it interrupts; otherwise a message
ends when its sound has been heard.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import attrs

from rtfsm.language import Machine, Reason, Timer, TimerElapsed, ignore, refuse, to
from rtfsm.vocabulary.local import (
    InterruptRequested,
    MessageOpened,
    PlayoutFinished,
    PlayoutStarted,
    PlayoutStopped,
    Release,
)

from .capabilities import Capabilities
from .tables import Row
from .timing import Timing

__all__ = ["Playout", "PlayoutContext", "playout_machine"]


class Playout(Enum):
    NEW = "no message was announced yet"
    QUEUED = "announced, not started"
    PLAYING = "being heard"
    OVER = "heard, stopped or skipped"


@attrs.frozen
class PlayoutContext:
    """keeps_floor: the user's voice alone does not stop it; set at birth, of the generation that it belongs to."""

    keeps_floor: bool = False


def playout_machine(_: Capabilities, timing: Timing | None = None) -> Machine:
    """The machine: the same for every wire."""
    timing = timing or Timing()
    p = Playout
    stops = (PlayoutFinished, PlayoutStopped, InterruptRequested, Release)
    table: dict[Any, Row] = {
        p.NEW: {
            MessageOpened: to(p.QUEUED),
            (*stops, PlayoutStarted): refuse("nothing was announced yet, so nobody is told"),
        },
        p.QUEUED: {
            PlayoutStarted: to(p.PLAYING),
            (*stops, TimerElapsed): to(p.OVER),
            MessageOpened: refuse("a message is announced once"),
        },
        p.PLAYING: {
            stops: to(p.OVER),
            PlayoutStarted: ignore(Reason.DUPLICATE, "it is being heard"),
            MessageOpened: refuse("a message is announced once"),
        },
        p.OVER: {
            (*stops, PlayoutStarted, MessageOpened): ignore(Reason.TERMINAL, "the message is over"),
        },
    }
    return Machine(
        "playout",
        states=p,
        initial=p.NEW,
        final={p.OVER},
        context=PlayoutContext(),
        timers={p.QUEUED: Timer("playout", timing.playout)},
        rests={
            p.NEW: "no message was announced yet",
            p.PLAYING: "sound has a length, and whoever plays it tells its end",
        },
        table=table,
    )
