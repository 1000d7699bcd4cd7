"""Builders of everything that Phonic's server sends on a conversation: one function per message type.

The 18 types and their fields are those of the Phonic SDK 0.32; `conversation_reconnected` is known to its reconnecting
socket alone. A builder returns a plain dict, so that a script may bend it further before sending it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from rtfsm.testing.server.judging import Message as Message


def ready_to_start_conversation() -> Message:
    """The server takes audio from now on."""
    return {"type": "ready_to_start_conversation"}


def conversation_created(conversation_id: str) -> Message:
    """The conversation exists and has this id."""
    return {"type": "conversation_created", "conversation_id": conversation_id}


def conversation_reconnected(conversation_id: str | None = None) -> Message:
    """A dropped conversation goes on upon this connection. The SDK looks at the type alone."""
    message: Message = {"type": "conversation_reconnected"}
    if conversation_id is not None:
        message["conversation_id"] = conversation_id
    return message


def input_text(text: str, *, language: str = "en") -> Message:
    """What the user said, final. `language` is an ISO 639-1 code."""
    return {"type": "input_text", "language": language, "text": text}


def input_cancelled() -> Message:
    """The user's speech led to no turn."""
    return {"type": "input_cancelled"}


def audio_chunk(audio: bytes, text: str = "", *, timings: Mapping[str, float] | None = None) -> Message:
    """A piece of the assistant's voice, raw bytes in the configured output format, with the words that begin in it.

    `timings` are named durations in milliseconds; the protocol has them on the first chunk of a turn only.
    """
    message: Message = {"type": "audio_chunk", "audio": base64.b64encode(audio).decode("ascii"), "text": text}
    if timings is not None:
        message["timings"] = dict(timings)
    return message


def user_started_speaking() -> Message:
    """The user's voice was detected. This alone interrupts nothing."""
    return {"type": "user_started_speaking"}


def user_finished_speaking() -> Message:
    """The user fell silent."""
    return {"type": "user_finished_speaking"}


def assistant_started_speaking() -> Message:
    """An assistant turn begins."""
    return {"type": "assistant_started_speaking"}


def assistant_finished_speaking() -> Message:
    """The assistant turn ends."""
    return {"type": "assistant_finished_speaking"}


def interrupted_response(text: str) -> Message:
    """The assistant was cut off; `text` is the part of its turn that was spoken before."""
    return {"type": "interrupted_response", "text": text}


def dtmf(digits: str, *, timings: Mapping[str, float] | None = None) -> Message:
    """The assistant presses keys. `timings` are named durations in milliseconds."""
    message: Message = {"type": "dtmf", "digits": digits}
    if timings is not None:
        message["timings"] = dict(timings)
    return message


def tool_call(tool_call_id: str, tool_name: str, parameters: Mapping[str, Any] | None = None) -> Message:
    """The client is asked to run one of its tools and to send the output under this id."""
    return {
        "type": "tool_call",
        "tool_call_id": tool_call_id,
        "tool_name": tool_name,
        "parameters": dict(parameters or {}),
    }


def tool_call_output_processed(
    tool_call_id: str,
    tool_name: str,
    *,
    tool_id: str = "tool_scripted",
    role: str = "assistant",
    parameters: Mapping[str, Any] | None = None,
    output: Any = None,
    duration_ms: float | None = None,
    timed_out: bool = False,
    error_message: str | None = None,
) -> Message:
    """A tool call is over: its output was taken in, or its time ran out.

    `role` is "user" for a call made while the user was speaking, else "assistant". The webhook fields are sent as null,
    which is what the SDK documents for WebSocket tools.
    """
    return {
        "type": "tool_call_output_processed",
        "tool_call_id": tool_call_id,
        "tool": {"id": tool_id, "name": tool_name},
        "tool_config": None,
        "endpoint_method": None,
        "endpoint_url": None,
        "endpoint_timeout_ms": None,
        "endpoint_called_at": None,
        "query_params": None,
        "request_body": None,
        "response_body": None,
        "parameters": dict(parameters or {}),
        "output": output,
        "response_status_code": None,
        "duration_ms": duration_ms,
        "timed_out": timed_out,
        "error_message": error_message,
        "conversation_item_role": role,
    }


def tool_call_interrupted(tool_call_id: str, tool_name: str) -> Message:
    """The user interrupted a tool call; its output is no longer wanted."""
    return {"type": "tool_call_interrupted", "tool_call_id": tool_call_id, "tool_name": tool_name}


def assistant_chose_not_to_respond() -> Message:
    """The assistant decided to stay silent on what it heard."""
    return {"type": "assistant_chose_not_to_respond"}


def assistant_ended_conversation() -> Message:
    """The assistant hung up. Audio sent ahead may still be playing."""
    return {"type": "assistant_ended_conversation"}


def error(message: str, *, code: str | None = None, param_errors: Mapping[str, str] | None = None) -> Message:
    """An error report. `param_errors` maps a parameter to what is wrong with it."""
    body: Message = {"message": message}
    if code is not None:
        body["code"] = code
    report: Message = {"type": "error", "error": body}
    if param_errors is not None:
        report["param_errors"] = dict(param_errors)
    return report


def warning(message: str, *, code: str | None = None) -> Message:
    """A warning; the conversation goes on."""
    body: Message = {"message": message}
    if code is not None:
        body["code"] = code
    return {"type": "warning", "warning": body}
