"""A host that is a real AgentSession: what it does with its realtime sessions is LiveKit's own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from livekit.agents import Agent, RunContext, function_tool, llm
from livekit.agents.voice.speech_handle import SpeechHandle

from rtfsm.testing.contract.witness import Witness
from rtfsm.testing.headless import Call, headless_session

from .dialect import Wire
from .moves import Move, Ordering

__all__ = ["NET", "AgentHost"]

NET = "speech not done in time after interruption"
"""What LiveKit 1.8.9 logs when its safety net of 5 s cuts a speech off."""

CLOSE_LIMIT = 30.0
"""Seconds after which a close that has not returned is given up."""


class AgentHost:
    """A headless AgentSession. Its realtime sessions get witnesses that do not read: LiveKit does."""

    def __init__(self, wire: Wire, ordering: Ordering) -> None:
        self.witnesses: list[Witness] = []
        self.personas: list[list[str]] = []
        self.options: list[str] = []
        self.given: dict[str, int] = {}
        """Tool calls whose tool has returned, with the session that was the latest one then."""
        self.over: set[int] = set()
        self.failures: list[str] = []
        self.speeches: list[SpeechHandle] = []
        """What the moves of the host asked for."""
        self.typed: dict[str, SpeechHandle] = {}
        """Words that the user typed, and the speech that is to answer them."""
        self.instructions: list[str] = []
        """Instructions that agents were given after the first, in order."""
        self.closing: list[tuple[str, float | None]] = []
        """Each close of the AgentSession: how it was asked for, and the seconds it took; None for one that hangs."""
        self.drains = False
        """The AgentSession was told to close once everything has been said."""
        self.nets: list[bool] = []
        """Each time that LiveKit cut a speech off which an interruption had not ended: whether it waited for another
        speech, rather than for its own streams."""
        self.call: Call
        self._wire = wire
        self._ordering = ordering
        self._open = asyncio.Event()
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._session: asyncio.Task[None] | None = None
        self._tool = self._made_tool()

    @property
    def closed(self) -> set[int]:
        """Sessions that have been closed, by whatever LiveKit closes them for."""
        return {number for number, witness in enumerate(self.witnesses) if witness.calls_of("aclose")}

    @property
    def ended(self) -> bool:
        """The AgentSession has said that it closed."""
        return bool(self.call.named("close"))

    # -- what moves call -------------------------------------------------------------------------------------------

    async def begins(self) -> None:
        """Start the AgentSession."""
        self._session = asyncio.ensure_future(self._holds())
        opened = asyncio.ensure_future(self._open.wait())
        await asyncio.wait((self._session, opened), return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        if self._session.done():
            self._session.result()

    async def _holds(self) -> None:
        """The life of the AgentSession, in a task of its own: what enters a context has to leave it."""
        model, make = self._wire.model, self._wire.model.session

        def watched(**keywords: Any) -> llm.RealtimeSession[Any]:
            return self._witnessed(make(**keywords))

        model.session = watched  # type: ignore[method-assign]  # one object for all its sessions
        logger, net = logging.getLogger("livekit.agents"), _Net(self)
        logger.addHandler(net)
        try:
            async with headless_session(
                model,
                self._agent("You are the first."),
                sync_transcript=self._ordering.synced,
            ) as self.call:
                self._open.set()
                await self._over.wait()
        finally:
            logger.removeHandler(net)
            with suppress(AttributeError):
                del model.session

    async def do(self, move: Move) -> None:
        """Make the call that a move says. Nothing of it is awaited: other things happen meanwhile."""
        if self.ended or self.closing or (self.drains and move.what != "closes"):
            return
        with suppress(RuntimeError):  # LiveKit's own refusal: it is handing over, or about to close
            getattr(self, f"_{move.what}")(**move.args)

    def _interrupts(self) -> None:
        self._awaited(self.call.session.interrupt())

    def _asks(self, **keywords: Any) -> None:
        self.speeches.append(self.call.session.generate_reply(**keywords))

    def _says(self) -> None:
        if self._wire.model.capabilities.supports_say:
            self.speeches.append(self.call.session.say("Words to say."))

    def _types(self, version: int) -> None:
        words = f"typed-{version}-"
        self.typed[words] = self.call.session.generate_reply(user_input=words)
        self.speeches.append(self.typed[words])

    def _hands_over(self, version: int) -> None:
        self.call.session.update_agent(self._agent(self._persona(version)))

    def _updates_instructions(self, version: int) -> None:
        if self._wire.model.capabilities.mutable_instructions:
            self._start(self.call.session.current_agent.update_instructions(self._persona(version)))

    def _closes(self) -> None:
        self._start(self._close("closed"))

    def _drains(self) -> None:
        self.drains = True
        self.call.session.shutdown(drain=True)

    # -- the end ---------------------------------------------------------------------------------------------------

    def reads_all(self) -> None:
        """Nothing: what LiveKit does not take is taken by nobody."""

    async def ends(self) -> None:
        """Close the AgentSession, and give up what has not returned."""
        if self._session is None or self._session.done():
            return
        if not self.closing:
            await self._close("closed at the end")
        self._over.set()
        await asyncio.wait((self._session,))
        self._session.result()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)

    async def leaves(self) -> None:
        """The provider is gone too: look what is left, and stop looking."""
        for witness in self.witnesses:
            witness.look_for_tasks()
        for witness in reversed(self.witnesses):
            await witness.leave()

    async def _close(self, how: str) -> None:
        loop = asyncio.get_running_loop()
        began, place = loop.time(), len(self.closing)
        self.closing.append((how, None))
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.call.session.aclose(), CLOSE_LIMIT)
            self.closing[place] = (how, loop.time() - began)

    # -- parts -----------------------------------------------------------------------------------------------------

    def _persona(self, version: int) -> str:
        self.instructions.append(f"You are persona-{version}-.")
        return self.instructions[-1]

    def _agent(self, instructions: str) -> Agent:
        return Agent(instructions=instructions, tools=[self._tool])

    def _witnessed(self, session: llm.RealtimeSession[Any]) -> llm.RealtimeSession[Any]:
        number = len(self.witnesses)
        self.witnesses.append(Witness(session, reads=False, host="agent_session"))
        session.on("conversation_ended", lambda _: self.over.add(number))
        return session

    def _made_tool(self) -> llm.Tool:
        seconds = self._ordering.tool

        @function_tool
        async def weather(context: RunContext[None], city: str) -> str:
            """Tells the weather of a city."""
            await asyncio.sleep(seconds)
            self.given[context.function_call.call_id] = len(self.witnesses) - 1
            return "sunny"

        return weather

    def _awaited(self, future: asyncio.Future[None]) -> None:
        async def wait() -> None:
            await future

        self._start(wait())

    def _start(self, call: Coroutine[Any, Any, Any]) -> None:
        async def quiet() -> None:
            with suppress(Exception):  # noted by the witness, or by the log
                await call

        task = asyncio.ensure_future(quiet())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Net(logging.Handler):
    """Sees LiveKit's safety net at work, and what else was being said at that moment."""

    def __init__(self, host: AgentHost) -> None:
        super().__init__(logging.ERROR)
        self._host = host

    def emit(self, record: logging.LogRecord) -> None:
        if NET in record.getMessage():
            current = self._host.call.session.current_speech
            self._host.nets.append(current is not None and not current.interrupted)
