"""Tool calls: run once, answered once, on the connection and in the conversation that made them."""

from __future__ import annotations

from livekit.agents import llm

from rtfsm.testing.phonic_server import messages
from rtfsm.testing.virtual_time import run
from tests.adapter.stage import spoken, talking, user


def _called(call: str, city: str = "Rome", tool: str = "weather") -> messages.Message:
    return messages.tool_call(call, tool, {"city": city})


def test_a_call_runs_its_output_goes_out_once_and_the_answer_is_unasked() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*user("Weather?"), *spoken("One ", "moment."), _called("c1"))
            (call,) = talk.host.owed
            assert (call.name, call.arguments) == ("weather", '{"city":"Rome"}')
            assert all(one.sealed for one in talk.host.generations)
            await talk.host.output(call, "sunny")
            await talk.host.output(call, "sunny")
            await talk.settle(0.1)
            assert talk.sent("tool_call_output") == [
                {"type": "tool_call_output", "tool_call_id": "c1", "output": "sunny"}
            ]
            assert talk.session.turn.agent_state == "thinking"
            before = len(talk.host.generations)
            await talk.hears(messages.tool_call_output_processed("c1", "weather"), *spoken("Sunny."))
            (answer,) = talk.host.generations[before:]
            assert (answer.text, answer.user_initiated) == ("Sunny.", False)
            assert talk.session.turn.calls == {}

    run(main())


def test_an_output_after_the_call_was_withdrawn_is_dropped_and_told() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(_called("c1"), messages.tool_call_interrupted("c1", "weather"))
            assert talk.host.named("tool_call_ended") == [("c1", "CANCELLED")]
            await talk.host.output(talk.host.owed[0])
            await talk.settle()
            assert talk.sent("tool_call_output") == []
            assert talk.host.named("tool_output_dropped") == ["c1"]

    run(main())


def test_two_calls_get_their_outputs_each_and_one_answer() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(_called("c1", "Rome"), _called("c2", "Oslo"))
            first, second = talk.host.owed
            await talk.host.output(first, "sunny")
            await talk.host.output(second, "rainy")
            await talk.settle()
            assert [(one["tool_call_id"], one["output"]) for one in talk.sent("tool_call_output")] == [
                ("c1", "sunny"), ("c2", "rainy"),
            ]  # fmt: skip
            before = len(talk.host.generations)
            await talk.hears(
                messages.tool_call_output_processed("c1", "weather"),
                messages.tool_call_output_processed("c2", "weather"),
                *spoken("Sun and rain."),
            )
            assert [one.text for one in talk.host.generations[before:]] == ["Sun and rain."]

    run(main())


def test_a_repeated_call_runs_once() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(_called("c1"), _called("c1"))
            await talk.host.output(talk.host.owed[0])
            await talk.hears(_called("c1"), messages.tool_call_output_processed("c1", "weather"), _called("c1"))
            assert len(talk.host.owed) == 1

    run(main())


def test_a_tool_that_must_be_followed_by_silence_releases_the_host() -> None:
    async def main() -> None:
        silent = [{"name": "weather", "forbid_speech_after_tool_call": True}]
        async with talking(configs_for_tools=silent) as talk:
            await talk.hears(_called("c1"))
            before = len(talk.host.generations)
            await talk.host.output(talk.host.owed[0])
            (empty,) = talk.host.generations[before:]
            assert (empty.sealed, empty.messages, empty.calls) == (True, [], [])
            await talk.settle()
            assert len(talk.sent("tool_call_output")) == 1
            assert talk.session.turn.agent_state == "listening"

    run(main())


def test_an_output_that_wants_no_reply_expects_none() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(_called("c1"))
            before = len(talk.host.generations)
            await talk.host.output(talk.host.owed[0], reply=False)
            await talk.settle(15)
            assert len(talk.sent("tool_call_output")) == 1
            assert len(talk.host.generations) == before

    run(main())


def test_a_tool_that_does_not_return_is_answered_with_an_error_before_the_provider_gives_up() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(_called("c1"))
            await talk.settle(59.5)
            (output,) = talk.sent("tool_call_output")
            assert "error" in output["output"]
            assert talk.host.named("tool_call_ended") == [("c1", "EXPIRED")]
            await talk.host.output(talk.host.owed[0])
            await talk.settle()
            assert len(talk.sent("tool_call_output")) == 1

    run(main())


def test_a_call_that_the_provider_timed_out_gets_no_output() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(_called("c1"), messages.tool_call_output_processed("c1", "weather", timed_out=True))
            assert talk.host.named("tool_call_timed_out") == ["c1"]
            await talk.host.output(talk.host.owed[0])
            await talk.settle()
            assert talk.sent("tool_call_output") == []

    run(main())


def test_an_output_that_is_never_answered_releases_the_host_after_ten_seconds() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(_called("c1"))
            await talk.host.output(talk.host.owed[0])
            before = len(talk.host.generations)
            await talk.settle(10.5)
            (empty,) = talk.host.generations[before:]
            assert empty.sealed
            assert talk.session.turn.agent_state == "listening"

    run(main())


def test_the_news_of_a_tool_in_the_background_is_told_as_a_remark() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(_called("c1"))
            await talk.host.output(talk.host.owed[0], "working on it")
            ctx = talk.session.chat_ctx
            ctx.items.append(llm.FunctionCall(call_id="c1_final", name="weather", arguments="{}"))
            ctx.items.append(
                llm.FunctionCallOutput(call_id="c1_final", name="weather", output="it rains", is_error=False)
            )
            await talk.session.update_chat_ctx(ctx)
            await talk.settle()
            (remark,) = talk.sent("add_system_message")
            assert "it rains" in remark["system_message"]
            assert len(talk.sent("tool_call_output")) == 1

    run(main())


def test_an_output_with_half_a_character_still_arrives() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(_called("c1"))
            await talk.host.output(talk.host.owed[0], "broken \ud83d emoji")
            await talk.settle()
            assert talk.sent("tool_call_output")[0]["output"] == "broken ? emoji"

    run(main())
