"""The far end of a benchmark: speaks 50 chunks a second to whoever connects, and counts what it hears.

Run as ``python -m benchmarks.far_end``. It prints the port on which it listens, and "heard", a number and "chunks"
when a connection ends; it ends with its standard input. A process of its own, so that its work is not the client's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from benchmarks.wire import CHUNK, CHUNKS_A_SECOND, chunk, message

WORD_EVERY = 15
"""Chunks from one word to the next: about 3 words a second."""


async def _speak(socket: ServerConnection) -> None:
    sound = os.urandom(CHUNK)
    silent, worded = chunk(sound), chunk(sound, " word")
    loop = asyncio.get_running_loop()
    began, position = loop.time(), 0
    while True:
        await socket.send(silent if position % WORD_EVERY else worded)
        position += 1
        # Against the start, not from chunk to chunk, so that the pace does not drift.
        await asyncio.sleep(began + position / CHUNKS_A_SECOND - loop.time())


async def _talk(socket: ServerConnection) -> None:
    heard = 0
    with contextlib.suppress(ConnectionClosed):
        await socket.recv()  # the configuration
        for kind in ("ready_to_start_conversation", "assistant_started_speaking"):
            await socket.send(message(kind))
        speaking = asyncio.create_task(_speak(socket))
        try:
            async for _ in socket:
                heard += 1
        finally:
            speaking.cancel()
            await asyncio.wait([speaking])
            print("heard", heard, "chunks", flush=True)


async def main() -> None:
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.add_reader(sys.stdin.fileno(), ended.set_result, None)
    # Neither side is made to inflate: whether Phonic compresses is not known.
    async with serve(_talk, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await ended
        loop.remove_reader(sys.stdin.fileno())


if __name__ == "__main__":
    asyncio.run(main())
