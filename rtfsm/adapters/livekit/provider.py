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
    "Codec",
    "Command",
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
]

Frame = str | bytes
"""A text frame (str) or a binary frame (bytes) of the wire."""


@attrs.frozen
class Settings:
    """What the host wants the provider to be: its instructions, its tools, what was said before, the provider's own
    options, which the shell does not look into; continued: they go on with a conversation whose connection was lost.
    resumes: the provider's id of it, where the next connection goes on with that very one."""

    instructions: str | None = attrs.field(default=None, repr=False)
    tools: llm.ToolContext | None = attrs.field(default=None, repr=False)
    history: llm.ChatContext | None = attrs.field(default=None, repr=False)
    options: Any = attrs.field(default=None, repr=False)
    continued: bool = False
    resumes: str | None = None

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
    out_of_band: the answer, and that it was asked for, stay out of the conversation."""

    request: str
    instructions: str | None = attrs.field(default=None, repr=False)
    user_text: str | None = attrs.field(default=None, repr=False)
    item: str | None = None
    out_of_band: bool = False


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
    """What a tool returned, or what went wrong with it."""

    call: str
    output: str = attrs.field(repr=False)
    is_error: bool = False


@attrs.frozen
class SystemMessage(Command):
    """A remark for the model that nobody said."""

    text: str = attrs.field(repr=False)


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

    def answers_output(self, settings: Settings, tool: str) -> bool:
        """Whether the provider speaks after this tool's output."""
        ...
