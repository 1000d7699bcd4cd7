"""Messages may be looked at apart only where nobody else cares, and what is wrong with them is found there."""

from __future__ import annotations

from typing import Any

import pytest

from rtfsm.check import Bounds, ConversationModel, search
from rtfsm.check.messages import look_apart, require_apart
from rtfsm.check.world import World
from rtfsm.language import Composition, Machine, assign, stay, to
from rtfsm.machines import Capabilities, Generation, compose
from rtfsm.machines.generation_context import Message
from rtfsm.machines.playout import Playout
from rtfsm.profiles import OPENAI, PROFILES, WIDEST
from rtfsm.targets import births_of
from rtfsm.vocabulary.effects import CloseMessage, OpenMessage, PushText, Seal, SpeechStarted
from rtfsm.vocabulary.local import PlayoutFinished
from rtfsm.vocabulary.wire import GenerationDone, MessageDone, TextDelta

from .defects import composed_with, exchanged


def named(composition: Composition, name: str) -> Machine:
    (machine,) = (one for one in composition.machines if one.name == name)
    return machine


def looked_at(profile: Capabilities, state: Any, event: Any, cell: Any) -> str | None:
    machine = exchanged(named(compose(profile), "generation"), state, event, cell)
    return look_apart(machine, births_of(profile)).wrong


@pytest.mark.parametrize("profile", PROFILES)
def test_the_messages_of_every_wire_are_well(profile: str) -> None:
    found = look_apart(named(compose(PROFILES[profile]), "generation"), births_of(PROFILES[profile]))
    assert found.wrong is None
    assert found.states >= 30
    assert found.edges >= 20 * found.states


def test_a_message_that_is_opened_again_is_found() -> None:
    again = stay(OpenMessage, PushText, assign(message=Message.WORDED))
    wrong = looked_at(OPENAI, Generation.SPEAKING, TextDelta, again)
    assert wrong == (
        "GEN-2: a second message is opened beside the first, after GenerationCreated(stored=False, greeting=False); "
        "TextDelta; TextDelta"
    )


def test_a_message_that_is_forgotten_without_being_closed_is_found() -> None:
    wrong = looked_at(OPENAI, Generation.SPEAKING, MessageDone, stay(assign(message=Message.NONE)))
    assert wrong is not None
    assert wrong.startswith("GEN-2: a second message is opened beside the first")


def test_streams_that_end_with_a_message_open_are_found() -> None:
    wrong = looked_at(OPENAI, Generation.SPEAKING, GenerationDone, to(Generation.DONE, Seal))
    assert wrong is not None
    assert wrong.startswith("GEN-4: streams end with a message open")


def test_the_search_without_messages_sees_no_less_of_the_rest() -> None:
    """Every state of the finer search, without its messages, is one of the coarser."""
    bounds = Bounds(0, 0, 1)
    finer, coarser = World(OPENAI), World(OPENAI, messages_apart=True)

    def reached(world: World) -> set[Any]:
        model = ConversationModel(OPENAI, bounds, world=world)
        places = {model.first()}
        waiting = list(places)
        while waiting:
            for step in model.steps(waiting.pop()):
                assert step.wrong is None
                if step.target not in places:
                    places.add(step.target)
                    waiting.append(step.target)
        return places

    def without_messages(place: Any) -> Any:
        (session, user, generations, replies, calls, audible, told), memory = place

        def number(machine: str, situation: int) -> int:
            return coarser.situations[machine].number(*finer.situations[machine].pairs[situation])

        rows = tuple((number("generation", one), link, min(host, 1)) for one, link, host in generations)
        asked = tuple((number("reply", one), pending) for one, pending in replies)
        called = tuple(sorted((number("tool_call", one), known, link) for one, known, link in calls))
        state = (number("session", session), number("user_turn", user), rows, asked, called, audible, told)
        return state, memory

    all_places, places = reached(finer), reached(coarser)
    assert len(places) < len(all_places)
    assert {without_messages(place) for place in all_places} <= places


def test_a_defect_of_the_rest_is_found_without_messages_too() -> None:
    composition = composed_with(
        OPENAI, "generation", Generation.SPEAKING, GenerationDone, to(Generation.DONE, CloseMessage)
    )
    world = World(OPENAI, messages_apart=True, composition=composition)
    found = search(ConversationModel(OPENAI, Bounds(0, 0, 1), world=world))
    assert [one.name for one in found.violations] == ["S-1"]


def test_messages_may_not_be_left_out_where_playout_orders_something() -> None:
    def noisy(machine: Machine) -> Machine:
        if machine.name != "playout":
            return machine
        return exchanged(machine, Playout.QUEUED, PlayoutFinished, to(Playout.FULL, SpeechStarted))

    composition = compose(WIDEST, exchange=noisy)
    with pytest.raises(ValueError, match="OpenMessage leads to playout, which orders something"):
        require_apart(composition)
    with pytest.raises(ValueError, match="playout orders something"):
        World(WIDEST, composition=composition)
