"""What can arrive from the wire.

No event bears a provider's name or shape. A codec turns a provider's messages into these; a field that is a bool or an
Enum may be read by guards, everything else (words, audio, ids) only travels. Fields marked *filled* are set by the
conversation's router from the state of the whole, so that a guard reads nothing but its own context and its event.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import attrs

from rtfsm.language import Event


@attrs.frozen
class WireEvent(Event):
    """An event that the provider's connection brought."""


# -- the connection ----------------------------------------------------------------------------------------------------


class Loss(Enum):
    """What the loss of a connection means; a codec's table of close codes chooses."""

    RETRYABLE = "another attempt may succeed"
    RESUMABLE = "another connection may go on with the same conversation, for a while"
    NORMAL = "the conversation ended as intended"
    FAILED = "another attempt would fail too"


@attrs.frozen
class TransportOpened(WireEvent):
    """The socket is up; nothing is configured yet."""


@attrs.frozen
class ProviderReady(WireEvent):
    """The provider accepted the configuration of this connection."""


@attrs.frozen
class ConfigRejected(WireEvent):
    """The provider did not accept a configuration. config: which one, where the wire says so."""

    detail: str = attrs.field(default="", repr=False)
    code: str | None = attrs.field(default=None, repr=False)
    config: str | None = None


@attrs.frozen
class TransportLost(WireEvent):
    """The socket is gone, or could not be opened. Comes exactly once per connection."""

    outcome: Loss
    code: int | None = None
    detail: str = attrs.field(default="", repr=False)


@attrs.frozen
class GoingAway(WireEvent):
    """The provider, or our own limit, will cut the connection soon."""

    seconds: float | None = None


@attrs.frozen
class ConversationEnded(WireEvent):
    """The assistant hung up; what it said may still be playing."""


@attrs.frozen
class Fault(WireEvent):
    """The provider reports an error."""

    fatal: bool
    code: str | None = attrs.field(default=None, repr=False)
    detail: str = attrs.field(default="", repr=False)
    parameters: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)


# -- what no machine needs -----------------------------------------------------------------------------------------


@attrs.frozen
class Remark(WireEvent):
    """Something that moves no machine: for whoever runs them, or for the application."""


@attrs.frozen
class Notice(Remark):
    """Something for the application alone: passed to the host as it is."""

    name: str
    data: object = attrs.field(default=None, repr=False)


@attrs.frozen
class Malformed(Remark):
    """Something that cannot be read, or not wholly. what: which kind of fault, from a small fixed set."""

    what: str


@attrs.frozen
class Interim(Remark):
    """What the user has said so far, all of it."""

    text: str = attrs.field(repr=False)
    turn: str | None = None


@attrs.frozen
class ItemAdded(Remark):
    """The provider's conversation holds this item now. after: the item before it, None for the first. role: of a
    message, None for anything else. text: its words, as far as it has any."""

    item: str
    after: str | None = None
    role: str | None = None
    text: str = attrs.field(default="", repr=False)


@attrs.frozen
class ItemDeleted(Remark):
    """The provider's conversation holds this item no more."""

    item: str


class ItemChange(Enum):
    CREATE = "put in"
    DELETE = "taken out"
    TRUNCATE = "cut"


@attrs.frozen
class ItemRejected(Remark):
    """The provider refused a change of its conversation. known: it holds the item already, as was wanted."""

    item: str
    change: ItemChange
    code: str | None = attrs.field(default=None, repr=False)
    detail: str = attrs.field(default="", repr=False)
    known: bool = False


@attrs.frozen
class Usage(Remark):
    """What a response, or the transcription of a user turn, cost. counts: as the shell's measurements name them."""

    generation: str | None = None
    turn: str | None = None
    counts: Mapping[str, float] = attrs.field(factory=dict)


# -- a provider's response ---------------------------------------------------------------------------------------------


class GenerationStatus(Enum):
    COMPLETED = "all was said"
    CANCELLED = "cut by the provider or by our request"
    INCOMPLETE = "cut by a limit"
    FAILED = "cut by an error"


@attrs.frozen
class GenerationCreated(WireEvent):
    """A response, or a turn of the assistant, begins.

    generation: the wire's id, or None where the wire has none. request: the request it answers, where the wire says so.
    stored: it becomes part of the provider's conversation (False for an out-of-band response). greeting: it answers
    nobody, like a welcome.
    """

    generation: str | None = None
    request: str | None = None
    stored: bool = True
    greeting: bool = False


@attrs.frozen
class TextDelta(WireEvent):
    """Words of a response. seconds: the length of the sound that carries them, where the wire says so. at: when in the
    message's sound they begin, where the wire says that. form: "spoken", or "written" where no sound comes with them.
    """

    text: str = attrs.field(repr=False)
    generation: str | None = None
    message: str | None = None
    seconds: float | None = None
    at: float | None = None
    form: str = "spoken"


@attrs.frozen
class AudioDelta(WireEvent):
    """Sound of a response: 16-bit little-endian mono PCM at the provider's output rate."""

    audio: bytes = attrs.field(repr=False)
    generation: str | None = None
    message: str | None = None


@attrs.frozen
class MessageDone(WireEvent):
    """One message of a response is complete."""

    generation: str | None = None
    message: str | None = None


@attrs.frozen
class ToolCallReady(WireEvent):
    """A complete tool call: its status and its JSON were checked by the codec. arguments: a JSON object. item: the
    wire's id of it as a part of the conversation."""

    call: str
    name: str
    arguments: str = attrs.field(repr=False)
    generation: str | None = None
    item: str | None = None


@attrs.frozen
class GenerationInterrupted(WireEvent):
    """The provider says that the response was cut. heard: the part that was spoken, None where it does not say."""

    generation: str | None = None
    heard: str | None = attrs.field(default=None, repr=False)


@attrs.frozen
class GenerationDone(WireEvent):
    """The closing bracket of a response."""

    status: GenerationStatus = GenerationStatus.COMPLETED
    generation: str | None = None


@attrs.frozen
class ReplyDeclined(WireEvent):
    """The assistant chose not to respond."""


@attrs.frozen
class RequestRejected(WireEvent):
    """The provider refused a request for a reply."""

    request: str
    code: str | None = attrs.field(default=None, repr=False)


@attrs.frozen
class ToolCallCancelled(WireEvent):
    """The provider withdrew a call."""

    call: str


@attrs.frozen
class ToolResultTaken(WireEvent):
    """The provider took our output, or closed the call by itself (its own time ran out)."""

    call: str


# -- the user ----------------------------------------------------------------------------------------------------------


@attrs.frozen
class UserSpeechStarted(WireEvent):
    """floor_held (*filled*): speech that must not be cut is being heard."""

    turn: str | None = None
    floor_held: bool = False


@attrs.frozen
class UserSpeechStopped(WireEvent):
    turn: str | None = None


@attrs.frozen
class UserTurnCancelled(WireEvent):
    """What sounded like speech was none, or leads to no turn."""

    turn: str | None = None


@attrs.frozen
class UserTranscript(WireEvent):
    """What the user said, finally. It has words: a codec leaves out what was heard of speech without any. confidence:
    how sure of them the provider is, from 0 to 1, where it says so."""

    text: str = attrs.field(repr=False)
    turn: str | None = None
    confidence: float | None = None
