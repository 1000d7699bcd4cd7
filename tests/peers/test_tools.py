"""Tool calls and their outputs."""

from __future__ import annotations

import asyncio

from livekit.agents import function_tool, llm

from rtfsm.testing.phonic_server import Call as ServerCall
from rtfsm.testing.phonic_server import messages

from .stage import Stage, arrives, weather
from .story import Seen, no_more_than, story
from .test_turns import CALL, FINISH, START, TAKEN, USER_STARTED, word

WITHDRAWN = messages.tool_call_interrupted("c1", "weather")


@story(generations_opened_by_the_output=0, words_of_the_answer=["Sunny."], empty_generations=0)
async def test_an_output_opens_nothing_until_the_assistant_speaks(stage: Stage) -> Seen:
    """tool_call; the output; a second without anything; assistant_started, "Sunny.", assistant_finished."""
    async with stage.alone() as talk:
        await talk.hears(START, word("Wait."), FINISH, CALL)
        call = talk.the_call()
        before = len(talk.ear.generations)
        await talk.output(call)
        stage.require(talk.sent("tool_call_output"), "the output was not sent")
        await talk.passes(1)
        opened = len(talk.ear.generations) - before
        await talk.hears(TAKEN, START, word("Sunny."), FINISH)
        await talk.passes(1)
        return {
            "generations_opened_by_the_output": opened,
            "words_of_the_answer": [one.words for one in talk.ear.generations[before:]],
            "empty_generations": talk.ear.empty,
        }


@story(agent_3_s_later="listening", seconds_to_close=no_more_than(1))
async def test_an_assistant_that_chooses_silence_after_an_output_leaves_nobody_thinking(stage: Stage) -> Seen:
    """tool_call; the output; tool_call_output_processed; assistant_chose_not_to_respond."""
    sent: list[float | None] = []

    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.send(CALL)
        sent.append(await arrives(call, "tool_call_output", 8))
        await call.send(TAKEN)
        await call.send(messages.assistant_chose_not_to_respond())

    async with stage.in_call(server, tools=[weather]) as seat:
        await asyncio.sleep(4)
        stage.require(sent and sent[0] is not None, "the output was not sent")
        return {"agent_3_s_later": seat.call.session.agent_state, "seconds_to_close": await seat.aclose()}


@story(outputs_sent_within_8_s=2, words_then_heard=["assistant: Both are fine."])
async def test_the_second_of_two_outputs_does_not_wait_for_the_server_to_speak(stage: Stage) -> Seen:
    """Two tool_calls, one after the other, and the server waits for both outputs."""
    sent: list[float | None] = []

    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.send(CALL)
        await call.send(messages.tool_call("c2", "weather", {"city": "Oslo"}))
        sent.extend([await arrives(call, "tool_call_output", 4), await arrives(call, "tool_call_output", 4)])
        await call.say("Both are fine.")

    async with stage.in_call(server, tools=[weather]) as seat:
        await asyncio.sleep(15)
        stage.require(seat.connection.sent_types().count("tool_call") == 2, "the two calls did not come")
        stage.require(seat.ear.generations, "nothing was announced")
        return {
            "outputs_sent_within_8_s": sum(one is not None for one in sent),
            "words_then_heard": seat.history(),
        }


@story(messages_announced=0, calls_handed_over=1, generations_left_open=0)
async def test_a_call_outside_of_any_turn_announces_no_message(stage: Stage) -> Seen:
    """tool_call while no turn is open."""
    async with stage.alone() as talk:
        await talk.hears(CALL)
        await talk.passes(1)
        stage.require(talk.ear.generations, "nothing was announced")
        return {
            "messages_announced": sum(len(one._messages) for one in talk.ear.generations),
            "calls_handed_over": len(talk.ear.calls),
            "generations_left_open": talk.ear.open,
        }


@story(outputs_sent=0, outputs_remembered_without_their_call=0, application_told=True, generations_left_open=0)
async def test_the_output_of_a_withdrawn_call_is_dropped_and_the_application_told(stage: Stage) -> Seen:
    """tool_call, tool_call_interrupted, user_started_speaking, and then the tool returns."""
    async with stage.alone() as talk:
        await talk.hears(CALL)
        call = talk.the_call()
        await talk.hears(WITHDRAWN, USER_STARTED)
        before = len(talk.ear.news)
        await talk.output(call)
        await talk.passes(1)
        calls, outputs = (
            {item.call_id for item in talk.rt.chat_ctx.items if item.type == kind}
            for kind in ("function_call", "function_call_output")
        )
        return {
            "outputs_sent": len(talk.sent("tool_call_output")),
            "outputs_remembered_without_their_call": len(outputs - calls),
            "application_told": len(talk.ear.news) > before,
            "generations_left_open": talk.ear.open,
        }


@story(tool_ran_to_its_end=True, outputs_sent=0, agent_3_s_later="listening")
async def test_a_tool_whose_call_was_withdrawn_leaves_nobody_thinking(stage: Stage) -> Seen:
    """tool_call; while the tool runs, tool_call_interrupted without a word of the user's; the tool returns."""
    ran: list[str] = []

    @function_tool
    async def slow() -> str:
        """Takes a second."""
        await asyncio.sleep(1)
        ran.append("done")
        return "done"

    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.send(messages.tool_call("c1", "slow"))
        await call.delay(0.5)
        await call.send(messages.tool_call_interrupted("c1", "slow"))

    async with stage.in_call(server, tools=[slow]) as seat:
        await asyncio.sleep(4.5)
        stage.require("tool_call_interrupted" in seat.connection.sent_types(), "the call was not withdrawn")
        return {
            "tool_ran_to_its_end": bool(ran),
            "outputs_sent": seat.connection.received_types().count("tool_call_output"),
            "agent_3_s_later": seat.call.session.agent_state,
        }


@story(generations_left_open=0, empty_generations=0)
async def test_an_output_that_crosses_the_withdrawal_leaves_no_generation_open(stage: Stage) -> Seen:
    """tool_call; the output is sent; tool_call_interrupted; nothing more."""
    async with stage.alone() as talk:
        await talk.hears(CALL)
        await talk.output(talk.the_call())
        stage.require(talk.sent("tool_call_output"), "the output was not sent")
        await talk.hears(WITHDRAWN)
        await talk.passes(3)
        # One that is empty and over is how LiveKit is released; one that was opened for it must not stay.
        left = [one for one in talk.ear.generations if one.open]
        return {"generations_left_open": len(left), "empty_generations": sum(one.empty for one in left)}


@story(outputs_sent_after_the_reset=0, generations_left_open=0)
async def test_the_output_of_a_call_from_before_a_reset_is_not_sent_after_it(stage: Stage) -> Seen:
    """tool_call; update_options sends a reset; then the tool returns."""
    async with stage.alone() as talk:
        await talk.hears(CALL)
        call = talk.the_call()
        talk.rt.update_options(voice="other")
        await talk.passes(0.5)
        stage.require(talk.sent("reset"), "no reset was sent")
        await talk.output(call)
        await talk.passes(1)
        return {
            "outputs_sent_after_the_reset": len(talk.sent("tool_call_output")),
            "generations_left_open": talk.ear.open,
        }


@story(words_heard=["Old"], remembered_by_the_new_agent=[], generations_left_open=0)
async def test_old_words_that_cross_a_reset_do_not_become_the_new_agent_s(stage: Stage) -> Seen:
    """A turn is open; another agent takes over with a reset; two more words of the old turn."""
    async with stage.alone() as talk:
        await talk.hears(START, word("Old "))
        stage.require(talk.ear.spoken == ["Old"], "the turn was not opened")
        await asyncio.wait_for(
            talk.rt._update_session(instructions="Another.", chat_ctx=llm.ChatContext.empty(), tools=[]), 30
        )
        await talk.passes(0.1)
        stage.require(talk.sent("reset"), "no reset was sent")
        await talk.hears(word("late "), word("words"))
        await talk.passes(2)
        remembered = [line for line in talk.remembered() if "late" in line or "words" in line]
        return {
            "words_heard": talk.ear.spoken,
            "remembered_by_the_new_agent": remembered,
            "generations_left_open": talk.ear.open,
        }


@story(seconds_until_phonic_got_an_output=no_more_than(60), agent_in_the_end="listening")
async def test_a_call_behind_speech_that_the_user_cut_is_answered_all_the_same(stage: Stage) -> Seen:
    """A long turn streamed ahead, tool_call, and the user speaks while the turn is still playing."""
    sent: list[float | None] = []

    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.say("This is a rather long sentence that was streamed far ahead of the user's ears.")
        await call.send(CALL)
        for message in (USER_STARTED, messages.user_finished_speaking(), messages.input_text("Never mind.")):
            await call.delay(0.3)
            await call.send(message)
        sent.append(await arrives(call, "tool_call_output", 70))

    async with stage.in_call(server, tools=[weather]) as seat:
        await asyncio.sleep(75)
        stage.require(seat.call.user_states, "the user was not noticed")
        stage.require(any(one.interrupted for one in seat.call.speaker.heard), "nothing was playing to be cut")
        return {
            "seconds_until_phonic_got_an_output": sent[0],
            "agent_in_the_end": seat.call.session.agent_state,
        }


@story(seconds_until_the_output_was_sent=no_more_than(11))
async def test_a_reply_that_nobody_gives_holds_an_output_back_for_a_bounded_time(stage: Stage) -> Seen:
    """tool_call; while the tool runs the application asks for a reply, which the server never gives. LiveKit hands an
    output over when no speech is queued, so the reply has to end."""
    took: list[float | None] = []

    @function_tool
    async def slow() -> str:
        """Takes a second."""
        await asyncio.sleep(1)
        return "done"

    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.send(messages.tool_call("c1", "slow"))
        await call.delay(1)
        took.append(await arrives(call, "tool_call_output", 30))

    async with stage.in_call(server, tools=[slow], allowed=("failed to generate a reply",)) as seat:
        await asyncio.sleep(0.5)
        stage.require(seat.connection.sent_types().count("tool_call"), "the call did not come")
        seat.call.session.generate_reply()
        await asyncio.sleep(32)
        stage.require("generate_reply" in seat.connection.received_types(), "no reply was asked for")
        return {"seconds_until_the_output_was_sent": took[0]}
