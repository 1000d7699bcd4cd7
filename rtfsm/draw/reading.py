"""A machine's picture, read from its declaration.

Drawn: every move, one arrow for each pair of states. At the level of events, its label names them; at the full level it
says for each what is asked and ordered, and a box what its state does without leaving. Not drawn: ignored and refused
cells, and changes of the context. Those are in the tables.

The overview leaves out what is told once as well as a dozen times: an event that leads from most states to the same one
stands in the box that it leads to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Any

from rtfsm.language import Arm, Event, Kind, Machine, TimerElapsed

from .picture import Arrow, Box, Form, Level, Picture, Stroke
from .words import condition, effects, seconds, timer, value

__all__ = ["moves", "picture"]

Reasons = list[tuple[list[str], str]]
"""Events, each with its condition, that share the same effects; and these effects."""

Moves = dict[tuple[Any, Any], list[type[Event]]]
Common = set[tuple[type[Event], Any]]

SHOWN = 2
"""Events on an arrow of an overview; the rest is counted."""
FEW = 4
"""From so many states, and from more than half of them, an event is common."""


def picture(machine: Machine, level: Level = Level.FULL) -> Picture:
    """What is drawn of a machine. Boxes and arrows are in the order of declaration."""
    ways = moves(machine)
    common = _common(machine, ways) if level is Level.OVERVIEW else set()
    left_out = _left_out(machine, ways, common)
    boxes = tuple(
        Box(
            state.name,
            state.name,
            _form(machine, state),
            tuple(_inside(machine, state, level, ways, left_out)),
            about=value(state.value),
        )
        for state in machine.states
    )
    arrows = tuple(
        Arrow(source.name, target.name, _stroke(events), tuple(_label(machine, source, target, level, common)))
        for (source, target), events in ways.items()
        if (source, target) not in left_out
    )
    began = (f"/ {effects(machine.begin)}",) if machine.begin and level is Level.FULL else ()
    told = tuple((source.name, target.name) for source, target in ways if (source, target) in left_out)
    return Picture(machine.name, _about(machine, ways), boxes, arrows, (machine.initial.name, began), told)


def moves(machine: Machine) -> Moves:
    """(source, target) -> the events that may lead there, both in the order of declaration."""
    found: Moves = {}
    for state in machine.states:
        for target in machine.states:
            events = [event for event in machine.events if _leads(machine, state, event, target)]
            if events:
                found[state, target] = events
    return found


def _about(machine: Machine, ways: Sized) -> str:
    final = ", ".join(state.name for state in machine.states if state in machine.final) or "nowhere"
    return (
        f"State machine {machine.name}: {len(machine.states)} states, {len(ways)} arrows. It begins in "
        f"{machine.initial.name} and ends in {final}."
    )


def _form(machine: Machine, state: Any) -> Form:
    if state in machine.final:
        return Form.FINAL
    return Form.WAITS if state in machine.timers else Form.RESTS


def _stroke(events: list[type[Event]]) -> Stroke:
    return Stroke.TIME if events == [TimerElapsed] else Stroke.EVENT


# -- the overview ------------------------------------------------------------------------------------------------------


def _common(machine: Machine, ways: Moves) -> Common:
    """(event, target) where the event leads to the target from most of the other states."""
    found = set()
    for target in machine.states:
        others = [state for state in machine.states if state not in machine.final and state is not target]
        for event in machine.events:
            sources = [state for state in others if event in ways.get((state, target), ())]
            if event is not TimerElapsed and len(sources) >= FEW and 2 * len(sources) > len(others):
                found.add((event, target))
    return found


def _left_out(machine: Machine, ways: Moves, common: Common) -> set[tuple[Any, Any]]:
    """Arrows that only common events, and perhaps time, are on; never the last one that leaves a state."""
    found = set()
    for (source, target), events in ways.items():
        named = [event for event in events if event is not TimerElapsed]
        if named and all((event, target) in common for event in named):
            found.add((source, target))
    for state in machine.states:
        leaving = [way for way in ways if way[0] is state]
        if leaving and all(way in found for way in leaving):
            found -= set(leaving)
    return found


def _from_elsewhere(machine: Machine, target: Any, ways: Moves, left_out: set[tuple[Any, Any]]) -> Iterator[str]:
    """What the arrows that an overview leaves out would have said, in the box that they lead to."""
    sources = [source for source, reached in left_out if reached is target]
    if not sources:
        return
    ordered = [state for state in machine.states if state in sources]
    missing = [state for state in machine.states if state not in (*machine.final, *sources, target)]
    there = [event for event in machine.events if any(event in ways[one, target] for one in ordered)]
    named = [event.__name__ for event in there if event is not TimerElapsed]
    said = ", ".join([*named, *["time"] * (TimerElapsed in there)])
    if not missing:
        where = "any state"
    elif len(missing) < len(ordered):
        where = f"any but {', '.join(state.name for state in missing)}"
    else:
        where = ", ".join(state.name for state in ordered)
    yield f"from {where}: {said}"


# -- words -------------------------------------------------------------------------------------------------------------


def _inside(machine: Machine, state: Any, level: Level, ways: Moves, left_out: set[tuple[Any, Any]]) -> Iterator[str]:
    """What is written in the box of a state."""
    if level is Level.OVERVIEW:
        yield from _from_elsewhere(machine, state, ways, left_out)
        return
    yield value(state.value)
    if state in machine.timers:
        yield f"waits {timer(machine.timers[state])}"
    if level is Level.EVENTS:
        return
    if state in machine.rests:
        yield f"rests: {machine.rests[state]}"
    for events, done in _reasons(machine, state, Kind.STAY, None):
        yield f"• {', '.join(events)} / {done}"


def _label(machine: Machine, source: Any, target: Any, level: Level, common: Common) -> Iterator[str]:
    if level is Level.FULL:
        yield from _on_arrow(_reasons(machine, source, Kind.TO, target))
        return
    events = [event for event in machine.events if _leads(machine, source, event, target)]
    # What is peculiar to this arrow comes first, time last.
    events.sort(key=lambda event: (event is TimerElapsed, (event, target) in common))
    names = [_trigger(machine, source, event) for event in events]
    if level is Level.OVERVIEW and len(names) > SHOWN + 1:
        names = [*names[:SHOWN], f"+ {len(names) - SHOWN} more"]
    yield from names


def _leads(machine: Machine, source: Any, event: type[Event], target: Any) -> bool:
    return any(arm.kind is Kind.TO and arm.target is target for arm in machine.cells[source][event])


def _reasons(machine: Machine, state: Any, kind: Kind, target: Any) -> Reasons:
    """What takes an instance from a state to a target, the events with equal effects together."""
    found: dict[str, list[str]] = {}
    for event in machine.events:
        cell = machine.cells[state][event]
        by_effects: dict[str, list[Arm]] = {}
        for arm in cell:
            if arm.kind is kind and arm.target is target:
                by_effects.setdefault(_done(arm), []).append(arm)
        for done, arms in by_effects.items():
            when = condition(cell, arms)
            found.setdefault(done, []).append(_trigger(machine, state, event) + (f" [{when}]" if when else ""))
    return [(events, done) for done, events in found.items()]


def _done(arm: Arm) -> str:
    """The effects; where an arm stays and orders nothing, what it remembers."""
    if arm.kind is Kind.STAY and not arm.effects:
        return ", ".join(change.name for change in arm.updates) or "nothing"
    return effects(arm.effects)


def _trigger(machine: Machine, state: Any, event: type[Event]) -> str:
    if event is not TimerElapsed or state not in machine.timers:
        return event.__name__
    shown = machine.timers[state]
    other = "" if shown.unless is None else f" or {shown.unless[1].name} {seconds(shown.unless[1].seconds)}"
    return f"after {shown.name} {seconds(shown.seconds)}{other}"


def _on_arrow(reasons: Reasons) -> Iterator[str]:
    """One reason after the other: its events, then on a line of its own what is done."""
    mark = "• " if len(reasons) > 1 else ""
    for events, done in reasons:
        yield f"{mark}{', '.join(events)}"
        if done:
            yield f"/ {done}"
