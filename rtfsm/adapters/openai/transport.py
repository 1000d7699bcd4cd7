"""One WebSocket connection to a server of the Realtime API. It reports what happened and decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
from livekit.agents import utils

from rtfsm.adapters.livekit.provider import Sink
from rtfsm.vocabulary.wire import Loss

__all__ = ["WebSocketTransport", "loss_of_close", "loss_of_status"]

if TYPE_CHECKING:
    Socket = aiohttp.ClientWebSocketResponse[bool]

MAX_FRAME = 32 * 1024 * 1024
"""Bytes. One frame may hold minutes of sound; at a larger one the connection is given up."""
MAX_DROPPABLE = 500
"""Queued frames above which droppable ones are left out: 10 s of the user's sound."""
CLOSING = aiohttp.ClientWSTimeout(ws_close=2.0)  # type: ignore[attr-defined,unused-ignore]

POINTLESS = frozenset({1002, 1003, 1007, 1008, 1009, 1010, 1015, 3000})
"""Close codes (RFC 6455) after which another attempt would end the same way. 3000 says that the key or the request was
not accepted. All others may pass: a conversation over this API is never ended by the server as intended."""


def loss_of_close(code: int | None) -> Loss:
    """What a close means. code: None where the socket just went."""
    return Loss.FAILED if code in POINTLESS else Loss.RETRYABLE


def loss_of_status(status: int) -> Loss:
    """What an HTTP status in place of the handshake means: the server's trouble may pass, the client's does not."""
    return Loss.RETRYABLE if status >= 500 or status in (408, 425, 429) else Loss.FAILED


class _Redirected(Exception):
    """The server sent the handshake elsewhere: following it would take the key and the conversation along."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


async def _refuse_redirect(_: Any, __: Any, params: aiohttp.TraceRequestRedirectParams) -> None:
    raise _Redirected(params.response.status)


@contextlib.asynccontextmanager
async def _client(given: aiohttp.ClientSession | None, url: str) -> AsyncIterator[aiohttp.ClientSession]:
    """The application's HTTP session, or else the one of LiveKit's job, or else one for this connection alone."""
    if given is None:
        with contextlib.suppress(RuntimeError):
            given = utils.http_context.http_session()
    if given is not None:
        yield given
        return
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse_redirect)
    async with aiohttp.ClientSession(trust_env=not _is_loopback(url), trace_configs=[trace]) as own:
        yield own


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


class WebSocketTransport:
    """A connection that opens itself in the background and reports to a sink, ``lost`` exactly once.

    url, headers: of the handshake; no error that this class reports shows either. heartbeat: seconds between pings.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        epoch: int,
        sink: Sink,
        http_session: aiohttp.ClientSession | None = None,
        *,
        heartbeat: float | None = 20.0,
    ) -> None:
        self._url, self._headers, self._heartbeat = url, headers, heartbeat
        self._http_session = http_session
        self._epoch, self._sink = epoch, sink
        self._socket: Socket | None = None
        self._closing: asyncio.Future[None] | None = None
        self._queue: deque[str] = deque()
        self._queued = asyncio.Event()
        self.dropped = 0
        """Droppable frames that were left out."""
        self._task = asyncio.create_task(self._run(), name=f"rtfsm-connection-{epoch}")
        self._task.add_done_callback(self._ended)

    def send(self, frame: str, *, droppable: bool = False) -> None:
        if self._task.done():
            return
        if droppable and len(self._queue) >= MAX_DROPPABLE:
            self.dropped += 1
            return
        self._queue.append(frame)
        self._queued.set()

    def close(self, *, abort: bool = False) -> None:
        if self._socket is not None and not abort:
            if self._closing is None:
                self._closing = asyncio.ensure_future(self._close(self._socket))
            return
        if self._socket is not None and self._closing is None:
            self._closing = asyncio.ensure_future(self._drop(self._socket))
        self._task.cancel()

    @property
    def alive(self) -> bool:
        return not self._task.done() or (self._closing is not None and not self._closing.done())

    async def wait_closed(self) -> None:
        await asyncio.wait([self._task])
        if self._closing is not None:
            await asyncio.wait([self._closing])

    async def _close(self, socket: Socket) -> None:
        await self._flush(socket)
        with contextlib.suppress(Exception):
            await socket.close()

    async def _drop(self, socket: Socket) -> None:
        with contextlib.suppress(Exception):
            await socket.close()

    def _ended(self, task: asyncio.Task[tuple[Loss, int | None, str]]) -> None:
        # Not in the task itself: one that is cancelled before its first step never runs.
        self._socket = None
        outcome, code, detail = (Loss.RETRYABLE, None, "aborted") if task.cancelled() else task.result()
        self._sink.lost(self._epoch, outcome, code, detail)

    async def _run(self) -> tuple[Loss, int | None, str]:
        code = None
        try:
            outcome, code, detail = await self._talk()
        except (aiohttp.WSServerHandshakeError, _Redirected) as error:
            outcome, detail = (
                loss_of_status(error.status),
                f"the server answered with HTTP {error.status}",
            )
            if error.status in (401, 403):
                detail += "; check the API key"
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            outcome, detail = Loss.RETRYABLE, f"could not connect ({type(error).__name__})"
        except Exception as error:
            outcome, detail = Loss.FAILED, f"the connection failed ({type(error).__name__})"
        return outcome, code, detail

    async def _talk(self) -> tuple[Loss, int | None, str]:
        async with _client(self._http_session, self._url) as client:
            socket = await client.ws_connect(
                self._url,
                headers=dict(self._headers),
                compress=0,  # sound in base64 gains little and costs much
                heartbeat=self._heartbeat,
                max_msg_size=MAX_FRAME,
                timeout=CLOSING,
            )
            self._socket = socket
            writer = asyncio.create_task(self._write(socket), name=f"rtfsm-writer-{self._epoch}")
            try:
                self._sink.opened(self._epoch)
                received, epoch, text = self._sink.received, self._epoch, aiohttp.WSMsgType.TEXT
                async for message in socket:
                    if message.type is text or message.type is aiohttp.WSMsgType.BINARY:
                        received(epoch, message.data)
                if self._closing is not None:
                    await asyncio.wait([self._closing])
                code = socket.close_code
            finally:
                writer.cancel()
                await asyncio.wait([writer])
                if self._closing is None:
                    await socket.close()
        return loss_of_close(code), code, f"the connection was closed with code {code}"

    async def _write(self, socket: Socket) -> None:
        while not socket.closed:
            await self._queued.wait()
            await self._flush(socket)

    async def _flush(self, socket: Socket) -> None:
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            while self._queue:
                await socket.send_str(self._queue.popleft())
        self._queued.clear()
