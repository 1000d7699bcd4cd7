"""The scripted server's vocabulary is that of the real SDK."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin

import pytest
from openai.types import realtime
from openai.types.realtime.realtime_client_event import RealtimeClientEvent
from openai.types.realtime.realtime_server_event import RealtimeServerEvent
from pydantic import BaseModel, TypeAdapter

from rtfsm.testing.openai_server import messages
from rtfsm.testing.openai_server.client_fields import MESSAGES, RESPONSE_FIELDS, SESSION_FIELDS
from rtfsm.testing.openai_server.session import Session

ITEM = {"id": "i", "type": "message", "role": "assistant", "status": "completed", "content": []}
RESPONSE = messages.response(
    "r",
    "cancelled",
    status_details={"type": "cancelled", "reason": "turn_detected"},
    output=[ITEM],
    metadata={"a": "b"},
    usage={"total_tokens": 1},
)
PART = {"type": "audio", "transcript": "hello"}
SESSION = Session("sess_1", "gpt-realtime", 1).shown

EXAMPLES: dict[str, dict[str, Any]] = {
    event["type"]: {"event_id": "event_1", **event}
    for event in (
        messages.session_created(SESSION),
        messages.session_updated(SESSION),
        messages.error("no", code="bad", param="x", event_id="e"),
        messages.rate_limits_updated(),
        messages.speech_started("i", 1),
        messages.speech_stopped("i", 2),
        messages.timeout_triggered("i", 1, 2),
        messages.committed("i", "h"),
        messages.cleared(),
        messages.item_added(ITEM, "h"),
        messages.item_done(ITEM, "h"),
        messages.item_deleted("i"),
        messages.item_truncated("i", 5),
        messages.item_retrieved(ITEM),
        messages.transcription_delta("i", "he"),
        messages.transcription_completed("i", "hello"),
        messages.transcription_failed("i"),
        messages.response_created(RESPONSE),
        messages.response_done(RESPONSE),
        messages.output_item_added("r", 0, ITEM),
        messages.output_item_done("r", 0, ITEM),
        messages.content_part_added("r", "i", 0, PART),
        messages.content_part_done("r", "i", 0, PART),
        messages.audio_delta("r", "i", 0, b"\0\0"),
        messages.audio_done("r", "i", 0),
        messages.audio_transcript_delta("r", "i", 0, "he"),
        messages.audio_transcript_done("r", "i", 0, "hello"),
        messages.text_delta("r", "i", 0, "he"),
        messages.text_done("r", "i", 0, "hello"),
        messages.arguments_delta("r", "i", 0, "c", "{"),
        messages.arguments_done("r", "i", 0, "c", "weather", "{}"),
    )
}

ELSEWHERE = {
    "conversation.created",
    "conversation.item.created",
    "conversation.item.input_audio_transcription.segment",
    "input_audio_buffer.dtmf_event_received",
    "output_audio_buffer.cleared",
    "output_audio_buffer.started",
    "output_audio_buffer.stopped",
}
"""Events of WebRTC, of SIP, of transcription sessions, and of the protocol before its general availability."""


def _members(union: Any) -> dict[str, Any]:
    alternatives = get_args(get_args(union)[0])
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in alternatives}


def test_there_is_a_builder_for_every_event_of_a_websocket_session() -> None:
    ours = set(EXAMPLES) | ELSEWHERE
    assert {name for name in _members(RealtimeServerEvent) if "mcp_" not in name} == ours


def _strangers(value: Any, model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Fields that the SDK's model does not have."""
    for name in value.model_extra or {}:
        yield f"{path}.{name}"
    for name in model.model_fields:
        inner = getattr(value, name)
        for entry in inner if isinstance(inner, list) else [inner]:
            if isinstance(entry, BaseModel):
                yield from _strangers(entry, type(entry), f"{path}.{name}")


@pytest.mark.parametrize("type_name", sorted(EXAMPLES))
def test_the_sdk_reads_what_a_builder_makes_without_extra_or_missing_fields(type_name: str) -> None:
    model = _members(RealtimeServerEvent)[type_name]
    read = TypeAdapter(RealtimeServerEvent).validate_python(EXAMPLES[type_name])
    assert type(read) is model
    # The SDK types the session of these events as a request; it has a type for the answer too, see below.
    answered = {f".session.{name}" for name in ("id", "object", "expires_at")}
    assert set(_strangers(read, model)) <= answered


def test_the_session_that_is_told_is_the_sdks_answer() -> None:
    read = realtime.RealtimeSessionCreateResponse.model_validate(SESSION)
    assert list(_strangers(read, type(read))) == []


def test_the_client_events_are_those_of_the_sdk() -> None:
    assert set(MESSAGES) == set(_members(RealtimeClientEvent))


def test_a_session_and_a_response_have_the_fields_of_the_sdk() -> None:
    assert {"type", *SESSION_FIELDS} == set(realtime.RealtimeSessionCreateRequest.model_fields)
    assert set(RESPONSE_FIELDS) == set(realtime.RealtimeResponseCreateParams.model_fields)


def _full(annotation: Any, seen: tuple[Any, ...] = ()) -> Iterator[Any]:
    """Values of an SDK type that name each of its fields: one for each alternative."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation is type(None) or annotation in seen:
        return
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        choices = {name: list(_full(f.annotation, (*seen, annotation))) for name, f in annotation.model_fields.items()}
        for turn in range(max(map(len, choices.values()), default=0)):
            yield {name: values[turn % len(values)] for name, values in choices.items() if values}
    elif origin in (Union, types.UnionType):
        for alternative in inner:
            yield from _full(alternative, seen)
    elif origin is list:
        yield from ([value] for value in _full(inner[0], seen))
    elif origin is dict:
        yield {"a": "b"}
    elif hasattr(annotation, "__metadata__"):
        yield from _full(inner[0], seen)
    elif str(origin) == "typing.Literal":
        yield from inner
    else:
        yield {str: "text", bool: True, int: 1, float: 0.5}.get(annotation, {})


@pytest.mark.parametrize("type_name", sorted(MESSAGES))
def test_every_field_that_the_sdk_can_send_is_known(type_name: str) -> None:
    model = _members(RealtimeClientEvent)[type_name]
    complaints = []
    for event in _full(model):
        body: Mapping[str, Any] = {name: value for name, value in event.items() if name != "type"}
        complaints += [str(complaint) for complaint in MESSAGES[type_name](body, "")]
    # A part of content has its fields by its type, where the SDK has one class for all types.
    assert [text for text in complaints if "unknown field" in text and "content[0]" not in text] == []
