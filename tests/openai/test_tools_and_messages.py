"""Several messages in one response, and tools: complete, in parallel, answered before the next response."""

from __future__ import annotations

import pytest
from livekit.agents import llm

from rtfsm.testing.openai_server import messages
from rtfsm.testing.virtual_time import run
from tests.openai.stage import Talk, talking


def output(call: llm.FunctionCall, text: str = "sunny") -> llm.FunctionCallOutput:
    return llm.FunctionCallOutput(call_id=call.call_id, name=call.name, output=text, is_error=False)


def test_each_message_has_streams_and_an_item_of_its_own() -> None:
    async def main() -> None:
        async with talking() as talk:
            response = await talk.starts()
            first = await talk.says(response, "One ", "moment.")
            second = await talk.says(response, "It is ", "noon.")
            await response.done()
            await talk.settle()
            (generation,) = talk.host.generations
            assert [one.id for one in generation.messages] == [first.item_id, second.item_id]
            assert [one.text for one in generation.messages] == ["One moment.", "It is noon."]
            assert [one.seconds for one in generation.messages] == pytest.approx([0.2, 0.2])
            assert talk.items() == talk.mirror() == [(first.item_id, "One moment."), (second.item_id, "It is noon.")]

    run(main())


def test_a_written_message_says_so_and_has_no_sound() -> None:
    async def main() -> None:
        async with talking(modalities=["text"]) as talk:
            response = await talk.starts()
            message = await response.open_message()
            assert message is not None
            await message.text("In writing.")
            await response.done()
            await talk.settle()
            (heard,) = talk.host.generations[0].messages
            assert await heard.announced.modalities == ["text"]
            assert (heard.text, heard.frames) == ("In writing.", [])
            assert not talk.session.capabilities.audio_output

    run(main())


async def _two_messages(talk: Talk) -> tuple[str, str]:
    """A preamble and an answer, both generated, neither pulled yet."""
    talk.host.reads = False
    response = await talk.starts()
    first = await talk.says(response, "One ", "moment.")
    second = await talk.says(response, "It is ", "noon.")
    await response.done()
    await talk.settle()
    return first.item_id, second.item_id


def _pull_first(talk: Talk) -> None:
    """LiveKit begins to play the first message."""
    generation = talk.host.generations[0]
    generation.event.message_stream.recv_nowait().audio_stream.recv_nowait()  # type: ignore[attr-defined]


def test_a_message_that_was_never_pulled_is_removed_here_and_there() -> None:
    async def main() -> None:
        async with talking() as talk:
            first, second = await _two_messages(talk)
            _pull_first(talk)
            assert dict(talk.session.turn.playouts) == {first: "PLAYING", second: "QUEUED"}
            await talk.call.user_starts()
            await talk.settle()
            assert [item for item, _ in talk.items()] == [item for item, _ in talk.mirror()] == [first]
            talk.session.truncate(message_id=first, modalities=["audio"], audio_end_ms=120, audio_transcript="One ")
            await talk.settle()
            (cut,) = talk.sent("conversation.item.truncate")
            assert (cut["item_id"], cut["audio_end_ms"]) == (first, 120)
            assert talk.mirror() == [(first, "One ")]
            assert dict(talk.session.turn.playouts) == {}

    run(main())


def test_a_message_is_not_cut_beyond_its_end() -> None:
    async def main() -> None:
        async with talking() as talk:
            first, _ = await _two_messages(talk)
            _pull_first(talk)
            await talk.call.user_starts()
            await talk.settle()
            talk.session.truncate(message_id=first, modalities=["audio"], audio_end_ms=900, audio_transcript="One ")
            await talk.settle()
            assert [one["audio_end_ms"] for one in talk.sent("conversation.item.truncate")] == [200]

    run(main())


def test_a_message_of_which_nothing_was_heard_is_removed() -> None:
    async def main() -> None:
        async with talking() as talk:
            first, _ = await _two_messages(talk)
            _pull_first(talk)
            await talk.call.user_starts()
            await talk.settle()
            talk.session.truncate(message_id=first, modalities=["audio"], audio_end_ms=0, audio_transcript="")
            await talk.settle()
            assert talk.items() == talk.mirror() == []
            assert talk.sent("conversation.item.truncate") == []

    run(main())


def test_what_the_service_generates_after_the_cut_is_removed_too() -> None:
    """The service ignores the cancel for a while and begins another message."""

    async def main() -> None:
        async with talking() as talk:
            talk.call.hold("response.cancel")
            response = await talk.starts()
            first = await talk.says(response, "One ", "moment.")
            talk.session.interrupt()
            await talk.says(response, "Never ", "heard.")
            await talk.call.obey(await talk.call.expect("response.cancel"))
            await talk.settle(0.1)
            assert [item for item, _ in talk.items()] == [item for item, _ in talk.mirror()] == [first.item_id]

    run(main())


# -- tools ---------------------------------------------------------------------------------------------------------


def test_parallel_calls_are_all_answered_before_the_next_response() -> None:
    async def main() -> None:
        async with talking() as talk:
            response = await talk.starts()
            await response.call_tool("weather", {"city": "Rome"}, call_id="rome")
            await response.call_tool("weather", {"city": "Oslo"}, call_id="oslo")
            await talk.settle()
            calls = talk.host.generations[0].calls
            assert [(call.call_id, call.arguments) for call in calls] == [
                ("rome", '{"city": "Rome"}'),
                ("oslo", '{"city": "Oslo"}'),
            ]
            assert [call.id for call in calls] == [item.id for item in talk.call.conversation.items]
            await response.done()
            await talk.settle()
            await talk.pushes(*(output(call) for call in calls))
            talk.host.generate_reply(tool_choice="auto")
            await talk.answered()
            sent = talk.connection.received_types()
            assert sent[-3:] == ["conversation.item.create", "conversation.item.create", "response.create"]
            assert talk.call.conversation.open_calls == []
            assert dict(talk.session.turn.calls) == {}

    run(main())


@pytest.mark.parametrize("status", ["incomplete", "cancelled"])
def test_a_call_whose_item_was_cut_never_runs(status: str) -> None:
    async def main() -> None:
        async with talking() as talk:
            response = await talk.starts()
            call = await response.open_call("weather")
            assert call is not None
            await call.arguments('{"city": "Ro')
            await response.done(status, reason="max_output_tokens" if status == "incomplete" else "client_cancelled")
            await talk.settle()
            assert talk.host.owed == []
            assert talk.host.generations[0].sealed

    run(main())


def test_a_call_whose_arguments_are_no_object_never_runs_and_is_counted() -> None:
    async def main() -> None:
        async with talking() as talk:
            response = await talk.starts()
            for arguments in ('{"city": "Ro', '"Rome"', "[1]"):
                await response.call_tool("weather", arguments)
            await response.call_tool("weather", "")
            await response.done()
            await talk.settle()
            assert [call.arguments for call in talk.host.owed] == ["{}"]
            assert sum(talk.session.turn.malformed.values()) == 3

    run(main())


def test_a_server_whose_word_is_not_trusted_runs_no_call_of_a_response_that_was_cut() -> None:
    """It calls an item complete inside a response that was not."""

    async def main() -> None:
        async with talking(trusted=False) as talk:
            response = await talk.starts()
            await response.call_tool("weather", {"city": "Rome"}, call_id="held")
            await talk.settle()
            assert talk.host.owed == []
            assert dict(talk.session.turn.calls) == {"held": "HELD"}
            await response.done("incomplete", reason="max_output_tokens")
            await talk.settle()
            assert talk.host.owed == []
            whole = await talk.starts()
            await whole.call_tool("weather", {"city": "Oslo"}, call_id="run")
            await whole.done()
            await talk.settle()
            (call,) = talk.host.owed
            assert (call.call_id, call.name, call.arguments) == ("run", "weather", '{"city": "Oslo"}')
            await talk.pushes(output(call))
            await talk.settle()

    run(main())


def test_an_output_that_comes_after_its_time_takes_the_place_of_the_error() -> None:
    async def main() -> None:
        async with talking() as talk:
            response = await talk.starts()
            await response.call_tool("weather", {"city": "Rome"}, call_id="slow")
            await response.done()
            await talk.settle(101.0)
            assert talk.host.named("tool_call_ended") == [("slow", "EXPIRED")]
            outputs = [item for item in talk.call.conversation.items if item.kind == "function_call_output"]
            assert "did not answer in time" in outputs[0].body["output"]
            context = talk.session.chat_ctx
            context.items[:] = [item for item in context.items if item.type != "function_call_output"]
            context.items.append(output(talk.host.owed[0], "rain"))
            await talk.session.update_chat_ctx(context)
            outputs = [item for item in talk.call.conversation.items if item.kind == "function_call_output"]
            assert [item.body["output"] for item in outputs] == ["rain"]

    run(main())


def test_calls_of_a_tool_that_went_on_in_the_background_are_told_as_they_are() -> None:
    """LiveKit reports it as a call that the model never made, with its output."""

    async def main() -> None:
        async with talking() as talk:
            made_up = llm.FunctionCall(call_id="rome_final", name="weather", arguments="{}")
            await talk.pushes(made_up, output(made_up))
            kinds = [item.kind for item in talk.call.conversation.items]
            assert kinds == ["function_call", "function_call_output"]

    run(main())


def test_a_call_that_is_repeated_runs_once() -> None:
    async def main() -> None:
        async with talking() as talk:
            response = await talk.starts()
            await response.call_tool("weather", {"city": "Rome"}, call_id="once")
            item = talk.call.conversation.items[-1]
            await talk.call.send(messages.output_item_done(response.id, 0, item.body))
            await response.done()
            await talk.settle()
            assert [call.call_id for call in talk.host.owed] == ["once"]
            await talk.pushes(output(talk.host.owed[0]))

    run(main())
