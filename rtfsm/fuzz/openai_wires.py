"""OpenAI's end of the wire: the scripted service on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from livekit.agents import llm

from rtfsm.adapters.openai import RealtimeModel
from rtfsm.testing.openai_server import Call, CallEnded, Connection, OpenAIServer

from .dialect import KEY, Wire
from .meaning import Meaning
from .moves import Move
from .openai_connection import OpenAIConnection
from .openai_frames import fields_of
from .openai_memory import MemoryWire
from .openai_service import OpenAIService
from .openai_talk import GARBAGE, KINDS, OpenAITalk, means
from .target import Target

__all__ = ["OPENAI", "OpenAIDialect"]

CLOSES = ((2, 1000, ""), (2, 1001, ""), (1, 1001, "restarting"), (2, 1011, ""), (1, 1012, ""), (1, 1008, ""))


class OpenAIDialect:
    """See the protocol :class:`Dialect`."""

    name = "openai"
    kinds = KINDS
    garbage = GARBAGE
    abilities = ("truncation", "tool choice", "turns by hand")
    faults: Sequence[tuple[int, Move]] = (
        *((weight, Move("wire", "close", {"code": code, "reason": reason})) for weight, code, reason in CLOSES),
        (4, Move("wire", "drop")),
        (1, Move("wire", "expire")),
        (1, Move("wire", "refuse", {"status": 401, "times": 1})),
        (2, Move("wire", "refuse", {"status": 503, "times": 1})),
        (1, Move("wire", "refuse", {"status": 503, "times": 9})),
    )

    def talk(self, *, begun: bool, number: int = 0) -> OpenAITalk:
        return OpenAITalk(begun=begun, number=number)

    def option(self, number: int) -> Mapping[str, Any]:
        return {"max_response_output_tokens": 3000 + number % 1000}

    def means(self, move: Move) -> Meaning:
        return means(move)

    def fields(self, move: Move) -> Sequence[str]:
        return fields_of(move)

    @asynccontextmanager
    async def open(self, target: Target, *, handshake: bool, memory: bool) -> AsyncIterator[Wire]:
        if memory and isinstance(target.factory, type) and issubclass(target.factory, RealtimeModel):
            with target.pointed_at("http://127.0.0.1:9/v1", KEY) as model:
                assert isinstance(model, RealtimeModel)
                yield MemoryWire(model, handshake=handshake)
            return
        async with SocketWire.opened(target, handshake=handshake) as wire:
            yield wire


OPENAI = OpenAIDialect()


class SocketConnection(OpenAIConnection):
    real: Connection

    @property
    def open(self) -> bool:
        return not self.real.closed.is_set()


class SocketWire:
    """The scripted service. Serves any target."""

    def __init__(self, handshake: bool) -> None:
        self._handshake = handshake
        self._refusals: list[int] = []
        self._services: dict[Connection, OpenAIService] = {}
        self._known: dict[int, SocketConnection] = {}
        self.server: OpenAIServer
        self.model: llm.RealtimeModel

    @staticmethod
    @asynccontextmanager
    async def opened(target: Target, *, handshake: bool) -> AsyncIterator[SocketWire]:
        wire = SocketWire(handshake)
        server = OpenAIServer(wire._receive, greets=handshake, refuse=wire._refuse, keep_audio=False)
        async with server:
            wire.server = server
            with target.pointed_at(server.base_url, KEY) as wire.model:
                try:
                    yield wire
                finally:
                    # Outside a job a model of LiveKit's makes an HTTP session of its own, which goes with the model.
                    await wire.model.aclose()

    async def _receive(self, call: Call) -> None:
        service = self._services[call.connection] = OpenAIService(call, handshake=self._handshake)
        await service.run()

    def _refuse(self, attempt: int) -> int | None:
        return self._refusals.pop(0) if self._refusals else None

    @property
    def connections(self) -> Sequence[SocketConnection]:
        for number, real in enumerate(self.server.connections[len(self._known) :], len(self._known)):
            self._known[number] = SocketConnection(real)
        for one in self._known.values():
            one.service = self._services.get(one.real)
        return list(self._known.values())

    async def deliver(self, connection: Any, move: Move) -> None:
        if connection.service is None:
            return
        try:
            await connection.service.say(move)
        except CallEnded:
            await asyncio.sleep(0)  # the other side has gone meanwhile

    async def befall(self, connection: Any, move: Move) -> None:
        if move.what == "refuse":
            self._refusals += [move.args["status"]] * move.args["times"]
        elif connection is None:
            return
        elif move.what == "drop":
            await connection.real.drop()
        elif move.what == "expire":
            await connection.service.expire()
        else:
            await connection.real.close(move.args["code"], move.args["reason"])

    async def settle(self) -> None:
        await asyncio.sleep(0.005)
