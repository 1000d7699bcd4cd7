"""A loopback WebSocket server that speaks the server side of the OpenAI Realtime API."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request

from rtfsm.testing.openai_server.call import Call
from rtfsm.testing.openai_server.connection import Connection
from rtfsm.testing.openai_server.listening import default_scenario
from rtfsm.testing.openai_server.service import Service
from rtfsm.testing.server.connection import CallEnded
from rtfsm.testing.server.server import Options, ScriptedServer

if TYPE_CHECKING:
    from typing_extensions import Unpack

PATH = "/realtime"
"""What the socket's path ends with, behind any prefix: /v1 of OpenAI, /openai/v1 of Azure, another of a gateway."""

SESSION_LIMIT_S = 3600.0
"""How long a session lasts."""

Scenario = Callable[[Call], Awaitable[None]]
"""What the model and the user do in one session. Called once for each connection."""


class OpenAIServer(ScriptedServer[Connection]):
    """A scripted OpenAI Realtime service on the loopback interface.

        async with OpenAIServer(scenario) as server:
            ...point a client at server.base_url...
        server.assert_client_correct()

    Args:
        scenario: an async function of one `Call`; by default a conversation that listens and answers.
        greets: whether session.created is sent by itself; without it the scenario says what comes first.
        session_limit_s: seconds after which a session expires.
        options: those of `ScriptedServer`: host, port, refuse, door, transform, observe, ping_interval, keep_audio.

    Raises OSError on entry if the port is taken.
    """

    # One append may hold 15 MiB of audio, which base64 makes a third more.
    max_frame = 32 * 1024 * 1024

    def __init__(
        self,
        scenario: Scenario | None = None,
        *,
        greets: bool = True,
        session_limit_s: float = SESSION_LIMIT_S,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        self._scenario = default_scenario if scenario is None else scenario
        self._greets = greets
        self._limit_s = session_limit_s

    @property
    def base_url(self) -> str:
        """What a client takes for the API's address, for example "http://127.0.0.1:8765/v1"."""
        return f"http://{self.address}/v1"

    @property
    def url(self) -> str:
        """The address of the socket itself, without the query that names a model."""
        return f"ws://{self.address}/v1{PATH}"

    def _unwelcome(self, request: Request) -> tuple[HTTPStatus, str] | None:
        target = urlsplit(request.path)
        query = parse_qs(target.query)
        if not target.path.endswith(PATH):
            return HTTPStatus.NOT_FOUND, f"sessions are at a path that ends with {PATH}"
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        keys = [key if scheme == "Bearer" else "", request.headers.get("api-key", ""), *query.get("api-key", ())]
        if not any(given.strip() for given in keys):
            return HTTPStatus.UNAUTHORIZED, "a key must come as 'Authorization: Bearer <key>', or as 'api-key' to Azure"
        if "model" not in query and "deployment" not in query:
            return HTTPStatus.BAD_REQUEST, "the query must name a model, or to Azure a deployment"
        return None

    def _accept(self, socket: ServerConnection, path: str, query: dict[str, str]) -> Connection:
        if "api-key" in query:
            query["api-key"] = "<secret>"
        connection = Connection(
            socket,
            len(self.connections),
            path=path,
            query=query,
            transform=self._transform,
            observe=self._observe,
            keep_audio=self._keep_audio,
        )
        model = query.get("model") or query.get("deployment") or ""
        expires_at = round(time.time() + self._limit_s)
        connection.service = Service(connection, model, expires_at, keep_audio=self._keep_audio)
        return connection

    async def _play(self, connection: Connection) -> None:
        call = Call(connection, connection.service)
        if self._greets:
            connection.service.greet()
        expiry = asyncio.create_task(self._expire(call), name="openai-server-session-limit")
        try:
            await call.flush()
            await self._scenario(call)
            await expiry
        finally:
            expiry.cancel()

    async def _expire(self, call: Call) -> None:
        await asyncio.sleep(self._limit_s)
        # It may be over by itself in the same moment.
        with contextlib.suppress(CallEnded):
            await call.expire(self._limit_s)
