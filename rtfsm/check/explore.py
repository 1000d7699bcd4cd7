"""Everything that one machine can come to, with the shortest way there.

A context is finite and an event has finitely many shapes, so breadth-first search visits every (state, context) and
takes every arm that can be taken. Any event may come in any state; only time is limited to states that have a timer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

import attrs

from rtfsm.language import Event, Machine, RtfsmError, TimerElapsed, finite_fields, shapes, step

__all__ = ["Edge", "Exploration", "ExplorationLimit", "Reached", "Trouble", "explore", "shown", "shown_place"]

Reached = tuple[Any, Any]
"""A state and a context."""

LIMIT = 100_000


class ExplorationLimit(RtfsmError):
    """A machine has more (state, context) pairs than were to be looked at: something in its context grows."""


@attrs.frozen
class Edge:
    """One event taken: its shape, the number of the arm, where that led."""

    event: Event
    arm: int
    target: Reached


@attrs.frozen
class Trouble:
    """A guard or an update that failed in exploration: where, on what, how."""

    place: Reached
    event: Event
    what: str


@attrs.frozen
class Exploration:
    """reached: (state, context) -> the shapes of events that lead there, one of the shortest orders. arms: number of an
    arm -> the shapes that lead to taking it, that of its own event last. edges: (state, context) -> one edge for each
    shape. troubles: guards and updates that failed; what would come of them is not explored."""

    machine: Machine
    reached: Mapping[Reached, tuple[Event, ...]]
    arms: Mapping[int, tuple[Event, ...]]
    edges: Mapping[Reached, tuple[Edge, ...]]
    troubles: tuple[Trouble, ...] = ()

    @property
    def states(self) -> frozenset[Any]:
        """The states that can be reached."""
        return frozenset(state for state, _ in self.reached)


def explore(machine: Machine, births: Iterable[Any] = (), *, limit: int = LIMIT) -> Exploration:
    """Visit whatever ``machine`` can reach from its first state.

    births: contexts with which instances begin besides ``machine.context``. Raises ExplorationLimit at more than
    ``limit`` pairs of a state and a context.
    """
    begun: dict[Reached, tuple[Event, ...]] = {(machine.initial, machine.context): ()}
    begun.update(((machine.initial, context), ()) for context in births)
    reached = dict(begun)
    arms: dict[int, tuple[Event, ...]] = {}
    edges: dict[Reached, tuple[Edge, ...]] = {}
    troubles: list[Trouble] = []
    waiting = deque(reached)
    while waiting:
        place = waiting.popleft()
        found = []
        for event in _events(machine, place[0]):
            edge = _edge(machine, place, event)
            if isinstance(edge, Trouble):
                troubles.append(edge)
                continue
            found.append(edge)
            witness = (*reached[place], event)
            arms.setdefault(edge.arm, witness)
            if edge.target not in reached:
                if len(reached) >= limit:
                    raise ExplorationLimit(
                        f"machine {machine.name!r} has more than {limit} pairs of a state and a context, such as "
                        f"{shown_place(edge.target)}; a context holds enums, bools and bounded integers only, "
                        "so look for an update that counts without end"
                    )
                reached[edge.target] = witness
                waiting.append(edge.target)
        edges[place] = tuple(found)
    return Exploration(machine, reached, arms, edges, tuple(troubles))


def _events(machine: Machine, state: Any) -> Iterable[Event]:
    for kind in machine.events:
        if kind is not TimerElapsed or state in machine.timers:
            yield from shapes(kind)


def _edge(machine: Machine, place: Reached, event: Event) -> Edge | Trouble:
    state, context = place
    try:
        outcome = step(machine, state, context, event)
        hash(outcome.context)
    except RtfsmError as error:
        return Trouble(place, event, str(error))
    except Exception as error:
        return Trouble(place, event, f"an update raised {type(error).__name__}: {error}")
    return Edge(event, outcome.arm.index, (outcome.state, outcome.context))


def shown(event: Event) -> str:
    """An event by what guards can read of it: ``GenerationDone(status=FAILED)``."""
    fields = ", ".join(f"{name}={_short(getattr(event, name))}" for name in finite_fields(type(event)))
    return f"{type(event).__name__}({fields})" if fields else type(event).__name__


def shown_place(place: Reached) -> str:
    """A state with its context: ``READY (dirty=False, retries=3)``."""
    state, context = place
    if context is None or not attrs.has(type(context)):
        return str(state.name)
    fields = [f"{field.name}={_short(getattr(context, field.name))}" for field in attrs.fields(type(context))]
    return f"{state.name} ({', '.join(fields)})"


def _short(given: Any) -> str:
    return given.name if isinstance(given, Enum) else repr(given)
