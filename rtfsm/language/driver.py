"""The run-to-completion driver: takes an event, returns the effects to carry out.

One event at a time. The instance's state and context are written first, then its effects are handled in order; an
effect that is routed is completed, with its whole cascade, before the next effect of the same arm (depth first: a
queue would let a fatal error overtake the closing of the streams). The driver knows no clock: it is told the time
and tells its next deadline.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from .cells import Arm, Kind, Reason
from .composition import Composition, Route
from .engine import engine_for
from .errors import RtfsmError, UnknownEventError
from .events import Effect, Event, TimerElapsed, finite_fields
from .instance import Emission, Instance, Step
from .machine import Machine

__all__ = ["Driver"]

logger = logging.getLogger("rtfsm")

STANDING_LIMIT = 1000


class Driver:
    """Runs the machines of a composition, or a single machine.

    By default each machine has one instance, named like it, and an event goes to every machine that knows it.
    Override :meth:`resolve` where events are addressed. Not thread-safe, and not reentrant: hand it the next event
    after it has returned.
    """

    witness: ClassVar[Callable[[Driver, Step], None] | None] = None
    """Told every step of every driver; None but under a tool that measures what a suite of tests covers."""

    def __init__(self, parts: Composition | Machine) -> None:
        self.composition = parts if isinstance(parts, Composition) else Composition((parts,))
        self.live: dict[str, dict[str, Instance]] = {machine.name: {} for machine in self.composition.machines}
        self.now = 0.0
        self.version = 0
        """Grows with every change of any state."""
        self.taken: Counter[tuple[str, int]] = Counter()
        """How often each arm, as (machine name, arm number), was taken."""
        self.dropped: Counter[Reason] = Counter()
        """Events that no machine saw, by reason."""
        self.passed: Counter[Reason] = Counter()
        """Events that an arm ignored, by reason."""
        self.refused = 0
        self.observers: list[Callable[[Step], None]] = []
        self._emitted: list[Emission] = []
        self._started = False

    # -- the outside -----------------------------------------------------------------------------------------------

    def start(self, now: float = 0.0) -> list[Emission]:
        """Bring the standing instances into being; returns what they order at once. Called by the first event too."""
        if self._started:
            return []
        self._begin(now)
        return self._collect()

    def handle(self, event: Event, now: float) -> list[Emission]:
        """Take one event, at ``now`` seconds on a clock that never goes back; returns the effects to do, in order.

        Raises UnknownEventError where no machine knows the event.
        """
        self._begin(now)
        self.now = now
        for instance, delivered in self.resolve(event):
            self._dispatch(instance, delivered)
        return self._collect()

    def elapse(self, now: float) -> list[Emission]:
        """Let every timer that is due at ``now`` run out, the earliest first. Returns the effects to carry out."""
        self._begin(now)
        self.now = now
        while due := self._due(now):
            self._dispatch(due, TimerElapsed())
            self._settle()
        return self._collect()

    def next_deadline(self) -> float | None:
        """When :meth:`elapse` is wanted next; None while nothing waits for time."""
        earliest = None
        for group in self.live.values():
            for one in group.values():
                if one.alive and one.timer is not None:
                    due = one.deadline
                    if due is not None and (earliest is None or due < earliest):
                        earliest = due
        return earliest

    def observe(self, observer: Callable[[Step], None]) -> None:
        """Tell ``observer`` every step from now on. While there is one, nothing is looked up, so that it sees all."""
        self.observers.append(observer)
        for one in self.instances():
            one.steady = {}

    @classmethod
    @contextmanager
    def witnessed(cls, witness: Callable[[Driver, Step], None]) -> Iterator[None]:
        """Tell ``witness`` every step of every driver meanwhile, besides whoever was told before."""
        earlier = Driver.witness

        def tell(driver: Driver, step: Step) -> None:
            witness(driver, step)
            if earlier is not None:
                earlier(driver, step)

        Driver.witness = staticmethod(tell)
        try:
            yield
        finally:
            Driver.witness = None if earlier is None else staticmethod(earlier)

    def instances(self, machine: Machine | None = None) -> list[Instance]:
        """The live instances, of one machine or of all, in the order of their birth: begun and not ended."""
        if machine is None:
            return [one for group in self.live.values() for one in group.values() if one.alive]
        group = self.live[machine.name]
        return [one for one in group.values() if one.alive] if group else []

    def ignored(self) -> Counter[Reason]:
        """Ignored and dropped events by reason."""
        return self.dropped + self.passed

    # -- for subclasses --------------------------------------------------------------------------------------------

    def is_singleton(self, machine: Machine) -> bool:
        """Whether one instance of the machine exists from the start."""
        return True

    def resolve(self, event: Event) -> Iterable[tuple[Instance, Event]]:
        """Who gets an event from outside. By default every machine that knows it."""
        known = [m for m in self.composition.machines if type(event) in m.events]
        if not known:
            raise UnknownEventError(
                f"no table knows {type(event).__name__}; the machines here are "
                + ", ".join(m.name for m in self.composition.machines)
            )
        return [(one, event) for machine in known for one in self.instances(machine)]

    def born(self, machine: Machine, id: str, context: Any = None, link: str | None = None) -> Instance:
        """A new live instance in the machine's first state; it is dropped again if it never leaves that state."""
        instance = Instance(machine, id, machine.context if context is None else context, link)
        instance.entered_at = instance.armed_at = self.now
        instance.alive = self.is_singleton(machine)
        self._arm_timer(instance)
        self.live[machine.name][id] = instance
        self._perform(machine.begin, instance, Event())
        return instance

    def take(self, instance: Instance, event: Event) -> Arm:
        """Let the engine take one event: the one place where a state is written."""
        return engine_for(instance.machine).dispatch(instance, event)

    def drop(self, reason: Reason) -> None:
        """Count an event that reaches no machine."""
        self.dropped[reason] += 1

    # -- inside ----------------------------------------------------------------------------------------------------

    def _begin(self, now: float) -> None:
        """Bring the standing instances into being, once. What they order is returned with what comes next."""
        if self._started:
            return
        self._started = True
        self.now = now
        for machine in self.composition.machines:
            if self.is_singleton(machine):
                self.born(machine, machine.name)
        self._settle()

    def _due(self, now: float) -> Instance | None:
        due = [(d, one) for one in self.instances() if (d := one.deadline) is not None and d <= now]
        return min(due, key=lambda pair: pair[0])[1] if due else None

    def _dispatch(self, instance: Instance, event: Event) -> Arm:
        before = instance.state
        arm = self.take(instance, event)
        self.taken[instance.machine.name, arm.index] += 1
        if arm.reason is not None:
            self.passed[arm.reason] += 1
        if arm.kind is Kind.TO:
            self.version += 1
            instance.entered_at = instance.armed_at = self.now
            instance.alive = arm.target not in instance.machine.final or self.is_singleton(instance.machine)
        elif arm.rearm:
            instance.armed_at = self.now
        elif arm.kind is Kind.REFUSE:
            self._report_refused(instance, event, arm)
        if arm.kind is Kind.TO or arm.updates:
            instance.steady = {}
            self._arm_timer(instance)
        elif not self.observers and self._is_steady(arm, event):
            instance.steady[type(event)] = (arm.effects, arm)
        for observer in self.observers:
            observer(Step(self.now, instance, event, arm, before, instance.state))
        if Driver.witness is not None:
            Driver.witness(self, Step(self.now, instance, event, arm, before, instance.state))
        self._perform(arm.effects, instance, event)
        return arm

    def _perform(self, effects: tuple[Effect, ...], instance: Instance, event: Event) -> None:
        for effect in effects:
            emission = Emission(effect, instance, event)
            self._emitted.append(emission)
            for route in self.composition.routes_of.get(type(effect), ()):
                for target, routed in self._deliveries(route, emission):
                    self._dispatch(target, routed)

    def _deliveries(self, route: Route, emission: Emission) -> Iterable[tuple[Instance, Event]]:
        if route.deliver is not None:
            return list(route.deliver(self, emission))
        return [(one, route.event()) for one in self.instances(route.target)]

    def _is_steady(self, arm: Arm, event: Event) -> bool:
        """Whether the arm may be looked up until the instance next changes: guards read its context alone."""
        return (
            arm.kind in (Kind.STAY, Kind.IGNORE)
            and not finite_fields(type(event))
            and not any(type(effect) in self.composition.routes_of for effect in arm.effects)
        )

    def _arm_timer(self, instance: Instance) -> None:
        timer = instance.machine.timers.get(instance.state)
        timer = None if timer is None else timer.effective(instance.context)
        if timer is not instance.timer:
            instance.entered_at = self.now  # a cap counts from when its timer comes into force
        instance.timer = timer

    def _settle(self) -> None:
        """Drop what has ended or never began, then try the standing conditions until none holds."""
        for _ in range(STANDING_LIMIT):
            self._sweep()
            for standing in self.composition.standing:
                found = standing.find(self)
                if found is not None:
                    self._dispatch(*found)
                    break
            else:
                return
        raise RtfsmError(f"a standing condition still holds after its event was taken {STANDING_LIMIT} times")

    def _sweep(self) -> None:
        for group in self.live.values():
            if group and (over := [id for id, one in group.items() if not one.alive]):
                for id in over:
                    del group[id]

    def _collect(self) -> list[Emission]:
        self._settle()
        emitted, self._emitted = self._emitted, []
        return emitted

    def _report_refused(self, instance: Instance, event: Event, arm: Arm) -> None:
        self.refused += 1
        logger.error(
            "%s %s in %s refused %s: %s",
            instance.machine.name,
            instance.id,
            instance.state.name,
            type(event).__name__,
            arm.why,
        )
