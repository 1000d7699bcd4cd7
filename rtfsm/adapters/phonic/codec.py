"""Phonic's frames to events, and commands to Phonic's frames: a pure fold.

Sources: message and field names are those of the Phonic SDK 0.32. The SDK's own parser is not used here: it costs a
hundred times more, and takes an object without a type for consent to start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import attrs
import msgspec

from rtfsm.adapters.livekit import provider as do
from rtfsm.adapters.livekit.frames import frame_of
from rtfsm.language import Event
from rtfsm.vocabulary import wire

from .commands import Mute, SetExternalId, Unmute
from .incoming import (
    AssistantFinished,
    AssistantStarted,
    AudioChunk,
    ChoseNotToRespond,
    ConversationCreated,
    ConversationReconnected,
    Dtmf,
    EndedConversation,
    ErrorMessage,
    InputCancelled,
    InputText,
    InterruptedResponse,
    ReadyToStart,
    ServerMessage,
    ToolCall,
    ToolCallInterrupted,
    ToolCallOutputProcessed,
    UserFinished,
    UserStarted,
    WarningMessage,
)
from .notices import processed, timings

__all__ = ["OUTPUT_RATE", "CodecState", "Greets", "PhonicCodec"]

OUTPUT_RATE = 24000
BYTES_PER_SECOND = 2 * OUTPUT_RATE


FATAL_ERRORS: frozenset[str] = frozenset()
"""Codes of errors after which a conversation is of no use. None is known: where Phonic is done, it ends the connection,
and the close code says the rest."""


class Greets(Enum):
    SURELY = "the next turn, whatever is asked for meanwhile: a welcome was configured"
    PERHAPS = "the next turn, unless something is asked for before it: an agent at Phonic may have a welcome"
    NOT = "no turn: somebody has spoken, or there is no welcome in this conversation"


@attrs.frozen
class CodecState:
    """greets: whether a turn that begins now is a welcome. blank: white space that came alone and belongs before the
    next word. conversation: Phonic's id of it."""

    greets: Greets = Greets.PERHAPS
    blank: str = ""
    conversation: str | None = None

    def spoken(self) -> CodecState:
        """The state once somebody has spoken."""
        known = self.greets is Greets.NOT and not self.blank
        return self if known else attrs.evolve(self, greets=Greets.NOT, blank="")

    def asked(self) -> CodecState:
        """The state once something was asked for that the next turn may answer."""
        return attrs.evolve(self, greets=Greets.NOT) if self.greets is Greets.PERHAPS else self


Events = Sequence[Event]


def _plain(*events: Event) -> Callable[[CodecState, Any], tuple[CodecState, Events]]:
    return lambda state, _message: (state, events)


def _text(state: CodecState, text: str, seconds: float | None) -> tuple[CodecState, list[Event]]:
    if not text.strip():
        return attrs.evolve(state, blank=state.blank + text), []
    return state.spoken(), [wire.TextDelta(state.blank + text, seconds=seconds)]


def _turn_began(state: CodecState, _: AssistantStarted) -> tuple[CodecState, Events]:
    return state.spoken(), (wire.GenerationCreated(greeting=state.greets is not Greets.NOT),)


def _user_began(state: CodecState, _: UserStarted) -> tuple[CodecState, Events]:
    return state.spoken(), (wire.UserSpeechStarted(),)


def _tool_called(state: CodecState, message: ToolCall) -> tuple[CodecState, Events]:
    arguments = msgspec.json.encode(message.parameters).decode()
    # The assistant has begun: what it says next is no welcome but, most likely, what it makes of the output.
    return state.spoken(), (wire.ToolCallReady(message.tool_call_id, message.tool_name, arguments),)


def _output_taken(state: CodecState, message: ToolCallOutputProcessed) -> tuple[CodecState, Events]:
    taken = wire.ToolResultTaken(message.tool_call_id)
    told = wire.Notice("tool_call_output_processed", processed(message))
    if message.timed_out:
        return state, (taken, wire.Notice("tool_call_timed_out", message.tool_call_id), told)
    return state, (taken, told)


def _named(state: CodecState, message: ConversationCreated) -> tuple[CodecState, Events]:
    id = message.conversation_id
    return attrs.evolve(state, conversation=id or None), (wire.Notice("conversation_created", id),)


def _keys_pressed(state: CodecState, message: Dtmf) -> tuple[CodecState, Events]:
    pressed = wire.Notice("dtmf", message.digits)
    return state, (pressed,) if message.timings is None else (pressed, *timings(message.timings))


def _fault(state: CodecState, message: ErrorMessage) -> tuple[CodecState, Events]:
    parameters = tuple(sorted((message.param_errors or {}).items()))
    code = message.error.code
    return state, (wire.Fault(code in FATAL_ERRORS, code, message.error.message, parameters),)


def _transcribed(state: CodecState, message: InputText) -> tuple[CodecState, Events]:
    # Speech without a word is no transcript: as one, it would be an empty message of the user's.
    events: list[Event] = [wire.UserTranscript(message.text)] if message.text.strip() else []
    if message.language:
        events.append(wire.Notice("input_language", message.language))
    return state, events


_EVENTS: dict[type, Callable[[CodecState, Any], tuple[CodecState, Events]]] = {
    ReadyToStart: _plain(wire.ProviderReady()),
    ConversationReconnected: _plain(wire.ProviderReady()),
    ConversationCreated: _named,
    InputText: _transcribed,
    InputCancelled: _plain(wire.UserTurnCancelled()),
    UserStarted: _user_began,
    UserFinished: _plain(wire.UserSpeechStopped()),
    AssistantStarted: _turn_began,
    AssistantFinished: _plain(wire.GenerationDone()),
    InterruptedResponse: lambda s, m: (s, (wire.GenerationInterrupted(heard=m.text),)),
    Dtmf: _keys_pressed,
    ToolCall: _tool_called,
    ToolCallOutputProcessed: _output_taken,
    ToolCallInterrupted: lambda s, m: (s, (wire.ToolCallCancelled(m.tool_call_id),)),
    ChoseNotToRespond: _plain(wire.ReplyDeclined(), wire.Notice("assistant_chose_not_to_respond")),
    EndedConversation: _plain(wire.ConversationEnded()),
    ErrorMessage: _fault,
    WarningMessage: lambda s, m: (s, (wire.Notice("warning", m.warning.code),)),
}
_TYPES = frozenset(str(kind.__struct_config__.tag) for kind in (*_EVENTS, AudioChunk))  # type: ignore[attr-defined]
_decode = msgspec.json.Decoder(ServerMessage).decode


class PhonicCodec:
    """The codec of Phonic's conversation socket."""

    initial = CodecState()

    def resumed(self, state: CodecState) -> tuple[CodecState, str | None]:
        """A conversation that goes on has had its welcome, and keeps its id."""
        return CodecState(Greets.NOT, conversation=state.conversation), state.conversation

    def decode(self, state: CodecState, frame: do.Frame) -> tuple[CodecState, Events]:
        """Any frame whatever, to events. Never raises."""
        if type(frame) is not str:
            return state, (wire.Malformed("binary frame"),)
        try:
            message = _decode(frame)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return self._salvage(state, frame)
        if type(message) is AudioChunk:
            if message.timings is None:
                return self._chunk(state, message)
            state, events = self._chunk(state, message)
            return state, (*events, *timings(message.timings))
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
            said: dict[str, Any] = {"type": "say", "text": command.text}
            return state.asked(), (frame_of(said if command.interruptible else {**said, "interruptible": False}),)
        if isinstance(command, do.Reply):
            asked = {
                "type": "generate_reply",
                "system_message": command.instructions,
                "user_message": command.user_text,
            }
            given = {name: value for name, value in asked.items() if value is not None}
            return state.asked(), (frame_of(given),)
        if isinstance(command, Mute):
            return state, (frame_of({"type": "mute"}),)
        if isinstance(command, Unmute):
            return state, (frame_of({"type": "unmute"}),)
        if isinstance(command, SetExternalId):
            return state, (frame_of({"type": "set_external_id", "external_id": command.external_id}),)
        return state, ()  # Phonic has no message to cancel a response
