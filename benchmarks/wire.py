"""What Phonic's socket carries, as far as the benchmark needs it (message and field names of the Phonic SDK 0.32)."""

from __future__ import annotations

import base64
import json

__all__ = ["CHUNK", "CHUNKS_A_SECOND", "RATE", "chunk", "message"]

RATE = 24_000
CHUNKS_A_SECOND = 50
CHUNK = RATE // CHUNKS_A_SECOND * 2
"""Bytes of 20 ms of sound."""


def message(kind: str) -> str:
    """A frame that says nothing but its type."""
    return json.dumps({"type": kind})


def chunk(sound: bytes, text: str = "") -> str:
    """A frame with sound, and words or none."""
    return json.dumps({"type": "audio_chunk", "audio": base64.b64encode(sound).decode(), "text": text})
