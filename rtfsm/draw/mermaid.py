"""A machine as a Mermaid state diagram, for a reviewer.

Drawn: every move, one arrow for each pair of states, with one line for each thing that may be done on the way; what a
state does without leaving it, inside its box. Not drawn: ignored and refused cells, and changes of the context. Those
are in the tables.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable
from typing import Any

from rtfsm.language import Arm, Event, Kind, Machine, TimerElapsed

from .words import condition, effects, seconds, timer, value

__all__ = ["escaped", "mermaid", "moves"]

BOX_WIDTH, ARROW_WIDTH = 46, 27
"""Characters in a line; Mermaid breaks the labels of arrows at about 200 pixels by itself, less legibly."""

BREAK, HARD = "<br/>", "\N{NO-BREAK SPACE}"

HEAD = ["---", "config:", "  state:", "    nodeSpacing: 60", "    rankSpacing: 60"]

Reasons = list[tuple[list[str], str]]
"""Events, each with its condition, that share the same effects; and these effects."""


def mermaid(machine: Machine) -> str:
    """A ``stateDiagram-v2``. Its arrows are exactly the pairs of states between which the machine can move."""
    lines = [*HEAD, f"title: {json.dumps(machine.name, ensure_ascii=False)}", "---", "stateDiagram-v2"]
    for state in machine.states:
        lines.append(f'    state "{escaped(state.name)}" as {state.name}')
        lines += [f"    {state.name} : {line}" for line in _inside(machine, state)]
    began = f" : {_on_arrow([([], effects(machine.begin))])}" if machine.begin else ""
    lines.append(f"    [*] --> {machine.initial.name}{began}")
    for (source, target), reasons in moves(machine).items():
        lines.append(f"    {source.name} --> {target.name} : {_on_arrow(reasons)}")
    lines += [f"    {state.name} --> [*]" for state in machine.states if state in machine.final]
    return "\n".join(lines) + "\n"


def moves(machine: Machine) -> dict[tuple[Any, Any], Reasons]:
    """(source, target) -> the events, with their conditions, that share the same effects, and these effects."""
    found: dict[tuple[Any, Any], Reasons] = {}
    for state in machine.states:
        for target in machine.states:
            reasons = _reasons(machine, state, Kind.TO, target)
            if reasons:
                found[state, target] = reasons
    return found


def escaped(text: str) -> str:
    """Text that Mermaid takes as it is: what ends a label, or begins a comment or a tag, becomes an entity."""
    entities = {"#": "#35;", ";": "#59;", ":": "#58;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "%": "#37;"}
    return "".join(entities.get(character, character) for character in text)


def _inside(machine: Machine, state: Any) -> Iterable[str]:
    """What is written in the box of a state: its meaning, how it waits, what it does without leaving."""
    yield _wrapped([value(state.value)], BOX_WIDTH)
    if state in machine.timers:
        yield _wrapped([f"waits {timer(machine.timers[state])}"], BOX_WIDTH)
    if state in machine.rests:
        yield _wrapped([f"rests: {machine.rests[state]}"], BOX_WIDTH)
    for events, done in _reasons(machine, state, Kind.STAY, None):
        yield _wrapped([f"• {', '.join(events)} / {done}"], BOX_WIDTH)


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


def _on_arrow(reasons: Reasons) -> str:
    """One reason after the other: its events, then on a line of its own what is done."""
    mark = "• " if len(reasons) > 1 else ""
    lines: list[str] = []
    for events, done in reasons:
        lines += [f"{mark}{', '.join(events)}"] if events else []
        lines += [f"/ {done}"] if done else []
    return _wrapped(lines, ARROW_WIDTH)


def _wrapped(lines: Iterable[str], width: int) -> str:
    """Lines of text as one label; a mark stays with its word, a number with its unit."""
    pieces: list[str] = []
    for line in lines:
        kept = line.replace("/ ", f"/{HARD}").replace("• ", f"•{HARD}")
        kept = re.sub(r"(?<=\d) s\b", f"{HARD}s", kept)
        pieces += textwrap.wrap(kept, width, break_long_words=False, break_on_hyphens=False)
    # A word longer than a line keeps its mark by force, or Mermaid would tear them apart.
    return BREAK.join(escaped(piece if len(piece) > width else piece.replace(HARD, " ")) for piece in pieces)
