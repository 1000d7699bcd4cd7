"""A composition of one's own is searched as ours is: its invariants, its refusals, its dead ends, what grows in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
import pytest

from rtfsm import Composition, Event, Machine, Timer, TimerElapsed, assign, guard, refuse, stay, to, when
from rtfsm.check import CompositionModel, EffectInvariant, Invariant, Plan, PlanError, search
from rtfsm.check.report import narrate, numbered, retold, sequence

from . import office
from .office import BILL, LAMP, OFFICE, Clerk, Come, Desk, Leave, Light, Serve, Shut


def found(plan: Plan) -> tuple[str, tuple[str, ...]]:
    (violated,) = search(CompositionModel(plan), limit=plan.limit).violations
    return violated.name, violated.ordering


def test_a_sound_composition_is_clean_and_small() -> None:
    seen = search(CompositionModel(OFFICE))
    assert seen.violations == []
    assert seen.states == 8  # open or shut, with no, one or two visitors; and none before the lamp was ever lit
    assert seen.alive == 4
    assert seen.chain == 2


def test_a_thousand_visitors_are_the_states_of_two() -> None:
    """Ids that never repeat leave no trace in the states."""
    born: list[str] = []

    def numbered_serve(house: office.House, _: Any) -> Iterable[Any]:
        born.append(f"visitor {len(born)}")
        yield house.born(house.composition.machines[1], born[-1]), office.Served()

    parts = office.office()
    serve = attrs.evolve(parts.routes[0], deliver=numbered_serve)
    seen = search(CompositionModel(office.plan(Composition(parts.machines, (serve, *parts.routes[1:])))))
    assert (seen.states, seen.violations) == (8, [])
    assert len(born) == len(set(born)) >= 2


BROKEN = Invariant("BROKEN", "-", lambda house: "?" * (0 // (3 - len(house.instances()))) or None)
"""It fails where three instances are alive."""

PLANTED: dict[str, tuple[Plan, str, tuple[str, ...]]] = {
    "a visitor who loses patience leaves the lamp burning": (
        office.plan(office.office(second=office.clerk(patience=to(Clerk.DONE)))),
        "LAMP", ("Come", "time: patience of clerk 1"),
    ),
    "a bill is written before the lamp was ever lit": (
        office.plan(office.office(first=office.desk(come=stay(Serve))), invariants=(BILL,)),
        "BILL", ("Come", "Leave(clerk 1)"),
    ),
    "a cell is reached that claims that nobody can": (
        office.plan(office.office(third=office.lamp(lit=refuse("it is lit once")))), "REFUSED", ("Come", "Come"),
    ),
    "clerks pile up": (
        office.plan(outside=(Come, Shut), most=2, invariants=()), "BOUND", ("Come", "Come", "Come"),
    ),
    "a shut office is declared no end": (
        office.plan(ends=None), "DEAD-END", ("Shut", "whatever comes"),
    ),
    "an invariant fails": (
        office.plan(invariants=(BROKEN,)),
        "BROKEN", ("Come",),
    ),
    "an event that no table knows may come": (
        office.plan(outside=(Come, office.Unlit, attrs.make_class("Odd", [], bases=(Event,), frozen=True))),
        "FAILURE", ("Odd",),
    ),
    "what may come cannot be said": (
        office.plan(outside=(lambda house: [Leave(str(house.nowhere))],)), "FAILURE", ("what may come",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("defect", PLANTED)
def test_a_defect_planted_in_an_own_composition_is_found(defect: str) -> None:
    plan, name, ordering = PLANTED[defect]
    assert found(plan) == (name, ordering)


def test_a_memory_that_cannot_be_hashed_is_told() -> None:
    plan = office.plan(invariants=(EffectInvariant("LIST", "-", lambda seen, emission: [emission], first=()),))
    (violated,) = search(CompositionModel(plan)).violations
    assert violated.what == "LIST: its check failed: TypeError: unhashable type: 'list'"


def test_effects_at_the_start_are_judged() -> None:
    eager = attrs.evolve(office.lamp(), begin=(office.Bill(),))
    assert found(office.plan(office.office(third=eager), invariants=(BILL,))) == ("BILL", ("it begins",))


def test_timers_that_run_in_a_circle_are_found_and_told_to_where_the_circle_closes() -> None:
    @attrs.frozen
    class Turn:
        left: bool = False

    @guard
    def left(context: Turn) -> bool:
        return context.left

    again = (when(left, stay(assign(left=False), rearm=True)), stay(assign(left=True), rearm=True))
    sign = Machine(
        "sign", states=(Desk.OPEN,), initial=Desk.OPEN, context=Turn(), timers={Desk.OPEN: Timer("turn", 1)},
        table={Desk.OPEN: {Come: stay(Light), TimerElapsed: again}},
    )  # fmt: skip
    model = CompositionModel(Plan(sign))
    (violated,) = search(model).violations
    assert violated.name == "TIME-2"
    told = [step.label for step in narrate(model, violated.ordering)]
    assert told[len(violated.ordering) :] == ["time: turn of sign"] * 2


def test_an_order_is_told_with_every_instance() -> None:
    model = CompositionModel(OFFICE)
    steps = list(narrate(model, ("Come", "Come", "Leave(clerk 2)", "time: patience of clerk 1")))
    assert [step.wrong for step in steps] == [None] * 4
    assert numbered(steps).splitlines()[2].split("  ")[-1].strip() == ("desk OPEN, clerk 1 BUSY, clerk 2 BUSY, lamp ON")
    assert retold(3, steps[2], model.driver).splitlines() == [
        "  3. Leave(clerk 2)    (from: Outside)",
        "       clerk 2 on Leave: BUSY -> DONE",
        "       clerk 2 orders of Outside: Bill",
        "       clerk 2 orders of the machines: Quench",
        "     = desk OPEN, clerk 1 BUSY, lamp ON",
    ]
    drawn = sequence(steps, model.driver, "nothing")
    assert "    Outside->>clerk: 3. Leave(clerk 2) [clerk 2]" in drawn
    assert "    clerk-->>Outside: Bill [clerk 2]" in drawn
    assert "    Time->>clerk: 4. time: patience of clerk 1 [clerk 1]" in drawn
    assert "    clerk->>lamp: Unlit" in drawn


def test_what_may_come_is_by_default_what_nobody_inside_sends() -> None:
    parts = office.office()
    with pytest.raises(PlanError, match=r"event Leave carries clerk.*outside=\(Leave\(clerk=\.\.\.\), \.\.\.\)"):
        Plan(parts)
    assert Plan(office.lamp()).from_outside == (office.Lit, office.Unlit)


@pytest.mark.parametrize("name", ["BOUND", "TIME-2", "a: b", ""])
def test_an_invariant_needs_a_name_of_its_own(name: str) -> None:
    with pytest.raises(PlanError, match="an invariant may not be named"):
        Plan(office.lamp(), invariants=(Invariant(name, "-", lambda _: None),))
    with pytest.raises(PlanError, match="the name is taken"):
        Plan(office.lamp(), invariants=(LAMP, LAMP))


def test_a_state_too_many_is_a_violation() -> None:
    assert found(office.plan(limit=3))[0] == "BOUND"


def test_one_timer_runs_out_at_a_time() -> None:
    model = CompositionModel(OFFICE)
    last = list(narrate(model, ("Come", "Come", "time: patience of clerk 2")))[-1]
    assert last.after == "desk OPEN, clerk 1 BUSY, lamp ON"
