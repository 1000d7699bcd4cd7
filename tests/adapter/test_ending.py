"""The AgentSession after the conversation has ended."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from livekit.agents import Agent, CloseEvent, function_tool

from rtfsm.adapters.livekit import close_when_ended, reply_ephemeral
from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.testing.phonic_server import Call as ServerCall
from rtfsm.testing.phonic_server import PhonicServer, messages
from rtfsm.testing.virtual_time import run
from tests.adapter.caller import calling
from tests.adapter.stage import KEY

GOODBYE = "Goodbye, and thank you for calling us today."


async def hangs_up(call: ServerCall) -> None:
    """Says goodbye, streamed far ahead, and hangs up at once."""
    await call.handshake()
    await call.say(GOODBYE)
    await call.send(messages.assistant_ended_conversation())
    await call.close(4600, "assistant ended")


def test_the_goodbye_is_heard_and_then_the_session_closes_without_an_error() -> None:
    async def main() -> None:
        async with calling(hangs_up) as (call, _):
            close_when_ended(call.session)
            await call.until(lambda: call.named("close"), timeout=20)
            (closed,) = call.named("close")
            assert isinstance(closed, CloseEvent)
            assert closed.error is None
            assert closed.reason.value == "user_initiated"
            assert call.named("error") == []
            (heard,) = call.speaker.heard
            assert not heard.interrupted
            assert call.history() == [("assistant", GOODBYE, False)]

    run(main())


def test_without_it_the_session_stays() -> None:
    async def main() -> None:
        async with calling(hangs_up) as (call, _):
            await asyncio.sleep(20)
            assert call.named("close") == []

    run(main())


def test_a_conversation_that_is_over_before_anybody_asks_closes_the_session_too() -> None:
    async def main() -> None:
        async with calling(hangs_up) as (call, _):
            await asyncio.sleep(20)
            close_when_ended(call.session)
            await call.until(lambda: call.named("close"), timeout=5)
            assert call.named("error") == []

    run(main())


def test_it_follows_the_session_to_an_agent_with_a_model_of_its_own() -> None:
    async def first(call: ServerCall) -> None:
        await call.handshake()
        await call.say("One moment.")

    async def main() -> None:
        async with calling(first) as (call, _):
            close_when_ended(call.session)
            await call.until(lambda: call.history())
            await call.idle()
            async with PhonicServer(hangs_up) as other:
                model = RealtimeModel(api_key=KEY, base_url=other.url)
                call.session.update_agent(Agent(instructions="You are another.", llm=model))
                await call.until(lambda: call.named("close"), timeout=20)
            assert call.named("error") == []
            assert call.history()[-1] == ("assistant", GOODBYE, False)

    run(main())


def test_a_tool_that_runs_at_the_end_is_waited_for() -> None:
    ran: list[str] = []

    @function_tool
    async def note() -> str:
        """Takes a note."""
        await asyncio.sleep(2)
        ran.append("noted")
        return "noted"

    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.send(messages.tool_call("c1", "note"))
        await call.delay(0.5)
        await call.send(messages.assistant_ended_conversation())
        await call.close(4600)

    async def main() -> None:
        async with calling(server, tools=[note]) as (call, _):
            close_when_ended(call.session)
            await call.until(lambda: call.named("close"), timeout=20)
            assert ran == ["noted"]
            assert call.named("error") == []

    run(main())


def test_what_is_no_agent_session_is_refused_by_its_type() -> None:
    model = RealtimeModel(api_key=KEY)
    for wrong in (None, model, "session"):
        with pytest.raises(TypeError, match=f"AgentSession, not a {type(wrong).__name__}"):
            close_when_ended(cast(Any, wrong))
        with pytest.raises(TypeError, match=f"AgentSession, not a {type(wrong).__name__}"):
            asyncio.run(reply_ephemeral(cast(Any, wrong)))
