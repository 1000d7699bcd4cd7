"""What a client of the OpenAI Realtime API may send: every event and field, its type and its range.

Source: the event types of the openai SDK 3.52 (`openai.types.realtime`), generated from the published API reference;
ranges are those of its docstrings. The SDK's own models allow extra fields and enforce no range.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rtfsm.testing.server.checks import (
    Check,
    Complaint,
    Kind,
    anything,
    array,
    boolean,
    constant,
    fields,
    kind,
    mapping,
    nullable,
    number,
    one_of,
    string,
    within,
)

LONGEST_ID = 32
"""Characters of an item's or a call's id."""

LONGEST_APPEND = 15 * 1024 * 1024
"""Bytes of audio in one input_audio_buffer.append."""

AUDIO_FORMATS: Mapping[str, tuple[int, int]] = {
    "audio/pcm": (24000, 2),
    "audio/pcmu": (8000, 1),
    "audio/pcma": (8000, 1),
}
"""Audio format -> (sample rate in Hz, bytes per sample). All are mono."""

VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")

_text = string()
_id = string(empty=False, longest=LONGEST_ID)
_object = mapping(anything)
_whole = number(0, whole=True)


def options(**checks: Check) -> Check:
    """An object whose fields are all optional; null stands for a field that is not set."""
    return fields({}, {name: nullable(check) for name, check in checks.items()})


def either(of: Mapping[str, Check], tag: str = "type") -> Check:
    """An object that is one of several kinds, told apart by a field."""

    def check(value: object, path: str) -> Iterator[Complaint]:
        if not isinstance(value, dict):
            yield Complaint(path, Kind.TYPE, f"{path} must be an object, not {kind(value)}")
        elif tag not in value:
            yield Complaint(within(path, tag), Kind.MISSING, f"{path} lacks {tag!r}")
        elif isinstance(value[tag], str) and value[tag] in of:
            yield from of[value[tag]](value, path)
        else:
            yield from one_of(*of)(value[tag], within(path, tag))

    return check


def word_or(words: tuple[str, ...], other: Check) -> Check:
    """One of some words, or something that is no string."""
    word = one_of(*words)

    def check(value: object, path: str) -> Iterator[Complaint]:
        yield from (word if isinstance(value, str) else other)(value, path)

    return check


def _kinds(**kinds: tuple[dict[str, Check], dict[str, Check]]) -> Check:
    return either(
        {
            name: fields({"type": constant(name), **required}, {n: nullable(c) for n, c in optional.items()})
            for name, (required, optional) in kinds.items()
        }
    )


def _voice(value: object, path: str) -> Iterator[Complaint]:
    yield from (_text if isinstance(value, str) else fields({"id": _text}))(value, path)


_format = either(
    {
        "audio/pcm": fields({"type": anything}, {"rate": nullable(constant(24000))}),
        "audio/pcmu": fields({"type": anything}),
        "audio/pcma": fields({"type": anything}),
    }
)
_turn_detection = _kinds(
    server_vad=(
        {},
        {
            "create_response": boolean,
            "interrupt_response": boolean,
            "idle_timeout_ms": _whole,
            "prefix_padding_ms": _whole,
            "silence_duration_ms": _whole,
            "threshold": number(0, 1),
        },
    ),
    semantic_vad=(
        {},
        {
            "create_response": boolean,
            "interrupt_response": boolean,
            "eagerness": one_of("low", "medium", "high", "auto"),
        },
    ),
)
_transcription = options(
    delay=one_of("minimal", "low", "medium", "high", "xhigh"),
    keywords=array(_text),
    language=_text,
    languages=array(_text),
    model=_text,
    prompt=_text,
)
_audio_input = options(
    format=_format,
    noise_reduction=options(strength=number(), type=one_of("near_field", "far_field")),
    transcription=_transcription,
    turn_detection=_turn_detection,
)
_tool = _kinds(
    function=({"name": string(empty=False)}, {"description": _text, "parameters": _object}),
    mcp=(
        {"server_label": _text},
        {
            "allowed_callers": array(one_of("direct", "programmatic")),
            "allowed_tools": anything,
            "authorization": _text,
            "connector_id": _text,
            "defer_loading": boolean,
            "headers": mapping(_text),
            "require_approval": anything,
            "server_description": _text,
            "server_url": _text,
            "tunnel_id": _text,
        },
    ),
)
_tool_choice = word_or(
    ("none", "auto", "required"),
    _kinds(function=({"name": _text}, {}), mcp=({"server_label": _text}, {"name": _text})),
)
_modalities = array(one_of("text", "audio"), unique=True)


def _one_modality(value: object, path: str) -> Iterator[Complaint]:
    yield from _modalities(value, path)
    if isinstance(value, list) and len(value) != 1:
        yield Complaint(path, Kind.VALUE, f"{path} must be ['audio'] or ['text']")


_SHARED: dict[str, Check] = {
    "instructions": _text,
    "max_output_tokens": word_or(("inf",), number(1, 4096, whole=True)),
    "output_modalities": _one_modality,
    "parallel_tool_calls": boolean,
    "prompt": fields({"id": _text}, {"variables": nullable(_object), "version": nullable(_text)}),
    "reasoning": options(effort=one_of("minimal", "low", "medium", "high", "xhigh")),
    "tool_choice": _tool_choice,
    "tools": array(_tool),
}

SESSION_FIELDS: Mapping[str, Check] = {
    **_SHARED,
    "audio": options(input=_audio_input, output=options(format=_format, speed=number(0.25, 1.5), voice=_voice)),
    "include": array(one_of("item.input_audio_transcription.logprobs")),
    "model": _text,
    "tracing": word_or(("auto",), options(group_id=_text, metadata=anything, workflow_name=_text)),
    "truncation": word_or(
        ("auto", "disabled"),
        fields(
            {"type": constant("retention_ratio"), "retention_ratio": number(0, 1)},
            {"token_limits": nullable(options(post_instructions=_whole))},
        ),
    ),
}
"""The fields of a realtime session besides its type. All are optional."""

_session = fields({"type": constant("realtime")}, {name: nullable(check) for name, check in SESSION_FIELDS.items()})

_common = {"id": _id, "object": constant("realtime.item"), "status": one_of("completed", "incomplete", "in_progress")}
_parts: Mapping[str, Check] = {
    "system": _kinds(input_text=({"text": _text}, {})),
    "user": _kinds(
        input_text=({"text": _text}, {}),
        input_audio=({"audio": _text}, {"transcript": _text}),
        input_image=({"image_url": _text}, {"detail": one_of("auto", "low", "high")}),
    ),
    # The reference: items that are created "cannot populate assistant audio messages".
    "assistant": _kinds(output_text=({"text": _text}, {})),
}
_message = either(
    {
        role: fields(
            {"type": constant("message"), "role": constant(role), "content": array(part)},
            {name: nullable(check) for name, check in _common.items()},
        )
        for role, part in _parts.items()
    },
    "role",
)
_calls = _kinds(
    function_call=({"name": string(empty=False), "arguments": _text}, {"call_id": _id, **_common}),
    function_call_output=({"call_id": _id, "output": _text}, _common),
    mcp_approval_response=({"id": _id, "approval_request_id": _text, "approve": boolean}, {"reason": _text}),
)
_ITEMS: dict[str, Check] = {
    "message": _message,
    "function_call": _calls,
    "function_call_output": _calls,
    "mcp_approval_response": _calls,
}
item = either(_ITEMS)
"""An item that a client may create."""


def _metadata(value: object, path: str) -> Iterator[Complaint]:
    yield from mapping(string(longest=512))(value, path)
    if isinstance(value, dict):
        if len(value) > 16:
            yield Complaint(path, Kind.VALUE, f"{path} may have 16 pairs, not {len(value)}")
        if any(len(name) > 64 for name in value):
            yield Complaint(path, Kind.TOO_LONG, f"the names in {path} may have 64 characters")


RESPONSE_FIELDS: Mapping[str, Check] = {
    **_SHARED,
    "audio": options(output=options(format=_format, voice=_voice)),
    "conversation": one_of("auto", "none"),
    "input": array(either({**_ITEMS, "item_reference": fields({"type": anything, "id": _text})})),
    "metadata": _metadata,
}
"""The fields of a response.create's `response`. All are optional."""

_EVENTS: Mapping[str, tuple[dict[str, Check], dict[str, Check]]] = {
    "session.update": ({"session": _session}, {}),
    "input_audio_buffer.append": ({"audio": _text}, {}),
    "input_audio_buffer.commit": ({}, {}),
    "input_audio_buffer.clear": ({}, {}),
    "output_audio_buffer.clear": ({}, {}),
    "conversation.item.create": ({"item": item}, {"previous_item_id": _text}),
    "conversation.item.delete": ({"item_id": _text}, {}),
    "conversation.item.retrieve": ({"item_id": _text}, {}),
    "conversation.item.truncate": ({"item_id": _text, "content_index": _whole, "audio_end_ms": _whole}, {}),
    "response.create": ({}, {"response": options(**RESPONSE_FIELDS)}),
    "response.cancel": ({}, {"response_id": _text}),
}

MESSAGES: Mapping[str, Check] = {
    name: fields(required, {field: nullable(check) for field, check in {**optional, "event_id": _text}.items()})
    for name, (required, optional) in _EVENTS.items()
}
"""Client event -> check of the event without its `type`."""
