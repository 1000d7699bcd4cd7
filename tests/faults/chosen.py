"""Which pairs are played where: all by ``python -m tests.faults``, the chosen ones with every run of the tests."""

from __future__ import annotations

from .conversation import MOMENTS, Moment
from .faults import FAULTS, Fault
from .judge import applies

__all__ = ["ALL", "CHOSEN"]

EVERY_MOMENT = ("dropped in flight", "garbage of every kind")
"""Faults that are chosen at each moment: one that takes the connection away, and one that does not."""
EVERY_FAULT = ("the first word of the answer",)
"""Moments at which each fault is chosen."""

_FIRST = {fault.kind: fault.name for fault in reversed(FAULTS) if fault.everywhere}

ALL = tuple((moment, fault) for moment in MOMENTS for fault in FAULTS if applies(moment, fault))


def _is_chosen(moment: Moment, fault: Fault) -> bool:
    if fault.name in EVERY_MOMENT or moment.name in EVERY_FAULT:
        return True
    return moment.is_notable and fault.name == _FIRST[fault.kind]


CHOSEN = tuple((moment, fault) for moment, fault in ALL if _is_chosen(moment, fault))
