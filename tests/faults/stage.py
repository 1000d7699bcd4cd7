"""Where a disturbed conversation is played: a session, a host that judges what it is told, and the scripted server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from livekit.agents.types import APIConnectOptions
from websockets.asyncio.server import ServerConnection

from rtfsm.adapters.phonic import RealtimeModel, RealtimeSession
from rtfsm.testing.phonic_server import Call, CallEnded, Connection, PhonicServer, messages
from tests.adapter.host import Host
from tests.adapter.stage import KEY, SOUND, frame, weather

from .faults import Fault

__all__ = ["WELCOME", "Stage", "Stuck", "sends"]

TICK = 0.01
PASSES = 1000
"""Passes of the loop in which the kernel hands over what was sent on the loopback interface, many times over."""
WELCOME = "Hello there."


class Stuck(AssertionError):
    """Something that was waited for did not come."""


async def _idle(call: Call) -> None:
    """The test plays the server."""


class Stage:
    """One session and one server. knocked: the fault that is to strike at the next handshake (at each, if ``always``).

    read: the words that the client has read while their connection was the present one, in order.
    """

    def __init__(self, *, retry_interval: float | None = None) -> None:
        self.server = PhonicServer(_idle, door=self._door)
        self._retry_interval = retry_interval
        self.tools = [weather]
        self.knocked: Fault | None = None
        self.always = False
        self.read: list[str] = []
        self._frames = 0
        self.consents = 0
        """How often the server has let the conversation begin or go on."""
        self.outages = 0
        self.given: set[str] = set()
        """Calls whose output the host has given."""
        self.closing: asyncio.Task[None] | None = None
        self.close_took = 0.0

    async def _door(self, attempt: int, socket: ServerConnection) -> int | None:
        fault = self.knocked
        if fault is None or fault.knock is None:
            return None
        if not self.always:
            self.knocked = None
        return await fault.knock(socket)

    def open(self) -> None:
        """Make the session. The server has to listen, or to have a port."""
        options: dict[str, Any] = {}
        if self._retry_interval is not None:
            options["conn_options"] = APIConnectOptions(retry_interval=self._retry_interval)
        model = RealtimeModel(api_key=KEY, base_url=self.server.url, welcome_message=WELCOME, **options)
        self.session: RealtimeSession = model.session()
        self.host = Host(self.session)
        taken = self.session._shell.received

        def tap(epoch: int, got: Any) -> None:
            self._frames += 1
            if epoch == self.session.conversation.epoch:
                self.read += _words(got)
            taken(epoch, got)

        # In the way of the frames, and of nothing else: what is read here is what the adapter was given.
        setattr(self.session._shell, "received", tap)  # noqa: B010

    async def configure(self) -> None:
        empty = self.session.chat_ctx
        await self.session._update_session(instructions="Be brief.", chat_ctx=empty, tools=list(self.tools))

    # -- the two sides ---------------------------------------------------------------------------------------------

    @property
    def connection(self) -> Connection:
        """The present connection, as the server sees it."""
        return self.server.connections[-1]

    @property
    def call(self) -> Call:
        return Call(self.connection)

    @property
    def state(self) -> str:
        return self.session.turn.session

    def push(self) -> None:
        """20 ms of the user's sound."""
        self.session.push_audio(frame())

    def close(self) -> None:
        """The host closes."""
        self.closing = asyncio.create_task(self._close(), name="closing")

    async def _close(self) -> None:
        began = asyncio.get_running_loop().time()
        await self.session.aclose()
        self.close_took = asyncio.get_running_loop().time() - began

    async def closed(self) -> None:
        """The host closes, if it has not, and its close is over when this returns."""
        if self.closing is None:
            self.close()
        assert self.closing is not None
        await self.closing

    async def consent(self) -> bool:
        """The server's side of the present connection up to the consent. Returns whether it came to that."""
        try:
            await self.call.handshake()
        except (CallEnded, AssertionError):
            return False
        self.consents += 1
        return True

    # -- time ------------------------------------------------------------------------------------------------------

    async def arrives(self, play: Callable[[Stage], Awaitable[None]], *, pause: bool = False) -> None:
        """Play something, and return when the client has read what was sent, without time having to pass."""
        read, sent = self._frames, len(self.connection.sent)
        await play(self)
        for _ in range(PASSES):
            if self._frames - read >= len(self.connection.sent) - sent:
                break
            await asyncio.sleep(0)
        self.host.check()
        if pause:
            await self.settle()

    async def settle(self, seconds: float = TICK) -> None:
        """Time passes, the user makes a sound, and everybody takes note."""
        self.push()
        await asyncio.sleep(seconds)
        self.host.check()

    async def passes(self, seconds: float) -> None:
        """A longer time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0.001:
            await self.settle(min(left, 1.0))

    async def until(self, predicate: Callable[[], object], seconds: float = 100.0) -> None:
        """Wait, ever less closely. Raises Stuck."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        step = TICK
        while not predicate():
            if loop.time() >= until:
                raise Stuck(f"it did not come to that in {seconds:g} s: {self.state}")
            await self.settle(step)
            step = min(step * 2, 0.5)

    # -- what is so ------------------------------------------------------------------------------------------------

    async def answer_requests(self) -> list[str]:
        """The server ends what it is saying, and answers what it is asked for. Returns what was not answered by it."""
        if self.host.open:
            await self.arrives(sends(messages.assistant_finished_speaking()), pause=True)
        for future in self.host.futures:
            if not future.done():
                await self.arrives(sends(*_spoken("As asked.")), pause=True)
        pending = sum(not future.done() for future in self.host.futures)
        return [f"{pending} requests that were answered are pending"] if pending else []

    async def user_turn(self, words: str, answer: tuple[str, ...]) -> list[str]:
        """The user says something on the present connection and is answered. Returns what of it was not heard."""
        speech = [messages.user_started_speaking(), messages.user_finished_speaking(), messages.input_text(words)]
        await self.arrives(sends(*speech, *_spoken(*answer)), pause=True)
        missing = []
        heard = self.host.named("input_audio_transcription_completed")
        if not heard or heard[-1].transcript != words:
            missing.append("the user's words after the fault")
        if not self.host.generations or self.host.generations[-1].text != "".join(answer):
            missing.append("the answer after the fault")
        return missing

    @property
    def heard(self) -> list[str]:
        """The words that came out of the text streams, in order."""
        messages = [message for one in self.host.generations for message in one.messages]
        return [word for message in messages for chunk in message.chunks for word in chunk.split()]


def _spoken(*words: str) -> list[messages.Message]:
    sound = [messages.audio_chunk(SOUND, word) for word in words]
    return [messages.assistant_started_speaking(), *sound, messages.assistant_finished_speaking()]


def sends(*sent: messages.Message) -> Callable[[Stage], Awaitable[None]]:
    """The server sends these, one after the other."""

    async def play(stage: Stage) -> None:
        for message in sent:
            await stage.call.send(message)

    return play


def _words(got: Any) -> list[str]:
    if not isinstance(got, str) or '"audio_chunk"' not in got[:100]:
        return []
    try:
        message = json.loads(got)
    except ValueError:
        return []
    text = message.get("text") if isinstance(message, dict) else None
    return text.split() if isinstance(text, str) else []
