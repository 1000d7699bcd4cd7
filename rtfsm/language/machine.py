"""A machine: states, a total table of cells, timers. Whatever is wrong with it is said when it is declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

import attrs

from .cells import Arm, Kind, refuse
from .errors import DeclarationError
from .events import Effect, Event, TimerElapsed
from .timers import Timer

__all__ = ["Machine"]

EventKey = Any  # an Event type or a tuple of Event types that share one decision
Table = Mapping[Any, Mapping[EventKey, Any]]

NO_TIMER = refuse("this state has no timer")


def _tuple(states: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(states)


def _frozenset(states: Iterable[Any]) -> frozenset[Any]:
    return frozenset(states)


@attrs.frozen(eq=False, repr=False)
class Machine:
    """A frozen declaration. Raises DeclarationError unless it is total and every wait in it can end.

    name: shown in diagrams, traces and errors. states: an Enum, or the members of one that
    this machine uses; their values say in words what each state means.
    table: state -> {event type, or a tuple of event types: arm, or a tuple of arms tried in order}. Every state decides
    every event that any row names. context: what an instance remembers besides its state; None, or a frozen attrs class
    of bools, Enums and small integers. timers: the one timer of a state, started on entry and stopped on leaving;
    its cell is TimerElapsed. rests: states in which waiting for ever is right, each with its why. final: states that
    end an instance. begin: effects ordered when an instance comes into being.
    """

    name: str
    states: tuple[Any, ...] = attrs.field(converter=_tuple)
    initial: Enum
    table: Table
    context: Any = None
    final: frozenset[Any] = attrs.field(default=frozenset(), converter=_frozenset)
    timers: Mapping[Any, Timer] = attrs.field(factory=dict)
    rests: Mapping[Any, str] = attrs.field(factory=dict)
    begin: tuple[Effect, ...] = ()

    events: tuple[type[Event], ...] = attrs.field(init=False)
    """Every event type that the table decides, in the order of first mention."""
    cells: Mapping[Any, Mapping[type[Event], tuple[Arm, ...]]] = attrs.field(init=False)
    """The table, spelt out: one tuple of numbered arms for every (state, event)."""
    arms: tuple[tuple[Any, type[Event], Arm], ...] = attrs.field(init=False)
    """Every arm with its state and event, at the position that its index says."""

    def __attrs_post_init__(self) -> None:
        _check_states(self)
        rows = {state: _row(self, state) for state in self.states}
        timed: tuple[type[Event], ...] = (TimerElapsed,) if self.timers else ()
        events = tuple(dict.fromkeys((*(event for row in rows.values() for event in row), *timed)))
        names = [event.__name__ for event in events]
        for event in events:
            if names.count(event.__name__) > 1:
                raise _wrong(self, None, event, "two event types have this name", "rename one of them")
        arms: list[tuple[Any, type[Event], Arm]] = []
        cells: dict[Any, Mapping[type[Event], tuple[Arm, ...]]] = {}
        for state in self.states:
            row: dict[type[Event], tuple[Arm, ...]] = {}
            for event in events:
                cell = rows[state].get(event)
                if cell is None:
                    if event is TimerElapsed and state not in self.timers:
                        cell = (NO_TIMER,)
                    else:
                        raise _wrong(
                            self,
                            state,
                            event,
                            "is not decided",
                            "add to(...), stay(...), ignore(reason, why) or refuse(why) for it to this row",
                        )
                _check_cell(self, state, event, cell)
                numbered = tuple(attrs.evolve(arm, index=len(arms) + i) for i, arm in enumerate(cell))
                arms += [(state, event, arm) for arm in numbered]
                row[event] = numbered
            cells[state] = MappingProxyType(row)
        object.__setattr__(self, "events", events)
        object.__setattr__(self, "cells", MappingProxyType(cells))
        object.__setattr__(self, "arms", tuple(arms))

    def __repr__(self) -> str:
        return f"Machine({self.name!r}, {len(self.states)} states, {len(self.events)} events, {len(self.arms)} arms)"


def _wrong(machine: Machine, state: Any, event: type[Event] | None, what: str, mend: str) -> DeclarationError:
    where = f"machine {machine.name!r}"
    where += f", state {getattr(state, 'name', state)}" if state is not None else ""
    where += f", event {event.__name__}" if event is not None else ""
    return DeclarationError(f"{where}: {what}; {mend}")


def _check_states(machine: Machine) -> None:
    members = set(machine.states)
    named = [("initial", [machine.initial]), ("final", machine.final), ("timers", machine.timers)]
    for field, states in [*named, ("rests", machine.rests), ("table", machine.table)]:
        for state in states:
            if state not in members:
                raise _wrong(
                    machine,
                    state,
                    None,
                    f"{field} names it, and it is not one of its states",
                    "use a member of the states",
                )
    for state in machine.states:
        row = machine.table.get(state)
        if row is None:
            raise _wrong(machine, state, None, "has no row in the table", "add its row, a final state's too")
        timed, rests, ends = state in machine.timers, state in machine.rests, state in machine.final
        if ends and (timed or rests):
            raise _wrong(machine, state, None, "is final and waits", "take it out of timers and rests")
        if timed and rests:
            raise _wrong(machine, state, None, "has a timer and is declared a rest", "keep one of the two")
        if not (timed or rests or ends):
            raise _wrong(
                machine,
                state,
                None,
                "waits with neither a timer nor a declared rest",
                "give it a timer with a TimerElapsed cell, or list it in rests with the why",
            )
        if rests and not machine.rests[state]:
            raise _wrong(
                machine, state, None, "rests without a why", "say in a few words why waiting for ever is right"
            )
        if timed and not isinstance(machine.timers[state], Timer):
            raise _wrong(
                machine, state, None, f"has the timer {machine.timers[state]!r}", 'write Timer("name", seconds)'
            )
    _check_context(machine)
    for effect in machine.begin:
        if not isinstance(effect, Effect):
            raise _wrong(machine, None, None, f"begin names {effect!r}, which is no Effect", "give instances of Effect")


def _check_context(machine: Machine) -> None:
    context = machine.context
    if context is None:
        return
    if not attrs.has(type(context)):
        raise _wrong(
            machine, None, None, f"the context is a {type(context).__name__}", "use None or a frozen attrs class"
        )
    try:
        hash(context)
    except TypeError as error:
        raise _wrong(machine, None, None, "the context cannot be hashed", "make its class @attrs.frozen") from error
    for field in attrs.fields(type(context)):
        value = getattr(context, field.name)
        if not isinstance(value, (bool, int, Enum)):
            raise _wrong(
                machine,
                None,
                None,
                f"context field {field.name} holds a {type(value).__name__}",
                "a context holds bools, Enums and small integers; words, ids and seconds travel in events",
            )


def _row(machine: Machine, state: Any) -> dict[type[Event], tuple[Arm, ...]]:
    row: dict[type[Event], tuple[Arm, ...]] = {}
    for key, cell in machine.table[state].items():
        for event in key if isinstance(key, tuple) else (key,):
            if not (isinstance(event, type) and issubclass(event, Event)):
                raise _wrong(
                    machine, state, None, f"the row names {event!r}, which is no event", "name subclasses of Event"
                )
            if event in row:
                raise _wrong(machine, state, event, "is decided twice", "take it out of one of the two keys")
            row[event] = cell if isinstance(cell, tuple) else (cell,)
    return row


def _check_cell(machine: Machine, state: Any, event: type[Event], cell: tuple[Arm, ...]) -> None:
    if not cell:
        raise _wrong(machine, state, event, "has an empty cell", "give it at least one arm")
    seen: set[Any] = set()
    for position, arm in enumerate(cell):
        last = position == len(cell) - 1
        if not isinstance(arm, Arm):
            raise _wrong(machine, state, event, f"holds {arm!r}", "write to, stay, ignore, refuse or when(...)")
        if arm.guard is None and not last:
            raise _wrong(
                machine,
                state,
                event,
                f"arm {position + 2} is unreachable, arm {position + 1} has no guard",
                "put the arm without a guard last, or guard it with when(...)",
            )
        if arm.guard is not None and last:
            raise _wrong(
                machine,
                state,
                event,
                f"the last arm is guarded by {arm.guard.name}, so the cell may be undecided",
                "add an arm without a guard after it",
            )
        if arm.guard is not None and arm.guard.function in seen:
            raise _wrong(
                machine,
                state,
                event,
                f"arm {position + 1} is unreachable, {arm.guard.name} was asked before",
                "delete it or ask another question",
            )
        seen.add(arm.guard.function if arm.guard is not None else None)
        if arm.kind is Kind.TO and arm.target not in set(machine.states):
            raise _wrong(
                machine,
                state,
                event,
                f"leads to {arm.target!r}, which is not one of its states",
                "name one of the machine's states",
            )
        if arm.target is state:
            raise _wrong(machine, state, event, "leads to the state that it starts from", "write stay(...)")
        if state in machine.final and arm.kind in (Kind.TO, Kind.STAY):
            raise _wrong(
                machine,
                state,
                event,
                "a final state is left or acts",
                "write ignore(...) or refuse(...), or take the state out of final",
            )
        if arm.rearm and state not in machine.timers:
            raise _wrong(
                machine, state, event, "starts a timer anew where there is none", "give the state a timer or drop rearm"
            )
        if event is TimerElapsed and state in machine.timers and arm.kind is not Kind.TO and not arm.updates:
            raise _wrong(
                machine,
                state,
                event,
                "time runs out and nothing changes, so the wait never ends",
                "leave the state, or spend a bounded count with an update",
            )
        if event is TimerElapsed and state in machine.timers and arm.kind is Kind.STAY:
            _check_waits_again(machine, state, arm)
    if event is TimerElapsed and state not in machine.timers and cell != (NO_TIMER,):
        raise _wrong(
            machine, state, event, "is decided in a state without a timer", "add the state to timers or drop the cell"
        )


def _check_waits_again(machine: Machine, state: Any, arm: Arm) -> None:
    """An arm that stays when time has run out must begin a new wait, or the same deadline is met for ever."""
    if not arm.rearm:
        raise _wrong(
            machine, state, TimerElapsed, "stays, and its time has still run out", "begin a new wait with rearm=True"
        )
    timer: Timer | None = machine.timers[state]
    while timer is not None:
        if timer.cap is not None:
            raise _wrong(
                machine,
                state,
                TimerElapsed,
                f"stays, and timer {timer.name!r} has a cap that no new wait exceeds",
                "leave the state, or drop the cap",
            )
        timer = timer.unless[1] if timer.unless is not None else None
