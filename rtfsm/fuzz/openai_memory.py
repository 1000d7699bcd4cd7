"""The scripted service on connections made of memory, for sessions of rtfsm's own model."""

from __future__ import annotations

import asyncio
import copy
import json
from collections import deque
from typing import Any

from rtfsm.adapters.livekit.provider import Settings, Sink
from rtfsm.adapters.openai import RealtimeModel
from rtfsm.adapters.openai.transport import loss_of_close, loss_of_status
from rtfsm.testing.memory_openai import MemoryOpenAI, OpenAIWire
from rtfsm.testing.openai_server import Call, ClientProtocol, Connection, Record
from rtfsm.testing.openai_server.messages import Message
from rtfsm.testing.openai_server.service import Service

from .moves import Move
from .openai_connection import OpenAIConnection
from .openai_service import OpenAIService

__all__ = ["End", "MemoryWire"]


class _Line(OpenAIWire):
    """What the client holds in its hand. The service's end is ``end``."""

    end: End

    @property
    def opened(self) -> bool:
        return self._opened

    def begin(self, refused: int | None) -> None:
        """The handshake of the socket is over."""
        if not self.alive or self.closing:
            return
        if refused is not None:
            self.lose(None, outcome=loss_of_status(refused))
            return
        self.open()
        self.end.greet()

    def send(self, frame: str, *, droppable: bool = False) -> None:
        if self.alive and not self.closing:
            self.end.receive(frame)

    def close(self, *, abort: bool = False) -> None:
        super().close(abort=abort)
        if self.alive:
            asyncio.get_running_loop().call_soon(self.lose, 1000)


class End(Connection):
    """The server's side of a connection without a socket: what the service wants of a ``Connection``."""

    def __init__(self, line: _Line, number: int, *, handshake: bool) -> None:
        self.line = line
        self.number = number
        self.protocol = line.protocol
        self.received: list[Record] = []
        self.service = Service(self, "gpt-realtime", 0, keep_audio=False)
        self._events = 0
        self._waiting: deque[str | bytes] = deque()
        self._handshake = handshake
        self.script = OpenAIService(Call(self, self.service), handshake=handshake)

    def __repr__(self) -> str:
        return f"<End {self.number} of {self.line!r}>"

    def greet(self) -> None:
        """The first message."""
        if self._handshake:
            self.service.greet()
            self._drain_soon()

    def receive(self, frame: str) -> None:
        """Judge a frame of the client's, and answer it once the client has returned."""
        arrival = self.protocol.receive(frame)
        is_sound = arrival.type == self.audio_in
        now = asyncio.get_running_loop().time()
        self.received.append(Record(len(self.received), now, arrival.type, None if is_sound else arrival.message))
        self.service.arrived(arrival)
        if arrival.message is not None and self.protocol.refusal is None:
            self.script.hears(arrival.message)
        self._drain_soon()

    def post(self, *messages: Message) -> None:
        for message in messages:
            self._events += 1
            numbered = {"event_id": f"event_{self.number}_{self._events}", **copy.deepcopy(message)}
            self._waiting.append(json.dumps(numbered))
            response = message.get("response")
            if message.get("type") == "response.created" and isinstance(response, dict):
                self.service.client_knows(str(response.get("id")))

    async def send(self, *messages: Message) -> None:
        self.post(*messages)
        await self.flush()

    async def send_raw(self, frame: str | bytes) -> None:
        self._waiting.append(frame)
        await self.flush()

    async def flush(self) -> None:
        self._drain()

    async def close(self, code: int | None = 1000, reason: str = "") -> None:
        self.line.lose(code, reason)

    def _drain_soon(self) -> None:
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._drain)

    def _drain(self) -> None:
        while self._waiting:
            self.line.deliver(self._waiting.popleft())


class _Provider(MemoryOpenAI):
    """The API, for one session; its word on a call's status is believed, as that of OpenAI's own servers is."""

    def __init__(self, wire: MemoryWire) -> None:
        super().__init__(trusted=True)
        object.__setattr__(self, "wire", wire)

    wire: MemoryWire

    def connect(self, settings: Settings, epoch: int, sink: Sink) -> _Line:
        line = _Line(epoch, sink, ClientProtocol(), lambda code, _: loss_of_close(code))
        self.transports.append(line)
        self.wire.accept(line)
        return line


class MemoryConnection(OpenAIConnection):
    real: End

    @property
    def open(self) -> bool:
        return self.real.line.alive and self.real.line.opened and not self.real.line.closing


class MemoryWire:
    """Connections made of memory. Their sessions' model is rtfsm's own."""

    def __init__(self, model: RealtimeModel, *, handshake: bool) -> None:
        self.model = model
        self.connections: list[MemoryConnection] = []
        self._handshake = handshake
        self._refusals: list[int] = []
        model._make_provider = lambda: _Provider(self)

    def accept(self, line: _Line) -> None:
        """A session wants this connection."""
        refused = self._refusals.pop(0) if self._refusals else None
        line.end = End(line, len(self.connections), handshake=self._handshake)
        if refused is None:
            self.connections.append(MemoryConnection(line.end, line.end.script))
        asyncio.get_running_loop().call_soon(line.begin, refused)

    async def deliver(self, connection: Any, move: Move) -> None:
        if connection.open:
            await connection.service.say(move)

    async def befall(self, connection: Any, move: Move) -> None:
        if move.what == "refuse":
            self._refusals += [move.args["status"]] * move.args["times"]
        elif connection is None:
            return
        elif move.what == "expire":
            await connection.service.expire()
        else:
            connection.real.line.lose(move.args.get("code"), move.args.get("reason", ""))

    async def settle(self) -> None:
        await asyncio.sleep(0.001)
