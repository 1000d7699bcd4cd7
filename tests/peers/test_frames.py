"""Frames that are not what the protocol says."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from rtfsm.testing.phonic_server import Call as ServerCall
from rtfsm.testing.phonic_server import CallEnded, messages

from .stage import SOUND, Stage
from .story import Seen, at_least, at_most, story
from .test_turns import FINISH, START, word


async def _survives(stage: Stage, *frames: str | bytes) -> Seen:
    """What is heard and told after these frames."""
    async with stage.alone() as talk:
        before = len(talk.ear.told)
        await talk.call.raw(frames[0])
        await talk.passes(0.1)
        for frame in frames[1:]:
            with contextlib.suppress(CallEnded):
                await talk.call.raw(frame)
                await talk.passes(0.1)
        stage.require(before == 0, "something was told before")
        stage.require("config" in talk.connection.received_types(), "no conversation had begun")
        await talk.hears_if_there(START, word("Fine."), FINISH)
        await talk.passes(0.5)
        return {
            "words_heard_afterwards": talk.ear.spoken,
            "fatal_errors": talk.ear.ends.count("fatal error"),
            "connections": len(talk.server.connections),
        }


@story(words_heard_afterwards=["Fine."], fatal_errors=0, connections=1)
async def test_a_type_that_nobody_knows_is_passed_over(stage: Stage) -> Seen:
    """A message of an unknown type."""
    return await _survives(stage, '{"type":"nonsense"}')


@story(words_heard_afterwards=["Fine."], fatal_errors=0, connections=1)
async def test_a_frame_that_is_no_json_is_passed_over(stage: Stage) -> Seen:
    """Half an object."""
    return await _survives(stage, '{"type": "audio_')


@story(words_heard_afterwards=["Fine."], fatal_errors=0, connections=1)
async def test_null_is_passed_over(stage: Stage) -> Seen:
    """The frame null."""
    return await _survives(stage, "null")


@story(words_heard_afterwards=["Fine."], fatal_errors=0, connections=1)
async def test_an_array_is_passed_over(stage: Stage) -> Seen:
    """The frame []."""
    return await _survives(stage, "[]")


@story(words_heard_afterwards=["Fine."], fatal_errors=0, connections=1)
async def test_a_binary_frame_is_passed_over(stage: Stage) -> Seen:
    """Two bytes in a binary frame."""
    return await _survives(stage, b"\0\1")


@story(words_heard_afterwards=["Fine."], fatal_errors=0, connections=1)
async def test_an_error_without_a_body_does_not_end_the_session(stage: Stage) -> Seen:
    """A message of type error without its error."""
    return await _survives(stage, '{"type":"error"}', '{"type":"error","error":"boom"}')


@story(sound_sent_before_the_server_was_ready=0)
async def test_an_empty_object_is_no_consent_to_start(stage: Stage) -> Seen:
    """config, then {} and an object without a type; the user speaks; the server is ready 2 s later."""

    async def server(call: ServerCall) -> None:
        await call.expect("config")
        await call.raw("{}")
        await call.raw('{"conversation_id":"x"}')
        await call.delay(2)
        await call.send(messages.ready_to_start_conversation())

    async with stage.alone(server, ready=False) as talk:
        await talk.passes(0.5)
        stage.require(talk.sent("config"), "no configuration was sent")
        talk.push()
        await talk.passes(1)
        early = len(talk.sent("audio_chunk"))
        await talk.passes(2)
        talk.push()
        await talk.passes(0.5)
        stage.require(talk.sent("audio_chunk"), "no sound was sent when the server was ready")
        return {"sound_sent_before_the_server_was_ready": early}


@story(words_heard="bad odd none one", sound_handed_over_in_s=0, log_lines_or_counts=at_least(4))
async def test_broken_sound_is_dropped_its_words_are_kept_and_it_is_noted(stage: Stage) -> Seen:
    """Chunks with bad base64, three bytes, a number and one byte in place of sound, each with a word."""
    lines: list[logging.LogRecord] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record not in lines:  # a logger and its parent are both listened to
                lines.append(record)

    keeper = Keeper(logging.WARNING)
    loggers = [logging.getLogger(name) for name in ("livekit.plugins.phonic", "livekit", "rtfsm")]
    async with stage.alone() as talk:
        for logger in loggers:
            logger.addHandler(keeper)
        try:
            broken = (("AQ", "bad "), ("AQAB", "odd "), (5, "none "), ("AQ==", "one"))
            chunks = [{"type": "audio_chunk", "audio": sound, "text": text} for sound, text in broken]
            await talk.hears(START, *chunks, FINISH)
        finally:
            for logger in loggers:
                logger.removeHandler(keeper)
        stage.require(talk.ear.generations, "no turn was opened")
        malformed = getattr(getattr(talk.rt, "turn", None), "malformed", {})
        return {
            "words_heard": " ".join(talk.ear.spoken),
            "sound_handed_over_in_s": sum(one.seconds for one in talk.ear.generations),
            "log_lines_or_counts": max(len(lines), sum(malformed.values())),
        }


@story(sessions_closed_by_it=0, words_heard_afterwards=["assistant: Let us go on."], errors_told=at_most(1))
async def test_an_error_message_does_not_close_the_agent_session(stage: Stage) -> Seen:
    """An error with a code, and then a turn."""

    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.send(messages.error("no such tool", code="tool"))
        await call.delay(1)
        await call.say("Let us go on.")

    allowed = ("AgentSession is closing due to unrecoverable error",)
    async with stage.in_call(server, allowed=allowed) as seat:
        await asyncio.sleep(6)
        stage.require("error" in seat.connection.sent_types(), "the error was not sent")
        return {
            "sessions_closed_by_it": len(seat.call.named("close")),
            "words_heard_afterwards": seat.history(),
            "errors_told": len(seat.call.named("error")),
        }


@story(seconds_heard=31.25, fatal_errors=0, words_heard_afterwards=["long", "Fine."])
async def test_a_message_of_more_than_a_megabyte_is_heard(stage: Stage) -> Seen:
    """31 s of sound in one message of 2 MB, and then a turn."""
    async with stage.alone() as talk:
        stage.require("config" in talk.connection.received_types(), "no conversation had begun")
        await talk.hears(START, messages.audio_chunk(bytes(1_500_000), "long"))
        await talk.passes(1)
        await talk.hears_if_there(FINISH, START, messages.audio_chunk(SOUND, "Fine."), FINISH)
        seconds = [one.seconds for one in talk.ear.generations]
        return {
            "seconds_heard": round(max(seconds, default=0.0), 2),
            "fatal_errors": talk.ear.ends.count("fatal error"),
            "words_heard_afterwards": talk.ear.spoken,
        }
