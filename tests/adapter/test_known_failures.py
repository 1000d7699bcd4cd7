"""What livekit-plugins-phonic 1.8.9 was seen to do wrong, one test each, named after what happened."""

from __future__ import annotations

import asyncio

from livekit.agents import Agent, llm

from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.testing.phonic_server import Call as ServerCall
from rtfsm.testing.phonic_server import PhonicServer, messages
from rtfsm.testing.virtual_time import run
from tests.adapter.caller import adapter, calling
from tests.adapter.stage import KEY, SOUND, Talk, attentive, mute, spoken, talking, weather

LATE = messages.audio_chunk(SOUND, "late")
CALL = messages.tool_call("c1", "weather", {"city": "Rome"})
TAKEN = messages.tool_call_output_processed("c1", "weather")


# -- ghosts --------------------------------------------------------------------------------------------------------


def test_a_word_after_the_user_started_opened_a_ghost_that_spoke_over_the_user() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.send(messages.assistant_started_speaking())
        for word in ("One ", "two "):
            await call.send(messages.audio_chunk(SOUND * 25, word))
        await call.delay(0.3)
        await call.send(messages.user_started_speaking())
        await call.send(LATE)
        await call.delay(2)
        await call.send(messages.user_finished_speaking())

    async def main() -> None:
        async with calling(server) as (call, _):
            await call.until(lambda: call.user_states[-1:] and call.user_states[-1][2] == "listening")
            assert call.session.agent_state == "listening"
            assert len(call.speaker.heard) == 1
            assert adapter(call).turn.generations == {}
            assert call.is_idle

    run(main())


def test_the_ghost_put_the_old_words_behind_the_user_s_in_the_history() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("One ", finished=False), messages.user_started_speaking(), LATE)
            await talk.hears(
                messages.user_finished_speaking(), messages.interrupted_response("One"), messages.input_text("stop"),
                *spoken("two"),
            )  # fmt: skip
            assert talk.said() == [("assistant", "One"), ("user", "stop"), ("assistant", "two")]

    run(main())


def test_sound_without_words_after_the_user_started_is_dropped() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("One ", finished=False), messages.user_started_speaking())
            await talk.hears(messages.audio_chunk(SOUND), messages.audio_chunk(SOUND))
            assert len(talk.host.generations) == 1
            assert not talk.host.open

    run(main())


def test_a_word_after_the_closing_bracket_opened_a_ghost_that_stayed_open() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("Done."), LATE)
            await talk.settle(5)
            assert [one.text for one in talk.host.generations] == ["Done."]
            assert not talk.host.open

    run(main())


def test_a_word_after_a_tool_call_held_the_tool_s_output_back() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.send(messages.assistant_started_speaking())
        await call.send(messages.audio_chunk(SOUND, "Let me "))
        await call.send(CALL)
        await call.send(messages.audio_chunk(SOUND, "look."))
        await call.expect("tool_call_output", timeout=3)  # the turn's bracket is still open
        await call.send(TAKEN)
        await call.send(messages.assistant_finished_speaking())
        await call.say("Sunny.")

    async def main() -> None:
        async with calling(server, tools=[weather]) as (call, _):
            await call.until(lambda: ("assistant", "Sunny.", False) in call.history())
            await call.idle()
            assert call.history() == [("assistant", "Let me look.", False), ("assistant", "Sunny.", False)]

    run(main())


def test_a_second_start_ended_the_turn_as_interrupted_and_began_a_third() -> None:
    async def main() -> None:
        async with talking() as talk:
            start, finish = messages.assistant_started_speaking(), messages.assistant_finished_speaking()
            await talk.hears(start, start, LATE, finish, finish)
            assert [one.text for one in talk.host.generations] == ["late"]
            (item,) = [item for item in talk.session.chat_ctx.items if isinstance(item, llm.ChatMessage)]
            assert not item.interrupted

    run(main())


# -- the connection ------------------------------------------------------------------------------------------------


def test_a_server_that_closed_normally_left_the_session_mute_and_nobody_was_told() -> None:
    async def main() -> None:
        for code in (1000, 1001):
            async with talking() as talk:
                await talk.call.close(code)
                await talk.settle()
                assert talk.host.named("conversation_ended") == [code]
                reply = talk.host.generate_reply()
                assert isinstance(reply.exception(), llm.RealtimeError)  # at once, and not after ten seconds

    run(main())


def test_a_restart_of_the_server_was_the_end_of_the_call() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.call.close(1001, "restarting")
            await talk.until(lambda: len(talk.server.connections) == 2)
            await talk.until_ready()
            await talk.call.close(1012)
            await talk.until(lambda: len(talk.server.connections) == 3)
            await talk.until_ready()
            assert talk.host.named("error") == []

    run(main())


def test_one_loss_was_reported_as_two_errors() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.call.close(4010)
            await talk.settle(30)
            assert [error.recoverable for error in talk.host.named("error")] == [False]

    run(main())


def test_a_refused_connection_was_tried_once_whatever_the_options_said() -> None:
    async def main() -> None:
        async with talking(refuse=lambda attempt: 503 if attempt < 2 else None) as talk:
            assert talk.server.attempts == 3
            assert talk.host.named("error") == []

    run(main())


def test_a_server_that_never_got_ready_left_the_session_deaf_for_ever() -> None:
    async def main() -> None:
        async with talking(mute, ready=False) as talk:
            await talk.until(lambda: talk.session.turn.session == "CLOSED", seconds=120)
            assert len(talk.host.named("error")) == 1

    run(main())


def test_a_request_that_had_failed_was_sent_when_the_server_got_ready_after_all() -> None:
    async def main() -> None:
        async with PhonicServer(attentive) as server:
            late = Talk(server, RealtimeModel(api_key=KEY, base_url=server.url))
            reply = late.host.generate_reply()
            await late.settle(10.5)
            assert isinstance(reply.exception(), llm.RealtimeError)
            await late.configure()
            await late.until_ready()
            await late.settle(1)
            assert late.order() == ["config"]
            await late.session.aclose()

    run(main())


def test_closing_hung_while_another_agent_waited_for_a_server_that_never_got_ready() -> None:
    async def main() -> None:
        async with calling(mute) as (call, _):
            await call.until(lambda: adapter(call).turn.session == "STARTING")
            call.session.update_agent(Agent(instructions="You are another."))
            await asyncio.sleep(1)
            began = asyncio.get_running_loop().time()
            await call.session.aclose()
            assert asyncio.get_running_loop().time() - began < 3

    run(main())


def test_a_message_of_more_than_a_megabyte_killed_the_session() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(
                messages.assistant_started_speaking(), messages.audio_chunk(bytes(1_500_000), "long"),
                messages.assistant_finished_speaking(),
            )  # fmt: skip
            assert abs(talk.last.messages[0].seconds - 31.25) < 1e-6
            assert talk.session.turn.session == "READY"

    run(main())


# -- errors and nonsense -------------------------------------------------------------------------------------------


def test_any_error_message_closed_the_agent_session() -> None:
    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.send(messages.error("no such tool", code="tool"))
        await call.say("Let us go on.")

    async def main() -> None:
        async with calling(server) as (call, _):
            await call.until(lambda: call.history())
            assert call.history() == [("assistant", "Let us go on.", False)]
            (error,) = call.named("error")
            assert error.error.recoverable
            assert call.named("close") == []

    run(main())


def test_an_error_without_a_body_killed_the_session() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears({"type": "error"}, {"type": "error", "error": "boom"}, *spoken("Fine."))
            assert [error.recoverable for error in talk.host.named("error")] == [True, True]
            assert talk.last.text == "Fine."

    run(main())


def test_null_an_array_or_a_binary_frame_killed_the_session() -> None:
    async def main() -> None:
        async with talking() as talk:
            for frame in ("null", "[]", "5", b"\0\1", '{"type":"nonsense"}', "{"):
                await talk.call.raw(frame)
            await talk.hears(*spoken("Fine."))
            assert talk.last.text == "Fine."
            assert sum(talk.session.turn.malformed.values()) == 6
            assert talk.host.named("error") == []

    run(main())


def test_an_empty_object_was_taken_for_consent_to_start() -> None:
    async def confusing(call: ServerCall) -> None:
        await call.expect("config")
        await call.raw("{}")
        await call.raw('{"conversation_id":"x"}')

    async def main() -> None:
        async with talking(confusing, ready=False) as talk:
            await talk.until(lambda: talk.session.turn.session == "STARTING")
            await talk.settle(1)
            assert talk.session.turn.session == "STARTING"
            assert talk.session.turn.malformed == {"no type": 2}

    run(main())


def test_broken_sound_is_dropped_and_its_words_are_kept() -> None:
    async def main() -> None:
        async with talking() as talk:
            broken = [{"type": "audio_chunk", "audio": sound, "text": word} for sound, word in (
                ("AQ", "bad "), ("AQAB", "odd "), (5, "none "),
            )]  # fmt: skip
            await talk.hears(messages.assistant_started_speaking(), *broken, messages.assistant_finished_speaking())
            (message,) = talk.last.messages
            assert (message.text, message.frames) == ("bad odd none ", [])
            assert sum(talk.session.turn.malformed.values()) == 3

    run(main())
