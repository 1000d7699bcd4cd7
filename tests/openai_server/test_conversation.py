"""The conversation is kept, its order told, and what is in it can be cut, taken out and read."""

from __future__ import annotations

import base64

from rtfsm.testing.openai_server import Call, OpenAIServer
from rtfsm.testing.virtual_time import run
from tests.openai_server.client import SILENCE, Client, call_output, connected, user_text


async def _silent(call: Call) -> None:
    await call.delay(1000)


async def _speaker(call: Call) -> None:
    response = await call.next_response()
    await response.say("One two three four")
    await response.done()


async def _create(client: Client, text: str, item_id: str, previous: str | None = None) -> None:
    place = {} if previous is None else {"previous_item_id": previous}
    await client.send("conversation.item.create", item=user_text(text, item_id), **place)


def test_items_are_acknowledged_in_the_place_that_they_take() -> None:
    async def main() -> None:
        async with OpenAIServer(_silent) as server, connected(server) as client:
            await _create(client, "two", "b")
            await _create(client, "four", "d", "b")
            await _create(client, "one", "a", "root")
            await _create(client, "three", "c", "b")
            await client.until("conversation.item.done", 4)
            added = [
                (event["item"]["id"], event["previous_item_id"]) for event in client.all("conversation.item.added")
            ]
            assert added == [("b", None), ("d", "b"), ("a", None), ("c", "b")]
            assert [item.text for item in server.connections[0].service.conversation.items] == [
                "one",
                "two",
                "three",
                "four",
            ]
            assert client.types()[1:3] == ["conversation.item.added", "conversation.item.done"]
        server.assert_client_correct()

    run(main())


def test_an_item_is_deleted_once_and_its_id_is_free_again() -> None:
    async def main() -> None:
        async with OpenAIServer(_silent) as server, connected(server) as client:
            await _create(client, "one", "a")
            await client.send("conversation.item.delete", item_id="a")
            await client.send("conversation.item.delete", item_id="a")
            await _create(client, "one", "a")
            await client.until("conversation.item.done", 2)
            assert client.types()[3:5] == ["conversation.item.deleted", "error"]

    run(main())


def test_a_message_is_truncated_to_what_was_heard_and_loses_its_transcript() -> None:
    async def main() -> None:
        async with OpenAIServer(_speaker) as server, connected(server) as client:
            await client.send("response.create")
            item = (await client.until("response.done"))["response"]["output"][0]
            assert item["content"] == [{"type": "output_audio", "transcript": "One two three four"}]
            whole = server.connections[0].service.conversation.items[0].audio_ms
            where = {"item_id": item["id"], "content_index": 0}
            await client.send("conversation.item.truncate", **where, audio_end_ms=round(whole) + 1)
            assert (await client.until("error"))["error"]["param"] == "audio_end_ms"
            await client.send("conversation.item.truncate", **where, audio_end_ms=400)
            assert (await client.until("conversation.item.truncated"))["audio_end_ms"] == 400
            await client.send("conversation.item.retrieve", item_id=item["id"])
            part = (await client.until("conversation.item.retrieved"))["item"]["content"][0]
            assert part["transcript"] is None
            assert len(base64.b64decode(part["audio"])) == 0.4 * 48000
            await client.send("conversation.item.truncate", **where, audio_end_ms=401)
            await client.until("error", 2)
        assert [error.type for error in server.connections[0].client_errors] == ["conversation.item.truncate"] * 2

    run(main())


def test_what_was_truncated_while_it_was_being_said_has_no_transcript_at_its_end_either() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        message = await response.open_message()
        assert message is not None
        await message.text("One two")
        await message.audio(SILENCE)
        await call.expect("conversation.item.truncate")
        await response.done()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("response.create")
            item_id = (await client.until("response.output_audio.delta"))["item_id"]
            await client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=50)
            await client.until("response.done")
            done = client.all("conversation.item.done")[0]["item"]
            assert done["content"] == [{"type": "output_audio", "transcript": None}]
        server.assert_client_correct()

    run(main())


def test_what_was_sent_stays_on_record_as_it_was() -> None:
    async def main() -> None:
        async with OpenAIServer(_speaker) as server, connected(server) as client:
            await client.send("response.create")
            item_id = (await client.until("response.done"))["response"]["output"][0]["id"]
            await client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=0)
            await client.until("conversation.item.truncated")
            assert [record.message for record in server.connections[0].sent] == [event for _, event in client.got]

    run(main())


def test_a_call_of_the_clients_own_gets_an_id_that_its_output_can_name() -> None:
    async def main() -> None:
        async with OpenAIServer(_silent) as server, connected(server) as client:
            call = {"type": "function_call", "name": "weather", "arguments": "{}"}
            await client.send("conversation.item.create", item=call)
            item = (await client.until("conversation.item.done"))["item"]
            await client.send("conversation.item.create", item=call_output(item["call_id"]))
            await client.until("conversation.item.done", 2)
            assert server.connections[0].service.conversation.open_calls == []
        server.assert_client_correct()

    run(main())


def test_a_commit_makes_the_buffer_a_message_that_can_be_read() -> None:
    async def main() -> None:
        async with OpenAIServer(_silent) as server, connected(server) as client:
            await client.update(audio={"input": {"turn_detection": None}})
            for _ in range(5):
                await client.audio(SILENCE)
            await client.send("input_audio_buffer.commit")
            committed = await client.until("input_audio_buffer.committed")
            done = await client.until("conversation.item.done")
            assert done["item"]["id"] == committed["item_id"]
            assert done["item"]["content"] == [{"type": "input_audio", "transcript": None}]
            await client.send("conversation.item.retrieve", item_id=committed["item_id"])
            part = (await client.until("conversation.item.retrieved"))["item"]["content"][0]
            assert base64.b64decode(part["audio"]) == SILENCE * 5
            await client.send("input_audio_buffer.commit")
            await client.until("error")
            await client.audio(SILENCE * 2)
            await client.send("input_audio_buffer.clear")
            await client.send("input_audio_buffer.commit")
            await client.until("error", 2)
            assert client.codes() == ["input_audio_buffer_commit_empty"] * 2
            assert "response.created" not in client.types()

    run(main())


def test_an_item_that_goes_while_it_is_being_made_is_told_no_more_of() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        message = await response.open_message()
        assert message is not None
        await message.text("One")
        await call.expect("conversation.item.delete")
        await message.close()
        await response.done()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("response.create")
            added = await client.until("conversation.item.added")
            await client.send("conversation.item.delete", item_id=added["item"]["id"])
            await client.until("response.done")
            assert "conversation.item.done" not in client.types()
            assert "response.output_item.done" in client.types()
        server.assert_client_correct()

    run(main())
