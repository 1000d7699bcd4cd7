"""What 20 ms of sound over OpenAI's Realtime API cost, from the frame of the socket to the frame taken from LiveKit.

Run as ``python -m benchmarks.openai_path``. Ours, the official plugin, and the least that anybody has to do take turns,
as in :mod:`benchmarks.audio_path`; what counts is the median of CPU times. Only the socket is missing.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import aiohttp
import msgspec
from livekit import rtc
from livekit.agents import llm
from livekit.agents.utils import aio
from livekit.plugins.openai.realtime import RealtimeModel as PluginModel

from rtfsm.adapters.openai import RealtimeModel
from rtfsm.testing.memory_openai import MemoryOpenAISession

__all__ = ["TARGET", "Floor", "Official", "Ours", "Path", "frames", "main", "medians"]

TARGET = 1 / 4
"""Ours may cost this much of the official plugin's path."""
RESPONSE, ITEM = "resp_BTjK8mVYp0f8a7Ub5XyZ1", "item_BTjK8mVYp0f8a7Ub5XyZ2"
RATE = 24_000


def _event(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, "event_id": "event_BTjK8mVYp0f8a7Ub5XyZ0", **fields})


def frames(count: int, sound: bytes = bytes(range(240)) * 4) -> list[str]:
    """So many pieces of 20 ms each."""
    where = {"response_id": RESPONSE, "item_id": ITEM, "output_index": 0, "content_index": 0}
    delta = base64.b64encode(sound).decode()
    return [_event("response.output_audio.delta", **where, delta=delta) for _ in range(count)]


OPENING = (
    _event("response.created", response={"id": RESPONSE, "conversation_id": "conv_1", "metadata": None}),
    _event("response.output_item.added", response_id=RESPONSE, item={"id": ITEM, "type": "message"}),
    _event("response.output_audio_transcript.delta", response_id=RESPONSE, item_id=ITEM, delta="Well"),
)


class Path(Protocol):
    """A way from the socket to the channel. taken: samples that its reader took, where it keeps them."""

    name: str
    taken: list[bytes]

    async def open(self) -> None: ...

    async def receive(self, sent: Sequence[str]) -> None: ...

    async def close(self) -> None: ...


def _drain(audio: Any, keep: list[bytes] | None) -> int:
    count = 0
    while not audio.empty():
        frame = audio.recv_nowait()
        count += 1
        if keep is not None:
            keep.append(bytes(frame.data))
    return count


class _Reader:
    """Takes the sound of the first message."""

    def __init__(self, *, keep: bool) -> None:
        self.taken: list[bytes] = []
        self._keep = self.taken if keep else None
        self._event: llm.GenerationCreatedEvent | None = None
        self._audio: Any = None

    def generation(self, event: llm.GenerationCreatedEvent) -> None:
        self._event = event

    def drain(self) -> int:
        if self._audio is None:
            messages: Any = self._event.message_stream if self._event is not None else aio.Chan()
            if messages.empty():
                return 0
            self._audio = messages.recv_nowait().audio_stream
        return _drain(self._audio, self._keep)


class Ours:
    """rtfsm: codec, machines, monitor and shell as in production."""

    name = "rtfsm"

    def __init__(self, *, keep: bool = False) -> None:
        self._reader = _Reader(keep=keep)
        self.taken = self._reader.taken
        self.session = MemoryOpenAISession(RealtimeModel(api_key="none", base_url="ws://nowhere"))
        self.session.on("generation_created", self._reader.generation)

    async def open(self) -> None:
        await self.session._update_session(instructions="Be brief.", chat_ctx=llm.ChatContext.empty(), tools=[])
        self.session.wire.accept()
        await self.receive(OPENING)

    async def receive(self, sent: Sequence[str]) -> None:
        received, epoch, drain = self.session._shell.received, self.session.wire.epoch, self._reader.drain
        for frame in sent:
            received(epoch, frame)
            drain()

    async def close(self) -> None:
        closing = asyncio.ensure_future(self.session.aclose())
        await asyncio.sleep(0)
        self.session.wire.lose(1000)
        await closing


class _Socket:
    """What the official plugin asks of a WebSocket."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[aiohttp.WSMessage] = asyncio.Queue()

    async def receive(self) -> aiohttp.WSMessage:
        return await self.frames.get()

    async def send_str(self, _: str) -> None:
        return

    async def close(self) -> None:
        return


class Official:
    """livekit-plugins-openai 1.8.9: its receiving task and its handlers."""

    name = "official plugin"

    def __init__(self, *, keep: bool = False) -> None:
        self._reader = _Reader(keep=keep)
        self.taken = self._reader.taken
        self.session: Any = PluginModel(api_key="none", base_url="http://nowhere").session()
        # The task that would connect has not had its first pass yet, and shall never have it.
        self.session._main_atask.cancel()
        self.session.on("generation_created", self._reader.generation)
        self._socket = _Socket()

    async def open(self) -> None:
        self._task = asyncio.ensure_future(self.session._run_ws(self._socket))
        for frame in OPENING:
            self._put(frame)
        await asyncio.sleep(0.01)
        self._reader.drain()

    def _put(self, frame: str) -> None:
        self._socket.frames.put_nowait(aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, frame, None))

    async def receive(self, sent: Sequence[str]) -> None:
        for frame in sent:
            self._put(frame)
        taken, drain = 0, self._reader.drain
        while taken < len(sent):
            await asyncio.sleep(0)
            taken += drain()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        self.session._close_current_generation()


class _Delta(msgspec.Struct, tag_field="type", tag="response.output_audio.delta", gc=False):
    delta: bytes
    item_id: str
    response_id: str


class Floor:
    """The least that anybody has to do: a typed decode, an AudioFrame and a channel."""

    name = "floor"

    def __init__(self, *, keep: bool = False) -> None:
        self.taken: list[bytes] = []
        self._keep = self.taken if keep else None
        self._audio: aio.Chan[rtc.AudioFrame] = aio.Chan()
        self._decode = msgspec.json.Decoder(_Delta).decode

    async def open(self) -> None:
        return

    async def receive(self, sent: Sequence[str]) -> None:
        decode, audio = self._decode, self._audio
        for frame in sent:
            sound = decode(frame).delta
            audio.send_nowait(rtc.AudioFrame(sound, RATE, 1, len(sound) // 2))
            _drain(audio, self._keep)

    async def close(self) -> None:
        return


PATHS: tuple[Callable[[], Path], ...] = (Ours, Official, Floor)


async def medians(rounds: int = 40, count: int = 250) -> Mapping[str, float]:
    """Microseconds a frame, by path."""
    paths, sent = [make() for make in PATHS], frames(count)
    for path in paths:
        await path.open()
    samples: dict[str, list[float]] = {path.name: [] for path in paths}
    for _ in range(rounds):
        for path in paths:
            began = time.process_time_ns()
            await path.receive(sent)
            samples[path.name].append((time.process_time_ns() - began) / count / 1000)
    for path in paths:
        await path.close()
    return {name: statistics.median(times) for name, times in samples.items()}


def main() -> None:
    logging.disable(logging.CRITICAL)
    found = asyncio.run(medians())
    for name, microseconds in found.items():
        print(f"{name:16} {microseconds:6.1f} us a frame")
    share = found[Ours.name] / found[Official.name]
    verdict = "met" if share <= TARGET else "missed"
    print(f"ours is {share:.2f} of the official plugin's path (target {TARGET:.2f}): {verdict}")


if __name__ == "__main__":
    main()
