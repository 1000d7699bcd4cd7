"""A machine with one of everything, whose words are what a format could stumble over."""

from __future__ import annotations

from enum import Enum

import attrs

from rtfsm import (
    Composition,
    Effect,
    Event,
    Machine,
    Reason,
    Timer,
    TimerElapsed,
    assign,
    guard,
    ignore,
    refuse,
    stay,
    to,
    update,
    when,
)


class Door(Enum):
    SHUT = 'shut; "locked" or not: 100 %'
    OPEN = "open <wide> #1"
    GONE = "gone | taken away"


class Side(Enum):
    IN = "inward"
    OUT = "outward"


@attrs.frozen
class Push(Event):
    hard: bool = False
    words: str = ""


@attrs.frozen
class Pull(Event):
    pass


@attrs.frozen
class Saw(Event):
    pass


@attrs.frozen
class Creak(Effect):
    side: Side = Side.IN
    loud: bool = False


@attrs.frozen
class Ring(Effect):
    pass


@attrs.frozen
class Memory:
    locked: bool = False
    times: int = 0


@guard
def locked(context: Memory) -> bool:
    return context.locked


@guard
def hard(_: Memory, event: Push) -> bool:
    return event.hard


@update
def once_more(context: Memory) -> Memory:
    return attrs.evolve(context, times=min(context.times + 1, 3))


DOOR = Machine(
    "door",
    states=Door,
    initial=Door.SHUT,
    final={Door.GONE},
    context=Memory(),
    begin=(Ring(),),
    timers={Door.OPEN: Timer("draught", 2.5, cap=9, unless=(locked, Timer("wedge", 60)))},
    rests={Door.SHUT: "doors may stay shut"},
    table={
        Door.SHUT: {
            Push: (
                when(locked, ignore(Reason.NO_OP, "it is | locked")),
                when(hard, to(Door.OPEN, Creak(Side.OUT, loud=True))),
                to(Door.OPEN, Creak),
            ),
            Pull: stay(Ring, assign(locked=True), once_more),
            Saw: to(Door.GONE),
        },
        Door.OPEN: {
            Push: ignore(Reason.DUPLICATE, "it is open", rearm=True),
            Pull: to(Door.SHUT, Creak),
            Saw: to(Door.GONE),
            TimerElapsed: to(Door.SHUT, Creak),
        },
        Door.GONE: {(Push, Pull): ignore(Reason.TERMINAL, "no door"), Saw: refuse("nothing to saw")},
    },
)

HALL = Composition((DOOR,))
