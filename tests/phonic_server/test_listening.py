"""The default scenario, heard by a plain client: it listens, answers, is interrupted, calls tools and obeys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest

from rtfsm.testing.phonic_server import DEFAULT_DIALOGUE, Dialogue, PhonicServer, UserLine, listening
from rtfsm.testing.speech import CALLER, caller_pcm
from rtfsm.testing.virtual_time import run
from tests.phonic_server.client import SILENCE, Client, configured, inline_tool

TURN = ["user_started_speaking", "user_finished_speaking", "input_text"]
ANSWER = ["assistant_started_speaking", "assistant_finished_speaking"]
VOICE = (np.sin(np.arange(24000 // 2) / 10) * 8000).astype("<i2").tobytes()
"""Half a second of a loud tone."""
PAUSE = SILENCE * 40
"""0.8 s, enough to end a turn."""
LONG = "a very long answer that goes on and on and on until somebody says something to end it all"

Story = Callable[[Client], Coroutine[Any, Any, None]]


def play(story: Story, dialogue: Dialogue = DEFAULT_DIALOGUE, *, options: Any = None, **config: Any) -> list[str]:
    """Run a story against a listening server; the types that came after ready. The client must have been correct."""

    async def main() -> list[str]:
        async with PhonicServer(listening(dialogue, **(options or {}))) as server:
            async with configured(server, **config) as client:
                await story(client)
            server.assert_client_correct()
            return client.types()[2:]

    return run(main())


def interrupted_at(client: Client) -> str:
    (text,) = [message["text"] for _, message in client.got if message["type"] == "interrupted_response"]
    return str(text)


@pytest.mark.parametrize("ahead", [True, False])
def test_the_recorded_caller_is_answered_interrupts_uses_a_tool_and_says_goodbye(ahead: bool) -> None:
    seen: list[Client] = []

    async def story(client: Client) -> None:
        seen.append(client)
        talking = asyncio.create_task(client.stream(caller_pcm()))
        call = await client.until("tool_call")
        assert (call["tool_name"], call["parameters"]) == ("weather", {"city": "Lisbon"})
        await client.send("tool_call_output", tool_call_id=call["tool_call_id"], output="It is sunny in Lisbon.")
        await talking
        await client.until("assistant_finished_speaking", 6 if ahead else 5)

    types = play(story, tools=[inline_tool()], stream_ahead_of_real_time=ahead)
    # Paced to real time, the long answer is cut before its closing bracket; ahead, it was sent long before.
    long_answer = ANSWER if ahead else ANSWER[:1]
    interruption = ["user_started_speaking", "user_finished_speaking", "interrupted_response", "input_text"]
    tool = [*ANSWER, "tool_call", "tool_call_output_processed", *ANSWER]
    assert types == [*TURN, *ANSWER, *TURN, *long_answer, *interruption, *ANSWER, *TURN, *tool, *TURN, *ANSWER]
    client = seen[0]
    heard = [message["text"] for _, message in client.got if message["type"] == "input_text"]
    assert heard == [utterance.text for utterance in CALLER]
    assert "Here is what I found: It is sunny in Lisbon." in client.words()
    assert client.words().endswith("Goodbye!")
    # The barge-in comes about three seconds into the answer, whether or not all of it had been sent by then.
    part = interrupted_at(client)
    assert DEFAULT_DIALOGUE.lines[1].answers.startswith(part)
    assert 6 <= len(part.split()) <= 14


def test_no_audio_follows_the_users_start_until_the_next_turn() -> None:
    async def story(client: Client) -> None:
        await client.stream(VOICE + PAUSE)
        await client.until("assistant_started_speaking")
        await client.stream(SILENCE * 25 + VOICE + PAUSE)
        await client.until("assistant_started_speaking", 2)
        order = [message["type"] for _, message in client.got]
        started = len(order) - 1 - order[::-1].index("user_started_speaking")
        assert "audio_chunk" not in order[started : order.index("assistant_started_speaking", started)]

    play(story, Dialogue([UserLine("one", LONG), UserLine("two", "ok")]), stream_ahead_of_real_time=True)


def test_a_cut_turn_gets_its_closing_bracket_if_the_scenario_is_told_so() -> None:
    async def story(client: Client) -> None:
        await client.stream(VOICE + PAUSE + SILENCE * 25 + VOICE + PAUSE)
        await client.until("interrupted_response")

    types = play(story, Dialogue([UserLine("one", LONG)]), options={"finish_cut_turns": True})
    assert types[: len(TURN) + 3] == [*TURN, *ANSWER, "user_started_speaking"]


def test_the_closing_bracket_waits_for_playback_if_the_scenario_is_told_so() -> None:
    async def bracket(when_played: bool) -> float:
        async with PhonicServer(listening(finish_when_played=when_played)) as server:
            async with configured(server, stream_ahead_of_real_time=True) as client:
                await client.send("say", text=LONG)
                await client.until("assistant_finished_speaking")
            began, ended = (at for at, message in client.got if message["type"] in ANSWER)
            return ended - began

    async def main() -> tuple[float, float]:
        return await bracket(False), await bracket(True)

    when_sent, when_played = run(main())
    assert when_played > 4 * when_sent


def test_speech_over_an_uninterruptible_turn_is_heard_and_answered_after_it() -> None:
    async def story(client: Client) -> None:
        await client.send("say", text=LONG, interruptible=False)
        await client.stream(SILENCE * 25 + VOICE + PAUSE)
        await client.until("assistant_finished_speaking", 2)
        assert client.words() == LONG + "ok"

    types = play(story, Dialogue([UserLine("one", "ok")]))
    assert types == ["assistant_started_speaking", *TURN, "assistant_finished_speaking", *ANSWER]


def test_too_few_words_do_not_interrupt() -> None:
    async def story(client: Client) -> None:
        await client.send("say", text=LONG)
        await client.stream(SILENCE * 25 + VOICE + PAUSE)
        await client.until("assistant_finished_speaking", 2)

    types = play(story, Dialogue([UserLine("mm hm", "ok")]), min_words_to_interrupt=3)
    assert "interrupted_response" not in types


def test_a_welcome_message_is_spoken_first_and_may_be_uninterruptible() -> None:
    async def story(client: Client) -> None:
        await client.until("assistant_started_speaking")
        await client.stream(VOICE + PAUSE)
        await client.until("assistant_finished_speaking", 2)
        assert client.words() == "Welcome to a long and friendly greeting" + "ok"

    greeting = {"welcome_message": "Welcome to a long and friendly greeting", "is_welcome_message_interruptible": False}
    types = play(story, Dialogue([UserLine("one", "ok")]), **greeting)
    assert types[0] == "assistant_started_speaking"
    assert "interrupted_response" not in types


def test_a_generated_welcome_comes_from_the_dialogue() -> None:
    async def story(client: Client) -> None:
        await client.until("assistant_finished_speaking")
        assert client.words() == DEFAULT_DIALOGUE.welcome

    play(story, generate_welcome_message=True, welcome_message="ignored")


def test_requested_speech_is_spoken_in_order() -> None:
    async def story(client: Client) -> None:
        await client.send("say", text="Exactly this.")
        await client.send("generate_reply", system_message="be brief")
        await client.send("generate_reply", user_message="tea or coffee")
        await client.send("update_system_prompt", system_prompt="p")
        await client.send("add_system_message", system_message="m")
        await client.send("set_external_id", external_id="e")
        await client.until("assistant_finished_speaking", 3)
        reply = DEFAULT_DIALOGUE.reply
        assert client.words() == f"Exactly this.{reply}{reply} You wrote: tea or coffee"

    assert play(story) == ANSWER * 3


def test_a_reset_silences_the_turn_and_ends_its_tool_call() -> None:
    async def story(client: Client) -> None:
        await client.stream(VOICE + PAUSE)
        await client.until("tool_call")
        await client.send("reset", config={"tools": []})
        await client.send("say", text="After the reset.")
        await client.until("assistant_finished_speaking")
        await client.stream(VOICE + PAUSE)
        await client.until("assistant_finished_speaking", 2)
        assert client.words() == "After the reset." + DEFAULT_DIALOGUE.no_tool

    line = UserLine("one", "ok", tool=True)
    types = play(story, Dialogue([line, line]), tools=[inline_tool()])
    assert types == [*TURN, "tool_call", *ANSWER, *TURN, *ANSWER]


def test_a_reset_ends_an_async_tool_call_in_silence() -> None:
    async def story(client: Client) -> None:
        await client.stream(VOICE + PAUSE)
        await client.until("tool_call")
        await client.send("reset", config={})
        await asyncio.sleep(5)

    tool = inline_tool(execution_mode="async", tool_call_output_timeout_ms=1500)
    assert play(story, Dialogue([UserLine("one", "ok", tool=True)]), tools=[tool]) == [*TURN, "tool_call"]


def test_a_barge_in_withdraws_a_running_tool_call() -> None:
    async def story(client: Client) -> None:
        await client.stream(VOICE + PAUSE)
        await client.until("tool_call")
        await client.stream(SILENCE * 10 + VOICE + PAUSE)
        await client.until("assistant_finished_speaking")

    types = play(story, Dialogue([UserLine("one", "", tool=True), UserLine("two", "ok")]), tools=[inline_tool()])
    withdrawal = ["user_started_speaking", "tool_call_interrupted", "user_finished_speaking", "input_text"]
    assert types == [*TURN, "tool_call", *withdrawal, *ANSWER]


def test_an_uninterruptible_tool_call_outlives_the_users_speech() -> None:
    async def story(client: Client) -> None:
        await client.stream(VOICE + PAUSE)
        call = await client.until("tool_call")
        await client.stream(SILENCE * 10 + VOICE + PAUSE)
        await client.send("tool_call_output", tool_call_id=call["tool_call_id"], output="done")
        await client.until("assistant_finished_speaking", 2)
        assert client.words() == "It is donetwo"

    dialogue = Dialogue([UserLine("one", "It is", tool=True), UserLine("two", "two")])
    types = play(story, dialogue, tools=[inline_tool(uninterruptible=True)])
    assert types == [*TURN, "tool_call", *TURN, "tool_call_output_processed", *ANSWER * 2]


@pytest.mark.parametrize("waits", [True, False])
def test_a_tool_is_called_after_the_words_before_it_were_played_or_only_sent(waits: bool) -> None:
    async def story(client: Client) -> None:
        await client.stream(VOICE + PAUSE)
        await client.until("tool_call")
        times = {message["type"]: at for at, message in client.got}
        played = sum(message["type"] == "audio_chunk" for _, message in client.got) * 0.02
        waited = times["tool_call"] - times["assistant_started_speaking"]
        assert (waited > played - 0.01) == waits

    dialogue = Dialogue([UserLine("one", "", tool=True, before_tool="Please wait for me.")])
    tools = [inline_tool(wait_for_speech_before_tool_call=waits)]
    play(story, dialogue, tools=tools, stream_ahead_of_real_time=True)


@pytest.mark.parametrize(
    ("flag", "before", "expected"),
    [
        ("require_speech_before_tool_call", "", [*ANSWER, "tool_call", "tool_call_output_processed", *ANSWER]),
        ("forbid_tool_call_after_speech", "Wait.", ["tool_call", "tool_call_output_processed", *ANSWER]),
        ("forbid_speech_after_tool_call", "", ["tool_call", "tool_call_output_processed"]),
    ],
)
def test_a_tools_flags_about_speech_are_obeyed(flag: str, before: str, expected: list[str]) -> None:
    async def story(client: Client) -> None:
        await client.stream(VOICE + PAUSE)
        call = await client.until("tool_call")
        await client.send("tool_call_output", tool_call_id=call["tool_call_id"], output={"not": "a string"})
        await client.stream(SILENCE * 50)

    dialogue = Dialogue([UserLine("one", "ok", tool=True, before_tool=before)])
    assert play(story, dialogue, tools=[{**inline_tool(), flag: True}]) == [*TURN, *expected]


def test_a_tool_without_an_answer_times_out() -> None:
    async def story(client: Client) -> None:
        await client.stream(VOICE + PAUSE)
        await client.until("tool_call")
        processed = await client.until("tool_call_output_processed")
        assert (processed["timed_out"], round(processed["duration_ms"])) == (True, 1500)
        await client.until("assistant_finished_speaking")
        assert client.words() == DEFAULT_DIALOGUE.tool_failed

    play(story, Dialogue([UserLine("one", "", tool=True)]), tools=[inline_tool(tool_call_output_timeout_ms=1500)])


def test_an_async_tool_leaves_the_floor_free_and_is_spoken_of_when_it_answers() -> None:
    async def story(client: Client) -> None:
        await client.stream(VOICE + PAUSE)
        call = await client.until("tool_call")
        await client.stream(VOICE + PAUSE)
        await client.until("assistant_finished_speaking")
        await client.send("tool_call_output", tool_call_id=call["tool_call_id"], output="It is done.")
        await client.until("assistant_finished_speaking", 2)
        assert client.words() == "meanwhileIt is done."

    dialogue = Dialogue([UserLine("one", "", tool=True), UserLine("two", "meanwhile")])
    types = play(story, dialogue, tools=[inline_tool(execution_mode="async")])
    assert types == [*TURN, "tool_call", *TURN, *ANSWER, "tool_call_output_processed", *ANSWER]


def test_the_first_tool_that_can_be_called_is_called_with_made_up_arguments() -> None:
    unknown = {"type": "object", "properties": {"shape": {"type": "polygon"}}, "required": ["shape"]}
    many: dict[str, Any] = {
        "type": "object",
        "properties": {
            "city": {"type": ["string", "null"]},
            "days": {"type": "integer"},
            "unit": {"enum": ["celsius", "fahrenheit"]},
            "note": {"anyOf": [{"type": "polygon"}, {"type": "null"}]},
            "place": {"type": "object", "properties": {"id": {"type": "number"}}, "required": ["id"]},
            "spare": {"type": "polygon"},
        },
        "required": ["city", "days", "unit", "note", "place"],
    }

    async def story(client: Client) -> None:
        await client.stream(VOICE + PAUSE)
        call = await client.until("tool_call")
        assert call["tool_name"] == "many"
        arguments = {"city": "Lisbon", "days": 1, "unit": "celsius", "note": None, "place": {"id": 1}}
        assert call["parameters"] == arguments

    tools = ["a_tool_of_phonic", inline_tool("unknown", unknown), inline_tool("many", many), inline_tool("later")]
    play(story, Dialogue([UserLine("one", "", tool=True)]), tools=tools)


def test_a_subset_of_the_tools_is_obeyed() -> None:
    async def story(client: Client) -> None:
        await client.send("update_tools_subset", tools=["second"])
        await client.stream(VOICE + PAUSE)
        assert (await client.until("tool_call"))["tool_name"] == "second"

    play(story, Dialogue([UserLine("one", "", tool=True)]), tools=[inline_tool("first"), inline_tool("second")])


def test_a_muted_client_is_not_heard_and_muting_ends_its_turn() -> None:
    async def story(client: Client) -> None:
        await client.stream(VOICE)
        await client.send("mute")
        await client.until("input_text")
        await client.stream(VOICE + PAUSE)
        await client.send("unmute")
        await client.stream(SILENCE * 5)

    assert play(story, Dialogue([UserLine("one", "")])) == TURN


def test_a_client_that_stops_sending_has_stopped_speaking() -> None:
    async def story(client: Client) -> None:
        await client.stream(VOICE)
        await client.until("assistant_finished_speaking")

    assert play(story, Dialogue([UserLine("one", "ok")])) == [*TURN, *ANSWER]


def test_the_configured_silence_decides_when_a_turn_ends() -> None:
    async def story(client: Client) -> None:
        await client.stream(VOICE + PAUSE + VOICE + PAUSE * 3)

    assert play(story, Dialogue([UserLine("one", "")]), vad_min_silence_duration_ms=1400) == TURN


def test_more_turns_than_lines_get_the_spare_line() -> None:
    async def story(client: Client) -> None:
        await client.stream(VOICE + PAUSE)
        await client.until("assistant_finished_speaking")
        assert client.words() == "spare"

    play(story, Dialogue([], otherwise=UserLine("any", "spare")))


def test_the_assistant_may_hang_up_after_its_last_answer() -> None:
    async def main() -> None:
        dialogue = Dialogue([UserLine("bye", LONG)], ends_conversation=True)
        async with PhonicServer(listening(dialogue)) as server:
            async with configured(server, stream_ahead_of_real_time=True) as client:
                await client.stream(VOICE + PAUSE)
                await client.until("assistant_ended_conversation")
                ended = asyncio.get_running_loop().time()
                await client.ended()
                # The goodbye that was streamed ahead is played out before the line goes dead.
                assert asyncio.get_running_loop().time() - ended > 3
                assert client.socket.close_code == 4600
            assert client.types()[2:] == [*TURN, *ANSWER, "assistant_ended_conversation"]

    run(main())
