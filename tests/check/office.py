"""A composition of one's own: a desk that hands visitors to clerks, who are born by a route, and a lamp."""

from __future__ import annotations

from collections.abc import Iterable
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
    Timer,
    TimerElapsed,
    ignore,
    refuse,
    stay,
    to,
)
from rtfsm.check import EffectInvariant, Invariant, Plan, Wrong
from rtfsm.language import Instance


class Desk(Enum):
    OPEN = "visitors are let in"
    SHUT = "nobody is let in"


class Clerk(Enum):
    NEW = "nobody has come"
    BUSY = "a visitor is served"
    DONE = "the visitor has left"


class Lamp(Enum):
    OFF = "nobody has to look"
    ON = "somebody waits"


class Come(Event): ...


class Shut(Event): ...


class Served(Event): ...


@attrs.frozen
class Leave(Event):
    clerk: str


class Lit(Event): ...


class Unlit(Event): ...


class Serve(Effect): ...


class Light(Effect): ...


class Quench(Effect): ...


class Bill(Effect): ...


GONE = ignore(Reason.TERMINAL, "the visitor has left")


def desk(come: Any = None) -> Machine:
    return Machine(
        "desk",
        states=Desk,
        initial=Desk.OPEN,
        final={Desk.SHUT},
        rests={Desk.OPEN: "it may be a quiet day"},
        table={
            Desk.OPEN: {Come: come or stay(Serve, Light), Shut: to(Desk.SHUT)},
            Desk.SHUT: {(Come, Shut): ignore(Reason.TERMINAL, "it is shut")},
        },
    )


def clerk(leave: Any = None, patience: Any = None) -> Machine:
    return Machine(
        "clerk",
        states=Clerk,
        initial=Clerk.NEW,
        final={Clerk.DONE},
        rests={Clerk.NEW: "nobody has come"},
        timers={Clerk.BUSY: Timer("patience", 60)},
        table={
            Clerk.NEW: {Served: to(Clerk.BUSY), Leave: refuse("nobody has come")},
            Clerk.BUSY: {
                Leave: leave or to(Clerk.DONE, Bill, Quench),
                TimerElapsed: patience or to(Clerk.DONE, Quench),
                Served: refuse("one visitor a clerk"),
            },
            Clerk.DONE: {(Served, Leave): GONE},
        },
    )


def lamp(lit: Any = None) -> Machine:
    return Machine(
        "lamp",
        states=Lamp,
        initial=Lamp.OFF,
        rests={Lamp.OFF: "nobody has come", Lamp.ON: "it burns as long as it has to"},
        table={
            Lamp.OFF: {Lit: to(Lamp.ON), Unlit: ignore(Reason.NO_OP, "it is off")},
            Lamp.ON: {Lit: lit or ignore(Reason.NO_OP, "it burns"), Unlit: to(Lamp.OFF)},
        },
    )


class House(Driver):
    """Clerks are born as visitors come, and addressed by name."""

    def is_singleton(self, machine: Machine) -> bool:
        return machine.name != "clerk"

    def resolve(self, event: Event) -> Iterable[tuple[Instance, Event]]:
        if isinstance(event, Leave):
            known = self.live["clerk"].get(event.clerk)
            return [] if known is None else [(known, event)]
        return super().resolve(event)


def _serve(house: House, _: Emission) -> Iterable[tuple[Instance, Event]]:
    busy = house.composition.machines[1]
    yield house.born(busy, f"clerk after {len(house.live['clerk'])}"), Served()


def _last_left(house: House, cause: Emission) -> Iterable[tuple[Instance, Event]]:
    clerks, lamps = house.composition.machines[1:]
    if house.instances(clerks) in ([], [cause.instance]):
        yield from ((one, Unlit()) for one in house.instances(lamps))


def office(first: Machine | None = None, second: Machine | None = None, third: Machine | None = None) -> Composition:
    one, two, three = first or desk(), second or clerk(), third or lamp()
    return Composition(
        (one, two, three),
        (
            Route(Serve, two, Served, _serve, births=True),
            Route(Light, three, Lit),
            Route(Quench, three, Unlit, _last_left),
        ),
    )


def visitors(house: Driver) -> Iterable[Event]:
    """Two at once at most; and whoever is there may leave."""
    clerks = house.instances(house.composition.machines[1])
    yield from [Come()] if len(clerks) < 2 else []
    yield from (Leave(one.id) for one in clerks)


def lamp_shows(house: Driver) -> str | None:
    (one,) = house.instances(house.composition.machines[2])
    clerks = len(house.instances(house.composition.machines[1]))
    return None if (one.state is Lamp.ON) is (clerks > 0) else f"it is {one.state.name} with {clerks} visitors"


def billed_after_light(lit: Any, emission: Emission) -> Any:
    """What is remembered: whether the lamp was ever ordered to burn."""
    if isinstance(emission.effect, Bill) and not lit:
        return Wrong("a bill before the lamp was lit")
    return lit or isinstance(emission.effect, Light)


LAMP = Invariant("LAMP", "the lamp burns exactly while a visitor is there", lamp_shows)
BILL = EffectInvariant("BILL", "nobody is billed before the lamp was lit", billed_after_light, first=False)


def closed(house: Driver) -> bool:
    return house.live["desk"]["desk"].state is Desk.SHUT and len(house.instances()) == 2


def plan(composition: Composition | None = None, **more: Any) -> Plan:
    given: dict[str, Any] = {
        "invariants": (LAMP, BILL),
        "outside": (visitors, Shut),
        "driver": House,
        "ends": closed,
    }
    return Plan(composition or office(), **{**given, **more})


OFFICE = plan()
