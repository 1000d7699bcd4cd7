"""How to say what is asked of a composition of one's own: what may come from outside, and what must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Union

import attrs

from rtfsm.language import (
    Composition,
    Driver,
    Emission,
    Event,
    Machine,
    Route,
    RtfsmError,
    Standing,
    TimerElapsed,
    finite_fields,
    shapes,
)

__all__ = ["EffectInvariant", "Invariant", "Outside", "Plan", "PlanError", "Wrong", "events_of"]

RESERVED = ("REFUSED", "DEAD-END", "BOUND", "FAILURE", "TIME-2")


class PlanError(RtfsmError):
    """A plan asks for what cannot be searched. Raised when the plan is made."""


@attrs.frozen
class Wrong:
    """The answer of an :class:`EffectInvariant` to an effect that must not be. detail: what is wrong with it."""

    detail: str


@attrs.frozen
class Invariant:
    """What must hold in every state, asked after each event with all that follows from it.

    name: short and stable, what a report shows. text: the rule in words. check: (driver) -> what is wrong, or None.
    """

    name: str
    text: str
    check: Callable[[Any], str | None] = attrs.field(repr=False)


@attrs.frozen
class EffectInvariant:
    """What must hold of the effects, in their order.

    name: short and stable. text: the rule in words. check: (memory, effect with its instance and event) -> memory from
    then on, or :class:`Wrong`. first: the memory before the first effect. A memory is a part of the state that is
    searched: it can be hashed and has few values, and holds no ids.
    """

    name: str
    text: str
    check: Callable[[Any, Emission], Any] = attrs.field(repr=False)
    first: Any = None


Outside = Union[Event, "type[Event]", "Callable[[Any], Iterable[Event]]"]
"""What may come from outside: an event; every form of a type of event; or, of a function of the driver, what may come
in the state that it is in."""


def _composition(parts: Composition | Machine) -> Composition:
    return parts if isinstance(parts, Composition) else Composition((parts,))


@attrs.frozen(eq=False)
class Plan:
    """What is asked of a composition.

    composition: or a single machine. invariants: your own. outside: what may come from outside; by default every event
    that the tables know and no route or standing condition makes. driver: makes the driver to search with, a subclass
    of Driver where events are addressed or instances are born; what it remembers outside its instances is not seen.
    ends: driver -> whether the whole may stop here for good; where every instance is final it always may. most: live
    instances of one machine that routes give birth to. births: contexts with which instances begin besides their
    machine's, by its name. limit: states, of which more is a violation.

    Raises PlanError where an event cannot be made from its type alone, or an invariant's name is taken.
    """

    composition: Composition = attrs.field(converter=_composition)
    invariants: tuple[Invariant | EffectInvariant, ...] = ()
    outside: tuple[Outside, ...] = ()
    driver: Callable[[Composition], Driver] = Driver
    ends: Callable[[Any], bool] | None = None
    most: int = 4
    births: Mapping[str, tuple[Any, ...]] = attrs.field(factory=dict)
    limit: int = 200_000

    def __attrs_post_init__(self) -> None:
        names = [one.name for one in self.invariants]
        for name in names:
            if names.count(name) > 1 or name in RESERVED:
                raise PlanError(f"an invariant may not be named {name!r}: the name is taken; choose another")
            if ":" in name or not name:
                raise PlanError(f"an invariant may not be named {name!r}; give it a short name without a colon")
        for item in self.from_outside:
            if isinstance(item, type):
                list(_made(item))

    @property
    def from_outside(self) -> tuple[Outside, ...]:
        """What may come from outside, the default spelt out."""
        if self.outside:
            return self.outside
        parts = self.composition
        links: list[Route | Standing] = [*parts.routes, *parts.standing]
        inside = {TimerElapsed, *(link.event for link in links)}
        known = dict.fromkeys(event for machine in parts.machines for event in machine.events)
        return tuple(event for event in known if event not in inside)


def events_of(item: Outside, driver: Driver) -> Iterable[Event]:
    """The events that an item of ``outside`` stands for, in the state that the driver is in."""
    if isinstance(item, Event):
        return (item,)
    if isinstance(item, type):
        return _made(item)
    return list(item(driver))


def _made(kind: type[Event]) -> Iterator[Event]:
    """One event for each shape of the type; what guards cannot read has its default."""
    read = finite_fields(kind)
    bare = [field.name for field in attrs.fields(kind) if field.name not in read and field.default is attrs.NOTHING]
    if bare:
        raise PlanError(
            f"event {kind.__name__} carries {', '.join(bare)}, which may be anything; say in the plan with what it may "
            f"come: outside=({kind.__name__}({bare[0]}=...), ...)"
        )
    for seen in shapes(kind):
        yield kind(**{field.alias: getattr(seen, field.name) for field in attrs.fields(kind) if field.name in read})
