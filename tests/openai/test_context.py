"""The conversation item by item: pushed and acknowledged, mirrored under the same ids, transcribed late or twice."""

from __future__ import annotations

import asyncio
import itertools
import logging

import pytest
from livekit import rtc
from livekit.agents import llm

from rtfsm.testing.openai_server import messages
from rtfsm.testing.virtual_time import run
from tests.openai.stage import talking, weather


def said(role: llm.ChatRole, text: str, id: str | None = None) -> llm.ChatMessage:
    message = llm.ChatMessage(role=role, content=[text])
    if id is not None:
        message.id = id
    return message


def test_what_is_pushed_is_put_where_it_stands_and_acknowledged() -> None:
    async def main() -> None:
        async with talking() as talk:
            first, last = said("user", "First.", "first"), said("user", "Last.", "last")
            await talk.pushes(first, last)
            assert talk.items() == talk.mirror() == [("first", "First."), ("last", "Last.")]
            context = talk.session.chat_ctx
            context.items.insert(1, said("assistant", "Between.", "between"))
            context.items.insert(0, said("system", "Before all.", "before"))
            await talk.session.update_chat_ctx(context)
            expected = ["before", "first", "between", "last"]
            assert [item for item, _ in talk.items()] == [item for item, _ in talk.mirror()] == expected
            created = {one["item"]["id"]: one.get("previous_item_id") for one in talk.sent("conversation.item.create")}
            assert created == {"first": None, "last": None, "before": "root", "between": "first"}

    run(main())


def test_what_is_gone_from_a_push_is_deleted_and_what_changed_is_replaced() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.pushes(said("user", "One.", "one"), said("user", "Two.", "two"), said("user", "Three.", "three"))
            context = talk.session.chat_ctx
            del context.items[0]
            context.items[0] = said("user", "Two, changed.", "two")
            await talk.session.update_chat_ctx(context)
            assert talk.items() == talk.mirror() == [("two", "Two, changed."), ("three", "Three.")]

    run(main())


def test_items_of_livekits_own_and_empty_ones_are_not_told() -> None:
    async def main() -> None:
        async with talking() as talk:
            context = talk.session.chat_ctx
            context.items.append(llm.AgentHandoff(new_agent_id="another"))
            context.items.append(llm.AgentConfigUpdate(instructions="Be brief."))
            context.items.append(said("system", "the instructions", "lk.agent_task.instructions"))
            context.items.append(llm.ChatMessage(role="user", content=[]))
            context.items.append(said("user", "Told.", "told"))
            await talk.session.update_chat_ctx(context)
            assert talk.items() == [("told", "Told.")]

    run(main())


def test_a_provider_that_does_not_answer_is_waited_for_five_seconds() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.call.hold("conversation.item.create")
            loop = asyncio.get_running_loop()
            began = loop.time()
            with pytest.raises(llm.RealtimeError, match="did not say within 5 s that it took 1 of 1"):
                await talk.pushes(said("user", "Hello?"))
            assert loop.time() - began == pytest.approx(5.0, abs=0.1)

    run(main())


def test_an_item_that_is_refused_costs_that_item_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with talking() as talk:
            nobody = llm.FunctionCallOutput(call_id="nobody", name="weather", output="sunny", is_error=False)
            orphan = llm.FunctionCall(call_id="x", name="weather", arguments="{}")
            talk.call.hold("conversation.item.create")
            pushing = asyncio.ensure_future(talk.pushes(orphan, said("user", "Taken.", "taken"), nobody))
            await talk.call.reject(await talk.call.expect("conversation.item.create"))
            await talk.call.obey(await talk.call.expect("conversation.item.create"))
            await pushing
            assert talk.items() == talk.mirror() == [("taken", "Taken.")]
            assert talk.session.chat_ctx.get_by_id(orphan.id) is None
            assert talk.host.named("tool_output_dropped") == ["nobody"]

    with caplog.at_level(logging.WARNING, "rtfsm"):
        run(main())
    assert "refused that an item be put in (invalid_value)" in caplog.text


def test_words_of_which_the_rest_was_lost_with_the_connection_are_all_there_is() -> None:
    async def main() -> None:
        async with talking() as talk:
            item = await talk.call.user_starts()
            await talk.call.send(messages.transcription_delta(item, "What time "))
            await talk.settle()
            await talk.call.drop()
            await talk.until(lambda: len(talk.server.connections) == 2)
            await talk.until_ready()
            heard = talk.host.named("input_audio_transcription_completed")
            assert [(one.item_id, one.transcript, one.is_final) for one in heard] == [
                (item, "What time ", False),
                (item, "What time ", True),
            ]
            assert talk.mirror() == talk.items() == [(item, "What time ")]

    run(main())


def test_a_piece_that_comes_behind_the_whole_is_told_nobody() -> None:
    async def main() -> None:
        async with talking() as talk:
            item = await talk.user("What time is it?")
            await talk.call.send(messages.transcription_delta(item, "What "))
            await talk.settle()
            await talk.call.drop()
            await talk.until(lambda: len(talk.server.connections) == 2)
            (heard,) = talk.host.named("input_audio_transcription_completed")
            assert heard.is_final

    run(main())


def test_the_users_words_are_mirrored_under_the_items_id_whenever_they_come() -> None:
    async def main() -> None:
        async with talking() as talk:
            item = await talk.call.user_starts()
            began = talk.session.turn
            assert began.user_turn in ("SILENT", "SPEAKING")
            await talk.settle(0.5)
            await talk.call.user_stops()
            response = await talk.answered()
            await talk.says(response, "It is noon.")
            await response.done()
            await talk.settle()
            assert talk.mirror()[0] == (item, "")
            await talk.call.transcribe(item, "What time is it?", pieces=3)
            await talk.call.transcribe(item, "What time is it?")
            await talk.settle()
            heard = talk.host.named("input_audio_transcription_completed")
            interim = [one.transcript for one in heard if not one.is_final]
            assert interim[-1] == "What time is it?"
            assert all(longer.startswith(shorter) for shorter, longer in itertools.pairwise(interim))
            (final,) = [one for one in heard if one.is_final]
            assert (final.item_id, final.transcript) == (item, "What time is it?")
            assert final.turn_started_at is not None
            assert talk.mirror() == talk.items()
            assert [text for _, text in talk.mirror()] == ["What time is it?", "It is noon."]

    run(main())


def test_each_transcript_has_the_onset_of_its_own_turn() -> None:
    async def main() -> None:
        async with talking() as talk:
            first = await talk.call.user_starts()
            await talk.settle(1.0)
            await talk.call.user_stops()
            await (await talk.answered()).done()
            second = await talk.call.user_starts()
            await talk.settle(1.0)
            await talk.call.user_stops()
            await (await talk.answered()).done()
            await talk.call.transcribe(second, "And now?")
            await talk.call.transcribe(first, "What time is it?")
            await talk.settle()
            told = talk.host.named("input_audio_transcription_completed")
            finals = {one.item_id: one.turn_started_at for one in told}
            assert finals[second] - finals[first] == pytest.approx(1.0, abs=0.2)
            assert [item for item, _ in talk.mirror()] == [first, second]

    run(main())


def test_speech_that_could_not_be_written_down_ends_with_what_was_heard_of_it() -> None:
    async def main() -> None:
        async with talking() as talk:
            item = await talk.call.user_starts()
            await talk.settle(0.5)
            await talk.call.user_stops()
            await (await talk.answered()).done()
            await talk.call.send(messages.transcription_delta(item, "What ti"), messages.transcription_failed(item))
            await talk.settle()
            (final,) = [one for one in talk.host.named("input_audio_transcription_completed") if one.is_final]
            assert final.transcript == "What ti"

    run(main())


def test_a_turn_without_a_word_is_no_transcript() -> None:
    async def main() -> None:
        async with talking() as talk:
            item = await talk.call.user_starts()
            await talk.settle(0.5)
            await talk.call.user_stops()
            await (await talk.answered()).done()
            await talk.call.transcribe(item, " ")
            await talk.settle()
            assert talk.host.named("input_audio_transcription_completed") == []

    run(main())


def test_what_livekit_has_not_written_down_survives_its_push() -> None:
    """It pushes its own record while sound that nobody has written down, and a message that waits, are not in it."""

    async def main() -> None:
        async with talking(input_audio_transcription=None) as talk:
            talk.host.reads = False
            spoken = await talk.call.user_starts()
            await talk.settle(0.5)
            await talk.call.user_stops()
            response = await talk.answered()
            message = await talk.says(response, "It is noon.")
            await response.done()
            await talk.settle()
            record = llm.ChatContext.empty()
            record.items.append(llm.AgentConfigUpdate(instructions="Be brief."))
            record.items.append(said("user", "Typed.", "typed"))
            await talk.session.update_chat_ctx(record)
            assert [item for item, _ in talk.items()] == [spoken, message.item_id, "typed"]
            assert [item for item, _ in talk.mirror()] == [spoken, message.item_id, "typed"]
            assert talk.sent("conversation.item.delete") == []

    run(main())


def test_a_typed_question_is_in_the_conversation_before_the_answer_is_asked_for() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.pushes(said("user", "What time is it?", "typed"))
            talk.host.generate_reply()
            response = await talk.answered()
            assert talk.connection.received_types()[-2:] == ["conversation.item.create", "response.create"]
            await response.done()

    run(main())


def test_a_picture_goes_to_the_model_as_an_item() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.session.push_video(rtc.VideoFrame(8, 8, rtc.VideoBufferType.RGBA, bytes(256)))
            await talk.settle()
            (created,) = talk.sent("conversation.item.create")
            (part,) = created["item"]["content"]
            assert part["type"] == "input_image"
            assert part["image_url"].startswith("data:image/")

    run(main())


def test_what_a_response_and_a_transcript_cost_is_measured() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.user()
            response = await talk.answered()
            await talk.says(response, "It is ", "noon.")
            await response.done()
            await talk.settle()
            told = talk.host.named("metrics_collected")
            (metrics,) = [one for one in told if one.request_id == response.id]
            assert metrics.output_tokens == metrics.output_token_details.text_tokens + (
                metrics.output_token_details.audio_tokens
            )
            assert metrics.output_token_details.audio_tokens == 4
            assert metrics.ttft >= 0
            heard = [one for one in talk.host.named("metrics_collected") if one.type == "stt_metrics"]
            assert [one.metadata.model_name for one in heard] == ["gpt-4o-mini-transcribe"]

    run(main())


def test_a_history_that_is_given_at_the_start_is_told_with_the_configuration() -> None:
    async def main() -> None:
        async with talking(ready=False) as talk:
            history = llm.ChatContext.empty()
            call = llm.FunctionCall(id="fc", call_id="c" * 40, name="weather", arguments='{"city": "Rome"}')
            result = llm.FunctionCallOutput(id="fo", call_id="c" * 40, name="weather", output="sunny", is_error=False)
            history.items += [said("user", "Weather?", "u"), call, result, said("assistant", "Sunny.", "a")]
            await talk.configure(history, tools=[weather])
            await talk.until_ready()
            assert talk.connection.received_types()[0] == "session.update"
            assert [item.id for item in talk.call.conversation.items] == ["u", "fc", "fo", "a"]
            assert talk.call.conversation.open_calls == []

    run(main())


def test_an_item_that_the_api_has_no_form_for_is_not_waited_for() -> None:
    async def main() -> None:
        async with talking() as talk:
            loop = asyncio.get_running_loop()
            began = loop.time()
            outside = llm.ImageContent(image="https://example.com/picture.png")
            await talk.pushes(llm.ChatMessage(role="user", content=[outside]), said("user", "Look.", "look"))
            assert loop.time() - began < 1.0
            assert talk.items() == [("look", "Look.")]

    run(main())


def test_a_history_that_is_given_to_an_open_connection_is_told_with_the_configuration() -> None:
    async def main() -> None:
        async with talking(ready=False) as talk:
            await talk.until(lambda: talk.session.turn.session == "AWAITING_CONFIG")
            history = llm.ChatContext.empty()
            history.items.append(said("user", "Before.", "before"))
            await talk.configure(history)
            assert talk.session.turn.session == "STARTING"
            await talk.until_ready()
            assert talk.items() == talk.mirror() == [("before", "Before.")]

    run(main())
