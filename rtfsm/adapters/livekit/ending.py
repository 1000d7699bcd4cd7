"""What an AgentSession does when the provider's conversation is over."""

from __future__ import annotations

import weakref
from typing import Any

from livekit.agents import AgentSession, llm
from livekit.agents.voice.events import EventTypes

from .session import RealtimeSession

__all__ = ["close_when_ended"]

LOOKED_AT: tuple[EventTypes, ...] = (
    "agent_state_changed", "user_state_changed", "speech_created", "conversation_item_added",
)  # fmt: skip
"""Events of the AgentSession after which it may have another realtime session (livekit-agents 1.8.9)."""


def close_when_ended(session: AgentSession[Any]) -> None:
    """Shut the AgentSession down when the provider's conversation has ended, for instance since the assistant hung up.

    Call it once, before or after ``session.start()``. What the assistant said last is heard to its end, tools that run
    are waited for, and the session's ``close`` event tells no error. It follows the session through handoffs to agents
    with a model of their own. An end by an error is LiveKit's to handle: it closes the session by itself.

    Raises TypeError for anything but an AgentSession.
    """
    if not isinstance(session, AgentSession):
        raise TypeError(f"close_when_ended takes a livekit.agents.AgentSession, not a {type(session).__name__}")
    heard: weakref.WeakSet[llm.RealtimeSession[Any]] = weakref.WeakSet()

    def ended(_: object) -> None:
        session.shutdown(drain=True)

    def look(_: object = None) -> None:
        realtime = _realtime_session(session)
        if realtime is None or realtime in heard:
            return
        heard.add(realtime)
        realtime.on("conversation_ended", ended)
        if isinstance(realtime, RealtimeSession) and realtime.over:
            ended(None)

    for name in LOOKED_AT:
        session.on(name, look)
    look()


def _realtime_session(session: AgentSession[Any]) -> llm.RealtimeSession[Any] | None:
    try:
        return session.current_agent.realtime_llm_session
    except RuntimeError:  # it has not started, has been closed, or its agent speaks without such a model
        return None
