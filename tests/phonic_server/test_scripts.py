"""What a scenario can do to a client, as a function and as a list of steps."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator

import pytest

from rtfsm.testing.phonic_server import (
    Call,
    Close,
    Connection,
    Delay,
    Drop,
    Expect,
    Handshake,
    PhonicServer,
    Raw,
    Say,
    Send,
    messages,
    script,
)
from rtfsm.testing.phonic_server.messages import Message
from rtfsm.testing.virtual_time import run
from tests.phonic_server.client import SILENCE, configured


def test_steps_are_taken_in_order_and_at_their_times() -> None:
    steps = [
        Handshake(),
        Expect("generate_reply"),
        Delay(0.2),
        Send(messages.warning("mind"), times=2),
        Say("Hello there"),
        Raw("{}"),
        Raw(b"\1"),
        Close(1011, "over"),
    ]

    async def main() -> None:
        async with PhonicServer(script(steps)) as server, configured(server) as client:
            await client.audio(SILENCE)
            await client.send("generate_reply")
            await client.ended()
            assert client.types() == [
                "conversation_created",
                "ready_to_start_conversation",
                "warning",
                "warning",
                "assistant_started_speaking",
                "assistant_finished_speaking",
                "",
            ]
            asked = next(record.at for record in server.connections[0].received if record.type == "generate_reply")
            warned = next(at for at, message in client.got if message.get("type") == "warning")
            assert 0.2 <= warned - asked < 0.25
            assert client.words() == "Hello there"
            assert client.raw[-1] == b"\1"
            assert (client.socket.close_code, client.socket.close_reason) == (1011, "over")
        server.assert_client_correct()

    run(main())


@pytest.mark.parametrize("code", [1000, 1001, 1012, 4500, 4600])
def test_a_close_code_reaches_the_client(code: int) -> None:
    async def main() -> None:
        steps = [Handshake(), Close(code, "restarting")]
        async with PhonicServer(script(steps)) as server, configured(server) as client:
            await client.ended()
            assert (client.socket.close_code, client.socket.close_reason) == (code, "restarting")

    run(main())


def test_a_close_without_a_code_is_1005_and_a_drop_is_1006_for_the_client() -> None:
    async def main() -> None:
        for step, code in ((Close(None), 1005), (Drop(), 1006)):
            async with PhonicServer(script([Handshake(), step])) as server, configured(server) as client:
                await client.ended()
                assert client.socket.close_code == code

    run(main())


def test_a_turn_is_paced_to_real_time_unless_streamed_ahead() -> None:
    async def scenario(call: Call) -> None:
        config = await call.handshake()
        turn = await call.say("One two three four five six")
        assert turn.ends_at - call.now <= 0.001 or config["stream_ahead_of_real_time"]

    async def main() -> dict[bool, tuple[float, float]]:
        took = {}
        for ahead in (False, True):
            async with PhonicServer(scenario) as server:
                async with configured(server, stream_ahead_of_real_time=ahead) as client:
                    await client.until("assistant_finished_speaking")
                chunks = [message for _, message in client.got if message["type"] == "audio_chunk"]
                assert {len(base64.b64decode(message["audio"])) for message in chunks} == {960}
                times = [at for at, message in client.got if message["type"] == "audio_chunk"]
                took[ahead] = (times[-1] - times[0] + 0.02, len(chunks) * 0.02)
            server.assert_client_correct()
        return took

    took = run(main())
    paced, sound = took[False]
    assert abs(paced - sound) < 0.03
    assert took[True][0] < sound / 4


def test_a_word_rides_on_the_first_chunk_of_its_sound_only() -> None:
    async def scenario(call: Call) -> None:
        await call.handshake()
        await call.speak(call.turn("Good morning"), timings={"first_byte": 80.0})

    async def main() -> None:
        async with PhonicServer(scenario) as server, configured(server) as client:
            await client.until("assistant_finished_speaking")
            chunks = [message for _, message in client.got if message["type"] == "audio_chunk"]
            assert [chunk["text"] for chunk in chunks if chunk["text"]] == ["Good", " morning"]
            assert ["timings" in chunk for chunk in chunks] == [True] + [False] * (len(chunks) - 1)

    run(main())


def test_expect_leaves_audio_and_other_types_for_later() -> None:
    async def scenario(call: Call) -> None:
        await call.handshake()
        assert (await call.expect("say"))["text"] == "second"
        assert (await call.expect())["type"] == "mute"
        assert (await call.expect("audio_chunk"))["type"] == "audio_chunk"
        assert [record.type for record in call.received] == ["config", "audio_chunk", "mute", "say"]
        times = [record.at for record in call.received]
        assert times == sorted(times)
        await call.close(4200)

    async def main() -> None:
        async with PhonicServer(scenario) as server, configured(server) as client:
            await client.audio(SILENCE)
            await client.send("mute")
            await client.send("say", text="second")
            await client.ended()
            assert client.socket.close_code == 4200
        server.assert_client_correct()

    run(main())


def test_hearing_keeps_the_order_of_audio_and_other_messages() -> None:
    async def scenario(call: Call) -> None:
        await call.handshake()
        await call.delay(1)
        assert [(await call.hear()).type for _ in range(4)] == ["audio_chunk", "mute", "audio_chunk", "unmute"]

    async def main() -> None:
        async with PhonicServer(scenario) as server, configured(server) as client:
            await client.audio(SILENCE)
            await client.send("mute")
            await client.audio(SILENCE)
            await client.send("unmute")
            await asyncio.sleep(2)
        server.assert_client_correct()

    run(main())


def test_a_message_that_never_comes_fails_the_scenario_and_is_reported() -> None:
    async def main() -> str:
        steps = [Handshake(), Expect("reset", timeout=5)]
        async with PhonicServer(script(steps)) as server, configured(server) as client:
            await client.send("mute")
            await client.ended()
            assert client.socket.close_code == 1011
        with pytest.raises(AssertionError) as caught:
            server.assert_client_correct()
        return str(caught.value)

    assert "expected reset within 5 s; unread so far: mute" in run(main())


def test_a_client_that_leaves_ends_the_scenario_without_a_failure() -> None:
    async def main() -> None:
        steps = [Handshake(), Expect("reset")]
        async with PhonicServer(script(steps)) as server:
            async with configured(server):
                pass
            await server.connections[0].closed.wait()
        assert server.connections[0].close_code == 1000
        server.assert_client_correct()

    run(main())


def test_a_planted_defect_drops_doubles_and_bends_messages() -> None:
    def defect(message: Message) -> Iterator[Message]:
        if message["type"] == "assistant_finished_speaking":
            return
        yield message
        if message["type"] == "assistant_started_speaking":
            yield {**message, "type": "warning", "warning": {"message": "planted"}}

    async def scenario(call: Call) -> None:
        await call.handshake()
        await call.say("Hi")
        await call.duplicate(messages.input_cancelled())
        await call.close()

    async def main() -> None:
        async with PhonicServer(scenario, transform=defect) as server, configured(server) as client:
            await client.ended()
            assert client.types()[2:] == ["assistant_started_speaking", "warning", "input_cancelled", "input_cancelled"]
            assert server.connections[0].sent_types() == client.types()

    run(main())


def test_the_observer_sees_every_frame_and_no_content() -> None:
    seen: list[tuple[int, str, str]] = []

    async def main() -> None:
        def observe(connection: Connection, direction: str, type_name: str) -> None:
            seen.append((connection.number, direction, type_name))

        async with PhonicServer(script([Handshake()]), observe=observe, keep_audio=False) as server:
            async with configured(server) as client:
                await client.audio(SILENCE)
            await server.connections[0].closed.wait()
            assert server.connections[0].received_types() == ["config"]
            assert len(server.connections[0].received) == 1

    run(main())
    assert seen == [
        (0, "received", "config"),
        (0, "sent", "conversation_created"),
        (0, "sent", "ready_to_start_conversation"),
        (0, "received", "audio_chunk"),
    ]
