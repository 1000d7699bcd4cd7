"""A message as a text frame."""

from __future__ import annotations

import json
from typing import Any

import msgspec

__all__ = ["frame_of"]


def frame_of(message: dict[str, Any]) -> str:
    """A message as a text frame. Half characters (lone surrogates), which no UTF-8 can carry, become "?"."""
    try:
        return msgspec.json.encode(message).decode()
    except UnicodeEncodeError:
        return json.dumps(message, ensure_ascii=False).encode("utf-8", "replace").decode()
