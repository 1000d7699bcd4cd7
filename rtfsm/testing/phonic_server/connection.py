"""One client connection: what came in, what went out, and whether it was right."""

from __future__ import annotations

import asyncio
import functools
import json
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import field, frozen
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from rtfsm.testing.phonic_server.client_protocol import ClientError, ClientNote, ClientProtocol
from rtfsm.testing.phonic_server.messages import Message

Transform = Callable[[Message], Iterable[Message]]
"""Maps each outgoing message to what is sent in its place: nothing, itself, several, something bent."""

Observe = Callable[["Connection", str, str], None]
"""Told of every frame: the connection, "received" or "sent", and the message type. Never its content."""

_UNREAD_AUDIO = 3000


class CallEnded(Exception):
    """The connection is over; what the scenario wanted to do next cannot be done."""


@frozen
class Record:
    """One frame that was received or sent. The content is kept out of its repr: it may hold spoken words."""

    index: int
    at: float
    """Loop time in seconds."""
    type: str
    message: Message | None = field(repr=False)
    """None for a frame that is no JSON object with a known type, and for audio where audio is not kept."""
    audio: bytes = field(default=b"", repr=False)
    """The decoded sound of a received audio_chunk."""


class Connection:
    """A client's connection, as the server sees it. Stays readable after it has closed."""

    def __init__(
        self,
        socket: ServerConnection,
        number: int,
        *,
        query: Mapping[str, str],
        protocol: ClientProtocol,
        transform: Transform | None,
        observe: Observe | None,
        keep_audio: bool,
    ) -> None:
        self.number = number
        """Position among the server's connections, from 0."""
        self.query = dict(query)
        """Query arguments of the URL. A session token is replaced by a placeholder."""
        self.protocol = protocol
        self.conversation_id: str | None = None
        self.received: list[Record] = []
        """Every frame from the client, in order of arrival."""
        self.sent: list[Record] = []
        """Every message to the client, after the transform."""
        self.failure: BaseException | None = None
        """What the scenario raised, if it failed."""
        self.closed = asyncio.Event()
        self._socket = socket
        self._transform = transform
        self._observe = observe
        self._keep_audio = keep_audio
        self._unread: deque[Record] = deque()
        self._unread_audio: deque[Record] = deque(maxlen=_UNREAD_AUDIO)
        self._news = asyncio.Event()
        self._counts = {"received": 0, "sent": 0}

    def __repr__(self) -> str:
        state = "closed" if self.closed.is_set() else "open"
        return f"<Connection {self.number} {state}, {len(self.protocol.errors)} client errors>"

    @property
    def client_errors(self) -> list[ClientError]:
        """What the client did wrong, in order."""
        return self.protocol.errors

    @property
    def client_notes(self) -> list[ClientNote]:
        """What the client did that is worth knowing and no error."""
        return self.protocol.notes

    @property
    def close_code(self) -> int | None:
        """The WebSocket close code as this side saw it (1006 after a lost connection), or None while it is open."""
        return self._socket.close_code

    def received_types(self) -> list[str]:
        """The types of what the client sent, audio left out."""
        return [record.type for record in self.received if record.type != "audio_chunk"]

    def sent_types(self) -> list[str]:
        """The types of what the server sent, audio left out."""
        return [record.type for record in self.sent if record.type != "audio_chunk"]

    async def send(self, message: Message) -> None:
        """Send one message through the transform. Raises CallEnded if the connection is over."""
        for outgoing in [message] if self._transform is None else self._transform(message):
            await self._send_one(outgoing)

    async def send_raw(self, frame: str | bytes) -> None:
        """Send one frame as it is: text for a str, binary for bytes. Neither transformed nor understood."""
        await self._write(frame)
        self._count("sent", "raw", None)

    async def close(self, code: int | None = 1000, reason: str = "") -> None:
        """Close with this code. None or 1005 sends a close frame without a code."""
        if code is None or code == 1005:
            # The public close() always states a code; a bare close frame is what peers report as 1005.
            self._socket.protocol.send_close()
            self._socket.send_data()
            await self._socket.wait_closed()
        else:
            await self._socket.close(code, reason)

    async def drop(self) -> None:
        """Abort the TCP connection without a close frame."""
        self._socket.transport.abort()
        await self._socket.wait_closed()

    async def reset(self) -> None:
        """Reset the TCP connection: the client's next read fails, where after a `drop` it ends."""
        held: socket.socket | None = self._socket.transport.get_extra_info("socket")
        if held is not None:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await self.drop()

    def stall(self) -> None:
        """Read nothing from now on: pings and closes go unanswered, as of a peer that hangs."""
        self._socket.transport.pause_reading()

    def write_below(self, data: bytes) -> None:
        """Write bytes below the WebSocket's framing, to break it."""
        if not self._socket.transport.is_closing():
            self._socket.transport.write(data)

    async def take(self, types: tuple[str, ...], *, audio: bool) -> Record:
        """The oldest unread frame whose type is among `types` (all types if empty). Raises CallEnded.

        Audio is looked at only if `audio` is true or "audio_chunk" is among the types.
        """
        audio = audio or "audio_chunk" in types
        while True:
            record = self._oldest_unread(types, audio)
            if record is not None:
                return record
            if self.closed.is_set():
                raise CallEnded(f"connection {self.number} ended")
            self._news.clear()
            await self._news.wait()

    def unread_types(self) -> list[str]:
        """The types of the frames that no `take` has read yet, audio left out."""
        return [record.type for record in self._unread]

    async def read_until_closed(self) -> None:
        """Judge and file everything that the client sends, until the connection is over."""
        try:
            async for frame in self._socket:
                self._file(frame)
        except ConnectionClosed:
            pass
        finally:
            self.closed.set()
            self._news.set()

    def _file(self, frame: str | bytes) -> None:
        arrival = self.protocol.receive(frame)
        is_audio = arrival.type == "audio_chunk"
        kept = arrival.message if self._keep_audio or not is_audio else None
        record = self._count("received", arrival.type, kept, arrival.audio)
        if arrival.message is not None:
            (self._unread_audio if is_audio else self._unread).append(record)
            self._news.set()

    def _oldest_unread(self, types: tuple[str, ...], audio: bool) -> Record | None:
        found = next((record for record in self._unread if not types or record.type in types), None)
        sound = self._unread_audio[0] if audio and self._unread_audio else None
        if sound is not None and (found is None or sound.index < found.index):
            self._unread_audio.popleft()
            return sound
        if found is not None:
            self._unread.remove(found)
        return found

    async def _send_one(self, message: Message) -> None:
        type_name = message.get("type")
        # Told before the write: an answer may arrive while the write still waits.
        ended_call = self.protocol.sent(message)
        await self._write(json.dumps(message, separators=(",", ":")))
        type_name = type_name if isinstance(type_name, str) else "no type"
        keep = self._keep_audio or type_name != "audio_chunk"
        self._count("sent", type_name, message if keep else None)
        if ended_call is not None:
            await self._learn_when_client_knows(ended_call)

    async def _learn_when_client_knows(self, call_id: str) -> None:
        # A pong tells that everything sent before its ping has arrived. An output that comes earlier has crossed it.
        try:
            pong = await self._socket.ping()
        except ConnectionClosed:
            return
        asyncio.ensure_future(pong).add_done_callback(functools.partial(self._pong, call_id))

    def _pong(self, call_id: str, pong: asyncio.Future[Any]) -> None:
        if not pong.cancelled() and pong.exception() is None:
            self.protocol.client_knows(call_id)

    async def _write(self, frame: str | bytes) -> None:
        try:
            await self._socket.send(frame)
        except ConnectionClosed as error:
            raise CallEnded(f"connection {self.number} ended") from error

    def _count(self, direction: str, type_name: str, message: Message | None, audio: bytes = b"") -> Record:
        record = Record(self._counts[direction], asyncio.get_running_loop().time(), type_name, message, audio)
        self._counts[direction] += 1
        if self._keep_audio or type_name != "audio_chunk":
            (self.received if direction == "received" else self.sent).append(record)
        if self._observe is not None:
            self._observe(self, direction, type_name)
        return record
