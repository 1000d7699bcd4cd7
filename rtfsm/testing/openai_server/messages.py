"""Builders of what the OpenAI Realtime service sends: one function per event.

Events and fields are those of the openai SDK 3.52 (`openai.types.realtime`). A builder returns a plain dict without an
`event_id`, which the connection adds, so that a script may bend it further before sending it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from rtfsm.testing.server.judging import Message as Message


def session_created(session: Mapping[str, Any]) -> Message:
    """The first event of a connection: the session with its default configuration."""
    return {"type": "session.created", "session": dict(session)}


def session_updated(session: Mapping[str, Any]) -> Message:
    """The configuration in force after a session.update. Names no event of the client's."""
    return {"type": "session.updated", "session": dict(session)}


def error(
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    event_id: str | None = None,
    type: str = "invalid_request_error",
) -> Message:
    """An error; `event_id` is that of the client's event that it answers."""
    body = {"type": type, "code": code, "message": message, "param": param, "event_id": event_id}
    return {"type": "error", "error": body}


def rate_limits_updated(*, remaining: int = 9000) -> Message:
    """The rate limits at the start of a response."""
    limit = {"name": "tokens", "limit": 10000, "remaining": remaining, "reset_seconds": 0.0}
    return {"type": "rate_limits.updated", "rate_limits": [limit]}


def speech_started(item_id: str, audio_start_ms: int = 0) -> Message:
    """The user's voice was detected; `item_id` is the user's message that will come of it."""
    return {"type": "input_audio_buffer.speech_started", "audio_start_ms": audio_start_ms, "item_id": item_id}


def speech_stopped(item_id: str, audio_end_ms: int = 0) -> Message:
    """The user fell silent."""
    return {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": audio_end_ms, "item_id": item_id}


def timeout_triggered(item_id: str, audio_start_ms: int = 0, audio_end_ms: int = 0) -> Message:
    """Nobody spoke for as long as the session's idle_timeout_ms."""
    return {
        "type": "input_audio_buffer.timeout_triggered",
        "audio_start_ms": audio_start_ms,
        "audio_end_ms": audio_end_ms,
        "item_id": item_id,
    }


def committed(item_id: str, previous_item_id: str | None = None) -> Message:
    """The input buffer became the user's message `item_id`."""
    return {"type": "input_audio_buffer.committed", "previous_item_id": previous_item_id, "item_id": item_id}


def cleared() -> Message:
    """The input buffer was emptied."""
    return {"type": "input_audio_buffer.cleared"}


def item_added(item: Mapping[str, Any], previous_item_id: str | None = None) -> Message:
    """An item entered the conversation, behind the one that is named."""
    return {"type": "conversation.item.added", "previous_item_id": previous_item_id, "item": dict(item)}


def item_done(item: Mapping[str, Any], previous_item_id: str | None = None) -> Message:
    """An item of the conversation is final."""
    return {"type": "conversation.item.done", "previous_item_id": previous_item_id, "item": dict(item)}


def item_deleted(item_id: str) -> Message:
    """An item left the conversation."""
    return {"type": "conversation.item.deleted", "item_id": item_id}


def item_truncated(item_id: str, audio_end_ms: int, content_index: int = 0) -> Message:
    """The assistant's message ends where the user heard it end; its transcript is gone."""
    return {
        "type": "conversation.item.truncated",
        "item_id": item_id,
        "content_index": content_index,
        "audio_end_ms": audio_end_ms,
    }


def item_retrieved(item: Mapping[str, Any]) -> Message:
    """An item with all of its content."""
    return {"type": "conversation.item.retrieved", "item": dict(item)}


def transcription_delta(item_id: str, delta: str, content_index: int = 0) -> Message:
    """A further piece of what the user said."""
    return _transcription("delta", item_id, content_index, delta=delta)


def transcription_completed(item_id: str, transcript: str, content_index: int = 0, *, seconds: float = 1.0) -> Message:
    """All that the user said. It comes before or after the events of the answer."""
    usage = {"type": "duration", "seconds": seconds}
    return _transcription("completed", item_id, content_index, transcript=transcript, usage=usage)


def transcription_failed(item_id: str, content_index: int = 0, *, message: str = "no transcript") -> Message:
    """What the user said could not be transcribed."""
    reason = {"type": "server_error", "code": "audio_unintelligible", "message": message, "param": None}
    return _transcription("failed", item_id, content_index, error=reason)


def _transcription(what: str, item_id: str, content_index: int, **rest: Any) -> Message:
    kind = f"conversation.item.input_audio_transcription.{what}"
    return {"type": kind, "item_id": item_id, "content_index": content_index, **rest}


def response_created(response: Mapping[str, Any]) -> Message:
    """A response begins."""
    return {"type": "response.created", "response": dict(response)}


def response_done(response: Mapping[str, Any]) -> Message:
    """A response is over; its status tells how."""
    return {"type": "response.done", "response": dict(response)}


def response(
    response_id: str,
    status: str = "in_progress",
    *,
    status_details: Mapping[str, Any] | None = None,
    output: Sequence[Mapping[str, Any]] = (),
    conversation_id: str | None = None,
    metadata: Mapping[str, str] | None = None,
    modalities: Sequence[str] = ("audio",),
    max_output_tokens: int | str = "inf",
    audio: Mapping[str, Any] | None = None,
    usage: Mapping[str, Any] | None = None,
) -> Message:
    """The response object inside response.created and response.done."""
    return {
        "object": "realtime.response",
        "id": response_id,
        "status": status,
        "status_details": None if status_details is None else dict(status_details),
        "output": [dict(item) for item in output],
        "conversation_id": conversation_id,
        "output_modalities": list(modalities),
        "max_output_tokens": max_output_tokens,
        "audio": None if audio is None else dict(audio),
        "usage": None if usage is None else dict(usage),
        "metadata": None if metadata is None else dict(metadata),
    }


def output_item_added(response_id: str, output_index: int, item: Mapping[str, Any]) -> Message:
    """A response begins an item."""
    return _output("output_item.added", response_id, output_index, item=dict(item))


def output_item_done(response_id: str, output_index: int, item: Mapping[str, Any]) -> Message:
    """An item of a response is over, also where it was cut: its status tells."""
    return _output("output_item.done", response_id, output_index, item=dict(item))


def content_part_added(response_id: str, item_id: str, output_index: int, part: Mapping[str, Any]) -> Message:
    """A message begins its content."""
    return _content("content_part.added", response_id, item_id, output_index, part=dict(part))


def content_part_done(response_id: str, item_id: str, output_index: int, part: Mapping[str, Any]) -> Message:
    """A message's content is over."""
    return _content("content_part.done", response_id, item_id, output_index, part=dict(part))


def audio_delta(response_id: str, item_id: str, output_index: int, sound: bytes) -> Message:
    """A piece of the assistant's voice: raw bytes in the session's output format."""
    delta = base64.b64encode(sound).decode("ascii")
    return _content("output_audio.delta", response_id, item_id, output_index, delta=delta)


def audio_done(response_id: str, item_id: str, output_index: int) -> Message:
    """The assistant's voice is over."""
    return _content("output_audio.done", response_id, item_id, output_index)


def audio_transcript_delta(response_id: str, item_id: str, output_index: int, delta: str) -> Message:
    """Words that are spoken."""
    return _content("output_audio_transcript.delta", response_id, item_id, output_index, delta=delta)


def audio_transcript_done(response_id: str, item_id: str, output_index: int, transcript: str) -> Message:
    """All words that were spoken."""
    return _content("output_audio_transcript.done", response_id, item_id, output_index, transcript=transcript)


def text_delta(response_id: str, item_id: str, output_index: int, delta: str) -> Message:
    """Words that are written."""
    return _content("output_text.delta", response_id, item_id, output_index, delta=delta)


def text_done(response_id: str, item_id: str, output_index: int, text: str) -> Message:
    """All words that were written."""
    return _content("output_text.done", response_id, item_id, output_index, text=text)


def arguments_delta(response_id: str, item_id: str, output_index: int, call_id: str, delta: str) -> Message:
    """A piece of a function call's arguments."""
    kind = "function_call_arguments.delta"
    return _output(kind, response_id, output_index, item_id=item_id, call_id=call_id, delta=delta)


def arguments_done(
    response_id: str, item_id: str, output_index: int, call_id: str, name: str, arguments: str
) -> Message:
    """A function call's arguments; also where they were cut."""
    kind = "function_call_arguments.done"
    rest = {"item_id": item_id, "call_id": call_id, "name": name, "arguments": arguments}
    return _output(kind, response_id, output_index, **rest)


def _output(what: str, response_id: str, output_index: int, **rest: Any) -> Message:
    return {"type": f"response.{what}", "response_id": response_id, "output_index": output_index, **rest}


def _content(what: str, response_id: str, item_id: str, output_index: int, **rest: Any) -> Message:
    return _output(what, response_id, output_index, item_id=item_id, content_index=0, **rest)
