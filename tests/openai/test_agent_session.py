"""Whole calls: a real AgentSession, ours, and the scripted Realtime service."""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import Agent, function_tool

from rtfsm.testing.openai_server import Call, OpenAIServer
from rtfsm.testing.virtual_time import run
from tests.openai.caller import adapter, calling
from tests.openai.stage import frame


def responses(server: OpenAIServer) -> int:
    """Responses that have ended."""
    return sum(connection.sent_types().count("response.done") for connection in server.connections)


def test_a_question_a_tool_and_an_answer() -> None:
    @function_tool
    async def weather(city: str) -> str:
        """Tells the weather.

        Args:
            city: where
        """
        return f"sunny in {city}"

    async def scenario(call: Call) -> None:
        await call.user_says("How is the weather in Rome?")
        response = await call.next_response()
        await response.say("One moment.")
        await response.call_tool("weather", {"city": "Rome"})
        await response.done()
        answer = await call.next_response()
        assert answer.origin == "client"
        await answer.say("It is sunny in Rome.")
        await answer.done()

    async def main() -> None:
        async with calling(scenario, tools=[weather], sync_transcript=True) as (call, server):
            await call.until(lambda: responses(server) == 2)
            await call.idle()
            assert call.history() == [
                ("user", "How is the weather in Rome?", False),
                ("assistant", "One moment.", False),
                ("assistant", "It is sunny in Rome.", False),
            ]
            assert [state for _, _, state in call.states if state != "initializing"][-2:] == ["speaking", "listening"]
            mirror = [item.id for item in adapter(call).chat_ctx.items]
            assert mirror == [item.id for item in server.connections[0].service.conversation.items]
            assert server.connections[0].service.conversation.open_calls == []

    run(main())


@pytest.mark.parametrize("turns", [1, 3])
def test_turns_that_livekit_decides_on_are_committed_and_answered(turns: int) -> None:
    async def scenario(call: Call) -> None:
        for number in range(turns):
            response = await call.next_response()
            await call.transcribe(call.service.commits[-1], f"Question {number}.")
            await response.say(f"Answer {number}.")
            await response.done()

    async def main() -> None:
        manual = {"turn_detection": "manual"}
        async with calling(scenario, turn_handling=manual) as (call, server):
            await call.until(lambda: adapter(call).turn.session == "READY")
            assert not adapter(call).capabilities.turn_detection
            session = server.connections[0].service.session
            assert session.turn_detection is None
            for _ in range(turns):
                for _ in range(25):
                    adapter(call).push_audio(frame())
                    await asyncio.sleep(0.02)
                call.session.commit_user_turn()
                await asyncio.sleep(0.5)
                await call.idle()
            heard = [text for role, text, _ in call.history() if role == "assistant"]
            assert heard == [f"Answer {number}." for number in range(turns)]
            assert len(server.connections[0].service.commits) == turns

    run(main())


def test_a_handoff_keeps_the_session_and_changes_what_it_is() -> None:
    async def scenario(call: Call) -> None:
        await call.user_says("Let me talk to somebody else.")
        response = await call.next_response()
        await response.say("One moment.")
        await response.done()
        await call.delay(3.0)
        await call.user_says("Hello?")
        response = await call.next_response()
        await response.say("Another here.")
        await response.done()

    async def main() -> None:
        async with calling(scenario, Agent(instructions="Be one.")) as (call, server):
            await call.until(lambda: responses(server) == 1)
            await call.idle()
            first = adapter(call)
            call.session.update_agent(Agent(instructions="Be another."))
            await call.until(lambda: responses(server) == 2)
            await call.idle()
            assert adapter(call) is first
            assert len(server.connections) == 1
            assert "Be another." in server.connections[0].service.session.config["instructions"]
            assert ("assistant", "Another here.", False) in call.history()
            # The other agent begins with a record of its own, and the service is told to forget the rest.
            told = [item.text for item in server.connections[0].service.conversation.items]
            assert "Another here." in told
            assert "One moment." not in told

    run(main())


def test_an_interruption_by_the_application_cuts_the_message_and_forgets_the_next() -> None:
    async def scenario(call: Call) -> None:
        response = await call.start_response()
        await response.say("This is said for quite a while so that it can be cut", speed=float("inf"))
        await response.say("Never heard.", speed=float("inf"))
        await response.done()

    async def main() -> None:
        async with calling(scenario, sync_transcript=True) as (call, server):
            await call.until(lambda: call.session.agent_state == "speaking")
            await asyncio.sleep(1.0)
            await call.session.interrupt()
            await asyncio.sleep(2.0)
            await call.idle()
            ((role, text, cut),) = call.history()
            assert (role, cut) == ("assistant", True)
            assert text.startswith("This is said")
            service = server.connections[0].service
            assert len(service.conversation.items) == 1
            assert [item.id for item in adapter(call).chat_ctx.items] == [
                item.id for item in service.conversation.items
            ]
            assert server.connections[0].received_types().count("conversation.item.truncate") == 1

    run(main())


def test_a_typed_question_is_answered() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        assert [item.text for item in call.conversation.items] == ["What time is it?"]
        await response.say("It is noon.")
        await response.done()

    async def main() -> None:
        async with calling(scenario) as (call, _):
            await call.until(lambda: adapter(call).turn.session == "READY")
            handle = call.session.generate_reply(user_input="What time is it?")
            await handle
            await call.idle()
            assert call.history() == [("user", "What time is it?", False), ("assistant", "It is noon.", False)]

    run(main())


def test_words_cannot_be_said_without_a_voice_of_their_own() -> None:
    async def scenario(call: Call) -> None:
        await call.delay(1.0)

    async def main() -> None:
        async with calling(scenario) as (call, _):
            await call.until(lambda: adapter(call).turn.session == "READY")
            with pytest.raises(RuntimeError, match="TTS"):
                await call.session.say("These words.")

    run(main())
