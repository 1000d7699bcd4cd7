"""Every wrong declaration is told when it is made, with machine, state, event, what is wrong and what to do."""

from __future__ import annotations

from enum import Enum
from typing import Any

import attrs
import pytest

from rtfsm import (
    DeclarationError,
    Event,
    Machine,
    Reason,
    Timer,
    TimerElapsed,
    assign,
    guard,
    ignore,
    refuse,
    stay,
    to,
    when,
)
from rtfsm.language.cells import Arm

from .toys import (
    DOOR,
    OVER,
    TIMERS,
    Creak,
    Door,
    Force,
    Knock,
    Lock,
    Push,
    Ring,
    Turn,
    door,
    heard,
    rough,
    rows,
    spoilt,
)


class Other(Enum):
    ELSEWHERE = "of another machine"


def told(**changes: Any) -> str:
    """What the declaration says about itself."""
    with pytest.raises(DeclarationError) as raised:
        door(**changes)
    message = str(raised.value)
    assert message.startswith("machine 'door'"), message
    return message


def about(message: str, *parts: str) -> None:
    for part in parts:
        assert part in message, message


def test_the_toy_is_a_good_declaration() -> None:
    assert repr(DOOR) == "Machine('door', 3 states, 4 events, 17 arms)"
    assert DOOR.events == (Push, Knock, Turn, TimerElapsed)
    assert [arm.index for _, _, arm in DOOR.arms] == list(range(17))
    assert all(DOOR.cells[state][event] for state in Door for event in DOOR.events)


def test_a_cell_that_is_not_decided() -> None:
    table = rows()
    del table[Door.OPEN][Knock]
    about(told(table=table), "state OPEN", "event Knock", "is not decided", "ignore(reason, why)")


def test_a_cell_without_an_arm() -> None:
    about(told(table=spoilt(Door.OPEN, Knock, ())), "state OPEN", "event Knock", "empty cell", "at least one arm")


def test_a_cell_that_holds_no_arm() -> None:
    about(told(table=spoilt(Door.OPEN, Knock, "open")), "state OPEN", "event Knock", "holds 'open'", "write to, stay")


def test_an_unknown_target() -> None:
    message = told(table=spoilt(Door.OPEN, Knock, to(Other.ELSEWHERE)))
    about(message, "state OPEN", "event Knock", "ELSEWHERE", "not one of its states", "name one of the machine's")


def test_a_target_that_this_machine_leaves_out() -> None:
    table = rows()
    del table[Door.BROKEN]
    message = told(table=table, states=(Door.SHUT, Door.OPEN), final=())
    about(message, "state SHUT", "event Push", "BROKEN", "not one of its states")


def test_an_arm_behind_an_unguarded_one() -> None:
    message = told(table=spoilt(Door.OPEN, Knock, (stay(Creak), stay(Ring))))
    about(message, "state OPEN", "event Knock", "arm 2 is unreachable", "arm 1 has no guard", "last, or guard it")


def test_the_same_guard_twice() -> None:
    cell = (when(heard, stay(Creak)), when(heard, stay(Ring)), stay())
    message = told(table=spoilt(Door.OPEN, Knock, cell))
    about(message, "state OPEN", "event Knock", "arm 2 is unreachable", "heard was asked before", "another question")


def test_a_guarded_last_arm() -> None:
    message = told(table=spoilt(Door.OPEN, Knock, when(heard, stay(Creak))))
    about(message, "state OPEN", "event Knock", "guarded by heard", "add an arm without a guard")


def test_a_row_that_names_what_is_no_event() -> None:
    table = rows()
    table[Door.OPEN] = {**table[Door.OPEN], Ring: stay()}
    about(told(table=table), "state OPEN", "Ring", "no event", "subclasses of Event")


def test_an_event_decided_twice() -> None:
    table = rows()
    table[Door.BROKEN] = {(Push, Knock, Turn): OVER, Knock: OVER}
    about(told(table=table), "state BROKEN", "event Knock", "decided twice", "out of one of the two keys")


def test_an_event_named_twice_in_one_key() -> None:
    table = rows()
    table[Door.BROKEN] = {(Push, Knock, Turn, Knock): OVER}
    about(told(table=table), "state BROKEN", "event Knock", "decided twice")


def test_a_final_state_that_can_be_left() -> None:
    table = rows() | {Door.BROKEN: {(Push, Turn): OVER, Knock: to(Door.SHUT)}}
    about(told(table=table), "state BROKEN", "event Knock", "final state is left or acts", "out of final")


def test_a_final_state_that_acts() -> None:
    table = rows() | {Door.BROKEN: {(Push, Turn): OVER, Knock: stay(Creak)}}
    about(told(table=table), "state BROKEN", "event Knock", "final state is left or acts", "ignore(...) or refuse(...)")


def test_a_state_that_waits_with_neither_timer_nor_rest() -> None:
    about(told(rests={}), "state SHUT", "neither a timer nor a declared rest", "list it in rests with the why")


def test_a_rest_without_a_why() -> None:
    about(told(rests={Door.SHUT: ""}), "state SHUT", "rests without a why", "say in a few words")


def test_a_state_with_a_timer_and_a_rest() -> None:
    rests = {Door.SHUT: "patient", Door.OPEN: "patient too"}
    about(told(rests=rests), "state OPEN", "a timer and is declared a rest", "keep one of the two")


def test_a_timer_on_a_final_state() -> None:
    timers = {**TIMERS, Door.BROKEN: Timer("repair", 1.0)}
    about(told(timers=timers), "state BROKEN", "is final and waits", "take it out of timers")


def test_a_rest_on_a_final_state() -> None:
    rests = {Door.SHUT: "patient", Door.BROKEN: "dead"}
    about(told(rests=rests), "state BROKEN", "is final and waits", "timers and rests")


def test_a_timer_that_is_a_number() -> None:
    about(told(timers={Door.OPEN: 5.0}), "state OPEN", "the timer 5.0", 'Timer("name", seconds)')


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan")])
def test_a_timer_of_no_length(seconds: float) -> None:
    with pytest.raises(DeclarationError, match=r"Timer seconds=.*give a number of seconds above 0"):
        Timer("closer", seconds)
    with pytest.raises(DeclarationError, match=r"Timer cap=.*above 0"):
        Timer("closer", 1.0, cap=seconds)


def test_an_alternative_timer_that_asks_an_event() -> None:
    with pytest.raises(DeclarationError, match=r"rough reads the event, and a timer has none; write f\(context\)"):
        Timer("closer", 1.0, unless=(rough, Timer("other", 2.0)))


def test_time_that_runs_out_and_changes_nothing() -> None:
    for arm in (ignore(Reason.NO_OP, "so what"), stay(Creak), stay(rearm=True), refuse("never")):
        message = told(table=spoilt(Door.OPEN, TimerElapsed, arm))
        about(message, "state OPEN", "event TimerElapsed", "the wait never ends", "spend a bounded count")


def test_time_that_runs_out_and_is_met_again_at_once() -> None:
    message = told(table=spoilt(Door.OPEN, TimerElapsed, stay(assign(knocks=1))), timers={Door.OPEN: Timer("c", 1.0)})
    about(message, "state OPEN", "event TimerElapsed", "has still run out", "rearm=True")


def test_time_that_runs_out_under_a_cap_that_no_new_wait_exceeds() -> None:
    timer = Timer("closer", 1.0, unless=(heard, Timer("short", 0.5, cap=2.0)))
    table = spoilt(Door.OPEN, TimerElapsed, stay(assign(knocks=1), rearm=True))
    message = told(table=table, timers={Door.OPEN: timer})
    about(message, "state OPEN", "event TimerElapsed", "'short' has a cap", "drop the cap")


def test_time_decided_in_a_state_without_a_timer() -> None:
    message = told(table=spoilt(Door.SHUT, TimerElapsed, to(Door.OPEN)))
    about(message, "state SHUT", "event TimerElapsed", "without a timer", "add the state to timers or drop the cell")


def test_a_timer_without_its_cell() -> None:
    table = rows()
    del table[Door.OPEN][TimerElapsed]
    about(told(table=table), "state OPEN", "event TimerElapsed", "is not decided")


def test_a_timer_without_its_cell_where_another_state_has_one() -> None:
    timers = {**TIMERS, Door.SHUT: Timer("boredom", 9.0)}
    about(told(timers=timers, rests={}), "state SHUT", "event TimerElapsed", "is not decided")


def test_rearming_where_there_is_no_timer() -> None:
    message = told(table=spoilt(Door.SHUT, Knock, stay(rearm=True)))
    about(message, "state SHUT", "event Knock", "where there is none", "drop rearm")


def test_moving_to_its_own_state() -> None:
    message = told(table=spoilt(Door.OPEN, Knock, to(Door.OPEN)))
    about(message, "state OPEN", "event Knock", "the state that it starts from", "write stay(...)")


def test_a_state_without_a_row() -> None:
    table = rows()
    del table[Door.BROKEN]
    about(told(table=table), "state BROKEN", "has no row", "a final state's too")


@pytest.mark.parametrize("field", ["initial", "final", "timers", "rests", "table"])
def test_a_state_of_another_machine(field: str) -> None:
    given: dict[str, Any] = {
        "initial": Other.ELSEWHERE,
        "final": {Other.ELSEWHERE},
        "timers": {Other.ELSEWHERE: Timer("t", 1.0)},
        "rests": {Other.ELSEWHERE: "patient"},
        "table": {**rows(), Other.ELSEWHERE: {}},
    }
    message = told(**{field: given[field]})
    about(message, "state ELSEWHERE", f"{field} names it", "not one of its states", "use a member")


def test_two_events_of_one_name() -> None:
    twin = attrs.frozen(type("Knock", (Event,), {}))
    table = {state: {**row, twin: OVER} for state, row in rows().items()}
    about(told(table=table), "event Knock", "two event types have this name", "rename one")


@pytest.mark.parametrize("value", ["words", [1], 1.5, None, (1, 2)])
def test_a_context_that_holds_what_has_no_end(value: Any) -> None:
    @attrs.frozen(hash=False, eq=False)
    class Diary:
        entry: Any = value

    message = told(context=Diary())
    about(message, "context field entry", f"holds a {type(value).__name__}", "bools, Enums and small integers")


def test_a_context_that_is_no_frozen_attrs_class() -> None:
    about(told(context={"locked": False}), "the context is a dict", "None or a frozen attrs class")


def test_a_context_that_cannot_be_hashed() -> None:
    @attrs.define
    class Loose:
        locked: bool = False

    about(told(context=Loose()), "cannot be hashed", "@attrs.frozen")


def test_a_context_field_of_every_allowed_kind() -> None:
    @attrs.frozen
    class Fine:
        locked: bool = True
        knocks: int = 3
        force: Force = Force.ROUGH

    assert door(context=Fine()).context == Fine()


def test_beginning_with_what_is_no_effect() -> None:
    about(told(begin=(Ring,)), "begin names", "Ring", "give instances of Effect")


def test_an_ignored_event_without_a_why() -> None:
    with pytest.raises(DeclarationError, match=r"ignore\(LATE, \.\.\.\): say why in a few words"):
        ignore(Reason.LATE, "")


def test_a_refused_event_without_a_why() -> None:
    with pytest.raises(DeclarationError, match=r"refuse\(\.\.\.\): say why"):
        refuse("")


def test_an_ignored_event_for_a_reason_of_ones_own() -> None:
    reason: Any = "late"
    with pytest.raises(DeclarationError, match=r"ignore\('late', \.\.\.\).*such as Reason.LATE"):
        ignore(reason, "it came late")


def test_a_guard_of_three_parameters() -> None:
    def curious(context: Lock, event: Event, weather: str) -> bool:
        return bool(context) and bool(event) and bool(weather)

    with pytest.raises(
        DeclarationError, match=r"curious takes 3 parameters; write f\(context\) or f\(context, event\)"
    ):
        guard(curious)


def test_a_guard_of_no_parameter() -> None:
    with pytest.raises(DeclarationError, match="takes 0 parameters"):
        guard(lambda: True)


def test_a_condition_that_is_no_guard() -> None:
    bare: Any = heard.function
    with pytest.raises(DeclarationError, match="decorate the function with @guard"):
        when(bare, stay())


def test_two_guards_on_one_arm() -> None:
    with pytest.raises(DeclarationError, match=r"when\(heard, when\(rough, \.\.\.\)\).*asks both"):
        when(heard, when(rough, stay()))


def test_an_effect_that_needs_arguments() -> None:
    @attrs.frozen
    class Say(Ring):
        words: str = attrs.field(kw_only=True)

    with pytest.raises(DeclarationError, match=r"to\(\.\.\.\): Say needs arguments, write Say\(\.\.\.\)"):
        to(Door.OPEN, Say)


def test_doing_what_is_no_effect() -> None:
    event: Any = Knock
    with pytest.raises(DeclarationError, match="is no Effect and no update; subclass Effect, or use @update"):
        stay(event)


def test_one_decision_for_several_events() -> None:
    cells = DOOR.cells[Door.BROKEN]
    assert [arm.why for event in (Push, Knock, Turn) for arm in cells[event]] == ["it is broken"] * 3
    assert len({arm.index for event in (Push, Knock, Turn) for arm in cells[event]}) == 3


def test_a_machine_without_memory() -> None:
    machine = Machine(
        "lamp", states=(Door.SHUT,), initial=Door.SHUT, rests={Door.SHUT: "dark"}, table={Door.SHUT: {Knock: stay()}}
    )
    assert machine.context is None
    assert isinstance(machine.cells[Door.SHUT][Knock][0], Arm)
