"""Judges what a client sends: is it well formed, and is it allowed now?

No sockets and no clock: frames go in, errors and notes come out. The connection also tells what the server itself has
sent, since whether a tool output is due depends on it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from rtfsm.testing.phonic_server.client_fields import AUDIO_FORMATS, DEFAULT_AUDIO_FORMAT, MAX_CHUNK_MS, MESSAGES
from rtfsm.testing.phonic_server.messages import Message
from rtfsm.testing.server.checks import kind, shown
from rtfsm.testing.server.judging import Arrival, ClientError, ClientNote, decode, parse


class CallState(enum.Enum):
    """Where a tool call stands, seen from the server."""

    OPEN = "open"
    ANSWERED = "already answered"
    WITHDRAWN = "interrupted, and the client may not know yet"
    INTERRUPTED = "interrupted"
    LATE = "timed out, and the client may not know yet"
    EXPIRED = "timed out"
    RESET = "ended by a reset"
    EARLIER = "issued on an earlier connection"


_ENDS = {"tool_call_interrupted": CallState.WITHDRAWN, "tool_call_output_processed": CallState.LATE}
_IN_FLIGHT = {CallState.WITHDRAWN: CallState.INTERRUPTED, CallState.LATE: CallState.EXPIRED}


class ClientProtocol:
    """What one connection's client has sent and may send next.

    `resumed` is the configuration of the conversation that this connection continues, or None for a new conversation;
    `earlier_calls` are the ids of tool calls issued before the connection was lost.
    """

    def __init__(self, resumed: Mapping[str, Any] | None = None, earlier_calls: Mapping[str, CallState] | None = None):
        self.errors: list[ClientError] = []
        self.notes: list[ClientNote] = []
        self.config: Message = dict(resumed or {})
        self.configured = resumed is not None
        self.ready = False
        self.calls: dict[str, CallState] = {
            call_id: CallState.EARLIER if state is CallState.OPEN else state
            for call_id, state in (earlier_calls or {}).items()
        }
        self._resumed = resumed is not None
        self._next_index = 0
        self._noted_early_audio = False

    @property
    def input_format(self) -> str:
        """The audio format that the client speaks in."""
        return self._format("input_format")

    @property
    def output_format(self) -> str:
        """The audio format that the client wants to hear."""
        return self._format("output_format")

    def receive(self, frame: str | bytes) -> Arrival:
        """Judge the client's next frame."""
        index = self._next_index
        self._next_index += 1
        problem, message = parse(frame)
        if message is None:
            self._error(index, problem, "every message must be a text frame with a JSON object")
            return Arrival(problem, None)
        type_name = message.get("type")
        if not isinstance(type_name, str):
            self._error(index, "no type", f"'type' must be a string, not {kind(type_name)}")
            return Arrival("no type", None)
        if type_name not in MESSAGES:
            self._error(index, shown(type_name), "no client message has this type")
            return Arrival(shown(type_name), None)
        body = {name: value for name, value in message.items() if name != "type"}
        for complaint in MESSAGES[type_name](body, type_name):
            self._error(index, type_name, str(complaint))
        self._check_order(index, type_name)
        audio = self._take(index, type_name, body)
        return Arrival(type_name, message, audio)

    def sent(self, message: Message) -> str | None:
        """Note what the server has sent: readiness and the life of tool calls.

        Returns the id of the open tool call that the message ends, if it ends one.
        """
        type_name = message.get("type")
        call_id = message.get("tool_call_id")
        # A resumed conversation is not made ready a second time.
        if type_name in ("ready_to_start_conversation", "conversation_reconnected"):
            self.ready = True
        if not isinstance(call_id, str) or not isinstance(type_name, str):
            return None
        if type_name == "tool_call":
            # One that a reset has ended may be made again, under the same id.
            if self.calls.get(call_id, CallState.RESET) is CallState.RESET:
                self.calls[call_id] = CallState.OPEN
        elif type_name in _ENDS and self.calls.get(call_id) is CallState.OPEN:
            self.calls[call_id] = _ENDS[type_name]
            return call_id
        return None

    def client_knows(self, call_id: str) -> None:
        """The client has received the end of this call: an output from now on is wrong, it no longer just crosses."""
        state = self.calls.get(call_id)
        if state in _IN_FLIGHT:
            self.calls[call_id] = _IN_FLIGHT[state]

    def _format(self, name: str) -> str:
        value = self.config.get(name)
        return value if isinstance(value, str) and value in AUDIO_FORMATS else DEFAULT_AUDIO_FORMAT

    def _check_order(self, index: int, type_name: str) -> None:
        if type_name == "config":
            if self._resumed:
                self._error(index, type_name, "a resumed conversation keeps its configuration; config must not be sent")
            elif self.configured:
                self._error(index, type_name, "config was already sent; use reset to change it")
        elif not self.configured and type_name != "set_external_id":
            self._error(index, type_name, "nothing but set_external_id may precede config")
        elif type_name == "audio_chunk" and not self.ready and not self._noted_early_audio:
            self._noted_early_audio = True
            self.notes.append(ClientNote(index, type_name, "audio was sent before ready_to_start_conversation"))

    def _take(self, index: int, type_name: str, body: Message) -> bytes:
        if type_name == "config" and not self.configured:
            self.configured = True
            self.config = body
        elif type_name == "reset":
            self._take_reset(body)
        elif type_name == "tool_call_output":
            self._take_output(index, body.get("tool_call_id"))
        elif type_name == "audio_chunk":
            return self._decode(index, body.get("audio"))
        return b""

    def _take_reset(self, body: Message) -> None:
        config = body.get("config")
        if isinstance(config, dict):
            # The socket's formats outlive a reset that does not name them; all else is replaced.
            formats: Message = {
                name: self.config[name] for name in ("input_format", "output_format") if name in self.config
            }
            self.config = {**formats, **config}
        for call_id, state in self.calls.items():
            if state is CallState.OPEN:
                self.calls[call_id] = CallState.RESET

    def _take_output(self, index: int, call_id: object) -> None:
        if not isinstance(call_id, str):
            return  # The table of fields has complained already.
        state = self.calls.get(call_id)
        if state is CallState.OPEN:
            self.calls[call_id] = CallState.ANSWERED
        elif state is None:
            self._error(index, "tool_call_output", f"no tool call has the id {shown(call_id)}")
        elif state in _IN_FLIGHT:
            self.calls[call_id] = CallState.ANSWERED
            crossed = f"the output of {shown(call_id)} crossed the end of its call on the wire"
            self.notes.append(ClientNote(index, "tool_call_output", crossed))
        else:
            self._error(index, "tool_call_output", f"tool call {shown(call_id)} is {state.value}")

    def _decode(self, index: int, text: object) -> bytes:
        if not isinstance(text, str):
            return b""
        audio = decode(text)
        if audio is None:
            self._error(index, "audio_chunk", "audio is not valid base64")
            return b""
        name = self.input_format
        rate, width = AUDIO_FORMATS[name]
        if len(audio) % width:
            self._error(index, "audio_chunk", f"audio has {len(audio)} bytes, which is no whole number of samples")
            return b""
        duration_ms = len(audio) / width / rate * 1000
        if duration_ms > MAX_CHUNK_MS:
            limit = f"{duration_ms:.1f} ms of {name} in one chunk; at most {MAX_CHUNK_MS} ms are allowed"
            self._error(index, "audio_chunk", limit)
        if not audio:
            self.notes.append(ClientNote(index, "audio_chunk", "the chunk holds no audio"))
        return audio

    def _error(self, index: int, type_name: str, problem: str) -> None:
        self.errors.append(ClientError(index, type_name, problem))
