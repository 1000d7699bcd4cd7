"""A caller's recorded side of a telephone call, for feeding a session real speech. See README.md for its origin."""

from __future__ import annotations

import wave
from pathlib import Path

from attrs import frozen


@frozen
class Utterance:
    """What the caller says, and from when to when, in seconds from the start of the recording."""

    text: str
    start: float
    end: float


CALLER: tuple[Utterance, ...] = (
    Utterance("Hello, who are you?", 0.8, 2.05),
    Utterance("What can you tell me?", 5.2, 6.45),
    Utterance("Stop, please.", 10.0, 11.19),
    Utterance("What is the weather in Lisbon?", 13.9, 15.43),
    Utterance("Thank you, goodbye.", 21.3, 22.73),
)
"""The utterances of `caller.wav`. The third one begins while the scripted server gives its long answer."""

CALLER_RATE = 24000
"""Sample rate of `caller.wav` in Hz; it is 16-bit mono."""


def caller_path() -> Path:
    """Where `caller.wav` is installed."""
    return Path(__file__).with_name("caller.wav")


def caller_pcm() -> bytes:
    """The whole recording as 16-bit little-endian mono PCM at `CALLER_RATE`."""
    with wave.open(str(caller_path()), "rb") as recording:
        return recording.readframes(recording.getnframes())
