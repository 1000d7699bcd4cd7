"""A caller in a real AgentSession with our model, and the scripted Realtime service at the other end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from livekit.agents import Agent

from rtfsm.adapters.openai import RealtimeModel, RealtimeSession
from rtfsm.testing.headless import Call, headless_session
from rtfsm.testing.openai_server import Call as ServerCall
from rtfsm.testing.openai_server import OpenAIServer
from tests.contract.openai_stage import TrustingModel

KEY = "sk-secret-0123456789"


@asynccontextmanager
async def calling(
    scenario: Callable[[ServerCall], Awaitable[None]],
    agent: Agent | None = None,
    *,
    trusted: bool = True,
    server: dict[str, Any] | None = None,
    model: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[tuple[Call, OpenAIServer]]:
    """A call; at its end everybody must have behaved."""
    async with OpenAIServer(scenario, **(server or {})) as service:
        made = TrustingModel if trusted else RealtimeModel
        ours = made(api_key=KEY, base_url=service.base_url, **(model or {}))
        async with headless_session(ours, agent, **options) as call:
            session = adapter(call)
            yield call, service
        call.assert_sane()
        assert session.conversation.monitor.violations == []
        assert session.conversation.refused == 0
        assert session._shell.failed_effects == 0
        assert session.turn.session == "CLOSED"
    service.assert_client_correct()


def adapter(call: Call) -> RealtimeSession:
    """Our session inside the AgentSession."""
    session = call.session.current_agent.realtime_llm_session
    assert isinstance(session, RealtimeSession)
    return session
