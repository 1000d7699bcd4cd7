"""A session of ours and a scripted Realtime service on one loop, joined by a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from livekit import rtc
from livekit.agents import function_tool, llm

from rtfsm.adapters.openai import RealtimeModel, RealtimeSession
from rtfsm.testing.openai_server import Call, Connection, OpenAIServer, Response, messages
from tests.adapter.host import Host
from tests.contract.openai_stage import TrustingModel

KEY = "sk-secret-0123456789"
SOUND = b"\1\0" * 2400
"""100 ms of sound."""
TICK = 0.02


@function_tool
async def weather(city: str) -> str:
    """Tells the weather."""
    return f"sunny in {city}"


async def attentive(call: Call) -> None:
    """The service answers by itself what needs no model; the test is the model and the user."""


class Talk:
    """One session, the host that listens to it, and the service."""

    def __init__(self, server: OpenAIServer, model: RealtimeModel, **more: Any) -> None:
        self.server = server
        self.model = model
        self.session: RealtimeSession = model.session(**more)
        self.host = Host(self.session)

    @property
    def connection(self) -> Connection:
        """The present connection, as the service sees it."""
        return self.server.connections[-1]

    @property
    def call(self) -> Call:
        return Call(self.connection, self.connection.service)

    async def configure(self, ctx: llm.ChatContext | None = None, *, tools: Sequence[llm.Tool] = (weather,)) -> None:
        context = ctx if ctx is not None else llm.ChatContext.empty()
        await self.session._update_session(instructions="Be brief.", chat_ctx=context, tools=list(tools))

    async def settle(self, seconds: float = TICK) -> None:
        await asyncio.sleep(seconds)
        self.host.check()

    async def until(self, fact: Callable[[], object], *, seconds: float = 60.0) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while not fact():
            assert asyncio.get_running_loop().time() < deadline, f"it did not come to that: {self.session.turn}"
            await asyncio.sleep(TICK)
        self.host.check()

    async def until_ready(self) -> None:
        await self.until(lambda: self.session.turn.session == "READY")
        await self.settle()

    def sent(self, *types: str, connection: int | None = None) -> list[dict[str, Any]]:
        """What the client sent of these types, in order, on one connection or on all."""
        connections = self.server.connections if connection is None else [self.server.connections[connection]]
        return [record.message or {} for one in connections for record in one.received if record.type in types]

    def items(self) -> list[tuple[str, str]]:
        """(id, text) of what the service's conversation holds."""
        return [(item.id, item.text) for item in self.connection.service.conversation.items]

    def mirror(self) -> list[tuple[str, str]]:
        """(id, text) of the messages in the session's context."""
        return [
            (item.id, item.raw_text_content or "")
            for item in self.session.chat_ctx.items
            if isinstance(item, llm.ChatMessage)
        ]

    async def starts(self, **request: Any) -> Response:
        """A response that nobody asked for."""
        response = await self.call.start_response(**request)
        await self.settle()
        return response

    async def answered(self) -> Response:
        """The next response that the client, or the turn detection, has asked for."""
        response = await self.call.next_response()
        await self.settle()
        return response

    async def says(self, response: Response, *words: str, message: Any = None, closes: bool = True) -> Any:
        """A message of a response, each word with 100 ms of sound. Returns it."""
        message = message or await response.open_message()
        for word in words:
            await message.text(word)
            await message.audio(SOUND)
        if closes:
            await message.close()
        await self.settle()
        return message

    async def user(self, text: str = "What time is it?") -> str:
        """A whole turn of the user, after which the service answers."""
        item = await self.call.user_says(text)
        await self.settle()
        return item

    async def pushes(self, *items: llm.ChatItem) -> None:
        """The host pushes what it took from the session and something new."""
        context = self.session.chat_ctx
        context.items.extend(items)
        await self.session.update_chat_ctx(context)


@asynccontextmanager
async def talking(
    *,
    trusted: bool = True,
    ready: bool = True,
    server: dict[str, Any] | None = None,
    session: dict[str, Any] | None = None,
    scenario: Callable[[Call], Awaitable[None]] = attentive,
    **options: Any,
) -> AsyncIterator[Talk]:
    """A conversation that runs; at its end everybody must have behaved."""
    async with OpenAIServer(scenario, **(server or {})) as service:
        made = TrustingModel if trusted else RealtimeModel
        talk = Talk(service, made(api_key=KEY, base_url=service.base_url, **options), **(session or {}))
        if ready:
            await talk.configure()
            await talk.until_ready()
        try:
            yield talk
        finally:
            await talk.session.aclose()
        await asyncio.sleep(TICK)
        talk.host.check_closed()
        assert talk.session.turn.session == "CLOSED"
        left = [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("rtfsm")]
        assert left == []
    service.assert_client_correct()


def frame(ms: int = 20) -> rtc.AudioFrame:
    return rtc.AudioFrame(b"\1\0" * (24 * ms), 24000, 1, 24 * ms)


__all__ = ["KEY", "SOUND", "TICK", "Talk", "attentive", "frame", "messages", "talking", "weather"]
