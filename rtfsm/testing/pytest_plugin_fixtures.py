"""Fixtures for plain tests: a scripted provider and a real AgentSession, in virtual time.

    def test_it_greets(virtual_time, phonic_server, headless_agent):
        async def story():
            async with phonic_server(scenario) as server:
                model = RealtimeModel(api_key="any", base_url=server.url)
                async with headless_agent(model) as call:
                    await call.until(call.history)
                    assert call.history() == [("assistant", "Hello.", False)]

        virtual_time(story())

A server and a session belong to the loop that they are opened in, so the fixtures give what opens them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .headless import Call
    from .phonic_server import PhonicServer

__all__ = ["headless_agent", "phonic_server", "virtual_time"]


@pytest.fixture
def virtual_time() -> Callable[..., Any]:
    """Runs a coroutine in virtual time, with real sockets, and returns its result: ``virtual_time(story())``.

    The keywords are those of ``rtfsm.testing.run``, which this is.
    """
    from .virtual_time import run

    return run


@pytest.fixture
def phonic_server() -> Callable[..., AbstractAsyncContextManager[PhonicServer]]:
    """Opens a scripted Phonic on the loop that runs: ``async with phonic_server(scenario) as server``.

    The arguments are those of ``rtfsm.testing.PhonicServer``. At its end, unless the test has failed already, it raises
    AssertionError for whatever the client sent that no correct client sends, and for a scenario that failed.
    """
    from .phonic_server import PhonicServer

    @asynccontextmanager
    async def opened(*args: Any, **options: Any) -> AsyncIterator[PhonicServer]:
        async with PhonicServer(*args, **options) as server:
            yield server
        server.assert_client_correct()

    return opened


@pytest.fixture
def headless_agent() -> Callable[..., AbstractAsyncContextManager[Call]]:
    """Starts a real AgentSession without a room: ``async with headless_agent(model, tools=[...]) as call``.

    The arguments are those of ``rtfsm.testing.headless_session``. At its end, unless the test has failed already, it
    raises AssertionError for harmful log lines, for sound that no speaker could play, and for what was left behind.
    """
    from .headless import headless_session

    @asynccontextmanager
    async def opened(*args: Any, **options: Any) -> AsyncIterator[Call]:
        async with headless_session(*args, **options) as call:
            yield call
        call.assert_sane()

    return opened
