"""What a scenario can do to a client: any event at any moment, right or wrong, and every end of a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from rtfsm.testing.openai_server import Call, CallEnded, Connection, OpenAIServer, messages
from rtfsm.testing.server.judging import Message
from rtfsm.testing.virtual_time import run
from tests.openai_server.client import SILENCE, Client, connected, user_text


def test_events_that_come_late_twice_or_for_nobody_are_sent_as_the_script_says() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        await response.say("Hi")
        await response.done()
        item = response.output[0]
        await call.send(messages.audio_delta(response.id, item.id, 0, b"\0\0"))
        await call.send(messages.audio_transcript_delta("resp_of_nobody", "item_of_nobody", 7, "ghost"))
        await call.duplicate(messages.response_done(response.shown()))
        await call.send(messages.item_deleted(""))
        await call.send({"type": "response.of_tomorrow", "novelty": True})
        await call.close()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("response.create")
            await client.ended()
            all_types = [event["type"] for _, event in client.got]
            assert all_types[all_types.index("response.done") + 1 :] == [
                "response.output_audio.delta",
                "response.output_audio_transcript.delta",
                "response.done",
                "response.done",
                "conversation.item.deleted",
                "response.of_tomorrow",
            ]
            done = [event["event_id"] for event in client.all("response.done")]
            assert len(set(done)) == 3
        server.assert_client_correct()

    run(main())


def test_frames_that_are_no_events_are_sent_as_they_are() -> None:
    async def scenario(call: Call) -> None:
        await call.delay(1)
        for frame in ('{"type": "response.cre', b"\1\2", "[]", "null", ""):
            await call.raw(frame)
        await call.close(1011, "over")

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.ended()
            assert client.raw[1:] == ['{"type": "response.cre', b"\1\2", "[]", "null", ""]
            assert (client.socket.close_code, client.socket.close_reason) == (1011, "over")

    run(main())


def test_a_held_event_is_answered_late_or_rejected_or_never() -> None:
    async def scenario(call: Call) -> None:
        call.hold("conversation.item.create", "response.create")
        first = await call.expect("conversation.item.create")
        second = await call.expect("conversation.item.create")
        await call.expect("response.create")
        await call.delay(3)
        await call.obey(second)
        await call.reject(first, code="item_create_failed")
        call.release("conversation.item.create")
        await call.expect("conversation.item.create")
        await call.close()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            for item_id in ("a", "b"):
                await client.send(
                    "conversation.item.create", item=user_text("hi", item_id), event_id=f"event_{item_id}"
                )
            await client.send("response.create")
            await client.until("error")
            await client.send("conversation.item.create", item=user_text("hi", "c"))
            await client.ended()
            assert client.types() == [
                "session.created",
                "conversation.item.added",
                "conversation.item.done",
                "error",
                "conversation.item.added",
                "conversation.item.done",
            ]
            assert [event["item"]["id"] for event in client.all("conversation.item.added")] == ["b", "c"]
            assert client.all("error")[0]["error"]["event_id"] == "event_a"
            assert client.got[1][0] - client.got[0][0] >= 3
        server.assert_client_correct()

    run(main())


def test_a_response_of_the_scripts_own_answers_nobody() -> None:
    async def scenario(call: Call) -> None:
        response = await call.start_response(output_modalities=["text"])
        assert call.active_response is response
        await response.say("Are you there?")
        await response.done()
        assert call.active_response is None
        await call.close()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.ended()
            assert client.words() == "Are you there?"
        server.assert_client_correct()

    run(main())


def test_messages_of_one_response_may_be_open_side_by_side() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        one, two = await response.open_message(), await response.open_message(item_id="item_of_mine")
        assert one is not None
        assert two is not None
        await two.text("second ")
        await one.text("first ")
        await two.close()
        assert not await two.text("late")
        await response.done()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("response.create")
            output = (await client.until("response.done"))["response"]["output"]
            assert [item["content"][0]["transcript"] for item in output] == ["first ", "second "]
            assert client.all("response.output_item.done")[0]["item"]["id"] == "item_of_mine"
        server.assert_client_correct()

    run(main())


async def _close(call: Call) -> None:
    await call.close(4001, "for a reason")


async def _bare(call: Call) -> None:
    await call.close(None)


async def _drop(call: Call) -> None:
    await call.drop()


async def _reset(call: Call) -> None:
    await call.reset()


async def _breaking(call: Call) -> None:
    call.connection.write_below(b"\xff\xff\xff")


@pytest.mark.parametrize(
    ("end", "code"), [(_close, 4001), (_bare, 1005), (_drop, 1006), (_reset, 1006), (_breaking, 1006)]
)
def test_every_end_of_a_connection_reaches_the_client(end: Callable[[Call], Awaitable[None]], code: int) -> None:
    async def main() -> None:
        async with OpenAIServer(end) as server, connected(server) as client:
            await client.ended()
            # A client that reads a broken frame fails the connection itself.
            assert client.socket.close_code == code
        server.assert_client_correct()

    run(main())


def test_a_peer_that_hangs_answers_no_ping() -> None:
    async def scenario(call: Call) -> None:
        call.stall()
        await call.delay(1000)

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            pong = await client.socket.ping()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(pong), 30)
            await server.connections[0].drop()

    run(main())


def test_a_planted_defect_drops_doubles_and_bends_events() -> None:
    def defect(event: Message) -> Iterator[Message]:
        if event["type"] == "response.output_item.done":
            return
        yield event
        if event["type"] == "response.created":
            yield {**event, "type": "error", "error": {"message": "planted"}}

    async def scenario(call: Call) -> None:
        response = await call.next_response()
        await response.say("Hi")
        await response.done()

    async def main() -> None:
        async with OpenAIServer(scenario, transform=defect) as server, connected(server) as client:
            await client.send("response.create")
            await client.until("response.done")
            assert client.types()[1:3] == ["response.created", "error"]
            assert "response.output_item.done" not in client.types()
            assert [r.type for r in server.connections[0].sent] == [event["type"] for _, event in client.got]

    run(main())


def test_what_never_comes_fails_the_scenario_and_is_reported() -> None:
    async def waits_for_an_event(call: Call) -> None:
        await call.expect("response.cancel", timeout=5)

    async def waits_for_a_response(call: Call) -> None:
        await call.next_response(timeout=5)

    async def main(scenario: Callable[[Call], Awaitable[None]]) -> str:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("input_audio_buffer.clear")
            await client.ended()
            assert client.socket.close_code == 1011
        with pytest.raises(AssertionError) as caught:
            server.assert_client_correct()
        return str(caught.value)

    unread = "unread so far: input_audio_buffer.clear"
    assert f"expected response.cancel within 5 s; {unread}" in run(main(waits_for_an_event))
    assert f"no response within 5 s; {unread}" in run(main(waits_for_a_response))


def test_a_client_that_leaves_ends_the_scenario_without_a_failure() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        with pytest.raises(CallEnded):
            await response.say("Much to say " * 50, speed=1.0)
        raise CallEnded

    async def main() -> None:
        async with OpenAIServer(scenario) as server:
            async with connected(server) as client:
                await client.send("response.create")
                await client.until("response.output_audio.delta")
            await server.connections[0].closed.wait()
            assert server.connections[0].close_code == 1000
        server.assert_client_correct()

    run(main())


def test_events_that_belong_together_are_not_torn_apart_by_others() -> None:
    async def scenario(call: Call) -> None:
        async def chatter() -> None:
            for _ in range(200):
                await call.send(messages.rate_limits_updated())
                await call.delay(0)

        talking = asyncio.ensure_future(chatter())
        for _ in range(20):
            await call.user_starts()
            await call.user_stops()
            response = await call.next_response()
            await response.done()
        await talking
        await call.close()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.ended()
            types = client.types()
            ends = [at for at, kind in enumerate(types) if kind == "input_audio_buffer.speech_stopped"]
            assert len(ends) == 20
            for at in ends:
                assert types[at + 1 : at + 5] == [
                    "input_audio_buffer.committed",
                    "conversation.item.added",
                    "conversation.item.done",
                    "response.created",
                ]
        server.assert_client_correct()

    run(main())


def test_the_observer_sees_every_frame_and_a_long_run_keeps_no_sound() -> None:
    seen: list[tuple[int, str, str]] = []

    def observe(connection: Connection, direction: str, type_name: str) -> None:
        seen.append((connection.number, direction, type_name))

    async def scenario(call: Call) -> None:
        await call.user_starts()
        await call.expect("input_audio_buffer.append")
        await call.user_stops()

    async def main() -> None:
        async with OpenAIServer(scenario, observe=observe, keep_audio=False) as server, connected(server) as client:
            await client.until("input_audio_buffer.speech_started")
            await client.audio(SILENCE)
            await client.until("response.created")
            item = server.connections[0].service.conversation.items[0]
            assert (item.audio, item.audio_ms) == (bytearray(), 100.0)
            assert server.connections[0].received == []

    run(main())
    assert seen[:3] == [
        (0, "sent", "session.created"),
        (0, "sent", "input_audio_buffer.speech_started"),
        (0, "received", "input_audio_buffer.append"),
    ]


def test_many_clients_have_their_own_sessions() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        await response.say(str((response.metadata or {})["name"]))
        await response.done()

    async def talk(client: Client, name: str) -> str:
        await client.send("response.create", response={"metadata": {"name": name}})
        await client.until("response.done")
        return client.words()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as one, connected(server) as two:
            assert list(await asyncio.gather(talk(one, "one"), talk(two, "two"))) == ["one", "two"]
            ids = [connection.service.conversation.items[0].id for connection in server.connections]
            assert len(set(ids)) == 2
        server.assert_client_correct()

    run(main())
