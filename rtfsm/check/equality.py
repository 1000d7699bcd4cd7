"""Whether a compiled engine does what :func:`rtfsm.language.step` says, everywhere that a machine can be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from rtfsm.language import (
    Arm,
    Engine,
    Event,
    Guard,
    GuardError,
    Instance,
    Machine,
    Outcome,
    TimerElapsed,
    UnknownEventError,
    shapes,
    step,
)

from .explore import Exploration, Reached, shown, shown_place

__all__ = ["differences"]


@attrs.frozen
class _Foreign(Event):
    """An event that no table knows."""


def differences(seen: Exploration, engine: Engine) -> tuple[int, list[str]]:
    """How many comparisons were made, and what differed, in words.

    Compared are the arm, the state and the context after every shape of every event; that an unknown event is refused
    and changes nothing; and that a guard that fails is reported and changes nothing. For the last, the machine is
    compiled anew with guards that fail one at a time.
    """
    compared, found = 0, []
    failing = _Failing(seen.machine)
    failing_engine = Engine(failing.machine)
    for place in seen.reached:
        for event in _all_shapes(seen.machine):
            compared += 1
            found += _compared(seen.machine, engine, place, event)
        compared += 1
        found += _compared(seen.machine, engine, place, _Foreign())
        for event, arm in failing.arms_in(place[0]):
            compared += 1
            failing.guard = arm.guard
            found += [
                f"{text} (with guard {arm.guard and arm.guard.name} failing)"
                for text in _compared(failing.machine, failing_engine, place, event)
            ]
    return compared, found


def _all_shapes(machine: Machine) -> Iterator[Event]:
    for kind in machine.events:
        yield from shapes(kind)


def _compared(machine: Machine, engine: Engine, place: Reached, event: Event) -> list[str]:
    """What the engine does differently at one place on one event; nothing where it does the same."""
    meant = _meant(machine, place, event)
    instance = Instance(machine, machine.name, place[1])
    instance.state = place[0]
    where = f"machine {machine.name!r}, state {shown_place(place)}, event {shown(event)}"
    arm: Arm | None = None
    try:
        arm = engine.dispatch(instance, event)
        failed: type[Exception] | None = None
    except Exception as error:
        failed = type(error)
    reached = (instance.state, instance.context)
    if isinstance(meant, Outcome):
        if failed is not None:
            return [f"{where}: step decides, the engine raises {failed.__name__}"]
        wrong = []
        if arm is not meant.arm:
            wrong.append(f"{where}: step takes arm {meant.arm.index}, the engine {arm.index if arm else None}")
        if reached != (meant.state, meant.context):
            wrong.append(
                f"{where}: step leads to {shown_place((meant.state, meant.context))}, the engine to {_place(reached)}"
            )
        return wrong
    if failed is not meant:
        raised = "decides" if failed is None else f"raises {failed.__name__}"
        return [f"{where}: step raises {meant.__name__}, the engine {raised}"]
    return [] if reached == place else [f"{where}: raised {meant.__name__} and yet changed to {_place(reached)}"]


def _meant(machine: Machine, place: Reached, event: Event) -> Outcome | type[Exception]:
    try:
        return step(machine, *place, event)
    except (GuardError, UnknownEventError) as error:
        return type(error)
    except Exception as error:
        return type(error)


def _place(reached: Reached) -> str:
    return shown_place(reached) if hasattr(reached[0], "name") else repr(reached[0])


class _Failing:
    """The same machine with guards of which one, ``guard``, raises."""

    def __init__(self, machine: Machine) -> None:
        self.guard: Guard | None = None
        table = {
            state: {
                event: tuple(self._with_failing_guard(arm) for arm in cell)
                for event, cell in row.items()
                if event is not TimerElapsed or state in machine.timers
            }
            for state, row in machine.cells.items()
        }
        self.machine = attrs.evolve(machine, table=table)

    def _with_failing_guard(self, arm: Arm) -> Arm:
        asked = arm.guard
        if asked is None:
            return arm

        def answer(*given: Any) -> bool:
            if self.guard is failing:
                raise LookupError("made to fail")
            return asked.function(*given)

        failing = Guard(asked.name, answer, asked.reads_event)
        return attrs.evolve(arm, guard=failing)

    def arms_in(self, state: Any) -> Iterator[tuple[Event, Arm]]:
        """Every shape of every event with every guarded arm of its cell."""
        for kind, cell in self.machine.cells[state].items():
            for arm in cell:
                if arm.guard is not None:
                    yield from ((event, arm) for event in shapes(kind))
