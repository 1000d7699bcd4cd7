"""Phonic without a socket: the test is the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtfsm.adapters.livekit.provider import Frame, Settings, Sink
from rtfsm.adapters.phonic import RealtimeModel, RealtimeSession
from rtfsm.adapters.phonic.provider import PhonicProvider
from rtfsm.adapters.phonic.transport import loss_of_close
from rtfsm.testing.memory_wire import Wire
from rtfsm.testing.phonic_server.client_protocol import ClientProtocol

__all__ = ["MemoryProvider", "MemorySession", "MemoryTransport"]


class MemoryTransport(Wire[ClientProtocol]):
    """One connection to Phonic. resumes: id of the conversation that it goes on with, that of the connection
    ``earlier``."""

    def __init__(
        self, epoch: int, sink: Sink, resumes: str | None = None, earlier: MemoryTransport | None = None
    ) -> None:
        protocol = ClientProtocol()
        if resumes is not None and earlier is not None:
            protocol = ClientProtocol(earlier.protocol.config, earlier.protocol.calls)
        super().__init__(epoch, sink, protocol, loss_of_close)
        self.resumes = resumes

    def _delivering(self, message: Mapping[str, Any] | Frame) -> None:
        known = self.protocol.sent(dict(message)) if isinstance(message, Mapping) else None
        if known is not None:
            self.protocol.client_knows(known)


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
