"""The same faults as an application meets them: inside a real AgentSession."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from rtfsm.testing.headless import Call
from rtfsm.testing.phonic_server import Call as ServerCall
from rtfsm.testing.phonic_server import messages
from rtfsm.testing.virtual_time import run
from tests.adapter.caller import adapter, asks, calling
from tests.adapter.stage import SOUND

from .expected import TABLE, End, Stretch
from .faults import Fault, named

ANSWER = "It is sunny."


def _server(fault: Fault) -> Callable[[ServerCall], Awaitable[None]]:
    """Answers a first question in part, is struck, and answers a second question in full."""

    async def scenario(call: ServerCall) -> None:
        await call.handshake()
        if call.connection.number == 0:
            await asks(call, "What is the weather?")
            await call.send(messages.assistant_started_speaking())
            await call.send(messages.audio_chunk(SOUND, "One moment."))
            await call.delay(0.5)
            assert fault.strike is not None
            await fault.strike(call.connection)
            await call.send(messages.assistant_finished_speaking())
            await call.delay(1.0)
        await asks(call, "And now?")
        await call.say(ANSWER)

    return scenario


@pytest.mark.parametrize("name", ["dropped", "1012", "1011", "4800", "garbage of every kind"])
def test_the_next_question_is_answered_after(name: str) -> None:
    fault = named(name)
    assert TABLE[Stretch.RUNNING][fault.kind] in (End.RESUMED, End.AGAIN, End.GOES_ON)

    async def main() -> None:
        async with calling(_server(fault)) as (call, _):
            await call.until(lambda: _said(call) == ["What is the weather?", "One moment.", "And now?", ANSWER])
            await call.idle()
            assert call.session.agent_state == "listening"
            assert call.named("error") == []
            assert call.named("close") == []

    run(main())


def test_an_intended_end_is_told_to_the_application_once() -> None:
    async def main() -> None:
        told: list[int] = []
        async with calling(_server(named("4500"))) as (call, server):
            adapter(call).on("conversation_ended", told.append)
            await call.until(lambda: told)
            await call.idle()
            assert told == [4500]
            assert call.named("error") == []
            assert len(server.connections) == 1

    run(main())


def test_a_failure_closes_the_agent_session_with_one_error() -> None:
    async def main() -> None:
        allowed = ("AgentSession is closing due to unrecoverable error",)
        async with calling(_server(named("1008")), allowed=allowed) as (call, _):
            await call.until(lambda: call.named("close"))
            (closed,) = call.named("close")
            assert closed.reason.value == "error"
            assert len(call.named("error")) == 1

    run(main())


def _said(call: Call) -> list[str]:
    return [text for _, text, _ in call.history()]
