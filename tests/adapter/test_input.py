"""What comes in at both ends: frames of the server that are too much, and sound of the user in any shape."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from livekit import rtc

from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.adapters.phonic.transport import MAX_FRAME
from rtfsm.testing.phonic_server import PhonicServer, messages
from rtfsm.testing.virtual_time import run
from tests.adapter.stage import KEY, SOUND, Talk, attentive, frame, mute, spoken, talking


def test_ten_megabytes_of_sound_in_one_message_are_heard() -> None:
    async def main() -> None:
        async with talking() as talk:
            sound = bytes(10_000_000)
            await talk.hears(messages.assistant_started_speaking(), messages.audio_chunk(sound, "long"))
            await talk.until(lambda: talk.host.generations and talk.last.messages and talk.last.messages[0].frames)
            await talk.hears(messages.assistant_finished_speaking(), *spoken("Fine."))
            assert talk.host.generations[0].messages[0].seconds == pytest.approx(10_000_000 / 48_000)
            assert talk.last.text == "Fine."

    run(main())


def test_ten_megabytes_of_nonsense_are_passed_over() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.call.raw(json.dumps(["nonsense"] * 1_000_000))
            await talk.call.raw(bytes(10_000_000))
            await talk.until(lambda: sum(talk.session.turn.malformed.values()) == 2)
            await talk.hears(*spoken("Fine."))
            assert talk.last.text == "Fine."
            assert talk.session.turn.malformed == {"not an object": 1, "binary frame": 1}

    run(main())


def test_a_message_beyond_every_measure_costs_the_connection_and_no_more() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.call.raw("x" * (MAX_FRAME + 1))
            await talk.until(lambda: len(talk.server.connections) == 2)
            await talk.until_ready()
            await talk.hears(*spoken("Fine."))
            assert talk.last.text == "Fine."
            assert talk.host.named("error") == []

    run(main())


def test_odd_sound_and_unknown_messages_leave_the_turn_alone() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(
                messages.assistant_started_speaking(), messages.audio_chunk(SOUND, "One "),
                {"type": "from_the_future", "audio": "AAAA"}, messages.audio_chunk(SOUND[:-1], "two "),
                {"type": "audio_chunk", "audio": None, "text": "three"}, messages.audio_chunk(SOUND),
                messages.assistant_finished_speaking(),
            )  # fmt: skip
            (message,) = talk.last.messages
            assert (message.text, len(message.frames)) == ("One two three", 2)
            assert talk.session.turn.malformed == {"unknown type": 1, "half a sample": 1}

    run(main())


# -- the user's sound ----------------------------------------------------------------------------------------------


def _numbered(number: int) -> rtc.AudioFrame:
    """20 ms of sound that can be told from others."""
    return rtc.AudioFrame(np.full(480, number, dtype=np.int16).tobytes(), 24000, 1, 480)


def _heard(talk: Talk) -> list[int]:
    chunks = [record.audio for record in talk.connection.received if record.type == "audio_chunk"]
    return [int(np.frombuffer(chunk, dtype=np.int16)[0]) for chunk in chunks]


def test_of_the_sound_from_before_the_start_the_last_two_seconds_are_told_and_the_rest_is_counted() -> None:
    async def main() -> None:
        async with talking(ready=False) as talk:
            for number in range(130):
                talk.session.push_audio(_numbered(number))
            await talk.until_ready()
            talk.session.push_audio(_numbered(130))
            await talk.settle()
            assert _heard(talk) == list(range(30, 131))
            assert talk.session.turn.dropped_input == 30

    run(main())


def test_of_the_sound_of_an_outage_the_last_two_seconds_are_told_too() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.call.drop()
            await talk.until(lambda: talk.session.turn.session == "RECONNECTING")
            for number in range(101):
                talk.session.push_audio(_numbered(number))
            await talk.until(lambda: len(talk.server.connections) == 2)
            await talk.until_ready()
            await talk.settle()
            assert _heard(talk) == list(range(1, 101))
            assert talk.session.turn.dropped_input == 1

    run(main())


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate", [8000, 11025, 24000, 44100, 48000, 96000])
def test_any_rate_and_any_number_of_channels_is_taken(rate: int, channels: int) -> None:
    async def main() -> None:
        async with talking() as talk:
            for _ in range(25):
                talk.session.push_audio(frame(20, rate=rate, channels=channels))
            await talk.settle()
            heard = [len(record.audio) for record in talk.connection.received if record.type == "audio_chunk"]
            assert set(heard) == {960}
            assert 0.38 < len(heard) * 0.02 <= 0.5

    run(main())


def test_a_format_that_changes_in_the_middle_and_a_frame_with_nothing_in_it_are_taken() -> None:
    async def main() -> None:
        async with talking() as talk:
            for rate, channels in ((24000, 1), (48000, 2), (16000, 1), (24000, 1)):
                talk.session.push_audio(rtc.AudioFrame(b"", rate, channels, 0))
                for _ in range(10):
                    talk.session.push_audio(frame(20, rate=rate, channels=channels))
            await talk.settle()
            heard = [record.audio for record in talk.connection.received if record.type == "audio_chunk"]
            assert 0.7 < len(heard) * 0.02 <= 0.8

    run(main())


def test_sound_is_taken_and_forgotten_in_every_state_of_the_end() -> None:
    async def main() -> None:
        async with PhonicServer(mute) as server:
            talk = Talk(server, RealtimeModel(api_key=KEY, base_url=server.url))
            talk.session.push_audio(frame())  # nothing is configured
            await talk.configure()
            talk.session.push_audio(frame())  # nobody is ready
            closing = asyncio.create_task(talk.session.aclose())
            await asyncio.sleep(0)
            talk.session.push_audio(frame(20, rate=44100, channels=2))  # it is closing
            await closing
            for _ in range(300):
                talk.session.push_audio(frame())  # it is closed
            assert talk.sent("audio_chunk") == []
            assert talk.session.turn.dropped_input == 0
        server.assert_client_correct()

    run(main())


def test_sound_during_the_goodbye_is_not_told() -> None:
    async def main() -> None:
        async with talking(attentive) as talk:
            talk.host.reads = True
            await talk.hears(*spoken(*["Goodbye. "] * 20), messages.assistant_ended_conversation())
            assert talk.session.turn.session == "ENDING"
            talk.session.push_audio(frame())
            await talk.settle()
            assert talk.sent("audio_chunk") == []
            await talk.until(lambda: talk.session.turn.session == "CLOSED")

    run(main())
