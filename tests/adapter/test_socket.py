"""A session over a real socket: from the connection to the close."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest
from livekit.agents import llm
from livekit.agents.types import APIConnectOptions

from rtfsm.adapters.livekit import ProviderError
from rtfsm.adapters.phonic import RealtimeModel, codec
from rtfsm.testing.phonic_server import Call, PhonicServer, messages
from rtfsm.testing.virtual_time import run
from tests.adapter.stage import KEY, Talk, attentive, mute, spoken, talking, user

FAST = APIConnectOptions(max_retry=2, retry_interval=0.5, timeout=3.0)


# -- the beginning -------------------------------------------------------------------------------------------------


def test_the_configuration_is_sent_once_and_the_conversation_begins() -> None:
    async def main() -> None:
        async with talking(voice="sabrina") as talk:
            assert talk.order() == ["config"]
            (config,) = talk.sent("config")
            assert config["system_prompt"] == "Be brief."
            assert config["voice_id"] == "sabrina"
            assert [tool["tool_schema"]["function"]["name"] for tool in config["tools"]] == ["weather"]
            assert talk.host.named("conversation_created") == ["conv_0"]
            assert talk.host.named("error") == []

    run(main())


def test_a_socket_that_opens_first_waits_for_the_configuration() -> None:
    async def main() -> None:
        async with PhonicServer(attentive) as server:
            talk = Talk(server, RealtimeModel(api_key=KEY, base_url=server.url))
            await talk.until(lambda: talk.session.turn.session == "AWAITING_CONFIG")
            await asyncio.sleep(5)
            assert talk.order() == []
            await talk.configure()
            await talk.until_ready()
            await talk.session.aclose()
            assert talk.order() == ["config"]

    run(main())


def test_what_changes_between_configuration_and_consent_follows_as_an_update() -> None:
    async def main() -> None:
        async def slow(call: Call) -> None:
            await call.handshake(ready_after=2.0)

        async with talking(slow, ready=False) as talk:
            await talk.until(lambda: talk.session.turn.session == "STARTING")
            await talk.session.update_instructions("Be long.")
            await talk.until_ready()
            await talk.settle()
            assert talk.order() == ["config", "update_system_prompt"]
            assert talk.sent("update_system_prompt")[0]["system_prompt"] == "Be long."

    run(main())


def _shown(records: list[logging.LogRecord], *objects: object) -> str:
    formatter = logging.Formatter()
    return "\n".join([*(formatter.format(record) for record in records), *map(repr, objects), *map(str, objects)])


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All logs at DEBUG, but for the scripted server's: it is in this process, and writes down what it is sent."""
    server = logging.getLogger("websockets.server")
    caplog.set_level(logging.DEBUG)
    server.disabled = True
    yield caplog
    server.disabled = False


def test_a_refused_key_is_one_fatal_error_that_does_not_show_the_key(
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        async with talking(refuse=401, ready=False) as talk:
            await talk.until(lambda: talk.session.turn.session == "CLOSED")
            (error,) = talk.host.named("error")
            assert not error.recoverable
            assert "401" in str(error.error)
            assert "check the API key" in str(error.error)
            assert talk.server.attempts == 1
            shown = (error, error.error, talk.session, talk.model, talk.session.turn, talk.session._shell.line.settings)
            assert KEY not in _shown(everything_logged.records, *shown)

    run(main())


def test_neither_the_key_nor_a_spoken_word_reaches_any_log(everything_logged: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*user("my card is 4111"), *spoken("zanzibar "), messages.error("zanzibar"))
            talk.host.say("zanzibar")
            await talk.settle()

    run(main())
    shown = _shown(everything_logged.records)
    assert "asyncio" in {record.name for record in everything_logged.records}
    for secret in (KEY, "zanzibar", "4111"):
        assert secret not in shown


def test_a_busy_server_is_tried_again_and_then_given_up_once() -> None:
    async def main() -> None:
        async with talking(refuse=503, ready=False, conn_options=FAST) as talk:
            began = asyncio.get_running_loop().time()
            reply = talk.host.generate_reply()
            await talk.until(lambda: talk.session.turn.session == "CLOSED")
            assert talk.server.attempts == 3
            assert 1.0 <= asyncio.get_running_loop().time() - began < 1.2
            (error,) = talk.host.named("error")
            assert not error.recoverable
            assert "503" in str(error.error)
            assert isinstance(reply.exception(), llm.RealtimeError)

    run(main())


def test_a_first_attempt_that_fails_costs_neither_the_welcome_nor_a_word_of_reconnecting() -> None:
    async def main() -> None:
        busy_once = lambda attempt: 503 if attempt == 0 else None  # noqa: E731
        async with talking(refuse=busy_once, welcome_message="Hello!", conn_options=FAST) as talk:
            assert talk.sent("config")[0]["welcome_message"] == "Hello!"
            assert talk.host.named("session_reconnected") == []

    run(main())


def test_a_server_that_never_gets_ready_is_left_and_tried_again() -> None:
    async def main() -> None:
        async with talking(mute, ready=False, conn_options=FAST) as talk:
            reply = talk.host.generate_reply()
            await talk.until(lambda: talk.session.turn.session == "CLOSED", seconds=120)
            assert len(talk.server.connections) == 3
            assert [error.recoverable for error in talk.host.named("error")] == [False]
            assert isinstance(reply.exception(), llm.RealtimeError)

    run(main())


def test_a_port_where_nobody_listens_ends_in_one_fatal_error() -> None:
    async def main() -> None:
        async with PhonicServer(attentive) as server:
            url = server.url
        model = RealtimeModel(api_key=KEY, base_url=url, conn_options=FAST)
        talk = Talk(server, model)
        await talk.configure()
        await talk.until(lambda: talk.session.turn.session == "CLOSED")
        await talk.session.aclose()
        (error,) = talk.host.named("error")
        assert "ConnectionRefusedError" in str(error.error)
        assert KEY not in repr(error)

    run(main())


# -- the end that the server makes ---------------------------------------------------------------------------------

ENDS = [1000, 1001, 1005, 4000, 4200, 4500, 4600, 4700]
FAILS = [1002, 1003, 1007, 1008, 1009, 4010, 4999]
RETRIES = [1011, 1012, 1013, 1014, 4004, 4800, 4801]


@pytest.mark.parametrize("code", ENDS)
def test_an_intended_close_ends_the_conversation_and_is_no_error(code: int) -> None:
    async def main() -> None:
        async with talking() as talk:
            reply = talk.host.generate_reply()
            await talk.hears(*spoken("Half ", finished=False))
            await talk.call.close(code)
            await talk.until(lambda: talk.session.turn.session == "CLOSED")
            assert talk.host.named("conversation_ended") == [code]
            assert talk.host.named("error") == []
            assert reply.done()
            assert not talk.host.open
            assert len(talk.server.connections) == 1

    run(main())


@pytest.mark.parametrize("code", FAILS)
def test_a_close_that_no_attempt_would_cure_is_one_fatal_error(code: int) -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.call.close(code)
            await talk.until(lambda: talk.session.turn.session == "CLOSED")
            (error,) = talk.host.named("error")
            assert not error.recoverable
            assert str(code) in str(error.error)
            assert talk.host.named("conversation_ended") == []
            assert len(talk.server.connections) == 1

    run(main())


@pytest.mark.parametrize("code", [*RETRIES, None])
def test_a_close_that_may_pass_leads_to_another_connection(code: int | None) -> None:
    async def main() -> None:
        async with talking() as talk:
            if code is None:
                await talk.call.drop()
            else:
                await talk.call.close(code)
            await talk.until(lambda: len(talk.server.connections) == 2)
            await talk.until_ready()
            assert len(talk.host.named("session_reconnected")) == 1
            assert talk.host.named("error") == []

    run(main())


def test_a_server_that_restarts_is_connected_again_and_one_that_goes_away_is_not() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.call.close(1001, "Server restarting")
            await talk.until(lambda: len(talk.server.connections) == 2)
            await talk.until_ready()
            await talk.call.close(1001, "going away")
            await talk.until(lambda: talk.session.turn.session == "CLOSED")
            assert talk.host.named("conversation_ended") == [1001]

    run(main())


@pytest.mark.parametrize(("code", "ended", "errors"), [(1000, 1, 0), (4010, 0, 1)])
def test_a_close_before_the_consent_is_told_as_one_after_it(code: int, ended: int, errors: int) -> None:
    async def main() -> None:
        async def leaves(call: Call) -> None:
            await call.expect("config")
            await call.close(code)

        async with talking(leaves, ready=False) as talk:
            await talk.until(lambda: talk.session.turn.session == "CLOSED")
            assert len(talk.host.named("conversation_ended")) == ended
            assert len(talk.host.named("error")) == errors

    run(main())


def test_a_dropped_connection_is_replaced_with_the_history_and_without_the_welcome() -> None:
    async def main() -> None:
        async with talking(welcome_message="Hello!") as talk:
            await talk.hears(*spoken("Hello!"), *user("I am Ann"), *spoken("Hi ", "Ann.", finished=False))
            await talk.call.close(1011)
            await talk.until(lambda: len(talk.server.connections) == 2)
            await talk.until_ready()
            first, second = talk.sent("config")
            assert first["welcome_message"] == "Hello!"
            assert second["welcome_message"] is None
            for words in ("Be brief.", "Hello!", "I am Ann", "Hi Ann."):
                assert words in second["system_prompt"]
            await talk.hears(*spoken("Go on."))
            assert [one.text for one in talk.host.generations] == ["Hello!", "Hi Ann.", "Go on."]
            assert talk.session.turn.epoch == 2

    run(main())


def test_attempts_are_counted_anew_in_each_outage() -> None:
    async def main() -> None:
        async with talking(conn_options=FAST) as talk:
            for lost in range(1, 5):
                await talk.call.drop()
                await talk.until(lambda lost=lost: len(talk.server.connections) == lost + 1)  # type: ignore[misc]
                await talk.until_ready()
            assert talk.host.named("error") == []

    run(main())


def test_an_error_of_which_the_table_says_so_ends_the_conversation_with_one_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(codec, "FATAL_ERRORS", frozenset({"done"}))

    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("One", finished=False))
            await talk.hears(messages.error("all is lost", code="done"), messages.error("and more", code="done"))
            (error,) = talk.host.named("error")
            assert not error.recoverable
            assert error.error.code == "done"
            assert talk.last.sealed
            await talk.until(lambda: talk.session.turn.session == "CLOSED")
            assert len(talk.host.named("error")) == 1

    run(main())


def test_an_error_that_the_end_of_the_connection_follows_is_told_apart_from_it() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(messages.error("too many calls", code="limit"))
            await talk.call.close(4010)
            await talk.settle()
            assert [error.recoverable for error in talk.host.named("error")] == [True, False]

    run(main())


def test_a_reported_error_does_not_end_the_conversation() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(messages.error("no such voice", code="bad", param_errors={"voice_id": "unknown"}))
            (error,) = talk.host.named("error")
            assert error.recoverable
            assert isinstance(error.error, ProviderError)
            assert (error.error.code, error.error.parameters) == ("bad", {"voice_id": "unknown"})
            await talk.hears(*spoken("Still here."))
            assert talk.last.text == "Still here."

    run(main())
