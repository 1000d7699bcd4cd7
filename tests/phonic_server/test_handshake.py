"""Getting in, being kept out, and coming back."""

from __future__ import annotations

from phonic import AsyncPhonic
from phonic.environment import PhonicEnvironment
from phonic.types import ConfigPayload
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from rtfsm.testing.phonic_server import PATH, Call, Handshake, PhonicServer, messages, script
from rtfsm.testing.virtual_time import run
from tests.phonic_server.client import KEY, configured, connected, inline_tool


async def _status(url: str, headers: dict[str, str]) -> int:
    try:
        async with connect(url, additional_headers=headers, ping_interval=None):
            return 101
    except InvalidStatus as refusal:
        return int(refusal.response.status_code)


def test_a_client_with_a_key_is_configured_created_and_ready() -> None:
    async def main() -> None:
        async with PhonicServer(script([Handshake(ready_after=0.5)])) as server:
            async with connected(server, "?session_token=ph_session_1&lane=a") as client:
                await client.send("config", agent="a")
                await client.until("ready_to_start_conversation")
                created, ready = client.got
            assert [created[1]["type"], ready[1]["type"]] == ["conversation_created", "ready_to_start_conversation"]
            assert ready[0] - created[0] >= 0.5
            assert created[1]["conversation_id"] == server.connections[0].conversation_id
            assert server.connections[0].query == {"session_token": "<secret>", "lane": "a"}
        server.assert_client_correct()

    run(main())


def test_a_client_without_a_key_or_with_a_wrong_path_is_kept_out() -> None:
    async def main() -> None:
        async with PhonicServer() as server:
            assert await _status(server.url + PATH, {}) == 401
            assert await _status(server.url + PATH, {"Authorization": "Bearer "}) == 401
            assert await _status(server.url + PATH, {"Authorization": "Basic abc"}) == 401
            assert await _status(server.url + "/v1/elsewhere", KEY) == 404
            assert await _status(server.url + PATH, KEY) == 101
            assert server.attempts == 5
            assert len(server.connections) == 1

    run(main())


def test_a_server_that_refuses_answers_with_its_status_until_it_does_not() -> None:
    async def main() -> None:
        async with PhonicServer(refuse=401) as server:
            assert await _status(server.url + PATH, KEY) == 401
        async with PhonicServer(refuse=lambda attempt: 503 if attempt < 2 else None) as server:
            assert [await _status(server.url + PATH, KEY) for _ in range(3)] == [503, 503, 101]

    run(main())


def test_many_clients_have_their_own_conversations() -> None:
    async def scenario(call: Call) -> None:
        config = await call.handshake()
        await call.say(str(config["agent"]))

    async def main() -> None:
        async with (
            PhonicServer(scenario) as server,
            configured(server, agent="one") as first,
            configured(server, agent="two") as second,
        ):
            await second.until("assistant_finished_speaking")
            await first.until("assistant_finished_speaking")
            assert (first.words(), second.words()) == ("one", "two")
            ids = {client.got[0][1]["conversation_id"] for client in (first, second)}
            assert len(ids) == 2
        server.assert_client_correct()

    run(main())


def test_the_sdks_reconnecting_socket_resumes_a_dropped_conversation() -> None:
    async def scenario(call: Call) -> None:
        await call.handshake()
        if call.connection.number == 0:
            await call.drop()

    async def main() -> list[str]:
        async with PhonicServer(scenario) as server:
            environment = PhonicEnvironment(base="http://127.0.0.1/v1", production=server.url)
            phonic = AsyncPhonic(
                api_key="a-key", environment=environment, reconnect_conversation_on_abnormal_disconnect=True
            )
            types: list[str] = []
            async with phonic.conversations.connect() as socket:
                await socket.send_config(ConfigPayload(input_format="pcm_16000", type="config"))
                async for message in socket:
                    types.append(message.type)
                    if message.type == "conversation_reconnected":
                        break
        first, second = server.connections
        assert second.query == {"reconnect_conv_id": first.conversation_id}
        assert second.protocol.input_format == "pcm_16000"
        server.assert_client_correct()
        return types

    types = run(main())
    assert types == ["conversation_created", "ready_to_start_conversation", "conversation_reconnected"]


def test_an_unknown_conversation_cannot_be_resumed() -> None:
    async def main() -> None:
        async with PhonicServer() as server, connected(server, "?reconnect_conv_id=conv_9") as client:
            await client.ended()
            assert client.socket.close_code == 4800

    run(main())


def test_a_resumed_conversation_takes_neither_a_config_nor_an_old_tool_output() -> None:
    async def scenario(call: Call) -> None:
        await call.handshake()
        if call.connection.number == 0:
            await call.send(messages.tool_call("call_1", "weather"))
            await call.drop()

    async def main() -> list[str]:
        async with PhonicServer(scenario) as server:
            async with configured(server, tools=[inline_tool()]) as client:
                await client.ended()
                assert client.socket.close_code == 1006
            async with connected(server, "?reconnect_conv_id=conv_0") as client:
                await client.until("conversation_reconnected")
                await client.send("config")
                await client.send("tool_call_output", tool_call_id="call_1", output="late")
            await server.connections[1].closed.wait()
        assert server.connections[0].client_errors == []
        return [error.problem for error in server.connections[1].client_errors]

    assert run(main()) == [
        "a resumed conversation keeps its configuration; config must not be sent",
        "tool call 'call_1' is issued on an earlier connection",
    ]
