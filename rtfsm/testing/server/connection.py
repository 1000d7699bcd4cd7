"""One client connection: what came in, what went out, and whether it was right."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from attrs import field, frozen
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from rtfsm.testing.server.judging import Arrival, ClientError, ClientNote, Judge, Message

Transform = Callable[[Message], Iterable[Message]]
"""Maps each outgoing message to what is sent in its place: nothing, itself, several, something bent."""

Observe = Callable[[Any, str, str], None]
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
    """The decoded sound of a received message of audio."""


class Connection:
    """A client's connection, as the server sees it. Stays readable after it has closed.

    A provider's connection names its messages of audio and may override `_arrived`, `_leaving` and `_written`.
    """

    audio_in: ClassVar[str]
    """The type of a client's message of audio."""
    audio_out: ClassVar[str]
    """The type of the server's message of audio."""

    def __init__(
        self,
        socket: ServerConnection,
        number: int,
        *,
        query: Mapping[str, str],
        judge: Judge,
        transform: Transform | None,
        observe: Observe | None,
        keep_audio: bool,
    ) -> None:
        self.number = number
        """Position among the server's connections, from 0."""
        self.query = dict(query)
        """Query arguments of the URL. A secret is replaced by a placeholder."""
        self.received: list[Record] = []
        """Every frame from the client, in order of arrival."""
        self.sent: list[Record] = []
        """Every message to the client, after the transform."""
        self.failure: BaseException | None = None
        """What the scenario raised, if it failed."""
        self.closed = asyncio.Event()
        self._judge = judge
        self._socket = socket
        self._transform = transform
        self._observe = observe
        self._keep_audio = keep_audio
        self._unread: deque[Record] = deque()
        self._unread_audio: deque[Record] = deque(maxlen=_UNREAD_AUDIO)
        self._news = asyncio.Event()
        self._counts = {"received": 0, "sent": 0}
        self._outbox: deque[Message | str | bytes] = deque()
        self._writing = asyncio.Lock()

    def __repr__(self) -> str:
        state = "closed" if self.closed.is_set() else "open"
        return f"<Connection {self.number} {state}, {len(self._judge.errors)} client errors>"

    @property
    def client_errors(self) -> list[ClientError]:
        """What the client did wrong, in order."""
        return self._judge.errors

    @property
    def client_notes(self) -> list[ClientNote]:
        """What the client did that is worth knowing and no error."""
        return self._judge.notes

    @property
    def close_code(self) -> int | None:
        """The WebSocket close code as this side saw it (1006 after a lost connection), or None while it is open."""
        return self._socket.close_code

    def received_types(self) -> list[str]:
        """The types of what the client sent, audio left out."""
        return [record.type for record in self.received if record.type != self.audio_in]

    def sent_types(self) -> list[str]:
        """The types of what the server sent, audio left out."""
        return [record.type for record in self.sent if record.type != self.audio_out]

    async def send(self, *messages: Message) -> None:
        """Send messages, each through the transform, with nothing between them. Raises CallEnded."""
        self.post(*messages)
        await self.flush()

    async def send_raw(self, frame: str | bytes) -> None:
        """Send one frame as it is: text for a str, binary for bytes. Neither transformed nor understood."""
        self._outbox.append(frame)
        await self.flush()

    def post(self, *messages: Message) -> None:
        """Put messages in line; what is sent later goes behind them. They leave with the next `flush`."""
        for message in messages:
            self._outbox.extend([message] if self._transform is None else self._transform(message))

    async def flush(self) -> None:
        """Write all that is in line. Raises CallEnded if the connection is over."""
        # One writer at a time: who returns from here finds its messages written, and in the records in their order.
        async with self._writing:
            while self._outbox:
                outgoing = self._outbox.popleft()
                if isinstance(outgoing, dict):
                    await self._send_one(outgoing)
                else:
                    await self._write(outgoing)
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

        Audio is looked at only if `audio` is true or its type is among the types.
        """
        audio = audio or self.audio_in in types
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
                arrival = self._judge.receive(frame)
                self._file(arrival)
                await self._arrived(arrival)
        except (ConnectionClosed, CallEnded):
            pass
        finally:
            self.closed.set()
            self._news.set()

    async def _arrived(self, arrival: Arrival) -> None:
        """A frame was judged and filed, and the next one is not looked at before this returns."""

    def _leaving(self, message: Message) -> None:
        """A message is about to be written: an answer to it may arrive while the write still waits."""

    async def _written(self, message: Message) -> None:
        """A message was written."""

    def _file(self, arrival: Arrival) -> None:
        is_audio = arrival.type == self.audio_in
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
        self._leaving(message)
        await self._write(json.dumps(message, separators=(",", ":")))
        type_name = type_name if isinstance(type_name, str) else "no type"
        keep = self._keep_audio or type_name != self.audio_out
        self._count("sent", type_name, message if keep else None)
        await self._written(message)

    async def _when_known(self, tell: Callable[[], None]) -> None:
        """Have `tell` called when the client has received all that was sent so far: a pong tells."""
        try:
            pong = await self._socket.ping()
        except ConnectionClosed:
            return

        def ponged(pong: asyncio.Future[Any]) -> None:
            if not pong.cancelled() and pong.exception() is None:
                tell()

        asyncio.ensure_future(pong).add_done_callback(ponged)

    async def _write(self, frame: str | bytes) -> None:
        try:
            await self._socket.send(frame)
        except ConnectionClosed as error:
            raise CallEnded(f"connection {self.number} ended") from error

    def _count(self, direction: str, type_name: str, message: Message | None, audio: bytes = b"") -> Record:
        record = Record(self._counts[direction], asyncio.get_running_loop().time(), type_name, message, audio)
        self._counts[direction] += 1
        if self._keep_audio or type_name not in (self.audio_in, self.audio_out):
            (self.received if direction == "received" else self.sent).append(record)
        if self._observe is not None:
            self._observe(self, direction, type_name)
        return record
