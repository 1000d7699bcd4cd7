"""What a provider is to the shell: a codec, a transport and what the wire can do.

The shell is written once, for all providers; nothing in this package knows one by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import attrs
from livekit.agents import llm

from rtfsm.language import Event
from rtfsm.machines import Capabilities, Floor
from rtfsm.vocabulary.wire import Loss

__all__ = [
    "Cancel",
    "ClearInput",
    "Codec",
    "Command",
    "CommitInput",
    "CreateItem",
    "DeleteItem",
    "Features",
    "Frame",
    "InputAudio",
    "Provider",
    "Reply",
    "Say",
    "Settings",
    "Sink",
    "SystemMessage",
    "ToolOutput",
    "Transport",
    "TruncateItem",
]

Frame = str | bytes
"""A text frame (str) or a binary frame (bytes) of the wire."""


@attrs.frozen
class Features:
    """What the shell may do for a provider, beside what the machines read; the least by default.

    items: its conversation is told item by item, under ids that both sides share, and each change is acknowledged.
    commits: the host may end the user's turn. video: it takes pictures. tool_choice, tools: a single reply may have its
    own. usage: it says what a response cost. timed: words come with the sound that carries them. defaults: it runs
    before the host has said what to be. chunk: milliseconds of the user's sound in one frame.
    """

    items: bool = False
    commits: bool = False
    video: bool = False
    tool_choice: bool = False
    tools: bool = False
    usage: bool = False
    timed: bool = True
    defaults: bool = False
    chunk: int = 20


@attrs.frozen
class Settings:
    """What the host wants the provider to be: its instructions, its tools, what was said before, the provider's own
    options, which the shell does not look into; continued: they go on with a conversation whose connection was lost.
    resumes: the provider's id of it, where the next connection goes on with that very one. config: our id of this
    configuration, by which a provider may refuse it."""

    instructions: str | None = attrs.field(default=None, repr=False)
    tools: llm.ToolContext | None = attrs.field(default=None, repr=False)
    history: llm.ChatContext | None = attrs.field(default=None, repr=False)
    options: Any = attrs.field(default=None, repr=False)
    continued: bool = False
    resumes: str | None = None
    config: str = ""

    @property
    def complete(self) -> bool:
        """The host has said both what to be and what to use."""
        return self.instructions is not None and self.tools is not None


@attrs.frozen
class Command:
    """Something to tell the provider once the conversation runs."""


@attrs.frozen
class InputAudio(Command):
    """Sound of the user: 16-bit little-endian mono PCM at the provider's input rate."""

    audio: bytes = attrs.field(repr=False)


@attrs.frozen
class Reply(Command):
    """Ask for an answer. request: our id of it. user_text: what the user typed, item: the id of that in the history.
    out_of_band: the answer, and that it was asked for, stay out of the conversation. standing: the instructions of the
    conversation, beside those for this answer. tool_choice, tools: for this answer alone."""

    request: str
    instructions: str | None = attrs.field(default=None, repr=False)
    user_text: str | None = attrs.field(default=None, repr=False)
    item: str | None = None
    out_of_band: bool = False
    standing: str | None = attrs.field(default=None, repr=False)
    tool_choice: llm.ToolChoice | None = None
    tools: Sequence[llm.Tool] | None = None


@attrs.frozen
class Say(Command):
    """Ask for these words to be spoken. interruptible: the user's voice may cut them."""

    request: str
    text: str = attrs.field(repr=False)
    interruptible: bool = True


@attrs.frozen
class Cancel(Command):
    """Ask for a response to end."""

    generation: str


@attrs.frozen
class ToolOutput(Command):
    """What a tool returned, or what went wrong with it. item: our id of this, as a part of the conversation."""

    call: str
    output: str = attrs.field(repr=False)
    is_error: bool = False
    item: str | None = None


@attrs.frozen
class SystemMessage(Command):
    """A remark for the model that nobody said."""

    text: str = attrs.field(repr=False)


@attrs.frozen
class CreateItem(Command):
    """Put an item into the conversation. after: the item before it, None for the end. first: it is the first of all."""

    item: llm.ChatItem = attrs.field(repr=False)
    after: str | None = None
    first: bool = False


@attrs.frozen
class DeleteItem(Command):
    """Take an item out of the conversation."""

    item: str


@attrs.frozen
class TruncateItem(Command):
    """Cut a spoken message to its first ``ms`` milliseconds."""

    item: str
    ms: int


@attrs.frozen
class CommitInput(Command):
    """The user's turn ends here."""


@attrs.frozen
class ClearInput(Command):
    """What was heard of the user's turn is not to count."""


class Codec(Protocol):
    """Frames to events and commands to frames: a pure fold. The state is whatever the codec wants to carry."""

    @property
    def initial(self) -> Any:
        """The state at the start of a connection."""
        ...

    def resumed(self, state: Any) -> tuple[Any, str | None]:
        """The state at the start of a connection that goes on with the conversation of the one before, and the
        provider's id of that conversation; None where it never said."""
        ...

    def decode(self, state: Any, frame: Frame) -> tuple[Any, Sequence[Event]]:
        """Any frame whatever, to events. Never raises: what cannot be read becomes a Malformed event."""
        ...

    def encode(self, state: Any, command: Command) -> tuple[Any, Sequence[str]]:
        """A command to the frames that say it; none where the protocol has no such message."""
        ...


class Sink(Protocol):
    """Who a transport reports to. ``lost`` comes exactly once, whatever happened, and nothing after it."""

    def opened(self, epoch: int) -> None: ...

    def received(self, epoch: int, frame: Frame) -> None: ...

    def lost(self, epoch: int, outcome: Loss, code: int | None, detail: str) -> None: ...


class Transport(Protocol):
    """One connection. Created opening; never blocks its caller."""

    dropped: int
    """Droppable frames that were left out."""

    def send(self, frame: str, *, droppable: bool = False) -> None:
        """Queue a frame. droppable: it may be left out where the wire is too slow for it."""
        ...

    def close(self, *, abort: bool = False) -> None:
        """Close, or abort without waiting for the other side. May be repeated."""
        ...

    @property
    def alive(self) -> bool:
        """Whether a task of it is left."""
        ...

    async def wait_closed(self) -> None:
        """Return once no task of it is left."""
        ...


class Provider(Protocol):
    """One provider. It keeps nothing between calls: what a session wants of it is in that session's settings."""

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def features(self) -> Features: ...

    @property
    def codec(self) -> Codec: ...

    @property
    def input_rate(self) -> int: ...

    @property
    def output_rate(self) -> int: ...

    def connect(self, settings: Settings, epoch: int, sink: Sink) -> Transport:
        """Begin to open a connection."""
        ...

    def configure(self, settings: Settings) -> Sequence[str]:
        """The frames that begin a conversation, or go on with one that was lost."""
        ...

    def update(self, before: Settings, now: Settings) -> Sequence[str]:
        """The frames that say what changed; none where nothing did."""
        ...

    def reset(self, settings: Settings) -> Sequence[str]:
        """The frames that begin the conversation anew."""
        ...

    def configured(self, state: Any, settings: Settings, *, anew: bool) -> Any:
        """The codec's state once the provider was told these settings. anew: by a reset."""
        ...

    def floor(self, settings: Settings) -> Floor:
        """Whose voice yields to whose, under these settings."""
        ...

    def secrets(self, settings: Settings) -> Sequence[str]:
        """What must not be shown, should the provider repeat it in an error."""
        ...

    def lifetime(self, settings: Settings) -> float | None:
        """Seconds after which a connection should make room for the next one; None where it may last."""
        ...

    def answers_output(self, settings: Settings, tool: str) -> bool:
        """Whether the provider speaks after this tool's output."""
        ...
