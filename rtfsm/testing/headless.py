"""A real ``AgentSession`` without a room, a network or a key, and everything a test wants to know about it.

    async with headless_session(model, instructions="Be brief.") as call:
        ...
        await call.idle()
        assert call.history() == [("assistant", "Hello.", False)]
    call.assert_sane()

The recipe is for livekit-agents 1.8.9. It works in real time, and with ``rtfsm.testing.virtual_time`` in no time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, get_args

from livekit.agents import Agent, AgentSession, llm
from livekit.agents.llm import chat_context
from livekit.agents.voice import events
from livekit.agents.voice.events import AgentStateChangedEvent, EventTypes, UserStateChangedEvent
from livekit.agents.voice.transcription import TranscriptSynchronizer

from rtfsm.testing.devices import Microphone, Segment, Speaker, Transcript
from rtfsm.testing.late_clock import ask_the_time_late
from rtfsm.testing.log_watch import LogWatch
from rtfsm.testing.wav import write_wav

__all__ = ["Call", "Happened", "LogWatch", "Microphone", "Segment", "Speaker", "Transcript", "headless_session"]

CLOSE_LIMIT = 30.0
"""Seconds that ``session.aclose()`` may take. LiveKit's longest wait of its own is 5 s."""
ask_the_time_late(chat_context, events)
_GENERATION = "AgentActivity.realtime_generation"


class Happened(NamedTuple):
    """An event of the session."""

    time: float
    name: str
    event: Any


class Call:
    """What ``headless_session`` gives. All times are those of ``loop.time()``, in seconds."""

    def __init__(
        self,
        session: AgentSession[None],
        *,
        speaker: Speaker,
        transcript: Transcript,
        microphone: Microphone | None,
        watch: LogWatch,
    ) -> None:
        self.session = session
        self.speaker = speaker
        self.transcript = transcript
        self.microphone = microphone
        self.states: list[tuple[float, str, str]] = []
        """(time, old, new) of every change of ``agent_state``."""
        self.user_states: list[tuple[float, str, str]] = []
        """(time, old, new) of every change of ``user_state``."""
        self.events: list[Happened] = []
        """Every event of the session, in order."""
        self._watch = watch
        self._at_close: list[str] = []
        self._began = asyncio.get_running_loop().time()
        names: tuple[EventTypes, ...] = get_args(EventTypes)
        for name in names:
            # The old metrics event warns everybody who listens; session_usage_updated has replaced it.
            if name != "metrics_collected":
                session.on(name, self._recorder(name))

    def _recorder(self, name: str) -> Callable[[Any], None]:
        def record(event: Any) -> None:
            now = asyncio.get_running_loop().time()
            self.events.append(Happened(now, name, event))
            if isinstance(event, AgentStateChangedEvent):
                self.states.append((now, event.old_state, event.new_state))
            elif isinstance(event, UserStateChangedEvent):
                self.user_states.append((now, event.old_state, event.new_state))

        return record

    def named(self, name: str) -> list[Any]:
        """The events of one name, in order."""
        return [happened.event for happened in self.events if happened.name == name]

    def history(self) -> list[tuple[str, str, bool]]:
        """(role, text, interrupted) of every message in the session's history."""
        items = self.session.history.items
        return [(item.role, item.text_content or "", item.interrupted) for item in items if item.type == "message"]

    @property
    def is_idle(self) -> bool:
        """No speech is playing, queued or being generated, and no tool is running."""
        activity = self.session._activity
        return self.session.current_speech is None and (activity is None or not activity._speech_tasks)

    async def idle(self, timeout: float = 60.0) -> None:
        """Wait until nothing is going on. Raises TimeoutError with what is."""
        await self.until(lambda: self.is_idle, timeout, what="idle")

    async def until(
        self, predicate: Callable[[], object], timeout: float = 60.0, *, step: float = 0.01, what: str = ""
    ) -> None:
        """Wait until the predicate is true, looking every ``step`` seconds of the loop's clock.

        Raises TimeoutError after ``timeout`` seconds, telling the state of the call.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not predicate():
            if loop.time() >= deadline:
                raise TimeoutError(f"{what or 'the awaited moment'} did not come in {timeout:g} s: {self._situation()}")
            await asyncio.sleep(step)

    def _situation(self) -> str:
        activity = self.session._activity
        tasks = sorted(task.get_name() for task in activity._speech_tasks) if activity is not None else []
        return (
            f"agent_state={self.session.agent_state}, user_state={self.session.user_state}, "
            f"current_speech={'yes' if self.session.current_speech else 'no'}, speech tasks={tasks}, "
            f"speaker playing={self.speaker.playing}"
        )

    @property
    def problems(self) -> list[str]:
        """Everything wrong so far: log lines, harmful frames and, after the end, what did not end."""
        return [*self._watch.violations, *self.speaker.problems, *self._at_close]

    def assert_sane(self) -> None:
        """Raise AssertionError with every problem. Most telling after the session has been closed."""
        if self.problems:
            raise AssertionError("\n  - ".join(["the session had problems:", *self.problems]))

    def write_wav(self, path: str | os.PathLike[str], *, rate: int = 24_000) -> None:
        """Write the call to a file: the user in the left channel, the agent in the right one."""
        spoken = self.microphone.sent if self.microphone is not None else []
        write_wav(path, spoken, self.speaker.clips(), rate=rate, start=self._began)

    async def _close(self, synchronizer: TranscriptSynchronizer | None) -> None:
        if self.microphone is not None:
            self.microphone.close()
        try:
            await asyncio.wait_for(self.session.aclose(), CLOSE_LIMIT)
        except asyncio.TimeoutError:
            self._at_close.append(f"session.aclose() did not return in {CLOSE_LIMIT:g} s")
        if synchronizer is not None:
            await synchronizer.aclose()
        # What was cancelled needs a pass of the loop to end.
        await asyncio.sleep(0)
        left = sorted(name for task in asyncio.all_tasks() if (name := task.get_name()).startswith(_GENERATION))
        self._at_close += [f"left behind after the close: {name}" for name in left]


@asynccontextmanager
async def headless_session(
    model: llm.RealtimeModel,
    agent: Agent | None = None,
    *,
    tools: Sequence[llm.Tool] = (),
    instructions: str = "You are a test.",
    microphone: Microphone | None = None,
    speaker: Speaker | None = None,
    sync_transcript: bool = False,
    allowed: Sequence[str] = (),
    **options: Any,
) -> AsyncIterator[Call]:
    """Start a session with ``model``, hand it out, and close it.

    Args:
        model: the realtime model under test.
        agent: the agent; None makes one of ``instructions`` and ``tools``, which are unused otherwise.
        microphone: the user's voice; None sends no audio at all.
        speaker: a speaker of one's own, for instance one with a sample rate; None takes any rate and can pause.
        sync_transcript: put LiveKit's TranscriptSynchronizer between, as a room does: ``call.transcript`` then shows
            words as they are spoken, and an interrupted message keeps only the words that were heard.
        allowed: parts of log messages that are expected and no problem.
        options: further options of AgentSession; they win over those of the recipe.
    """
    speaker = speaker or Speaker()
    transcript = Transcript()
    recipe: dict[str, Any] = {
        "vad": None,
        "turn_handling": {"turn_detection": "realtime_llm"},
        "aec_warmup_duration": None,
        "user_away_timeout": None,
    }
    with LogWatch(allowed=allowed) as watch:
        session: AgentSession[None] = AgentSession(llm=model, **{**recipe, **options})
        call = Call(session, speaker=speaker, transcript=transcript, microphone=microphone, watch=watch)
        synchronizer: TranscriptSynchronizer | None = None
        if sync_transcript:
            synchronizer = TranscriptSynchronizer(next_in_chain_audio=speaker, next_in_chain_text=transcript)
            session.output.audio = synchronizer.audio_output
            session.output.transcription = synchronizer.text_output
        else:
            session.output.audio = speaker
            session.output.transcription = transcript
        if microphone is not None:
            session.input.audio = microphone
        try:
            await session.start(agent or Agent(instructions=instructions, tools=list(tools)), record=False)
            yield call
        finally:
            await call._close(synchronizer)
