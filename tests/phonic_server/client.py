"""A plain WebSocket client of the scripted server: it sends exactly what a test says, right or wrong."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from rtfsm.testing.phonic_server import PATH, PhonicServer

Message = dict[str, Any]

KEY = {"Authorization": "Bearer a-key"}
CONFIG: Message = {"type": "config", "input_format": "pcm_24000", "output_format": "pcm_24000"}
CHUNK = 960
"""Bytes of 20 ms of pcm_24000."""
SILENCE = bytes(CHUNK)


def inline_tool(name: str = "weather", parameters: Message | None = None, **options: Any) -> Message:
    """A correct custom_websocket tool."""
    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    function = {"name": name, "description": "", "parameters": parameters or city, "strict": True}
    return {"type": "custom_websocket", "tool_schema": {"type": "function", "function": function}, **options}


class Client:
    """Reads in the background, so that a test may look at `got` at any time."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.got: list[tuple[float, Message]] = []
        """(loop time, message) of everything that came."""
        self.raw: list[str | bytes] = []
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for frame in self.socket:
            self.raw.append(frame)
            with suppress(ValueError):
                self.got.append((asyncio.get_running_loop().time(), json.loads(frame)))
            self._news.set()

    async def send(self, type_name: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": type_name, **fields}))

    async def audio(self, pcm: bytes) -> None:
        """Send one chunk, however long."""
        await self.send("audio_chunk", audio=base64.b64encode(pcm).decode())

    async def stream(self, pcm: bytes) -> None:
        """Send sound in 20 ms chunks at the speed of sound."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for position, offset in enumerate(range(0, len(pcm), CHUNK)):
            await asyncio.sleep(max(0.0, began + position * 0.02 - loop.time()))
            await self.audio(pcm[offset : offset + CHUNK].ljust(CHUNK, b"\0"))

    async def until(self, type_name: str, nth: int = 1, timeout: float = 60.0) -> Message:
        """Wait for the nth message of a type."""

        async def wait() -> Message:
            while True:
                found = [message for _, message in self.got if message.get("type") == type_name]
                if len(found) >= nth:
                    return found[nth - 1]
                self._news.clear()
                await self._news.wait()

        return await asyncio.wait_for(wait(), timeout)

    def types(self) -> list[str]:
        """The types of what came, audio left out."""
        return [message.get("type", "") for _, message in self.got if message.get("type") != "audio_chunk"]

    def words(self) -> str:
        """All words that came beside audio."""
        return "".join(message["text"] for _, message in self.got if message.get("type") == "audio_chunk")

    async def ended(self) -> None:
        """Wait until the connection is over."""
        await asyncio.wait([self._reading])
        # A close that is no normal end makes the reader raise; the test looks at the code instead.
        with suppress(ConnectionClosed):
            self._reading.result()


@asynccontextmanager
async def connected(server: PhonicServer | str, query: str = "") -> AsyncIterator[Client]:
    """A client with an open connection to a server or its URL, closed at the end."""
    url = server if isinstance(server, str) else server.url
    async with connect(url + PATH + query, additional_headers=KEY, ping_interval=None, compression=None) as socket:
        client = Client(socket)
        yield client
    await client.ended()


@asynccontextmanager
async def configured(server: PhonicServer, **config: Any) -> AsyncIterator[Client]:
    """A client that has sent its configuration and has seen ready."""
    async with connected(server) as client:
        await client.socket.send(json.dumps({**CONFIG, **config}))
        await client.until("ready_to_start_conversation")
        yield client
