"""The built-in voice and the ears' decoder in the formats of the API: PCM at 24 kHz, and G.711 in both laws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from rtfsm.testing.openai_server.client_fields import AUDIO_FORMATS
from rtfsm.testing.server.voice import mulaw_to_pcm, pcm_to_mulaw, synthesise


def speak(text: str, audio_format: str) -> list[tuple[str, bytes]]:
    """Each word with the blanks before it, and its sound in the format."""
    encode = _ENCODERS.get(audio_format)
    spoken = synthesise(text, AUDIO_FORMATS[audio_format][0])
    return spoken if encode is None else [(word, encode(sound)) for word, sound in spoken]


def decoder(audio_format: str) -> Callable[[bytes], bytes] | None:
    """What turns the format into 16-bit PCM; None where it is that already."""
    return {"audio/pcmu": mulaw_to_pcm, "audio/pcma": alaw_to_pcm}.get(audio_format)


def pcm_to_alaw(pcm: bytes) -> bytes:
    """16-bit little-endian PCM to G.711 A-law, one byte per sample."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.int32) >> 3
    sign = np.where(samples >= 0, 0x80, 0)
    magnitude = np.where(samples >= 0, samples, -samples - 1)
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 0)
    mantissa = (magnitude >> np.maximum(exponent, 1)) & 0x0F
    encoded: npt.NDArray[Any] = (sign | (exponent << 4) | mantissa) ^ 0x55
    return encoded.astype(np.uint8).tobytes()


def alaw_to_pcm(alaw: bytes) -> bytes:
    """G.711 A-law to 16-bit little-endian PCM."""
    code = np.frombuffer(alaw, dtype=np.uint8).astype(np.int32) ^ 0x55
    exponent = (code >> 4) & 0x07
    fine = ((code & 0x0F) << 4) + 8
    magnitude = np.where(exponent > 0, (fine + 0x100) << np.maximum(exponent - 1, 0), fine)
    decoded: npt.NDArray[Any] = np.where(code & 0x80, magnitude, -magnitude)
    return decoded.astype("<i2").tobytes()


_ENCODERS: dict[str, Callable[[bytes], bytes]] = {"audio/pcmu": pcm_to_mulaw, "audio/pcma": pcm_to_alaw}
