"""A small built-in voice: any text becomes audible sound, the same on every machine, with nothing shipped or installed.

It is additive synthesis with a few formants per letter. It sounds like a talking machine and needs no recogniser to be
followed, since the protocol carries the words beside the sound.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

LETTER_S = 0.06
"""Seconds of sound for one letter."""

FRAME_S = 0.02
"""Every word lasts a whole number of frames of this length, so that 20 ms chunks never straddle two words."""

_GAP_S = 0.04
_SHORTEST_S = 0.12
_RMS = 3600.0
_PEAK = 26000.0

_Samples = npt.NDArray[np.float64]

# Letter -> (first formant Hz, second formant Hz, share of noise). Letters in a group sound alike on purpose.
_LETTERS = {
    "a": (730, 1190, 0.0),
    "e": (530, 1840, 0.0),
    "i": (300, 2290, 0.0),
    "o": (570, 840, 0.0),
    "u": (310, 870, 0.0),
    "y": (300, 2100, 0.0),
    **dict.fromkeys("mnlrw", (250, 1100, 0.05)),
    **dict.fromkeys("bdgvjz", (200, 900, 0.25)),
    **dict.fromkeys("sfcxh", (350, 2500, 0.7)),
    **dict.fromkeys("ptkq", (400, 1600, 0.5)),
}
_OTHER = (450, 1500, 0.1)


def synthesise(text: str, sample_rate: int) -> list[tuple[str, bytes]]:
    """Speak a text.

    Returns one pair for each word, in order: the word with the blanks before it, so that joining the words gives the
    text back (but for blanks at its end), and its sound as 16-bit little-endian mono PCM at `sample_rate` Hz. A text
    without words gives an empty list.
    """
    words = re.findall(r"\s*\S+", text)
    return [(word, _word(word.strip().lower(), sample_rate)) for word in words]


@lru_cache(maxsize=2048)
def _word(word: str, sample_rate: int) -> bytes:
    letters = [letter for letter in word if letter.isalnum()] or ["m"]
    voiced_s = max(_SHORTEST_S, LETTER_S * len(letters))
    frame = round(sample_rate * FRAME_S)
    total = -(-round((voiced_s + _GAP_S) * sample_rate) // frame) * frame
    voiced = round(voiced_s * sample_rate)
    position = np.arange(voiced) / sample_rate
    pitch = 125.0 - 20.0 * np.arange(voiced) / max(1, voiced)
    phase = 2 * np.pi * np.cumsum(pitch) / sample_rate
    noise = np.random.default_rng(zlib.crc32(word.encode())).standard_normal(voiced)
    first, second, breath = _tracks(letters, voiced, sample_rate)
    sound = np.zeros(voiced)
    top = min(3600.0, sample_rate * 0.45)
    for harmonic in range(1, int(top / 105.0)):
        hertz = pitch * harmonic
        gain = _resonance(hertz, first, 90.0) + 0.6 * _resonance(hertz, second, 140.0)
        sound += np.where(hertz < top, gain, 0.0) * np.sin(phase * harmonic)
    sound = sound / _rms(sound) * (1.0 - breath) + noise * breath
    # Syllables: the loudness swells once for every two letters or so, and the ends are faded against clicks.
    swell = 0.75 + 0.25 * np.cos(2 * np.pi * position / (2.5 * LETTER_S))
    fade = np.minimum(1.0, np.minimum(position, position[::-1]) / 0.012)
    sound = sound * swell * fade
    loud = sound * (_RMS / _rms(sound))
    peak = float(np.max(np.abs(loud)))
    if peak > _PEAK:
        loud *= _PEAK / peak
    pcm = np.zeros(total, dtype="<i2")
    pcm[:voiced] = np.round(loud).astype("<i2")
    return pcm.tobytes()


def _tracks(letters: list[str], samples: int, sample_rate: int) -> tuple[_Samples, _Samples, _Samples]:
    targets = np.array([_LETTERS.get(letter, _OTHER) for letter in letters], dtype=np.float64)
    centres = (np.arange(len(letters)) + 0.5) * samples / len(letters)
    at = np.arange(samples, dtype=np.float64)
    first, second, breath = (np.interp(at, centres, targets[:, column]) for column in range(3))
    return first, second, breath


def _resonance(hertz: _Samples, centre: _Samples, width: float) -> _Samples:
    gain: _Samples = 1.0 / (1.0 + ((hertz - centre) / width) ** 2)
    return gain


def _rms(sound: _Samples) -> float:
    return float(np.sqrt(np.mean(sound**2))) or 1.0


_BIAS = 132
_CLIP = 32635


def pcm_to_mulaw(pcm: bytes) -> bytes:
    """16-bit little-endian PCM to G.711 mu-law, one byte per sample."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.int32)
    sign = np.where(samples < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(samples), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    encoded: npt.NDArray[Any] = ~(sign | (exponent << 4) | mantissa) & 0xFF
    return encoded.astype(np.uint8).tobytes()


def mulaw_to_pcm(mulaw: bytes) -> bytes:
    """G.711 mu-law to 16-bit little-endian PCM."""
    code = ~np.frombuffer(mulaw, dtype=np.uint8).astype(np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + _BIAS << ((code >> 4) & 0x07)) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype("<i2").tobytes()
