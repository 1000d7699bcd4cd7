"""The provider's end of a Phonic session: the scripted server on a real socket, told what to do verb by verb.

The same stage serves our model and the official plugin.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from livekit.agents import llm

from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.testing.contract import NotOffered, Stage
from rtfsm.testing.phonic_server import Call, CallEnded, PhonicServer, messages
from rtfsm.testing.phonic_server.connection import Connection

__all__ = ["official", "ours"]

KEY = "ph_contract"
RATE = 24_000


def ours() -> AbstractAsyncContextManager[Stage]:
    """A stage for rtfsm.adapters.phonic."""
    return _opened(lambda url: RealtimeModel(api_key=KEY, base_url=url))


@asynccontextmanager
async def official() -> AsyncIterator[Stage]:
    """A stage for livekit.plugins.phonic. The plugin takes no address: the SDK's environment is bent for a while."""
    from livekit.plugins.phonic.realtime import RealtimeModel as OfficialModel
    from phonic.environment import PhonicEnvironment

    real = PhonicEnvironment.DEFAULT.production

    def make(url: str) -> llm.RealtimeModel:
        PhonicEnvironment.DEFAULT.production = url
        return OfficialModel(api_key=KEY)

    try:
        async with _opened(make) as stage:
            yield stage
    finally:
        PhonicEnvironment.DEFAULT.production = real


@asynccontextmanager
async def _opened(make: Callable[[str], llm.RealtimeModel]) -> AsyncIterator[Stage]:
    stage = PhonicStage()
    async with PhonicServer(stage.receive) as server:
        stage.server, stage.made = server, make(server.url)
        yield stage


class PhonicStage:
    server: PhonicServer
    made: llm.RealtimeModel

    def __init__(self) -> None:
        self._mode = "answers"

    @property
    def model(self) -> llm.RealtimeModel:
        return self.made

    async def receive(self, call: Call) -> None:
        """What the server does on a new connection."""
        if self._mode == "first":
            for message in (
                messages.assistant_started_speaking(),
                messages.audio_chunk(bytes(RATE * 2 // 5), "Hello."),
                messages.assistant_finished_speaking(),
            ):
                await call.send(message)
        if self._mode != "silent":
            await call.handshake()

    # -- before a session is made ----------------------------------------------------------------------------------

    def keeps_silent(self) -> None:
        self._mode = "silent"

    def speaks_first(self) -> None:
        self._mode = "first"

    # -- what the provider does ------------------------------------------------------------------------------------

    @property
    def _connection(self) -> Connection:
        return self.server.connections[-1]

    async def _send(self, message: messages.Message) -> None:
        try:
            await self._connection.send(message)
        except CallEnded:
            await asyncio.sleep(0)  # nobody is there to hear it

    async def is_ready(self) -> None:
        for _ in range(6000):
            if self.connected and self._connection.protocol.ready:
                return
            await asyncio.sleep(0.01)
        raise TimeoutError("the session was not configured")

    async def agent_starts(self, *, asked: bool = False) -> None:
        await self._send(messages.assistant_started_speaking())

    async def agent_says(self, text: str, ms: int = 200) -> None:
        await self._send(messages.audio_chunk(b"\1\0" * (RATE * ms // 1000), text))

    async def agent_sounds(self, ms: int) -> None:
        await self.agent_says("", ms)

    async def agent_starts_message(self) -> None:
        raise NotOffered("a turn of Phonic's is one message")

    async def agent_finishes(self) -> None:
        await self._send(messages.assistant_finished_speaking())

    async def agent_declines(self) -> None:
        await self._send(messages.assistant_chose_not_to_respond())

    async def agent_fails(self) -> None:
        raise NotOffered("Phonic has no message for a response that failed")

    async def user_starts(self) -> None:
        await self._send(messages.user_started_speaking())

    async def user_stops(self) -> None:
        await self._send(messages.user_finished_speaking())

    async def user_takes_it_back(self) -> None:
        await self._send(messages.input_cancelled())

    async def user_says(self, text: str, *, final: bool = True) -> None:
        if not final:
            raise NotOffered("Phonic sends no interim transcripts")
        await self._send(messages.input_text(text))

    async def calls_tool(self, call_id: str, name: str, arguments: str, *, in_pieces: bool = False) -> None:
        if in_pieces:
            raise NotOffered("Phonic sends a tool call in one message")
        await self._send(messages.tool_call(call_id, name, json.loads(arguments)))

    async def withdraws_tool(self, call_id: str) -> None:
        await self._send(messages.tool_call_interrupted(call_id, "weather"))

    async def complains(self) -> None:
        await self._send(messages.error("something was wrong", code="careful"))

    async def drops(self, *, for_good: bool) -> None:
        if not self.connected:
            return
        if for_good:
            await self._connection.close(1008, "not allowed")
        else:
            await self._connection.drop()

    async def settle(self, seconds: float = 0.05) -> None:
        await asyncio.sleep(seconds)

    # -- what the provider was told --------------------------------------------------------------------------------

    @property
    def connections(self) -> int:
        return len(self.server.connections)

    @property
    def connected(self) -> bool:
        return bool(self.server.connections) and not self._connection.closed.is_set()

    @property
    def resumed(self) -> bool:
        return "reconnect_conv_id" in self._connection.query and self.connected

    def _sent(self, *types: str) -> list[dict[str, Any]]:
        return [
            record.message or {}
            for connection in self.server.connections
            for record in connection.received
            if record.type in types
        ]

    @property
    def requests(self) -> int:
        return len(self._sent("generate_reply", "say"))

    @property
    def outputs(self) -> list[str]:
        return [str(message["tool_call_id"]) for message in self._sent("tool_call_output")]

    @property
    def heard(self) -> float:
        received = (record for connection in self.server.connections for record in connection.received)
        return sum(len(record.audio) for record in received) / 2 / RATE

    def received(self, text: str, *, connection: int | None = None) -> int:
        connections = self.server.connections if connection is None else [self.server.connections[connection]]
        return sum(
            text in json.dumps(record.message)
            for one in connections
            for record in one.received
            if record.type != "audio_chunk"
        )
