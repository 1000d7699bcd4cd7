"""What the minimal session is made of: its wire, and what it keeps of a response and of a request."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import attrs
from livekit import rtc
from livekit.agents import llm, utils
from livekit.agents.utils import aio

__all__ = ["Message", "Request", "Response", "Wire"]


class Wire:
    """The provider's end. mode: "answers", "silent", or "first" for one that speaks before it was configured."""

    def __init__(self) -> None:
        self.mode = "answers"
        self.sent: list[tuple[int, str, dict[str, Any]]] = []
        """(connection, kind, fields) of everything that sessions sent."""
        self.connections = 0
        self.client: Any = None
        self.ready = False

    def connect(self, client: Any) -> None:
        self.connections += 1
        self.client, self.ready = client, False
        if self.mode == "first":
            for name, fields in (
                ("started", {"asked": False}),
                ("words", {"text": "Hello.", "ms": 200}),
                ("finished", {}),
            ):
                self.deliver(name, **fields)

    def send(self, client: Any, kind: str, **fields: Any) -> None:
        if client is not self.client:
            return
        self.sent.append((self.connections - 1, kind, fields))
        if kind == "config" and self.mode != "silent":
            self.ready = True
            asyncio.get_running_loop().call_soon(self.deliver, "ready")

    def disconnect(self, client: Any) -> None:
        if client is self.client:
            self.client, self.ready = None, False

    def deliver(self, name: str, **fields: Any) -> None:
        if self.client is not None:
            self.client.receive(name, **fields)


class Sound(aio.Chan[rtc.AudioFrame]):
    """Knows whether somebody took a frame."""

    taken = False

    def recv_nowait(self) -> rtc.AudioFrame:
        frame = super().recv_nowait()
        self.taken = True
        return frame


class Message:
    def __init__(self, id: str) -> None:
        self.id = id
        self.text: aio.Chan[str] = aio.Chan()
        self.sound = Sound()
        self.words: list[str] = []
        self.seconds = 0.0
        self.modalities: Any = asyncio.Future()
        self.modalities.set_result(["audio", "text"])

    @property
    def announced(self) -> llm.MessageGeneration:
        return llm.MessageGeneration(self.id, self.text, self.sound, self.modalities)


class Response:
    def __init__(self, asked: bool) -> None:
        self.messages: aio.Chan[llm.MessageGeneration] = aio.Chan()
        self.functions: aio.Chan[llm.FunctionCall] = aio.Chan()
        self.parts: list[Message] = []
        self.message: Message | None = None
        self.created = time.time()
        self.event = llm.GenerationCreatedEvent(self.messages, self.functions, asked, utils.shortuuid("response_"))


@attrs.define(eq=False)
class Request:
    kind: str
    future: asyncio.Future[llm.GenerationCreatedEvent]
    fields: dict[str, Any]
    sent: bool = False
