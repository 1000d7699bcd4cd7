"""Which situations of a machine are one: the (state, context) pairs that nobody can tell apart from now on.

A context remembers what was once asked and will not be asked again, such as whether a turn that is over had spoken. Two
pairs are merged where they have the same state and the same timer, answer every event with the same effects, and lead
to pairs that are themselves merged: the coarsest such partition, found by splitting until nothing splits.

That judges the machine alone. Another machine might read what is forgotten; so what differs within a merged pair is
replaced by a mark that raises :class:`ForgottenError` when it is read, and no search can go wrong in silence.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, NoReturn

import attrs

from rtfsm.language import Effect, Kind, Machine, RtfsmError

from .explore import Exploration, Reached

__all__ = ["ForgottenError", "forget", "merge"]


class ForgottenError(RtfsmError):
    """Something reads a field of a context by which merged situations differ."""


class _Forgotten:
    """Stands for a value that differs within a merged situation. Every way to look at it raises."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _refuse(self, *_: object) -> NoReturn:
        raise ForgottenError(
            f"{self._name} was read, and the exploration has merged situations that differ in it; "
            "name it among the fields that are read from outside the machine"
        )

    __bool__ = __eq__ = __lt__ = __gt__ = __le__ = __ge__ = __int__ = __index__ = _refuse
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return "forgotten"


def merge(
    explored: Exploration, read: Iterable[str] = (), unheard: tuple[type[Effect], ...] = ()
) -> list[list[Reached]]:
    """The pairs that a machine can reach, in groups that nobody can tell apart, in the order of their discovery.

    read: fields of the context that are read from outside the machine, so that pairs which differ in them stay apart.
    unheard: effects that are looked at elsewhere, so that pairs may differ in them.
    """
    read = tuple(read)
    machine, pairs = explored.machine, list(explored.reached)
    group: dict[Reached, int] = _numbered((_seen(machine, pair, read) for pair in pairs), pairs)
    while True:
        finer = _numbered(((group[pair], _future(explored, pair, group, unheard)) for pair in pairs), pairs)
        if len(set(finer.values())) == len(set(group.values())):
            break
        group = finer
    groups: dict[int, list[Reached]] = {}
    for pair in pairs:
        groups.setdefault(group[pair], []).append(pair)
    return list(groups.values())


def _numbered(keys: Iterable[Hashable], pairs: list[Reached]) -> dict[Reached, int]:
    numbers: dict[Hashable, int] = {}
    return {pair: numbers.setdefault(key, len(numbers)) for pair, key in zip(pairs, keys, strict=True)}


def _seen(machine: Machine, pair: Reached, read: tuple[str, ...]) -> Hashable:
    """What can be seen of a pair from outside."""
    state, context = pair
    timer = machine.timers.get(state)
    return state, None if timer is None else timer.effective(context), *(getattr(context, name) for name in read)


def _future(
    explored: Exploration, pair: Reached, group: dict[Reached, int], unheard: tuple[type[Effect], ...]
) -> Hashable:
    """What a pair does with every event, and where that leads. Shapes of events are interned objects."""
    future: list[Hashable] = []
    for edge in explored.edges[pair]:
        arm = explored.machine.arms[edge.arm][2]
        heard = tuple([effect for effect in arm.effects if not isinstance(effect, unheard)])
        future.append((id(edge.event), heard, arm.kind is Kind.REFUSE, group.get(edge.target)))
    return tuple(future)


def forget(machine: Machine, pairs: list[Reached]) -> Any:
    """The context that stands for all of these: where they differ, reading it raises ForgottenError."""
    context = pairs[0][1]
    if len(pairs) == 1 or not attrs.has(type(context)):
        return context
    differ = [
        field.name for field in attrs.fields(type(context)) if len({getattr(one, field.name) for _, one in pairs}) > 1
    ]
    return attrs.evolve(context, **{name: _Forgotten(f"{machine.name}.context.{name}") for name in differ})
