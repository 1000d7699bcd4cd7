"""What lies between the adapter and its provider: redirects, proxies, errors that repeat a secret, sinks that fail."""

from __future__ import annotations

import asyncio
import logging

import pytest
from livekit.agents import llm

from rtfsm.adapters.livekit.streams import HostMessage
from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.testing.memory import MemorySession
from rtfsm.testing.phonic_server import Call, PhonicServer, messages
from rtfsm.testing.virtual_time import run
from tests.adapter.host import Host
from tests.adapter.stage import KEY, attentive, spoken, talking
from tests.adapter.test_socket import FAST


def test_a_redirect_is_not_followed_with_the_key() -> None:
    async def main() -> None:
        async with PhonicServer(attentive) as elsewhere:

            async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.readuntil(b"\r\n\r\n")
                place = f"{elsewhere.url}/v1/sts/ws"
                writer.write(f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
                writer.close()

            server = await asyncio.start_server(redirect, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            model = RealtimeModel(api_key=KEY, base_url=f"ws://127.0.0.1:{port}", conn_options=FAST)
            session = model.session()
            host = Host(session)
            await asyncio.wait_for(session._shell.closed.wait(), timeout=60)
            (error,) = host.named("error")
            assert "HTTP 302" in str(error.error)
            assert elsewhere.attempts == 0
            await session.aclose()
            server.close()
            await server.wait_closed()

    run(main())


def test_a_proxy_is_not_asked_for_a_server_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("Hello."))

    run(main())


def test_an_error_that_repeats_the_key_is_told_without_it() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(messages.error(f"bad key {KEY}", code=KEY, param_errors={"voice_id": f"not for {KEY}"}))
            (error,) = talk.host.named("error")
            shown = f"{error.error} {error.error.code} {error.error.parameters}"
            assert KEY not in shown
            assert "bad key ***" in shown

    run(main())


@pytest.mark.parametrize("failing", ["first", "word", "later"])
def test_an_effect_that_fails_costs_that_effect_alone(
    failing: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also on the path that is looked up: a word that cannot be handed over ends no connection."""
    push, words = HostMessage.push_text, {"first": "one ", "word": "two ", "later": "four "}

    def fragile(message: HostMessage, text: str, *when: float | None) -> None:
        if text == words[failing]:
            raise RuntimeError("no room")
        push(message, text, *when)

    monkeypatch.setattr(HostMessage, "push_text", fragile)

    async def scenario(call: Call) -> None:
        await call.handshake()
        for message in spoken("one ", "two ", "three ", "four ", "five "):
            await call.send(message)

    async def main() -> None:
        async with PhonicServer(scenario) as server:
            session = RealtimeModel(api_key=KEY, base_url=server.url).session()
            host = Host(session)
            with caplog.at_level(logging.CRITICAL, "rtfsm"):
                await session._update_session(instructions="Be brief.", chat_ctx=llm.ChatContext.empty(), tools=[])
                await asyncio.sleep(1)
            host.read()
            assert session.turn.session == "READY"
            assert session.turn.failed_effects == 1
            assert host.generations[0].text == "one two three four five ".replace(words[failing], "")
            await session.aclose()

    run(main())


def test_sound_that_a_slow_connection_left_out_is_told() -> None:
    async def main() -> None:
        session = MemorySession(RealtimeModel(api_key=KEY, base_url="ws://nowhere"))
        assert session.turn.dropped_input == 0
        session.wire.dropped += 3
        assert session.turn.dropped_input == 3
        await session.aclose()

    run(main())
