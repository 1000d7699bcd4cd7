"""A session of ours and a scripted Phonic on one loop, joined by a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from livekit import rtc
from livekit.agents import function_tool, llm

from rtfsm.adapters.phonic import RealtimeModel, RealtimeSession
from rtfsm.testing.phonic_server import Call, PhonicServer, messages
from rtfsm.testing.phonic_server.connection import Connection
from tests.adapter.host import Generation, Host

KEY = "ph_secret_0123456789"
SOUND = b"\1\0" * 480
"""20 ms of sound."""
TICK = 0.01


@function_tool
async def weather(city: str) -> str:
    """Tells the weather."""
    return f"sunny in {city}"


async def attentive(call: Call) -> None:
    """Takes the configuration and is ready; the test plays the rest."""
    await call.handshake()


async def mute(call: Call) -> None:
    """Takes the configuration and never answers."""
    await call.expect("config")


class Talk:
    """One session, the host that listens to it, and the server."""

    def __init__(self, server: PhonicServer, model: RealtimeModel) -> None:
        self.server = server
        self.model = model
        self.session: RealtimeSession = model.session()
        self.host = Host(self.session)

    @property
    def connection(self) -> Connection:
        """The present connection, as the server sees it."""
        return self.server.connections[-1]

    @property
    def call(self) -> Call:
        return Call(self.connection)

    async def configure(self, *, instructions: str = "Be brief.", tools: Sequence[llm.Tool] = ()) -> None:
        await self.session._update_session(
            instructions=instructions, chat_ctx=llm.ChatContext.empty(), tools=list(tools)
        )

    async def hears(self, *sent: messages.Message) -> None:
        """The server sends, and everybody has taken note when this returns."""
        for message in sent:
            await self.call.send(message)
        await self.settle()

    async def settle(self, seconds: float = TICK) -> None:
        await asyncio.sleep(seconds)
        self.host.check()

    async def until_ready(self) -> None:
        await self.until(lambda: self.session.turn.session == "READY")

    async def until(self, predicate: Callable[[], object], *, seconds: float = 60.0) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while not predicate():
            assert asyncio.get_running_loop().time() < deadline, f"it did not come to that: {self.session.turn}"
            await asyncio.sleep(TICK)
        self.host.check()

    def sent(self, type_name: str) -> list[dict[str, Any]]:
        """What the client sent of one type, on all connections."""
        return [
            record.message or {}
            for connection in self.server.connections
            for record in connection.received
            if record.type == type_name
        ]

    def order(self) -> list[str]:
        """The types of what the client sent on the present connection, sound left out."""
        return self.connection.received_types()

    @property
    def last(self) -> Generation:
        return self.host.generations[-1]

    def said(self) -> list[tuple[str, str]]:
        """(role, text) of the messages in the session's own context."""
        items = self.session.chat_ctx.items
        return [(item.role, item.text_content or "") for item in items if isinstance(item, llm.ChatMessage)]


@asynccontextmanager
async def talking(
    scenario: Callable[[Call], Any] = attentive,
    *,
    tools: Sequence[llm.Tool] = (weather,),
    refuse: Any = None,
    ready: bool = True,
    **options: Any,
) -> AsyncIterator[Talk]:
    """A session that is configured and, unless told otherwise, ready. Judges everybody at the end."""
    async with PhonicServer(scenario, refuse=refuse) as server:
        talk = Talk(server, RealtimeModel(api_key=KEY, base_url=server.url, **options))
        try:
            await talk.configure(tools=tools)
            if ready:
                await talk.until_ready()
            yield talk
        finally:
            await talk.session.aclose()
        talk.host.check_closed()
    server.assert_client_correct()


def spoken(*words: str, finished: bool = True) -> list[messages.Message]:
    """A turn of the assistant, 20 ms of sound a word."""
    turn = [messages.assistant_started_speaking(), *(messages.audio_chunk(SOUND, word) for word in words)]
    return [*turn, messages.assistant_finished_speaking()] if finished else turn


def user(text: str | None = "what I said") -> list[messages.Message]:
    """The user speaks, and is understood."""
    heard = [messages.user_started_speaking(), messages.user_finished_speaking()]
    return heard if text is None else [*heard, messages.input_text(text)]


def frame(milliseconds: int = 20, *, rate: int = 24000, channels: int = 1) -> rtc.AudioFrame:
    """A frame of the user's sound."""
    samples = rate * milliseconds // 1000
    return rtc.AudioFrame(b"\1\0" * samples * channels, rate, channels, samples)
