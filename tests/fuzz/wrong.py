"""Models for the scripted Phonic, right and wrong, and factories that make none."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from livekit.agents import llm

from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.testing.memory import MemorySession
from rtfsm.vocabulary.effects import PushText

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


class CannotCommit(RealtimeModel):
    """The user's sound cannot be committed."""

    def session(self, *, turn_detection_disabled: bool = False) -> Any:
        session = super().session(turn_detection_disabled=turn_detection_disabled)

        def commit() -> None:
            raise NotImplementedError

        session.commit_audio = commit  # type: ignore[method-assign]
        return session


class OnePersona(RealtimeModel):
    """All its sessions are given the instructions of the first."""

    def session(self, *, turn_detection_disabled: bool = False) -> Any:
        session = super().session(turn_detection_disabled=turn_detection_disabled)
        configure = session._update_session

        async def same(**keywords: Any) -> None:
            self.first = getattr(self, "first", keywords["instructions"])
            await configure(**{**keywords, "instructions": self.first})

        session._update_session = same  # type: ignore[method-assign]
        return session


class KeepsOutputs(RealtimeModel):
    """What tools return stays with it."""

    def session(self, *, turn_detection_disabled: bool = False) -> Any:
        session = super().session(turn_detection_disabled=turn_detection_disabled)

        async def keep(chat_ctx: llm.ChatContext) -> None:
            pass

        session.update_chat_ctx = keep  # type: ignore[method-assign]
        return session


class Stammers(RealtimeModel):
    """It says every word twice."""

    def session(self, *, turn_detection_disabled: bool = False) -> Any:
        session = super().session(turn_detection_disabled=turn_detection_disabled)
        handlers = session._shell._handlers
        push = handlers[PushText]

        def twice(*arguments: Any) -> None:
            push(*arguments)
            push(*arguments)

        handlers[PushText] = twice
        return session


class LosesErrors(RealtimeModel):
    """An interruption fails where nobody looks."""

    def session(self, *, turn_detection_disabled: bool = False) -> Any:
        session = super().session(turn_detection_disabled=turn_detection_disabled)

        def interrupt() -> None:
            asyncio.get_running_loop().call_soon(int, "no number")

        session.interrupt = interrupt  # type: ignore[method-assign]
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
