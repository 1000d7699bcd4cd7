"""A house of several machines: a bell that rings at the master's, who sends servants that come and go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any

import attrs

from rtfsm import (
    Composition,
    Driver,
    Effect,
    Emission,
    Event,
    Machine,
    Reason,
    Route,
    Standing,
    Timer,
    TimerElapsed,
    ignore,
    refuse,
    stay,
    to,
)
from rtfsm.language import Instance


def names(emissions: Iterable[Emission]) -> list[str]:
    return [type(emission.effect).__name__ for emission in emissions]


class Calm(Enum):
    REST = "nothing happens"
    BUSY = "something happens"
    GONE = "over"


@attrs.frozen
class Rung(Event):
    """The bell was rung."""


@attrs.frozen
class Called(Event):
    """Somebody is called."""


@attrs.frozen
class Sent(Event):
    """A servant is sent."""


@attrs.frozen
class Dismissed(Event):
    """A servant is no longer needed."""


@attrs.frozen
class Call(Effect):
    """Becomes Called."""


@attrs.frozen
class Send(Effect):
    """Becomes Sent, to a new servant."""


@attrs.frozen
class Bow(Effect):
    """What a servant does."""


@attrs.frozen
class Nod(Effect):
    """What a master does, last."""


@attrs.frozen
class Fade(Effect):
    """The bell falls silent."""


R, B, G = Calm.REST, Calm.BUSY, Calm.GONE
PATIENT = {R: "nothing has to happen"}


def bell(*then: type[Effect]) -> Machine:
    return Machine("bell", states=(R,), initial=R, rests=PATIENT, table={R: {Rung: stay(*then)}})


def master(*then: type[Effect], **more: Any) -> Machine:
    return Machine("master", states=(R,), initial=R, rests=PATIENT, table={R: {Called: stay(*then)}}, **more)


def servant(seconds: float = 10.0) -> Machine:
    return Machine(
        "servant",
        states=Calm,
        initial=R,
        final={G},
        rests=PATIENT,
        timers={B: Timer("errand", seconds)},
        table={
            R: {Sent: to(B, Bow), Dismissed: refuse("nobody was sent")},
            B: {Sent: refuse("sent once"), Dismissed: to(G, Bow), TimerElapsed: to(G)},
            G: {(Sent, Dismissed): ignore(Reason.TERMINAL, "gone")},
        },
    )


class House(Driver):
    """A driver whose servants come and go."""

    count = 0

    def is_singleton(self, machine: Machine) -> bool:
        return machine.name != "servant"

    def new_servant(self) -> Instance:
        self.count += 1
        (machine,) = (one for one in self.composition.machines if one.name == "servant")
        return self.born(machine, f"servant {self.count}", link="house")


def sends_one(house: House, _: Emission) -> Iterator[tuple[Instance, Event]]:
    yield house.new_servant(), Sent()


def a_house(*standing: Standing, last: type[Effect] = Nod) -> House:
    who = servant()
    parts = (bell(Call, Fade), master(Send, Send, last), who)
    routes = (Route(Call, parts[1], Called), Route(Send, who, Sent, sends_one, births=True))
    return House(Composition(parts, routes, standing))
