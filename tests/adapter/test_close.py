"""The end that the host makes: quick, complete and silent, whatever was going on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit.agents import llm
from livekit.agents.types import APIConnectOptions

from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.testing.memory import MemorySession
from rtfsm.testing.phonic_server import PhonicServer, messages
from rtfsm.testing.virtual_time import run
from tests.adapter.stage import KEY, Talk, attentive, frame, mute, spoken, talking

FAST = APIConnectOptions(max_retry=2, retry_interval=0.5, timeout=3.0)


@pytest.mark.parametrize("state", ["CONNECTING", "AWAITING_CONFIG", "STARTING", "READY", "RECONNECTING", "CLOSED"])
def test_closing_is_quick_and_complete_in_every_state(state: str) -> None:
    async def main() -> None:
        async with PhonicServer(mute if state == "STARTING" else attentive) as server:
            talk = Talk(server, RealtimeModel(api_key=KEY, base_url=server.url))
            if state not in ("CONNECTING", "AWAITING_CONFIG"):
                await talk.configure()
            if state in ("RECONNECTING", "CLOSED"):
                await talk.until_ready()
                await (talk.call.drop() if state == "RECONNECTING" else talk.call.close(1000))
            await talk.until(lambda: talk.session.turn.session == state)
            reply, words = talk.host.generate_reply(), talk.host.say("Hello")
            began = asyncio.get_running_loop().time()
            await talk.session.aclose()
            await talk.session.aclose()
            assert asyncio.get_running_loop().time() - began < 0.5
            assert isinstance(reply.exception(), llm.RealtimeError)
            assert isinstance(words.exception(), llm.RealtimeError)
            assert talk.host.named("error") == []
            assert talk.session.turn.session == "CLOSED"
            talk.host.check_closed()
            assert [task for task in asyncio.all_tasks() if "rtfsm" in task.get_name()] == []

    run(main())


def test_two_closers_at_once_both_return() -> None:
    async def main() -> None:
        async with talking() as talk:
            await asyncio.gather(talk.session.aclose(), talk.session.aclose(), talk.session.aclose())
            assert talk.session.turn.session == "CLOSED"

    run(main())


def test_a_close_in_the_middle_of_everything_settles_it_in_the_same_tick() -> None:
    async def main() -> None:
        async with talking() as talk:
            reply = talk.host.generate_reply()
            await talk.hears(*spoken("Half ", finished=False), messages.tool_call("c", "weather", {"city": "Rome"}))
            queued = talk.host.say("Later")
            closing = asyncio.create_task(talk.session.aclose())
            await asyncio.sleep(0)
            assert not talk.host.open
            assert reply.done()
            assert isinstance(queued.exception(), llm.RealtimeError)
            assert talk.host.named("tool_call_ended") == [("c", "ORPHANED")]
            await closing

    run(main())


def test_a_server_that_does_not_answer_the_close_is_left_after_two_seconds() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.connection._socket.transport.pause_reading()
            began = asyncio.get_running_loop().time()
            await talk.session.aclose()
            assert asyncio.get_running_loop().time() - began < 2.5
            talk.connection._socket.transport.abort()

    run(main())


def test_a_connection_that_drops_while_we_close_is_the_end_of_it() -> None:
    async def main() -> None:
        async with talking() as talk:
            closing = asyncio.create_task(talk.session.aclose())
            await asyncio.sleep(0)
            assert talk.session.turn.session == "CLOSING"
            talk.connection._socket.transport.abort()
            await closing
            assert talk.host.named("error") == []
            assert talk.host.named("session_reconnected") == []

    run(main())


def test_nothing_is_told_once_the_close_has_begun() -> None:
    async def main() -> None:
        async with talking() as talk:
            closing = asyncio.create_task(talk.session.aclose())
            await asyncio.sleep(0)
            told = len(talk.host.told)
            talk.session._shell.received(1, '{"type":"dtmf","digits":"1"}')
            talk.session._shell.received(1, '{"type":"assistant_started_speaking"}')
            talk.session._shell.received(1, '{"type":"error","error":{"message":"late"}}')
            await closing
            assert len(talk.host.told) == told

    run(main())


def test_after_the_close_every_call_is_harmless() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.session.aclose()
            told = len(talk.host.told)
            session = talk.session
            session.push_audio(frame())
            session.interrupt()
            session.clear_audio()
            session.commit_audio()
            session.update_options(voice="other")
            session.truncate(message_id="x", modalities=["text"], audio_end_ms=0, audio_transcript="")
            await session.update_instructions("No.")
            await session.update_tools([])
            await session.update_chat_ctx(llm.ChatContext.empty())
            await talk.configure()
            for future in (talk.host.generate_reply(), talk.host.say("No.")):
                await talk.settle()
                assert isinstance(future.exception(), llm.RealtimeError)
            assert len(talk.host.told) == told
            assert len(talk.server.connections) == 1

    run(main())


def test_a_session_closed_before_the_loop_has_turned_once_closes_at_once() -> None:
    async def main() -> None:
        async with PhonicServer(attentive) as server:
            talk = Talk(server, RealtimeModel(api_key=KEY, base_url=server.url))

            async def never() -> AsyncIterator[str]:
                await asyncio.Event().wait()
                yield "never"

            words = talk.host.say(never())
            began = asyncio.get_running_loop().time()
            await talk.session.aclose()
            assert asyncio.get_running_loop().time() - began < 0.5
            assert isinstance(words.exception(), llm.RealtimeError)
            talk.host.check_closed()

    run(main())


def test_a_deadline_that_the_loop_calls_a_hair_early_has_come() -> None:
    class Early:
        """The running loop, but for a clock that may be a hair behind it."""

        def __init__(self) -> None:
            self.lag = 0.0
            self._loop = asyncio.get_running_loop()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._loop, name)

        def time(self) -> float:
            return self._loop.time() - self.lag

    async def main() -> None:
        session = MemorySession(RealtimeModel(api_key=KEY, base_url="ws://nowhere", conn_options=FAST))
        clock = Early()
        session._shell._loop = clock  # type: ignore[assignment]
        session.wire.lose(1006)
        deadline = session.conversation.next_deadline()
        assert deadline is not None
        assert session.turn.session == "RECONNECTING"
        clock.lag = 5e-10
        await asyncio.sleep(0.6)
        assert session.turn.session == "CONNECTING"
        await session.aclose()

    run(main())
