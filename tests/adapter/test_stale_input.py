"""What the host said too early or too late for the moment at which it would count."""

from __future__ import annotations

import asyncio

from livekit.agents import llm

from rtfsm.testing.phonic_server import Call, messages
from rtfsm.testing.virtual_time import run
from tests.adapter.stage import spoken, talking, user, weather


def test_what_overtook_the_consent_dies_with_the_agent_that_another_replaced() -> None:
    """A call of the old agent is not replayed into the new one's conversation, nor answered there with an error."""

    async def hasty(call: Call) -> None:
        await call.expect("config")
        await call.send(messages.conversation_created("c"))
        await call.send(messages.tool_call("old", "weather", {"city": "Rome"}))
        await call.delay(2)
        await call.send(messages.ready_to_start_conversation())

    async def main() -> None:
        async with talking(hasty, ready=False) as talk:
            await talk.until(lambda: talk.server.connections and "tool_call" in talk.connection.sent_types())
            await talk.settle()
            assert talk.session.turn.session == "STARTING"
            ctx = llm.ChatContext.empty()
            ctx.add_message(role="user", content="Somebody else, please.")
            await talk.session._update_session(instructions="Another.", chat_ctx=ctx, tools=[weather])
            await talk.until_ready()
            await talk.settle(70)
            assert talk.order() == ["config", "reset"]
            assert talk.host.owed == []
            assert talk.session.turn.ignored["STALE"] == 1

    run(main())


def test_typed_words_are_asked_with_the_request_that_follows_them() -> None:
    async def main() -> None:
        async with talking() as talk:
            ctx = talk.session.chat_ctx
            ctx.add_message(role="user", content="What is new?")
            await talk.session.update_chat_ctx(ctx)
            talk.host.generate_reply()
            await talk.settle()
            assert talk.sent("generate_reply")[0]["user_message"] == "What is new?"
            await talk.hears(*spoken("Nothing."))

    run(main())


def test_typed_words_that_a_turn_followed_are_not_asked_again() -> None:
    async def main() -> None:
        async with talking() as talk:
            ctx = talk.session.chat_ctx
            ctx.add_message(role="user", content="What is new?")
            await talk.session.update_chat_ctx(ctx)
            await asyncio.sleep(1)
            await talk.hears(*spoken("Are you there?"), *user("Yes."))
            talk.host.generate_reply(instructions="Say goodbye.")
            await talk.settle()
            (request,) = talk.sent("generate_reply")
            assert "user_message" not in request
            assert request["system_message"] == "Say goodbye."
            await talk.hears(*spoken("Goodbye."))

    run(main())


def test_nothing_to_say_fails_at_once_and_is_not_sent() -> None:
    async def main() -> None:
        async with talking() as talk:
            future = talk.session.say("  ")
            assert isinstance(future.exception(), llm.RealtimeError)
            await talk.settle()
            assert talk.sent("say") == []

    run(main())
