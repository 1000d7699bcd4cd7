"""A WebSocket server on the loopback interface that plays one scenario for each connection."""

from __future__ import annotations

import abc
import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Generic, TypedDict, TypeVar
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from rtfsm.testing.server.connection import CallEnded, Connection, Observe, Transform

_wire_log = logging.getLogger("rtfsm.testing.websocket")
# At DEBUG the library writes down every frame and header: the words of the call, and the client's API key.
_wire_log.setLevel(logging.INFO)

Refuse = Callable[[int], int | None]
"""Given the attempt's number, from 0: the HTTP status to refuse it with, or None to let it in."""

Door = Callable[[int, ServerConnection], Awaitable[int | None]]
"""Given the attempt's number, from 0, and its socket, before the handshake is answered. It may wait, write what it
likes below the handshake, or abort. Returns a status to refuse with, or None to go on."""

if TYPE_CHECKING:
    from typing_extensions import Self


class Options(TypedDict, total=False):
    """The options of `ScriptedServer`, for the signature of one."""

    host: str
    port: int
    refuse: int | Refuse | None
    door: Door | None
    transform: Transform | None
    observe: Observe | None
    ping_interval: float | None
    keep_audio: bool


C = TypeVar("C", bound=Connection)


class ScriptedServer(abc.ABC, Generic[C]):
    """What every scripted provider does: listen, refuse, judge, run the scenario, tell what went wrong.

    Each connection runs its own instance of the scenario. When a scenario returns, its connection stays open and is
    still judged, until the client leaves or the server stops. All waiting uses the running loop's clock.

    Args:
        host, port: where to listen; port 0 takes a free one.
        refuse: an HTTP status that refuses every handshake (401, 503, ...), or a function of the attempt's number.
        door: an async function of the attempt's number and its socket, awaited before the handshake is answered, for
            peers that hang or answer with something else.
        transform: maps each outgoing message to the messages sent in its place, to plant a defect in the server.
        observe: called for each frame with the connection, "received" or "sent", and the message type.
        ping_interval: seconds between keepalive pings, None for none. A single ping is still sent where its pong tells
            whether what the client does late is its fault.
        keep_audio: whether `Connection.received` and `Connection.sent` keep audio. Switch it off for long runs.

    Raises OSError on entry if the port is taken.
    """

    max_frame: ClassVar[int] = 1024 * 1024
    """Bytes of the longest frame that a client may send."""

    def __init__(
        self,
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
        self.connections: list[C] = []
        """All connections that were ever accepted, in order."""
        self.attempts = 0
        """Handshakes that were tried, refused ones included."""
        self._host = host
        self._port = port
        self._refuse = refuse
        self._door = door
        self._transform = transform
        self._observe = observe
        self._ping_interval = ping_interval
        self._keep_audio = keep_audio
        self._servers: list[Server] = []

    async def __aenter__(self) -> Self:
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
            max_size=self.max_frame,
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
    def host(self) -> str:
        """The host that it listens on."""
        return self._host

    @property
    def address(self) -> str:
        """Host and port as a URL has them."""
        return f"{f'[{self._host}]' if ':' in self._host else self._host}:{self._port}"

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

    @abc.abstractmethod
    def _unwelcome(self, request: Request) -> tuple[HTTPStatus, str] | None:
        """What is wrong with a handshake: the status to refuse it with and a line of why."""

    @abc.abstractmethod
    def _accept(self, socket: ServerConnection, path: str, query: dict[str, str]) -> C:
        """The connection of a socket that was let in."""

    @abc.abstractmethod
    async def _play(self, connection: C) -> None:
        """Run the scenario."""

    async def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        attempt = self.attempts
        self.attempts += 1
        status = self._refuse(attempt) if callable(self._refuse) else self._refuse
        if status is None and self._door is not None:
            status = await self._door(attempt, socket)
        if status is not None:
            return socket.respond(HTTPStatus(status), "refused by the scripted server\n")
        unwelcome = self._unwelcome(request)
        if unwelcome is not None:
            return socket.respond(unwelcome[0], f"{unwelcome[1]}\n")
        return None

    async def _handle(self, socket: ServerConnection) -> None:
        target = urlsplit("" if socket.request is None else socket.request.path)
        connection = self._accept(socket, target.path, dict(parse_qsl(target.query, keep_blank_values=True)))
        self.connections.append(connection)
        talking = asyncio.ensure_future(self._run(connection))
        try:
            # The scenario's first words come before the client's.
            await asyncio.sleep(0)
            await connection.read_until_closed()
        finally:
            talking.cancel()
            await asyncio.wait([talking])

    async def _run(self, connection: C) -> None:
        try:
            await self._play(connection)
        except CallEnded:
            pass
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            # Not Exception: pytest's own failures are no Exceptions, and a task would swallow them.
            connection.failure = error
            await connection.close(1011, "the scenario failed")
