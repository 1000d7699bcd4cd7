"""The caller's voice: the shipped recording, or the user's own."""

from __future__ import annotations

import os
import wave

import attrs
import numpy as np

from rtfsm.testing.phonic_server import Ears, Heard
from rtfsm.testing.speech import CALLER, caller_path
from rtfsm.testing.wav import Samples, read_wav

__all__ = ["BadInput", "Voice", "own", "shipped"]

LONGEST = 60.0
SHORTEST = 0.3
"""Seconds of a recording."""
RATES = range(8_000, 192_001)
"""Sample rates in Hz that are taken."""
PAUSE = 1.6
"""Seconds that the caller of an own recording is quiet after an utterance, at least, so that an answer can begin."""
EARS_RATE = 24_000
EARS_FRAME = 0.02


class BadInput(Exception):
    """What was given cannot be used. One line that says what is wrong and what to do."""


@attrs.frozen
class Voice:
    """samples: 16-bit mono. utterances: (start, end) of each, in seconds from the first sample."""

    samples: Samples = attrs.field(repr=False, eq=False)
    rate: int
    utterances: tuple[tuple[float, float], ...]

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def shipped() -> Voice:
    """The recording that comes with rtfsm."""
    samples, rate, _ = read_wav(caller_path())
    return Voice(samples, rate, tuple((one.start, one.end) for one in CALLER))


def own(path: str) -> Voice:
    """A recording of the user's: any rate, any number of channels, 16-bit PCM.

    Pauses between utterances are lengthened where they leave no time for an answer. Raises BadInput.
    """
    samples, rate, channels = _read(path)
    if rate not in RATES:
        raise BadInput(f"{path}: a sample rate of {rate} Hz; convert it to one from {RATES[0]} to {RATES[-1]} Hz")
    whole = len(samples) - len(samples) % channels
    mono = samples[:whole].reshape(-1, channels).mean(axis=1).astype(np.int16)
    seconds = len(mono) / rate
    if not seconds:
        raise BadInput(f"{path}: holds no sound")
    if seconds < SHORTEST:
        raise BadInput(f"{path}: {seconds:.2f} s of sound; give at least {SHORTEST:g} s")
    found = utterances_in(mono, rate)
    if not found:
        raise BadInput(f"{path}: nothing in it is loud enough to be heard as speech, so nobody would answer")
    return _with_pauses(mono, rate, found)


MOST_CHANNELS = 8


def _read(path: str) -> tuple[Samples, int, int]:
    if os.path.isdir(path):
        raise BadInput(f"{path}: is a directory; give a WAV file")
    if os.path.exists(path) and not os.path.isfile(path):
        raise BadInput(f"{path}: is no regular file; give a WAV file")
    try:
        with wave.open(path, "rb") as file:  # its header first: nobody should wait for a file that is too long
            seconds = file.getnframes() / file.getframerate() if file.getframerate() else 0.0
            channels = file.getnchannels()
        if channels > MOST_CHANNELS:
            raise BadInput(f"{path}: {channels} channels; give at most {MOST_CHANNELS}")
        if seconds > LONGEST:
            raise BadInput(f"{path}: {seconds:.0f} s of sound; give at most {LONGEST:g} s")
        return read_wav(path)
    except FileNotFoundError:
        raise BadInput(f"{path}: there is no such file") from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror or error})") from None
    except (wave.Error, EOFError):
        empty = not os.path.getsize(path)
        raise BadInput(f"{path}: {'is empty' if empty else 'is no PCM WAV file'}; give 16-bit PCM WAV") from None
    except ValueError as error:  # names the file itself
        raise BadInput(str(error)) from None


def utterances_in(mono: Samples, rate: int) -> tuple[tuple[float, float], ...]:
    """Where somebody speaks, by the same ears that the scripted server has."""
    at = np.arange(round(len(mono) * EARS_RATE / rate)) * (rate / EARS_RATE)
    heard = np.interp(at, np.arange(len(mono)), mono).astype("<i2").tobytes()
    ears = Ears(f"pcm_{EARS_RATE}")
    stop = ears.sensitivity.stop_ms / 1000
    size = round(EARS_RATE * EARS_FRAME) * 2
    # The stream goes on in silence behind the recording, so the last utterance ends too.
    heard += bytes(size * (round(stop / EARS_FRAME) + 2))
    found: list[tuple[float, float]] = []
    began = 0.0
    for number in range(len(heard) // size):
        now = (number + 1) * EARS_FRAME
        for change in ears.hear(heard[number * size : (number + 1) * size]):
            if change is Heard.STARTED:
                began = now - ears.sensitivity.start_ms / 1000
            else:
                found.append((began, now - stop))
    return tuple(found)


def _with_pauses(mono: Samples, rate: int, found: tuple[tuple[float, float], ...]) -> Voice:
    parts: list[Samples] = []
    placed: list[tuple[float, float]] = []
    shift, taken = 0.0, 0
    for position, (start, end) in enumerate(found):
        placed.append((start + shift, end + shift))
        later = found[position + 1][0] if position + 1 < len(found) else None
        if later is not None and later - end < PAUSE:
            cut = round((end + later) / 2 * rate)
            silence = np.zeros(round((PAUSE - (later - end)) * rate), np.int16)
            parts += [mono[taken:cut], silence]
            taken, shift = cut, shift + len(silence) / rate
    return Voice(np.concatenate([*parts, mono[taken:]]), rate, tuple(placed))
