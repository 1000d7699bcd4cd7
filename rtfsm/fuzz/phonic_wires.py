"""Phonic's end of the wire: the scripted server on real sockets, or connections made of memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from livekit.agents import llm

from rtfsm.adapters.livekit.provider import Settings, Sink
from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.adapters.phonic.transport import loss_of_status
from rtfsm.testing.memory import MemoryProvider, MemoryTransport
from rtfsm.testing.phonic_server import Call, CallEnded, PhonicServer, connection, messages
from rtfsm.testing.phonic_server.client_protocol import ClientProtocol

from .dialect import KEY, Wire
from .meaning import Meaning
from .moves import ODD, Move
from .phonic_talk import ABOUT_CALLS, GARBAGE, KINDS, PhonicTalk, frame_of, means, message_of
from .target import Target

__all__ = ["PHONIC", "PhonicDialect"]

CLOSES = (
    (2, 1000, ""), (1, 1001, ""), (1, 1001, "restarting"), (2, 1011, ""), (2, 1012, ""), (1, 4600, ""), (1, 4500, ""),
    (1, 4004, ""), (1, 1008, ""),
)  # fmt: skip


ASKING = ("generate_reply", "say")
"""Messages by which the client asks the assistant to speak."""


class PhonicDialect:
    """See the protocol :class:`Dialect`."""

    name = "phonic"
    kinds = KINDS
    garbage = GARBAGE
    abilities = ()
    faults: Sequence[tuple[int, Move]] = (
        *((weight, Move("wire", "close", {"code": code, "reason": reason})) for weight, code, reason in CLOSES),
        (4, Move("wire", "drop")),
        (1, Move("wire", "refuse", {"status": 401, "times": 1})),
        (2, Move("wire", "refuse", {"status": 503, "times": 1})),
        (1, Move("wire", "refuse", {"status": 503, "times": 9})),
    )

    def talk(self, *, begun: bool, number: int = 0) -> PhonicTalk:
        return PhonicTalk(begun=begun)

    def option(self, number: int) -> Mapping[str, Any]:
        return {"voice": f"voice-{number}"}

    def means(self, move: Move) -> Meaning:
        return means(move)

    def fields(self, move: Move) -> Sequence[str]:
        return [name for name in message_of(move) or () if name != "type"]

    @asynccontextmanager
    async def open(self, target: Target, *, handshake: bool, memory: bool) -> AsyncIterator[Wire]:
        if memory and isinstance(target.factory, type) and issubclass(target.factory, RealtimeModel):
            with target.pointed_at("ws://127.0.0.1:9", KEY) as model:
                assert isinstance(model, RealtimeModel)
                yield MemoryWire(model, handshake=handshake)
            return
        async with SocketWire.opened(target, handshake=handshake) as wire:
            yield wire


PHONIC = PhonicDialect()


class _Judged:
    """What both sorts of connections share: the judgement of the client."""

    protocol: ClientProtocol

    def __init__(self) -> None:
        self._texts: list[str] = []
        """The client's messages as JSON, as far as anybody asked; sound as nothing."""

    @property
    def running(self) -> bool:
        return self.protocol.ready

    @property
    def errors(self) -> Sequence[str]:
        return [f"{error.type}: {error.problem}" for error in self.protocol.errors]

    @property
    def early_sound(self) -> bool:
        return any("before ready" in note.note for note in self.protocol.notes)

    def _messages(self) -> Sequence[Mapping[str, Any]]:
        raise NotImplementedError

    @property
    def outputs(self) -> Sequence[str]:
        return [str(one["tool_call_id"]) for one in self._messages() if one.get("type") == "tool_call_output"]

    @property
    def asked(self) -> int:
        return sum(one.get("type") in ASKING for one in self._messages())

    def told(self, text: str) -> bool:
        messages = self._messages()
        for one in messages[len(self._texts) :]:
            self._texts.append("" if one.get("type") == "audio_chunk" else json.dumps(one))
        return any(text in one for one in self._texts)


# -- on sockets ----------------------------------------------------------------------------------------------------


class SocketConnection(_Judged):
    def __init__(self, real: connection.Connection) -> None:
        super().__init__()
        self.real = real
        self.protocol = real.protocol

    @property
    def open(self) -> bool:
        return not self.real.closed.is_set()

    def _messages(self) -> Sequence[Mapping[str, Any]]:
        return [record.message for record in self.real.received if record.message is not None]

    @property
    def frames(self) -> Sequence[str]:
        return [record.type for record in self.real.received]


def _is_raw(move: Move) -> bool:
    """Whether the server may not take it for said: an end that the client cannot read ends nothing for it."""
    return "cut" in move.args or (move.what in ABOUT_CALLS and any(odd in move.args for odd in ODD))


class SocketWire:
    """The scripted server. Serves any target."""

    def __init__(self, handshake: bool) -> None:
        self._handshake = handshake
        self._refusals: list[int] = []
        self._known: dict[int, SocketConnection] = {}
        self.server: PhonicServer
        self.model: llm.RealtimeModel

    @staticmethod
    @asynccontextmanager
    async def opened(target: Target, *, handshake: bool) -> AsyncIterator[SocketWire]:
        wire = SocketWire(handshake)
        async with PhonicServer(wire._receive, refuse=wire._refuse, keep_audio=False) as server:
            wire.server = server
            with target.pointed_at(server.url, KEY) as wire.model:
                yield wire

    async def _receive(self, call: Call) -> None:
        if self._handshake:
            await call.handshake()

    def _refuse(self, attempt: int) -> int | None:
        return self._refusals.pop(0) if self._refusals else None

    @property
    def connections(self) -> Sequence[SocketConnection]:
        for number, real in enumerate(self.server.connections[len(self._known) :], len(self._known)):
            self._known[number] = SocketConnection(real)
        return list(self._known.values())

    async def deliver(self, connection: Any, move: Move) -> None:
        message = message_of(move)
        try:
            if message is None or _is_raw(move):
                await connection.real.send_raw(frame_of(move))
            else:
                await connection.real.send(message)
                if move.what == "tool_call":
                    # Where it crosses a reset, the client cannot know that its call is over, and answers it.
                    await self.settle()
        except CallEnded:
            await asyncio.sleep(0)  # the other side has gone meanwhile

    async def befall(self, connection: Any, move: Move) -> None:
        if move.what == "refuse":
            self._refusals += [move.args["status"]] * move.args["times"]
        elif connection is not None and move.what == "drop":
            await connection.real.drop()
        elif connection is not None:
            await connection.real.close(move.args["code"], move.args["reason"])

    async def settle(self) -> None:
        await asyncio.sleep(0.005)


# -- in memory -----------------------------------------------------------------------------------------------------


class _Line(MemoryTransport):
    """A connection that lets the client in by itself, and answers its close."""

    handshake = True

    @property
    def opened(self) -> bool:
        return self._opened

    def begin(self, refused: int | None) -> None:
        """The handshake of the socket is over."""
        if not self.alive or self.closing:
            return
        if refused is not None:
            self.lose(None, outcome=loss_of_status(refused))
            return
        self.open()
        if self.handshake and self.resumes is not None:
            self.deliver(messages.conversation_reconnected(self.resumes))

    def send(self, frame: str, *, droppable: bool = False) -> None:
        before = self.protocol.configured
        super().send(frame, droppable=droppable)
        if self.handshake and self.protocol.configured and not before:
            asyncio.get_running_loop().call_soon(self._let_in)

    def _let_in(self) -> None:
        self.deliver(messages.conversation_created(f"conv_{self.epoch}"))
        self.deliver(messages.ready_to_start_conversation())

    def close(self, *, abort: bool = False) -> None:
        super().close(abort=abort)
        if self.alive:
            asyncio.get_running_loop().call_soon(self.lose, 1000)


class MemoryConnection(_Judged):
    def __init__(self, line: _Line) -> None:
        super().__init__()
        self.line = line
        self.protocol = line.protocol

    @property
    def open(self) -> bool:
        return self.line.alive and self.line.opened and not self.line.closing

    def _messages(self) -> Sequence[Mapping[str, Any]]:
        return self.line.sent

    @property
    def frames(self) -> Sequence[str]:
        return [str(message.get("type")) for message in self.line.sent]


class _Provider(MemoryProvider):
    """The provider of one session."""

    def __init__(self, wire: MemoryWire) -> None:
        super().__init__()
        self._wire = wire

    def connect(self, settings: Settings, epoch: int, sink: Sink) -> _Line:  # type: ignore[override]  # no socket
        line = _Line(epoch, sink, settings.resumes, self.transports[-1] if self.transports else None)
        self.transports.append(line)
        self._wire.accept(line)
        return line


class MemoryWire:
    """Connections made of memory, for sessions of rtfsm's own model."""

    def __init__(self, model: RealtimeModel, *, handshake: bool) -> None:
        self.model = model
        self.connections: list[MemoryConnection] = []
        self._handshake = handshake
        self._refusals: list[int] = []
        model._make_provider = lambda: _Provider(self)

    def accept(self, line: _Line) -> None:
        """A session wants this connection."""
        line.handshake = self._handshake
        refused = self._refusals.pop(0) if self._refusals else None
        if refused is None:
            self.connections.append(MemoryConnection(line))
        asyncio.get_running_loop().call_soon(line.begin, refused)

    async def deliver(self, connection: Any, move: Move) -> None:
        if not connection.open:
            return
        line = connection.line
        message = None if _is_raw(move) or move.what == "audio_chunk" else message_of(move)
        line.deliver(frame_of(move) if message is None else message)

    async def befall(self, connection: Any, move: Move) -> None:
        if move.what == "refuse":
            self._refusals += [move.args["status"]] * move.args["times"]
        elif connection is not None and move.what == "drop":
            connection.line.lose(None)
        elif connection is not None:
            connection.line.lose(move.args["code"], move.args["reason"])

    async def settle(self) -> None:
        await asyncio.sleep(0.001)
