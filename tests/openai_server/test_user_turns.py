"""The user's voice: scripted, or heard by its loudness; committed by the server or by the client."""

from __future__ import annotations

import asyncio
import math

from rtfsm.testing.openai_server import (
    DEFAULT_DIALOGUE,
    Call,
    Dialogue,
    OpenAIServer,
    UserLine,
    listening,
    messages,
)
from rtfsm.testing.openai_server.voice import alaw_to_pcm, decoder, pcm_to_alaw, speak
from rtfsm.testing.server.voice import synthesise
from rtfsm.testing.virtual_time import run
from tests.openai_server.client import LOUD, SILENCE, Client, connected, function, user_text

TRANSCRIBED = {"input": {"transcription": {"model": "whisper-1"}}}
TURN = [
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
]
TRANSCRIPT = "conversation.item.input_audio_transcription.completed"
ONE_LINE = Dialogue([UserLine("Hello?", "Hello to you.")])


async def _voice(client: Client, *sounds: bytes) -> None:
    """Stream sound at its own speed, in pieces of 100 ms."""
    for sound in sounds:
        await client.audio(sound)
        await asyncio.sleep(0.1)


def test_a_scripted_turn_of_the_user_is_committed_transcribed_and_answered() -> None:
    async def scenario(call: Call) -> None:
        await call.expect("session.update")
        await call.user_says("What time is it?")
        response = await call.next_response()
        assert response.origin == "vad"
        await response.say("Noon.")
        await response.done()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.update(audio=TRANSCRIBED)
            await client.until("response.done")
            assert client.types()[2:10] == [*TURN, "response.created", "rate_limits.updated", TRANSCRIPT]
            ids = {event["item_id"] for _, event in client.got if event["type"] in (*TURN[:3], TRANSCRIPT)}
            assert ids == {client.all("conversation.item.added")[0]["item"]["id"]}
            assert client.all(TRANSCRIPT)[0]["transcript"] == "What time is it?"

    run(main())


def test_the_users_voice_cancels_the_response_of_the_conversation_and_no_other() -> None:
    async def scenario(call: Call) -> None:
        await call.next_response()
        aside = await call.next_response()
        await call.user_starts()
        await aside.done()
        await call.user_stops()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("response.create")
            await client.send("response.create", response={"conversation": "none"})
            await client.until("response.created", 3)
            cut, aside = (event["response"] for event in client.all("response.done"))
            assert cut["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
            assert aside["status"] == "completed"
            types = client.types()
            assert types.index(TURN[0]) < types.index("response.done") < types.index(TURN[1])
        server.assert_client_correct()

    run(main())


def test_what_the_session_switches_off_the_users_voice_does_not_do() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        await call.user_starts()
        await call.user_stops()
        assert not response.over
        await response.done()
        await call.user_starts()
        await call.user_stops()
        await call.close()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            quiet = {"type": "server_vad", "interrupt_response": False, "create_response": False}
            await client.update(audio={"input": {"turn_detection": quiet}})
            await client.send("response.create")
            await client.ended()
            assert client.types().count("response.created") == 1
            assert client.all("response.done")[0]["response"]["status"] == "completed"
        server.assert_client_correct()

    run(main())


def test_a_turn_beside_a_response_that_it_may_not_interrupt_begins_no_second_one() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        await call.user_starts()
        await call.user_stops()
        assert call.active_response is response
        await response.done()
        await call.close()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.update(
                audio={"input": {"turn_detection": {"type": "server_vad", "interrupt_response": False}}}
            )
            await client.send("response.create")
            await client.ended()
            assert client.types().count("response.created") == 1
        server.assert_client_correct()

    run(main())


def test_a_turn_holds_its_speech_and_the_padding_before_it_but_no_silence() -> None:
    async def scenario(call: Call) -> None:
        # Held, it clears nothing, and only marks how far the client is.
        call.hold("input_audio_buffer.clear")
        await call.expect("input_audio_buffer.clear")
        await call.user_starts()
        await call.expect("input_audio_buffer.clear")
        await call.user_stops()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("conversation.item.create", item=user_text("earlier", "item_e"))
            for _ in range(20):
                await client.audio(SILENCE)
            await client.send("input_audio_buffer.clear")
            await client.until(TURN[0])
            for _ in range(5):
                await client.audio(LOUD)
            await client.send("input_audio_buffer.clear")
            committed = await client.until(TURN[2])
            assert committed["previous_item_id"] == "item_e"
            item = server.connections[0].service.conversation.get(committed["item_id"])
            assert item is not None
            assert (item.audio_ms, len(item.audio)) == (800.0, 8 * len(SILENCE))
            started, stopped = client.all(TURN[0])[0], client.all(TURN[1])[0]
            assert (started["audio_start_ms"], stopped["audio_end_ms"]) == (1700, 2500)
        server.assert_client_correct()

    run(main())


def test_a_commit_of_the_clients_in_the_middle_of_speech_takes_its_item_and_no_stop_follows() -> None:
    async def scenario(call: Call) -> None:
        await call.user_starts("item_u")
        await call.expect("input_audio_buffer.commit")
        assert await call.user_stops() is None
        await call.close()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.until(TURN[0])
            await client.audio(SILENCE * 2)
            await client.send("input_audio_buffer.commit")
            await client.ended()
            assert client.types()[1:] == [TURN[0], *TURN[2:]]
            assert client.all(TURN[2])[0]["item_id"] == "item_u"
        server.assert_client_correct()

    run(main())


def test_a_transcript_may_come_late_again_and_fail() -> None:
    async def scenario(call: Call) -> None:
        item_id = await call.user_says("not told, since the session asks for none")
        response = await call.next_response()
        await response.say("Noon.")
        await response.done()
        await call.transcribe(item_id, "What time is it?", pieces=3)
        await call.duplicate(messages.transcription_completed(item_id, "What time is it?"))
        await call.send(messages.transcription_failed(item_id))
        await call.close()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.ended()
            behind = client.types()[client.types().index("response.done") + 1 :]
            kind = "conversation.item.input_audio_transcription."
            assert behind == [f"{kind}completed"] * 3 + [f"{kind}failed"]
            assert "".join(event["delta"] for event in client.all(f"{kind}delta")) == "What time is it?"
            item = server.connections[0].service.conversation.items[0]
            assert item.text == "What time is it?"

    run(main())


def test_the_server_hears_speech_by_its_loudness_and_answers_from_its_script() -> None:
    async def main() -> None:
        async with OpenAIServer(listening(ONE_LINE)) as server, connected(server) as client:
            await client.update(audio=TRANSCRIBED)
            await _voice(client, *[SILENCE] * 5, *[LOUD] * 6, *[SILENCE] * 8)
            await client.until("response.done")
            assert client.all(TRANSCRIPT)[0]["transcript"] == "Hello?"
            assert client.words() == "Hello to you."
            started, stopped = client.all(TURN[0])[0], client.all(TURN[1])[0]
            # Noticed 60 ms into speech that began at 500 ms, with 300 ms before it.
            assert 200 <= started["audio_start_ms"] <= 300
            assert 1500 <= stopped["audio_end_ms"] <= 1700
        server.assert_client_correct()

    run(main())


def test_a_client_that_falls_silent_by_sending_nothing_has_stopped_speaking() -> None:
    async def main() -> None:
        async with OpenAIServer(listening(ONE_LINE)) as server, connected(server) as client:
            await _voice(client, *[LOUD] * 5)
            await client.until("response.done")
            assert client.words() == "Hello to you."

    run(main())


def test_without_turn_detection_the_client_commits_and_asks() -> None:
    async def main() -> None:
        async with OpenAIServer(listening(ONE_LINE)) as server, connected(server) as client:
            await client.update(audio={"input": {"turn_detection": None, "transcription": {"model": "whisper-1"}}})
            await _voice(client, *[LOUD] * 5, *[SILENCE] * 8)
            assert client.types() == ["session.created", "session.updated"]
            await client.send("input_audio_buffer.commit")
            await client.until(TRANSCRIPT)
            await client.send("response.create")
            await client.until("response.done")
            assert client.words() == "Hello to you."
        server.assert_client_correct()

    run(main())


def test_an_answer_at_the_speed_of_speech_is_cut_by_the_next_turn() -> None:
    async def main() -> None:
        dialogue = Dialogue([UserLine("Go on", "One two three four five six seven eight"), UserLine("Stop", "Yes.")])
        async with OpenAIServer(listening(dialogue, speed=1.0)) as server, connected(server) as client:
            await _voice(client, *[LOUD] * 5, *[SILENCE] * 10, *[LOUD] * 5, *[SILENCE] * 8)
            await client.until("response.done", 2)
            first, second = (event["response"] for event in client.all("response.done"))
            assert first["status_details"]["reason"] == "turn_detected"
            assert second["output"][0]["content"][0]["transcript"] == "Yes."
        server.assert_client_correct()

    run(main())


def test_a_line_that_needs_a_tool_uses_the_first_that_can_be_called_or_says_that_there_is_none() -> None:
    async def main(tools: list[dict[str, object]]) -> tuple[list[str], str]:
        dialogue = Dialogue([UserLine("Weather?", "It is {output}", tool=True)])
        async with OpenAIServer(listening(dialogue)) as server, connected(server) as client:
            await client.update(tools=tools)
            await _voice(client, *[LOUD] * 5, *[SILENCE] * 8)
            calls = (await client.until("response.done"))["response"]["output"]
            for item in (item for item in calls if item["type"] == "function_call"):
                output = {"type": "function_call_output", "call_id": item["call_id"], "output": "sunny"}
                await client.send("conversation.item.create", item=output)
                await client.send("response.create")
                await client.until("response.done", 2)
        server.assert_client_correct()
        return [item["type"] for item in calls], client.words()

    unfillable = function("odd")
    unfillable["parameters"] = {"type": "object", "properties": {"x": {"$ref": "#/y"}}, "required": ["x", "z"]}
    unfillable["parameters"]["properties"]["x"] = {"type": "array", "anyOf": []}
    assert run(main([unfillable, function()])) == (["function_call"], "It is sunny")
    assert run(main([])) == (["message"], DEFAULT_DIALOGUE.no_tool)


def test_a_reply_and_an_aside_are_asked_for_without_a_word_of_the_user() -> None:
    async def main() -> None:
        async with OpenAIServer() as server, connected(server) as client:
            await client.send("response.create")
            await client.until("response.done")
            await client.send("response.create", response={"conversation": "none", "output_modalities": ["text"]})
            await client.until("response.done", 2)
            assert client.words() == DEFAULT_DIALOGUE.reply + DEFAULT_DIALOGUE.aside
        server.assert_client_correct()

    run(main())


def test_speech_goes_on_while_the_session_is_updated() -> None:
    async def main() -> None:
        async with OpenAIServer(listening(ONE_LINE)) as server, connected(server) as client:
            await _voice(client, *[LOUD] * 3)
            await client.update(audio={"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 300}}})
            await _voice(client, *[LOUD] * 3, *[SILENCE] * 4)
            await client.until("response.done")
            assert client.types().count(TURN[0]) == 1
        server.assert_client_correct()

    run(main())


def test_a_response_that_may_use_no_tool_uses_none() -> None:
    async def main() -> None:
        dialogue = Dialogue([UserLine("Weather?", "It is {output}", tool=True)])
        async with OpenAIServer(listening(dialogue)) as server, connected(server) as client:
            await client.update(tools=[function()], tool_choice="none")
            await _voice(client, *[LOUD] * 5, *[SILENCE] * 8)
            await client.until("response.done")
            assert client.words() == dialogue.no_tool
        server.assert_client_correct()

    run(main())


def test_telephone_formats_are_heard_and_spoken() -> None:
    async def main(kind: str) -> None:
        loud = b"".join(sound for _, sound in speak("Watermelon", kind))
        async with OpenAIServer(listening(ONE_LINE)) as server, connected(server) as client:
            phone = {"format": {"type": kind}}
            await client.update(audio={"input": phone, "output": phone})
            await client.audio(loud)
            await client.until("response.done")
            size = sum(math.ceil(len(event["delta"]) * 3 / 4) for event in client.all("response.output_audio.delta"))
            assert abs(size / 8 - server.connections[0].service.conversation.items[-1].audio_ms) < 50
        server.assert_client_correct()

    run(main("audio/pcmu"))
    run(main("audio/pcma"))


def test_a_law_is_read_back_within_its_steps() -> None:
    pcm = b"".join(sound for _, sound in synthesise("Watermelon", 8000))
    back = alaw_to_pcm(pcm_to_alaw(pcm))
    one = [int.from_bytes(pcm[at : at + 2], "little", signed=True) for at in range(0, len(pcm), 2)]
    two = [int.from_bytes(back[at : at + 2], "little", signed=True) for at in range(0, len(back), 2)]
    assert all(abs(a - b) <= max(16, abs(a) / 16) for a, b in zip(one, two, strict=True))
    assert pcm_to_alaw(back) == pcm_to_alaw(pcm)
    assert decoder("audio/pcm") is None
    # The silence of the law, and its loudest values.
    assert pcm_to_alaw(b"\0\0\xff\x7f\0\x80") == b"\xd5\xaa\x2a"
