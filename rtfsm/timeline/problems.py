"""A recording held against the tables: steps that the declared machines would not have taken.

A recording has no contexts, and needs none: every context that an instance may have is followed, and a step that none
of them allows is one that the tables do not have. A machine that was changed, by a defect or by another version, is
seen by that; what the application or the provider does wrong is not, for no table is about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import attrs

from rtfsm.check.explore import explore
from rtfsm.language import Arm, Event, Kind, Machine, decide, finite_fields, shapes
from rtfsm.machines import compose
from rtfsm.profiles import PROFILES
from rtfsm.targets import births_of
from rtfsm.trace import Header, Record

__all__ = ["MOST", "Problem", "problems_of", "profile_of"]

MOST = 1000
"""Problems that are told of one recording."""


@attrs.frozen
class Problem:
    """place: of the record in question, from 0. kind: REFUSED (only a defect of our own brings the event there), TABLE
    (the tables decide otherwise) or GAP (the instance was left in another state). text: what is wrong, in words."""

    place: int
    kind: str
    text: str


def profile_of(header: Header) -> str | None:
    """The profile whose machines have the states that the recording names; None where none has."""
    return next((profile for profile in PROFILES if _tables(profile).states == header.machines), None)


def problems_of(header: Header, records: Iterable[Record], profile: str | None) -> Iterator[Problem]:
    """The problems of a recording, in order. profile: whose tables; with None, only gaps are looked for."""
    tables = {} if profile is None else _tables(profile).of
    left: dict[tuple[str, str], str] = {}
    contexts: dict[tuple[str, str], set[Any]] = {}
    told = 0
    for place, record in enumerate(records):
        who = record.machine, record.instance
        problem = None
        if left.get(who, record.before) != record.before:
            contexts.pop(who, None)
            problem = ("GAP", f"{record.instance} was left in {left[who]}, and takes {record.event} in {record.before}")
        left[who] = record.after
        table = tables.get(record.machine)
        if table is not None:
            wrong, contexts[who] = table.judge(record, contexts.get(who))
            problem = problem or wrong
        if problem is not None and told < MOST:
            told += 1
            yield Problem(place, *problem)


@attrs.frozen
class _Tables:
    """The machines of a profile. states: as a recording names them."""

    states: Mapping[str, tuple[str, ...]]
    of: Mapping[str, _Table]


@cache
def _tables(profile: str) -> _Tables:
    wire = PROFILES[profile]
    machines = compose(wire).machines
    return _Tables(
        {one.name: tuple(state.name for state in one.states) for one in machines},
        {one.name: _Table(one, births_of(wire) if one.name == "generation" else ()) for one in machines},
    )


class _Table:
    """One machine, and the contexts that it can have in each state."""

    def __init__(self, machine: Machine, births: Sequence[Any]) -> None:
        self.machine = machine
        self.states = {state.name: state for state in machine.states}
        self.events = {event.__name__: event for event in machine.events}
        self.contexts: dict[str, set[Any]] = {name: set() for name in self.states}
        for state, context in explore(machine, births).reached:
            self.contexts[state.name].add(context)

    def judge(self, record: Record, contexts: set[Any] | None) -> tuple[tuple[str, str] | None, set[Any]]:
        """What is wrong with a step, and the contexts that its instance may have after it. contexts: before it; None
        where nothing is known of the instance."""
        event = self.events.get(record.event)
        if event is None:
            return (
                ("TABLE", f"the table of {record.machine} knows no event {record.event}"),
                self.contexts[record.after],
            )
        possible = self._possible(record, event, contexts or self.contexts[record.before])
        fitting = [(arm, context) for arm, context in possible if _alike(arm, record)]
        if not fitting:
            meant = _told(possible[0][0]) if possible else "has no answer"
            text = f"on {record.event} in {record.before} the table of {record.machine} {meant}; {_recorded(record)}"
            return ("TABLE", text), self.contexts[record.after]
        # Two arms that a recording cannot tell apart, but for their number.
        same = [pair for pair in fitting if pair[0].index == record.arm] or fitting
        after = {arm.next_context(context) for arm, context in same}
        if same[0][0].kind is Kind.REFUSE:
            return ("REFUSED", f"{record.event} in {record.before} of {record.instance}: {same[0][0].why}"), after
        return None, after

    def _possible(self, record: Record, event: type[Event], contexts: Iterable[Any]) -> list[tuple[Arm, Any]]:
        state = self.states[record.before]
        found = [
            (decide(self.machine, state, context, shape), context)
            for shape in shapes(event)
            if all(_agrees(record.given.get(name), getattr(shape, name)) for name in finite_fields(event))
            for context in contexts
        ]
        return sorted(found, key=lambda pair: pair[0].index)


def _agrees(recorded: str | bool | None, value: Any) -> bool:
    return recorded is None or recorded == getattr(value, "name", value)


def _alike(arm: Arm, record: Record) -> bool:
    """Whether the record is what taking this arm looks like."""
    return (
        (record.before if arm.target is None else arm.target.name) == record.after
        and tuple(type(effect).__name__ for effect in arm.effects) == record.effects
        and (arm.reason.name if arm.reason is not None else None) == record.reason
    )


def _told(arm: Arm) -> str:
    if arm.kind is Kind.IGNORE and arm.reason is not None:
        return f"ignores it as {arm.reason.name}"
    if arm.kind is Kind.REFUSE:
        return "refuses it"
    effects = ", ".join(type(effect).__name__ for effect in arm.effects)
    where = "stays" if arm.target is None else f"goes to {arm.target.name}"
    return f"{where} and orders {effects or 'nothing'}"


def _recorded(record: Record) -> str:
    if record.reason is not None:
        return f"the recording ignores it as {record.reason}"
    where = "stays" if record.before == record.after else f"goes to {record.after}"
    return f"the recording {where} and orders {', '.join(record.effects) or 'nothing'}"
