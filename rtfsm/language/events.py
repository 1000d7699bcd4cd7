"""What an event and an effect are, and the finite shape of an event.

Guards decide by enums and bools alone. The *shape* of an event is that event with every other field (words, audio,
ids, numbers) replaced by an opaque mark that refuses to be read. So what a machine does with an event is a function
of finitely many values: it can be enumerated, proved and looked up.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from enum import Enum
from typing import Any, NoReturn

import attrs

from .errors import GuardError

__all__ = ["Effect", "Event", "TimerElapsed", "finite_fields", "shape", "shapes", "view"]


@attrs.frozen
class Event:
    """Something that happened. Subclass it with ``@attrs.frozen``; fields that guards read are bools or Enums."""


@attrs.frozen
class Effect:
    """Something to be done. Tables name effects; whoever runs the machine carries them out, in order."""


@attrs.frozen
class TimerElapsed(Event):
    """The timer of the state that an instance is in has run out."""


def _unreadable(name: str) -> GuardError:
    return GuardError(
        f"a guard reads {name}, which can take any value; guards decide by bools and Enums only: "
        "let whoever makes the event put the answer into a field of such a type"
    )


class _Opaque:
    """Stands in a shape for a value that no guard may read."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def _refuse(self, *_: object) -> NoReturn:
        raise _unreadable(self._name)

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __int__ = __float__ = __str__ = __format__ = _refuse
    __hash__ = _refuse

    def __getattr__(self, _: str) -> NoReturn:
        self._refuse()

    def __repr__(self) -> str:
        return f"<{self._name}: not for guards>"


def _domain(type_: Any) -> tuple[Any, ...] | None:
    """All values of a bool or an Enum; None for every other type."""
    if type_ is bool:
        return (False, True)
    if isinstance(type_, type) and issubclass(type_, Enum):
        return tuple(type_)
    return None


_fields_of: dict[type[Event], tuple[tuple[str, tuple[Any, ...] | None], ...]] = {}
_finite_of: dict[type[Event], tuple[str, ...]] = {}
_interned: dict[tuple[type[Event], tuple[Any, ...]], Event] = {}
_view_type_of: dict[type[Event], type[Event]] = {}
_views: dict[tuple[type[Event], tuple[Any, ...]], Event] = {}


def _fields(event_type: type[Event]) -> tuple[tuple[str, tuple[Any, ...] | None], ...]:
    known = _fields_of.get(event_type)
    if known is None:
        attrs.resolve_types(event_type)
        known = tuple((field.name, _domain(field.type)) for field in attrs.fields(event_type))
        _fields_of[event_type] = known
    return known


def finite_fields(event_type: type[Event]) -> tuple[str, ...]:
    """Names of the fields that guards may read: those declared as bool or as an Enum."""
    known = _finite_of.get(event_type)
    if known is None:
        known = _finite_of[event_type] = tuple(name for name, domain in _fields(event_type) if domain is not None)
    return known


def _representative(event_type: type[Event], values: tuple[Any, ...]) -> Event:
    event = _interned.get((event_type, values))
    if event is None:
        given = iter(values)
        event = object.__new__(event_type)
        for name, domain in _fields(event_type):
            value = _Opaque(f"{event_type.__name__}.{name}") if domain is None else next(given)
            object.__setattr__(event, name, value)
        _interned[event_type, values] = event
    return event


def shape(event: Event) -> Event:
    """The finite representative of an event, the same object for all events that no guard can tell apart."""
    kind = type(event)
    return _representative(kind, tuple([getattr(event, name) for name in finite_fields(kind)]))


def shapes(event_type: type[Event]) -> Iterator[Event]:
    """Every shape that an event of this type can have."""
    domains = [domain for _, domain in _fields(event_type) if domain is not None]
    for values in itertools.product(*domains):
        yield _representative(event_type, values)


def view(event: Event) -> Event:
    """The event as a guard sees it: only its finite fields. To read another one raises GuardError.

    A mark in the field's place is not enough: ``event.turn is None`` would ask it nothing, and be answered wrongly.
    """
    kind = type(event)
    values = tuple([getattr(event, name) for name in finite_fields(kind)])
    seen = _views.get((kind, values))
    if seen is None:
        if kind not in _view_type_of:
            hidden = {name: _hidden(f"{kind.__name__}.{name}") for name, domain in _fields(kind) if domain is None}
            _view_type_of[kind] = type(kind.__name__, (kind,), {"__slots__": (), **hidden})
        seen = object.__new__(_view_type_of[kind])
        for name, value in zip(finite_fields(kind), values, strict=True):
            object.__setattr__(seen, name, value)
        _views[kind, values] = seen
    return seen


def _hidden(name: str) -> property:
    def read(_: Event) -> NoReturn:
        raise _unreadable(name)

    return property(read)
