"""The host's side of a generation: the streams that LiveKit reads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Literal

from livekit import rtc
from livekit.agents import llm, utils
from livekit.agents.types import TimedString
from livekit.agents.utils import aio

__all__ = ["AudioStream", "HostGeneration", "HostMessage"]

BLANK = " "
"""What a message without words ends its text with. LiveKit waits for a non-empty chunk before it lets a segment end;
the price is a message of one blank in the host's history (livekit-agents 1.8.9)."""


class AudioStream(aio.Chan[rtc.AudioFrame]):
    """An unbounded channel of frames that tells when its reader takes the first one."""

    def __init__(self, on_first: Callable[[], None]) -> None:
        super().__init__()
        self._on_first: Callable[[], None] | None = on_first

    def recv_nowait(self) -> rtc.AudioFrame:
        frame = super().recv_nowait()
        if self._on_first is not None:
            tell, self._on_first = self._on_first, None
            tell()
        return frame


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
    """One message: a text stream, an audio stream, and how much went into them. id: the router's id of the message."""

    def __init__(self, id: str, on_first: Callable[[], None]) -> None:
        self.id = id
        self.item_id = utils.shortuuid("item_")
        self.text: aio.Chan[str] = aio.Chan()
        self.audio = AudioStream(on_first)
        self.words: list[str] = []
        self.seconds = 0.0
        """Sound handed over, in seconds: the clock of this message, on which its words are timed."""
        self.chunks = 0
        self.started_playing: float | None = None
        """When LiveKit took the first frame, on the loop's clock."""
        self.began = time.time()
        modalities: asyncio.Future[list[Literal["text", "audio"]]] = asyncio.Future()
        modalities.set_result(["audio", "text"])
        self.announced = llm.MessageGeneration(
            message_id=self.item_id, text_stream=self.text, audio_stream=self.audio, modalities=modalities
        )

    def push_text(self, text: str, seconds: float | None) -> None:
        """Words, which the next ``seconds`` of sound carry."""
        if not text:
            return
        self.words.append(text)
        self.chunks += 1
        end = self.seconds + (seconds or 0.0)
        self.text.send_nowait(TimedString(text, start_time=self.seconds, end_time=end))

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
    """One generation: a message stream and a function stream. id: the router's id of it."""

    def __init__(self, id: str, *, user_initiated: bool) -> None:
        self.id = id
        self.response_id = utils.shortuuid("response_")
        self.messages = MessageStream()
        self.functions: aio.Chan[llm.FunctionCall] = aio.Chan()
        self.message: HostMessage | None = None
        self.created = time.time()
        self.began: float | None = None
        """When the first content came, as time.time()."""
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
        self.functions.close()
        self.messages.close()
