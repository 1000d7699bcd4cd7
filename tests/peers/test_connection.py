"""Connections that close, drop, are refused or never get ready."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from livekit.agents import llm

from rtfsm.testing.phonic_server import Call as ServerCall

from .plugins import KEY
from .stage import Alone, Stage
from .story import Seen, at_least, no_more_than, story
from .test_turns import CALL, FINISH, START, word


async def _seconds_to_fail(talk: Alone) -> float | None:
    """How long it takes until a request made now has failed; None if it has not after 9 s."""
    loop = asyncio.get_running_loop()
    began, reply = loop.time(), talk.rt.generate_reply()
    await asyncio.wait([reply], timeout=9)
    if not reply.done():
        return None
    took = round(loop.time() - began, 1)
    return took if not reply.cancelled() and isinstance(reply.exception(), llm.RealtimeError) else None


async def _closed(stage: Stage, talk: Alone, code: int, reason: str = "") -> None:
    connection = talk.connection
    await connection.close(code, reason)
    await talk.passes(0.5)
    stage.require(connection.closed.is_set(), "the connection did not close")
    stage.require("config" in connection.received_types(), "no conversation had begun")


@story(application_told=["ended"], seconds_until_a_request_fails=no_more_than(0.5))
async def test_a_server_that_closes_with_1000_does_not_leave_the_session_mute(stage: Stage) -> Seen:
    """The server closes the conversation with 1000; then the application asks for a reply."""
    async with stage.alone() as talk:
        await _closed(stage, talk, 1000)
        return {
            "application_told": talk.ear.ends,
            "seconds_until_a_request_fails": await _seconds_to_fail(talk),
        }


@story(application_told=["ended"], seconds_until_a_request_fails=no_more_than(0.5))
async def test_a_server_that_goes_away_with_1001_does_not_leave_the_session_mute(stage: Stage) -> Seen:
    """The server closes the conversation with 1001; then the application asks for a reply."""
    async with stage.alone() as talk:
        await _closed(stage, talk, 1001, "bye")
        return {
            "application_told": talk.ear.ends,
            "seconds_until_a_request_fails": await _seconds_to_fail(talk),
        }


@story(connections=2, errors=[], words_heard_on_the_second=["Here again."])
async def test_a_restart_of_the_server_goes_unnoticed(stage: Stage) -> Seen:
    """The server closes with 1001 and the reason "restarting"; another connection would be served."""
    async with stage.alone() as talk:
        await _closed(stage, talk, 1001, "restarting")
        return await _second(talk)


@story(connections=2, errors=[], words_heard_on_the_second=["Here again."])
async def test_a_restart_with_1012_goes_unnoticed(stage: Stage) -> Seen:
    """The server closes with 1012; another connection would be served."""
    async with stage.alone() as talk:
        await _closed(stage, talk, 1012)
        return await _second(talk)


@story(connections=2, errors=[], words_heard_on_the_second=["Here again."])
async def test_a_dropped_connection_goes_unnoticed(stage: Stage) -> Seen:
    """The TCP connection is aborted; another one would be served."""
    async with stage.alone() as talk:
        connection = talk.connection
        await connection.drop()
        await talk.passes(0.5)
        stage.require(connection.closed.is_set(), "the connection was not dropped")
        return await _second(talk)


async def _second(talk: Alone) -> Seen:
    await talk.passes(8)
    if len(talk.server.connections) == 2:
        await talk.hears(START, word("Here again."), FINISH)
    return {
        "connections": len(talk.server.connections),
        "errors": talk.ear.ends,
        "words_heard_on_the_second": talk.ear.spoken,
    }


@story(fatal_errors=1, errors_in_all=1)
async def test_a_loss_that_cannot_be_mended_is_one_error(stage: Stage) -> Seen:
    """The server closes with 1011, and every further connection is refused with 503."""
    async with stage.alone(refuse=lambda attempt: 503 if attempt else None) as talk:
        await _closed(stage, talk, 1011)
        await talk.passes(150)
        return {"fatal_errors": talk.ear.ends.count("fatal error"), "errors_in_all": len(talk.ear.ends)}


@story(application_told=["ended"], connections=1)
async def test_a_silent_user_s_end_of_the_conversation_is_no_error(stage: Stage) -> Seen:
    """The server closes with 4500, as Phonic does after a long silence of the user."""
    async with stage.alone() as talk:
        await _closed(stage, talk, 4500, "no input received timeout")
        await talk.passes(8)
        return {"application_told": talk.ear.ends, "connections": len(talk.server.connections)}


@story(application_told=["ended"], connections=1)
async def test_the_assistant_s_end_of_the_conversation_is_no_error(stage: Stage) -> Seen:
    """The server closes with 4600, as Phonic does when the assistant hung up."""
    async with stage.alone() as talk:
        await _closed(stage, talk, 4600, "assistant ended")
        await talk.passes(8)
        return {"application_told": talk.ear.ends, "connections": len(talk.server.connections)}


@story(application_told_of_the_output=True)
async def test_an_output_for_a_conversation_that_is_over_is_not_dropped_in_silence(stage: Stage) -> Seen:
    """tool_call; the server closes with 1000; then the tool returns."""
    async with stage.alone() as talk:
        await talk.hears(CALL)
        call = talk.the_call()
        await _closed(stage, talk, 1000)
        before = len(talk.ear.news)
        await talk.output(call)
        return {"application_told_of_the_output": len(talk.ear.news) > before}


@story(application_told_before_or_by_the_handoff=at_least(1), seconds_it_took=no_more_than(30))
async def test_another_agent_does_not_take_over_a_dead_connection_in_silence(stage: Stage) -> Seen:
    """The server closes with 1000; another agent is to take over."""
    async with stage.alone() as talk:
        await _closed(stage, talk, 1000)
        loop = asyncio.get_running_loop()
        began = loop.time()
        handoff = asyncio.ensure_future(
            talk.rt._update_session(instructions="Another.", chat_ctx=llm.ChatContext.empty(), tools=[])
        )
        await asyncio.wait([handoff], timeout=40)
        took = round(loop.time() - began, 1) if handoff.done() else None
        raised = handoff.done() and handoff.exception() is not None
        return {"application_told_before_or_by_the_handoff": len(talk.ear.ends) + raised, "seconds_it_took": took}


class _Lines(logging.Handler):
    """Everything that is logged, with its tracebacks and its extra fields."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.text = ""
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.text += self.format(record) + "\n" + str(record.__dict__) + "\n"


@contextmanager
def _logged() -> Iterator[_Lines]:
    lines, names = _Lines(), ("", "livekit", "livekit.agents", "livekit.plugins.phonic", "rtfsm")
    for name in names:
        logging.getLogger(name).addHandler(lines)
    try:
        yield lines
    finally:
        for name in names:
            logging.getLogger(name).removeHandler(lines)


@story(handshakes=1, errors=["fatal error"], API_key_in_the_log=False, API_key_in_the_error=False)
async def test_a_refused_key_is_told_once_and_not_shown(stage: Stage) -> Seen:
    """Every handshake is answered with 401."""
    with _logged() as lines:
        async with stage.alone(refuse=401, ready=False) as talk:
            await talk.passes(60)
            stage.require(talk.server.attempts, "nobody tried to connect")
            errors: list[Any] = talk.ear.named("error")
            shown = "".join(f"{error!r} {error} {error.error!r} {error.error}" for error in errors)
            return {
                "handshakes": talk.server.attempts,
                "errors": talk.ear.ends,
                "API_key_in_the_log": KEY in lines.text,
                "API_key_in_the_error": KEY in shown,
            }


@story(handshakes=3, errors=[], API_key_in_the_log=False)
async def test_a_server_that_is_busy_for_a_moment_is_tried_again(stage: Stage) -> Seen:
    """The first two handshakes are answered with 503, the third would be served."""
    with _logged() as lines:
        async with stage.alone(ready=False, refuse=lambda attempt: 503 if attempt < 2 else None) as talk:
            await talk.passes(60)
            stage.require(talk.server.attempts, "nobody tried to connect")
            return {
                "handshakes": talk.server.attempts,
                "errors": talk.ear.ends,
                "API_key_in_the_log": KEY in lines.text,
            }


@story(application_told=at_least(1))
async def test_a_server_that_never_gets_ready_is_given_up(stage: Stage) -> Seen:
    """The server takes every configuration and never gets ready; the user speaks; two minutes pass."""

    async def server(call: ServerCall) -> None:
        await call.expect("config")

    async with stage.alone(server, ready=False) as talk:
        await talk.passes(0.5)
        stage.require(talk.server.connections and talk.sent("config"), "no configuration was sent")
        talk.push(1000)
        await talk.passes(120)
        stage.require(not talk.sent("audio_chunk"), "the microphone was opened although nobody was ready")
        return {"application_told": len(talk.ear.ends)}
