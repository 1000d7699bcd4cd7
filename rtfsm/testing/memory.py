"""Phonic without a socket: the test is the wire.

The codec, the shell, the machines and LiveKit's streams are the real ones. Only the connection is a plain object, so
that a test decides in which order, and between which two steps of the client, every frame arrives.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from rtfsm.adapters.livekit.provider import Frame, Settings, Sink
from rtfsm.adapters.phonic import RealtimeModel, RealtimeSession
from rtfsm.adapters.phonic.provider import PhonicProvider
from rtfsm.adapters.phonic.transport import loss_of_close
from rtfsm.testing.phonic_server.client_protocol import ClientProtocol
from rtfsm.vocabulary.wire import Loss

__all__ = ["MemoryProvider", "MemorySession", "MemoryTransport"]


class MemoryTransport:
    """One connection, driven from the server's side with ``open``, ``deliver`` and ``lose``.

    Every frame of the client is judged by the rules of the scripted server: see ``protocol``.
    """

    def __init__(
        self, epoch: int, sink: Sink, resumes: str | None = None, earlier: MemoryTransport | None = None
    ) -> None:
        self.epoch = epoch
        self.resumes = resumes
        """Id of the conversation that it goes on with, that of the connection ``earlier``."""
        self.sent: list[dict[str, Any]] = []
        """What the client sent, decoded."""
        self.protocol = ClientProtocol()
        if resumes is not None and earlier is not None:
            self.protocol = ClientProtocol(earlier.protocol.config, earlier.protocol.calls)
        self.dropped = 0
        self.closing = False
        """The client has asked for the close, and the server has not answered it."""
        self._sink = sink
        self._opened = False
        self._gone = asyncio.Event()

    def __repr__(self) -> str:
        return f"<MemoryTransport {self.epoch} {'open' if self.alive else 'gone'}>"

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
        if isinstance(message, Mapping):
            known = self.protocol.sent(dict(message))
            if known is not None:
                self.protocol.client_knows(known)
        self.deliver_late(message)

    def deliver_late(self, message: Mapping[str, Any] | Frame) -> None:
        """The same on a connection in any state, even a lost one."""
        self._sink.received(self.epoch, message if isinstance(message, (str, bytes)) else json.dumps(dict(message)))

    def lose(self, code: int | None = None, reason: str = "", *, outcome: Loss | None = None) -> None:
        """The connection ends with this close code; None for one that just went. ``outcome`` overrules the code's."""
        if self.alive:
            self._gone.set()
            self._sink.lost(self.epoch, outcome or loss_of_close(code, reason), code, f"closed with {code}")


class MemoryProvider(PhonicProvider):
    """Phonic, on connections made of memory. They are listed in ``transports``, the present one last."""

    def __init__(self) -> None:
        self.transports: list[MemoryTransport] = []

    def connect(self, settings: Settings, epoch: int, sink: Sink) -> MemoryTransport:  # type: ignore[override]
        transport = MemoryTransport(epoch, sink, settings.resumes, self.transports[-1] if self.transports else None)
        self.transports.append(transport)
        return transport


class MemorySession(RealtimeSession):
    """A session of Phonic's whose connections a test holds in its hand, under ``wire``."""

    def __init__(self, model: RealtimeModel) -> None:
        self.provider = MemoryProvider()
        super().__init__(model, model._options.copy(), self.provider)

    @property
    def wire(self) -> MemoryTransport:
        """The present connection."""
        return self.provider.transports[-1]

    @property
    def failed_effects(self) -> int:
        """Orders of the machines that could not be carried out."""
        return self._shell.failed_effects
