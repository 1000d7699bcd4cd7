"""A headset for tests: the speaker, the microphone and the screen of a caller, paced by the loop's clock.

They plug into an ``AgentSession`` where a room would. The behaviour that matters is a room's (livekit-agents 1.8.9,
``voice/room_io/_output.py``): one report a segment, never before the segment is flushed, and the position that was
really reached. All times are those of ``loop.time()``, and all three are made inside the running loop.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from livekit import rtc
from livekit.agents.voice import io

from rtfsm.testing.wav import Clip, Samples, read_wav


@dataclass
class Segment:
    """One message as it was heard."""

    rate: int
    channels: int
    started: float
    """When the first sample sounded."""
    finished: float | None = None
    """When the end was reported; None while it is playing."""
    position: float = 0.0
    """Seconds that really sounded, pauses not counted. Right once ``finished`` is set."""
    interrupted: bool = False
    """``clear_buffer`` ended it."""
    runs: list[tuple[float, float, float]] = field(default_factory=list)
    """(time, offset, duration) of each stretch without a gap, in seconds: a pause or a late frame starts a new one."""
    _captured: list[Samples] = field(default_factory=list, repr=False)

    @property
    def samples(self) -> Samples:
        """What sounded, interleaved if there are several channels; a one-dimensional array."""
        return self._slice(0.0, self.position)

    def clips(self) -> list[Clip]:
        """The stretches that sounded, first channel only."""
        return [
            Clip(at, self._slice(start, start + length)[:: self.channels], self.rate) for at, start, length in self.runs
        ]

    def _slice(self, start: float, end: float) -> Samples:
        everything = np.concatenate([np.zeros(0, np.int16), *self._captured])
        return everything[round(start * self.rate) * self.channels : round(end * self.rate) * self.channels]


class Speaker(io.AudioOutput):
    """Plays at the speed of sound what it is handed at any speed, and remembers what was heard.

    Args:
        sample_rate: the only rate in Hz that it takes, so that the session resamples; None takes any.
        can_pause: whether ``pause`` and ``resume`` are offered. A pause stops at once and drops nothing.
    """

    def __init__(self, *, sample_rate: int | None = None, can_pause: bool = True) -> None:
        super().__init__(
            label="speaker", capabilities=io.AudioOutputCapabilities(pause=can_pause), sample_rate=sample_rate
        )
        self.heard: list[Segment] = []
        self.problems: list[str] = []
        """Frames that would do harm in a room: without samples, or of another format than their segment."""
        self._loop = asyncio.get_running_loop()
        self._free = asyncio.Event()
        self._free.set()
        self._end: asyncio.Handle | None = None
        self._paused = False
        self._reset()

    def _reset(self) -> None:
        self._segment: Segment | None = None
        self._format: tuple[int, int] | None = None
        self._captured: list[Samples] = []
        self._captured_samples = 0
        self._offset = 0.0
        self._running_since: float | None = None
        self._flushed = False
        self._cut = False

    @property
    def playing(self) -> bool:
        """Sound comes out at this moment."""
        return self._running_since is not None and self._playhead() < self._total

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        while self._flushed:
            await self._free.wait()
        await super().capture_frame(frame)
        if self._cut:
            return
        arrived = (frame.sample_rate, frame.num_channels)
        if not frame.samples_per_channel:
            self.problems.append(
                "a frame without samples was handed to the speaker: a room never finishes such a segment"
            )
        if self._format not in (None, arrived):
            self.problems.append(f"the format changed inside a segment: {self._format} Hz, channels became {arrived}")
            return
        self._free.clear()
        self._format = arrived
        self._stop_run_if_dry()
        self._captured.append(np.frombuffer(frame.data, np.int16).copy())
        self._captured_samples += frame.samples_per_channel
        if not self._paused:
            self._start_run()

    def flush(self) -> None:
        super().flush()
        if self._format is not None:
            self._flushed = True
            self._schedule_end()

    def clear_buffer(self) -> None:
        if self._format is None or self._cut:
            return
        self._stop_run()
        self._cut = True
        self._schedule_end()

    def pause(self) -> None:
        super().pause()
        self._paused = True
        self._stop_run()
        self._schedule_end()

    def resume(self) -> None:
        super().resume()
        self._paused = False
        if self._format is not None and not self._cut:
            self._start_run()
            self._schedule_end()

    @property
    def _total(self) -> float:
        return self._captured_samples / self._format[0] if self._format is not None else 0.0

    def _playhead(self) -> float:
        if self._running_since is None:
            return self._offset
        # To the nanosecond: LiveKit cuts positions to whole milliseconds, and 1.9999999999 s is not 1999 ms.
        return min(self._total, round(self._offset + self._loop.time() - self._running_since, 9))

    def _start_run(self) -> None:
        if self._running_since is not None or self._format is None:
            return
        self._running_since = self._loop.time()
        if self._segment is None:
            rate, channels = self._format
            self._segment = Segment(rate, channels, self._running_since, _captured=self._captured)
            self.heard.append(self._segment)
            self.on_playback_started(created_at=time.time())

    def _stop_run(self) -> None:
        if self._running_since is None or self._segment is None:
            return
        reached = self._playhead()
        if reached > self._offset:
            self._segment.runs.append((self._running_since, self._offset, reached - self._offset))
        self._offset = self._segment.position = reached
        self._running_since = None

    def _stop_run_if_dry(self) -> None:
        # A microsecond of slack: frames that come exactly in time leave no gap.
        if (
            self._running_since is not None
            and self._loop.time() - self._running_since > self._total - self._offset + 1e-6
        ):
            self._stop_run()

    def _schedule_end(self) -> None:
        """Arrange for the report: only a flushed segment ends, at its last sample or where it was cut."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        if not self._flushed:
            return
        if self._cut:
            self._end = self._loop.call_soon(self._finish)
        elif not self._paused:
            self._end = self._loop.call_later(self._total - self._playhead(), self._finish)

    def _finish(self) -> None:
        self._stop_run()
        # Rounding of the clock must not shorten a message that was played to its end.
        position = self._offset if self._cut else self._total
        if self._segment is not None:
            self._segment.position = position
            self._segment.finished = self._loop.time()
            self._segment.interrupted = self._cut
        interrupted = self._cut
        self._end = None
        self._reset()
        self._free.set()
        self.on_playback_finished(playback_position=position, interrupted=interrupted)

    def clips(self) -> list[Clip]:
        """The stretches heard so far, for ``write_wav``; the one that is still sounding is not among them."""
        return [clip for segment in self.heard for clip in segment.clips()]


class Transcript(io.TextOutput):
    """The screen: the text as it appears."""

    def __init__(self) -> None:
        super().__init__(label="transcript", next_in_chain=None)
        self.parts: list[tuple[float, str]] = []
        """(time, text) of every piece."""
        self.segments: list[str] = []
        """Finished segments, one a message. Empty ones are kept."""
        self.current = ""
        """The segment that is still being written."""

    async def capture_text(self, text: str) -> None:
        self.parts.append((asyncio.get_running_loop().time(), str(text)))
        self.current += text

    def flush(self) -> None:
        self.segments.append(self.current)
        self.current = ""

    @property
    def text(self) -> str:
        """All the text shown so far, segments separated by a line break."""
        return "\n".join([*self.segments, self.current]).rstrip("\n")


CATCH_UP = 0.2
"""Seconds of lateness that a microphone makes up for."""


class Microphone(io.AudioInput):
    """Sends a frame every ``frame`` seconds: what it was told to speak, otherwise silence.

    Args:
        sound: a WAV file with 16-bit samples, or samples, to speak first.
        rate: Hz of the frames; a WAV file must have it too. None takes the file's, or 16000.
        channels: number of channels; samples are interleaved.
        frame: seconds of a frame.
        autostart: begin with the first frame that is asked for; otherwise nothing is sent before ``start``.
    """

    def __init__(
        self,
        sound: str | os.PathLike[str] | Samples | bytes | None = None,
        *,
        rate: int | None = None,
        channels: int = 1,
        frame: float = 0.02,
        autostart: bool = True,
    ) -> None:
        super().__init__(label="microphone")
        samples: Samples | bytes | None
        if isinstance(sound, (str, os.PathLike)):
            samples, file_rate, channels = read_wav(sound)
            if rate not in (None, file_rate):
                raise ValueError(f"the file has {file_rate} Hz, not {rate}: leave rate out, or convert the file")
            rate = file_rate
        else:
            samples = sound
        self.rate = rate or 16_000
        self.channels = channels
        self.sent: list[Clip] = []
        """What was spoken, as far as it was sent, for ``write_wav``."""
        self._frame_size = round(self.rate * frame)
        self._queue: deque[tuple[Samples, asyncio.Future[None]]] = deque()
        self._started = asyncio.Event()
        self._closed = False
        self._next_at: float | None = None
        if samples is not None:
            self.speak(samples)
        if autostart:
            self.start()

    def start(self) -> None:
        """Begin to send frames."""
        self._started.set()

    def speak(self, sound: Samples | bytes) -> asyncio.Future[None]:
        """Queue 16-bit samples behind what is being spoken. The future ends when their last frame has been sent."""
        samples = np.frombuffer(sound, np.int16) if isinstance(sound, bytes) else np.asarray(sound, np.int16).ravel()
        done = asyncio.get_running_loop().create_future()
        self._queue.append((samples, done))
        return done

    def close(self) -> None:
        """End the stream. What was not yet spoken is dropped and its futures are cancelled."""
        self._closed = True
        self._started.set()
        for _, done in self._queue:
            done.cancel()
        self._queue.clear()

    async def __anext__(self) -> rtc.AudioFrame:
        await self._started.wait()
        loop = asyncio.get_running_loop()
        if self._next_at is not None and self._next_at > loop.time():
            await asyncio.sleep(self._next_at - loop.time())
        if self._closed:
            raise StopAsyncIteration
        # A reader that is a little late catches up, or a real-time run would slip by each wake-up's delay; one that
        # stalled gets the next frame now, not all those that it missed.
        on_time = self._next_at is not None and loop.time() - self._next_at < CATCH_UP
        now = self._next_at if self._next_at is not None and on_time else loop.time()
        self._next_at = now + self._frame_size / self.rate
        samples = self._take(now)
        return rtc.AudioFrame(samples.tobytes(), self.rate, self.channels, self._frame_size)

    def _take(self, now: float) -> Samples:
        frame = np.zeros(self._frame_size * self.channels, np.int16)
        if self._queue:
            samples, done = self._queue.popleft()
            head, tail = samples[: len(frame)], samples[len(frame) :]
            frame[: len(head)] = head
            self.sent.append(Clip(now, head[:: self.channels], self.rate))
            if len(tail):
                self._queue.appendleft((tail, done))
            elif not done.done():
                done.set_result(None)
        return frame
