"""The host's side of a generation: the streams that LiveKit reads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Literal, TypeVar

from livekit import rtc
from livekit.agents import llm, utils
from livekit.agents.types import TimedString
from livekit.agents.utils import aio

__all__ = ["HostGeneration", "HostMessage", "Watched"]

BLANK = " "
"""What a message without words ends its text with. LiveKit waits for a non-empty chunk before it lets a segment end;
the price is a message of one blank in the host's history (livekit-agents 1.8.9)."""


T = TypeVar("T")


class Watched(aio.Chan[T]):
    """An unbounded channel that tells when its reader takes the first thing."""

    def __init__(self, on_first: Callable[[], None]) -> None:
        super().__init__()
        self._on_first: Callable[[], None] | None = on_first

    def recv_nowait(self) -> T:
        taken = super().recv_nowait()
        if self._on_first is not None:
            tell, self._on_first = self._on_first, None
            tell()
        return taken


class MessageStream(aio.Chan[llm.MessageGeneration]):
    """An unbounded channel of messages that knows whether anybody reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = False

    def __aiter__(self) -> AsyncIterator[llm.MessageGeneration]:
        self.taken = True
        return super().__aiter__()

    def recv_nowait(self) -> llm.MessageGeneration:
        self.taken = True
        return super().recv_nowait()


class HostMessage:
    """One message: a text stream, an audio stream, and how much went into them. id: the router's id of the message.
    item: the wire's id of it, where it has one. written: no sound comes with it. timed: its words come with the sound
    that carries them."""

    def __init__(
        self,
        id: str,
        on_first: Callable[[], None],
        *,
        item: str | None = None,
        written: bool = False,
        timed: bool = True,
    ) -> None:
        self.id = id
        self.item_id = item or utils.shortuuid("item_")
        self.written = written
        self._timed = timed
        self.text: aio.Chan[str] = Watched(on_first) if written else aio.Chan()
        self.audio: Watched[rtc.AudioFrame] = Watched(on_first)
        self.words: list[str] = []
        self.seconds = 0.0
        """Sound handed over, in seconds: the clock of this message, on which its words are timed."""
        self.chunks = 0
        self.started_playing: float | None = None
        """When LiveKit took the first frame, on the loop's clock."""
        self.began = time.time()
        modalities: asyncio.Future[list[Literal["text", "audio"]]] = asyncio.Future()
        modalities.set_result(["text"] if written else ["audio", "text"])
        if written:
            self.audio.close()
        self.announced = llm.MessageGeneration(
            message_id=self.item_id, text_stream=self.text, audio_stream=self.audio, modalities=modalities
        )

    def push_text(self, text: str, seconds: float | None, at: float | None = None) -> None:
        """Words, which the next ``seconds`` of sound carry, or which begin ``at`` these seconds of it."""
        if not text:
            return
        self.words.append(text)
        self.chunks += 1
        if self._timed:
            end = self.seconds + (seconds or 0.0)
            text = TimedString(text, start_time=self.seconds, end_time=end)
        elif at is not None:
            text = TimedString(text, start_time=at)
        self.text.send_nowait(text)

    def push_audio(self, audio: bytes, rate: int) -> None:
        """Sound, 16-bit mono PCM at ``rate`` Hz; none for a message that is written."""
        if self.written:
            return
        samples = len(audio) // 2
        self.audio.send_nowait(rtc.AudioFrame(audio, rate, 1, samples))
        self.seconds += samples / rate

    def close(self) -> int:
        """End both streams; returns the number of non-empty chunks that the text had, the closing blank among them."""
        if not self.chunks:
            self.text.send_nowait(BLANK)
            self.chunks += 1
        self.text.close()
        self.audio.close()
        return self.chunks

    @property
    def said(self) -> str:
        return "".join(self.words)


class HostGeneration:
    """One generation: a message stream and a function stream. id: the router's id of it. response: the wire's."""

    def __init__(self, id: str, *, user_initiated: bool, response: str | None = None) -> None:
        self.id = id
        self.response_id = response or utils.shortuuid("response_")
        self.messages = MessageStream()
        self.functions: aio.Chan[llm.FunctionCall] = aio.Chan()
        self.message: HostMessage | None = None
        self.created = time.time()
        self.began: float | None = None
        """When the first content came, as time.time()."""
        self.ended: float | None = None
        """When its streams ended, as time.time()."""
        self.cut = False
        self.event = llm.GenerationCreatedEvent(
            message_stream=self.messages,
            function_stream=self.functions,
            user_initiated=user_initiated,
            response_id=self.response_id,
        )

    @property
    def taken(self) -> bool:
        """Somebody reads it. LiveKit begins at once with what it does not skip."""
        return self.messages.taken

    def seal(self) -> None:
        """End both streams."""
        self.ended = time.time()
        self.functions.close()
        self.messages.close()
