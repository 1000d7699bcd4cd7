"""A loopback WebSocket server that speaks the server side of Phonic's conversation protocol."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request

from rtfsm.testing.phonic_server.call import Call
from rtfsm.testing.phonic_server.client_protocol import ClientProtocol
from rtfsm.testing.phonic_server.connection import Connection
from rtfsm.testing.phonic_server.listening import default_scenario
from rtfsm.testing.server.server import Options, ScriptedServer

if TYPE_CHECKING:
    from typing_extensions import Unpack

PATH = "/v1/sts/ws"
"""Path of the conversation socket (Phonic SDK 0.32)."""

Scenario = Callable[[Call], Awaitable[None]]
"""What the server does in one conversation. Called once for each connection."""


class PhonicServer(ScriptedServer[Connection]):
    """A scripted Phonic on the loopback interface.

        async with PhonicServer(scenario) as server:
            ...point a client at server.url...
        server.assert_client_correct()

    Args:
        scenario: an async function of one `Call`; by default a conversation that listens and answers.
        options: those of `ScriptedServer`: host, port, refuse, door, transform, observe, ping_interval, keep_audio.

    Raises OSError on entry if the port is taken.
    """

    def __init__(self, scenario: Scenario | None = None, **options: Unpack[Options]) -> None:
        super().__init__(**options)
        self._scenario = default_scenario if scenario is None else scenario
        self._conversations: dict[str, Connection] = {}

    @property
    def url(self) -> str:
        """What a client takes for Phonic's address, for example "ws://127.0.0.1:8765"; the path is the SDK's to add."""
        return f"ws://{self.address}"

    def _unwelcome(self, request: Request) -> tuple[HTTPStatus, str] | None:
        if urlsplit(request.path).path != PATH:
            return HTTPStatus.NOT_FOUND, f"conversations are at {PATH}"
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not key.strip():
            return HTTPStatus.UNAUTHORIZED, "the Authorization header must be 'Bearer <key>'"
        return None

    def _accept(self, socket: ServerConnection, path: str, query: dict[str, str]) -> Connection:
        if "session_token" in query:
            query["session_token"] = "<secret>"
        number = len(self.connections)
        earlier = self._conversations.get(query.get("reconnect_conv_id", ""))
        connection = Connection(
            socket,
            number,
            query=query,
            protocol=_protocol(query, earlier),
            transform=self._transform,
            observe=self._observe,
            keep_audio=self._keep_audio,
        )
        if "reconnect_conv_id" not in query:
            connection.conversation_id = f"conv_{number}"
        elif earlier is not None:
            connection.conversation_id = earlier.conversation_id
        if connection.conversation_id is not None:
            self._conversations[connection.conversation_id] = connection
        return connection

    async def _play(self, connection: Connection) -> None:
        await self._scenario(Call(connection))


def _protocol(query: dict[str, str], earlier: Connection | None) -> ClientProtocol:
    if "reconnect_conv_id" not in query:
        return ClientProtocol()
    if earlier is None:
        return ClientProtocol(resumed={})
    return ClientProtocol(resumed=earlier.protocol.config, earlier_calls=earlier.protocol.calls)
