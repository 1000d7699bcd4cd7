"""How the frames of OpenAI's Realtime API look, made of what a move says and of what the server knows besides."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rtfsm.testing.openai_server import messages
from rtfsm.testing.openai_server.messages import Message

from .moves import ODD, Move
from .openai_talk import ARGUMENTS, GARBAGE, KINDS, PIECES

__all__ = ["bent", "fields_of", "frame_of", "item_of", "message_of"]

RATE = 24_000
_DETAILS: Mapping[str, Mapping[str, Any]] = {
    "cancelled": {"type": "cancelled", "reason": "client_cancelled"},
    "incomplete": {"type": "incomplete", "reason": "max_output_tokens"},
    "failed": {"type": "failed", "error": {"type": "server_error", "code": "server_error"}},
}


def item_of(args: Mapping[str, Any], status: str, words: str = "") -> Message:
    """The item that a move is about. words: what has been said or written in it so far."""
    body = {"id": args["item_id"], "object": "realtime.item", "status": status}
    if args.get("role") == "user":
        return {**body, "type": "message", "role": "user", "content": [{"type": "input_audio", "transcript": None}]}
    if args.get("sort") == "call" or "call_id" in args:
        given = {"completed": ARGUMENTS, "in_progress": ""}.get(status, PIECES[0])
        return {**body, "type": "function_call", "name": "weather", "call_id": args["call_id"], "arguments": given}
    part = {"type": "output_text", "text": words}
    if args.get("sort") != "written":
        part = {"type": "output_audio", "transcript": words}
    return {**body, "type": "message", "role": "assistant", "content": [] if status == "in_progress" else [part]}


def message_of(move: Move, words: str = "") -> Message | None:
    """The message that a move says, not bent; None for what is no message. words: of its item, so far."""
    build = _BUILDERS.get(move.what)
    args = {name: value for name, value in move.args.items() if name not in ODD}
    return None if build is None else build(args, words)


def bent(message: Message, move: Move) -> Message:
    """The message with a field that is odd or missing, where the move says so. A field's name is its path."""
    changed = copy.deepcopy(message) if "bent" in move.args or "without" in move.args else message
    for path, value in move.args.get("bent", {}).items():
        _inside(changed, path)[path.split(".")[-1]] = value
    if "without" in move.args:
        path = move.args["without"]
        _inside(changed, path).pop(path.split(".")[-1], None)
    return changed


def fields_of(move: Move) -> Sequence[str]:
    """The fields of the message that a move says, and of the item or the response in it."""
    message = message_of(move) or {}
    inner = [f"{name}.{field}" for name, value in message.items() if isinstance(value, dict) for field in value]
    return [*(name for name in message if name != "type"), *inner]


def frame_of(move: Move) -> str | bytes:
    """The frame of a move that is garbage, or that is cut."""
    message = message_of(move)
    frame = GARBAGE[move.args["name"]] if message is None else json.dumps(bent(message, move))
    return frame[: int(len(frame) * move.args["cut"])] if "cut" in move.args else frame


def _inside(message: Message, path: str) -> dict[str, Any]:
    *outer, _ = path.split(".")
    found: Any = message
    for name in outer:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


@functools.lru_cache(maxsize=16)
def _sound(ms: int) -> bytes:
    return b"\1\0" * (RATE * ms // 1000)


def _where(args: Mapping[str, Any]) -> tuple[str, str, int]:
    return str(args.get("response_id", "resp_0")), str(args["item_id"]), int(args.get("index", 0))


def _arguments_done(args: Mapping[str, Any], _: str) -> Message:
    given = ARGUMENTS if args["status"] == "completed" else PIECES[0]
    return messages.arguments_done(*_where(args), args["call_id"], "weather", given)


def _arguments_delta(args: Mapping[str, Any], _: str) -> Message:
    return messages.arguments_delta(*_where(args), args["call_id"], args["text"])


def _part(build: Callable[..., Message]) -> Callable[[Mapping[str, Any], str], Message]:
    def make(args: Mapping[str, Any], words: str) -> Message:
        written = args.get("sort") == "written"
        said = "" if build is messages.content_part_added else words
        part = {"type": "text", "text": said} if written else {"type": "audio", "transcript": said}
        return build(*_where(args), part)

    return make


def _output(build: Callable[..., Message]) -> Callable[[Mapping[str, Any], str], Message]:
    def make(args: Mapping[str, Any], words: str) -> Message:
        response, _, index = _where(args)
        return build(response, index, item_of(args, args.get("status", "in_progress"), words))

    return make


def _listed(build: Callable[..., Message], status: str) -> Callable[[Mapping[str, Any], str], Message]:
    def make(args: Mapping[str, Any], words: str) -> Message:
        usual = "completed" if args.get("role") == "user" else status
        return build(item_of(args, args.get("status", usual), words))

    return make


def _error(args: Mapping[str, Any], _: str) -> Message:
    event = args.get("event_id")
    kind = args.get("type", "invalid_request_error")
    return messages.error(args["message"], code=args["code"], event_id=event, type=kind)


def _of_item(build: Callable[..., Message], *more: str) -> Callable[[Mapping[str, Any], str], Message]:
    return lambda args, _: build(args["item_id"], *(args[name] for name in more))


_BUILDERS: Mapping[str, Callable[[Mapping[str, Any], str], Message]] = {
    "session.created": lambda args, _: messages.session_created({}),
    "session.updated": lambda args, _: messages.session_updated({}),
    "input_audio_buffer.speech_started": _of_item(messages.speech_started),
    "input_audio_buffer.speech_stopped": _of_item(messages.speech_stopped),
    "input_audio_buffer.committed": _of_item(messages.committed),
    "input_audio_buffer.timeout_triggered": _of_item(messages.timeout_triggered),
    "input_audio_buffer.cleared": lambda args, _: messages.cleared(),
    "conversation.item.input_audio_transcription.delta": _of_item(messages.transcription_delta, "text"),
    "conversation.item.input_audio_transcription.completed": _of_item(messages.transcription_completed, "text"),
    "conversation.item.input_audio_transcription.failed": _of_item(messages.transcription_failed),
    "conversation.item.added": _listed(messages.item_added, "in_progress"),
    "conversation.item.done": _listed(messages.item_done, "completed"),
    "conversation.item.truncated": lambda args, _: messages.item_truncated(args["item_id"], 100),
    "conversation.item.retrieved": _listed(messages.item_retrieved, "completed"),
    "response.created": lambda args, _: messages.response_created(messages.response(args["response_id"])),
    "response.done": lambda args, _: messages.response_done(
        messages.response(args["response_id"], args["status"], status_details=_DETAILS.get(args["status"]))
    ),
    "response.output_item.added": _output(messages.output_item_added),
    "response.output_item.done": _output(messages.output_item_done),
    "response.content_part.added": _part(messages.content_part_added),
    "response.content_part.done": _part(messages.content_part_done),
    "response.output_audio_transcript.delta": lambda args, _: messages.audio_transcript_delta(
        *_where(args), args["text"]
    ),
    "response.output_audio_transcript.done": lambda args, words: messages.audio_transcript_done(*_where(args), words),
    "response.output_audio.delta": lambda args, _: messages.audio_delta(*_where(args), _sound(args["ms"])),
    "response.output_audio.done": lambda args, _: messages.audio_done(*_where(args)),
    "response.output_text.delta": lambda args, _: messages.text_delta(*_where(args), args["text"]),
    "response.output_text.done": lambda args, words: messages.text_done(*_where(args), words),
    "response.function_call_arguments.delta": _arguments_delta,
    "response.function_call_arguments.done": _arguments_done,
    "rate_limits.updated": lambda args, _: messages.rate_limits_updated(),
    "error": _error,
}
assert {kind for kind in KINDS if not kind.startswith("answers.")} == set(_BUILDERS)
