"""What a scenario holds in its hand: one conversation, in words that read like a script."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from rtfsm.testing.phonic_server import messages
from rtfsm.testing.phonic_server.connection import CallEnded, Connection, Record
from rtfsm.testing.phonic_server.messages import Message
from rtfsm.testing.phonic_server.turns import AssistantTurn

EXPECT_TIMEOUT_S = 60.0
"""How long `expect` waits unless told otherwise, in seconds of the loop's clock."""

AHEAD_SPEED = 8.0
"""How much faster than real time audio is sent when it is streamed ahead."""


class Call:
    """One conversation with one client, seen from a scenario.

    Methods raise `CallEnded` when the client has gone; the server takes that for the scenario's end, not a failure.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._tool_calls = 0
        self._playing_until = 0.0

    @property
    def received(self) -> Sequence[Record]:
        """All that the client has sent, audio included, each with its arrival time."""
        return self.connection.received

    @property
    def config(self) -> Mapping[str, Any]:
        """The client's configuration in force: of `config`, or of the last `reset`."""
        return self.connection.protocol.config

    @property
    def now(self) -> float:
        """The loop's clock, in seconds."""
        return asyncio.get_running_loop().time()

    async def expect(self, *types: str, timeout: float = EXPECT_TIMEOUT_S) -> Message:
        """Wait for the oldest unread message of one of these types, and take it.

        Messages of other types stay for later expects. Audio is taken only if "audio_chunk" is asked for. Without
        types: the next message that is no audio. Raises AssertionError after `timeout` seconds, naming what came.
        """
        record = await self._next(types, timeout)
        return {} if record.message is None else record.message

    async def hear(self, timeout: float | None = None) -> Record:
        """The next unread frame of any type, audio included. Raises asyncio.TimeoutError after `timeout` seconds."""
        return await asyncio.wait_for(self.connection.take((), audio=True), timeout)

    async def send(self, message: Message) -> None:
        """Send one message; `rtfsm.testing.phonic_server.messages` builds them."""
        await self.connection.send(message)

    async def duplicate(self, message: Message) -> None:
        """Send one message twice."""
        await self.send(message)
        await self.send(message)

    async def raw(self, frame: str | bytes) -> None:
        """Send anything: a str as a text frame, bytes as a binary frame."""
        await self.connection.send_raw(frame)

    async def delay(self, seconds: float) -> None:
        """Let time pass on the loop's clock."""
        await asyncio.sleep(seconds)

    async def close(self, code: int | None = 1000, reason: str = "") -> None:
        """Close the WebSocket; None or 1005 for a close frame without a code."""
        await self.connection.close(code, reason)

    async def drop(self) -> None:
        """Abort the TCP connection, with no close frame."""
        await self.connection.drop()

    async def handshake(self, *, ready_after: float = 0.0) -> Mapping[str, Any]:
        """Take the configuration, announce the conversation, and be ready `ready_after` seconds later.

        On a connection that resumes a conversation, `conversation_reconnected` takes the place of all that; one that
        the server does not know is refused by closing with 4800, Phonic's code for it. Returns the configuration.
        """
        if "reconnect_conv_id" not in self.connection.query:
            await self.expect("config")
            await self.send(messages.conversation_created(self.connection.conversation_id or ""))
            if ready_after:
                await self.delay(ready_after)
            await self.send(messages.ready_to_start_conversation())
        elif self.connection.conversation_id is None:
            await self.close(4800, "reconnect session not found")
            raise CallEnded("the conversation to resume is unknown")
        else:
            await self.send(messages.conversation_reconnected(self.connection.conversation_id))
        return self.config

    def turn(self, text: str, *, interruptible: bool = True) -> AssistantTurn:
        """Synthesise a turn in the client's output format, without sending it yet."""
        return AssistantTurn.of(text, self.connection.protocol.output_format, interruptible=interruptible)

    async def say(self, text: str, *, ahead: bool | None = None, brackets: bool = True) -> AssistantTurn:
        """Synthesise and send a whole turn; see `speak`."""
        turn = self.turn(text)
        await self.speak(turn, ahead=ahead, brackets=brackets)
        return turn

    async def speak(
        self,
        turn: AssistantTurn,
        *,
        ahead: bool | None = None,
        chunk_ms: int = 20,
        brackets: bool = True,
        finish_when_played: bool = False,
        timings: Mapping[str, float] | None = None,
    ) -> None:
        """Send a turn: its start, its audio with one word in the first chunk of each word, its end.

        Args:
            ahead: stream faster than real time; by default as the configuration's stream_ahead_of_real_time says.
            brackets: whether assistant_started_speaking and assistant_finished_speaking go around it.
            finish_when_played: hold back the closing bracket until the audio has been played; matters only when ahead.
            timings: latency figures for the first chunk, named durations in milliseconds.

        Returns when the closing bracket is sent. With `ahead`, audio may then still be playing: see `played`.
        """
        ahead = self.config.get("stream_ahead_of_real_time") is True if ahead is None else ahead
        if brackets:
            await self.send(messages.assistant_started_speaking())
        began = self.now
        turn.began_at = max(began, self._playing_until)
        self._playing_until = turn.ends_at
        pace = chunk_ms / 1000 / (AHEAD_SPEED if ahead else 1.0)
        for position, (sound, word) in enumerate(turn.chunks(chunk_ms)):
            # Against the start, not from chunk to chunk, so that the pace does not drift.
            await self._until(began + position * pace)
            await self.send(messages.audio_chunk(sound, word, timings=timings if position == 0 else None))
        if finish_when_played or not ahead:
            await self.played(turn)
        if brackets:
            await self.send(messages.assistant_finished_speaking())

    async def played(self, turn: AssistantTurn) -> None:
        """Wait until a listener has heard all of a turn that was sent."""
        await self._until(turn.ends_at)

    def stop_playing(self) -> None:
        """The listener's playback was cut: what is sent next is heard at once."""
        self._playing_until = 0.0

    def new_tool_call_id(self) -> str:
        """A tool call id that is unique within the server."""
        self._tool_calls += 1
        return f"call_{self.connection.number}_{self._tool_calls}"

    async def _until(self, moment: float) -> None:
        wait = moment - self.now
        if wait > 0:
            await asyncio.sleep(wait)

    async def _next(self, types: tuple[str, ...], timeout: float) -> Record:
        try:
            return await asyncio.wait_for(self.connection.take(types, audio=False), timeout)
        except asyncio.TimeoutError:
            wanted = " or ".join(types) or "any message"
            came = ", ".join(self.connection.unread_types()) or "nothing"
            raise AssertionError(f"expected {wanted} within {timeout:g} s; unread so far: {came}") from None
