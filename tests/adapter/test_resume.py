"""A connection that breaks in the middle of a conversation: another one goes on with it, or it begins anew."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from livekit.agents import llm
from livekit.agents.types import APIConnectOptions

from rtfsm.adapters.phonic.transport import CLOSE_CODES, loss_of_close
from rtfsm.testing.phonic_server import Call, messages
from rtfsm.testing.virtual_time import run
from rtfsm.vocabulary.wire import Loss
from tests.adapter.stage import Talk, spoken, talking, user

Break = Callable[[Call], Awaitable[None]]
BREAKS: dict[str, Break] = {
    "dropped": lambda call: call.drop(),
    "restart": lambda call: call.close(1012),
    "restarting": lambda call: call.close(1001, "restarting"),
}


async def reconnected(talk: Talk, count: int = 2) -> None:
    await talk.until(lambda: len(talk.server.connections) == count)
    await talk.until_ready()
    await talk.settle()


def resumed(talk: Talk) -> list[str | None]:
    """The conversation that each connection asked to go on with."""
    return [connection.query.get("reconnect_conv_id") for connection in talk.server.connections]


@pytest.mark.parametrize("name", BREAKS)
def test_a_connection_that_breaks_is_followed_by_one_that_goes_on(name: str) -> None:
    async def main() -> None:
        async with talking(welcome_message="Hello!") as talk:
            await talk.hears(*spoken("Hello!"), *user("I am Ann."))
            await BREAKS[name](talk.call)
            await reconnected(talk)
            assert resumed(talk) == [None, "conv_0"]
            assert talk.order() == []
            assert len(talk.sent("config")) == 1
            assert len(talk.host.named("session_reconnected")) == 1
            await talk.hears(*spoken("Hi Ann."))
            assert talk.said() == [("assistant", "Hello!"), ("user", "I am Ann."), ("assistant", "Hi Ann.")]
            assert not talk.host.named("error")

    run(main())


def test_a_conversation_can_be_gone_on_with_more_than_once() -> None:
    async def main() -> None:
        async with talking() as talk:
            for count in (2, 3, 4, 5, 6):
                await talk.call.drop()
                await reconnected(talk, count)
            assert resumed(talk) == [None, *["conv_0"] * 5]

    run(main())


@pytest.mark.parametrize("code", [1011, 1013, 4004])
def test_another_loss_begins_a_conversation_anew(code: int) -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*user("I am Ann."))
            await talk.call.close(code)
            await reconnected(talk)
            assert resumed(talk) == [None, None]
            assert "I am Ann." in talk.sent("config")[1]["system_prompt"]
            assert len(talk.host.named("session_reconnected")) == 1

    run(main())


@pytest.mark.parametrize("code", [4800, 4801, 1011])
@pytest.mark.parametrize("retries", [1, 3])
def test_a_conversation_that_cannot_be_gone_on_with_begins_anew(code: int, retries: int) -> None:
    async def main() -> None:
        async def forgets(call: Call) -> None:
            if "reconnect_conv_id" in call.connection.query:
                await call.close(code)
            else:
                await call.handshake()

        options = APIConnectOptions(max_retry=retries, retry_interval=1.0)
        async with talking(forgets, welcome_message="Hello!", conn_options=options) as talk:
            await talk.hears(*user("I am Ann."))
            await talk.call.drop()
            await reconnected(talk, 3)
            assert resumed(talk) == [None, "conv_0", None]
            again = talk.sent("config")[1]
            assert "I am Ann." in again["system_prompt"]
            assert again["welcome_message"] is None
            assert len(talk.host.named("session_reconnected")) == 1
            assert not talk.host.named("error")

    run(main())


@pytest.mark.parametrize("retries", [1, 3])
def test_a_connection_that_breaks_while_it_is_to_go_on_is_followed_by_another(retries: int) -> None:
    async def main() -> None:
        breaks = 2

        async def breaks_twice(call: Call) -> None:
            nonlocal breaks
            if "reconnect_conv_id" in call.connection.query and breaks:
                breaks -= 1
                await asyncio.sleep(0.5)  # the handshake is over by then
                await call.drop()
            else:
                await call.handshake()

        options = APIConnectOptions(max_retry=retries, retry_interval=1.0)
        async with talking(breaks_twice, conn_options=options) as talk:
            await talk.hears(*user("I am Ann."))
            await talk.call.drop()
            await reconnected(talk, 4)
            assert resumed(talk) == [None, *["conv_0"] * 3]
            assert len(talk.sent("config")) == 1
            assert len(talk.host.named("session_reconnected")) == 1
            assert not talk.host.named("error")

    run(main())


def test_a_server_that_does_not_say_that_it_goes_on_is_asked_anew() -> None:
    async def main() -> None:
        async def silent(call: Call) -> None:
            if "reconnect_conv_id" not in call.connection.query:
                await call.handshake()

        async with talking(silent) as talk:
            await talk.call.drop()
            await reconnected(talk, 3)
            assert resumed(talk) == [None, "conv_0", None]

    run(main())


def test_a_handshake_that_is_refused_for_good_is_tried_without_the_conversation() -> None:
    async def main() -> None:
        async with talking(refuse=lambda attempt: 404 if attempt == 1 else None) as talk:
            await talk.call.drop()
            await reconnected(talk)
            assert resumed(talk) == [None, None]

    run(main())


def test_a_server_that_is_away_for_a_while_is_asked_to_go_on_for_half_a_minute() -> None:
    async def main(away: float) -> list[str | None]:
        options = APIConnectOptions(max_retry=100, retry_interval=2.0)
        began: list[float] = []

        def busy(attempt: int) -> int | None:
            now = asyncio.get_running_loop().time()
            if attempt == 0:
                return None
            began.append(now)
            return 503 if now - began[0] < away else None

        async with talking(refuse=busy, conn_options=options) as talk:
            await talk.call.drop()
            await reconnected(talk)
            return resumed(talk)

    assert run(main(25.0)) == [None, "conv_0"]
    assert run(main(31.0)) == [None, None]


def test_without_an_id_there_is_nothing_to_go_on_with() -> None:
    async def main() -> None:
        async def nameless(call: Call) -> None:
            await call.expect("config")
            await call.send(messages.ready_to_start_conversation())

        async with talking(nameless) as talk:
            await talk.call.drop()
            await reconnected(talk)
            assert resumed(talk) == [None, None]

    run(main())


def test_what_the_host_changes_meanwhile_is_told_once_the_conversation_goes_on() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.call.drop()
            await talk.settle()
            await talk.session.update_instructions("Be kind.")
            await reconnected(talk)
            assert talk.sent("update_system_prompt") == [{"type": "update_system_prompt", "system_prompt": "Be kind."}]
            await talk.call.drop()
            await talk.settle()
            talk.session.update_options(voice="other")
            await reconnected(talk, 3)
            assert talk.order() == ["reset"]
            assert resumed(talk) == [None, "conv_0", "conv_0"]

    run(main())


def test_a_remark_that_is_made_meanwhile_is_told_once() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.call.drop()
            await talk.settle()
            ctx = talk.session.chat_ctx
            ctx.add_message(role="system", content="It rains.")
            await talk.session.update_chat_ctx(ctx)
            await reconnected(talk)
            assert talk.sent("add_system_message") == [{"type": "add_system_message", "system_message": "It rains."}]

    run(main())


@pytest.mark.parametrize("when", ["while it is away", "once it is back"])
def test_the_output_for_a_call_of_a_connection_that_broke_is_dropped_and_told(when: str) -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("One moment."), messages.tool_call("c1", "weather", {"city": "Rome"}))
            (call,) = [call for one in talk.host.generations for call in one.calls]
            await talk.call.drop()
            await talk.settle()
            assert [name for name, _ in talk.host.told].count("tool_call_ended") == 1
            if when == "once it is back":
                await reconnected(talk)
            ctx = talk.session.chat_ctx
            ctx.items.append(
                llm.FunctionCallOutput(call_id=call.call_id, name=call.name, output="sunny", is_error=False)
            )
            await talk.session.update_chat_ctx(ctx)
            assert talk.host.named("tool_output_dropped") == ["c1"]
            await reconnected(talk)
            assert talk.sent("tool_call_output") == []

    run(main())


def test_what_is_asked_meanwhile_is_asked_of_the_conversation_that_goes_on() -> None:
    async def main() -> None:
        async with talking() as talk:
            lost = talk.host.generate_reply()
            await talk.settle()
            await talk.call.drop()
            await talk.settle()
            assert isinstance(lost.exception(), llm.RealtimeError)
            asked = talk.host.generate_reply()
            await reconnected(talk)
            assert talk.order() == ["generate_reply"]
            await talk.hears(*spoken("Here I am."))
            assert (await asked).user_initiated

    run(main())


def test_every_close_code_has_one_meaning_and_an_unknown_one_is_a_failure() -> None:
    resumable = {code for code, (loss, _) in CLOSE_CODES.items() if loss is Loss.RESUMABLE}
    assert resumable == {1006, 1012}
    meanings: dict[tuple[Any, str], Loss] = {
        (None, ""): Loss.RESUMABLE,
        (1001, "restarting"): Loss.RESUMABLE,
        (1001, "Server restarting now"): Loss.RESUMABLE,
        (1001, ""): Loss.NORMAL,
        (1000, "restarting"): Loss.NORMAL,
        (4999, ""): Loss.FAILED,
    }
    assert {key: loss_of_close(*key) for key in meanings} == meanings
    listed = {1000, 1005, 1006, 1011, 1012, 4000, 4004, 4010, 4200, 4500, 4600, 4700, 4800, 4801}
    assert listed <= CLOSE_CODES.keys()
