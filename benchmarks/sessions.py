"""What a session costs: real sessions on real sockets at real time, 50 chunks a second each way."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import attrs
from livekit import rtc
from livekit.agents import llm
from livekit.plugins.phonic.realtime import RealtimeModel as PluginModel
from phonic.environment import PhonicEnvironment

from benchmarks.wire import CHUNK, CHUNKS_A_SECOND, RATE
from rtfsm.adapters.phonic import RealtimeModel

__all__ = ["SessionCost", "official_model", "our_model", "session_cost"]

ROOT = Path(__file__).parents[1]
START_LIMIT = 20.0
"""Seconds in which every session must have begun to speak."""


@attrs.frozen
class SessionCost:
    """cpu_ms: CPU time of this process per session and second, in milliseconds; sockets, adapter and reading included.
    read, pushed: frames that came out of the sessions, and that were pushed into them, per session and second.
    heard: chunks of the pushed ones that reached the other side, of all pushed, as a share."""

    cpu_ms: float
    read: float
    pushed: float
    heard: float


class FarEnd:
    """The process that speaks and listens at the other end."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.url = ""

    async def _line(self) -> str:
        assert self._process.stdout is not None
        line = (await self._process.stdout.readline()).decode().strip()
        if not line:
            raise RuntimeError("the benchmark's far end died; run python -m benchmarks.far_end to see why")
        return line

    async def heard(self) -> int:
        """Chunks that came over a connection, once it has ended."""
        return int((await self._line()).split()[1])


@asynccontextmanager
async def far_end() -> AsyncIterator[FarEnd]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.far_end", stdin=pipe, stdout=pipe, cwd=ROOT
    )
    end = FarEnd(process)
    try:
        end.url = f"ws://127.0.0.1:{await end._line()}"
        yield end
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


class _Ear:
    """Reads all that a session says, as LiveKit does: a task for each stream."""

    def __init__(self, session: llm.RealtimeSession[Any]) -> None:
        self.frames = 0
        self._tasks: set[asyncio.Task[None]] = set()
        session.on("generation_created", lambda event: self._start(self._read(event)))

    def _start(self, reading: Any) -> None:
        task = asyncio.create_task(reading)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self, event: llm.GenerationCreatedEvent) -> None:
        async for message in event.message_stream:
            self._start(self._read_text(message))
            self._start(self._read_audio(message))

    async def _read_text(self, message: llm.MessageGeneration) -> None:
        async for _ in message.text_stream:
            pass

    async def _read_audio(self, message: llm.MessageGeneration) -> None:
        async for _ in message.audio_stream:
            self.frames += 1

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks))


Make = Callable[[str], AbstractContextManager[llm.RealtimeModel]]
"""A model for a server at this address."""


async def session_cost(make: Make, *, sessions: int, seconds: float) -> SessionCost:
    """Run sessions side by side for so many seconds each."""
    async with far_end() as end:
        with make(end.url) as model:
            running: list[llm.RealtimeSession[Any]] = [model.session() for _ in range(sessions)]
            ears = [_Ear(session) for session in running]
            try:
                for session in running:
                    await session.update_instructions("Be brief.")
                    await session.update_tools([])
                await _until(lambda: all(ear.frames for ear in ears))
                before, began = sum(ear.frames for ear in ears), time.process_time()
                pushed = await _push(running, seconds)
                cpu = time.process_time() - began
                read = sum(ear.frames for ear in ears) - before
            finally:
                for session in running:
                    await session.aclose()
                for ear in ears:
                    await ear.close()
        heard = sum([await end.heard() for _ in running])
    spent = sessions * seconds
    return SessionCost(cpu / spent * 1000, read / spent, pushed / spent, heard / pushed)


async def _push(running: Sequence[llm.RealtimeSession[Any]], seconds: float) -> int:
    """Give every session 20 ms of the user's sound every 20 ms; returns how many frames that were."""
    loop = asyncio.get_running_loop()
    frame = rtc.AudioFrame(bytes(CHUNK), RATE, 1, CHUNK // 2)
    began, rounds = loop.time(), round(seconds * CHUNKS_A_SECOND)
    for position in range(rounds):
        for session in running:
            session.push_audio(frame)
        await asyncio.sleep(began + (position + 1) / CHUNKS_A_SECOND - loop.time())
    return rounds * len(running)


async def _until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_LIMIT
    while not happened():
        if time.monotonic() > deadline:
            raise RuntimeError(f"a session said nothing within {START_LIMIT:g} s; the figures would mean nothing")
        await asyncio.sleep(0.01)


@contextmanager
def our_model(url: str) -> Iterator[llm.RealtimeModel]:
    """Our model, for a server at this address."""
    yield RealtimeModel(api_key="none", base_url=url)


@contextmanager
def official_model(url: str) -> Iterator[llm.RealtimeModel]:
    """The official plugin's. Version 1.8.9 takes no address, so the SDK's environment is bent for a while."""
    real = PhonicEnvironment.DEFAULT.production
    PhonicEnvironment.DEFAULT.production = url
    try:
        yield PluginModel(api_key="none")
    finally:
        PhonicEnvironment.DEFAULT.production = real
