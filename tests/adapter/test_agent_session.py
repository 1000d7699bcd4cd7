"""A real AgentSession with our model, against the scripted server: what a caller hears and what is remembered."""

from __future__ import annotations

import asyncio

from livekit.agents import Agent, function_tool, llm
from livekit.agents.voice.run_result import RunResult

from rtfsm.testing.phonic_server import Call as ServerCall
from rtfsm.testing.phonic_server import messages
from rtfsm.testing.virtual_time import run
from tests.adapter.caller import adapter, asks, calling, states
from tests.adapter.stage import weather


def test_a_turn_is_heard_to_its_end_and_remembered() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await asks(call, "Who are you?")
        await call.say("I am the assistant.")

    async def main() -> None:
        async with calling(server) as (call, _):
            await call.until(lambda: len(call.history()) == 2)
            await call.idle()
            assert call.history() == [("user", "Who are you?", False), ("assistant", "I am the assistant.", False)]
            assert states(call) == ["listening", "speaking", "listening"]
            (heard,) = call.speaker.heard
            assert not heard.interrupted
            assert [new for _, _, new in call.user_states] == ["speaking", "listening"]
            assert call.transcript.segments == ["I am the assistant."]

    run(main())


def test_a_welcome_is_spoken_before_the_user_says_anything() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        assert call.config["welcome_message"] == "Hello there."
        await call.say("Hello there.")

    async def main() -> None:
        async with calling(server, model={"welcome_message": "Hello there."}) as (call, _):
            await call.until(lambda: call.history())
            assert call.history() == [("assistant", "Hello there.", False)]

    run(main())


def test_a_tool_runs_after_the_speech_and_its_answer_is_one_more_turn() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await asks(call, "Weather in Rome?")
        await call.say("One moment.")
        await call.send(messages.tool_call("c1", "weather", {"city": "Rome"}))
        output = await call.expect("tool_call_output")
        await call.send(messages.tool_call_output_processed("c1", "weather", output=output["output"]))
        await call.say("It is " + output["output"])

    async def main() -> None:
        async with calling(server, tools=[weather]) as (call, _):
            await call.until(lambda: len(call.history()) == 3)
            await call.idle()
            assert call.history()[1:] == [
                ("assistant", "One moment.", False), ("assistant", "It is sunny in Rome", False),
            ]  # fmt: skip
            kinds = [item.type for item in call.session.history.items]
            assert (kinds.count("function_call"), kinds.count("function_call_output")) == (1, 1)
            assert states(call)[-1] == "listening"

    run(main())


def test_two_tools_at_once_are_answered_together() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.send(messages.tool_call("c1", "weather", {"city": "Rome"}))
        await call.send(messages.tool_call("c2", "weather", {"city": "Oslo"}))
        for _ in range(2):
            output = await call.expect("tool_call_output", timeout=5)
            await call.send(messages.tool_call_output_processed(output["tool_call_id"], "weather"))
        await call.say("Sun in both.")

    async def main() -> None:
        async with calling(server, tools=[weather]) as (call, scripted):
            await call.until(lambda: call.history())
            await call.idle()
            assert call.history() == [("assistant", "Sun in both.", False)]
            outputs = [one.message for one in scripted.connections[0].received if one.type == "tool_call_output"]
            assert {one["tool_call_id"]: one["output"] for one in outputs if one} == {
                "c1": "sunny in Rome", "c2": "sunny in Oslo",
            }  # fmt: skip

    run(main())


def test_a_barge_in_stops_the_sound_and_keeps_what_was_heard() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        turn = call.turn("I will now read a very long list of items to you.")
        await call.speak(turn)
        await call.delay(1.0)
        heard = turn.heard(call.now)
        await call.send(messages.user_started_speaking())
        await call.delay(0.5)
        await call.send(messages.user_finished_speaking())
        await call.send(messages.interrupted_response(heard))
        await call.send(messages.input_text("Stop."))
        await call.say("Of course.")

    async def main() -> None:
        async with calling(server, sync_transcript=True) as (call, _):
            await call.until(lambda: len(call.history()) == 3)
            await call.idle()
            (_, cut, interrupted), question, answer = call.history()
            assert interrupted
            assert cut
            assert "I will now read a very long list of items to you.".startswith(cut.strip())
            assert len(cut) < 40
            assert (question, answer) == (("user", "Stop.", False), ("assistant", "Of course.", False))
            first, second = call.speaker.heard
            assert first.interrupted
            assert 0.9 < first.position < 2.0
            assert not second.interrupted
            own = [item.text_content for item in adapter(call).chat_ctx.items if item.type == "message"]
            assert own[0] is not None
            assert len(own[0]) < 40

    run(main())


def test_say_speaks_the_words_and_generate_reply_asks_for_some() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        words = await call.expect("say")
        await call.say(words["text"])
        asked = await call.expect("generate_reply")
        assert asked["system_message"] == "Ask for the name."
        await call.say("What is your name?")

    async def main() -> None:
        async with calling(server) as (call, _):
            await call.session.say("Please hold.")
            handle = await call.session.generate_reply(instructions="Ask for the name.")
            assert handle.exception() is None
            assert call.history() == [
                ("assistant", "Please hold.", False), ("assistant", "What is your name?", False),
            ]  # fmt: skip

    run(main())


def test_a_reply_that_never_comes_ends_the_handle_with_an_error() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()

    async def main() -> None:
        async with calling(server, allowed=("failed to generate a reply",)) as (call, _):
            handle = call.session.generate_reply()
            await asyncio.wait_for(handle.wait_for_playout(), 15)
            assert isinstance(handle.exception(), llm.RealtimeError)
            assert call.session.agent_state == "listening"

    run(main())


def test_a_reply_that_is_interrupted_before_it_begins_is_never_heard() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.expect("generate_reply")
        await call.delay(1.0)
        await call.say("Nobody wants to hear this.")
        await call.delay(2.0)
        await call.say("But this.")

    async def main() -> None:
        async with calling(server) as (call, _):
            handle = call.session.generate_reply()
            await call.until(lambda: adapter(call).turn.replies)
            await asyncio.sleep(0.3)
            await handle.interrupt()
            await call.until(lambda: call.history(), timeout=20)
            await call.idle()
            assert call.history() == [("assistant", "But this.", False)]

    run(main())


def test_run_with_typed_input_and_a_tool_returns_the_answer() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        asked = await call.expect("generate_reply")
        assert asked["user_message"] == "What is the weather in Rome?"
        await call.send(messages.tool_call("c1", "weather", {"city": "Rome"}))
        output = await call.expect("tool_call_output")
        await call.send(messages.tool_call_output_processed("c1", "weather", output=output["output"]))
        await call.say("It is sunny.")

    async def main() -> None:
        async with calling(server, tools=[weather]) as (call, _):
            await call.until(lambda: adapter(call).turn.session == "READY")
            result: RunResult[None] = await call.session.run(user_input="What is the weather in Rome?")
            result.expect.contains_function_call(name="weather", arguments={"city": "Rome"})
            result.expect.contains_function_call_output(output="sunny in Rome")
            answer = result.expect.contains_message(role="assistant").event().item
            assert answer.text_content == "It is sunny."

    run(main())


def test_what_is_typed_before_the_start_is_part_of_the_configuration() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        assert "user: What is the weather?" in call.config["system_prompt"]
        await call.expect("generate_reply")
        await call.say("Fine.")

    async def main() -> None:
        async with calling(server) as (call, _):
            await call.session.run(user_input="What is the weather?")
            assert call.history() == [("user", "What is the weather?", False), ("assistant", "Fine.", False)]

    run(main())


class Cashier(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="You are the cashier.", tools=[weather])

    async def on_enter(self) -> None:
        self.session.generate_reply(instructions="Ask how they pay.")


class Waiter(Agent):
    def __init__(self) -> None:
        super().__init__(instructions="You are the waiter.")

    @function_tool
    async def pay(self) -> Agent:
        """Fetches the cashier."""
        return Cashier()


def test_another_agent_takes_over_on_the_same_connection() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.say("Anything else?")
        await call.expect("reset")
        assert "You are the cashier." in call.config["system_prompt"]
        await call.expect("generate_reply")
        await call.say("Cash or card?")

    async def main() -> None:
        async with calling(server, Waiter()) as (call, scripted):
            await call.until(lambda: call.history())
            before = adapter(call)
            call.session.update_agent(Cashier())
            await call.until(lambda: len(call.history()) == 2, timeout=20)
            await call.idle()
            assert call.history()[1] == ("assistant", "Cash or card?", False)
            assert adapter(call) is before
            assert len(scripted.connections) == 1

    run(main())


def test_a_tool_can_hand_the_call_to_another_agent() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await asks(call, "I want to pay.")
        await call.send(messages.tool_call("c1", "pay"))
        await call.expect("reset")
        await call.expect("generate_reply")
        await call.say("Cash or card?")

    async def main() -> None:
        async with calling(server, Waiter()) as (call, scripted):
            await call.until(lambda: len(call.history()) == 2, timeout=20)
            await call.idle()
            assert call.history()[-1] == ("assistant", "Cash or card?", False)
            assert len(scripted.connections) == 1
            await call.until(lambda: call.session.agent_state == "listening")

    run(main())


@function_tool
async def slow_weather(city: str) -> str:
    """Tells the weather, after a while."""
    await asyncio.sleep(3)
    return f"sunny in {city}"


class Lingering(Agent):
    async def on_exit(self) -> None:
        await asyncio.sleep(5)


async def calls_a_tool(call: ServerCall) -> None:
    await call.handshake()
    await call.send(messages.tool_call("c1", "slow_weather", {"city": "Rome"}))


def test_an_agent_that_takes_over_from_a_tool_is_not_left_thinking() -> None:
    async def main() -> None:
        async with calling(calls_a_tool, tools=[slow_weather]) as (call, scripted):
            await call.until(lambda: states(call)[-1:] == ["thinking"])
            call.session.update_agent(Agent(instructions="You are another."))
            await call.until(lambda: "reset" in [one.type for one in scripted.connections[0].received])
            await call.until(lambda: call.session.agent_state == "listening", 1.0)

    run(main())


def test_an_answer_that_a_handoff_skipped_leaves_nobody_thinking() -> None:
    async def server(call: ServerCall) -> None:
        await calls_a_tool(call)
        await call.expect("tool_call_output")
        await call.say("It is sunny.")

    async def main() -> None:
        agent = Lingering(instructions="You are one.", tools=[slow_weather])
        allowed = ["skipping new realtime generation"]
        async with calling(server, agent, allowed=allowed) as (call, scripted):
            await call.until(lambda: states(call)[-1:] == ["thinking"])
            call.session.update_agent(Agent(instructions="You are another."))
            await call.until(lambda: "reset" in [one.type for one in scripted.connections[0].received])
            await call.until(lambda: call.session.agent_state == "listening", 1.0)
            assert call.history() == []

    run(main())


def test_a_handoff_in_the_middle_of_an_outage_leaves_nobody_thinking() -> None:
    async def server(call: ServerCall) -> None:
        if call.connection.number:
            await call.handshake()
            return
        await calls_a_tool(call)
        await call.delay(1)
        await call.drop()

    async def main() -> None:
        allowed = ["skipping new realtime generation"]
        async with calling(server, tools=[slow_weather], allowed=allowed) as (call, scripted):
            await call.until(lambda: states(call)[-1:] == ["thinking"])
            call.session.update_agent(Agent(instructions="You are another."))
            await call.until(lambda: len(scripted.connections) == 2)
            await call.until(lambda: call.session.agent_state == "listening", 3.0)

    run(main())


def test_an_answer_that_is_cut_while_it_waits_for_its_turn_leaves_nobody_thinking() -> None:
    async def server(call: ServerCall) -> None:
        await calls_a_tool(call)
        await call.expect("tool_call_output")
        await call.expect("generate_reply")
        await call.send(messages.assistant_started_speaking())
        await call.delay(0.2)
        await call.send(messages.user_started_speaking())
        await call.delay(0.2)
        await call.send(messages.user_finished_speaking())

    async def main() -> None:
        async with calling(server, tools=[slow_weather]) as (call, scripted):
            await call.until(lambda: states(call)[-1:] == ["thinking"])
            await call.until(lambda: "tool_call_output" in [one.type for one in scripted.connections[0].received])
            call.session.generate_reply()
            await call.until(lambda: [new for _, _, new in call.user_states] == ["speaking", "listening"])
            await call.until(lambda: call.session.agent_state == "listening", 1.0)

    run(main())


def test_a_release_that_is_cut_while_it_waits_for_its_turn_is_given_again() -> None:
    async def server(call: ServerCall) -> None:
        await calls_a_tool(call)
        await call.expect("tool_call_output")
        await call.expect("generate_reply")
        await call.send(messages.assistant_chose_not_to_respond())
        await call.delay(0.2)
        await call.send(messages.user_started_speaking())
        await call.delay(0.2)
        await call.send(messages.user_finished_speaking())

    async def main() -> None:
        async with calling(server, tools=[slow_weather]) as (call, scripted):
            await call.until(lambda: states(call)[-1:] == ["thinking"])
            await call.until(lambda: "tool_call_output" in [one.type for one in scripted.connections[0].received])
            call.session.generate_reply()
            await call.until(lambda: [new for _, _, new in call.user_states] == ["speaking", "listening"])
            await call.until(lambda: call.session.agent_state == "listening", 1.0)

    run(main())


def test_a_lost_connection_goes_unnoticed_by_the_agent_session() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        if call.connection.number == 0:
            await call.say("One.")
            await call.delay(1)
            await call.drop()
        await call.say("Two.")

    async def main() -> None:
        async with calling(server) as (call, _):
            await call.until(lambda: len(call.history()) == 2, timeout=20)
            await call.idle()
            assert call.history() == [("assistant", "One.", False), ("assistant", "Two.", False)]
            assert call.named("error") == []
            assert call.named("close") == []

    run(main())


def test_closing_in_the_middle_of_a_sentence_is_quick() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.say("This sentence is long enough to be cut by whoever hangs up.")

    async def main() -> None:
        async with calling(server) as (call, _):
            await call.until(lambda: call.speaker.playing)
            await asyncio.sleep(0.5)
            began = asyncio.get_running_loop().time()
            await call.session.aclose()
            assert asyncio.get_running_loop().time() - began < 1.0

    run(main())


def test_a_fatal_error_closes_the_agent_session_at_once() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.say("Half a", brackets=True)
        await call.close(4010, "too many")

    async def main() -> None:
        async with calling(server, allowed=("AgentSession is closing due to unrecoverable error",)) as (call, _):
            await call.until(lambda: call.named("close"), timeout=10)
            (closed,) = call.named("close")
            assert closed.reason.value == "error"
            assert len(call.named("error")) == 1

    run(main())
