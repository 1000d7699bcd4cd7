"""What a story holds in its hand: the session under test, its witness, its host, and the provider's end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from livekit import rtc
from livekit.agents import Agent, function_tool, llm
from livekit.agents.voice.agent_session import AgentSession

from rtfsm.testing.headless import Call, headless_session

from .probe import Broken, Judge, NotExercised, demand
from .seen import SeenGeneration, SeenRequest
from .stage import Stage
from .witness import Witness

__all__ = ["AT_ONCE", "PATIENCE", "Scene", "frame", "weather"]

PATIENCE = 45.0
"""Seconds within which whatever was asked for must have ended somehow."""
AT_ONCE = 1.0
"""Seconds within which something must happen that waits for nobody."""


@function_tool
async def weather(city: str) -> str:
    """Tells the weather of a city."""
    return "sunny"


def frame(milliseconds: int = 20, *, rate: int = 24_000, channels: int = 1) -> rtc.AudioFrame:
    """A frame of the user's sound."""
    samples = rate * milliseconds // 1000
    return rtc.AudioFrame(b"\1\0" * samples * channels, rate, channels, samples)


class Scene:
    """One story. Methods that have no subject of their own let the host act."""

    def __init__(self, stage: Stage, judge: Judge | None = None) -> None:
        self.stage = stage
        self.findings: list[str] = []
        """What the judge found so far."""
        self.judged = False
        """The judge had something to judge."""
        self.missing = "the story gave it nothing to judge"
        self._judge = judge
        self._witnesses: list[Witness] = []

    @property
    def witness(self) -> Witness:
        """The witness of the latest session."""
        return self._witnesses[-1]

    @property
    def session(self) -> llm.RealtimeSession[Any]:
        return self.witness.session

    @property
    def generations(self) -> list[SeenGeneration]:
        return self.witness.generations

    @property
    def last(self) -> SeenGeneration:
        """The generation that was announced last."""
        demand(self.generations, "expected a generation_created; saw none")
        return self.generations[-1]

    # -- a session of its own --------------------------------------------------------------------------------------

    def opens(self, *, reads: bool = True) -> llm.RealtimeSession[Any]:
        """A session, not yet configured."""
        self._witnesses.append(Witness(self.stage.model.session(), reads=reads))
        return self.session

    async def configures(self, *, instructions: str = "Be brief.", chat_ctx: llm.ChatContext | None = None) -> None:
        """The host configures the session, as LiveKit does at the start."""
        context = chat_ctx if chat_ctx is not None else llm.ChatContext.empty()
        await self.session._update_session(instructions=instructions, chat_ctx=context, tools=[weather])

    async def begins(self, *, reads: bool = True, obeys: bool = True) -> llm.RealtimeSession[Any]:
        """A session that is configured and runs.

        reads: its streams are read. obeys: the user's speech makes the host interrupt, as LiveKit does.
        """
        session = self.opens(reads=reads)
        if obeys:
            session.on("input_speech_started", lambda _: session.interrupt())
        await self.configures()
        await self.runs()
        return session

    async def runs(self) -> None:
        """Wait until the provider takes part."""
        try:
            await self.stage.is_ready()
        except (TimeoutError, asyncio.TimeoutError):
            raise Broken("expected the provider to be configured within a minute; it was not") from None
        await self.stage.settle()

    async def until(self, fact: Callable[[], object], otherwise: str, *, seconds: float = PATIENCE) -> None:
        """Wait for it. Raises Broken."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not fact():
            demand(loop.time() < deadline, f"{otherwise} within {seconds:g} s")
            await self.stage.settle(0.05)

    async def rests(self, seconds: float = PATIENCE) -> None:
        """Everything that is going to happen has happened; the judge looks."""
        await self.stage.settle(seconds)
        await self.witness.at_rest()
        self._let_judge(self.witness)

    async def ends(self) -> None:
        """Close every session. Called once the story is over, however it went."""
        for witness in self._witnesses:
            if witness.closed_at is None:
                await witness.close()

    async def dissolves(self) -> None:
        """The stage is closed too: look what is left, and let the judge look for the last time."""
        await asyncio.sleep(0.05)
        for witness in self._witnesses:
            witness.look_for_tasks()
        for witness in self._witnesses:
            self._let_judge(witness)
        for witness in reversed(self._witnesses):
            await witness.leave()

    def _let_judge(self, witness: Witness) -> None:
        if self._judge is None:
            return
        try:
            self.findings += self._judge(witness)
            self.judged = True
        except NotExercised as reason:
            self.missing = str(reason)

    # -- turns -----------------------------------------------------------------------------------------------------

    async def agent(self, *words: str, asked: bool = False, finishes: bool = True) -> None:
        """The provider speaks a turn, and everybody has taken note."""
        await self.stage.agent_starts(asked=asked)
        for text in words:
            await self.stage.agent_says(text)
        if finishes:
            await self.stage.agent_finishes()
        await self.stage.settle()

    async def user(self, text: str = "what the user says") -> None:
        """The user speaks, and is understood."""
        await self.stage.user_starts()
        await self.stage.user_stops()
        await self.stage.user_says(text)
        await self.stage.settle()

    async def calls(self, call_id: str = "call_1", arguments: str = '{"city":"Rome"}') -> llm.FunctionCall:
        """The provider calls the tool; what the host was handed for it. Raises Broken if that is nothing."""
        await self.stage.calls_tool(call_id, "weather", arguments)
        await self.until(lambda: self.called(call_id), "expected the tool call to be handed over; it was not")
        return self.called(call_id)[0]

    def called(self, call_id: str) -> list[llm.FunctionCall]:
        """What was handed over under this id."""
        return [call for call in self.witness.calls if call.call_id == call_id]

    async def outputs(self, *calls: llm.FunctionCall, reply: bool = True) -> None:
        """The host gives the outputs, all in one update, as LiveKit does."""
        context = self.session.chat_ctx
        for call in calls:
            context.items.append(
                llm.FunctionCallOutput(
                    call_id=call.call_id, name=call.name, output="sunny", is_error=False, reply_required=reply
                )
            )
        await self.session.update_chat_ctx(context)

    def asks(self, kind: str = "generate_reply", **keywords: Any) -> SeenRequest:
        """The host asks for a reply, or has words spoken."""
        before = len(self.witness.requests)
        asked = self.session.say("Words to say.") if kind == "say" else self.session.generate_reply(**keywords)
        demand(asyncio.isfuture(asked), f"expected {kind} to return a future; it returned {type(asked).__name__}")
        return self.witness.requests[before]

    async def provider_got(self, requests: int) -> None:
        """Wait until the provider was asked for so many replies."""
        await self.until(
            lambda: self.stage.requests >= requests, "expected the provider to be asked for a reply; it was not"
        )

    async def still_works(self) -> None:
        """Whatever happened before: the next turn of the provider is announced, whole, and ends."""
        before = len(self.generations)
        await self.agent("Next words.")
        new = self.generations[before:]
        whole = [one for one in new if "Next words." in one.words]
        demand(len(whole) == 1, f"expected the next turn in one generation; saw it in {len(whole)} of {len(new)}")
        await self.until(lambda: whole[0].ended, "expected the streams of the next turn to end; they did not")

    # -- a real AgentSession ---------------------------------------------------------------------------------------

    @asynccontextmanager
    async def in_agent_session(
        self, agent: Agent | None = None, *, tools: Sequence[llm.Tool] = (weather,), waits: bool = True, **options: Any
    ) -> AsyncIterator[Call]:
        """A headless AgentSession with the model under test; its realtime sessions get witnesses that do not read.

        waits: begin when the provider takes part. options: further ones of ``headless_session``.
        """
        model, make = self.stage.model, self.stage.model.session

        def watched(**keywords: Any) -> llm.RealtimeSession[Any]:
            self._witnesses.append(Witness(make(**keywords), reads=False, host="agent_session"))
            return self.session

        model.session = watched  # type: ignore[method-assign]  # one object for all its sessions
        try:
            async with headless_session(model, agent, tools=tools, **options) as call:
                if waits:
                    await self.runs()
                yield call
        finally:
            with suppress(AttributeError):
                del model.session

    async def idle(self, call: Call) -> None:
        """Wait until the AgentSession is idle. Raises Broken."""
        try:
            await call.idle(PATIENCE)
        except TimeoutError:
            raise Broken(
                f"expected the AgentSession to become idle within {PATIENCE:g} s; it is {call.session.agent_state}"
            ) from None

    async def listens(self, session: AgentSession[Any]) -> None:
        """Wait until the agent listens. Raises Broken."""
        await self.until(
            lambda: session.agent_state == "listening", "expected the agent to be listening again; it was not"
        )
