"""Frames of the Realtime API to events, and commands to its frames: a pure fold.

Every message of this wire names its response and its item, so there is little to remember: whether the configuration
was accepted, and the words of the user that came in pieces.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import msgspec

from rtfsm.adapters.livekit import provider as do
from rtfsm.adapters.livekit.frames import frame_of
from rtfsm.language import Event
from rtfsm.vocabulary import wire

from . import incoming
from .chat_items import text_of
from .errors import counts_of, ended, events_of_error
from .outgoing import BESIDE, LANE, REQUEST, messages_of

__all__ = ["RATE", "CodecState", "OpenAICodec"]

RATE = 24000
"""Hz of the sound in both directions: 16-bit mono PCM, the API's only rate for it."""
MOST_PIECES = 16

Events = Sequence[Event]
Piece = tuple[str, int, str]


@attrs.frozen
class CodecState:
    """configured: the first configuration was accepted; what is acknowledged later says nothing new. told: how much the
    server was told, sound left out. pieces: what the user was heard to say so far, as (item, part, words)."""

    configured: bool = False
    told: int = 0
    pieces: tuple[Piece, ...] = attrs.field(default=(), repr=False)

    def heard(self, item: str, part: int, words: str) -> tuple[CodecState, str]:
        """The state with more words of a turn, and all words of that turn."""
        known = next((text for one, at, text in self.pieces if (one, at) == (item, part)), "")
        others = tuple(piece for piece in self.pieces if piece[:2] != (item, part))
        pieces = (*others, (item, part, known + words))[-MOST_PIECES:]
        return attrs.evolve(self, pieces=pieces), _all_of(pieces, item)

    def without(self, item: str) -> CodecState:
        if not any(piece[0] == item for piece in self.pieces):
            return self
        return attrs.evolve(self, pieces=tuple(piece for piece in self.pieces if piece[0] != item))


def _all_of(pieces: tuple[Piece, ...], item: str) -> str:
    return "".join(text for _, _, text in sorted(piece for piece in pieces if piece[0] == item))


def _audio(state: CodecState, message: incoming.AudioDelta) -> tuple[CodecState, Events]:
    sound = message.delta
    if not sound:
        return state, ()
    if len(sound) % 2:
        return state, (wire.Malformed("half a sample"),)
    return state, (wire.AudioDelta(sound, message.response_id, message.item_id),)


def _spoken(state: CodecState, message: incoming.TranscriptDelta) -> tuple[CodecState, Events]:
    if not message.delta:
        return state, ()
    words = wire.TextDelta(message.delta, message.response_id, message.item_id, at=message.start_time)
    return state, (words,)


def _written(state: CodecState, message: incoming.TextDelta) -> tuple[CodecState, Events]:
    if not message.delta:
        return state, ()
    return state, (wire.TextDelta(message.delta, message.response_id, message.item_id, form="written"),)


def _configured(state: CodecState, _: incoming.SessionUpdated) -> tuple[CodecState, Events]:
    return (state, ()) if state.configured else (attrs.evolve(state, configured=True), (wire.ProviderReady(),))


def _transcribing(state: CodecState, message: incoming.TranscriptionDelta) -> tuple[CodecState, Events]:
    if not message.delta:
        return state, ()
    state, words = state.heard(message.item_id, message.content_index or 0, message.delta)
    return state, (wire.Interim(words, message.item_id),)


def _transcribed(state: CodecState, message: incoming.TranscriptionCompleted) -> tuple[CodecState, Events]:
    if message.status == "in_progress":
        return state, (wire.Interim(message.transcript, message.item_id),) if message.transcript.strip() else ()
    counts = counts_of(message.usage)
    costs = (wire.Usage(turn=message.item_id, counts=counts),) if counts else ()
    # Where pieces were told and the whole is empty, the pieces are all that is known. Speech without a word is no
    # transcript: as one, it would be an empty message of the user's.
    words = message.transcript if message.transcript.strip() else _all_of(state.pieces, message.item_id)
    said: Events = ()
    if words.strip():
        said = (wire.UserTranscript(words, message.item_id, _confidence(message.logprobs)),)
    return state.without(message.item_id), (*said, *costs)


def _confidence(logprobs: Any) -> float | None:
    """The geometric mean of the probabilities of all pieces, where the server tells them."""
    if not isinstance(logprobs, list):
        return None
    known = [one.get("logprob") for one in logprobs if isinstance(one, dict)]
    values = [float(value) for value in known if isinstance(value, (int, float)) and value <= 0]
    return math.exp(sum(values) / len(values)) if values else None


def _not_transcribed(state: CodecState, message: incoming.TranscriptionFailed) -> tuple[CodecState, Events]:
    words = _all_of(state.pieces, message.item_id)
    said = (wire.UserTranscript(words, message.item_id),) if words.strip() else ()
    return state.without(message.item_id), said


def _item_added(state: CodecState, message: incoming.ItemAdded) -> tuple[CodecState, Events]:
    item = message.item
    role = item.role if item.type == "message" else None
    return state, (wire.ItemAdded(item.id, message.previous_item_id, role, text_of(item.content)),)


def _item_done(state: CodecState, message: incoming.OutputItemDone) -> tuple[CodecState, Events]:
    """It comes for a cut item too: a call is believed by its status and its JSON."""
    item = message.item
    if item.type == "message":
        return state, (wire.MessageDone(message.response_id, item.id),)
    if item.type != "function_call" or item.status not in (None, "completed"):
        return state, ()
    arguments = item.arguments or "{}"
    if not item.call_id or not item.name or not _is_object(arguments):
        return state, (wire.Malformed("a tool call without an id, a name or a JSON object"),)
    return state, (wire.ToolCallReady(item.call_id, item.name, arguments, message.response_id, item.id),)


def _is_object(text: str) -> bool:
    """Whether a text is one JSON object, complete and without repair."""
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return False


def _created(state: CodecState, message: incoming.ResponseCreated) -> tuple[CodecState, Events]:
    response = message.response
    said = response.metadata if isinstance(response.metadata, dict) else {}
    request = said.get(REQUEST) if isinstance(said.get(REQUEST), str) else None
    beside = response.conversation_id is None or said.get(LANE) == BESIDE
    if beside and request is None:
        return state, ()  # the application's own, which it reads from the raw events; what comes of it is late
    return state, (wire.GenerationCreated(response.id, request, stored=not beside),)


def _plain(make: Callable[[Any], Events]) -> Callable[[CodecState, Any], tuple[CodecState, Events]]:
    return lambda state, message: (state, make(message))


_EVENTS: dict[type, Callable[[CodecState, Any], tuple[CodecState, Events]]] = {
    incoming.AudioDelta: _audio,
    incoming.BetaAudioDelta: _audio,
    incoming.TranscriptDelta: _spoken,
    incoming.BetaTranscriptDelta: _spoken,
    incoming.TextDelta: _written,
    incoming.BetaTextDelta: _written,
    incoming.SessionUpdated: _configured,
    incoming.SpeechStarted: _plain(lambda m: (wire.UserSpeechStarted(m.item_id),)),
    incoming.SpeechStopped: _plain(lambda m: (wire.UserSpeechStopped(m.item_id),)),
    incoming.InputCleared: _plain(lambda _: (wire.UserTurnCancelled(),)),
    incoming.TranscriptionDelta: _transcribing,
    incoming.TranscriptionCompleted: _transcribed,
    incoming.TranscriptionFailed: _not_transcribed,
    incoming.ItemAdded: _item_added,
    incoming.BetaItemCreated: _item_added,
    incoming.ItemDeleted: _plain(lambda m: (wire.ItemDeleted(m.item_id),)),
    incoming.OutputItemDone: _item_done,
    incoming.ResponseCreated: _created,
    incoming.ResponseDone: _plain(lambda m: ended(m.response)),
    incoming.RateLimits: _plain(lambda m: (wire.Notice("rate_limits_updated", m.rate_limits),)),
    incoming.Error: _plain(lambda m: events_of_error(m.error)),
}
_TYPES = frozenset(str(kind.__struct_config__.tag) for kind in _EVENTS)  # type: ignore[attr-defined]
_decode = msgspec.json.Decoder(incoming.ServerMessage).decode


@attrs.frozen
class OpenAICodec:
    """The codec of a Realtime WebSocket. beta: it is told items as Azure's dated API versions name them; what it reads
    may have either names."""

    beta: bool = False

    @property
    def initial(self) -> CodecState:
        return CodecState()

    def resumed(self, state: CodecState) -> tuple[CodecState, str | None]:
        """No connection goes on with the conversation of another: it is told it anew."""
        return CodecState(), None

    def decode(self, state: CodecState, frame: do.Frame) -> tuple[CodecState, Events]:
        """Any frame whatever, to events. Never raises."""
        if type(frame) is not str:
            return state, (wire.Malformed("binary frame"),)
        try:
            message = _decode(frame)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return self._salvage(state, frame)
        return _EVENTS[type(message)](state, message)

    def _salvage(self, state: CodecState, frame: str) -> tuple[CodecState, Events]:
        """What a frame that does not fit still tells."""
        try:
            found = msgspec.json.decode(frame)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return state, (wire.Malformed("not JSON"),)
        if not isinstance(found, dict):
            return state, (wire.Malformed("not an object"),)
        kind = found.get("type")
        if not isinstance(kind, str):
            return state, (wire.Malformed("no type"),)
        if kind in incoming.IGNORED:
            return state, ()
        if kind not in _TYPES:
            return state, (wire.Malformed("unknown type"),)
        faults = wire.Malformed(f"bad {kind}")
        if kind == "error":
            return state, (wire.Fault(False, None, "the provider reported an error without saying which"), faults)
        return state, (faults,)

    def encode(self, state: CodecState, command: do.Command) -> tuple[CodecState, Sequence[str]]:
        """A command to the frames that say it."""
        if type(command) is do.InputAudio:
            return state, (frame_of({"type": "input_audio_buffer.append", "audio": command.audio}),)
        messages = messages_of(command, state.told, beta=self.beta)
        return attrs.evolve(state, told=state.told + 1), tuple(frame_of(message) for message in messages)
