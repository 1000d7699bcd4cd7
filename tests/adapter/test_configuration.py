"""Another configuration in the middle of a conversation, and the configurations of two conversations."""

from __future__ import annotations

import asyncio
from typing import Any

from livekit.agents import function_tool, llm

from rtfsm.testing.phonic_server import Call, messages
from rtfsm.testing.virtual_time import run
from tests.adapter.stage import SOUND, Talk, spoken, talking, user, weather


def _error(future: asyncio.Future[Any]) -> str:
    error = future.exception()
    assert type(error) is llm.RealtimeError
    return str(error)


@function_tool
async def clock() -> str:
    """Tells the time."""
    return "noon"


def test_another_agent_takes_over_by_a_reset_that_ends_what_was_open() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(
                *spoken("Old ", "words ", finished=False), messages.tool_call("c1", "weather", {"city": "Rome"})
            )
            ctx = llm.ChatContext.empty()
            ctx.add_message(role="user", content="I want to pay.")
            await talk.session._update_session(instructions="You are the cashier.", chat_ctx=ctx, tools=[clock])
            assert not talk.host.open
            assert talk.host.named("tool_call_ended") == [("c1", "ORPHANED")]
            await talk.host.output(talk.host.owed[0])
            await talk.hears(messages.audio_chunk(SOUND, "stale"), messages.assistant_finished_speaking())
            assert talk.order() == ["config", "reset"]
            (reset,) = talk.sent("reset")
            assert "You are the cashier." in reset["config"]["system_prompt"]
            assert "I want to pay." in reset["config"]["system_prompt"]
            assert [tool["tool_schema"]["function"]["name"] for tool in reset["config"]["tools"]] == ["clock"]
            await talk.hears(*spoken("Cash?"))
            old, released, new = talk.host.generations
            assert (old.text, new.text) == ("Old words ", "Cash?")
            assert (released.messages, released.calls, released.sealed) == ([], [], True)

    run(main())


def test_one_change_of_options_is_one_reset_with_the_history_and_no_welcome() -> None:
    async def main() -> None:
        async with talking(welcome_message="Hello!") as talk:
            await talk.hears(*spoken("Hello!"), *user("In French, please."))
            talk.session.update_options(default_language="fr", audio_speed=0.9)
            talk.session.update_options(default_language="fr")
            talk.session.update_options(tool_choice="auto")
            await talk.settle()
            (reset,) = talk.sent("reset")
            assert (reset["config"]["default_language"], reset["config"]["audio_speed"]) == ("fr", 0.9)
            assert "In French, please." in reset["config"]["system_prompt"]
            assert reset["config"]["welcome_message"] is None
            assert weather.info.name in str(reset["config"]["tools"])

    run(main())


def test_an_agent_that_takes_over_before_the_start_brings_what_was_said() -> None:
    async def slow(call: Call) -> None:
        await call.handshake(ready_after=2)

    async def main() -> None:
        async with talking(slow, ready=False) as talk:
            await talk.until(lambda: talk.session.turn.session == "STARTING")
            ctx = llm.ChatContext.empty()
            ctx.add_message(role="user", content="My name is Ann.")
            await talk.session._update_session(instructions="Another.", chat_ctx=ctx, tools=[weather])
            await talk.until_ready()
            await talk.settle()
            assert talk.order() == ["config", "reset"]
            assert "My name is Ann." in talk.connection.protocol.config["system_prompt"]
            await talk.session.update_instructions("Shorter.")
            await talk.settle()
            assert talk.order() == ["config", "reset", "update_system_prompt"]

    run(main())


def test_template_variables_are_filled_where_the_message_allows_none() -> None:
    async def main() -> None:
        async with talking(template_variables={"name": "Ann"}) as talk:
            await talk.session.update_instructions("Greet {{ name }}, {{name}} and {{nobody}}.")
            await talk.settle()
            assert talk.sent("update_system_prompt")[0]["system_prompt"] == "Greet Ann, Ann and { {nobody}}."

    run(main())


def test_a_request_that_a_reset_overtakes_fails() -> None:
    async def main() -> None:
        async with talking() as talk:
            reply = talk.host.generate_reply()
            await talk.settle()
            talk.session.update_options(voice="other")
            assert _error(reply)

    run(main())


def test_two_sessions_of_one_model_share_no_option() -> None:
    async def main() -> None:
        async with talking(voice="first") as talk:
            other = Talk(talk.server, talk.model)
            await other.configure(instructions="Another customer.")
            await other.until_ready()
            one, two = talk.server.connections
            talk.session.update_options(voice="second")
            await talk.settle()
            assert one.received_types() == ["config", "reset"]
            assert two.received_types() == ["config"]
            other.session.update_options(audio_speed=1.3)
            await other.settle()
            reset = next(record.message for record in two.received if record.type == "reset")
            assert reset is not None
            assert reset["config"]["voice_id"] == "first"
            assert reset["config"]["system_prompt"].startswith("Another customer.")
            talk.session.update_options(voice="second")
            await talk.settle()
            assert one.received_types() == ["config", "reset"]
            talk.model.update_options(voice="third")
            await talk.settle()
            assert one.received_types() == ["config", "reset", "reset"]
            assert two.received_types() == ["config", "reset", "reset"]
            await other.session.aclose()
            third = Talk(talk.server, talk.model)
            await third.configure()
            await third.until_ready()
            assert talk.server.connections[-1].protocol.config["voice_id"] == "third"
            await third.session.aclose()

    run(main())


def test_a_narrow_change_sends_the_narrowest_message() -> None:
    async def main() -> None:
        async with talking(tools=()) as talk:
            await talk.session.update_instructions("Be funny.")
            await talk.session.update_tools([weather])
            await talk.session.update_tools([weather])
            await talk.session.update_instructions("Be funny.")
            await talk.settle()
            assert talk.order() == ["config", "update_system_prompt", "update_tools_subset"]
            assert talk.session.tools.function_tools.keys() == {"weather"}

    run(main())


def test_a_system_message_is_told_and_typed_words_go_with_the_question() -> None:
    async def main() -> None:
        async with talking() as talk:
            ctx = talk.session.chat_ctx
            ctx.add_message(role="system", content="The user is a pilot.")
            ctx.add_message(role="user", content="Where am I?")
            await talk.session.update_chat_ctx(ctx)
            talk.host.generate_reply(instructions="Be exact.")
            await talk.settle()
            assert talk.order() == ["config", "add_system_message", "generate_reply"]
            (asked,) = talk.sent("generate_reply")
            assert (asked["user_message"], asked["system_message"]) == ("Where am I?", "Be exact.")

    run(main())
