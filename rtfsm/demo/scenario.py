"""The demo itself: server, agent, caller. It needs a running loop, in real or in virtual time, and prints nothing."""

from __future__ import annotations

import asyncio
import errno
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import attrs
from livekit.agents import AgentSession, function_tool

from rtfsm.adapters import livekit
from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.adapters.phonic.session import PROVIDER, timing_of
from rtfsm.language import Driver
from rtfsm.machines import Conversation, compose
from rtfsm.testing.headless import Call, Microphone, headless_session
from rtfsm.testing.phonic_server import Dialogue, PhonicServer, listening
from rtfsm.testing.phonic_server.messages import Message

from .board import Board, What
from .caller import BadInput, Voice
from .evidence import Evidence, gather
from .logs import Collected
from .outcome import Outcome
from .plants import Plant
from .script import RoughLine, rehearse

__all__ = ["NoAnswer", "Plan", "hold_demo"]

READY_LIMIT = 10.0
"""Seconds that the provider has to become ready."""
GREETING_LIMIT = 8.0
GRACE = 6.0
"""Seconds that may pass after the caller's last sound."""
TICK = 0.1
"""Seconds between two looks at what has happened."""
FRAME = 0.05
"""Seconds of a frame of the caller's sound; a LiveKit room delivers such frames (livekit-agents 1.8.9)."""
TOOL_SECONDS = 0.6


class NoAnswer(BadInput):
    """The provider never became ready."""


@attrs.frozen
class Plan:
    """Who calls, what is answered, and where."""

    voice: Voice
    dialogue: Dialogue
    port: int = 0
    plant: Plant | None = None
    wav: str | None = None
    """Where to write what was heard and said."""


class _Model(RealtimeModel):
    """Phonic's model, whose sessions are watched from their first event on, and may have a defect planted."""

    plant: Plant | None = None
    watch: Callable[[livekit.RealtimeSession], None]

    def session(self, *, turn_detection_disabled: bool = False) -> Any:
        made: livekit.RealtimeSession
        if self.plant is None:
            made = super().session(turn_detection_disabled=turn_detection_disabled)
        else:
            options = self._options.copy()
            timing, retries = timing_of(options), options.conn_options.max_retry
            machines = self.plant.tables(compose(PROVIDER.capabilities, timing, retries))
            conversation = Conversation(PROVIDER.capabilities, timing, retries=retries, composition=machines)
            made = livekit.RealtimeSession(self, PROVIDER, conversation, options)
        self.watch(made)
        return made


async def hold_demo(
    plan: Plan, board: Board, show: Callable[[], None], logs: Collected, record: Callable[[Driver], None] | None = None
) -> Outcome:
    """Hold the conversation and judge it.

    show: called ten times a second, to draw what the board knows. record: given the conversation before its first
    event. Raises BadInput where the port cannot be had, or the provider does not get ready.
    """
    rehearse(plan.dialogue)
    async with AsyncExitStack() as stack:
        if plan.plant is not None:
            stack.enter_context(plan.plant.code())
        server = PhonicServer(listening(plan.dialogue), port=plan.port, transform=_transform(plan))
        try:
            await stack.enter_async_context(server)
        except OSError as error:
            why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror or error})"
            raise BadInput(f"port {plan.port} {why}; choose another with --port, or leave it out") from None
        board.url = server.url
        demo = _Demo(plan, board, record)
        shower = asyncio.create_task(_show(demo, show), name="demo-view")
        try:
            await demo.hold(server.url, shower)
        finally:
            shower.cancel()
            await asyncio.wait([shower])
        if plan.wav is not None and demo.call is not None:
            try:
                demo.call.write_wav(plan.wav)
            except OSError as error:
                raise BadInput(f"{plan.wav}: cannot be written ({error.strerror or error})") from None
        demo.look()
        show()
        return demo.judge(server, logs)


def _transform(plan: Plan) -> Callable[[Message], list[Message]]:
    line = RoughLine()
    planted = plan.plant.server() if plan.plant is not None else None

    def transform(message: Message) -> list[Message]:
        return [out for sent in (planted(message) if planted else [message]) for out in line(sent)]

    return transform


async def _show(demo: _Demo, show: Callable[[], None]) -> None:
    while True:
        demo.look()
        show()
        await asyncio.sleep(TICK)


class _Demo:
    """One conversation, and what is known of it."""

    def __init__(self, plan: Plan, board: Board, record: Callable[[Driver], None] | None) -> None:
        self.call: Call | None = None
        self.outputs: list[str] = []
        self.tool_calls = 0
        self._plan = plan
        self._board = board
        self._record = record
        self._asked = False
        self._session: livekit.RealtimeSession | None = None
        self._hung_up = False
        self._seconds = 0.0

    async def hold(self, url: str, shower: asyncio.Task[None]) -> None:
        """The conversation, from the first connection to the close."""
        plan = self._plan
        model = _Model(api_key="demo", base_url=url)
        model.plant, model.watch = plan.plant, self._watch
        microphone = Microphone(plan.voice.samples, rate=plan.voice.rate, frame=FRAME, autostart=False)
        async with headless_session(
            model,
            tools=[self._weather()],
            instructions="You answer the telephone of a weather desk.",
            microphone=microphone,
            sync_transcript=True,
        ) as call:
            self.call = call
            self._board.watch_host(call.session)
            self._board.speaking = lambda: call.transcript.current
            if not await self._until(self._ready, READY_LIMIT, shower):
                raise NoAnswer(f"the scripted server at {url} did not get ready in {READY_LIMIT:g} s")
            await self._greet(call.session, shower)
            microphone.start()
            await self._until(self._over, plan.voice.seconds + GRACE, shower)
        self._seconds = self._board.now

    def look(self) -> None:
        """Tell the board what is so now."""
        self._board.update(self._evidence())

    def _watch(self, session: livekit.RealtimeSession) -> None:
        self._session = session
        session.on("conversation_ended", self._conversation_ended)
        if self._record is not None:
            self._record(session.conversation)
        self._board.watch_session(session)

    def _conversation_ended(self, _: object) -> None:
        self._hung_up = True

    def _evidence(self) -> Evidence:
        if self.call is None:
            return Evidence()
        return gather(self.call, self._plan.voice, outputs=self.outputs, asked=self._asked, hung_up=self._hung_up)

    def _ready(self) -> bool:
        return self._session is not None and self._session.turn.session == "READY"

    def _over(self) -> bool:
        all_met = len(self._board.met) == len(self._board.expectations)
        quiet = self.call is not None and self.call.is_idle
        # A call that broke off cannot get any better.
        lost = self._session is not None and self._session.turn.session == "CLOSED"
        return quiet and (all_met or lost)

    async def _until(self, predicate: Callable[[], bool], limit: float, shower: asyncio.Task[None]) -> bool:
        """Wait for it, at most ``limit`` seconds; a view that cannot be shown any more ends the demo."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limit
        while not predicate():
            if shower.done():
                shower.result()
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(TICK)
        return True

    async def _greet(self, session: AgentSession[None], shower: asyncio.Task[None]) -> None:
        """The agent asks for speech, as most agents do when a call begins."""
        handle = session.generate_reply(instructions="Greet the caller.")
        if not await self._until(handle.done, GREETING_LIMIT, shower):
            with suppress(RuntimeError):  # speech that may not be interrupted
                handle.interrupt()
        self._asked = handle.done() and not handle.interrupted and handle.exception() is None

    def _weather(self) -> Any:
        @function_tool
        async def weather(city: str) -> str:
            """The weather in a city, now."""
            self.tool_calls += 1
            self._board.add(What.TOOL, "tool", f"weather({city!r})")
            await asyncio.sleep(TOOL_SECONDS)
            output = f"sunny and 24 degrees in {city}"
            self.outputs.append(output)
            self._board.add(What.TOOL, "tool", f"weather returns {output!r}")
            return output

        return weather

    def judge(self, server: PhonicServer, logs: Collected) -> Outcome:
        """All that took place, and all that is wrong with it."""
        evidence, wrong = self._evidence(), []
        for connection in server.connections:
            wrong += [f"client error: {error}" for error in connection.client_errors]
            if connection.failure is not None:
                wrong.append(f"the server's script failed with {type(connection.failure).__name__}")
        assert self._session is not None
        turn, conversation = self._session.turn, self._session.conversation
        if turn.refused:
            wrong.append(f"{turn.refused} events came to a cell that refuses them")
        if turn.session != "CLOSED":
            wrong.append(f"the session is {turn.session} at the end, not CLOSED")
        wrong += [f"{count} messages could not be read: {what}" for what, count in turn.malformed.items()]
        problems = Counter(self.call.problems if self.call is not None else [])
        problems.update({line: count for line, count in logs.lines.items() if line.startswith("rtfsm ERROR")})
        wrong += [f"{problem} ({count}x)" for problem, count in problems.items()]
        return Outcome(
            seconds=self._seconds,
            agent_turns=len(evidence.spoken),
            caller_turns=len(evidence.exchanges) - 1 if evidence.exchanges else 0,
            barge_ins=sum(spoken.stopped for spoken in evidence.spoken),
            tool_calls=self.tool_calls,
            events=self._board.events,
            ignored=turn.ignored,
            missing=tuple(one.name for one in self._board.expectations if one.name not in self._board.met),
            violations=turn.violations,
            details={one.invariant: one.detail for one in reversed(conversation.monitor.violations)},
            wrong=tuple(wrong),
            warnings=tuple(f"{line} ({count}x)" for line, count in logs.lines.items() if line not in problems),
        )
