"""How effects, conditions and timers are written, the same in every picture and table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

import attrs

from rtfsm.language import Arm, Effect, Timer

__all__ = ["ELSE", "condition", "effect", "effects", "seconds", "timer", "value"]

ELSE = "else"


def value(given: Any) -> str:
    """A value as a reader names it: an Enum by its member, never an address in memory."""
    if isinstance(given, Enum):
        return given.name
    if given is None or isinstance(given, (bool, int, float, str)):
        return str(given)
    if isinstance(given, (tuple, list)):
        return f"({', '.join(value(one) for one in given)})"
    return type(given).__name__


def effect(ordered: Effect) -> str:
    """``CloseMessage(cut)``, ``ReleaseAll(LOST)``, ``Seal``: arguments that differ from their defaults."""
    arguments = []
    for field in attrs.fields(type(ordered)):
        given = getattr(ordered, field.name)
        if given == field.default:
            continue
        if given is True:
            arguments.append(field.name)
        elif isinstance(given, Enum):
            arguments.append(given.name)
        else:
            arguments.append(f"{field.name}={value(given)}")
    return f"{type(ordered).__name__}({', '.join(arguments)})" if arguments else type(ordered).__name__


def effects(ordered: Iterable[Effect]) -> str:
    """Effects in the order in which they are done."""
    return ", ".join(effect(one) for one in ordered)


def condition(cell: Sequence[Arm], chosen: Sequence[Arm]) -> str:
    """When one of the ``chosen`` arms of a cell is taken: "" for always, "else", or names of guards."""
    if len(chosen) == len(cell):
        return ""
    positions = {position for position, arm in enumerate(cell) if any(arm is one for one in chosen)}
    if positions == set(range(len(cell) - len(positions), len(cell))):
        return ELSE
    guards = [cell[position].guard for position in sorted(positions)]
    return " or ".join(ELSE if guard is None else guard.name for guard in guards)


def seconds(number: float) -> str:
    return f"{number:g} s"


def timer(declared: Timer) -> str:
    """``stall 30 s, if without_bracket implicit 2 s``."""
    words = f"{declared.name} {seconds(declared.seconds)}"
    if declared.cap is not None:
        words += f" (at most {seconds(declared.cap)})"
    if declared.unless is not None:
        guard, other = declared.unless
        words += f", if {guard.name} {timer(other)}"
    return words
