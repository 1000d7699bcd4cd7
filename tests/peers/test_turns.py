"""Words, brackets and cuts."""

from __future__ import annotations

import asyncio
from typing import Any

from rtfsm.testing.phonic_server import Call as ServerCall
from rtfsm.testing.phonic_server import messages

from .stage import SOUND, Stage, arrives, weather
from .story import Seen, at_most, no_more_than, story, without

START, FINISH = messages.assistant_started_speaking(), messages.assistant_finished_speaking()
USER_STARTED, USER_FINISHED = messages.user_started_speaking(), messages.user_finished_speaking()
CALL = messages.tool_call("c1", "weather", {"city": "Rome"})
TAKEN = messages.tool_call_output_processed("c1", "weather")


def word(text: str, *, times: int = 1) -> messages.Message:
    return messages.audio_chunk(SOUND * times, text)


@story(
    generations_for_words__a_call_and_its_answer=at_most(3),
    generations_with_nothing_in_them=0,
    messages_heard=["One moment.", "It is sunny."],
)
async def test_one_question_with_a_tool_makes_no_empty_generation(stage: Stage) -> Seen:
    """The user asks; assistant_started, words, assistant_finished, tool_call; the output; assistant_started, words,
    assistant_finished."""
    async with stage.alone() as talk:
        await talk.hears(USER_STARTED, USER_FINISHED, messages.input_text("Weather in Rome?"))
        await talk.hears(START, word("One "), word("moment."), FINISH, CALL)
        await talk.output(talk.the_call())
        stage.require(talk.sent("tool_call_output"), "the output was not sent")
        await talk.hears(TAKEN, START, word("It is "), word("sunny."), FINISH)
        await talk.passes(1)
        return {
            "generations_for_words__a_call_and_its_answer": len(talk.ear.generations),
            "generations_with_nothing_in_them": talk.ear.empty,
            "messages_heard": talk.ear.spoken,
        }


@story(
    segments_played=1,
    words_put_on_the_screen=without("late"),
    agent_2_s_later="listening",
    speech_still_going_on_2_s_later=False,
)
async def test_text_after_the_user_started_opens_no_ghost(stage: Stage) -> Seen:
    """The assistant speaks; user_started_speaking; one more word of the turn that was cut, and no bracket."""

    async def server(call: ServerCall) -> None:
        await call.handshake()
        for message in (START, word("One ", times=25), word("two ", times=25)):
            await call.send(message)
        await call.delay(0.3)
        await call.send(USER_STARTED)
        await call.send(word("late", times=5))

    async with stage.in_call(server) as seat:
        await asyncio.sleep(0.2)
        stage.require(seat.call.speaker.playing, "the assistant was not heard")
        await asyncio.sleep(2.3)
        stage.require(seat.call.user_states, "the user was not noticed")
        seen: Seen = {
            "segments_played": len(seat.call.speaker.heard) + seat.call.speaker.playing,
            "words_put_on_the_screen": " / ".join(seat.call.transcript.segments),
            "agent_2_s_later": seat.call.session.agent_state,
            "speech_still_going_on_2_s_later": not seat.call.is_idle,
        }
        await seat.connection.send(USER_FINISHED)
        await asyncio.sleep(0.1)
        return seen


@story(what_is_remembered=["assistant: One", "user: stop", "assistant: two"])
async def test_a_late_word_does_not_come_behind_the_user_s_words(stage: Stage) -> Seen:
    """assistant_started, "One", user_started, a late word, user_finished, interrupted_response "One", input_text, the
    next turn."""
    async with stage.alone() as talk:
        await talk.hears(START, word("One "), USER_STARTED)
        stage.require(talk.ear.spoken == ["One"], "the first word was not handed over")
        await talk.hears(word("late"), USER_FINISHED, messages.interrupted_response("One"))
        await talk.hears(messages.input_text("stop"), START, word("two"), FINISH)
        await talk.passes(1)
        return {"what_is_remembered": talk.remembered()}


@story(generations=1, open_3_s_later=0, sound_handed_over_in_s=0.02)
async def test_sound_without_words_after_the_user_started_is_dropped(stage: Stage) -> Seen:
    """assistant_started, "One", user_started, two chunks without words."""
    async with stage.alone() as talk:
        await talk.hears(START, word("One "), USER_STARTED, word(""), word(""))
        stage.require(talk.ear.generations, "the turn was not opened")
        await talk.passes(3)
        return {
            "generations": len(talk.ear.generations),
            "open_3_s_later": talk.ear.open,
            "sound_handed_over_in_s": round(sum(one.seconds for one in talk.ear.generations), 2),
        }


@story(generations=["Done."], open_5_s_later=0)
async def test_a_word_after_the_closing_bracket_opens_no_ghost(stage: Stage) -> Seen:
    """assistant_started, words, assistant_finished, one more word."""
    async with stage.alone() as talk:
        await talk.hears(START, word("Done."), FINISH)
        stage.require(talk.ear.spoken == ["Done."] and not talk.ear.open, "the turn was not heard to its end")
        await talk.hears(word("late"))
        await talk.passes(5)
        return {"generations": talk.ear.spoken, "open_5_s_later": talk.ear.open}


@story(seconds_until_the_output_was_sent=no_more_than(3))
async def test_a_word_after_a_tool_call_does_not_hold_the_output_back(stage: Stage) -> Seen:
    """assistant_started, "Let me", tool_call, "look.", and no closing bracket until the output has come."""
    took: list[float | None] = []
    ran: list[float] = []

    async def server(call: ServerCall) -> None:
        await call.handshake()
        for message in (START, word("Let me "), CALL, word("look.")):
            await call.send(message)
        ran.append(call.now)
        took.append(await arrives(call, "tool_call_output", 12))
        await call.send(TAKEN)
        await call.send(FINISH)
        await call.say("Sunny.")

    async with stage.in_call(server, tools=[weather]) as seat:
        await asyncio.sleep(16)
        stage.require(ran and seat.ear.generations, "the call did not come")
        return {"seconds_until_the_output_was_sent": took[0]}


@story(messages_heard=["Hello."], marked_as_interrupted=0, open_3_s_later=0)
async def test_a_repeated_bracket_does_not_break_the_turn_in_pieces(stage: Stage) -> Seen:
    """assistant_started twice, "Hello.", assistant_finished twice."""
    async with stage.alone() as talk:
        await talk.hears(START, START, word("Hello."), FINISH, FINISH)
        stage.require(talk.ear.generations, "no turn was opened")
        await talk.passes(3)
        items: list[Any] = [item for item in talk.rt.chat_ctx.items if item.type == "message"]
        return {
            "messages_heard": [one.words for one in talk.ear.generations],
            "marked_as_interrupted": sum(item.interrupted for item in items),
            "open_3_s_later": talk.ear.open,
        }


@story(what_is_remembered=["assistant: I will now"], the_next_reset_tells_of_unheard_words=False)
async def test_what_phonic_says_was_heard_is_what_is_remembered(stage: Stage) -> Seen:
    """A turn streamed ahead to its end, user_started, user_finished, interrupted_response with its first words, then
    update_options."""
    async with stage.alone() as talk:
        await talk.hears(START, word("I will now "), word("read "), word("a list of items."), FINISH)
        stage.require(talk.ear.spoken == ["I will now read a list of items."], "the turn was not handed over")
        await talk.hears(USER_STARTED, USER_FINISHED, messages.interrupted_response("I will now"))
        remembered = talk.remembered()
        talk.rt.update_options(voice="other")
        await talk.passes(1)
        resets = talk.sent("reset")
        stage.require(resets, "no reset was sent")
        return {
            "what_is_remembered": remembered,
            "the_next_reset_tells_of_unheard_words": "items" in resets[0]["config"]["system_prompt"],
        }


@story(its_memory_is_the_same_as_that_of_LiveKit=True, remembered_of_the_turn=without("four"))
async def test_an_interruption_by_the_application_leaves_no_unheard_words(stage: Stage) -> Seen:
    """A turn at the speed of sound; session.interrupt() after its first word; the rest of the turn."""

    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.say("One two three four", ahead=False)

    async with stage.in_call(server) as seat:
        await asyncio.sleep(0.3)
        stage.require(seat.call.session.agent_state == "speaking", "the assistant was not heard")
        seat.call.session.interrupt()
        await asyncio.sleep(6)
        stage.require(FINISH["type"] in seat.connection.sent_types(), "the rest was not sent")
        own = [item.text_content for item in seat.rt.chat_ctx.items if item.type == "message"]
        livekits = [text.strip() for _, text, _ in seat.call.history()]
        return {
            "its_memory_is_the_same_as_that_of_LiveKit": [(one or "").strip() for one in own] == livekits,
            "remembered_of_the_turn": " / ".join(one or "" for one in own),
        }
