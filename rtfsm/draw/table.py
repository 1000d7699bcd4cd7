"""A machine's whole table as Markdown: every cell, the ignored and the refused ones with their why."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

import attrs

from rtfsm.language import Arm, Event, Kind, Machine

from .canonical import canonical_arm
from .words import condition, effects, timer, value

__all__ = ["markdown_table"]


def markdown_table(machine: Machine) -> str:
    """A section for each state; in it a row for each arm, events that share one decision together."""
    parts = [f"# {machine.name}: the whole table", ""]
    parts += [
        f"{len(machine.states)} states, {len(machine.events)} events, {len(machine.states) * len(machine.events)} "
        f"cells, {len(machine.arms)} arms. Begins in {_code(machine.initial.name)}"
        + (f" and orders {_code(effects(machine.begin))}." if machine.begin else "."),
        "",
    ]
    if machine.context is not None:
        parts += ["It remembers:", "", *_context(machine.context), ""]
    for state in machine.states:
        parts += [f"## {state.name}", "", _plain(_sentence(value(state.value))), "", _waits(machine, state), ""]
        parts += ["| event | when | does | why |", "|---|---|---|---|"]
        for events, cell in _decisions(machine, state):
            for position, arm in enumerate(cell):
                named = ", ".join(_code(event.__name__) for event in events) if position == 0 else ""
                asked = condition(cell, [arm])
                parts.append(f"| {named} | {_code(asked) if asked else ''} | {_does(arm)} | {_plain(arm.why)} |")
        parts.append("")
    return "\n".join(parts)


def _decisions(machine: Machine, state: Any) -> Iterator[tuple[list[type[Event]], tuple[Arm, ...]]]:
    """The events of a row by the decision that they share, in the order of the first of them."""
    shared: dict[Any, list[type[Event]]] = {}
    for event in machine.events:
        cell = machine.cells[state][event]
        # Two guards may have one name; only the same function is the same question.
        key = tuple((repr(canonical_arm(arm)), arm.guard and arm.guard.function) for arm in cell)
        shared.setdefault(key, []).append(event)
    for events in shared.values():
        yield events, machine.cells[state][events[0]]


def _does(arm: Arm) -> str:
    if arm.kind is Kind.REFUSE:
        return "refused"
    if arm.kind is Kind.IGNORE and arm.reason is not None:
        return f"ignored, {arm.reason.name}" + _rearmed(arm)
    said = f"→ **{arm.target.name}**" if arm.target is not None else "stays"
    if arm.effects:
        said += f": {_code(effects(arm.effects))}"
    if arm.updates:
        said += f"; remembers {_code(', '.join(update.name for update in arm.updates))}"
    return said + _rearmed(arm)


def _rearmed(arm: Arm) -> str:
    return "; the timer starts anew" if arm.rearm else ""


def _waits(machine: Machine, state: Any) -> str:
    if state in machine.timers:
        return f"Waits: {timer(machine.timers[state])}."
    if state in machine.rests:
        return f"Rests: {_plain(machine.rests[state])}."
    return "Final."


def _context(context: Any) -> Iterator[str]:
    for field in attrs.fields(type(context)):
        initial = getattr(context, field.name)
        values = f" ({', '.join(one.name for one in type(initial))})" if isinstance(initial, Enum) else ""
        yield f"- {_code(field.name)}: {type(initial).__name__}{values}, at first {_code(value(initial))}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _plain(text: str) -> str:
    for character in "\\|*_`<":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())
