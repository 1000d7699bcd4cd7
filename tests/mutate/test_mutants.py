"""A mutant is one change in one cell, declared anew; what may not be changed is refused by the language."""

from __future__ import annotations

from collections import Counter

import pytest

from rtfsm.language import DeclarationError, Kind, Machine
from rtfsm.machines import Generation, Session, UserTurn, compose
from rtfsm.mutate import MACHINES, Mutant, mutants_of, planned
from rtfsm.mutate.mutants import signature
from rtfsm.profiles import OPENAI, PHONIC
from rtfsm.vocabulary.effects import CloseMessage, CutAgent, SpeechStarted, TellReplies, TellTalking
from rtfsm.vocabulary.local import UserCut
from rtfsm.vocabulary.wire import ProviderReady, TextDelta, UserSpeechStarted


def machine_of(name: str) -> Machine:
    (machine,) = (one for one in compose(PHONIC).machines if one.name == name)
    return machine


def mutant_of(name: str, place: str, change: str) -> Mutant:
    (found,) = (one for one in mutants_of(machine_of(name)) if one.place == place and one.change == change)
    return found


def test_a_mutant_changes_its_cell_and_nothing_else() -> None:
    machine = machine_of("user_turn")
    for mutant in mutants_of(machine):
        try:
            changed = mutant.apply(machine)
        except DeclarationError:
            continue
        differing = {
            (state, event)
            for state in machine.states
            for event in machine.events
            if signature(machine.cells[state][event]) != signature(changed.cells[state][event])
        }
        if mutant.event is None:
            assert changed.timers.keys() == machine.timers.keys() - {mutant.state}
        elif "not " not in mutant.change and "negated" not in mutant.change:
            assert differing == {(mutant.state, mutant.event)}, mutant


def test_every_kind_of_change_is_made() -> None:
    told = Counter(
        words
        for machine in compose(PHONIC).machines
        for mutant in mutants_of(machine)
        for words in (
            "is dropped", "done twice", "comes before", "is negated", "guarded by", "leads to", "stays, does not",
            "is ignored", "does what", "not started", "is started anew", "cut=", "reason=", "failure=", "abort=",
            "continued=", "user_initiated=", "update",
        )
        if words in mutant.change
    )  # fmt: skip
    assert len(told) == 18, told


def test_effects_are_dropped_doubled_and_exchanged() -> None:
    place, machine = "user_turn.SILENT x UserSpeechStarted", machine_of("user_turn")

    def effects(change: str) -> list[type]:
        arms = mutant_of("user_turn", place, change).apply(machine).cells[UserTurn.SILENT][UserSpeechStarted]
        return [type(effect) for effect in arms[1].effects]

    assert effects("arm 2: CutAgent is dropped") == [TellTalking, SpeechStarted, TellReplies]
    twice = [CutAgent, TellTalking, SpeechStarted, SpeechStarted, TellReplies]
    assert effects("arm 2: SpeechStarted is done twice") == twice
    assert effects("arm 2: TellTalking comes before CutAgent") == [TellTalking, CutAgent, SpeechStarted, TellReplies]


def test_an_argument_is_turned() -> None:
    machine = machine_of("generation")
    changed = mutant_of("generation", "generation.SPEAKING x UserCut", "CloseMessage with cut=False").apply(machine)
    (arm,) = changed.cells[Generation.SPEAKING][UserCut]
    assert arm.effects[0] == CloseMessage(cut=False)


def test_what_the_language_refuses_never_runs() -> None:
    machine = machine_of("session")
    endless = mutant_of("session", "session.CONNECTING x TimerElapsed", "arm 2: it is ignored")
    with pytest.raises(DeclarationError):
        endless.apply(machine)


def test_a_mutant_of_one_wire_is_the_same_line_over_another() -> None:
    mutant = mutant_of("generation", "generation.SPEAKING x TextDelta", "arm 1: OpenMessage is dropped")
    (other,) = (one for one in compose(OPENAI).machines if one.name == "generation")
    assert mutant.concerns(other)
    arm = mutant.apply(other).cells[Generation.SPEAKING][TextDelta][0]
    assert len(arm.effects) == 1
    alone = mutant_of("generation", "generation.SPEAKING x InterruptRequested", "Seal is dropped")
    assert not alone.concerns(other)  # there, a cancel is sent
    assert alone.apply(other) is other


def test_parameters_of_a_machine_are_kept() -> None:
    mutant = mutant_of("session", "session.STARTING x ProviderReady", "arm 3: ReportReady is dropped")
    (session,) = (one for one in compose(PHONIC, None, 7, exchange=mutant.apply).machines if one.name == "session")
    context = session.cells[Session.STARTING][ProviderReady][2].next_context(session.context)
    assert context.retries == 7


def test_no_refused_cell_is_changed() -> None:
    for name in MACHINES:
        machine = machine_of(name)
        for mutant in mutants_of(machine):
            cell = machine.cells[mutant.state][mutant.event] if mutant.event else ()
            assert not cell or any(arm.kind is not Kind.REFUSE for arm in cell), mutant


def test_each_change_is_planned_once_with_all_its_wires() -> None:
    plans = planned(("user_turn",))
    alike, minted, named = ("phonic", "openai", "gemini", "widest"), ("phonic", "gemini"), ("openai", "widest")
    assert {plan.profiles for plan in plans} == {alike, minted, named}
    assert len({(plan.mutant.place, plan.mutant.before, plan.mutant.after) for plan in plans}) == len(plans)
    assert len(planned(("user_turn",), "openai")) == sum(plan.profiles in (alike, named) for plan in plans)
