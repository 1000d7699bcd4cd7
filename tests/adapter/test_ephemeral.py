"""Replies that are heard and remembered by nobody."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from livekit.agents import llm

from rtfsm.adapters.livekit import OutOfBandUnsupported, reply_ephemeral
from rtfsm.testing.headless import Call, headless_session
from rtfsm.testing.phonic_server import Call as ServerCall
from rtfsm.testing.virtual_time import run
from tests.adapter.caller import calling
from tests.adapter.wide_wire import WideModel, WideSession

SOUND = base64.b64encode(bytes(24000)).decode()
"""Half a second."""


def _session(call: Call) -> WideSession:
    session = call.session.current_agent.realtime_llm_session
    assert isinstance(session, WideSession)
    return session


async def _ready(call: Call) -> WideSession:
    session = _session(call)
    await call.until(lambda: session.wire.sent)
    session.wire.deliver("ready")
    assert session.turn.session == "READY"
    return session


def _answer(session: WideSession, id: str, words: str, **created: Any) -> None:
    session.wire.deliver("created", id, **created)
    session.wire.deliver("text", id, text=words)
    session.wire.deliver("audio", id, audio=SOUND)
    session.wire.deliver("done", id)


def test_a_reply_out_of_band_is_heard_and_in_no_context() -> None:
    async def main() -> None:
        async with headless_session(WideModel()) as call:
            session = await _ready(call)
            _answer(session, "r1", "Welcome.")
            await call.idle()
            asking = asyncio.ensure_future(reply_ephemeral(call.session, instructions="Say hold on."))
            await call.until(lambda: session.wire.sent[-1]["type"] == "reply")
            asked = session.wire.sent[-1]
            assert (asked["out_of_band"], asked["says"]) == (True, "Say hold on.")
            _answer(session, "r2", "Hold on.", request=asked["request"], stored=False)
            handle = await asking
            await handle.wait_for_playout()
            assert [round(one.position, 2) for one in call.speaker.heard] == [0.5, 0.5]
            assert call.transcript.segments == ["Welcome.", "Hold on."]
            assert call.history() == [("assistant", "Welcome.", False)]
            assert [item.text_content for item in session.chat_ctx.items if item.type == "message"] == ["Welcome."]
            _answer(session, "r3", "Anything else?")
            await call.until(lambda: len(call.history()) == 2)
            await call.idle()
            assert call.history()[1] == ("assistant", "Anything else?", False)
            assert session.conversation.monitor.violations == []
            assert session._shell.failed_effects == 0
        call.assert_sane()

    run(main())


def test_a_reply_out_of_band_that_is_interrupted_stops() -> None:
    async def main() -> None:
        async with headless_session(WideModel()) as call:
            session = await _ready(call)
            asking = asyncio.ensure_future(reply_ephemeral(call.session))
            await call.until(lambda: session.wire.sent[-1]["type"] == "reply")
            session.wire.deliver("created", "r1", request=session.wire.sent[-1]["request"], stored=False)
            session.wire.deliver("text", "r1", text="A long story")
            session.wire.deliver("audio", "r1", audio=SOUND)
            handle = await asking
            await asyncio.sleep(0.2)
            await handle.interrupt()
            await call.idle()
            (heard,) = call.speaker.heard
            assert heard.interrupted
            assert call.history() == []
        call.assert_sane()

    run(main())


def test_a_reply_out_of_band_that_never_comes_is_an_error_of_its_caller() -> None:
    async def main() -> None:
        async with headless_session(WideModel()) as call:
            await _ready(call)
            with pytest.raises(llm.RealtimeError, match="time"):
                await reply_ephemeral(call.session)
            assert call.named("error") == []
        call.assert_sane()

    run(main())


def test_phonic_refuses_a_reply_out_of_band_and_says_why() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.say("Hello.")

    async def main() -> None:
        async with calling(server) as (call, scripted):
            await call.until(lambda: call.history())
            with pytest.raises(OutOfBandUnsupported, match="phonic cannot reply out of band: all that it says"):
                await reply_ephemeral(call.session, instructions="Say hold on.")
            assert issubclass(OutOfBandUnsupported, llm.RealtimeError)
            await call.idle()
            assert scripted.connections[0].received_types() == ["config"]
            assert call.history() == [("assistant", "Hello.", False)]

    run(main())
