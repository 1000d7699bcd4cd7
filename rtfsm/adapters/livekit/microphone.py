"""The user's sound on its way to the provider: any format in, one format out, a bounded wait before the start."""

from __future__ import annotations

from collections import deque

import numpy as np
from livekit import rtc
from livekit.agents.utils.audio import AudioByteStream

__all__ = ["Microphone"]

CHUNK_MS = 20
"""Length of a chunk on the wire, where the provider has no wish of its own; some refuse more than twice that."""
WAITING_MS = 2000
"""Sound kept while the conversation does not run yet."""


class Microphone:
    """Turns frames of any rate and channel count into chunks of 16-bit mono PCM at ``rate`` Hz, ``chunk`` ms each."""

    def __init__(self, rate: int, chunk: int = CHUNK_MS) -> None:
        self._rate = rate
        self._chunks = AudioByteStream(rate, 1, rate * chunk // 1000)
        self._kept = WAITING_MS // chunk
        self._resampler: rtc.AudioResampler | None = None
        self._input_rate = rate
        self._waiting: deque[bytes] = deque()
        self.dropped = 0
        """Chunks that waited too long for the conversation to run."""

    def convert(self, frame: rtc.AudioFrame) -> list[bytes]:
        """The chunks that this frame completes."""
        samples = np.frombuffer(frame.data, dtype=np.int16)
        if frame.num_channels > 1:
            samples = samples.reshape(-1, frame.num_channels).mean(axis=1).astype(np.int16)
        pcm = samples.tobytes()
        if frame.sample_rate != self._input_rate:
            self._input_rate = frame.sample_rate
            differs = frame.sample_rate != self._rate
            self._resampler = rtc.AudioResampler(frame.sample_rate, self._rate) if differs else None
        if self._resampler is not None:
            resampled = self._resampler.push(rtc.AudioFrame(pcm, frame.sample_rate, 1, len(samples)))
            pcm = b"".join(bytes(part.data) for part in resampled)
        return [bytes(chunk.data) for chunk in self._chunks.write(pcm)] if pcm else []

    def rest(self) -> list[bytes]:
        """What does not yet fill a chunk, as one."""
        return [bytes(chunk.data) for chunk in self._chunks.flush()]

    def keep(self, chunks: list[bytes]) -> None:
        """Keep chunks until the conversation runs; the oldest go first."""
        self._waiting.extend(chunks)
        while len(self._waiting) > self._kept:
            self._waiting.popleft()
            self.dropped += 1

    def waiting(self) -> list[bytes]:
        """The chunks that were kept, which are no longer kept then."""
        chunks = list(self._waiting)
        self._waiting.clear()
        return chunks

    def clear(self) -> None:
        """Forget what was kept and what does not yet fill a chunk."""
        self._waiting.clear()
        self._chunks.clear()
