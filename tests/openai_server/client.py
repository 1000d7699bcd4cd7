"""A plain WebSocket client of the scripted server: it sends exactly what a test says, right or wrong."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import connect

from rtfsm.testing.openai_server import OpenAIServer
from tests.phonic_server import client as phonic

Message = dict[str, Any]

KEY = {"Authorization": "Bearer a-key"}
MODEL = "?model=gpt-realtime"
CHUNK = 4800
"""Bytes of 100 ms of 24 kHz PCM."""
SILENCE = bytes(CHUNK)
LOUD = b"\x00\x20\x00\xe0" * (CHUNK // 4)


def user_text(text: str, item_id: str | None = None) -> Message:
    """A message of the user's."""
    item: Message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    return item if item_id is None else {**item, "id": item_id}


def call_output(call_id: str, output: str = "sunny", item_id: str | None = None) -> Message:
    """A tool's output."""
    item: Message = {"type": "function_call_output", "call_id": call_id, "output": output}
    return item if item_id is None else {**item, "id": item_id}


def function(name: str = "weather") -> Message:
    """A correct tool."""
    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return {"type": "function", "name": name, "description": "", "parameters": city}


class Client(phonic.Client):
    """Reads in the background, so that a test may look at `got` at any time."""

    async def audio(self, pcm: bytes) -> None:
        """Append sound, however long."""
        await self.send("input_audio_buffer.append", audio=base64.b64encode(pcm).decode())

    async def update(self, **session: Any) -> Message:
        """Update the session, and return it as it is then."""
        known = self.types().count("session.updated")
        await self.send("session.update", session={"type": "realtime", **session})
        updated: Message = (await self.until("session.updated", known + 1))["session"]
        return updated

    def all(self, type_name: str) -> list[Message]:
        """Every event of a type."""
        return [event for _, event in self.got if event.get("type") == type_name]

    def types(self) -> list[str]:
        """The types of what came, deltas left out."""
        return [event.get("type", "") for _, event in self.got if not event.get("type", "").endswith(".delta")]

    def words(self) -> str:
        """All words that came."""
        deltas = ("response.output_audio_transcript.delta", "response.output_text.delta")
        return "".join(event["delta"] for _, event in self.got if event.get("type") in deltas)

    def codes(self) -> list[str]:
        """The codes of the errors."""
        return [event["error"]["code"] for event in self.all("error")]


@asynccontextmanager
async def connected(server: OpenAIServer | str, query: str = MODEL) -> AsyncIterator[Client]:
    """A client with an open session, closed at the end."""
    url = server if isinstance(server, str) else server.url
    options: Any = {"ping_interval": None, "compression": None, "max_size": None}
    async with connect(url + query, additional_headers=KEY, **options) as socket:
        client = Client(socket)
        await client.until("session.created")
        yield client
    await client.ended()
