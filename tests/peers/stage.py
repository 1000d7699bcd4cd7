"""Where a story is played: a plugin's session and a scripted Phonic on one loop, joined by a real socket.

Nothing here asks which plugin it is: what is seen is what LiveKit and Phonic see.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from livekit import rtc
from livekit.agents import Agent, function_tool, llm

from rtfsm.testing import headless
from rtfsm.testing.phonic_server import Call as ServerCall
from rtfsm.testing.phonic_server import CallEnded, PhonicServer, messages
from rtfsm.testing.phonic_server.connection import Connection

from .ear import Ear
from .plugins import Plugin

__all__ = ["SOUND", "Alone", "InCall", "NotPlayed", "Stage", "arrives", "attentive", "weather"]

SOUND = b"\1\0" * 480
"""20 ms of sound."""
TICK = 0.02
READY = "ready_to_start_conversation"


class NotPlayed(AssertionError):
    """The ordering did not come about, so that nothing can be said about the plugin."""


@function_tool
async def weather(city: str) -> str:
    """Tells the weather."""
    return f"sunny in {city}"


async def attentive(call: ServerCall) -> None:
    """Takes the configuration and is ready; the story plays the rest."""
    await call.handshake()


async def arrives(call: ServerCall, type_name: str, seconds: float) -> float | None:
    """Wait for a message of the client's: after how many seconds it came, or None."""
    began = call.now
    try:
        await call.expect(type_name, timeout=seconds)
    except AssertionError:
        return None
    return round(call.now - began, 1)


class Stage:
    """One playing of one story. besides: what went wrong on the way, whatever the story is about."""

    def __init__(self, plugin: Plugin) -> None:
        self.plugin = plugin
        self.required = 0
        self.besides: list[str] = []

    def require(self, condition: object, what: str) -> None:
        """The story means something only if this is so. Raises NotPlayed."""
        self.required += 1
        if not condition:
            raise NotPlayed(what)

    @asynccontextmanager
    async def alone(
        self,
        scenario: Callable[[ServerCall], Awaitable[None]] = attentive,
        *,
        tools: Sequence[llm.Tool] = (weather,),
        configured: bool = True,
        ready: bool = True,
        refuse: Any = None,
        **options: Any,
    ) -> AsyncIterator[Alone]:
        """A realtime session without an AgentSession, configured and ready unless told otherwise."""
        async with PhonicServer(scenario, refuse=refuse) as server:
            with self.plugin.open(server.url, options) as model:
                talk = Alone(self, server, model)
                if configured:
                    await talk.configure(tools=tools)
                if ready:
                    await talk.until_ready()
                try:
                    yield talk
                finally:
                    await talk.close()
        self._judge(server)

    @asynccontextmanager
    async def in_call(
        self,
        scenario: Callable[[ServerCall], Awaitable[None]],
        agent: Agent | None = None,
        *,
        refuse: Any = None,
        model: Any = None,
        **options: Any,
    ) -> AsyncIterator[InCall]:
        """An AgentSession without a room."""
        async with PhonicServer(scenario, refuse=refuse) as server:
            with self.plugin.open(server.url, model or {}) as realtime_model:
                async with headless.headless_session(realtime_model, agent, **options) as call:
                    yield InCall(call, server)
            self.besides += call.problems
        self._judge(server)

    def _judge(self, server: PhonicServer) -> None:
        for connection in server.connections:
            self.besides += [f"broke the protocol: {error}" for error in connection.client_errors]
            if connection.failure is not None:
                raise NotPlayed(f"the server's script failed: {connection.failure}") from connection.failure


class Alone:
    """A realtime session, the ear that listens in LiveKit's place, and the server."""

    def __init__(self, stage: Stage, server: PhonicServer, model: llm.RealtimeModel) -> None:
        self._stage = stage
        self.server = server
        self.model = model
        self.rt: Any = model.session()
        self.ear = Ear(self.rt)

    @property
    def connection(self) -> Connection:
        return self.server.connections[-1]

    @property
    def call(self) -> ServerCall:
        return ServerCall(self.connection)

    async def configure(self, *, instructions: str = "Be brief.", tools: Sequence[llm.Tool] = ()) -> None:
        await self.rt._update_session(instructions=instructions, chat_ctx=llm.ChatContext.empty(), tools=list(tools))

    async def until_ready(self) -> None:
        for _ in range(100):
            if self.server.connections and READY in self.connection.sent_types():
                break
            await asyncio.sleep(0.1)
        self._stage.require(
            self.server.connections and READY in self.connection.sent_types(), "the plugin was never configured"
        )
        await self.passes(0.1)

    async def hears(self, *sent: messages.Message) -> None:
        """The server sends; what is to be heard of it has been heard when this returns."""
        for message in sent:
            await self.call.send(message)
            await self.passes(TICK)

    async def hears_if_there(self, *sent: messages.Message) -> None:
        """The same on a connection that the client may have given up."""
        with contextlib.suppress(CallEnded):
            await self.hears(*sent)

    async def passes(self, seconds: float) -> None:
        """Time passes, and the ear listens."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0.001:  # a shorter sleep might not move the clock
            await asyncio.sleep(min(left, 0.5))
            self.ear.read()

    async def output(self, call: llm.FunctionCall, text: str = "sunny") -> None:
        """LiveKit hands over what a tool returned."""
        ctx = self.rt.chat_ctx.copy()
        ctx.items.append(llm.FunctionCallOutput(call_id=call.call_id, name=call.name, output=text, is_error=False))
        await asyncio.wait_for(self.rt.update_chat_ctx(ctx), 30)
        await self.passes(TICK)

    def the_call(self) -> llm.FunctionCall:
        """The tool call that was handed over."""
        calls = self.ear.calls
        self._stage.require(calls, "the tool call was not handed to LiveKit")
        return calls[-1]

    def push(self, milliseconds: int = 100) -> None:
        """The user's sound."""
        for _ in range(milliseconds // 20):
            self.rt.push_audio(rtc.AudioFrame(SOUND, 24000, 1, 480))

    def sent(self, type_name: str) -> list[dict[str, Any]]:
        """What the client sent of one type, on all connections."""
        records = [record for connection in self.server.connections for record in connection.received]
        return [record.message or {} for record in records if record.type == type_name]

    def remembered(self) -> list[str]:
        """The plugin's own memory: "role: text" of each message."""
        items = [item for item in self.rt.chat_ctx.items if isinstance(item, llm.ChatMessage)]
        return [f"{item.role}: {(item.text_content or '').strip()}" for item in items]

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self.rt.aclose(), 30)
        except asyncio.TimeoutError:
            self._stage.besides.append("aclose() did not return in 30 s")
        self.ear.read()


class InCall:
    """A plugin in an AgentSession, and the server."""

    def __init__(self, call: headless.Call, server: PhonicServer) -> None:
        self.call = call
        self.server = server
        activity = call.session._activity
        assert activity is not None
        self.rt: Any = activity.realtime_llm_session
        self.ear = Ear(self.rt, reads=False)

    @property
    def connection(self) -> Connection:
        return self.server.connections[-1]

    def history(self) -> list[str]:
        """LiveKit's history: "role: text" of each message, with a mark on what was cut."""
        return [f"{role}: {text.strip()}{' (cut)' if cut else ''}" for role, text, cut in self.call.history()]

    async def aclose(self) -> float:
        """Close the session: how many seconds that took."""
        began = asyncio.get_running_loop().time()
        await asyncio.wait_for(self.call.session.aclose(), 60)
        return round(asyncio.get_running_loop().time() - began, 1)
