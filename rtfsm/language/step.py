"""The meaning of a machine: one pure, total function."""

from __future__ import annotations

from typing import Any

import attrs

from .cells import Arm
from .errors import GuardError, UnknownEventError
from .events import Effect, Event, shape
from .machine import Machine

__all__ = ["Outcome", "decide", "step"]


@attrs.frozen
class Outcome:
    """What a machine does with one event: the arm it takes, where that leads, what is to be done then."""

    arm: Arm
    state: Any
    context: Any
    effects: tuple[Effect, ...]


def unknown_event(machine: Machine, event: Event) -> UnknownEventError:
    return UnknownEventError(
        f"machine {machine.name!r} has no column for {type(event).__name__}; it knows "
        + ", ".join(sorted(known.__name__ for known in machine.events))
    )


def decide(machine: Machine, state: Any, context: Any, event: Event) -> Arm:
    """The arm that (state, context) takes on an event. Raises UnknownEventError and GuardError; changes nothing."""
    cell = machine.cells[state].get(type(event))
    if cell is None:
        raise unknown_event(machine, event)
    seen = shape(event)
    for arm in cell:
        try:
            if arm.guard is None or arm.guard(context, seen):
                return arm
        except GuardError as error:
            raise GuardError(
                f"machine {machine.name!r}, state {state.name}, event {type(event).__name__}: {error}"
            ) from error
    raise AssertionError("the last arm of every cell has no guard")


def step(machine: Machine, state: Any, context: Any, event: Event) -> Outcome:
    """Decide, and say where that leads. The run-time engine is proved equal to this function."""
    arm = decide(machine, state, context, event)
    return Outcome(arm, state if arm.target is None else arm.target, arm.next_context(context), arm.effects)
