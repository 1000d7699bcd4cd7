"""What a scenario holds in its hand: one session with one client, in words that read like a script."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any

from rtfsm.testing.openai_server import messages
from rtfsm.testing.openai_server.connection import Connection
from rtfsm.testing.openai_server.conversation import Conversation
from rtfsm.testing.openai_server.response import Response
from rtfsm.testing.openai_server.service import Service
from rtfsm.testing.server.connection import Record
from rtfsm.testing.server.judging import Message

EXPECT_TIMEOUT_S = 60.0
"""How long `expect` and `next_response` wait unless told otherwise, in seconds of the loop's clock."""


class Call:
    """One session with one client, seen from a scenario.

    The service answers the client's events by itself: it updates the session, keeps the conversation, begins and
    cancels responses. The scenario is the model and the user: it fills responses and speaks. `hold` takes an event's
    answer into its own hands, and `send` sends anything at any moment.

    Methods raise `CallEnded` when the client has gone; the server takes that for the scenario's end, not a failure.
    """

    def __init__(self, connection: Connection, service: Service) -> None:
        self.connection = connection
        self.service = service

    @property
    def received(self) -> Sequence[Record]:
        """All that the client has sent, audio included, each with its arrival time."""
        return self.connection.received

    @property
    def session(self) -> Mapping[str, Any]:
        """The session's configuration in force."""
        return self.service.session.config

    @property
    def conversation(self) -> Conversation:
        """The default conversation as the server holds it."""
        return self.service.conversation

    @property
    def active_response(self) -> Response | None:
        """The response that writes to the conversation now."""
        return self.service.active

    @property
    def now(self) -> float:
        """The loop's clock, in seconds."""
        return asyncio.get_running_loop().time()

    async def expect(self, *types: str, timeout: float = EXPECT_TIMEOUT_S) -> Message:
        """Wait for the oldest unread event of one of these types, and take it.

        It was answered already, unless its type is held. Events of other types stay for later expects. Audio is taken
        only if input_audio_buffer.append is asked for. Without types: the next event that is no audio. Raises
        AssertionError after `timeout` seconds, naming what came.
        """
        try:
            record = await asyncio.wait_for(self.connection.take(types, audio=False), timeout)
        except asyncio.TimeoutError:
            wanted = " or ".join(types) or "any event"
            raise AssertionError(f"expected {wanted} within {timeout:g} s; unread so far: {self._unread()}") from None
        return {} if record.message is None else record.message

    async def hear(self, timeout: float | None = None) -> Record:
        """The next unread frame of any type, audio included. Raises asyncio.TimeoutError after `timeout` seconds."""
        return await asyncio.wait_for(self.connection.take((), audio=True), timeout)

    async def next_response(self, timeout: float = EXPECT_TIMEOUT_S) -> Response:
        """The next response that the client or the turn detection has begun; response.created was sent.

        Raises AssertionError after `timeout` seconds, naming what came.
        """
        patience = None if math.isinf(timeout) else timeout
        try:
            return await asyncio.wait_for(self.service.created.get(), patience)
        except asyncio.TimeoutError:
            raise AssertionError(f"no response within {timeout:g} s; unread so far: {self._unread()}") from None

    async def start_response(self, **request: Any) -> Response:
        """Begin a response that nobody asked for. `request` are fields of a response.create's `response`."""
        response = self.service.respond(request, "script")
        await self.flush()
        return response

    def hold(self, *types: str) -> None:
        """From now on leave client events of these types unanswered; `obey` answers one."""
        self.service.held.update(types)

    def release(self, *types: str) -> None:
        """Answer these types again; all of them if none is named."""
        self.service.held.difference_update(types or set(self.service.held))

    async def obey(self, message: Message) -> None:
        """Answer a client event that was held."""
        self.service.obey(message)
        await self.flush()

    async def reject(
        self, message: Message, text: str = "rejected by the script", *, code: str = "invalid_value"
    ) -> None:
        """Answer a client event that was held with an error that names it."""
        await self.send(messages.error(text, code=code, event_id=message.get("event_id")))

    async def user_starts(self, item_id: str | None = None) -> str:
        """The voice of the user is detected, and interrupts as the session says. Returns the future item's id."""
        started = self.service.user_starts(item_id)
        await self.flush()
        return started

    async def user_stops(self) -> str | None:
        """The user falls silent: stopped, committed, the message, and a response as the session says.

        Returns the id of the user's message; None if the client has committed it already.
        """
        item_id = self.service.user_stops()
        await self.flush()
        return item_id

    async def transcribe(self, item_id: str, text: str, *, pieces: int = 0) -> None:
        """Send what the user said, in so many deltas first. It may come late, and again."""
        item = self.conversation.get(item_id)
        if item is not None:
            for part in item.body["content"]:
                if part["type"] == "input_audio":
                    part["transcript"] = text
        size = -(-len(text) // pieces) if pieces else 1
        for offset in range(0, len(text) if pieces else 0, size):
            await self.send(messages.transcription_delta(item_id, text[offset : offset + size]))
        seconds = 0.0 if item is None else item.audio_ms / 1000
        await self.send(messages.transcription_completed(item_id, text, seconds=seconds))

    async def user_says(self, text: str, *, seconds: float = 0.5) -> str:
        """A whole turn of the user: started, `seconds` of speech, stopped, transcribed where the session asks for it.

        Returns the id of the user's message. The response that the session may ask for waits in `next_response`.
        """
        item_id = await self.user_starts()
        await self.delay(seconds)
        await self.user_stops()
        if self.service.session.transcribes:
            await self.transcribe(item_id, text)
        return item_id

    async def send(self, *events: Message) -> None:
        """Send events; `rtfsm.testing.openai_server.messages` builds them."""
        await self.connection.send(*events)

    async def duplicate(self, event: Message) -> None:
        """Send one event twice."""
        await self.send(event, event)

    async def raw(self, frame: str | bytes) -> None:
        """Send anything: a str as a text frame, bytes as a binary frame."""
        await self.connection.send_raw(frame)

    async def delay(self, seconds: float) -> None:
        """Let time pass on the loop's clock."""
        await asyncio.sleep(seconds)

    async def expire(self, seconds: float = 3600.0) -> None:
        """Tell that the session has lasted too long, and close, as the service does after an hour."""
        reason = self.service.expire(seconds)
        await self.flush()
        await self.close(1001, reason)

    async def close(self, code: int | None = 1000, reason: str = "") -> None:
        """Close the WebSocket; None or 1005 for a close frame without a code."""
        await self.connection.close(code, reason)

    async def drop(self) -> None:
        """Abort the TCP connection, with no close frame."""
        await self.connection.drop()

    async def reset(self) -> None:
        """Reset the TCP connection: the client's next read fails, where after a `drop` it ends."""
        await self.connection.reset()

    def stall(self) -> None:
        """Read nothing from now on, as a peer that hangs."""
        self.connection.stall()

    async def flush(self) -> None:
        """Write what is in line."""
        await self.connection.flush()

    def _unread(self) -> str:
        return ", ".join(self.connection.unread_types()) or "nothing"
