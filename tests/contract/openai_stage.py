"""The provider's end of a session over the Realtime API: the scripted service on a real socket, told verb by verb.

The same stage serves our model and the official plugin. The service answers requests by itself; here it waits until it
is told to, so that a probe decides when a response begins.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
from livekit.agents import llm

from rtfsm.adapters.openai import RealtimeModel, RealtimeSession
from rtfsm.adapters.openai.provider import OpenAIProvider
from rtfsm.adapters.openai.session import own_copy
from rtfsm.testing.contract import NotOffered, Stage
from rtfsm.testing.openai_server import Call, CallEnded, Connection, OpenAIServer, OutputMessage, Response, messages

__all__ = ["TrustingModel", "official", "ours"]

KEY = "sk-contract"
RATE = 24_000


class TrustingModel(RealtimeModel):
    """Takes the scripted service for OpenAI's own, whose word on a call's status is believed."""

    def session(self, *, turn_detection_disabled: bool = False) -> RealtimeSession:
        options = own_copy(self._options, turn_detection_disabled=turn_detection_disabled)
        session = RealtimeSession(self, options, OpenAIProvider(trusted=True))
        self._sessions.add(session)
        return session


def ours(**options: Any) -> AbstractAsyncContextManager[Stage]:
    """A stage for rtfsm.adapters.openai."""
    return _opened(lambda url, _: TrustingModel(api_key=KEY, base_url=url, **options))


def official(**options: Any) -> AbstractAsyncContextManager[Stage]:
    """A stage for livekit.plugins.openai."""

    def make(url: str, http: aiohttp.ClientSession) -> llm.RealtimeModel:
        from livekit.plugins.openai.realtime import RealtimeModel as OfficialModel

        return OfficialModel(api_key=KEY, base_url=url, http_session=http, **options)

    return _opened(make)


@asynccontextmanager
async def _opened(make: Callable[[str, aiohttp.ClientSession], llm.RealtimeModel]) -> AsyncIterator[Stage]:
    stage = OpenAIStage()
    async with OpenAIServer(stage.receive) as server, aiohttp.ClientSession() as http:
        stage.server, stage.made = server, make(server.base_url, http)
        yield stage


class OpenAIStage:
    server: OpenAIServer
    made: llm.RealtimeModel

    def __init__(self) -> None:
        self._mode = "answers"
        self._response: Response | None = None
        self._message: OutputMessage | None = None
        self._turn: str | None = None
        self._heard = ""

    @property
    def model(self) -> llm.RealtimeModel:
        return self.made

    async def receive(self, call: Call) -> None:
        """What the service does on a new connection."""
        self._response = self._message = self._turn = None
        call.hold("response.create")
        if self._mode == "silent":
            call.hold("session.update", "conversation.item.create", "conversation.item.delete")
        if self._mode == "first":
            response = await call.start_response()
            await response.say("Hello.", speed=float("inf"))
            await response.done()

    # -- before a session is made ----------------------------------------------------------------------------------

    def keeps_silent(self) -> None:
        self._mode = "silent"

    def speaks_first(self) -> None:
        self._mode = "first"

    # -- what the provider does ------------------------------------------------------------------------------------

    @property
    def _connection(self) -> Connection:
        return self.server.connections[-1]

    @property
    def _call(self) -> Call:
        return Call(self._connection, self._connection.service)

    async def is_ready(self) -> None:
        for _ in range(6000):
            if self.connected and "session.updated" in self._connection.sent_types():
                return
            await asyncio.sleep(0.01)
        raise TimeoutError("the session was not configured")

    async def _does(self, what: Any) -> Any:
        try:
            return await what
        except CallEnded:
            await asyncio.sleep(0)  # nobody is there to hear it
            return None

    async def agent_starts(self, *, asked: bool = False) -> None:
        self._message = None
        if not asked:
            self._response = await self._does(self._call.start_response())
            return
        request = await self._does(self._call.expect("response.create", timeout=30.0))
        if request is not None:
            await self._does(self._call.obey(request))
            self._response = await self._does(self._call.next_response(timeout=1.0))

    async def _speaking(self) -> OutputMessage | None:
        if self._response is None:
            await self.agent_starts()
        if self._message is None and self._response is not None:
            self._message = await self._does(self._response.open_message())
        return self._message

    async def agent_says(self, text: str, ms: int = 200) -> None:
        message = await self._speaking()
        if message is not None:
            await self._does(message.text(text))
            await self._does(message.audio(b"\1\0" * (RATE * ms // 1000)))

    async def agent_sounds(self, ms: int) -> None:
        message = await self._speaking()
        if message is not None:
            await self._does(message.audio(b"\1\0" * (RATE * ms // 1000)))

    async def agent_starts_message(self) -> None:
        if self._message is not None:
            await self._does(self._message.close())
        self._message = None

    async def agent_finishes(self) -> None:
        response, self._response, self._message = self._response, None, None
        if response is not None:
            await self._does(response.done())

    async def agent_declines(self) -> None:
        raise NotOffered("the Realtime API has no message for a model that will not respond")

    async def agent_fails(self) -> None:
        response, self._response, self._message = self._response, None, None
        if response is not None:
            error = {"type": "server_error", "code": "overloaded", "message": "too much"}
            await self._does(response.done("failed", error=error))

    async def user_starts(self) -> None:
        self._heard = ""
        self._turn = await self._does(self._call.user_starts())

    async def user_stops(self) -> None:
        service = self._connection.service
        item = service.buffer.speech_ends()
        if item is not None:
            service.post(messages.speech_stopped(item, round(service.buffer.total_ms)))
            service.commit(item)
            await self._does(self._call.flush())

    async def user_takes_it_back(self) -> None:
        await self.user_stops()

    async def user_says(self, text: str, *, final: bool = True) -> None:
        if self._turn is None:
            self._turn = self._connection.service.commit()
        if final:
            turn, self._turn = self._turn, None
            await self._does(self._call.send(messages.transcription_completed(turn, text)))
            return
        piece, self._heard = text[len(self._heard) :], text
        await self._does(self._call.send(messages.transcription_delta(self._turn, piece)))

    async def calls_tool(self, call_id: str, name: str, arguments: str, *, in_pieces: bool = False) -> None:
        alone = self._response is None
        if alone:
            await self.agent_starts()
        if self._response is not None:
            await self._does(self._response.call_tool(name, arguments, call_id=call_id))
        if alone:
            await self.agent_finishes()

    async def withdraws_tool(self, call_id: str) -> None:
        raise NotOffered("the Realtime API withdraws no call")

    async def complains(self) -> None:
        await self._does(self._call.send(messages.error("something was wrong", code="careful")))

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
        return False

    def _sent(self, type_name: str) -> list[dict[str, Any]]:
        return [
            record.message or {}
            for connection in self.server.connections
            for record in connection.received
            if record.type == type_name
        ]

    @property
    def requests(self) -> int:
        return len(self._sent("response.create"))

    @property
    def outputs(self) -> list[str]:
        items = [message["item"] for message in self._sent("conversation.item.create")]
        return [str(item["call_id"]) for item in items if item["type"] == "function_call_output"]

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
            if record.type != "input_audio_buffer.append"
        )
