"""The ways that a frame of Phonic's socket takes to LiveKit's channels: ours, the official plugin's, and the least.

Each is the production code on a real session; only the socket is missing. What LiveKit does at the other end is done
by the same reader for all: it takes every message, word and frame at once, since a channel that nobody drains costs
memory, which would look like time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol

import msgspec
from livekit import rtc
from livekit.agents import llm
from livekit.agents.utils import aio
from livekit.plugins.phonic.realtime import RealtimeModel as PluginModel
from livekit.plugins.phonic.realtime.realtime_model import RealtimeSession as PluginSession
from phonic.conversations.socket_client import AsyncConversationsSocketClient

from benchmarks.wire import RATE, message
from rtfsm.adapters.livekit import RealtimeSession
from rtfsm.adapters.livekit.provider import Settings, Sink
from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.adapters.phonic.options import Options
from rtfsm.adapters.phonic.provider import PhonicProvider
from rtfsm.machines import Conversation
from rtfsm.vocabulary.wire import Loss

__all__ = ["Floor", "Official", "Ours", "Path", "Reader"]


class Reader:
    """LiveKit's end of one generation after another. keep: remember the words and the samples."""

    def __init__(self, *, keep: bool = False) -> None:
        self.words: list[str] = []
        self.samples: list[bytes] = []
        self.drain: Callable[[], None] = self._drain_and_keep if keep else self._drain
        self.attach(aio.Chan(), aio.Chan())
        self.messages: aio.Chan[Any] = aio.Chan()

    def generation(self, event: llm.GenerationCreatedEvent) -> None:
        """Take the streams of a new generation; a handler of ``generation_created``."""
        assert isinstance(event.message_stream, aio.Chan)
        self.messages = event.message_stream

    def attach(self, text: Any, audio: Any) -> None:
        self.text, self.audio = text, audio

    def _drain(self) -> None:
        while not self.messages.empty():
            message = self.messages.recv_nowait()
            self.attach(message.text_stream, message.audio_stream)
        text, audio = self.text, self.audio
        while not text.empty():
            text.recv_nowait()
        while not audio.empty():
            audio.recv_nowait()

    def _drain_and_keep(self) -> None:
        while not self.messages.empty():
            message = self.messages.recv_nowait()
            self.attach(message.text_stream, message.audio_stream)
        while not self.text.empty():
            self.words.append(self.text.recv_nowait())
        while not self.audio.empty():
            self.samples.append(bytes(self.audio.recv_nowait().data))


async def _socket(frames: Sequence[str], reader: Reader) -> AsyncIterator[str]:
    """A socket that has all these frames, read by somebody whose words and sound are taken after each."""
    drain = reader.drain
    for frame in frames:
        yield frame
        drain()


class Path(Protocol):
    """A way from the socket to the channels."""

    name: str
    reader: Reader

    async def open(self) -> Any:
        """Make it ready to receive."""
        ...

    async def receive(self, frames: Sequence[str]) -> None:
        """Bring the frames in, one by one, and drain the channels after each."""
        ...

    async def close(self) -> None: ...


class Nowhere:
    """A transport without a network: everything sent is gone."""

    dropped = 0

    def __init__(self, epoch: int, sink: Sink) -> None:
        self.alive = True
        self._epoch, self._sink = epoch, sink

    def send(self, frame: str, *, droppable: bool = False) -> None:
        return

    def close(self, *, abort: bool = False) -> None:
        if self.alive:
            self.alive = False
            self._sink.lost(self._epoch, Loss.NORMAL, 1000, "closed")

    async def wait_closed(self) -> None:
        return


class _PhonicNowhere(PhonicProvider):
    """Phonic, but for the socket."""

    sink: Sink
    epoch: int

    def connect(self, settings: Settings, epoch: int, sink: Sink) -> Any:
        self.epoch, self.sink = epoch, sink
        return Nowhere(epoch, sink)


class Ours:
    """rtfsm: codec, machines, monitor and shell as in production. Made inside a running loop."""

    name = "rtfsm"

    def __init__(self, *, keep: bool = False) -> None:
        self.reader = Reader(keep=keep)
        self._provider = _PhonicNowhere()
        conversation = Conversation(self._provider.capabilities)
        options = Options(api_key="none")
        self.session = RealtimeSession(RealtimeModel(api_key="none"), self._provider, conversation, options)
        self.session.on("generation_created", self.reader.generation)
        self.received, self.epoch = self._provider.sink.received, self._provider.epoch

    async def open(self) -> None:
        self._provider.sink.opened(self.epoch)
        await self.session.update_instructions("Be brief.")
        await self.session.update_tools([])
        self.received(self.epoch, message("ready_to_start_conversation"))
        assert self.session.turn.session == "READY", self.session.turn

    async def receive(self, frames: Sequence[str]) -> None:
        received, epoch = self.received, self.epoch
        async for frame in _socket(frames, self.reader):
            received(epoch, frame)

    async def close(self) -> None:
        await self.session.aclose()


class Official:
    """livekit-plugins-phonic 1.8.9: the SDK's parser as its socket client calls it, and the plugin's handlers.

    Made inside a running loop.
    """

    name = "official plugin"

    def __init__(self, *, keep: bool = False) -> None:
        self.reader = Reader(keep=keep)
        self.session = PluginSession(PluginModel(api_key="none"))
        # The task that would connect has not had its first pass yet, and shall never have it.
        self.session._main_atask.cancel()
        self.session.on("generation_created", self.reader.generation)

    async def open(self) -> None:
        return

    async def receive(self, frames: Sequence[str]) -> None:
        # The client iterates over its socket, and asks nothing else of it here.
        socket: Any = _socket(frames, self.reader)
        await self.session._recv_task(AsyncConversationsSocketClient(websocket=socket))

    async def close(self) -> None:
        self.session._close_current_generation(interrupted=False)
        await self.session.aclose()


class _Chunk(msgspec.Struct, tag_field="type", tag="audio_chunk", gc=False):
    audio: bytes
    text: str


class _Began(msgspec.Struct, tag_field="type", tag="assistant_started_speaking", gc=False):
    pass


class _Ended(msgspec.Struct, tag_field="type", tag="assistant_finished_speaking", gc=False):
    pass


class Floor:
    """The least that anybody has to do: a typed decode, an AudioFrame and a channel. It knows of no turn."""

    name = "floor"

    def __init__(self, *, keep: bool = False) -> None:
        self.reader = Reader(keep=keep)
        self._text: aio.Chan[str] = aio.Chan()
        self._audio: aio.Chan[rtc.AudioFrame] = aio.Chan()
        self.reader.attach(self._text, self._audio)
        self._decode = msgspec.json.Decoder(_Chunk | _Began | _Ended).decode

    async def open(self) -> None:
        return

    async def receive(self, frames: Sequence[str]) -> None:
        decode, text, audio = self._decode, self._text, self._audio
        async for frame in _socket(frames, self.reader):
            chunk = decode(frame)
            if type(chunk) is not _Chunk:
                continue
            if chunk.text:
                text.send_nowait(chunk.text)
            audio.send_nowait(rtc.AudioFrame(chunk.audio, RATE, 1, len(chunk.audio) // 2))

    async def close(self) -> None:
        return
