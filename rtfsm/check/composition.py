"""Machines of one's own, put together, as something to search: the real driver, in every state, under everything.

A state of the whole is that of its live instances: state, context and what they belong to. Instances that routes bring
into being are named by their places, so that a thousand calls one after another are one. Time stands still: a timer
runs out when it is told, in any order.

Besides the invariants of the plan, four questions are asked of every state:

- REFUSED: no refused cell is reached. Here a refusal is a claim about the other machines, and is held to it;
- DEAD-END: something that may come still changes or orders something, or the whole has ended;
- BOUND: no machine has more live instances than the plan says, so none leaks;
- FAILURE: no guard, update, route or condition raises.

Whether timers alone lead to rest (TIME-2) is asked by the search.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from rtfsm.language import Driver, Emission, Event, Instance, Kind, Machine
from rtfsm.language import Step as Taken

from .plan import EffectInvariant, Invariant, Plan, Wrong, events_of
from .search import Step

__all__ = ["CompositionModel", "Whole"]

Whole = tuple[Any, ...]
"""The live instances of every machine, and what the invariants over effects remember."""

GONE = "gone"
NOW = 1e6


@attrs.frozen
class _Move:
    label: str
    event: Event | None = None
    timer: tuple[str, str] | None = None


class CompositionModel:
    """All that can happen to a composition. plan: what may come from outside, and what must hold."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.driver: Driver = plan.driver(plan.composition)
        self.emissions: list[Emission] = []
        """What the last step ordered."""
        self.alive = 0
        """The largest number of live instances seen."""
        self._refused: list[Taken] = []
        self._at_start: tuple[Whole, str] | None = None
        self.driver.observe(self._watch)
        self._standing = {machine.name for machine in plan.composition.machines if self.driver.is_singleton(machine)}

    def first(self) -> Whole:
        self._refused.clear()
        fresh = self.plan.driver(self.plan.composition)
        fresh.observers.extend(self.driver.observers)
        self.driver = fresh
        self.emissions = self.driver.start(NOW)
        wrong, place = self._judged(tuple(one.first for one in self._over_effects()))
        self._at_start = None if wrong is None else (place, wrong)
        return place

    def steps(self, place: Whole) -> Iterator[Step[Whole]]:
        if self._at_start is not None and self._at_start[0] == place:
            yield Step("it begins", place, wrong=self._at_start[1])
            return
        self._thaw(place)
        acts = self._may_end()
        try:
            moves = list(self._moves())
        except Exception as error:
            yield Step("what may come", place, wrong=f"FAILURE: {type(error).__name__}: {error}")
            return
        for move in moves:
            step = self._make(place, move)
            acts = acts or step.target != place or bool(self.emissions) or step.wrong is not None
            yield step
        if not acts:
            wrong = "DEAD-END: nothing that may come changes or orders anything, and it is no end"
            yield Step("whatever comes", place, wrong=wrong)

    def rests(self, place: Whole) -> bool:
        self._thaw(place)
        return all(one.state in one.machine.rests or one.state in one.machine.final for one in self.driver.instances())

    def describe(self, place: Whole) -> str:
        """The states of all live instances, for people."""
        self._thaw(place)
        return ", ".join(f"{one.id} {one.state.name}" for one in self.driver.instances())

    def _may_end(self) -> bool:
        if self.plan.ends is not None and self.plan.ends(self.driver):
            return True
        return all(one.state in one.machine.final for one in self.driver.instances())

    # -- moves -----------------------------------------------------------------------------------------------------

    def _moves(self) -> Iterator[_Move]:
        seen: set[str] = set()
        for event in itertools.chain.from_iterable(events_of(item, self.driver) for item in self.plan.from_outside):
            label = numbered = _label(event)
            for count in itertools.count(2):
                if numbered not in seen:
                    break
                numbered = f"{label} #{count}"
            seen.add(numbered)
            yield _Move(numbered, event)
        for one in self.driver.instances():
            if one.timer is not None:
                yield _Move(f"time: {one.timer.name} of {one.id}", timer=(one.machine.name, one.id))

    def _make(self, place: Whole, move: _Move) -> Step[Whole]:
        self._thaw(place)
        timed = move.timer is not None
        try:
            if move.timer is not None:
                self.emissions = self._run_out(self.driver.live[move.timer[0]][move.timer[1]])
            else:
                assert move.event is not None
                self.emissions = self.driver.handle(move.event, NOW)
        except Exception as error:  # whatever a declaration of the user's own raises is the finding
            self.emissions = []
            return Step(move.label, place, timed, f"FAILURE: {type(error).__name__}: {error}")
        wrong, target = self._judged(place[1])
        return Step(move.label, target, timed, wrong)

    def _run_out(self, instance: Instance) -> list[Emission]:
        """Let one timer run out and no other: only its own deadline lies in the past."""
        assert instance.timer is not None
        instance.armed_at = instance.entered_at = NOW - instance.timer.seconds
        return self.driver.elapse(NOW)

    # -- what must hold --------------------------------------------------------------------------------------------

    def _over_effects(self) -> list[EffectInvariant]:
        return [one for one in self.plan.invariants if isinstance(one, EffectInvariant)]

    def _judged(self, memories: tuple[Any, ...]) -> tuple[str | None, Whole]:
        wrong: str | None = None
        kept = []
        for over_effects, memory in zip(self._over_effects(), memories, strict=True):
            found, after = _remembered(over_effects, memory, self.emissions)
            wrong = wrong or found
            kept.append(after)
        for over_states in self.plan.invariants:
            if isinstance(over_states, Invariant):
                wrong = wrong or _held(over_states, self.driver)
        if self._refused and wrong is None:
            step = self._refused[0]
            cell = f"{step.instance.machine.name}.{step.before.name} x {type(step.event).__name__}"
            wrong = f"REFUSED: {cell} was reached, of which the table says: {step.arm.why}"
        for machine in self.plan.composition.machines:
            count = len(self.driver.instances(machine))
            if count > self.plan.most and machine.name not in self._standing:
                wrong = (
                    wrong or f"BOUND: {count} instances of {machine.name} are alive, {self.plan.most} at most may be"
                )
        self.alive = max(self.alive, len(self.driver.instances()))
        return wrong, (self._frozen(), tuple(kept))

    def _watch(self, step: Taken) -> None:
        if step.arm.kind is Kind.REFUSE:
            self._refused.append(step)

    # -- the state as a whole --------------------------------------------------------------------------------------

    def _frozen(self) -> tuple[Any, ...]:
        groups = [(machine, self.driver.instances(machine)) for machine in self.plan.composition.machines]
        places = {
            one.id: (machine.name, place) for machine, group in reversed(groups) for place, one in enumerate(group)
        }
        return tuple(
            tuple((one.state, one.context, None if one.link is None else places.get(one.link, GONE)) for one in group)
            for _, group in groups
        )

    def _thaw(self, place: Whole) -> None:
        driver, live = self.driver, {}
        for machine, group in zip(self.plan.composition.machines, place[0], strict=True):
            named = [self._thawed(machine, position, *known) for position, known in enumerate(group)]
            live[machine.name] = {one.id: one for one in named}
        driver.live = live
        driver.now = NOW
        self._refused.clear()

    def _thawed(self, machine: Machine, place: int, state: Any, context: Any, link: Any) -> Instance:
        belongs = link if link is None or link == GONE else self._name(*link)
        one = Instance(machine, self._name(machine.name, place), context, belongs)
        one.state, one.alive = state, True
        one.entered_at = one.armed_at = NOW
        timer = machine.timers.get(state)
        one.timer = None if timer is None else timer.effective(context)
        return one

    def _name(self, machine: str, place: int) -> str:
        return machine if machine in self._standing else f"{machine} {place + 1}"


def _label(event: Event) -> str:
    given = [getattr(event, field.name) for field in attrs.fields(type(event))]
    shown = [str(getattr(value, "name", value)) for value in given if value not in (None, "", b"", (), False)]
    said = f"{type(event).__name__}({', '.join(shown)})" if shown else type(event).__name__
    return said.replace(";", ",").replace("\n", " ")


def _remembered(asked: EffectInvariant, memory: Any, emissions: Iterable[Emission]) -> tuple[str | None, Any]:
    for emission in emissions:
        try:
            after = asked.check(memory, emission)
            hash(after)
        except Exception as error:
            return f"{asked.name}: its check failed: {type(error).__name__}: {error}", asked.first
        if isinstance(after, Wrong):
            return f"{asked.name}: {after.detail}", memory
        memory = after
    return None, memory


def _held(asked: Invariant, driver: Driver) -> str | None:
    try:
        wrong = asked.check(driver)
    except Exception as error:
        return f"{asked.name}: its check failed: {type(error).__name__}: {error}"
    return None if wrong is None else f"{asked.name}: {wrong}"
