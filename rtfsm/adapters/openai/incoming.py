"""What a server of OpenAI's Realtime API sends: one struct for each message, with the fields that are read.

Names are those of the types in the openai package 3.52 (GA protocol). The names before GA, which Azure's dated API
versions still use, differ in the tag alone. Messages that say nothing of use here are not listed.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

__all__ = [
    "IGNORED",
    "AudioDelta",
    "BetaAudioDelta",
    "BetaItemCreated",
    "BetaTextDelta",
    "BetaTranscriptDelta",
    "Error",
    "InputCleared",
    "Item",
    "ItemAdded",
    "ItemDeleted",
    "OutputItemDone",
    "RateLimits",
    "Response",
    "ResponseCreated",
    "ResponseDone",
    "ServerMessage",
    "SessionUpdated",
    "SpeechStarted",
    "SpeechStopped",
    "TextDelta",
    "TranscriptDelta",
    "TranscriptionCompleted",
    "TranscriptionDelta",
    "TranscriptionFailed",
]


class _Message(msgspec.Struct, tag_field="type", gc=False):
    """A message of the server. Fields that are not listed are not read."""


class AudioDelta(_Message, tag="response.output_audio.delta"):
    delta: bytes
    item_id: str
    response_id: str


class BetaAudioDelta(AudioDelta, tag="response.audio.delta"):
    pass


class TranscriptDelta(_Message, tag="response.output_audio_transcript.delta"):
    delta: str
    item_id: str
    response_id: str
    start_time: float | None = None
    """Not OpenAI's: some servers of its protocol time the words."""


class BetaTranscriptDelta(TranscriptDelta, tag="response.audio_transcript.delta"):
    pass


class TextDelta(_Message, tag="response.output_text.delta"):
    delta: str
    item_id: str
    response_id: str


class BetaTextDelta(TextDelta, tag="response.text.delta"):
    pass


class SessionUpdated(_Message, tag="session.updated"):
    pass


class SpeechStarted(_Message, tag="input_audio_buffer.speech_started"):
    item_id: str | None = None


class SpeechStopped(_Message, tag="input_audio_buffer.speech_stopped"):
    item_id: str | None = None


class InputCleared(_Message, tag="input_audio_buffer.cleared"):
    pass


class TranscriptionDelta(_Message, tag="conversation.item.input_audio_transcription.delta"):
    item_id: str
    delta: str | None = None
    content_index: int | None = None


class TranscriptionCompleted(_Message, tag="conversation.item.input_audio_transcription.completed"):
    item_id: str
    transcript: str
    content_index: int | None = None
    status: str | None = None
    """Not OpenAI's: some servers of its protocol repeat a transcript until it is completed."""
    usage: Any = None
    logprobs: Any = None


class TranscriptionFailed(_Message, tag="conversation.item.input_audio_transcription.failed"):
    item_id: str
    content_index: int | None = None


class Item(msgspec.Struct):
    """A part of the conversation. What it is, ``type`` says; the other fields belong to some types alone."""

    id: str
    type: str
    status: str | None = None
    role: str | None = None
    content: Any = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class ItemAdded(_Message, tag="conversation.item.added"):
    item: Item
    previous_item_id: str | None = None


class BetaItemCreated(ItemAdded, tag="conversation.item.created"):
    pass


class ItemDeleted(_Message, tag="conversation.item.deleted"):
    item_id: str


class OutputItemDone(_Message, tag="response.output_item.done"):
    item: Item
    response_id: str


class Response(msgspec.Struct):
    id: str
    status: str | None = None
    status_details: Any = None
    metadata: Any = None
    conversation_id: str | UnsetType | None = UNSET
    usage: Any = None


class ResponseCreated(_Message, tag="response.created"):
    response: Response


class ResponseDone(_Message, tag="response.done"):
    response: Response


class RateLimits(_Message, tag="rate_limits.updated"):
    rate_limits: Any = None


class ErrorBody(msgspec.Struct):
    message: str = ""
    type: str | None = None
    code: str | None = None
    event_id: str | None = None
    param: str | None = None


class Error(_Message, tag="error"):
    error: ErrorBody


ServerMessage = (
    AudioDelta
    | BetaAudioDelta
    | TranscriptDelta
    | BetaTranscriptDelta
    | TextDelta
    | BetaTextDelta
    | SessionUpdated
    | SpeechStarted
    | SpeechStopped
    | InputCleared
    | TranscriptionDelta
    | TranscriptionCompleted
    | TranscriptionFailed
    | ItemAdded
    | BetaItemCreated
    | ItemDeleted
    | OutputItemDone
    | ResponseCreated
    | ResponseDone
    | RateLimits
    | Error
)

IGNORED = frozenset(
    {
        "session.created",
        "conversation.created",
        "conversation.item.done",
        "conversation.item.retrieved",
        "conversation.item.truncated",
        "conversation.item.input_audio_transcription.segment",
        "input_audio_buffer.committed",
        "input_audio_buffer.timeout_triggered",
        "input_audio_buffer.dtmf_event_received",
        "output_audio_buffer.started",
        "output_audio_buffer.stopped",
        "output_audio_buffer.cleared",
        "response.output_item.added",
        "response.content_part.added",
        "response.content_part.done",
        "response.output_text.done",
        "response.text.done",
        "response.output_audio.done",
        "response.audio.done",
        "response.output_audio_transcript.done",
        "response.audio_transcript.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "response.mcp_call.failed",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.completed",
        "mcp_list_tools.failed",
    }
)
"""Messages that move nothing here. An application hears of them through the raw events."""
