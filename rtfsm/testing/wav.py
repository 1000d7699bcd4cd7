"""16-bit sound, in memory at a moment and in WAV files."""

from __future__ import annotations

import os
import wave
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Clip:
    """Sound that began at ``at`` (seconds of the loop's clock): mono samples at ``rate`` Hz."""

    at: float
    samples: Samples
    rate: int


def read_wav(path: str | os.PathLike[str]) -> tuple[Samples, int, int]:
    """The interleaved samples, the rate in Hz and the number of channels of a 16-bit WAV file."""
    with wave.open(os.fspath(path), "rb") as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{os.fspath(path)}: {8 * file.getsampwidth()}-bit samples; convert the file to 16 bits")
        return np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate(), file.getnchannels()


def write_wav(
    path: str | os.PathLike[str], *tracks: list[Clip], rate: int = 24_000, start: float | None = None
) -> None:
    """Write each track into its own channel of one WAV file, every clip at its moment.

    ``start`` is the moment of the file's first sample; None takes the earliest clip's. Clips of another rate are
    resampled linearly, which is good enough to listen to.
    """
    clips = [clip for track in tracks for clip in track]
    begin = start if start is not None else min((clip.at for clip in clips), default=0.0)
    end = max((clip.at + len(clip.samples) / clip.rate for clip in clips), default=begin)
    mix = np.zeros((max(0, round((end - begin) * rate)), max(1, len(tracks))), np.int32)
    for channel, track in enumerate(tracks):
        for clip in track:
            wanted = np.arange(round(len(clip.samples) * rate / clip.rate)) * (clip.rate / rate)
            sound = np.interp(wanted, np.arange(len(clip.samples)), clip.samples).astype(np.int32)
            at = round((clip.at - begin) * rate)
            sound = sound[max(0, -at) :][: len(mix) - max(0, at)]
            mix[max(0, at) : max(0, at) + len(sound), channel] += sound
    with wave.open(os.fspath(path), "wb") as file:
        file.setnchannels(mix.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.clip(mix, -32768, 32767).astype("<i2").tobytes())
