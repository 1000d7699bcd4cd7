"""Models for the scripted Phonic, right and wrong, and factories that make none."""

from __future__ import annotations

import os
from typing import Any

from livekit.agents import llm

from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.testing.memory import MemorySession

__all__ = ["SWITCH", "Fine", "NoModel", "Raises", "TakesNoAddress", "Wrong"]

SWITCH = "RTFSM_TEST_HEALED"
"""In the environment: the wrong model is right."""


class Fine(RealtimeModel):
    """Nothing is wrong with it."""


class Wrong(RealtimeModel):
    """Its sessions cannot be asked for a reply; unless the environment says that this was mended."""

    def session(self, *, turn_detection_disabled: bool = False) -> Any:
        session = super().session(turn_detection_disabled=turn_detection_disabled)

        def asks(**_: Any) -> Any:
            raise RuntimeError("nobody answers here")

        if not os.environ.get(SWITCH):
            session.generate_reply = asks  # type: ignore[method-assign]
        return session


class Raises(RealtimeModel):
    """It cannot be made."""

    def __init__(self, **_: Any) -> None:
        raise RuntimeError("no licence")


def TakesNoAddress(api_key: str) -> llm.RealtimeModel:
    """It cannot be pointed at another server."""
    return RealtimeModel(api_key=api_key)


def NoModel(base_url: str) -> Any:
    """It makes something else."""
    return MemorySession
