"""The built-in voice in Phonic's output formats."""

from __future__ import annotations

from rtfsm.testing.phonic_server.client_fields import AUDIO_FORMATS
from rtfsm.testing.server.voice import mulaw_to_pcm, pcm_to_mulaw, synthesise

__all__ = ["mulaw_to_pcm", "pcm_to_mulaw", "speak_in_format", "synthesise"]


def speak_in_format(text: str, audio_format: str) -> list[tuple[str, bytes]]:
    """`synthesise` in one of Phonic's output formats, for example "pcm_24000" or "mulaw_8000"."""
    rate, width = AUDIO_FORMATS[audio_format]
    spoken = synthesise(text, rate)
    if width == 2:
        return spoken
    return [(word, pcm_to_mulaw(sound)) for word, sound in spoken]
