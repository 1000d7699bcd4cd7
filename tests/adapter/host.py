"""A host that listens as LiveKit does and judges what it is told by rules of its own, apart from the tables."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from livekit import rtc
from livekit.agents import llm
from livekit.agents.utils.aio.channel import ChanClosed, ChanEmpty

from rtfsm.adapters.livekit import RealtimeSession

LIVEKIT = (
    "generation_created", "input_speech_started", "input_speech_stopped", "input_audio_transcription_completed",
    "error", "session_reconnected", "metrics_collected", "remote_item_added",
)  # fmt: skip
OURS = (
    "turn_changed", "conversation_ended", "conversation_created", "tool_call_ended", "tool_call_timed_out",
    "tool_call_output_processed", "tool_output_dropped", "assistant_chose_not_to_respond", "dtmf", "timings", "warning",
    "input_language",
)  # fmt: skip


def _drain(channel: Any) -> list[Any]:
    """What a channel holds now. Reading it is what tells the adapter that the host plays."""
    items = []
    while True:
        try:
            items.append(channel.recv_nowait())
        except (ChanEmpty, ChanClosed):
            return items


class Heard:
    """One message: its words and its sound as far as they were read."""

    def __init__(self, announced: llm.MessageGeneration) -> None:
        self.announced = announced
        self.id = announced.message_id
        self.chunks: list[str] = []
        self.frames: list[rtc.AudioFrame] = []
        self._at_close: tuple[int, int] | None = None

    @property
    def closed(self) -> bool:
        return bool(self._text.closed and self._audio.closed)

    @property
    def text(self) -> str:
        return "".join(self.chunks)

    @property
    def seconds(self) -> float:
        return sum(frame.samples_per_channel / frame.sample_rate for frame in self.frames)

    @property
    def _text(self) -> Any:
        return self.announced.text_stream

    @property
    def _audio(self) -> Any:
        return self.announced.audio_stream

    def read(self) -> None:
        self.chunks += _drain(self._text)
        self.frames += _drain(self._audio)

    def check(self) -> None:
        assert self._text.closed == self._audio.closed, "one of a message's two streams ended without the other"
        modalities: Any = self.announced.modalities
        assert modalities.done(), "modalities are still to come"
        size = (len(self.chunks) + self._text.qsize(), len(self.frames) + self._audio.qsize())
        if self.closed:
            assert size[0] >= 1, "a text stream closed with no chunk"
            self._at_close = self._at_close or size
            assert size == self._at_close, "something was pushed after the close"
        assert all(self.chunks), "an empty chunk makes the host speak"
        assert all(frame.samples_per_channel for frame in self.frames), "a frame without samples"


class Generation:
    """One announced generation."""

    def __init__(self, event: llm.GenerationCreatedEvent) -> None:
        self.event = event
        self.user_initiated = event.user_initiated
        self.messages: list[Heard] = []
        self.calls: list[llm.FunctionCall] = []

    @property
    def sealed(self) -> bool:
        return bool(self._messages.closed and self._functions.closed)

    @property
    def text(self) -> str:
        return "".join(message.text for message in self.messages)

    @property
    def _messages(self) -> Any:
        return self.event.message_stream

    @property
    def _functions(self) -> Any:
        return self.event.function_stream

    def read(self) -> None:
        self.messages += [Heard(announced) for announced in _drain(self._messages)]
        self.calls += _drain(self._functions)
        for message in self.messages:
            message.read()

    def check(self) -> None:
        assert self._messages.closed == self._functions.closed, "one of a generation's two streams ended alone"
        for position, message in enumerate(self.messages):
            message.check()
            last = position == len(self.messages) - 1
            assert message.closed or (last and not self.sealed), "a message outlives its generation, or its successor"


class Host:
    """Subscribes to everything a session tells, and checks each thing as it comes.

    reads: whether streams are read as they are fed, or not before the end (nothing promises that the host reads).
    interrupts: answer ``input_speech_started`` by ``interrupt()``, as LiveKit does.
    """

    def __init__(self, session: RealtimeSession, *, reads: bool = True, interrupts: bool = True) -> None:
        self.session = session
        self.reads = reads
        self.beside = False
        """Whether something was asked for that may be said beside the conversation, while it goes on."""
        self.told: list[tuple[str, Any]] = []
        """(name, payload) of every event but the snapshots."""
        self.generations: list[Generation] = []
        self.futures: list[asyncio.Future[llm.GenerationCreatedEvent]] = []
        self.cancelled: set[int] = set()
        """Positions of the futures that the host itself cancelled."""
        self.turns: list[Any] = []
        self.speaking = False
        self.ended = False
        self.during: Callable[[], None] | None = None
        """What an application does inside its handler of generation_created."""
        self.complaints: list[str] = []
        """What was wrong while a handler ran; LiveKit's emitter would swallow an assertion."""
        for name in (*LIVEKIT, *OURS):
            session.on(name, self._recorder(name))  # type: ignore[arg-type]
        session.on("generation_created", self._announced)
        session.on("input_speech_started", self._user_started)
        session.on("input_speech_stopped", self._user_stopped)
        session.on("error", self._failed)
        session.on("conversation_ended", self._over)
        if interrupts:
            session.on("input_speech_started", lambda _: session.interrupt())

    def _recorder(self, name: str) -> Callable[..., None]:
        def record(*payload: Any) -> None:
            if name == "turn_changed":
                self.turns.append(payload[0])
            else:
                self.told.append((name, payload[0] if len(payload) == 1 else payload))

        return record

    def named(self, name: str) -> list[Any]:
        """The payloads of the events of one name, in order."""
        return [payload for told, payload in self.told if told == name]

    # -- as it comes -----------------------------------------------------------------------------------------------

    def _demand(self, fact: bool, otherwise: str) -> None:
        if not fact:
            self.complaints.append(otherwise)

    def _announced(self, event: llm.GenerationCreatedEvent) -> None:
        known = [one.event.message_stream for one in self.generations]
        self._demand(all(one is not event.message_stream for one in known), "a generation is announced twice")
        one = Generation(event)
        self._demand(one.sealed or self.beside or not self.open, "a generation is announced while another one is open")
        self.generations.append(one)
        if self.during is not None:
            self.during()

    def _user_started(self, _: object) -> None:
        self._demand(not self.speaking, "the user started to speak twice")
        self._demand(not self.open, "the user has the floor and the old generation is still open")
        self.speaking = True

    def _user_stopped(self, _: object) -> None:
        self._demand(self.speaking, "the user stopped without having started")
        self.speaking = False

    def _failed(self, error: llm.RealtimeModelError) -> None:
        self._demand(isinstance(error, llm.RealtimeModelError), f"an error event that LiveKit cannot read: {error!r}")
        if not error.recoverable:
            self._over(None)

    def _over(self, _: object) -> None:
        self._demand(not self.ended, "the end was told twice")
        self.ended = True
        self._demand(not self.open, "streams are open when the end is told")
        self._demand(all(future.done() for future in self.futures), "futures are pending when the end is told")

    @property
    def open(self) -> list[Generation]:
        """Generations whose streams have not ended."""
        return [one for one in self.generations if not one.sealed]

    # -- what the host does ----------------------------------------------------------------------------------------

    def generate_reply(self, **asked: Any) -> asyncio.Future[llm.GenerationCreatedEvent]:
        self.futures.append(self.session.generate_reply(**asked))
        return self.futures[-1]

    def say(self, text: Any) -> asyncio.Future[llm.GenerationCreatedEvent]:
        self.futures.append(self.session.say(text))
        return self.futures[-1]

    def cancel(self) -> None:
        """Cancel the oldest future that is pending."""
        for position, future in enumerate(self.futures):
            if not future.done():
                self.cancelled.add(position)
                future.cancel()
                return

    @property
    def owed(self) -> list[llm.FunctionCall]:
        """Calls that were handed over."""
        return [call for one in self.generations for call in one.calls]

    async def output(self, call: llm.FunctionCall, output: str = "done", *, reply: bool = True) -> None:
        """Give the output of a call, as LiveKit does."""
        ctx = self.session.chat_ctx
        given = llm.FunctionCallOutput(
            call_id=call.call_id, name=call.name, output=output, is_error=False, reply_required=reply
        )
        ctx.items.append(given)
        await self.session.update_chat_ctx(ctx)

    # -- the judge -------------------------------------------------------------------------------------------------

    def read(self) -> None:
        for one in self.generations:
            one.read()

    def check(self) -> None:
        """Everything that must be so after every event."""
        assert self.complaints == []
        if self.reads:
            self.read()
        for one in self.generations:
            one.check()
        assert self.beside or len(self.open) <= 1, "two generations are open"
        ids = Counter(message.id for one in self.generations for message in one.messages)
        assert all(count == 1 for count in ids.values()), "two messages have one id"
        calls = Counter(call.call_id for call in self.owed)
        assert all(count == 1 for count in calls.values()), "a call was handed over twice"
        for position, future in enumerate(self.futures):
            if future.done() and position not in self.cancelled:
                assert not future.cancelled(), "a future was cancelled, and not by the host"
                error = future.exception()
                assert error is None or type(error) is llm.RealtimeError, f"a future failed with {error!r}"
        self._check_answers()
        conversation = self.session.conversation
        assert conversation.monitor.violations == []
        assert conversation.refused == 0
        assert self.session._shell.failed_effects == 0

    def _check_answers(self) -> None:
        answers = [f.result() for f in self.futures if f.done() and not f.cancelled() and f.exception() is None]
        assert all(event.user_initiated for event in answers), "an asked answer is told as an unasked one"
        assert len({id(event.message_stream) for event in answers}) == len(answers), "one answer for two requests"
        announced = {id(one.event.message_stream) for one in self.generations}
        assert all(id(event.message_stream) in announced for event in answers), "an answer that was never announced"
        asked = sum(one.user_initiated for one in self.generations)
        late = sum(future.cancelled() for future in self.futures)
        assert len(answers) <= asked <= len(answers) + late, "a generation answers a request that nobody made"

    def check_closed(self) -> None:
        """Everything that must be so after the close."""
        self.read()
        self.read()  # messages found by the first reading
        self.check()
        assert not self.open, "streams are open after the close"
        assert all(message.closed for one in self.generations for message in one.messages)
        assert all(future.done() for future in self.futures), "futures are pending after the close"
        assert self.session.conversation.live_objects == 0
        assert not self.speaking, "the host still believes that the user speaks"
