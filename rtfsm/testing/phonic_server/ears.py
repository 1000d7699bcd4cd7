"""Ears for Phonic's input formats."""

from __future__ import annotations

from rtfsm.testing.phonic_server.client_fields import AUDIO_FORMATS
from rtfsm.testing.server import ears
from rtfsm.testing.server.ears import FRAME_MS, Heard, Sensitivity
from rtfsm.testing.server.voice import mulaw_to_pcm

__all__ = ["FRAME_MS", "Ears", "Heard", "Sensitivity"]


class Ears(ears.Ears):
    """Follows one stream of audio in a Phonic input format."""

    def __init__(self, audio_format: str, sensitivity: Sensitivity | None = None) -> None:
        rate, width = AUDIO_FORMATS[audio_format]
        super().__init__(rate, sensitivity, mulaw_to_pcm if width == 1 else None)
