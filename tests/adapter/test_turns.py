"""Turns over a real socket: what is streamed, what is cut, what is remembered."""

from __future__ import annotations

import asyncio

from livekit.agents.types import TimedString

from rtfsm.testing.phonic_server import messages
from rtfsm.testing.virtual_time import run
from tests.adapter.stage import SOUND, spoken, talking, user

# -- a turn --------------------------------------------------------------------------------------------------------


def test_a_question_and_an_answer_are_one_transcript_and_one_generation() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*user("How are you?"), *spoken("Very ", "well."))
            (answer,) = talk.host.generations
            (message,) = answer.messages
            assert (message.text, answer.user_initiated, answer.sealed) == ("Very well.", False, True)
            assert abs(message.seconds - 0.04) < 1e-9
            (transcript,) = talk.host.named("input_audio_transcription_completed")
            assert (transcript.transcript, transcript.is_final) == ("How are you?", True)
            assert transcript.turn_started_at is not None
            assert talk.said() == [("user", "How are you?"), ("assistant", "Very well.")]
            assert len(talk.host.named("input_speech_started")) == len(talk.host.named("input_speech_stopped")) == 1

    run(main())


def test_words_are_timed_by_the_sound_of_their_own_message() -> None:
    async def main() -> None:
        async with talking() as talk:
            for words in (("one ", "two ", "three"), ("four ", "five")):
                await talk.hears(
                    messages.assistant_started_speaking(),
                    *[
                        part
                        for word in words
                        for part in (messages.audio_chunk(SOUND, word), messages.audio_chunk(SOUND))
                    ],
                    messages.assistant_finished_speaking(),
                )
            for one, count in zip(talk.host.generations, (3, 2), strict=True):
                chunks = one.messages[0].chunks
                assert all(isinstance(chunk, TimedString) for chunk in chunks)
                starts = [chunk.start_time for chunk in chunks if isinstance(chunk, TimedString)]
                assert [round(float(str(start)), 6) for start in starts] == [
                    round(0.04 * position, 6) for position in range(count)
                ]

    run(main())


def test_a_message_without_words_ends_its_text_with_one_blank_and_leaves_no_memory() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("", "", ""))
            assert talk.last.messages[0].chunks == [" "]
            assert talk.said() == []

    run(main())


def test_an_empty_turn_announces_no_message() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken())
            assert talk.last.messages == []
            assert talk.last.sealed

    run(main())


def test_sound_between_turns_opens_nothing() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*[messages.audio_chunk(SOUND)] * 20)
            assert talk.host.generations == []

    run(main())


def test_each_generation_is_measured_once() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(messages.assistant_started_speaking())
            await asyncio.sleep(0.3)
            await talk.hears(messages.audio_chunk(SOUND, "Hm"), messages.assistant_finished_speaking())
            await talk.hears(*spoken())
            connection, first, second = talk.host.named("metrics_collected")
            assert connection.request_id == ""  # it measures how long connecting took
            assert 0.29 < first.ttft < 0.33
            assert first.duration >= first.ttft
            assert first.request_id == talk.host.generations[0].event.response_id
            assert not first.cancelled
            assert first.metadata.model_provider == "phonic"
            assert second.ttft == -1
            await talk.hears(*spoken("Cut ", finished=False), messages.user_started_speaking())
            assert talk.host.named("metrics_collected")[-1].cancelled

    run(main())


def test_the_snapshot_follows_the_conversation() -> None:
    async def main() -> None:
        async with talking() as talk:
            session, host = talk.session, talk.host
            assert (session.turn.session, session.turn.agent_state, session.turn.user_state) == (
                "READY", "listening", "listening",
            )  # fmt: skip
            await talk.hears(messages.user_started_speaking())
            assert (session.turn.user_turn, session.turn.user_state) == ("SPEAKING", "speaking")
            await talk.hears(messages.user_finished_speaking(), *spoken("Yes?", finished=False))
            assert list(session.turn.generations.values()) == ["SPEAKING"]
            assert session.turn.agent_state == "speaking"
            await talk.hears(messages.assistant_finished_speaking(), messages.audio_chunk(SOUND, "late"))
            await talk.settle(0.1)
            assert session.turn.agent_state == "listening"
            assert session.turn.playouts == {}
            assert session.turn.ignored["LATE"] >= 1
            assert host.turns[-1].generations == session.turn.generations
            seen = [turn.user_turn for turn in host.turns]
            assert seen.index("SPEAKING") < seen.index("AWAITING_TRANSCRIPT")

    run(main())


def test_a_reader_that_waits_for_the_next_frame_still_ends_the_playout() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.host.reads = False
            await talk.hears(*spoken("Hello", finished=False))

            async def play() -> None:
                async for message in talk.last.event.message_stream:
                    async for _ in message.audio_stream:
                        pass

            playing = asyncio.create_task(play())
            await talk.settle()
            assert talk.session.turn.agent_state == "speaking"
            await talk.hears(messages.assistant_finished_speaking())
            await playing
            await talk.settle(0.1)
            assert talk.session.turn.playouts == {}
            assert talk.session.turn.agent_state == "listening"

    run(main())


# -- barge-in ------------------------------------------------------------------------------------------------------


def test_late_words_of_a_cut_turn_are_swallowed_until_its_bracket_and_the_next_turn_opens() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("A ", "long ", finished=False), messages.user_started_speaking())
            assert talk.last.sealed
            await talk.hears(
                messages.audio_chunk(SOUND, "story "), messages.audio_chunk(SOUND, "indeed"),
                messages.assistant_finished_speaking(), messages.audio_chunk(SOUND, "!"),
                messages.user_finished_speaking(), messages.interrupted_response("A"), messages.input_text("Stop."),
                *spoken("Fine."),
            )  # fmt: skip
            assert [one.text for one in talk.host.generations] == ["A long ", "Fine."]
            assert talk.said() == [("assistant", "A"), ("user", "Stop."), ("assistant", "Fine.")]

    run(main())


def test_a_cut_turn_that_gets_no_bracket_does_not_swallow_the_next_one() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("A ", "long ", finished=False), *user("Stop."), *spoken("Fine."))
            assert [one.text for one in talk.host.generations] == ["A long ", "Fine."]

    run(main())


def test_interrupt_ends_the_streams_before_it_returns() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("On ", "and ", finished=False))
            talk.session.interrupt()
            assert talk.last.sealed
            assert talk.last.messages[0].closed
            talk.session.interrupt()
            await talk.hears(messages.audio_chunk(SOUND, "on"), messages.assistant_finished_speaking())
            assert [one.text for one in talk.host.generations] == ["On and "]
            assert talk.session.turn.user_state == "listening"

    run(main())


def test_an_interruption_without_speech_is_told_as_a_short_one() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("One ", "two ", finished=False), messages.interrupted_response("One"))
            assert talk.last.sealed
            names = [name for name, _ in talk.host.told if name.startswith("input_speech")]
            assert names == ["input_speech_started", "input_speech_stopped"]
            assert talk.said() == [("assistant", "One")]

    run(main())


def test_what_was_heard_corrects_the_turn_that_was_cut_and_no_earlier_one() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(
                *spoken("First ", "turn", finished=False), *user(None), messages.interrupted_response("First")
            )
            await talk.settle(1.5)
            await talk.hears(*spoken("Second ", "turn"))
            # All of it was streamed ahead, and its bracket with it; the user hears only a word of it.
            await talk.hears(*user("Stop."), messages.interrupted_response("Second"))
            assert talk.said() == [("assistant", "First"), ("assistant", "Second"), ("user", "Stop.")]

    run(main())


def test_a_turn_cut_before_its_first_word_corrects_nothing() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("Remember ", "me."))
            await talk.settle(1.5)
            await talk.hears(messages.assistant_started_speaking(), *user(None), messages.interrupted_response(""))
            assert talk.said() == [("assistant", "Remember me.")]
            await talk.settle(1.5)
            await talk.hears(*spoken("", finished=False), *user(None), messages.interrupted_response(""))
            assert talk.said() == [("assistant", "Remember me.")]

    run(main())


def test_a_correction_that_comes_long_after_the_bracket_still_counts() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("Far ", "ahead"))
            await talk.settle(3.0)
            await talk.hears(*user("Hm?"), messages.interrupted_response("Far"))
            assert talk.said() == [("assistant", "Far"), ("user", "Hm?")]

    run(main())


def test_a_cough_gives_the_floor_back() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(messages.user_started_speaking(), messages.input_cancelled())
            assert talk.session.turn.user_state == "listening"
            assert len(talk.host.named("input_speech_stopped")) == 1

    run(main())


def test_a_truncation_by_the_host_shortens_the_memory() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("One ", "two ", "three"))
            (message,) = talk.last.messages
            talk.session.truncate(
                message_id=message.id, modalities=["audio"], audio_end_ms=40, audio_transcript="One two"
            )
            assert talk.said() == [("assistant", "One two")]

    run(main())
