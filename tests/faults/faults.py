"""The faults: what each does to a connection, or to a handshake that is not answered yet."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator

import attrs
from websockets.asyncio.server import ServerConnection

from rtfsm.testing.phonic_server import Connection

from .expected import Kind

__all__ = ["CODES", "FAULTS", "Fault", "named"]

PASSING = (1011, 1013, 1014, 4004, 4800, 4801)
NORMAL = (1000, 1001, 1005, 4000, 4200, 4500, 4600, 4700)
REFUSAL = (1002, 1003, 1007, 1008, 1009, 1010, 4010, 4999)
CODES = (*PASSING, *NORMAL, *REFUSAL)

HTTP_PASSING = (408, 429, 500, 503)
HTTP_REFUSAL = (401, 403, 404)

LARGE = 10 * 1024 * 1024


@attrs.frozen
class Fault:
    """One fault. strike: what it does to a connection. knock: what it does at a handshake, returning the HTTP status to
    refuse with. code: the close code or HTTP status, which is to be told. in_flight: it strikes before the client has
    had time to read what was sent last. unreadable: frames that are to be counted. error: it reports an error that can
    be recovered from. everywhere: it strikes at each moment, and not only at a few."""

    name: str
    kind: Kind
    strike: Callable[[Connection], Awaitable[None]] | None = None
    knock: Callable[[ServerConnection], Awaitable[int | None]] | None = None
    code: int | None = None
    in_flight: bool = False
    unreadable: int = 0
    error: bool = False
    everywhere: bool = True
    nobody: bool = False
    """The handshake finds that nothing listens."""

    @property
    def at_a_handshake(self) -> bool:
        return self.knock is not None or self.nobody


# -- connections ---------------------------------------------------------------------------------------------------


def _close(code: int, reason: str = "") -> Callable[[Connection], Awaitable[None]]:
    return lambda connection: connection.close(code, reason)


async def _stall(connection: Connection) -> None:
    connection.stall()


async def _nothing(connection: Connection) -> None:
    """The server simply says no more."""


def _frames(*frames: str | bytes) -> Callable[[Connection], Awaitable[None]]:
    async def strike(connection: Connection) -> None:
        for frame in frames:
            await connection.send_raw(frame)

    return strike


def _bytes(data: bytes) -> Callable[[Connection], Awaitable[None]]:
    async def strike(connection: Connection) -> None:
        connection.write_below(data)

    return strike


def _text(payload: bytes) -> bytes:
    """A text frame of a server, by hand."""
    return b"\x81" + bytes([len(payload)]) + payload


BROKEN = {
    "an unknown opcode": b"\x83\x00",
    "a reserved bit": b"\xc1\x02{}",
    "a masked frame": b"\x81\x82\0\0\0\0{}",
    "a continuation of nothing": b"\x80\x02{}",
    "text that is no UTF-8": _text(b'"\xff\xfe"'),
    "a close frame of one byte": b"\x88\x01\x03",
    "an HTTP answer in the middle": b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nConnection: close\r\n"
    b"Content-Length: 150\r\n\r\n",
    "a frame of a terabyte": b"\x81\x7f" + (1 << 40).to_bytes(8, "big") + b"{",
}
"""Bytes that break the WebSocket protocol (RFC 6455), or the client's limit. The client ends the connection itself; it
has received no close frame then, which is 1006."""

ENDLESS = b"\x81\x7e\xff\xff" + b'{"type": "audio_chunk", "text": "'
"""The head of a frame of 64 KiB and the beginning of it: the pongs that follow are its middle."""

GARBAGE: dict[str, str | bytes] = {
    "no JSON": "{oops",
    "no text": "",
    "half a message": '{"type":"audio_chunk","text":"lo',
    "{}": "{}",
    "null": "null",
    "an array": "[]",
    "a number": "7",
    "a string": '"ready_to_start_conversation"',
    "NaN": '{"type": NaN}',
    "a type that is a number": '{"type": 7}',
    "an unknown type": '{"type": "user_is_bored"}',
    "a message without its fields": '{"type": "input_text"}',
    "a tool call without an id": '{"type": "tool_call", "tool_name": "weather", "parameters": {}}',
    "sound that is a number": '{"type": "audio_chunk", "audio": 7, "text": ""}',
    "sound that is no base64": '{"type": "audio_chunk", "audio": "!", "text": ""}',
    "deep nesting": "[" * 50_000,
    "a binary frame": b"\x00\x01\x02",
    "ten megabytes of text": json.dumps({"type": "padding", "padding": "x" * LARGE}),
    "ten megabytes of bytes": bytes(LARGE),
}
"""Frames that a WebSocket carries and no client can read."""


# -- handshakes ----------------------------------------------------------------------------------------------------


async def _abort(socket: ServerConnection) -> int | None:
    socket.transport.abort()
    await socket.wait_closed()
    return None


async def _hang(socket: ServerConnection) -> int | None:
    await socket.wait_closed()
    return None


def _status(status: int) -> Callable[[ServerConnection], Awaitable[int | None]]:
    async def knock(socket: ServerConnection) -> int | None:
        return status

    return knock


def _answer(answer: bytes) -> Callable[[ServerConnection], Awaitable[int | None]]:
    async def knock(socket: ServerConnection) -> int | None:
        socket.transport.write(answer)
        socket.transport.close()
        await socket.wait_closed()
        return None

    return knock


NO_SERVER = {
    "another protocol answers": b"SSH-2.0-OpenSSH_9.6\r\n",
    "half an answer": b"HTTP/1.1 101 Switching Protocols\r\nUpgr",
    "bytes answer": b"\x00\xff\x00\xff",
    "the key is answered wrongly": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: bm90IHlvdXIga2V5\r\n\r\n",
}


def _all() -> Iterator[Fault]:
    yield Fault("dropped", Kind.LOSS, Connection.drop, _abort)
    yield Fault("dropped in flight", Kind.LOSS, Connection.drop, in_flight=True)
    yield Fault("reset", Kind.LOSS, Connection.reset)
    yield Fault("reset in flight", Kind.LOSS, Connection.reset, in_flight=True)
    yield Fault("1012", Kind.RESTART, _close(1012), code=1012)
    yield Fault("1012 in flight", Kind.RESTART, _close(1012), code=1012, in_flight=True)
    yield Fault("1001 restarting", Kind.RESTART, _close(1001, "restarting"), code=1001)
    for codes, kind in ((PASSING, Kind.PASSING), (NORMAL, Kind.NORMAL), (REFUSAL, Kind.REFUSAL)):
        for code in codes:
            yield Fault(str(code), kind, _close(code), code=code)
        yield Fault(f"{codes[0]} in flight", kind, _close(codes[0]), code=codes[0], in_flight=True)
    for position, (name, data) in enumerate(BROKEN.items()):
        yield Fault(name, Kind.BROKEN, _bytes(data), everywhere=position == 0)
    for name, frame in GARBAGE.items():
        yield Fault(name, Kind.GARBAGE, _frames(frame), unreadable=1, everywhere=False)
    yield Fault(
        "an error without its body", Kind.GARBAGE, _frames('{"type": "error"}'),
        unreadable=1, error=True, everywhere=False,
    )  # fmt: skip
    small = [frame for frame in GARBAGE.values() if len(frame) < LARGE]
    yield Fault("garbage of every kind", Kind.GARBAGE, _frames(*small), unreadable=len(small))
    yield Fault("silence", Kind.SILENCE, _nothing)
    yield Fault("stall", Kind.STALL, _stall, _hang)
    yield Fault("a frame that never ends", Kind.STALL, _bytes(ENDLESS), everywhere=False)
    for status in HTTP_PASSING:
        yield Fault(f"HTTP {status}", Kind.HTTP_PASSING, knock=_status(status), code=status)
    for status in HTTP_REFUSAL:
        yield Fault(f"HTTP {status}", Kind.HTTP_REFUSAL, knock=_status(status), code=status)
    for name, answer in NO_SERVER.items():
        yield Fault(name, Kind.NO_SERVER, knock=_answer(answer))
    yield Fault("connection refused", Kind.NO_SERVER, nobody=True)


FAULTS = tuple(_all())
"""All faults, in the order of their kinds."""


def named(name: str) -> Fault:
    """The fault with this name. Raises KeyError."""
    return {fault.name: fault for fault in FAULTS}[name]
