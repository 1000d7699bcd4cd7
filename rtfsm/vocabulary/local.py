"""What can arrive from the host, and from the other machines. Fields marked *filled* are set by the router."""

from __future__ import annotations

from enum import Enum

import attrs

from rtfsm.language import Event

# -- the host ----------------------------------------------------------------------------------------------------------


class ConfigKind(Enum):
    UPDATE = "the conversation goes on with it"
    RESET = "the conversation begins anew with it"


@attrs.frozen
class ConfigGiven(Event):
    """The host said what to configure. The shell holds the content."""

    kind: ConfigKind = ConfigKind.UPDATE


class ReplyKind(Enum):
    GENERATE = "an answer in the model's own words"
    SAY = "these words"
    OUT_OF_BAND = "an answer that stays out of the conversation"


@attrs.frozen
class ReplyRequested(Event):
    """The host asks for speech. over (*filled*): the conversation has ended, nobody will answer."""

    request: str
    kind: ReplyKind = ReplyKind.GENERATE
    over: bool = False


@attrs.frozen
class ReplyAbandoned(Event):
    """The host cancelled its request. user_has_floor (*filled*): the user is speaking or was just heard."""

    request: str
    user_has_floor: bool = False


@attrs.frozen
class InterruptRequested(Event):
    """The host wants the current speech to end. user_has_floor (*filled*): the user is speaking or was just heard."""

    user_has_floor: bool = False


class ToolReply(Enum):
    WANTED = "the host waits for an answer to this output"
    NOT_WANTED = "the host wants no answer to this output"
    WITHHELD = "the host waits for an answer, and the provider was told to give none"


@attrs.frozen
class ToolOutputGiven(Event):
    """The host ran a tool. in_vain (*filled*): the host waits for an answer to it while the conversation goes on, and
    no other answer is on its way."""

    call: str
    output: str = attrs.field(repr=False)
    reply: ToolReply = ToolReply.WANTED
    in_vain: bool = False


@attrs.frozen
class CloseRequested(Event):
    """The host closes the session."""


@attrs.frozen
class WindowOver(Event):
    """The provider has forgotten the conversation whose connection was lost. The conversation itself tells the time."""


@attrs.frozen
class PlayoutStarted(Event):
    """The host took the first frame of a message."""

    message: str


@attrs.frozen
class PlayoutFinished(Event):
    """The sound of a message has been heard to its end."""

    message: str


@attrs.frozen
class TruncateAsked(Event):
    """The host says how far a message was heard that it stopped. The shell holds the moment and the words."""

    message: str


@attrs.frozen
class MessageRemoved(Event):
    """The host has no such message in its conversation. meant: it had seen the message, and wants it out; else it may
    just not have written it down yet."""

    message: str
    meant: bool = True


# -- between machines: the routed form of an effect, or of a standing condition ----------------------------------------


class ReleaseReason(Enum):
    RESET = "the conversation begins anew on this connection"
    LOST = "the connection is gone, another one will come"
    END = "the conversation has ended, its last words may be heard"
    CLOSE = "the session closes"


@attrs.frozen
class Release(Event):
    """End what you have begun."""

    reason: ReleaseReason


@attrs.frozen
class UserCut(Event):
    """The user takes the floor."""


@attrs.frozen
class Superseded(Event):
    """Another response began in the same lane."""


@attrs.frozen
class ProviderGone(Event):
    """Nothing more can come, and what came may be heard to its end."""


@attrs.frozen
class Matched(Event):
    """A generation answers this request."""

    generation: str


@attrs.frozen
class SendNow(Event):
    """The wire is free for this request."""


@attrs.frozen
class ReplyExpected(Event):
    """A tool output was sent that the provider answers by itself."""


@attrs.frozen
class NextCall(Event):
    """A tool call was handed over."""


@attrs.frozen
class UserSpoke(Event):
    """The user took the floor, and the next turn will answer that."""


@attrs.frozen
class UserTalks(Event):
    """The user speaks, and has perhaps not taken the floor."""


@attrs.frozen
class UserSilent(Event):
    """The user speaks no more."""


@attrs.frozen
class CallDelivered(Event):
    """A call may be handed to the host. It carries the call itself."""

    call: str
    name: str = ""
    arguments: str = attrs.field(default="", repr=False)
    item: str | None = None


@attrs.frozen
class CallHeld(Event):
    """A call is complete, and its generation is not yet trusted."""

    call: str
    name: str = ""
    arguments: str = attrs.field(default="", repr=False)
    item: str | None = None


@attrs.frozen
class CallRejected(Event):
    """A call came where nothing may be called."""

    call: str
    name: str = ""


@attrs.frozen
class InterruptionNoticed(Event):
    """The provider says it was cut. audible (*filled*): the host is, or will be, playing speech."""

    audible: bool


@attrs.frozen
class FloorFree(Event):
    """Nothing that must not be cut is being heard any more."""


@attrs.frozen
class Quiet(Event):
    """Nothing runs that would be lost now."""


@attrs.frozen
class MessageOpened(Event):
    """A message was announced to the host."""


@attrs.frozen
class MessageUnheard(Event):
    """A message is complete on the wire, and nothing of it was handed over."""

    generation: str
    message: str


@attrs.frozen
class PlayoutStopped(Event):
    """The host was told to stop playing."""
