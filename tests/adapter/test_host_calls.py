"""What the host does: its handlers, and the sound of the user that it brings."""

from __future__ import annotations

import asyncio

from livekit.agents import llm

from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.testing.phonic_server import PhonicServer, messages
from rtfsm.testing.virtual_time import run
from tests.adapter.stage import KEY, Talk, attentive, frame, spoken, talking, user


def test_a_handler_that_raises_leaves_nothing_half_done() -> None:
    async def main() -> None:
        async with talking() as talk:

            def broken(*_: object) -> None:
                raise TypeError("a bug of the application")

            for name in ("generation_created", "input_speech_started", "turn_changed", "metrics_collected"):
                talk.session.on(name, broken)
            reply = talk.host.generate_reply()
            await talk.hears(*spoken("Still ", "whole."))
            assert reply.result().message_stream is talk.last.event.message_stream
            assert talk.last.text == "Still whole."
            await talk.hears(*user("Good."), *spoken("Yes."))
            assert [one.text for one in talk.host.generations] == ["Still whole.", "Yes."]

    run(main())


def test_an_interruption_from_inside_a_handler_is_carried_out_after_it() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.host.during = talk.session.interrupt
            reply = talk.host.generate_reply()
            await talk.hears(*spoken("Never ", "heard."))
            assert talk.last.sealed
            assert talk.last.text == ""
            assert reply.result() is talk.last.event
            talk.host.during = None
            await talk.settle(1.5)
            await talk.hears(*spoken("Heard."))
            assert talk.last.text == "Heard."

    run(main())


def test_a_close_from_inside_a_handler_ends_everything() -> None:
    async def main() -> None:
        async with talking() as talk:
            closing: list[asyncio.Task[None]] = []
            talk.host.during = lambda: closing.append(asyncio.create_task(talk.session.aclose()))
            await talk.hears(*spoken("Bye", finished=False))
            await closing[0]
            assert talk.session.turn.session == "CLOSED"

    run(main())


# -- the user's sound ----------------------------------------------------------------------------------------------


def _heard(talk: Talk) -> bytes:
    return b"".join(record.audio for record in talk.connection.received if record.type == "audio_chunk")


def test_two_seconds_of_sound_wait_for_the_conversation() -> None:
    async def main() -> None:
        async with PhonicServer(attentive) as server:
            talk = Talk(server, RealtimeModel(api_key=KEY, base_url=server.url))
            for _ in range(150):
                talk.session.push_audio(frame())
            await talk.configure()
            await talk.until_ready()
            await talk.settle()
            assert len(_heard(talk)) == 2 * 48000
            assert talk.connection.client_notes == []
            talk.session.push_audio(frame(100))
            await talk.settle()
            assert len(_heard(talk)) == 2.1 * 48000
            await talk.session.aclose()
        server.assert_client_correct()

    run(main())


def test_any_format_becomes_short_chunks_of_mono_at_24_khz() -> None:
    async def main() -> None:
        for rate, channels in ((24000, 2), (48000, 1), (48000, 2), (16000, 1), (44100, 1)):
            async with talking() as talk:
                for _ in range(50):
                    talk.session.push_audio(frame(20, rate=rate, channels=channels))
                await talk.settle()
                assert 0.9 < len(_heard(talk)) / 48000 <= 1.0, (rate, channels)
                sizes = {len(record.audio) for record in talk.connection.received if record.type == "audio_chunk"}
                assert sizes == {960}

    run(main())


def test_sound_that_was_cleared_is_not_sent() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.session.push_audio(frame(10))
            talk.session.clear_audio()
            talk.session.push_audio(frame(10))
            await talk.settle()
            assert _heard(talk) == b""

    run(main())


def test_what_the_provider_says_beside_speech_is_passed_on() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(
                messages.dtmf("12#"), messages.warning("slow", code="w1"), messages.input_text("Hallo", language="de")
            )
            assert talk.host.named("dtmf") == ["12#"]
            assert talk.host.named("warning") == ["w1"]
            assert talk.host.named("input_language") == ["de"]

    run(main())


def test_an_empty_transcript_is_not_told() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*user("  "))
            assert talk.host.named("input_audio_transcription_completed") == []
            assert isinstance(talk.session.chat_ctx, llm.ChatContext)
            assert talk.said() == []

    run(main())
