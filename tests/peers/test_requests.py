"""generate_reply, say, and whom the next turn answers."""

from __future__ import annotations

import asyncio
from typing import Any

from livekit.agents import Agent, llm

from rtfsm.testing.phonic_server import Call as ServerCall
from rtfsm.testing.phonic_server import messages

from .stage import Alone, Stage, weather
from .story import Seen, no_more_than, story
from .test_turns import CALL, FINISH, START, TAKEN, word


def turn(text: str) -> list[messages.Message]:
    return [START, word(text), FINISH]


def answer(talk: Alone, future: Any) -> str | None:
    """The words of the turn that a request ended with."""
    if not future.done() or future.cancelled() or future.exception() is not None:
        return None
    talk.ear.read()
    return next((one.words for one in talk.ear.generations if one.event is future.result()), "")


def failed(future: Any) -> bool:
    return bool(future.done() and not future.cancelled() and isinstance(future.exception(), llm.RealtimeError))


@story(the_request_ended_with="As asked.", the_welcome_was_heard=True)
async def test_a_welcome_is_not_taken_for_the_answer(stage: Stage) -> Seen:
    """A welcome is configured; the application asks for a reply before the start; the welcome comes, then the
    reply."""
    async with stage.alone(configured=False, ready=False, welcome_message="Welcome.") as talk:
        reply = talk.rt.generate_reply()
        await talk.configure(tools=[weather])
        await talk.until_ready()
        stage.require(talk.connection.protocol.config.get("welcome_message") == "Welcome.", "no welcome was asked for")
        await talk.hears(*turn("Welcome."))
        await talk.passes(0.2)
        stage.require(talk.sent("generate_reply"), "the reply was not asked for")
        await talk.hears(*turn("As asked."))
        await talk.passes(0.2)
        return {"the_request_ended_with": answer(talk, reply), "the_welcome_was_heard": "Welcome." in talk.ear.spoken}


@story(the_request_ended_with="As asked.")
async def test_an_answer_to_a_tool_is_not_taken_for_the_answer_to_a_request(stage: Stage) -> Seen:
    """tool_call; the output; the application asks for a reply; the answer to the tool, then the reply."""
    async with stage.alone() as talk:
        await talk.hears(CALL)
        await talk.output(talk.the_call())
        stage.require(talk.sent("tool_call_output"), "the output was not sent")
        reply = talk.rt.generate_reply()
        await talk.passes(0.2)
        await talk.hears(TAKEN, *turn("Sunny."))
        await talk.passes(0.2)
        stage.require(talk.sent("generate_reply"), "the reply was not asked for")
        await talk.hears(*turn("As asked."))
        await talk.passes(0.2)
        return {"the_request_ended_with": answer(talk, reply)}


@story(the_request_ended_with="As the new agent was asked.", words_of_the_old_one_afterwards=[])
async def test_the_rest_of_the_old_agent_s_answer_is_not_taken_for_the_new_one_s(stage: Stage) -> Seen:
    """tool_call; the output; the answer begins; another agent takes over with a reset and asks for a reply; the rest of
    the old answer, its closing bracket, then the reply."""
    async with stage.alone() as talk:
        await talk.hears(CALL)
        await talk.output(talk.the_call())
        await talk.hears(TAKEN, START, word("It is "))
        stage.require(talk.ear.spoken == ["It is"], "the answer did not begin")
        await asyncio.wait_for(
            talk.rt._update_session(instructions="Another.", chat_ctx=llm.ChatContext.empty(), tools=[weather]), 30
        )
        reply = talk.rt.generate_reply()
        await talk.passes(0.2)
        stage.require(talk.sent("reset") and talk.sent("generate_reply"), "the reply was not asked for")
        await talk.hears(word("sunny "), word("in Rome."), FINISH, *turn("As the new agent was asked."))
        await talk.passes(0.2)
        late = [words for words in talk.ear.spoken if "sunny" in words]
        return {"the_request_ended_with": answer(talk, reply), "words_of_the_old_one_afterwards": late}


@story(done_before_the_server_said_anything=False, the_request_ended_with="As asked.")
async def test_sending_an_output_answers_no_request(stage: Stage) -> Seen:
    """tool_call; the application asks for a reply; the output; the server is silent, then answers one after the
    other."""
    async with stage.alone() as talk:
        await talk.hears(CALL)
        call = talk.the_call()
        reply = talk.rt.generate_reply()
        await talk.output(call)
        await talk.passes(1)
        done = reply.done()
        stage.require(talk.sent("tool_call_output"), "the output was not sent")
        stage.require(talk.sent("generate_reply") or not done, "the reply was not asked for")
        await talk.hears(*turn("As asked."))
        await talk.passes(0.2)
        await talk.hears(TAKEN, *turn("Sunny."))
        return {"done_before_the_server_said_anything": done, "the_request_ended_with": answer(talk, reply)}


@story(the_first_ended_with="First.", the_second_ended_with="Second.")
async def test_two_requests_are_each_answered_by_their_own_turn(stage: Stage) -> Seen:
    """generate_reply twice, 0.2 s apart; the server answers each, in order."""
    async with stage.alone() as talk:
        first = talk.rt.generate_reply()
        await talk.passes(0.2)
        second = talk.rt.generate_reply()
        await talk.passes(0.2)
        stage.require(talk.sent("generate_reply"), "no reply was asked for")
        await talk.hears(*turn("First."))
        await talk.passes(0.2)
        stage.require(len(talk.sent("generate_reply")) == 2, "the second reply was not asked for")
        await talk.hears(*turn("Second."))
        await talk.passes(0.2)
        return {"the_first_ended_with": answer(talk, first), "the_second_ended_with": answer(talk, second)}


@story(failed_with_a_RealtimeError=True, asked_after_it_had_failed=0, heard_after_it_had_failed=[])
async def test_a_request_that_failed_is_not_asked_when_the_server_gets_ready(stage: Stage) -> Seen:
    """generate_reply while the server is not ready; it fails after its time; then the server gets ready, and answers
    what it is asked."""

    async def server(call: ServerCall) -> None:
        await call.expect("config")
        await call.delay(11.5 if call.connection.number == 0 else 0)
        await call.send(messages.ready_to_start_conversation())
        await call.expect("generate_reply")
        await call.say("Nobody waits for this.")

    async with stage.alone(server, ready=False) as talk:
        await talk.passes(0.1)
        stage.require(talk.server.connections, "nobody connected")
        reply = talk.rt.generate_reply()
        await talk.passes(10.5)
        told = failed(reply)
        stage.require(not talk.sent("generate_reply"), "it was asked before the server was ready")
        await talk.passes(20)
        ready = any("ready_to_start_conversation" in one.sent_types() for one in talk.server.connections)
        stage.require(ready and reply.done(), "the server never got ready")
        return {
            "failed_with_a_RealtimeError": told,
            "asked_after_it_had_failed": len(talk.sent("generate_reply")),
            "heard_after_it_had_failed": talk.ear.spoken,
        }


@story(update_system_prompt=["Speak like a pirate."], update_tools_subset=["weather"])
async def test_changed_instructions_and_tools_are_sent(stage: Stage) -> Seen:
    """update_instructions and update_tools in the middle of a conversation."""
    async with stage.alone(tools=()) as talk:
        await talk.rt.update_instructions("Speak like a pirate.")
        await talk.rt.update_tools([weather])
        await talk.passes(0.5)
        stage.require(talk.sent("config"), "no conversation had begun")
        prompts = [message["system_prompt"] for message in talk.sent("update_system_prompt")]
        tools = [tool for message in talk.sent("update_tools_subset") for tool in message["tools"]]
        return {
            "update_system_prompt": prompts,
            "update_tools_subset": [tool["tool_schema"]["function"]["name"] for tool in tools],
        }


async def _two(stage: Stage, talk: Alone, apart: float) -> Alone:
    """A second session of the same model, configured as the second customer's."""
    other = Alone(stage, talk.server, talk.model)
    first = asyncio.ensure_future(talk.configure(instructions="Customer one.", tools=[weather]))
    await asyncio.sleep(apart)
    await other.configure(instructions="Customer two.", tools=[weather])
    await first
    await talk.passes(1)
    stage.require(len(talk.server.connections) == 2, "there are no two connections")
    return other


def _prompts(talk: Alone) -> list[str]:
    return sorted(str(one.protocol.config.get("system_prompt")) for one in talk.server.connections)


@story(prompts_sent=["Customer one.", "Customer two."])
async def test_two_sessions_of_one_model_that_start_together_each_send_their_own_prompt(stage: Stage) -> Seen:
    """One model, two sessions, configured in the same instant."""
    async with stage.alone(configured=False, ready=False) as talk:
        other = await _two(stage, talk, 0)
        prompts = _prompts(talk)
        await other.close()
        return {"prompts_sent": prompts}


@story(prompt_in_the_second_one_s_reset="Customer two.", language_of_the_first_in_it=False)
async def test_what_one_session_changes_does_not_reach_the_other(stage: Stage) -> Seen:
    """One model, two sessions half a second apart; the first is handed to another agent and speaks French; then the
    second one's voice changes."""
    async with stage.alone(configured=False, ready=False) as talk:
        other = await _two(stage, talk, 0.5)
        talk.rt.update_options(default_language="fr")
        await asyncio.wait_for(
            talk.rt._update_session(
                instructions="Customer one, in French.", chat_ctx=llm.ChatContext.empty(), tools=[weather]
            ),
            30,
        )
        await talk.passes(0.5)
        other.rt.update_options(voice="other")
        await talk.passes(0.5)
        stage.require(talk.sent("reset"), "no reset was sent")
        second = talk.server.connections[1]
        resets = [record.message["config"] for record in second.received if record.type == "reset" and record.message]
        stage.require(resets, "the second session sent no reset")
        await other.close()
        return {
            "prompt_in_the_second_one_s_reset": resets[-1]["system_prompt"],
            "language_of_the_first_in_it": resets[-1].get("default_language") == "fr",
        }


@story(sessions_that_sent_a_reset=2)
async def test_new_options_of_a_model_reach_all_its_sessions(stage: Stage) -> Seen:
    """One model, two sessions half a second apart, model.update_options(voice=...)."""
    async with stage.alone(configured=False, ready=False) as talk:
        other = await _two(stage, talk, 0.5)
        model: Any = talk.model
        model.update_options(voice="other")
        await talk.passes(0.5)
        reset = [one for one in talk.server.connections if "reset" in one.received_types()]
        stage.require(len(talk.sent("config")) == 2, "one of the two was not configured")
        await other.close()
        return {"sessions_that_sent_a_reset": len(reset)}


@story(seconds_until_closed=no_more_than(5))
async def test_closing_does_not_wait_for_a_handoff_to_a_server_that_is_never_ready(stage: Stage) -> Seen:
    """The server takes the configuration and never gets ready; another agent is to take over; the session is closed."""

    async def server(call: ServerCall) -> None:
        await call.expect("config")

    async with stage.in_call(server) as seat:
        await asyncio.sleep(0.5)
        stage.require(seat.server.connections, "nobody connected")
        prompt = seat.connection.protocol.config.get("system_prompt")
        stage.require(prompt == "You are a test.", "the first agent was not configured")
        seat.call.session.update_agent(Agent(instructions="You are another."))
        await asyncio.sleep(1)
        closing = asyncio.ensure_future(seat.call.session.aclose())
        began = asyncio.get_running_loop().time()
        await asyncio.wait([closing], timeout=45)
        took = round(asyncio.get_running_loop().time() - began, 1) if closing.done() else None
        return {"seconds_until_closed": took}
