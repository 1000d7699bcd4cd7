"""Phonic's frames to events, and commands to Phonic's frames: a pure fold.

Sources: message and field names are those of the Phonic SDK 0.32. The SDK's own parser is not used here: it costs a
hundred times more, and takes an object without a type for consent to start.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import msgspec

from rtfsm.adapters.livekit import provider as do
from rtfsm.language import Event
from rtfsm.vocabulary import wire

__all__ = ["OUTPUT_RATE", "CodecState", "PhonicCodec", "frame_of"]

OUTPUT_RATE = 24000
BYTES_PER_SECOND = 2 * OUTPUT_RATE


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


class ToolCall(_Message, tag="tool_call"):
    tool_call_id: str
    tool_name: str
    parameters: dict[str, Any]


class ToolCallOutputProcessed(_Message, tag="tool_call_output_processed"):
    tool_call_id: str
    timed_out: bool | None = None


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


@attrs.frozen
class CodecState:
    """fresh: nobody has spoken or asked for speech on this connection, so a turn that begins now greets. blank: white
    space that came alone and belongs before the next word."""

    fresh: bool = True
    blank: str = ""


Events = Sequence[Event]
_SPOKEN = CodecState(fresh=False)


def _plain(*events: Event) -> Callable[[CodecState, Any], tuple[CodecState, Events]]:
    return lambda state, _message: (state, events)


def _text(state: CodecState, text: str, seconds: float | None) -> tuple[CodecState, list[Event]]:
    if not text.strip():
        return attrs.evolve(state, blank=state.blank + text), []
    return _SPOKEN, [wire.TextDelta(state.blank + text, seconds=seconds)]


def _turn_began(state: CodecState, _: AssistantStarted) -> tuple[CodecState, Events]:
    return _SPOKEN, (wire.GenerationCreated(greeting=state.fresh),)


def _user_began(_: CodecState, __: UserStarted) -> tuple[CodecState, Events]:
    return _SPOKEN, (wire.UserSpeechStarted(),)


def _tool_called(state: CodecState, message: ToolCall) -> tuple[CodecState, Events]:
    arguments = msgspec.json.encode(message.parameters).decode()
    return state, (wire.ToolCallReady(message.tool_call_id, message.tool_name, arguments),)


def _output_taken(state: CodecState, message: ToolCallOutputProcessed) -> tuple[CodecState, Events]:
    taken = wire.ToolResultTaken(message.tool_call_id)
    if message.timed_out:
        return state, (taken, wire.Notice("tool_call_timed_out", message.tool_call_id))
    return state, (taken,)


def _fault(state: CodecState, message: ErrorMessage) -> tuple[CodecState, Events]:
    parameters = tuple(sorted((message.param_errors or {}).items()))
    return state, (wire.Fault(False, message.error.code, message.error.message, parameters),)


def _transcribed(state: CodecState, message: InputText) -> tuple[CodecState, Events]:
    events: list[Event] = [wire.UserTranscript(message.text)]
    if message.language:
        events.append(wire.Notice("input_language", message.language))
    return state, events


_EVENTS: dict[type, Callable[[CodecState, Any], tuple[CodecState, Events]]] = {
    ReadyToStart: _plain(wire.ProviderReady()),
    ConversationReconnected: _plain(wire.ProviderReady()),
    ConversationCreated: lambda s, m: (s, (wire.Notice("conversation_created", m.conversation_id),)),
    InputText: _transcribed,
    InputCancelled: _plain(wire.UserTurnCancelled()),
    UserStarted: _user_began,
    UserFinished: _plain(wire.UserSpeechStopped()),
    AssistantStarted: _turn_began,
    AssistantFinished: _plain(wire.GenerationDone()),
    InterruptedResponse: lambda s, m: (s, (wire.GenerationInterrupted(heard=m.text),)),
    Dtmf: lambda s, m: (s, (wire.Notice("dtmf", m.digits),)),
    ToolCall: _tool_called,
    ToolCallOutputProcessed: _output_taken,
    ToolCallInterrupted: lambda s, m: (s, (wire.ToolCallCancelled(m.tool_call_id),)),
    ChoseNotToRespond: _plain(wire.ReplyDeclined()),
    EndedConversation: _plain(wire.ConversationEnded()),
    ErrorMessage: _fault,
    WarningMessage: lambda s, m: (s, (wire.Notice("warning", m.warning.code),)),
}
_TYPES = frozenset(str(kind.__struct_config__.tag) for kind in (*_EVENTS, AudioChunk))  # type: ignore[attr-defined]
_decode = msgspec.json.Decoder(ServerMessage).decode


class PhonicCodec:
    """The codec of Phonic's conversation socket."""

    initial = CodecState()

    def decode(self, state: CodecState, frame: do.Frame) -> tuple[CodecState, Events]:
        """Any frame whatever, to events. Never raises."""
        if type(frame) is not str:
            return state, (wire.Malformed("binary frame"),)
        try:
            message = _decode(frame)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return self._salvage(state, frame)
        if type(message) is AudioChunk:
            return self._chunk(state, message)
        return _EVENTS[type(message)](state, message)

    def _chunk(self, state: CodecState, message: AudioChunk) -> tuple[CodecState, Events]:
        audio, text = message.audio, message.text
        if not text:
            if not audio:
                return state, ()
            if not len(audio) % 2:
                return state, (wire.AudioDelta(audio),)
        whole = audio is not None and not len(audio) % 2
        seconds = len(audio) / BYTES_PER_SECOND if whole and audio is not None else None
        events: list[Event] = []
        if text:
            state, events = _text(state, text, seconds)
        if audio and whole:
            events.append(wire.AudioDelta(audio))
        elif audio:
            events.append(wire.Malformed("half a sample"))
        return state, events

    def _salvage(self, state: CodecState, frame: str) -> tuple[CodecState, Events]:
        """What a frame that does not fit still tells: the words of a chunk whose sound is broken, else the fault."""
        try:
            found = msgspec.json.decode(frame)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return state, (wire.Malformed("not JSON"),)
        if not isinstance(found, dict):
            return state, (wire.Malformed("not an object"),)
        kind = found.get("type")
        if not isinstance(kind, str):
            return state, (wire.Malformed("no type"),)
        if kind not in _TYPES:
            return state, (wire.Malformed("unknown type"),)
        faults = wire.Malformed(f"bad {kind}")
        if kind == "audio_chunk":
            text = found.get("text")
            if isinstance(text, str) and text:
                state, events = _text(state, text, None)
                return state, (*events, faults)
            audio = self._sound(found.get("audio"))
            return state, (wire.AudioDelta(audio), faults) if audio else (faults,)
        if kind == "error":
            return state, (wire.Fault(False, None, "the provider reported an error without saying which"), faults)
        return state, (faults,)

    @staticmethod
    def _sound(audio: object) -> bytes | None:
        """The sound of a chunk whose words are broken."""
        try:
            decoded = msgspec.convert(audio, bytes)
        except msgspec.MsgspecError:
            return None
        return decoded if not len(decoded) % 2 else None

    def encode(self, state: CodecState, command: do.Command) -> tuple[CodecState, Sequence[str]]:
        """A command to the frames that say it."""
        if isinstance(command, do.InputAudio):
            return state, (frame_of({"type": "audio_chunk", "audio": command.audio}),)
        if isinstance(command, do.ToolOutput):
            output = {"error": command.output} if command.is_error else command.output
            return state, (frame_of({"type": "tool_call_output", "tool_call_id": command.call, "output": output}),)
        if isinstance(command, do.SystemMessage):
            return state, (frame_of({"type": "add_system_message", "system_message": command.text}),)
        if isinstance(command, do.Say):
            return attrs.evolve(state, fresh=False), (frame_of({"type": "say", "text": command.text}),)
        if isinstance(command, do.Reply):
            asked = {
                "type": "generate_reply",
                "system_message": command.instructions,
                "user_message": command.user_text,
            }
            said = {name: value for name, value in asked.items() if value is not None}
            return attrs.evolve(state, fresh=False), (frame_of(said),)
        return state, ()  # Phonic has no message to cancel a response


def frame_of(message: dict[str, Any]) -> str:
    """A message as a text frame. Half characters (lone surrogates), which no UTF-8 can carry, become "?"."""
    try:
        return msgspec.json.encode(message).decode()
    except UnicodeEncodeError:
        return json.dumps(message, ensure_ascii=False).encode("utf-8", "replace").decode()
