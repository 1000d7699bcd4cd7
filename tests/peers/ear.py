"""Listens to a realtime session as LiveKit does, to any plugin's."""

from __future__ import annotations

import contextlib
from typing import Any

from livekit.agents import llm
from livekit.agents.utils.aio.channel import ChanClosed, ChanEmpty

__all__ = ["Ear", "HeardGeneration"]

LISTENED = ("generation_created", "error", "conversation_ended", "input_speech_started")


def _drain(channel: Any) -> list[Any]:
    items = []
    with contextlib.suppress(ChanEmpty, ChanClosed):
        while True:
            items.append(channel.recv_nowait())
    return items


class HeardGeneration:
    """One announced generation, as far as it was read."""

    def __init__(self, event: llm.GenerationCreatedEvent) -> None:
        self.event: Any = event
        self.asked = event.user_initiated
        self.calls: list[llm.FunctionCall] = []
        self.seconds = 0.0
        self._messages: list[Any] = []
        self._words: list[str] = []

    def read(self) -> None:
        self._messages += _drain(self.event.message_stream)
        self.calls += _drain(self.event.function_stream)
        for message in self._messages:
            self._words += _drain(message.text_stream)
            self.seconds += sum(frame.duration for frame in _drain(message.audio_stream))

    @property
    def words(self) -> str:
        return "".join(self._words).strip()

    @property
    def open(self) -> bool:
        return not (self.event.message_stream.closed and self.event.function_stream.closed)

    @property
    def empty(self) -> bool:
        """It has neither words, nor sound, nor a call."""
        return not self.words and not self.calls and not self.seconds


class Ear:
    """Takes note of what a session tells. reads: nobody else reads the streams."""

    def __init__(self, rt: Any, *, reads: bool = True) -> None:
        self.generations: list[HeardGeneration] = []
        self.told: list[tuple[str, Any]] = []
        self.news: list[str] = []
        """Names of all events, whatever a plugin calls them, but for measurements and snapshots."""
        self._rt, self._reads = rt, reads
        emit = rt.emit

        def emit_and_note(name: str, *payload: Any) -> None:
            if name not in ("metrics_collected", "turn_changed"):
                self.news.append(name)
            emit(name, *payload)

        rt.emit = emit_and_note
        for name in LISTENED:
            rt.on(name, self._listener(name))

    def _listener(self, name: str) -> Any:
        def listen(*payload: Any) -> None:
            event: Any = payload[0] if payload else None
            self.told.append((name, event))
            if name == "generation_created":
                self.generations.append(HeardGeneration(event))
            elif name == "input_speech_started" and self._reads:
                self._rt.interrupt()  # as AgentSession does

        return listen

    def read(self) -> None:
        if self._reads:
            for generation in self.generations:
                generation.read()

    def named(self, name: str) -> list[Any]:
        return [event for told, event in self.told if told == name]

    @property
    def spoken(self) -> list[str]:
        """The words of each generation that had any."""
        self.read()
        return [one.words for one in self.generations if one.words]

    @property
    def open(self) -> int:
        """Generations that have not ended."""
        self.read()
        return sum(one.open for one in self.generations)

    @property
    def empty(self) -> int:
        """Generations that had nothing in them."""
        self.read()
        return sum(one.empty for one in self.generations)

    @property
    def calls(self) -> list[llm.FunctionCall]:
        self.read()
        return [call for one in self.generations for call in one.calls]

    @property
    def ends(self) -> list[str]:
        """How the end of the conversation was told: "ended", or "error" and "fatal error" each."""
        names = []
        for name, event in self.told:
            if name == "conversation_ended":
                names.append("ended")
            elif name == "error":
                names.append("error" if event.recoverable else "fatal error")
        return names
