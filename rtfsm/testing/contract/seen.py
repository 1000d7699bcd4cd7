"""What a witness saw. Times are those of ``loop.time()``; words are kept and never shown."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
from livekit import rtc
from livekit.agents import llm

__all__ = ["Called", "SeenGeneration", "SeenMessage", "SeenRequest", "Told"]


@attrs.define
class Told:
    """An event that the session emitted. in_loop: it came from the thread of the event loop."""

    at: float
    tick: int
    name: str
    event: Any = attrs.field(repr=False)
    in_loop: bool = True


@attrs.define
class Called:
    """A method that the host called. ended: None while it has not returned."""

    name: str
    at: float
    ended: float | None = None
    raised: BaseException | None = attrs.field(default=None, repr=False)

    @property
    def failure(self) -> str:
        """The type of what it raised, or nothing."""
        return type(self.raised).__name__ if self.raised is not None else ""


@attrs.define(eq=False)
class SeenMessage:
    """One message, as far as it was read."""

    announced: llm.MessageGeneration = attrs.field(repr=False)
    at: float = 0.0
    text: list[tuple[float, str]] = attrs.field(factory=list, repr=False)
    frames: list[tuple[float, rtc.AudioFrame]] = attrs.field(factory=list, repr=False)
    text_ended: float | None = None
    audio_ended: float | None = None
    modalities_known: float | None = None
    problems: list[str] = attrs.field(factory=list)
    """What raised while it was read: the stream's name and the type of the error."""

    @property
    def id(self) -> str:
        return self.announced.message_id

    @property
    def ended(self) -> bool:
        return self.text_ended is not None and self.audio_ended is not None

    @property
    def is_written(self) -> bool:
        """It is announced as words alone, for whose sound nobody waits."""
        told = self.announced.modalities
        if not isinstance(told, asyncio.Future) or not told.done() or told.cancelled():
            return False
        return told.exception() is None and told.result() == ["text"]

    @property
    def words(self) -> str:
        return "".join(text for _, text in self.text)

    @property
    def seconds(self) -> float:
        """Length of its sound."""
        return sum(frame.samples_per_channel / frame.sample_rate for _, frame in self.frames if frame.sample_rate)


@attrs.define(eq=False)
class SeenGeneration:
    """One announced generation, as far as it was read."""

    event: llm.GenerationCreatedEvent = attrs.field(repr=False)
    at: float = 0.0
    read_since: float | None = None
    """When the witness began to read it. Nothing is known of the streams of one that is not read."""
    messages: list[SeenMessage] = attrs.field(factory=list)
    calls: list[tuple[float, llm.FunctionCall]] = attrs.field(factory=list, repr=False)
    messages_ended: float | None = None
    calls_ended: float | None = None
    problems: list[str] = attrs.field(factory=list)
    interrupted_at: float | None = None
    """When the host first interrupted while it was open."""

    @property
    def read(self) -> bool:
        return self.read_since is not None

    @property
    def ended(self) -> bool:
        """All its streams have ended."""
        own = self.messages_ended is not None and self.calls_ended is not None
        return own and all(message.ended for message in self.messages)

    @property
    def words(self) -> str:
        return "".join(message.words for message in self.messages)


@attrs.define(eq=False)
class SeenRequest:
    """A future that ``generate_reply`` or ``say`` gave. cancelled_by_host: None where that cannot be known."""

    kind: str
    at: float
    future: asyncio.Future[llm.GenerationCreatedEvent] = attrs.field(repr=False)
    settled: float | None = None
    cancelled_by_host: bool | None = False

    @property
    def answer(self) -> llm.GenerationCreatedEvent | None:
        future = self.future
        if future.done() and not future.cancelled() and future.exception() is None:
            return future.result()
        return None

    @property
    def error(self) -> BaseException | None:
        return self.future.exception() if self.future.done() and not self.future.cancelled() else None
