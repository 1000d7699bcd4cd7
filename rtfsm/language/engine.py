"""The run-time engine: a declaration compiled to ``transitions``, the one module that imports that package.

Every cell becomes at least one edge, ignored and refused ones too (an internal transition), so the package's own ways
of not taking an event cannot occur. Instances are not registered as models: they are plain objects whose ``state``
the package writes. No callbacks run inside a transition; guards and the next context are computed before the write.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from transitions import Machine as TransitionsMachine
from transitions import State, Transition

from .cells import Arm, Guard
from .errors import GuardError
from .events import Event, shape
from .machine import Machine
from .step import unknown_event

__all__ = ["Engine", "engine_for"]


class _Condition:
    """Asks our guard, which demands a bool; the package's own condition compares with ``== True``."""

    __slots__ = ("func", "target")

    def __init__(self, func: Guard, target: bool = True) -> None:
        self.func = func
        self.target = target

    def check(self, event_data: Any) -> bool:
        return self.func(event_data.model.context, event_data.args[1])


class _ArmTransition(Transition):
    """An edge that carries the arm it was made from and leaves it with the caller."""

    condition_cls = _Condition  # type: ignore[assignment]

    def __init__(self, *args: Any, arm: Arm, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arm = arm

    def execute(self, event_data: Any) -> bool:
        for condition in self.conditions:
            if not condition.check(event_data):
                return False
        instance, arm = event_data.model, self.arm
        context = arm.next_context(instance.context) if arm.updates else instance.context
        if self.dest:
            self._change_state(event_data)
        instance.context = context
        event_data.args[0].append(arm)
        return True


class _SilentState(State):
    """A state without callbacks. The package would log two INFO lines for every move, in a voice session many a second;
    what happened is told to the driver's observers instead, and nobody's logging is reconfigured.
    """

    def enter(self, event_data: Any) -> None:
        pass

    def exit(self, event_data: Any) -> None:
        pass


class _Compiled(TransitionsMachine):
    state_cls = _SilentState
    transition_cls = _ArmTransition


class Engine:
    """Writes the state and the context of instances of one machine. Nothing else in rtfsm does."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        edges = [
            {
                "trigger": event.__name__,
                "source": state,
                "dest": arm.target,
                "conditions": [arm.guard] if arm.guard else None,
                "arm": arm,
            }
            for state, event, arm in machine.arms
        ]
        self.compiled = _Compiled(
            model=None,
            states=machine.states,
            initial=machine.initial,
            transitions=edges,
            auto_transitions=False,
            send_event=True,
            queued=False,
            name=machine.name,
        )
        self._triggers = {event: self.compiled.events[event.__name__].trigger for event in machine.events}

    def dispatch(self, instance: Any, event: Event) -> Arm:
        """Take one event: write the instance's ``state`` and ``context`` and return the arm taken.

        Raises UnknownEventError and GuardError; then nothing has changed.
        """
        trigger = self._triggers.get(type(event))
        if trigger is None:
            raise unknown_event(self.machine, event)
        taken: list[Arm] = []
        try:
            trigger(instance, taken, shape(event))
        except GuardError as error:
            raise GuardError(
                f"machine {self.machine.name!r}, state {instance.state.name}, event {type(event).__name__}: {error}"
            ) from error
        return taken[0]


@cache
def engine_for(machine: Machine) -> Engine:
    """The compiled engine of a declaration, made once and shared by all its instances."""
    return Engine(machine)
