"""A connection without a socket: the test is the wire, for any provider.

The codec, the shell, the machines and LiveKit's streams are the real ones. Only the connection is a plain object, so
that a test decides in which order, and between which two steps of the client, every frame arrives.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from rtfsm.adapters.livekit.provider import Frame, Sink
from rtfsm.testing.server.judging import Judge
from rtfsm.vocabulary.wire import Loss

__all__ = ["Wire"]

J = TypeVar("J", bound=Judge)


class Wire(Generic[J]):
    """One connection, driven from the server's side with ``open``, ``deliver`` and ``lose``.

    Every frame of the client is judged by the rules of the scripted server: see ``protocol``. meaning: what a close
    code and its reason mean.
    """

    def __init__(self, epoch: int, sink: Sink, protocol: J, meaning: Callable[[int | None, str], Loss]) -> None:
        self.epoch = epoch
        self.sent: list[dict[str, Any]] = []
        """What the client sent, decoded."""
        self.protocol = protocol
        self.dropped = 0
        self.closing = False
        """The client has asked for the close, and the server has not answered it."""
        self._sink = sink
        self._meaning = meaning
        self._opened = False
        self._gone = asyncio.Event()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.epoch} {'open' if self.alive else 'gone'}>"

    # -- the client's side -----------------------------------------------------------------------------------------

    def send(self, frame: str, *, droppable: bool = False) -> None:
        if self.alive and not self.closing:
            self.protocol.receive(frame)
            self.sent.append(json.loads(frame))

    def close(self, *, abort: bool = False) -> None:
        if not self.alive:
            return
        if abort or not self._opened:
            # As a socket does it: the caller hears of the end after it has returned.
            asyncio.get_running_loop().call_soon(self.lose, None)
        self.closing = True

    @property
    def alive(self) -> bool:
        return not self._gone.is_set()

    async def wait_closed(self) -> None:
        await self._gone.wait()

    # -- the server's side -----------------------------------------------------------------------------------------

    def open(self) -> None:
        """The handshake is done. Once is enough; more does nothing."""
        if self.alive and not self._opened and not self.closing:
            self._opened = True
            self._sink.opened(self.epoch)

    def deliver(self, message: Mapping[str, Any] | Frame) -> None:
        """Hand a message, or any frame whatever, to the client; nothing arrives on a connection that is not open."""
        if not self.alive or not self._opened:
            return
        self._delivering(message)
        self.deliver_late(message)

    def _delivering(self, message: Mapping[str, Any] | Frame) -> None:
        """The judge may have to know what the server says."""

    def deliver_late(self, message: Mapping[str, Any] | Frame) -> None:
        """The same on a connection in any state, even a lost one."""
        self._sink.received(self.epoch, message if isinstance(message, (str, bytes)) else json.dumps(dict(message)))

    def lose(self, code: int | None = None, reason: str = "", *, outcome: Loss | None = None) -> None:
        """The connection ends with this close code; None for one that just went. ``outcome`` overrules the code's."""
        if self.alive:
            self._gone.set()
            self._sink.lost(self.epoch, outcome or self._meaning(code, reason), code, f"closed with {code}")
