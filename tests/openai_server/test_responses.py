"""A response from its first event to its last, several at once, and each way to end one."""

from __future__ import annotations

import asyncio
import base64
import json
import math

import pytest

from rtfsm.testing.openai_server import Call, OpenAIServer, Response
from rtfsm.testing.virtual_time import run
from tests.openai_server.client import call_output, connected, function, user_text

MESSAGE = [
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
]
CALL = [
    "response.output_item.added",
    "conversation.item.added",
    "response.function_call_arguments.done",
    "response.output_item.done",
    "conversation.item.done",
]


async def _silent(call: Call) -> None:
    await call.delay(1000)


def test_a_response_is_told_event_by_event() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        assert (response.origin, response.tools) == ("client", [function()])
        await response.say("One moment.")
        await response.call_tool("weather", {"city": "Lisbon"})
        await response.done()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.update(tools=[function()])
            await client.send("response.create", response={"metadata": {"topic": "rain"}})
            done = (await client.until("response.done"))["response"]
            began = ["session.created", "session.updated", "response.created", "rate_limits.updated"]
            assert client.types() == [*began, *MESSAGE, *CALL, "response.done"]
            created = client.all("response.created")[0]["response"]
            assert (created["status"], created["metadata"], created["output"]) == ("in_progress", {"topic": "rain"}, [])
            assert created["conversation_id"] == server.connections[0].service.conversation.id
            assert (done["status"], done["status_details"], done["metadata"]) == (
                "completed",
                None,
                {"topic": "rain"},
            )
            message, call = done["output"]
            assert message["content"] == [{"type": "output_audio", "transcript": "One moment."}]
            assert (call["status"], json.loads(call["arguments"])) == ("completed", {"city": "Lisbon"})
            added = client.all("conversation.item.added")
            assert [(e["item"]["status"], e["item"].get("content")) for e in added] == [
                ("in_progress", []),
                ("in_progress", None),
            ]
            assert [e["previous_item_id"] for e in added] == [None, message["id"]]
            deltas = client.all("response.function_call_arguments.delta")
            assert "".join(delta["delta"] for delta in deltas) == call["arguments"]
            assert {delta["output_index"] for delta in deltas} == {1}
            voice = [len(base64.b64decode(delta["delta"])) for delta in client.all("response.output_audio.delta")]
            assert max(voice) == 4800
            usage = done["usage"]
            assert usage["output_token_details"]["audio_tokens"] == math.ceil(sum(voice) / 48 / 50)
            assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        server.assert_client_correct()

    run(main())


def test_every_event_has_an_id_of_its_own() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        await response.say("One two")
        await response.done()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("response.create")
            await client.until("response.done")
            ids = [event["event_id"] for _, event in client.got]
            assert len(set(ids)) == len(ids) > 10

    run(main())


def test_a_response_without_audio_is_written() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        await response.say("One two")
        await response.done()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("response.create", response={"output_modalities": ["text"]})
            done = (await client.until("response.done"))["response"]
            assert done["output"][0]["content"] == [{"type": "output_text", "text": "One two"}]
            assert client.all("response.output_text.done")[0]["text"] == client.words() == "One two"
            assert client.all("response.output_audio.delta") == []

    run(main())


@pytest.mark.parametrize(("speed", "fastest", "slowest"), [(1.0, 0.9, 1.2), (8.0, 0.1, 0.3), (math.inf, 0.0, 0.01)])
def test_a_voice_is_sent_at_the_pace_that_a_script_asks_for(speed: float, fastest: float, slowest: float) -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        await response.say("One two three", speed=speed)
        await response.done()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("response.create")
            await client.until("response.done")
            times = [at for at, event in client.got if event["type"] in ("response.created", "response.done")]
            sound = server.connections[0].service.conversation.items[0].audio_ms / 1000
            assert fastest <= (times[1] - times[0]) / sound <= slowest

    run(main())


def test_a_create_while_a_response_is_active_is_refused_and_names_it() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        await call.expect("response.create")
        await call.expect("response.create")
        await response.done()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("response.create", event_id="first")
            created = await client.until("response.created")
            await asyncio.sleep(0.5)
            await client.send("response.create", event_id="second")
            error = (await client.until("error"))["error"]
            assert (error["code"], error["event_id"]) == ("conversation_already_has_active_response", "second")
            assert created["response"]["id"] in error["message"]
            await client.until("response.done")
            assert len(client.all("response.created")) == 1
        assert len(server.connections[0].client_errors) == 1

    run(main())


def test_a_create_that_crosses_the_servers_own_response_is_refused_and_no_mistake() -> None:
    async def scenario(call: Call) -> None:
        response = await call.start_response()
        await call.expect("response.create")
        await response.done()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("response.create")
            await client.until("response.done")
            assert client.codes() == ["conversation_already_has_active_response"]
            assert len(server.connections[0].client_notes) == 1
        server.assert_client_correct()

    run(main())


def test_responses_out_of_band_run_beside_each_other_and_leave_the_conversation_alone() -> None:
    async def scenario(call: Call) -> None:
        async def answer(response: Response) -> None:
            await response.say(str((response.metadata or {}).get("name")), speed=1.0)
            await response.done()

        await asyncio.gather(*[answer(await call.next_response()) for _ in range(3)])

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("response.create", response={"metadata": {"name": "the conversation"}})
            for name in ("a summary", "a judgement"):
                request = {"conversation": "none", "metadata": {"name": name}, "input": [user_text("sum up")]}
                await client.send("response.create", response=request)
            await client.until("response.done", 3)
            kinds = [kind for kind in client.types() if kind in ("response.created", "response.done")]
            assert kinds == ["response.created"] * 3 + ["response.done"] * 3
            done = [event["response"] for event in client.all("response.done")]
            assert sorted((r["metadata"]["name"], r["conversation_id"] is None) for r in done) == [
                ("a judgement", True),
                ("a summary", True),
                ("the conversation", False),
            ]
            conversation = server.connections[0].service.conversation
            assert [item.text for item in conversation.items] == ["the conversation"]
            assert len(client.all("conversation.item.added")) == 1
        server.assert_client_correct()

    run(main())


@pytest.mark.parametrize("by_id", [False, True])
def test_a_cancel_closes_what_is_open_and_the_script_goes_on_unharmed(by_id: bool) -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        assert not await response.say("One two three four five six", speed=1.0)
        assert response.over
        assert await response.call_tool("weather", "{}") is None
        assert await response.open_message() is None
        assert not await response.done()
        await call.close()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("response.create")
            created = await client.until("response.created")
            await client.until("response.output_audio.delta", 5)
            await client.send("response.cancel", **({"response_id": created["response"]["id"]} if by_id else {}))
            done = (await client.until("response.done"))["response"]
            assert (done["status"], done["status_details"]) == (
                "cancelled",
                {"type": "cancelled", "reason": "client_cancelled"},
            )
            assert done["output"][0]["status"] == "incomplete"
            spoken = done["output"][0]["content"][0]["transcript"]
            assert spoken == client.words()
            assert 0 < len(spoken) < len("One two three four five six")
            assert client.types()[3:] == [*MESSAGE, "response.done"]
            cancelled = asyncio.get_running_loop().time()
            await client.ended()
            # The script went on at once, not when the rest of its words would have been said.
            assert asyncio.get_running_loop().time() - cancelled < 0.2
            assert client.types()[-1] == "response.done"
        server.assert_client_correct()

    run(main())


def test_a_cancel_without_an_id_leaves_responses_out_of_band_alone() -> None:
    async def main() -> None:
        async with OpenAIServer(_silent) as server, connected(server) as client:
            await client.send("response.create", response={"conversation": "none"})
            created = (await client.until("response.created"))["response"]
            await client.send("response.cancel")
            assert (await client.until("error"))["error"]["message"].startswith("Cancellation failed")
            await client.send("response.cancel", response_id=created["id"])
            assert (await client.until("response.done"))["response"]["status"] == "cancelled"
            await client.send("response.cancel", response_id=created["id"])
            await client.until("error", 2)
            assert client.codes() == ["response_cancel_not_active"] * 2
        server.assert_client_correct()

    run(main())


def test_a_response_that_runs_out_of_tokens_cuts_its_call_in_the_middle_of_the_json() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        cut = await response.open_call("transfer", call_id="call_a")
        assert cut is not None
        await cut.arguments('{"to": "alice", "amount": 1')
        await response.done("incomplete", reason="max_output_tokens")

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("response.create")
            done = (await client.until("response.done"))["response"]
            assert done["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
            item = client.all("response.output_item.done")[0]["item"]
            assert (item["status"], item["arguments"]) == ("incomplete", '{"to": "alice", "amount": 1')
            assert client.types()[3:] == [*CALL, "response.done"]

    run(main())


def test_a_failed_response_tells_its_error() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        await response.done("failed", error={"type": "server_error", "code": "x", "message": "sorry"}, usage={})

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("response.create")
            details = (await client.until("response.done"))["response"]["status_details"]
            assert details == {
                "type": "failed",
                "error": {"type": "server_error", "code": "x", "message": "sorry"},
            }

    run(main())


def test_two_calls_are_answered_before_one_response() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        for city in ("Lisbon", "Porto"):
            await response.call_tool("weather", {"city": city})
        await response.done()
        assert len(call.conversation.open_calls) == 2
        answer = await call.next_response()
        assert call.conversation.open_calls == []
        await answer.say("Sunny")
        await answer.done()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.send("response.create")
            done = (await client.until("response.done"))["response"]
            for item in done["output"]:
                await client.send("conversation.item.create", item=call_output(item["call_id"]))
            await client.send("response.create")
            await client.until("response.done", 2)
            assert client.words() == "Sunny"
        server.assert_client_correct()

    run(main())
