"""The checker finds what is wrong with a machine, and finds nothing in the machines that are shipped."""

from __future__ import annotations

from enum import Enum

import attrs
import pytest

from rtfsm import (
    Effect,
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
    update,
    when,
)
from rtfsm.check import PHASES, ExplorationLimit, Result, check_machine, explore
from rtfsm.check.explore import shown, shown_place
from rtfsm.language import Engine
from rtfsm.machines import compose
from rtfsm.machines.generation_context import Answers, GenerationContext
from rtfsm.profiles import PHONIC, PROFILES
from rtfsm.targets import find_targets


class S(Enum):
    A = "first"
    B = "second"
    C = "third"
    D = "fourth"
    END = "over"


@attrs.frozen
class Go(Event):
    pass


@attrs.frozen
class Back(Event):
    pass


@attrs.frozen
class Turn(Event):
    left: bool


@attrs.frozen
class Act(Effect):
    pass


@attrs.frozen
class Count:
    n: int = 0
    on: bool = False


@guard
def on(context: Count) -> bool:
    return context.on


@guard
def left(_: Count, event: Turn) -> bool:
    return event.left


OVER = ignore(Reason.TERMINAL, "over")
NOTHING = ignore(Reason.NO_OP, "nothing to do")


def kinds(result: Result) -> list[str]:
    return [finding.kind for finding in result.findings]


def small() -> Machine:
    """A machine with nothing wrong: a guard on the context, one on the event, a timer, a rest."""
    return Machine(
        "small",
        states=(S.A, S.B, S.END),
        initial=S.A,
        final={S.END},
        context=Count(),
        timers={S.B: Timer("short", 1)},
        rests={S.A: "it may"},
        table={
            S.A: {Go: stay(Act, assign(on=True)), Turn: (when(on, to(S.B, Act)), NOTHING)},
            S.B: {Go: NOTHING, Turn: (when(left, to(S.A, assign(on=False))), to(S.END)), TimerElapsed: to(S.END)},
            S.END: {(Go, Turn): OVER},
        },
    )


def test_exploring_finds_every_place_with_a_shortest_way() -> None:
    seen = explore(small())
    ways = {shown_place(place): [shown(event) for event in way] for place, way in seen.reached.items()}
    assert ways == {
        "A (n=0, on=False)": [],
        "A (n=0, on=True)": ["Go"],
        "B (n=0, on=True)": ["Go", "Turn(left=False)"],
        "END (n=0, on=True)": ["Go", "Turn(left=False)", "Turn(left=False)"],
    }
    taken = {index: [shown(event) for event in way] for index, way in seen.arms.items()}
    arms = {(state, event, arm.guard and arm.guard.name): arm.index for state, event, arm in seen.machine.arms}
    assert taken[arms[S.A, Turn, None]] == ["Turn(left=False)"]
    assert taken[arms[S.B, Turn, "left"]] == ["Go", "Turn(left=False)", "Turn(left=True)"]


def test_of_two_ways_the_shorter_is_the_witness() -> None:
    machine = Machine(
        "ways",
        states=S,
        initial=S.A,
        final={S.END},
        rests={S.A: "it may", S.B: "it may", S.C: "it may", S.D: "it may"},
        table={
            S.A: {Go: to(S.B), Back: to(S.C)},
            S.B: {Go: to(S.END), Back: NOTHING},
            S.C: {Go: to(S.D), Back: NOTHING},
            S.D: {Go: to(S.END), Back: NOTHING},
            S.END: {(Go, Back): OVER},
        },
    )
    assert [shown(event) for event in explore(machine).reached[S.END, None]] == ["Go", "Go"]


def test_time_passes_only_where_a_timer_runs() -> None:
    seen = explore(small())
    timed = {
        state for (state, _), edges in seen.edges.items() for edge in edges if isinstance(edge.event, TimerElapsed)
    }
    assert timed == {S.B}


def test_a_sound_machine_has_no_findings_and_tells_its_phases_in_order() -> None:
    told: list[str] = []
    result = check_machine(small(), tell=lambda phase: told.append(phase.name))
    assert result.findings == ()
    assert told == [phase.name for phase in result.phases] == list(PHASES)
    never = [result.machine.arms[index] for index in result.never_taken]
    assert [(state, event) for state, event, _ in never] == [(S.A, TimerElapsed), (S.END, TimerElapsed)]
    assert "4 (state, context) pairs" in result.phases[1].numbers


def test_a_state_that_nothing_leads_to_is_found() -> None:
    machine = Machine(
        "lonely",
        states=(S.A, S.B, S.C),
        initial=S.A,
        context=Count(),
        rests={S.A: "it may", S.B: "it may", S.C: "it may"},
        table={S.A: {Go: to(S.B)}, S.B: {Go: (when(on, to(S.C)), NOTHING)}, S.C: {Go: NOTHING}},
    )
    result = check_machine(machine)
    assert kinds(result) == ["unreachable"]
    assert "lonely: unreachable: no order of events leads to C" in str(result.findings[0])
    never = [machine.arms[index][2].target for index in result.never_taken]
    assert never == [S.C, None]


def test_a_birth_context_reaches_what_the_first_one_does_not() -> None:
    machine = small()
    fewer, more = explore(machine), explore(machine, [Count(on=True)])
    assert more.reached[S.A, Count(on=True)] == ()
    assert len(fewer.reached) == len(more.reached)
    assert len(more.reached[S.B, Count(on=True)]) == 1


def test_a_trap_and_its_circle_of_timers_are_found_with_the_shortest_way() -> None:
    machine = Machine(
        "trap",
        states=(S.A, S.B, S.C, S.END),
        initial=S.A,
        final={S.END},
        timers={S.B: Timer("b", 1), S.C: Timer("c", 1)},
        rests={S.A: "it may"},
        table={
            S.A: {Go: to(S.END), Turn: to(S.B)},
            S.B: {Go: NOTHING, Turn: NOTHING, TimerElapsed: to(S.C)},
            S.C: {Go: NOTHING, Turn: NOTHING, TimerElapsed: to(S.B)},
            S.END: {(Go, Turn): OVER},
        },
    )
    result = check_machine(machine)
    assert kinds(result) == ["trap", "trap", "endless wait"]
    assert [finding.witness for finding in result.findings] == [
        ("Turn(left=False)",),
        ("Turn(left=False)", "TimerElapsed"),
        ("Turn(left=False)",),
    ]
    assert "time alone leads in a circle: B -> C -> B" in str(result.findings[2])


def test_a_circle_of_timers_is_found_where_events_could_break_it() -> None:
    machine = Machine(
        "patient",
        states=(S.A, S.B, S.END),
        initial=S.A,
        final={S.END},
        timers={S.A: Timer("a", 1), S.B: Timer("b", 1)},
        table={
            S.A: {Go: to(S.END), TimerElapsed: to(S.B)},
            S.B: {Go: to(S.END), TimerElapsed: to(S.A)},
            S.END: {Go: OVER},
        },
    )
    assert kinds(check_machine(machine)) == ["endless wait"]


def test_a_timer_that_spends_a_bounded_count_ends() -> None:
    @guard
    def spent(context: Count) -> bool:
        return context.n == 3

    @update
    def spend(context: Count) -> Count:
        return attrs.evolve(context, n=context.n + 1)

    machine = Machine(
        "tries",
        states=(S.A, S.END),
        initial=S.A,
        final={S.END},
        context=Count(),
        timers={S.A: Timer("again", 1)},
        table={
            S.A: {Go: to(S.END), TimerElapsed: (when(spent, to(S.END)), stay(Act, spend, rearm=True))},
            S.END: {Go: OVER},
        },
    )
    result = check_machine(machine)
    assert result.findings == ()
    assert "at most 4 timers from rest" in result.phases[3].numbers


def counting() -> Machine:
    @update
    def more(context: Count) -> Count:
        return attrs.evolve(context, n=context.n + 1)

    return Machine(
        "counting",
        states=(S.A,),
        initial=S.A,
        context=Count(),
        rests={S.A: "it may"},
        table={S.A: {Go: stay(Act, more)}},
    )


def test_a_context_that_grows_without_end_stops_the_search() -> None:
    with pytest.raises(ExplorationLimit, match=r"'counting' has more than 50 .* A \(n=50, on=False\)"):
        explore(counting(), limit=50)
    assert len(explore(small(), limit=4).reached) == 4


def test_a_guard_that_raises_is_found_with_the_place_and_the_event() -> None:
    @guard
    def broken(context: Count) -> bool:
        return bool(1 // (0 if context.on else 1))

    machine = Machine(
        "guarded",
        states=(S.A, S.B),
        initial=S.A,
        context=Count(),
        rests={S.A: "it may", S.B: "it may"},
        table={S.A: {Go: stay(assign(on=True)), Turn: (when(broken, to(S.B)), NOTHING)}, S.B: {(Go, Turn): NOTHING}},
    )
    result = check_machine(machine)
    assert kinds(result) == ["failure", "failure"]
    assert result.findings[0].witness == ("Go",)
    assert "in A (n=0, on=True), on Turn(left=False): " in result.findings[0].text
    assert "guard broken raised ZeroDivisionError" in result.findings[0].text


def test_an_update_that_raises_is_found() -> None:
    @update
    def broken(_: Count) -> Count:
        raise LookupError("no such thing")

    machine = Machine(
        "updated",
        states=(S.A,),
        initial=S.A,
        context=Count(),
        rests={S.A: "it may"},
        table={S.A: {Go: stay(broken)}},
    )
    result = check_machine(machine)
    assert kinds(result) == ["failure"]
    assert "an update raised LookupError: no such thing" in result.findings[0].text


# -- the engine ------------------------------------------------------------------------------------------------------


def test_a_wrong_target_planted_in_the_engine_is_found() -> None:
    machine = small()
    engine = Engine(machine)
    (planted,) = [one for one in engine.compiled.events["TimerElapsed"].transitions["B"] if one.dest == "END"]
    planted.dest = "A"
    (finding,) = check_machine(machine, engine=engine).findings
    assert finding.kind == "engine"
    assert "machine 'small', state B (n=0, on=True), event TimerElapsed: " in finding.text
    assert "step leads to END (n=0, on=True), the engine to A (n=0, on=True)" in finding.text


def test_a_wrong_target_planted_in_a_shipped_machine_is_found() -> None:
    session = compose(PHONIC).machines[0]
    engine = Engine(session)
    for edge in engine.compiled.events["ProviderReady"].transitions["STARTING"]:
        edge.dest = "CLOSED"
    texts = [finding.text for finding in check_machine(session, engine=engine).findings]
    assert texts
    named = [text for text in texts if "machine 'session', state STARTING" in text and "event ProviderReady" in text]
    assert named == [text for text in texts if not text.startswith("and ")]


def test_arms_swapped_in_the_engine_are_found() -> None:
    machine = small()
    engine = Engine(machine)
    engine.compiled.events["Turn"].transitions["B"].reverse()
    texts = [finding.text for finding in check_machine(machine, engine=engine).findings]
    assert any("event Turn(left=True): step takes arm" in text for text in texts)
    assert not any("event Turn(left=False)" in text for text in texts)


def test_an_engine_that_writes_the_state_before_a_guard_fails_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Engine.dispatch

    def hasty(self: Engine, instance: object, event: Event) -> object:
        try:
            return honest(self, instance, event)
        except Exception:
            instance.state = S.END  # type: ignore[attr-defined]  # whatever it is, the engine drives it
            raise

    monkeypatch.setattr(Engine, "dispatch", hasty)
    texts = [finding.text for finding in check_machine(small()).findings]
    assert any("raised GuardError and yet changed to END" in text and "guard" in text for text in texts)
    monkeypatch.undo()
    assert check_machine(small()).findings == ()


def test_an_engine_that_takes_an_unknown_event_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = small()
    engine = Engine(machine)
    honest = engine.dispatch

    def lenient(instance: object, event: Event) -> object:
        return honest(instance, event if type(event) in machine.events else Go())

    monkeypatch.setattr(engine, "dispatch", lenient)
    texts = [finding.text for finding in check_machine(machine, engine=engine).findings]
    assert texts
    assert all("step raises UnknownEventError, the engine decides" in text for text in texts)


# -- the shipped machines --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES)
def test_the_shipped_machines_are_clean(profile: str) -> None:
    targets = find_targets(profile=profile)
    assert [target.machine.name for target in targets] == [one.name for one in compose(PROFILES[profile]).machines]
    for target in targets:
        result = check_machine(target.machine, births=target.births)
        assert result.findings == ()
        compared = result.phases[-1].numbers
        assert int(compared.split(" on ")[1].split(" of ")[0]) >= len(target.machine.cells) * len(target.machine.events)


def test_generations_are_explored_for_every_answer_that_they_may_give() -> None:
    (target,) = find_targets("generation", "phonic")
    assert target.births == tuple(
        GenerationContext(answers=answers, keeps_floor=keeps, user_talks=talks)
        for answers in Answers
        for keeps in (False, True)
        for talks in (False, True)
    )
    never = check_machine(target.machine, births=target.births).never_taken
    assert {target.machine.arms[index][1] for index in never} == {TimerElapsed}


def test_a_refused_cell_that_is_reached_is_no_finding() -> None:
    # Alone, a machine is given any event in any state; who sends what is a question for all of them together.
    machine = Machine(
        "strict", states=(S.A,), initial=S.A, rests={S.A: "it may"}, table={S.A: {Go: refuse("nobody sends it")}}
    )
    result = check_machine(machine)
    assert result.findings == ()
    assert result.never_taken == ()
