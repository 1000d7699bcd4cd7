"""Time is told to the driver: deadlines, timers armed anew, caps, alternatives."""

from __future__ import annotations

from rtfsm import (
    Driver,
    Machine,
    Reason,
    Timer,
    TimerElapsed,
    assign,
    guard,
    ignore,
    stay,
    to,
    when,
)

from .house import (
    PATIENT,
    B,
    Calm,
    G,
    R,
    Rung,
    a_house,
    names,
)
from .toys import DOOR, Knock, Lock, Push, Ring, Turn


def test_a_timer_runs_from_entry_and_stops_on_leaving() -> None:
    driver = Driver(DOOR)
    driver.start(0.0)
    assert driver.next_deadline() is None
    driver.handle(Push(), 3.0)
    assert driver.next_deadline() == 8.0
    assert driver.elapse(7.9) == []
    assert names(driver.elapse(8.0)) == ["Creak"]
    assert driver.next_deadline() is None
    assert driver.elapse(100.0) == []


def test_a_rearming_arm_starts_the_timer_anew_up_to_its_cap() -> None:
    driver = Driver(DOOR)
    driver.handle(Push(), 0.0)
    driver.handle(Knock(), 4.0)
    assert driver.next_deadline() == 9.0
    driver.handle(Push(), 5.0)
    assert driver.next_deadline() == 9.0, "an arm that is not marked does not rearm"
    driver.handle(Knock(), 8.0)
    assert driver.next_deadline() == 12.0, "the cap holds, counted from entry"
    assert names(driver.elapse(12.0)) == ["Creak"]


def test_a_cap_begins_anew_with_every_entry() -> None:
    driver = Driver(DOOR)
    driver.handle(Push(), 0.0)
    driver.elapse(5.0)
    driver.handle(Push(), 20.0)
    driver.handle(Knock(), 24.0)
    assert driver.next_deadline() == 29.0


@guard
def knocked(context: Lock) -> bool:
    return context.knocks > 0


def test_another_timer_holds_where_its_guard_does() -> None:
    shy = Machine(
        "shy", states=Calm, initial=B, final={G}, context=Lock(), rests=PATIENT,
        timers={B: Timer("long", 10.0, unless=(knocked, Timer("short", 2.0)))},
        table={
            R: {(Knock, Turn): ignore(Reason.NO_OP, "rests")},
            B: {Knock: stay(assign(knocks=1)), Turn: stay(assign(knocks=0), rearm=True), TimerElapsed: to(G)},
            G: {(Knock, Turn): ignore(Reason.TERMINAL, "gone")},
        },
    )  # fmt: skip
    driver = Driver(shy)
    driver.start(0.0)
    assert driver.next_deadline() == 10.0
    driver.handle(Knock(), 1.0)
    assert driver.next_deadline() == 2.0, "the wait is counted from entry: nothing armed it anew"
    driver.handle(Turn(), 1.5)
    assert driver.next_deadline() == 11.5


def test_a_cap_counts_from_when_its_timer_takes_the_place_of_another() -> None:
    again = ignore(Reason.NO_OP, "once more", rearm=True)
    patient = Machine(
        "patient", states=(B, G), initial=B, final={G}, context=Lock(knocks=1),
        timers={B: Timer("wait", 2.0, cap=3.0, unless=(knocked, Timer("wait", 2.0)))},
        table={
            B: {Push: again, Knock: stay(assign(knocks=0)), TimerElapsed: to(G)},
            G: {(Push, Knock): ignore(Reason.TERMINAL, "gone")},
        },
    )  # fmt: skip
    driver = Driver(patient)
    driver.start(0.0)
    for now in (1.0, 2.0, 3.0, 4.0, 5.0):
        driver.handle(Push(), now)
    assert driver.next_deadline() == 7.0
    driver.handle(Knock(), 6.0)
    for now in (6.5, 8.0):
        driver.handle(Push(), now)
    assert driver.next_deadline() == 9.0


def test_timers_run_out_earliest_first() -> None:
    house, order = a_house(), []
    house.handle(Rung(), 1.0)
    house.handle(Rung(), 0.5 + 1.0)
    house.observe(lambda step: order.append(step.instance.id))
    house.elapse(60.0)
    assert order == ["servant 1", "servant 2", "servant 3", "servant 4"]


def test_a_bounded_count_is_spent_in_one_wait_each() -> None:
    patient = Machine(
        "patient", states=(B, G), initial=B, final={G}, context=Lock(), timers={B: Timer("wait", 2.0)},
        table={B: {TimerElapsed: (when(knocked, to(G)), stay(Ring, assign(knocks=1), rearm=True))}, G: {}},
    )  # fmt: skip
    driver = Driver(patient)
    driver.start(0.0)
    assert names(driver.elapse(7.0)) == ["Ring"]
    assert driver.next_deadline() == 9.0
    driver.elapse(9.0)
    assert driver.instances()[0].state is G
