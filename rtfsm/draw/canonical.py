"""The whole declaration as plain data: what a diff of two versions of a machine is made of.

Byte-stable, and complete but for one thing: whatever can change what a machine does, or what its tables say of it, is
in it; the order of a set, the position of an arm in memory or the time of day is not. The one thing is the code that
the functions of guards and updates call in their turn, and what they close over; their own statements are in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import attrs

from rtfsm.language import Arm, Effect, Event, Guard, Machine, Timer, finite_fields

from .source import bodies
from .words import value

__all__ = ["canonical", "canonical_arm", "canonical_json"]


def canonical(machine: Machine) -> dict[str, Any]:
    """The declaration as dicts, lists, strings, numbers and None.

    states and the arms of a cell are lists, in the order of declaration, which means something; all else is keyed by
    name, or sorted.
    """
    return {
        "name": machine.name,
        "states": [{"name": state.name, "meaning": _meaning(state)} for state in machine.states],
        "initial": machine.initial.name,
        "final": sorted(state.name for state in machine.final),
        "context": _context(machine.context),
        "timers": {state.name: _timer(timer) for state, timer in _by_name(machine.timers)},
        "rests": {state.name: why for state, why in _by_name(machine.rests)},
        "guards": bodies(_guards(machine)),
        "updates": bodies(_updates(machine)),
        "begin": [_effect(effect) for effect in machine.begin],
        "events": {event.__name__: _fields(event) for event in sorted(machine.events, key=lambda e: e.__name__)},
        "cells": {
            state.name: {
                event.__name__: [canonical_arm(arm) for arm in machine.cells[state][event]]
                for event in sorted(machine.events, key=lambda e: e.__name__)
            }
            for state in machine.states
        },
    }


def canonical_json(machine: Machine) -> str:
    """:func:`canonical` as JSON with sorted keys, two spaces of indentation and a newline at the end."""
    return json.dumps(canonical(machine), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def canonical_arm(arm: Arm) -> dict[str, Any]:
    """One arm; what it does not have is left out."""
    found: dict[str, Any] = {"kind": arm.kind.name}
    if arm.guard is not None:
        found["guard"] = _guard(arm.guard)
    if arm.target is not None:
        found["target"] = arm.target.name
    if arm.effects:
        found["effects"] = [_effect(effect) for effect in arm.effects]
    if arm.updates:
        found["updates"] = [update.name for update in arm.updates]
    if arm.rearm:
        found["rearm"] = True
    if arm.reason is not None:
        found["reason"] = arm.reason.name
    if arm.why:
        found["why"] = arm.why
    return found


def _by_name(by_state: Any) -> list[tuple[Any, Any]]:
    return sorted(by_state.items(), key=lambda pair: str(pair[0].name))


def _meaning(state: Enum) -> str:
    return value(state.value)


def _guard(guard: Guard) -> dict[str, Any]:
    return {"name": guard.name, "reads": ["context", "event"] if guard.reads_event else ["context"]}


def _guards(machine: Machine) -> Iterator[tuple[str, Callable[..., Any]]]:
    yield from ((arm.guard.name, arm.guard.function) for _, _, arm in machine.arms if arm.guard is not None)
    for declared in machine.timers.values():
        unless = declared.unless
        while unless is not None:
            yield unless[0].name, unless[0].function
            unless = unless[1].unless


def _updates(machine: Machine) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Those with a body of their own; of an ``assign`` the name says all."""
    for _, _, arm in machine.arms:
        yield from ((one.name, one.function) for one in arm.updates if one.name == one.function.__name__)


def _plain(given: Any) -> Any:
    return given if given is None or isinstance(given, (bool, int, float, str)) else value(given)


def _effect(effect: Effect) -> dict[str, Any]:
    arguments = {field.name: _plain(getattr(effect, field.name)) for field in attrs.fields(type(effect))}
    return {"name": type(effect).__name__, **({"arguments": arguments} if arguments else {})}


def _context(context: Any) -> dict[str, Any]:
    if context is None:
        return {}
    fields = {}
    for field in attrs.fields(type(context)):
        initial = getattr(context, field.name)
        fields[field.name] = {"type": type(initial).__name__, "initial": _plain(initial)}
        if isinstance(initial, Enum):
            fields[field.name]["values"] = {one.name: value(one.value) for one in type(initial)}
    return fields


def _timer(timer: Timer) -> dict[str, Any]:
    found: dict[str, Any] = {"name": timer.name, "seconds": timer.seconds, "cap": timer.cap, "unless": None}
    if timer.unless is not None:
        guard, other = timer.unless
        found["unless"] = {"guard": _guard(guard), "timer": _timer(other)}
    return found


def _fields(event: type[Event]) -> dict[str, list[Any]]:
    """The fields that guards may read, with every value that each can take."""
    names = finite_fields(event)  # resolves the types of the fields
    domains = {field.name: field.type for field in attrs.fields(event) if field.name in names}
    return {
        name: [False, True] if domains[name] is bool else [value(one) for one in list(domains[name] or ())]
        for name in names
    }
