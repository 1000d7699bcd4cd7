"""One WebSocket connection to Phonic. It reports what happened and decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Mapping
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from rtfsm.adapters.livekit.provider import Sink
from rtfsm.vocabulary.wire import Loss

__all__ = ["WebSocketTransport", "loss_of_close"]

_wire_log = logging.getLogger("rtfsm.websocket")
# At DEBUG the library writes down every frame and header: the words of the call, and the API key.
_wire_log.setLevel(logging.INFO)

MAX_FRAME = 32 * 1024 * 1024
"""Bytes. One frame may hold minutes of sound; at a larger one the connection is given up."""
MAX_DROPPABLE = 500
"""Queued frames above which droppable ones are left out: 10 s of the user's sound."""

CLOSE_CODES: Mapping[int, tuple[Loss, str]] = {
    1000: (Loss.NORMAL, "normal closure"),
    1001: (Loss.NORMAL, "going away; but see RESTARTING"),
    1002: (Loss.FAILED, "protocol error"),
    1003: (Loss.FAILED, "a type of data that is not taken"),
    1005: (Loss.NORMAL, "closed without a code"),
    1006: (Loss.RESUMABLE, "dropped without a close"),
    1007: (Loss.FAILED, "data that is not what its type says"),
    1008: (Loss.FAILED, "policy violation"),
    1009: (Loss.FAILED, "message too big"),
    1010: (Loss.FAILED, "an extension is missing"),
    1011: (Loss.RETRYABLE, "internal error"),
    1012: (Loss.RESUMABLE, "restart"),
    1013: (Loss.RETRYABLE, "try again later"),
    1014: (Loss.RETRYABLE, "bad gateway"),
    1015: (Loss.FAILED, "no secure connection"),
    4000: (Loss.NORMAL, "the socket downstream was closed"),
    4004: (Loss.RETRYABLE, "insufficient capacity"),
    4010: (Loss.FAILED, "concurrency limit"),
    4200: (Loss.NORMAL, "ended by a click"),
    4500: (Loss.NORMAL, "no input for too long"),
    4600: (Loss.NORMAL, "ended by the assistant"),
    4700: (Loss.NORMAL, "the component was unmounted"),
    4800: (Loss.RETRYABLE, "the conversation to go on with was not found"),
    4801: (Loss.RETRYABLE, "the conversation to go on with is in no state for it"),
}
"""What each close code means: those of RFC 6455 and its registry, and Phonic's as listed in the tests of its SDK, 2026.
Which of them leave a conversation to go on with is theirs too: 1006, 1012 and a restart. Any other is a failure."""
RESTARTING = "restarting"
"""In the reason of a close with 1001: the server restarts, and the conversation can be gone on with."""


def loss_of_close(code: int | None, reason: str = "") -> Loss:
    """What a close means. code: None where the socket just went."""
    if code == 1001 and RESTARTING in reason.lower():
        return Loss.RESUMABLE
    return CLOSE_CODES.get(1006 if code is None else code, (Loss.FAILED, ""))[0]


def loss_of_status(status: int) -> Loss:
    """What an HTTP status in place of the handshake means: the server's trouble may pass, the client's does not."""
    return Loss.RETRYABLE if status >= 500 or status in (408, 425, 429) else Loss.FAILED


class _Connect(connect):
    """A handshake that goes where it was sent: a redirect would take the API key and the conversation elsewhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host == "::1" or host.startswith("127.")


class WebSocketTransport:
    """A connection that opens itself in the background and reports to a sink, ``lost`` exactly once.

    url, headers: of the handshake; no error that this class reports shows either. Nothing is inflated: sound in base64
    gains little and costs much.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str], epoch: int, sink: Sink, *, ping: float | None = 20.0
    ) -> None:
        self._url, self._headers, self._ping = url, headers, ping
        self._epoch, self._sink = epoch, sink
        self._socket: ClientConnection | None = None
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
        if self._socket is not None:
            self._socket.transport.abort()
        self._task.cancel()

    @property
    def alive(self) -> bool:
        return not self._task.done() or (self._closing is not None and not self._closing.done())

    async def wait_closed(self) -> None:
        await asyncio.wait([self._task])
        if self._closing is not None:
            await asyncio.wait([self._closing])

    async def _close(self, socket: ClientConnection) -> None:
        await self._flush(socket)
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
        except InvalidStatus as error:
            status = error.response.status_code
            outcome, detail = loss_of_status(status), f"the server answered the handshake with HTTP {status}"
            if status in (401, 403):
                detail += "; check the API key"
        except (OSError, InvalidHandshake, asyncio.TimeoutError) as error:
            outcome, detail = Loss.RETRYABLE, f"could not connect ({type(error).__name__})"
        except Exception as error:
            outcome, detail = Loss.FAILED, f"the connection failed ({type(error).__name__})"
        return outcome, code, detail

    async def _talk(self) -> tuple[Loss, int | None, str]:
        socket = await _Connect(
            self._url,
            additional_headers=self._headers,
            user_agent_header=None,
            compression=None,
            open_timeout=None,  # the session machine has its own timer
            ping_interval=self._ping,
            ping_timeout=self._ping,
            close_timeout=2.0,
            max_size=MAX_FRAME,
            proxy=None if _is_loopback(self._url) else True,
            logger=_wire_log,
        )
        self._socket = socket
        writer = asyncio.create_task(self._write(socket), name=f"rtfsm-writer-{self._epoch}")
        try:
            self._sink.opened(self._epoch)
            received, epoch = self._sink.received, self._epoch
            async for frame in socket:
                received(epoch, frame)
        except ConnectionClosed:
            pass
        finally:
            writer.cancel()
            await asyncio.wait([writer])
        code, reason = socket.close_code, socket.close_reason or ""
        return loss_of_close(code, reason), code, f"the connection was closed with code {code}"

    async def _write(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._queued.wait()
                await self._flush(socket)

    async def _flush(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while self._queue:
                await socket.send(self._queue.popleft())
        self._queued.clear()
