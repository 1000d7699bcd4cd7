"""A wire with response ids and replies out of band, on connections made of memory: what Phonic's wire has not.

Its messages are JSON objects whose ``type`` is the name of an event or of a command.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from typing import Any

from livekit.agents import llm

from rtfsm.adapters import livekit
from rtfsm.adapters.livekit import provider as do
from rtfsm.adapters.phonic.model import CAPABILITIES
from rtfsm.language import Event
from rtfsm.machines import Conversation, Floor
from rtfsm.profiles import OPENAI
from rtfsm.vocabulary import wire
from rtfsm.vocabulary.wire import Loss

__all__ = ["WideModel", "WideSession"]


class WideCodec:
    """Stateless."""

    initial = None

    def resumed(self, state: Any) -> tuple[Any, str | None]:
        return state, None

    def decode(self, state: Any, frame: do.Frame) -> tuple[Any, Sequence[Event]]:
        message = json.loads(frame)
        name, id = message.pop("type"), message.pop("id", None)
        events: dict[str, Any] = {
            "ready": lambda: wire.ProviderReady(),
            "created": lambda: wire.GenerationCreated(id, message.get("request"), stored=message.get("stored", True)),
            "text": lambda: wire.TextDelta(message["text"], id),
            "audio": lambda: wire.AudioDelta(base64.b64decode(message["audio"]), id),
            "done": lambda: wire.GenerationDone(generation=id),
        }
        return state, (events[name](),)

    def encode(self, state: Any, command: do.Command) -> tuple[Any, Sequence[str]]:
        if isinstance(command, do.Reply):
            asked = {"request": command.request, "out_of_band": command.out_of_band, "says": command.instructions}
            return state, (json.dumps({"type": "reply", **asked}),)
        return state, (json.dumps({"type": type(command).__name__}),)


class WideTransport:
    """Open from the first moment on."""

    dropped = 0

    def __init__(self, epoch: int, sink: do.Sink) -> None:
        self.sent: list[dict[str, Any]] = []
        self._epoch, self._sink = epoch, sink
        self._gone = asyncio.Event()
        asyncio.get_running_loop().call_soon(sink.opened, epoch)

    def deliver(self, type_name: str, id: str | None = None, **fields: Any) -> None:
        self._sink.received(self._epoch, json.dumps({"type": type_name, "id": id, **fields}))

    def send(self, frame: str, *, droppable: bool = False) -> None:
        self.sent.append(json.loads(frame))

    def close(self, *, abort: bool = False) -> None:
        if self.alive:
            self._gone.set()
            asyncio.get_running_loop().call_soon(self._sink.lost, self._epoch, Loss.NORMAL, 1000, "closed")

    @property
    def alive(self) -> bool:
        return not self._gone.is_set()

    async def wait_closed(self) -> None:
        await self._gone.wait()


class WideProvider:
    """Its connections are listed in ``transports``."""

    capabilities = OPENAI
    features = do.Features()
    codec = WideCodec()
    input_rate = output_rate = 24000

    def __init__(self) -> None:
        self.transports: list[WideTransport] = []

    def connect(self, settings: do.Settings, epoch: int, sink: do.Sink) -> WideTransport:
        self.transports.append(WideTransport(epoch, sink))
        return self.transports[-1]

    def configure(self, settings: do.Settings) -> Sequence[str]:
        return (json.dumps({"type": "configure"}),)

    def update(self, before: do.Settings, now: do.Settings) -> Sequence[str]:
        return ()

    def reset(self, settings: do.Settings) -> Sequence[str]:
        return (json.dumps({"type": "reset"}),)

    def configured(self, state: Any, settings: do.Settings, *, anew: bool) -> Any:
        return state

    def floor(self, settings: do.Settings) -> Floor:
        return Floor()

    def secrets(self, settings: do.Settings) -> Sequence[str]:
        return ()

    def lifetime(self, settings: do.Settings) -> float | None:
        return None

    def answers_output(self, settings: do.Settings, tool: str) -> bool:
        return True


class WideSession(livekit.RealtimeSession):
    """A session whose connections a test holds in its hand, under ``wire``."""

    def __init__(self, model: WideModel) -> None:
        self.provider = WideProvider()
        super().__init__(model, self.provider, Conversation(OPENAI))

    @property
    def wire(self) -> WideTransport:
        return self.provider.transports[-1]


class WideModel(llm.RealtimeModel):
    """A model for a real AgentSession."""

    def __init__(self) -> None:
        super().__init__(capabilities=CAPABILITIES)

    @property
    def model(self) -> str:
        return "wide"

    @property
    def provider(self) -> str:
        return "wide"

    def session(self, *, turn_detection_disabled: bool = False) -> WideSession:
        return WideSession(self)

    async def aclose(self) -> None:
        pass
