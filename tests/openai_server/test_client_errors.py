"""Every mistake of a client is recorded and told to it, and none stops the server."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from rtfsm.testing.openai_server import Call, OpenAIServer
from rtfsm.testing.virtual_time import run
from tests.openai_server.client import SILENCE, Client, Message, call_output, connected, function, user_text


def _sound(size: int) -> str:
    return base64.b64encode(bytes(size)).decode()


def _session(**session: Any) -> Message:
    return {"type": "session.update", "session": {"type": "realtime", **session}}


def _input(**fields: Any) -> Message:
    return _session(audio={"input": fields})


def _create(item: Message, **rest: Any) -> Message:
    return {"type": "conversation.item.create", "item": item, **rest}


def _respond(**response: Any) -> Message:
    return {"type": "response.create", "response": response}


def _append(audio: str) -> Message:
    return {"type": "input_audio_buffer.append", "audio": audio}


_UNNAMED_TOOL = {name: value for name, value in function().items() if name != "name"}
_NO_ITEM = {"item_id": "item_9"}
_SPOKEN = {"type": "message", "role": "assistant", "content": [{"type": "output_audio", "audio": ""}]}
_CALL = {"type": "function_call", "name": "weather", "arguments": "{}", "call_id": "call_1"}
_NO_VAD = _input(turn_detection=None)

# name: (frames, the complaint, the code of the error, its param)
WRONG: dict[str, tuple[list[Any], str, str, str | None]] = {
    "binary frame": ([b"\0"], "text frame with a JSON object", "invalid_json", None),
    "invalid JSON": (["{"], "text frame with a JSON object", "invalid_json", None),
    "an array": (["[]"], "text frame with a JSON object", "invalid_json", None),
    "no type": ([{}], "'type' must be a string, not null", "invalid_value", "type"),
    "unknown type": ([{"type": "response.stop"}], "no client event has this type", "invalid_value", "type"),
    "unknown field": (
        [{"type": "input_audio_buffer.clear", "now": True}],
        "the message has an unknown field 'now'",
        "unknown_parameter",
        "now",
    ),
    "missing field": ([{"type": "session.update"}], "lacks 'session'", "missing_required_parameter", "session"),
    "session without a type": (
        [{"type": "session.update", "session": {}}],
        "session lacks 'type'",
        "missing_required_parameter",
        "session.type",
    ),
    "field before general availability": (
        [_session(input_audio_format="pcm16")],
        "unknown field 'input_audio_format'",
        "unknown_parameter",
        "session.input_audio_format",
    ),
    "wrong type of field": (
        [_session(instructions=5)],
        "session.instructions must be a string, not a whole number",
        "invalid_type",
        "session.instructions",
    ),
    "both modalities": (
        [_session(output_modalities=["text", "audio"])],
        "must be ['audio'] or ['text']",
        "invalid_value",
        "session.output_modalities",
    ),
    "speed too high": (
        [_session(audio={"output": {"speed": 1.6}})],
        "between 0.25 and 1.5",
        "invalid_value",
        "session.audio.output.speed",
    ),
    "unknown format": (
        [_input(format={"type": "audio/opus"})],
        "session.audio.input.format.type must be one of audio/pcm",
        "invalid_value",
        "session.audio.input.format.type",
    ),
    "another rate": ([_input(format={"type": "audio/pcm", "rate": 16000})], "must be 24000", "invalid_value", None),
    "turn detection without a type": (
        [_input(turn_detection={"threshold": 0.5})],
        "lacks 'type'",
        "missing_required_parameter",
        "session.audio.input.turn_detection.type",
    ),
    "eagerness of the other detection": (
        [_input(turn_detection={"type": "server_vad", "eagerness": "low"})],
        "unknown field 'eagerness'",
        "unknown_parameter",
        "session.audio.input.turn_detection.eagerness",
    ),
    "another model": ([_session(model="gpt-other")], "cannot be changed", "invalid_value", "session.model"),
    "too many tokens": ([_respond(max_output_tokens=5000)], "between 1 and 4096", "invalid_value", None),
    "tool without a name": (
        [_session(tools=[_UNNAMED_TOOL])],
        "session.tools[0] lacks 'name'",
        "missing_required_parameter",
        "session.tools[0].name",
    ),
    "bad base64": ([_append("!!!!")], "not valid base64", "invalid_value", "audio"),
    "odd PCM": ([_append(_sound(961))], "no whole number of samples", "invalid_value", "audio"),
    "too much audio": ([_append(_sound(16 * 1024 * 1024))], "15 MiB", "invalid_value", "audio"),
    "commit of nothing": (
        [_NO_VAD, {"type": "input_audio_buffer.commit"}],
        "buffer only has 0.00ms",
        "input_audio_buffer_commit_empty",
        None,
    ),
    "commit of too little": (
        [_NO_VAD, _append(_sound(2400)), {"type": "input_audio_buffer.commit"}],
        "buffer only has 50.00ms",
        "input_audio_buffer_commit_empty",
        None,
    ),
    "clear of WebRTC": ([{"type": "output_audio_buffer.clear"}], "WebRTC and SIP only", "invalid_value", "type"),
    "id too long": ([_create(user_text("hi", "i" * 33))], "may have 32", "string_above_max_length", "item.id"),
    "id twice": (
        [_create(user_text("hi", "item_a")), _create(user_text("hi", "item_a"))],
        "already exists",
        "item_create_duplicate_item_id",
        "item.id",
    ),
    "unknown predecessor": (
        [_create(user_text("hi"), previous_item_id="item_9")],
        "previous item with id 'item_9' does not exist",
        "item_create_invalid_previous_item_id",
        "previous_item_id",
    ),
    "assistant's audio": (
        [_create(_SPOKEN)],
        "must be one of output_text",
        "invalid_value",
        "item.content[0].type",
    ),
    "role that is none": ([_create({**user_text("hi"), "role": "tool"})], "one of system", "invalid_value", None),
    "output for no call": (
        [_create(call_output("call_9"))],
        "Tool call ID 'call_9' not found",
        "invalid_tool_call_id",
        "item.call_id",
    ),
    "delete of nothing": (
        [{"type": "conversation.item.delete", **_NO_ITEM}],
        "'item_9', it does not exist",
        "item_delete_invalid_item_id",
        "item_id",
    ),
    "retrieval of nothing": (
        [{"type": "conversation.item.retrieve", **_NO_ITEM}],
        "'item_9', it does not exist",
        "item_retrieve_invalid_item_id",
        "item_id",
    ),
    "truncation of nothing": (
        [{"type": "conversation.item.truncate", **_NO_ITEM, "content_index": 0, "audio_end_ms": 0}],
        "'item_9', it does not exist",
        "item_truncate_invalid_item_id",
        "item_id",
    ),
    "truncation of the user": (
        [
            _create(user_text("hi", "item_a")),
            {"type": "conversation.item.truncate", "item_id": "item_a", "content_index": 0, "audio_end_ms": 0},
        ],
        "Only the audio of an assistant's message",
        "invalid_value",
        "item_id",
    ),
    "cancel of no response": (
        [{"type": "response.cancel", "response_id": "resp_9"}],
        "Cancellation failed",
        "response_cancel_not_active",
        "response_id",
    ),
    "metadata of a number": (
        [_respond(metadata={"a": 1})],
        "must be a string",
        "invalid_type",
        "response.metadata['a']",
    ),
    "metadata too long": ([_respond(metadata={"a": "x" * 513})], "512", "string_above_max_length", None),
    "too much metadata": ([_respond(metadata={str(n): "" for n in range(17)})], "16 pairs", "invalid_value", None),
    "unknown conversation": (
        [_respond(conversation="mine")],
        "response.conversation must be one of auto, none",
        "invalid_value",
        "response.conversation",
    ),
    "reference to nothing": (
        [_respond(input=[{"type": "item_reference", "id": "item_9"}])],
        "'item_9' not found",
        "invalid_value",
        "response.input",
    ),
}

CORRECT: list[Message] = [
    _session(
        model="gpt-realtime",
        instructions="Be brief.",
        tools=[function()],
        tool_choice={"type": "function", "name": "weather"},
        max_output_tokens="inf",
        tracing=None,
        truncation={"type": "retention_ratio", "retention_ratio": 0.8},
    ),
    _input(turn_detection={"type": "semantic_vad", "eagerness": "low"}, transcription={"model": "whisper-1"}),
    _input(noise_reduction={"type": "near_field"}, format={"type": "audio/pcm", "rate": 24000}),
    _append(_sound(4800)),
    {"type": "input_audio_buffer.clear", "event_id": "mine"},
    _create(user_text("hello", "item_a"), previous_item_id="root"),
    _create({"type": "message", "role": "system", "content": [{"type": "input_text", "text": "be kind"}]}),
    _create({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]}),
    _create(_CALL, previous_item_id="item_a"),
    _create(call_output("call_1")),
    {"type": "conversation.item.retrieve", "item_id": "item_a"},
    {"type": "conversation.item.delete", "item_id": "item_a"},
    {"type": "response.cancel"},
    _respond(conversation="none", metadata={"a": "b"}, input=[user_text("hello")], tool_choice="none"),
]


async def _silent(call: Call) -> None:
    await call.delay(1000)


async def _play(client: Client, frames: list[Any]) -> None:
    for frame in frames:
        await client.socket.send(frame if isinstance(frame, (str, bytes)) else json.dumps(frame))


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_recorded_and_answered_with_an_error_of_its_code(name: str) -> None:
    frames, problem, code, param = WRONG[name]
    last = frames[-1]
    if isinstance(last, dict):
        frames = [*frames[:-1], {**last, "event_id": "mine"}]

    async def main() -> None:
        async with OpenAIServer(_silent) as server, connected(server) as client:
            await _play(client, frames)
            error = (await client.until("error"))["error"]
            assert error["code"] == code
            assert param in (None, error["param"])
            assert error["event_id"] == ("mine" if isinstance(last, dict) else None)
            assert len(client.all("error")) == 1
        first, *others = server.connections[0].client_errors
        assert problem in first.problem
        assert first.index == len(frames) - 1
        assert others == []

    run(main())


def test_a_correct_client_is_told_no_error() -> None:
    async def main() -> None:
        async with OpenAIServer(_silent) as server, connected(server) as client:
            await _play(client, CORRECT)
            await client.until("response.created")
            # A cancel where nothing is in progress is safe, and answered with an error all the same.
            assert client.codes() == ["response_cancel_not_active"]
        server.assert_client_correct()

    run(main())


def test_an_event_with_several_mistakes_is_answered_once() -> None:
    async def main() -> None:
        async with OpenAIServer(_silent) as server, connected(server) as client:
            await _play(client, [_session(instructions=5, colour="blue")])
            await client.update()
            assert client.codes() == ["invalid_type"]
            assert len(server.connections[0].client_errors) == 2

    run(main())


def test_a_refused_update_changes_nothing() -> None:
    async def main() -> None:
        async with OpenAIServer(_silent) as server, connected(server) as client:
            before = client.all("session.created")[0]["session"]
            await _play(client, [_session(instructions="Be brief.", model="gpt-other")])
            await client.until("error")
            assert await client.update() == before

    run(main())


def test_an_event_id_that_is_used_twice_is_a_mistake() -> None:
    async def main() -> list[str]:
        async with OpenAIServer(_silent) as server, connected(server) as client:
            for _ in range(2):
                await client.send("input_audio_buffer.clear", event_id="mine")
            await client.until("input_audio_buffer.cleared", 2)
        return [error.problem for error in server.connections[0].client_errors]

    assert run(main()) == ["event_id 'mine' was used before"]


def test_a_second_output_of_a_call_is_a_mistake_that_the_conversation_takes() -> None:
    async def main() -> list[str]:
        async with OpenAIServer(_silent) as server, connected(server) as client:
            await _play(
                client, [_create(_CALL), _create(call_output("call_1")), _create(call_output("call_1", "rain"))]
            )
            await client.until("conversation.item.done", 3)
            assert client.codes() == []
        return [error.problem for error in server.connections[0].client_errors]

    assert run(main()) == ["the call has an output already"]


def test_a_commit_that_crosses_the_servers_own_is_noted_and_no_mistake() -> None:
    async def main() -> None:
        async with OpenAIServer(_silent) as server, connected(server) as client:
            await client.send("input_audio_buffer.commit")
            await client.until("error")
            assert client.codes() == ["input_audio_buffer_commit_empty"]
            assert len(server.connections[0].client_notes) == 1
        server.assert_client_correct()

    run(main())


def test_spoken_words_and_keys_are_in_no_complaint_and_no_repr() -> None:
    async def main() -> str:
        async with OpenAIServer(_silent) as server, connected(server, "?model=m&api-key=secret") as client:
            secret = user_text("secret", "item_a")
            await _play(client, [_create(secret), _create(secret), _session(instructions={"secret": 1})])
            await client.audio(SILENCE)
            await client.until("error", 2)
            connection = server.connections[0]
            shown = [*connection.client_errors, *connection.received, *connection.service.conversation.items]
            return " ".join(map(repr, [*shown, connection.query, *client.all("error")]))

    assert "secret" not in run(main()).replace("<secret>", "")
