"""A server of OpenAI's Realtime API without a socket: the test is the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtfsm.adapters.livekit.provider import Settings, Sink
from rtfsm.adapters.openai import RealtimeModel, RealtimeSession
from rtfsm.adapters.openai.provider import OpenAIProvider
from rtfsm.adapters.openai.session import own_copy
from rtfsm.adapters.openai.transport import loss_of_close
from rtfsm.testing.memory_wire import Wire
from rtfsm.testing.openai_server import messages
from rtfsm.testing.openai_server.client_protocol import ClientProtocol

__all__ = ["MemoryOpenAI", "MemoryOpenAISession", "OpenAIWire"]


class OpenAIWire(Wire[ClientProtocol]):
    """One connection."""

    def accept(self) -> None:
        """Open, and take the configuration."""
        self.open()
        self.deliver(messages.session_updated({}))

    def created(
        self, response: str, metadata: Mapping[str, str] | None = None, *, conversation: str | None = "c"
    ) -> None:
        """A response begins."""
        shown = messages.response(response, metadata=metadata, conversation_id=conversation)
        self.deliver(messages.response_created(shown))

    def words(self, response: str, message: str, text: str, sound: bytes = b"\1\0" * 480) -> None:
        """Words of a message, with their sound behind them."""
        self.deliver(messages.audio_transcript_delta(response, message, 0, text))
        self.deliver(messages.audio_delta(response, message, 0, sound))

    def done(self, response: str, status: str = "completed") -> None:
        """A response ends."""
        self.deliver(messages.response_done(messages.response(response, status)))

    def last(self, type_name: str) -> dict[str, Any]:
        """What the client sent last of a type."""
        return [message for message in self.sent if message["type"] == type_name][-1]


class MemoryOpenAI(OpenAIProvider):
    """The API, on connections made of memory. They are listed in ``transports``, the present one last."""

    def __init__(self, *, trusted: bool = True) -> None:
        super().__init__(trusted=trusted)
        object.__setattr__(self, "transports", [])

    transports: list[OpenAIWire]

    def connect(self, settings: Settings, epoch: int, sink: Sink) -> OpenAIWire:
        self.transports.append(OpenAIWire(epoch, sink, ClientProtocol(), lambda code, _: loss_of_close(code)))
        return self.transports[-1]


class MemoryOpenAISession(RealtimeSession):
    """A session whose connections a test holds in its hand, under ``wire``."""

    def __init__(self, model: RealtimeModel, *, trusted: bool = True) -> None:
        self.provider = MemoryOpenAI(trusted=trusted)
        super().__init__(model, own_copy(model._options, turn_detection_disabled=False), self.provider)

    @property
    def wire(self) -> OpenAIWire:
        """The present connection."""
        return self.provider.transports[-1]
