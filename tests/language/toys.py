"""A small machine that has one of everything."""

from __future__ import annotations

from enum import Enum
from typing import Any

import attrs

from rtfsm import Effect, Event, Machine, Reason, Timer, TimerElapsed, assign, guard, ignore, refuse, stay, to, when


class Door(Enum):
    SHUT = "nobody can pass"
    OPEN = "anybody can pass"
    BROKEN = "nobody will ever pass again"


class Force(Enum):
    GENTLE = "as doors like it"
    ROUGH = "as doors dislike it"


@attrs.frozen
class Lock:
    locked: bool = False
    knocks: int = 0


@attrs.frozen
class Push(Event):
    force: Force = Force.GENTLE
    words: str = ""


@attrs.frozen
class Knock(Event):
    """Read by no guard."""

    words: str | None = None


@attrs.frozen
class Turn(Event):
    """The key is turned."""


@attrs.frozen
class Ring(Effect):
    times: int = 1


@attrs.frozen
class Creak(Effect):
    """A sound."""


@attrs.frozen
class Report(Effect):
    """Somebody is told."""


@guard
def locked(context: Lock) -> bool:
    return context.locked


@guard
def rough(_: Lock, event: Push) -> bool:
    return event.force is Force.ROUGH


@guard
def heard(context: Lock) -> bool:
    return context.knocks > 0


OVER = ignore(Reason.TERMINAL, "it is broken")


def rows() -> dict[Any, dict[Any, Any]]:
    """The table, for tests that spoil one cell of it."""
    return {
        Door.SHUT: {
            Push: (when(locked, stay(Ring(2))), when(rough, to(Door.BROKEN, Report)), to(Door.OPEN, Creak)),
            Knock: (when(heard, stay(Ring)), stay(Ring, assign(knocks=1))),
            Turn: (when(locked, stay(assign(locked=False))), stay(assign(locked=True))),
        },
        Door.OPEN: {
            Push: (when(rough, to(Door.BROKEN, Creak, Report)), ignore(Reason.NO_OP, "it is open")),
            Knock: ignore(Reason.NOISE, "the door is open", rearm=True),
            Turn: refuse("the key is not in an open door"),
            TimerElapsed: to(Door.SHUT, Creak, assign(knocks=0)),
        },
        Door.BROKEN: {(Push, Knock, Turn): OVER},
    }


TIMERS = {Door.OPEN: Timer("closer", 5.0, cap=12.0)}
RESTS = {Door.SHUT: "doors are patient"}


def door(**changes: Any) -> Machine:
    """The machine, or one that is declared differently."""
    fields: dict[str, Any] = {
        "name": "door",
        "states": Door,
        "initial": Door.SHUT,
        "final": {Door.BROKEN},
        "context": Lock(),
        "timers": TIMERS,
        "rests": RESTS,
        "table": rows(),
    }
    return Machine(**{**fields, **changes})


def spoilt(state: Door, event: type[Event], cell: Any) -> dict[Any, dict[Any, Any]]:
    """The table with one cell exchanged."""
    table = rows()
    table[state] = {**table[state], event: cell}
    return table


DOOR = door()
