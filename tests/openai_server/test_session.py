"""Getting in, being kept out, configuring, and the end of the hour."""

from __future__ import annotations

import asyncio

import pytest
from openai import AsyncOpenAI
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from rtfsm.testing.openai_server import Call, OpenAIServer, messages
from rtfsm.testing.virtual_time import run
from tests.openai_server.client import KEY, MODEL, connected, function


async def _silent(call: Call) -> None:
    await call.delay(1000)


async def _status(url: str, headers: dict[str, str]) -> int:
    try:
        async with connect(url, additional_headers=headers, ping_interval=None):
            return 101
    except InvalidStatus as refusal:
        return int(refusal.response.status_code)


def test_a_client_with_a_key_and_a_model_is_let_in_behind_any_prefix() -> None:
    async def main() -> None:
        async with OpenAIServer(_silent) as server:
            root = f"ws://{server.address}"
            azure = {"api-key": "a-key"}
            assert await _status(f"{root}/v1/realtime{MODEL}", KEY) == 101
            assert await _status(f"{root}/realtime{MODEL}", KEY) == 101
            assert await _status(f"{root}/gateway/eu/v1/realtime{MODEL}", KEY) == 101
            assert await _status(f"{root}/openai/v1/realtime?model=my-deployment", azure) == 101
            assert await _status(f"{root}/openai/realtime?api-version=2026-01-01&deployment=mine", azure) == 101
            assert [connection.service.session.model for connection in server.connections[2:]] == [
                "gpt-realtime",
                "my-deployment",
                "mine",
            ]

    run(main())


def test_a_client_without_a_key_a_model_or_the_path_is_kept_out() -> None:
    async def main() -> None:
        async with OpenAIServer(_silent) as server:
            assert await _status(server.url + MODEL, {}) == 401
            assert await _status(server.url + MODEL, {"Authorization": "Bearer "}) == 401
            assert await _status(server.url + MODEL, {"Authorization": "Basic abc"}) == 401
            assert await _status(server.url, KEY) == 400
            assert await _status(f"ws://{server.address}/v1/live{MODEL}", KEY) == 404
            assert (server.attempts, server.connections) == (5, [])

    run(main())


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_server_that_refuses_answers_with_its_status_until_it_does_not(status: int) -> None:
    async def main() -> None:
        async with OpenAIServer(_silent, refuse=lambda attempt: status if attempt < 2 else None) as server:
            assert [await _status(server.url + MODEL, KEY) for _ in range(3)] == [status, status, 101]

    run(main())


def test_the_first_event_is_the_session_with_its_defaults_whatever_the_client_sends() -> None:
    async def main() -> None:
        async with OpenAIServer(_silent) as server, connected(server) as client:
            assert client.types() == ["session.created"]
            session = client.got[0][1]["session"]
            assert (session["model"], session["output_modalities"]) == ("gpt-realtime", ["audio"])
            assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"

    run(main())


def test_the_session_comes_first_even_for_a_client_that_sends_with_its_handshake() -> None:
    async def main() -> None:
        async with OpenAIServer(_silent) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            lines = [
                f"GET /v1/realtime{MODEL} HTTP/1.1",
                f"Host: {server.address}",
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                "Sec-WebSocket-Version: 13",
                "Authorization: Bearer a-key",
            ]
            handshake = "\r\n".join([*lines, "", ""]).encode()
            writer.write(handshake + Frame(Opcode.TEXT, b"{}").serialize(mask=True))
            await asyncio.sleep(1)
            writer.write_eof()
            answer = await reader.read()
            writer.close()
            assert 0 < answer.index(b"session.created") < answer.index(b'"error"')

    run(main())


def test_an_update_changes_the_fields_that_are_present_and_null_clears() -> None:
    async def main() -> None:
        async with OpenAIServer(_silent) as server, connected(server) as client:
            session = await client.update(instructions="Be brief.", tools=[function()])
            assert session["audio"]["output"]["voice"] == "marin"
            session = await client.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
            assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500
            assert (session["instructions"], len(session["tools"])) == ("Be brief.", 1)
            quick = {"type": "server_vad", "silence_duration_ms": 200}
            session = await client.update(audio={"input": {"turn_detection": quick}}, instructions=None)
            assert session["audio"]["input"]["turn_detection"]["interrupt_response"]
            assert session["instructions"] == "Be brief."
            off = {"turn_detection": None, "transcription": None}
            session = await client.update(audio={"input": off}, tools=[], instructions="")
            assert (session["tools"], session["instructions"]) == ([], "")
            assert session["audio"]["input"] == {**session["audio"]["input"], **off}
        server.assert_client_correct()

    run(main())


def test_the_voice_is_frozen_once_it_was_heard() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        await response.say("Hi")
        await response.done()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            assert (await client.update(audio={"output": {"voice": "cedar"}}))["audio"]["output"]["voice"] == "cedar"
            await client.send("response.create")
            await client.until("response.done")
            await client.update(audio={"output": {"voice": "cedar", "speed": 1.2}})
            await client.send("session.update", session={"type": "realtime", "audio": {"output": {"voice": "ash"}}})
            await client.until("error")
            assert client.codes() == ["cannot_update_voice"]

    run(main())


def test_a_session_expires_after_an_hour_with_an_error_and_1001() -> None:
    async def main() -> None:
        async with OpenAIServer(_silent) as server, connected(server) as client:
            began = asyncio.get_running_loop().time()
            await client.ended()
            assert asyncio.get_running_loop().time() - began == pytest.approx(3600, abs=1)
            assert client.codes() == ["session_expired"]
            reason = "Your session hit the maximum duration of 60 minutes."
            assert (client.socket.close_code, client.socket.close_reason) == (1001, reason)
        server.assert_client_correct()

    run(main(), limit=4000)


def test_a_script_expires_a_session_when_it_likes() -> None:
    async def scenario(call: Call) -> None:
        await call.delay(2)
        await call.expire()

    async def main() -> None:
        async with OpenAIServer(scenario) as server, connected(server) as client:
            await client.ended()
            assert (client.codes(), client.socket.close_code) == (["session_expired"], 1001)

    run(main())


def test_a_script_may_say_what_comes_first() -> None:
    async def scenario(call: Call) -> None:
        await call.send(messages.error("no more sessions", code="insufficient_quota"))
        await call.send(messages.session_created(call.service.session.shown))

    async def main() -> None:
        async with OpenAIServer(scenario, greets=False) as server, connected(server) as client:
            assert client.types() == ["error", "session.created"]

    run(main())


def test_the_real_sdk_connects_updates_and_reads_a_response() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        await response.say("Hello there")
        await response.call_tool("weather", {"city": "Lisbon"})
        await response.done()

    async def main() -> tuple[list[str], list[type]]:
        async with (
            OpenAIServer(scenario) as server,
            AsyncOpenAI(api_key="a-key", base_url=server.base_url) as sdk,
            sdk.realtime.connect(model="gpt-realtime") as session,
        ):
            await session.session.update(session={"type": "realtime", "tools": [function()]})  # type: ignore[list-item]
            await session.response.create(response={"metadata": {"topic": "greeting"}})
            events = []
            async for event in session:
                events.append(event)
                if event.type == "response.done":
                    assert (event.response.status, event.response.metadata) == ("completed", {"topic": "greeting"})
                    break
        server.assert_client_correct()
        return [event.type for event in events], [type(event) for event in events]

    types, classes = run(main())
    assert types[:2] == ["session.created", "session.updated"]
    assert "dict" not in {kind.__name__ for kind in classes}
