"""What a session offers beside LiveKit's own: Phonic's further messages both ways, and what outlives a connection."""

from __future__ import annotations

import pytest
from livekit.agents import llm
from livekit.agents.metrics import RealtimeModelMetrics

from rtfsm.adapters.phonic import ProcessedToolCall
from rtfsm.testing.phonic_server import messages
from rtfsm.testing.virtual_time import run
from tests.adapter.stage import SOUND, Talk, spoken, talking, user


async def _reconnected(talk: Talk) -> None:
    number = len(talk.server.connections)
    await talk.until(lambda: len(talk.server.connections) > number)
    await talk.until_ready()
    await talk.settle()


# -- to Phonic -----------------------------------------------------------------------------------------------------


def test_muting_and_an_id_of_ones_own_are_told() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.session.mute()
            talk.session.unmute()
            talk.session.set_external_id("call-7")
            await talk.settle()
            assert talk.order() == ["config", "mute", "unmute", "set_external_id"]
            assert talk.sent("set_external_id") == [{"type": "set_external_id", "external_id": "call-7"}]
            with pytest.raises(ValueError, match="external_id must not be blank"):
                talk.session.set_external_id(" ")

    run(main())


def test_what_was_told_before_the_start_is_told_at_the_start() -> None:
    async def main() -> None:
        async with talking(ready=False) as talk:
            talk.session.mute()
            talk.session.set_external_id("call-7")
            await talk.until_ready()
            await talk.settle()
            assert talk.order() == ["config", "mute", "set_external_id"]

    run(main())


def test_a_muted_user_is_muted_on_the_next_connection_too() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.session.unmute()
            talk.session.mute()
            await talk.settle()
            await talk.call.drop()
            await _reconnected(talk)
            assert [kind for kind in talk.order() if "mute" in kind] == ["mute"]

    run(main())


def test_after_the_close_these_calls_are_harmless() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.session.aclose()
            talk.session.mute()
            talk.session.unmute()
            talk.session.set_external_id("call-7")

    run(main())


# -- from Phonic ---------------------------------------------------------------------------------------------------


def test_what_has_no_name_in_livekit_is_told_under_a_name_of_its_own() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(
                messages.assistant_started_speaking(),
                messages.audio_chunk(SOUND, "Yes.", timings={"asr": 80.0, "llm": 210}),
                messages.assistant_finished_speaking(),
                messages.dtmf("4"),
                messages.assistant_chose_not_to_respond(),
                messages.tool_call_output_processed(
                    "w1", "lookup", timed_out=True, duration_ms=5000, error_message="timeout", role="user"
                ),
            )
            assert talk.host.named("timings") == [{"asr": 80.0, "llm": 210}]
            assert talk.host.named("dtmf") == ["4"]
            assert talk.host.named("assistant_chose_not_to_respond") == [None]
            assert talk.host.named("tool_call_timed_out") == ["w1"]
            assert talk.host.named("tool_call_output_processed") == [
                ProcessedToolCall("w1", "lookup", True, 5.0, "timeout", "user", {"parameters": {}})
            ]

    run(main())


def test_an_error_keeps_its_code_and_what_was_wrong_with_which_parameter() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(messages.error("bad voice", code="invalid", param_errors={"voice_id": "unknown"}))
            (event,) = talk.host.named("error")
            assert (str(event.error), event.error.code) == ("bad voice", "invalid")
            assert event.error.parameters == {"voice_id": "unknown"}

    run(main())


def test_the_time_that_a_connection_took_is_a_metric() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("Hello."))
            await talk.call.drop()
            await _reconnected(talk)
            metrics = talk.host.named("metrics_collected")
            assert all(isinstance(one, RealtimeModelMetrics) for one in metrics)
            first, turn, second = metrics
            assert (first.request_id, second.request_id) == ("", "")
            assert first.acquire_time >= 0
            assert second.acquire_time >= 0
            assert turn.request_id == talk.last.event.response_id
            assert turn.metadata.model_provider == "phonic"

    run(main())


# -- what outlives a connection ------------------------------------------------------------------------------------


async def _push(talk: Talk, *items: llm.ChatItem) -> None:
    ctx = talk.session.chat_ctx
    ctx.items.extend(items)
    await talk.session.update_chat_ctx(ctx)


def _background(call: str, output: str) -> tuple[llm.FunctionCall, llm.FunctionCallOutput]:
    """What LiveKit pushes for a tool that went on in the background."""
    return (
        llm.FunctionCall(call_id=f"{call}_final", name="weather", arguments="{}"),
        llm.FunctionCallOutput(call_id=f"{call}_final", name="weather", output=output, is_error=False),
    )


async def _lost(talk: Talk, *, resumed: bool) -> None:
    """The connection goes; the conversation is gone on with on the next one, or begins anew there with its history."""
    await (talk.call.drop() if resumed else talk.call.close(1011))
    await talk.until(lambda: talk.session.turn.session == "RECONNECTING")


@pytest.mark.parametrize("resumed", [True, False])
def test_the_news_of_a_tool_that_comes_during_an_outage_is_told_after_it(resumed: bool) -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(messages.tool_call("c1", "weather", {"city": "Rome"}))
            await talk.host.output(talk.host.owed[0], "working on it")
            await _lost(talk, resumed=resumed)
            await _push(talk, *_background("c1", "it rains"))
            await _reconnected(talk)
            assert ("config" in talk.order()) is not resumed
            (remark,) = talk.sent("add_system_message")
            assert "it rains" in remark["system_message"]

    run(main())


@pytest.mark.parametrize("resumed", [True, False])
def test_a_remark_and_typed_words_of_an_outage_are_told_once(resumed: bool) -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("Hello."))
            await _lost(talk, resumed=resumed)
            remark = llm.ChatMessage(role="system", content=["The user is a pilot."])
            await _push(talk, remark, llm.ChatMessage(role="user", content=["Where am I?"]))
            talk.host.generate_reply()
            await _reconnected(talk)
            everything = str([record.message for record in talk.connection.received])
            assert everything.count("The user is a pilot.") == 1
            assert everything.count("Where am I?") == 1
            assert "generate_reply" in talk.order()

    run(main())


def test_an_output_that_comes_during_an_outage_is_told_to_be_dropped_and_lets_the_host_go() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(messages.tool_call("c1", "weather", {"city": "Rome"}))
            await _lost(talk, resumed=False)
            before = len(talk.host.generations)
            await talk.host.output(talk.host.owed[0])
            await talk.host.output(talk.host.owed[0], reply=False)
            assert talk.host.named("tool_output_dropped") == ["c1", "c1"]
            (released,) = talk.host.generations[before:]
            assert (released.messages, released.sealed) == ([], True)
            await _reconnected(talk)
            assert talk.sent("tool_call_output") == []

    run(main())


def test_what_a_history_already_holds_is_no_output_to_be_dropped() -> None:
    async def main() -> None:
        async with talking(ready=False) as talk:
            await _push(talk, *_background("c0", "an old result"))
            await talk.until_ready()
            await talk.settle()
            assert talk.host.named("tool_output_dropped") == []

    run(main())


# -- what was heard ------------------------------------------------------------------------------------------------


async def _cut(talk: Talk, heard: str) -> llm.ChatContext:
    """A turn is cut, LiveKit holds all of it, and then Phonic says how much was heard. LiveKit's context."""
    await talk.hears(*spoken("I will now ", "read ", "all items."))
    livekits = talk.session.chat_ctx
    await talk.hears(*user(None), messages.interrupted_response(heard))
    return livekits


def test_a_push_of_the_longer_text_does_not_bring_back_what_nobody_heard() -> None:
    async def main() -> None:
        async with talking() as talk:
            livekits = await _cut(talk, "I will now")
            assert talk.said() == [("assistant", "I will now")]
            await talk.session.update_chat_ctx(livekits)
            assert talk.said() == [("assistant", "I will now")]
            await talk.session._update_session(instructions="Another.", chat_ctx=livekits, tools=[])
            await talk.settle()
            assert "items" not in str(talk.sent("reset"))
            assert "I will now" in str(talk.sent("reset"))

    run(main())


def test_a_push_of_a_shorter_text_counts() -> None:
    async def main() -> None:
        async with talking() as talk:
            livekits = await _cut(talk, "I will now")
            (item,) = livekits.items
            assert isinstance(item, llm.ChatMessage)
            item.content = ["I will"]
            await talk.session.update_chat_ctx(livekits)
            assert talk.said() == [("assistant", "I will")]

    run(main())


def test_a_push_does_not_bring_back_a_message_of_which_nothing_was_heard() -> None:
    async def main() -> None:
        async with talking() as talk:
            livekits = await _cut(talk, "")
            assert talk.said() == []
            await talk.session.update_chat_ctx(livekits)
            assert talk.said() == []
            assert talk.order() == ["config"]

    run(main())
