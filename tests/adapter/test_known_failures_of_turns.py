"""What livekit-plugins-phonic 1.8.9 was seen to do wrong with tools, requests and users, named after what happened."""

from __future__ import annotations

import asyncio

from livekit.agents import llm

from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.testing.phonic_server import Call as ServerCall
from rtfsm.testing.phonic_server import PhonicServer, messages
from rtfsm.testing.virtual_time import run
from tests.adapter.caller import adapter, asks, calling, states
from tests.adapter.stage import KEY, SOUND, Talk, attentive, spoken, talking, user, weather

LATE = messages.audio_chunk(SOUND, "late")
CALL = messages.tool_call("c1", "weather", {"city": "Rome"})
TAKEN = messages.tool_call_output_processed("c1", "weather")


# -- tools ---------------------------------------------------------------------------------------------------------


def test_sending_an_output_opened_a_phantom_generation() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(CALL)
            before = len(talk.host.generations)
            await talk.host.output(talk.host.owed[0])
            await talk.settle(1)
            assert len(talk.host.generations) == before
            await talk.hears(TAKEN, *spoken("Sunny."))
            assert [one.text for one in talk.host.generations[before:]] == ["Sunny."]

    run(main())


def test_an_assistant_that_chose_silence_after_an_output_left_the_agent_thinking() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.send(CALL)
        await call.expect("tool_call_output")
        await call.send(TAKEN)
        await call.send(messages.assistant_chose_not_to_respond())

    async def main() -> None:
        async with calling(server, tools=[weather]) as (call, _):
            await call.until(lambda: "thinking" in states(call))
            await call.until(lambda: call.session.agent_state == "listening", timeout=2)
            began = asyncio.get_running_loop().time()
            await call.session.aclose()
            assert asyncio.get_running_loop().time() - began < 1

    run(main())


def test_the_second_of_two_outputs_waited_until_the_server_spoke() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.send(CALL)
        await call.send(messages.tool_call("c2", "weather", {"city": "Oslo"}))
        await call.expect("tool_call_output", timeout=2)
        await call.expect("tool_call_output", timeout=2)
        await call.say("Both are fine.")

    async def main() -> None:
        async with calling(server, tools=[weather]) as (call, _):
            await call.until(lambda: call.history())
            assert call.history() == [("assistant", "Both are fine.", False)]

    run(main())


def test_a_call_outside_a_turn_opened_a_message_with_nothing_in_it() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(CALL)
            (one,) = talk.host.generations
            assert (one.messages, len(one.calls), one.sealed) == ([], 1, True)

    run(main())


def test_the_output_of_an_interrupted_call_stayed_in_the_context_and_a_warning_misled() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(CALL, messages.tool_call_interrupted("c1", "weather"), messages.user_started_speaking())
            await talk.host.output(talk.host.owed[0])
            await talk.settle()
            assert talk.sent("tool_call_output") == []
            assert talk.host.named("tool_output_dropped") == ["c1"]
            assert not talk.host.open

    run(main())


def test_an_output_that_crossed_the_withdrawal_left_a_generation_open() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(CALL)
            await talk.host.output(talk.host.owed[0])
            await talk.hears(messages.tool_call_interrupted("c1", "weather"))
            await talk.settle(1)
            assert not talk.host.open
            assert talk.session.turn.agent_state == "listening"

    run(main())


def test_the_output_of_a_call_from_before_a_reset_was_sent_after_it() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(CALL)
            talk.session.update_options(voice="other")
            await talk.host.output(talk.host.owed[0])
            await talk.settle(1)
            assert talk.order() == ["config", "reset"]
            assert not talk.host.open
            assert talk.host.named("tool_output_dropped") == ["c1"]

    run(main())


def test_old_words_that_crossed_a_reset_became_the_new_agent_s() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("Old ", finished=False))
            await talk.session._update_session(instructions="Another.", chat_ctx=llm.ChatContext.empty(), tools=[])
            await talk.hears(LATE, LATE)
            await talk.settle(2)
            assert [one.text for one in talk.host.generations] == ["Old "]
            assert talk.said() in ([], [("assistant", "Old ")])
            assert "late" not in str(talk.said())

    run(main())


def test_a_call_behind_speech_that_the_user_cut_never_got_an_output() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.say("This is a rather long sentence that was streamed far ahead of the user's ears.")
        await call.send(CALL)
        await asks(call, "Never mind.")
        output = await call.expect("tool_call_output", timeout=60)
        assert output["tool_call_id"] == "c1"

    async def main() -> None:
        async with calling(server, tools=[weather]) as (call, scripted):
            await asyncio.sleep(62)
            assert scripted.connections[0].received_types().count("tool_call_output") == 1
            assert adapter(call).turn.calls == {}
            assert call.session.agent_state == "listening"

    run(main())


def test_an_output_waited_for_a_request_that_nobody_answered() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(CALL)
            talk.host.generate_reply()
            await talk.host.output(talk.host.owed[0])
            await talk.settle()
            assert "tool_call_output" in talk.order()

    run(main())


# -- two sessions of one model -------------------------------------------------------------------------------------


def test_two_customers_of_one_model_were_sent_the_same_prompt() -> None:
    async def main() -> None:
        async with PhonicServer(attentive) as server:
            model = RealtimeModel(api_key=KEY, base_url=server.url)
            talks = [Talk(server, model), Talk(server, model)]
            for number, talk in enumerate(talks):
                await talk.configure(instructions=f"Customer {number}.")
            for talk in talks:
                await talk.until_ready()
            prompts = {connection.protocol.config["system_prompt"] for connection in server.connections}
            assert prompts == {"Customer 0.", "Customer 1."}
            model.update_options(voice="new")
            await talks[0].settle()
            for number, connection in enumerate(server.connections):
                assert connection.received_types() == ["config", "reset"], number
                assert connection.protocol.config["voice_id"] == "new"
            prompts = {connection.protocol.config["system_prompt"] for connection in server.connections}
            assert prompts == {"Customer 0.", "Customer 1."}
            for talk in talks:
                await talk.session.aclose()
        server.assert_client_correct()

    run(main())


# -- requests ------------------------------------------------------------------------------------------------------


def test_a_new_request_cancelled_the_first_and_both_were_asked_at_once() -> None:
    async def main() -> None:
        async with talking() as talk:
            first, second = talk.host.generate_reply(), talk.host.generate_reply()
            await talk.settle()
            assert len(talk.sent("generate_reply")) == 1
            await talk.hears(*spoken("First."), *spoken("Second."))
            assert [first.result(), second.result()] == [one.event for one in talk.host.generations]

    run(main())


def test_a_request_was_resolved_by_the_old_agent_s_answer_or_by_a_phantom() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(CALL)
            await talk.host.output(talk.host.owed[0])
            reply = talk.host.generate_reply()
            await talk.settle(1)
            assert not reply.done()
            await talk.hears(TAKEN, *spoken("Sunny."))  # the oldest debt is paid first: the tool's
            assert not reply.done()
            await talk.hears(*spoken("As asked."))
            assert reply.result() is talk.last.event

    run(main())


# -- the user ------------------------------------------------------------------------------------------------------


def test_a_goodbye_was_cut_a_moment_after_it_began() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.say("Goodbye, and thank you for calling us today.")
        await call.send(messages.assistant_ended_conversation())
        await call.close(4600, "assistant ended")

    async def main() -> None:
        async with calling(server) as (call, _):
            ended: list[object] = []
            adapter(call).on("conversation_ended", ended.append)
            await call.until(lambda: ended, timeout=20)
            await call.idle()
            (heard,) = call.speaker.heard
            assert not heard.interrupted
            assert call.history() == [("assistant", "Goodbye, and thank you for calling us today.", False)]
            assert call.named("error") == []

    run(main())


def test_what_phonic_said_was_heard_was_ignored_and_fed_into_the_next_reset() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("I will now ", "read ", "all items."), messages.user_started_speaking())
            await talk.hears(messages.user_finished_speaking(), messages.interrupted_response("I will now"))
            talk.session.update_options(voice="other")
            await talk.settle()
            (reset,) = talk.sent("reset")
            assert "I will now" in reset["config"]["system_prompt"]
            assert "items" not in reset["config"]["system_prompt"]

    run(main())


def test_a_cough_left_the_user_speaking_for_ever() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.send(messages.user_started_speaking())
        await call.send(messages.input_cancelled())

    async def main() -> None:
        async with calling(server) as (call, _):
            await call.until(lambda: call.user_states)
            await asyncio.sleep(0.1)
            assert call.session.user_state == "listening"

    run(main())


def test_changed_instructions_and_tools_were_not_sent() -> None:
    async def main() -> None:
        async with talking(tools=()) as talk:
            await talk.session.update_instructions("Speak like a pirate.")
            await talk.session.update_tools([weather])
            await talk.settle()
            assert talk.order() == ["config", "update_system_prompt", "update_tools_subset"]

    run(main())


def test_a_murmur_while_the_user_spoke_landed_behind_the_user_s_words_as_an_interrupted_message() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(messages.user_started_speaking())
            await talk.settle(0.5)
            await talk.hears(messages.audio_chunk(SOUND, "mm-hmm"))
            await talk.settle(2.5)
            await talk.hears(messages.user_finished_speaking(), messages.input_text("And so on."), *spoken("I see."))
            items = [item for item in talk.session.chat_ctx.items if isinstance(item, llm.ChatMessage)]
            assert [item.text_content for item in items] == ["And so on.", "I see."]
            assert not any(item.interrupted for item in items)
            assert talk.session.turn.ignored["NOISE"] == 2

    run(main())


def test_an_interruption_by_the_host_left_the_unheard_rest_in_the_context() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("One ", finished=False))
            talk.session.interrupt()
            await talk.hears(*[messages.audio_chunk(SOUND, word) for word in ("two ", "three ", "four")])
            await talk.hears(messages.assistant_finished_speaking(), *user("Thanks."))
            assert talk.said() == [("assistant", "One "), ("user", "Thanks.")]

    run(main())
