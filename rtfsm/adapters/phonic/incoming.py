"""What Phonic's server sends: one struct for each message, with the fields that are read (Phonic SDK 0.32)."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = [
    "AssistantFinished",
    "AssistantStarted",
    "AudioChunk",
    "ChoseNotToRespond",
    "ConversationCreated",
    "ConversationReconnected",
    "Dtmf",
    "EndedConversation",
    "ErrorBody",
    "ErrorMessage",
    "InputCancelled",
    "InputText",
    "InterruptedResponse",
    "ReadyToStart",
    "ServerMessage",
    "ToolCall",
    "ToolCallInterrupted",
    "ToolCallOutputProcessed",
    "UserFinished",
    "UserStarted",
    "WarningMessage",
]


class _Message(msgspec.Struct, tag_field="type", gc=False):
    """A message of the server. Fields that are not listed are not read."""


class ReadyToStart(_Message, tag="ready_to_start_conversation"):
    pass


class ConversationCreated(_Message, tag="conversation_created"):
    conversation_id: str


class ConversationReconnected(_Message, tag="conversation_reconnected"):
    pass


class InputText(_Message, tag="input_text"):
    text: str
    language: str | None = None


class InputCancelled(_Message, tag="input_cancelled"):
    pass


class AudioChunk(_Message, tag="audio_chunk"):
    audio: bytes | None = None
    text: str | None = None
    timings: Any = None


class UserStarted(_Message, tag="user_started_speaking"):
    pass


class UserFinished(_Message, tag="user_finished_speaking"):
    pass


class AssistantStarted(_Message, tag="assistant_started_speaking"):
    pass


class AssistantFinished(_Message, tag="assistant_finished_speaking"):
    pass


class InterruptedResponse(_Message, tag="interrupted_response"):
    text: str | None = None


class Dtmf(_Message, tag="dtmf"):
    digits: str
    timings: Any = None


class ToolCall(_Message, tag="tool_call"):
    tool_call_id: str
    tool_name: str
    parameters: dict[str, Any]


class ToolCallOutputProcessed(_Message, tag="tool_call_output_processed"):
    tool_call_id: str
    timed_out: bool | None = None
    # What follows is for the application alone: whatever stands there, the call is over.
    tool: Any = None
    duration_ms: Any = None
    error_message: Any = None
    conversation_item_role: Any = None
    tool_config: Any = None
    endpoint_method: Any = None
    endpoint_url: Any = None
    endpoint_timeout_ms: Any = None
    endpoint_called_at: Any = None
    query_params: Any = None
    request_body: Any = None
    response_body: Any = None
    parameters: Any = None
    output: Any = None
    response_status_code: Any = None


class ToolCallInterrupted(_Message, tag="tool_call_interrupted"):
    tool_call_id: str


class ChoseNotToRespond(_Message, tag="assistant_chose_not_to_respond"):
    pass


class EndedConversation(_Message, tag="assistant_ended_conversation"):
    pass


class ErrorBody(msgspec.Struct):
    message: str
    code: str | None = None


class ErrorMessage(_Message, tag="error"):
    error: ErrorBody
    param_errors: dict[str, str] | None = None


class WarningMessage(_Message, tag="warning"):
    warning: ErrorBody


ServerMessage = (
    ReadyToStart
    | ConversationCreated
    | ConversationReconnected
    | InputText
    | InputCancelled
    | AudioChunk
    | UserStarted
    | UserFinished
    | AssistantStarted
    | AssistantFinished
    | InterruptedResponse
    | Dtmf
    | ToolCall
    | ToolCallOutputProcessed
    | ToolCallInterrupted
    | ChoseNotToRespond
    | EndedConversation
    | ErrorMessage
    | WarningMessage
)
