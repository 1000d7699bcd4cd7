"""A caller in a real AgentSession with our model, and the scripted server at the other end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from livekit.agents import Agent

from rtfsm.adapters.phonic import RealtimeModel, RealtimeSession
from rtfsm.testing.headless import Call, headless_session
from rtfsm.testing.phonic_server import Call as ServerCall
from rtfsm.testing.phonic_server import PhonicServer, messages
from tests.adapter.stage import KEY


@asynccontextmanager
async def calling(
    scenario: Callable[[ServerCall], Awaitable[None]], agent: Agent | None = None, **options: Any
) -> AsyncIterator[tuple[Call, PhonicServer]]:
    """A call; at its end everybody must have behaved."""
    async with PhonicServer(scenario) as server:
        model = RealtimeModel(api_key=KEY, base_url=server.url, **options.pop("model", {}))
        async with headless_session(model, agent, **options) as call:
            session = adapter(call)
            yield call, server
        call.assert_sane()
        assert session.conversation.monitor.violations == []
        assert session.conversation.refused == 0
        assert session._shell.failed_effects == 0
        assert session.turn.session == "CLOSED"
    server.assert_client_correct()


def adapter(call: Call) -> RealtimeSession:
    """Our session inside the AgentSession."""
    activity = call.session._activity
    assert activity is not None
    session = activity.realtime_llm_session
    assert isinstance(session, RealtimeSession)
    return session


def states(call: Call) -> list[str]:
    return [new for _, _, new in call.states]


async def asks(call: ServerCall, text: str, *, seconds: float = 0.5) -> None:
    """The user speaks for a while, and is understood."""
    await call.send(messages.user_started_speaking())
    await call.delay(seconds)
    await call.send(messages.user_finished_speaking())
    await call.send(messages.input_text(text))
