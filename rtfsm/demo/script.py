"""What is said in the demo, and what the line between the scripted Phonic and the agent does to it.

A conversation in which nothing odd happens shows little, so the line is as rough as real ones are: sound is still on
its way when the caller barges in, the provider repeats itself, murmurs without words, and calls a tool inside a turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from rtfsm.testing.phonic_server import Dialogue, UserLine, synthesise
from rtfsm.testing.phonic_server.messages import Message
from rtfsm.testing.speech import CALLER

from .caller import Voice

__all__ = ["ANSWERS", "GREETING", "MURMUR", "RoughLine", "Transform", "dialogue_for", "rehearse", "shipped_dialogue"]

Transform = Callable[[Message], Iterable[Message]]

GREETING = "Hello, this is the weather desk."
MURMUR = "Mmmmmm."
OUTPUT_RATE = 24_000
"""Hz of the sound that the adapter asks for."""
IN_FLIGHT = 60
"""Chunks of 20 ms that the line holds. Sound is streamed ahead of real time, so this is a lag of 0.15 s."""

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def _numbers() -> list[str]:
    return [*_ONES, *_TEENS, *(word for ten in _TENS for word in (ten, *(f"{ten}-{one}" for one in _ONES)))]


ANSWERS = (
    "I am the scripted assistant.",
    f"I can count to a hundred. {', '.join(_numbers())}, hundred.",
    "Of course. I will stop.",
    "Here is what I found: {output}",
    "Goodbye!",
)
"""One for each utterance of the shipped caller. The second is longer than anybody's patience."""


def shipped_dialogue() -> Dialogue:
    """Answers the shipped caller, and hangs up after the goodbye."""
    tool = UserLine(CALLER[3].text, ANSWERS[3], tool=True, before_tool=MURMUR)
    lines = [UserLine(said.text, answer) for said, answer in zip(CALLER, ANSWERS, strict=True)]
    return Dialogue((*lines[:3], tool, lines[4]), reply=GREETING, ends_conversation=True)


def dialogue_for(voice: Voice) -> Dialogue:
    """Answers a caller whose words nobody knows: the server hears that somebody speaks, not what."""
    lines = [
        UserLine(f"(utterance {number})", f"I heard you speak for {end - start:.1f} seconds.")
        for number, (start, end) in enumerate(voice.utterances, start=1)
    ]
    return Dialogue(lines, reply=GREETING)


def rehearse(dialogue: Dialogue) -> None:
    """Synthesise what the script may say. The voice keeps its words, so that no caller has to wait for them."""
    for text in (
        dialogue.reply,
        *(line.answers for line in dialogue.lines),
        *(one.before_tool for one in dialogue.lines),
    ):
        synthesise(text, OUTPUT_RATE)


class RoughLine:
    """Everything that the server sends goes through here; see the module's text. A transform of PhonicServer."""

    def __init__(self) -> None:
        self._under_way: deque[Message] = deque()
        self._murmured = False
        self._closing: Message | None = None

    def __call__(self, message: Message) -> list[Message]:
        kind: Any = message.get("type")
        if kind == "audio_chunk":
            return self._sound(message)
        if kind == "user_started_speaking":
            # The news overtakes the sound: what was on its way arrives after the caller has the floor.
            return [message, *self._landed(), dict(message)]
        if kind == "assistant_finished_speaking" and self._murmured:
            self._murmured, self._closing = False, message
            return self._landed()
        if kind == "tool_call" and self._closing is not None:
            closing, self._closing = self._closing, None
            return [message, closing]
        return [*self._landed(), message]

    def _sound(self, message: Message) -> list[Message]:
        if str(message.get("text", "")).strip() == MURMUR:
            message, self._murmured = {**message, "text": ""}, True
        self._under_way.append(message)
        return [self._under_way.popleft()] if len(self._under_way) > IN_FLIGHT else []

    def _landed(self) -> list[Message]:
        landed = list(self._under_way)
        self._under_way.clear()
        return landed
