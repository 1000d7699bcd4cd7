"""Hears when somebody speaks: energy over 20 ms frames, with hysteresis. Not a recogniser and not a neural VAD."""

from __future__ import annotations

import enum
from collections.abc import Callable

import numpy as np
from attrs import frozen

FRAME_MS = 20


class Heard(enum.Enum):
    """A change that the ears noticed."""

    STARTED = "started"
    STOPPED = "stopped"


@frozen
class Sensitivity:
    """When speech starts and stops. Loudness is the RMS of 16-bit samples, durations are milliseconds."""

    loud: float = 600.0
    """A frame at least this loud counts towards the start of speech."""
    quiet: float = 300.0
    """While somebody speaks, a frame below this counts towards the end."""
    start_ms: int = 60
    stop_ms: int = 600


class Ears:
    """Follows one stream of 16-bit mono PCM; `decode` turns the stream's bytes into that."""

    def __init__(
        self,
        rate: int,
        sensitivity: Sensitivity | None = None,
        decode: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self.sensitivity = sensitivity or Sensitivity()
        self.speaking = False
        self._decode = decode
        self._frame_bytes = rate * FRAME_MS // 1000 * 2
        self._pending = bytearray()
        self._run_ms = 0

    def hear(self, audio: bytes) -> list[Heard]:
        """Take the next bytes of the stream, in any portion, and tell what changed."""
        self._pending += audio if self._decode is None else self._decode(audio)
        changes: list[Heard] = []
        whole = len(self._pending) // self._frame_bytes
        for position in range(whole):
            frame = self._pending[position * self._frame_bytes : (position + 1) * self._frame_bytes]
            samples = np.frombuffer(frame, dtype="<i2").astype(np.float64)
            changes += self._frame(float(np.sqrt(np.mean(samples**2))))
        del self._pending[: whole * self._frame_bytes]
        return changes

    def silence(self) -> list[Heard]:
        """The stream was cut (muted, or the client sends nothing more): whoever spoke has stopped."""
        self._pending.clear()
        self._run_ms = 0
        was_speaking, self.speaking = self.speaking, False
        return [Heard.STOPPED] if was_speaking else []

    def _frame(self, loudness: float) -> list[Heard]:
        # A run counts the frames in a row that speak for a change: loud ones in silence, quiet ones in speech.
        if self.speaking:
            counts, needed = loudness < self.sensitivity.quiet, self.sensitivity.stop_ms
        else:
            counts, needed = loudness >= self.sensitivity.loud, self.sensitivity.start_ms
        self._run_ms = self._run_ms + FRAME_MS if counts else 0
        if self._run_ms < needed or not counts:
            return []
        self._run_ms = 0
        self.speaking = not self.speaking
        return [Heard.STARTED if self.speaking else Heard.STOPPED]
