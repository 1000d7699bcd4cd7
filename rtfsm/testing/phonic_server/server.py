"""A loopback WebSocket server that speaks the server side of Phonic's conversation protocol."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from types import TracebackType
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from rtfsm.testing.phonic_server.call import Call
from rtfsm.testing.phonic_server.client_protocol import ClientProtocol
from rtfsm.testing.phonic_server.connection import CallEnded, Connection, Observe, Transform
from rtfsm.testing.phonic_server.listening import default_scenario

_wire_log = logging.getLogger("rtfsm.testing.websocket")
# At DEBUG the library writes down every frame and header: the words of the call, and the client's API key.
_wire_log.setLevel(logging.INFO)

PATH = "/v1/sts/ws"
"""Path of the conversation socket (Phonic SDK 0.32)."""

Scenario = Callable[[Call], Awaitable[None]]
"""What the server does in one conversation. Called once for each connection."""

Refuse = Callable[[int], int | None]
"""Given the attempt's number, from 0: the HTTP status to refuse it with, or None to let it in."""

Door = Callable[[int, ServerConnection], Awaitable[int | None]]
"""Given the attempt's number, from 0, and its socket, before the handshake is answered. It may wait, write what it
likes below the handshake, or abort. Returns a status to refuse with, or None to go on."""


class PhonicServer:
    """A scripted Phonic on the loopback interface.

        async with PhonicServer(scenario) as server:
            ...point a client at server.url...
        server.assert_client_correct()

    Each connection runs its own instance of the scenario. When a scenario returns, its connection stays open and is
    still judged, until the client leaves or the server stops. All waiting uses the running loop's clock.

    Args:
        scenario: an async function of one `Call`; by default a conversation that listens and answers.
        host, port: where to listen; port 0 takes a free one.
        refuse: an HTTP status that refuses every handshake (401, 503, ...), or a function of the attempt's number.
        door: an async function of the attempt's number and its socket, awaited before the handshake is answered, for
            peers that hang or answer with something else.
        transform: maps each outgoing message to the messages sent in its place, to plant a defect in the server.
        observe: called for each frame with the connection, "received" or "sent", and the message type.
        ping_interval: seconds between keepalive pings, None for none. A single ping is still sent after the end of an
            open tool call, because its pong tells whether a late output is the client's fault.
        keep_audio: whether `Connection.received` and `Connection.sent` keep audio. Switch it off for long runs.

    Raises OSError on entry if the port is taken.
    """

    def __init__(
        self,
        scenario: Scenario | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        refuse: int | Refuse | None = None,
        door: Door | None = None,
        transform: Transform | None = None,
        observe: Observe | None = None,
        ping_interval: float | None = None,
        keep_audio: bool = True,
    ) -> None:
        self.connections: list[Connection] = []
        """All connections that were ever accepted, in order."""
        self.attempts = 0
        """Handshakes that were tried, refused ones included."""
        self._scenario = default_scenario if scenario is None else scenario
        self._host = host
        self._port = port
        self._refuse = refuse
        self._door = door
        self._transform = transform
        self._observe = observe
        self._ping_interval = ping_interval
        self._keep_audio = keep_audio
        self._conversations: dict[str, Connection] = {}
        self._servers: list[Server] = []

    async def __aenter__(self) -> PhonicServer:
        await self.listen()
        return self

    async def listen(self) -> None:
        """Take connections; after `stop_listening`, on the same port again."""
        server = await serve(
            self._handle,
            self._host,
            self._port,
            process_request=self._admit,
            compression=None,
            ping_interval=self._ping_interval,
            close_timeout=2,
            open_timeout=10 if self._door is None else None,
            logger=_wire_log,
        )
        self._servers.append(server)
        self._port = server.sockets[0].getsockname()[1]

    def stop_listening(self) -> None:
        """Have new connections refused by the operating system. Those that are open stay open."""
        for server in self._servers:
            server.server.close()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()
        for server in self._servers:
            await server.wait_closed()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    @property
    def url(self) -> str:
        """What a client takes for Phonic's address, for example "ws://127.0.0.1:8765"; the path is the SDK's to add."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"ws://{host}:{self._port}"

    def assert_client_correct(self) -> None:
        """Raise AssertionError with a line for each client error, and for each scenario that failed.

        Call it when the client has gone or the server has stopped: what is still on its way is not judged yet.
        """
        lines: list[str] = []
        for connection in self.connections:
            lines += [f"connection {connection.number}, {error}" for error in connection.client_errors]
            if connection.failure is not None:
                failure = f"{type(connection.failure).__name__}: {connection.failure}"
                lines.append(f"connection {connection.number}: its scenario failed with {failure}")
        if lines:
            raise AssertionError("\n".join([f"{len(lines)} things went wrong:", *lines]))

    async def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        attempt = self.attempts
        self.attempts += 1
        status = self._refuse(attempt) if callable(self._refuse) else self._refuse
        if status is None and self._door is not None:
            status = await self._door(attempt, socket)
        if status is not None:
            return socket.respond(HTTPStatus(status), "refused by the scripted server\n")
        if urlsplit(request.path).path != PATH:
            return socket.respond(HTTPStatus.NOT_FOUND, f"conversations are at {PATH}\n")
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not key.strip():
            return socket.respond(HTTPStatus.UNAUTHORIZED, "the Authorization header must be 'Bearer <key>'\n")
        return None

    async def _handle(self, socket: ServerConnection) -> None:
        connection = self._accept(socket)
        talking = asyncio.ensure_future(self._run(connection))
        try:
            await connection.read_until_closed()
        finally:
            talking.cancel()
            await asyncio.wait([talking])

    def _accept(self, socket: ServerConnection) -> Connection:
        path = "" if socket.request is None else socket.request.path
        query = dict(parse_qsl(urlsplit(path).query, keep_blank_values=True))
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
        self.connections.append(connection)
        return connection

    async def _run(self, connection: Connection) -> None:
        try:
            await self._scenario(Call(connection))
        except CallEnded:
            pass
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            # Not Exception: pytest's own failures are no Exceptions, and a task would swallow them.
            connection.failure = error
            await connection.close(1011, "the scenario failed")


def _protocol(query: dict[str, str], earlier: Connection | None) -> ClientProtocol:
    if "reconnect_conv_id" not in query:
        return ClientProtocol()
    if earlier is None:
        return ClientProtocol(resumed={})
    return ClientProtocol(resumed=earlier.protocol.config, earlier_calls=earlier.protocol.calls)
