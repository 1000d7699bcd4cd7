"""Connections that end: by a limit of ours at a quiet moment, by a loss, by a refusal."""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import APIConnectOptions, llm

from rtfsm.adapters.openai import RealtimeModel
from rtfsm.testing.openai_server import Call
from rtfsm.testing.virtual_time import run
from tests.adapter.host import Host
from tests.openai.stage import KEY, SOUND, Talk, frame, talking

QUICK = APIConnectOptions(max_retry=3, retry_interval=0.5, timeout=2.0)


def connections(talk: Talk) -> int:
    return len(talk.server.connections)


async def _answered_once(talk: Talk, words: str = "It is noon.") -> None:
    await talk.user()
    response = await talk.answered()
    await talk.says(response, words)
    await response.done()
    await talk.settle(0.3)


def test_a_connection_makes_room_for_the_next_one_at_a_quiet_moment_and_the_conversation_goes_on() -> None:
    async def main() -> None:
        async with talking(max_session_duration=60.0) as talk:
            await _answered_once(talk)
            before = talk.mirror()
            await talk.settle(61.0)
            assert connections(talk) == 2
            await talk.until_ready()
            assert talk.items() == talk.mirror() == before
            assert len(talk.host.named("session_reconnected")) == 1
            assert talk.host.named("error") == []
            await _answered_once(talk, "Still noon.")
            assert talk.mirror() == talk.items()

    run(main())


def test_a_rollover_waits_for_the_end_of_what_is_said() -> None:
    async def main() -> None:
        async with talking(max_session_duration=60.0) as talk:
            await talk.settle(58.0)
            response = await talk.starts()
            message = await talk.says(response, "One ", closes=False)
            await talk.settle(5.0)
            assert talk.session.turn.session == "ROLLING"
            await talk.says(response, "two.", message=message)
            assert connections(talk) == 1
            await response.done()
            await talk.settle(1.0)
            await talk.until(lambda: connections(talk) == 2)
            assert talk.host.generations[0].text == "One two."

    run(main())


def test_a_rollover_does_not_wait_for_ever() -> None:
    async def main() -> None:
        async with talking(max_session_duration=3535.0) as talk:
            await talk.settle(3530.0)
            response = await talk.starts()
            message = await talk.says(response, "One ", closes=False)
            while connections(talk) == 1:
                await message.text("more ")
                await asyncio.sleep(1.0)
            await talk.until(lambda: connections(talk) == 2)
            assert talk.host.generations[0].sealed
            await talk.until_ready()

    run(main())


def test_a_lost_connection_is_followed_by_another_that_knows_the_conversation() -> None:
    async def main() -> None:
        async with talking(conn_options=QUICK) as talk:
            await _answered_once(talk)
            before = talk.mirror()
            response = await talk.starts()
            await talk.says(response, "Cut ", closes=False)
            await talk.call.drop()
            await talk.settle(0.1)
            assert talk.host.generations[-1].sealed
            await talk.until(lambda: connections(talk) == 2)
            await talk.until_ready()
            assert talk.items()[:2] == before
            assert talk.items() == talk.mirror()
            assert len(talk.host.named("session_reconnected")) == 1

    run(main())


def test_sound_of_the_user_that_nobody_wrote_down_cannot_be_told_again() -> None:
    async def main() -> None:
        async with talking(conn_options=QUICK, input_audio_transcription=None) as talk:
            await _answered_once(talk)
            assert len(talk.mirror()) == 2
            await talk.call.drop()
            await talk.until(lambda: connections(talk) == 2)
            await talk.until_ready()
            assert [text for _, text in talk.items()] == [text for _, text in talk.mirror()] == ["It is noon."]

    run(main())


def test_what_was_ordered_of_a_dead_connection_is_not_sent_on_the_next() -> None:
    async def main() -> None:
        async with talking(conn_options=QUICK) as talk:
            asked = talk.host.generate_reply()
            await talk.answered()
            await talk.call.drop()
            await talk.settle(0.1)
            assert asked.done()
            talk.session.send_event({"type": "response.create"})
            talk.session.send_event({"type": "input_audio_buffer.clear"})
            await talk.until(lambda: connections(talk) == 2)
            await talk.until_ready()
            await talk.settle(1.0)
            assert talk.sent("response.create", "input_audio_buffer.clear", connection=1) == []
            assert sum(talk.session.turn.not_honoured.values()) == 2

    run(main())


def test_a_request_that_waited_through_the_outage_is_asked_of_the_next_connection() -> None:
    async def main() -> None:
        async with talking(conn_options=QUICK) as talk:
            await talk.call.drop()
            await talk.settle(0.1)
            asked = talk.host.generate_reply()
            await talk.until(lambda: connections(talk) == 2)
            await talk.until_ready()
            response = await talk.answered()
            await talk.says(response, "Here I am.")
            await response.done()
            await talk.settle()
            assert asked.result().response_id == response.id

    run(main())


def test_a_tool_that_ran_through_the_outage_is_answered_on_the_next_connection() -> None:
    async def main() -> None:
        async with talking(conn_options=QUICK) as talk:
            response = await talk.starts()
            await response.call_tool("weather", {"city": "Rome"}, call_id="rome")
            await response.done()
            await talk.settle()
            (call,) = talk.host.owed
            await talk.call.drop()
            await talk.until(lambda: connections(talk) == 2)
            await talk.until_ready()
            result = llm.FunctionCallOutput(call_id="rome", name="weather", output="sunny", is_error=False)
            await talk.pushes(result)
            items = talk.call.conversation.items
            assert [(item.kind, item.id) for item in items] == [
                ("function_call", call.id),
                ("function_call_output", result.id),
            ]
            assert talk.call.conversation.open_calls == []

    run(main())


def test_a_push_that_the_loss_overtook_ends_and_is_told_with_the_next_configuration() -> None:
    async def main() -> None:
        async with talking(conn_options=QUICK) as talk:
            talk.call.hold("conversation.item.create")
            message = llm.ChatMessage(id="typed", role="user", content=["Typed."])
            pushing = asyncio.ensure_future(talk.pushes(message))
            await talk.settle(0.1)
            assert not pushing.done()
            await talk.call.drop()
            await asyncio.wait_for(pushing, 1.0)
            await talk.until(lambda: connections(talk) == 2)
            await talk.until_ready()
            assert talk.items() == talk.mirror() == [("typed", "Typed.")]

    run(main())


def test_a_push_that_a_rollover_overtook_ends_and_is_told_with_the_next_configuration() -> None:
    async def main() -> None:
        async with talking(max_session_duration=60.0) as talk:
            await talk.settle(57.0)
            talk.call.hold("conversation.item.create")
            message = llm.ChatMessage(id="typed", role="user", content=["Typed."])
            pushing = asyncio.ensure_future(talk.pushes(message))
            await talk.until(lambda: connections(talk) == 2)
            await asyncio.wait_for(pushing, 1.0)
            await talk.until_ready()
            assert talk.items() == talk.mirror() == [("typed", "Typed.")]

    run(main())


def test_the_users_speech_that_a_loss_cut_is_ended() -> None:
    async def main() -> None:
        async with talking(conn_options=QUICK) as talk:
            await talk.call.user_starts()
            await talk.settle()
            assert talk.host.speaking
            await talk.call.drop()
            await talk.settle(0.1)
            assert not talk.host.speaking
            await talk.until_ready()

    run(main())


def test_a_session_that_the_service_ends_after_an_hour_goes_on_with_another() -> None:
    async def main() -> None:
        async with talking(max_session_duration=None, conn_options=QUICK, server={"session_limit_s": 30.0}) as talk:
            await _answered_once(talk)
            before = talk.mirror()
            await talk.until(lambda: connections(talk) == 2)
            await talk.until_ready()
            assert talk.items() == before
            assert [error.recoverable for error in talk.host.named("error")] == []

    run(main())


def test_attempts_are_counted_and_the_end_is_told_once() -> None:
    async def main() -> None:
        async with talking(conn_options=QUICK, server={"refuse": lambda attempt: 503 if attempt else None}) as talk:
            await talk.call.drop()
            await talk.until(lambda: talk.session.turn.session == "CLOSED")
            (error,) = talk.host.named("error")
            assert not error.recoverable
            assert "HTTP 503" in str(error.error)

    run(main())


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_is_not_tried_again(status: int) -> None:
    async def main() -> None:
        async with talking(ready=False, conn_options=QUICK, server={"refuse": status}) as talk:
            await talk.configure()
            await talk.until(lambda: talk.session.turn.session == "CLOSED")
            (error,) = talk.host.named("error")
            assert "check the API key" in str(error.error)
            assert talk.server.attempts == 1

    run(main())


def test_a_configuration_that_is_refused_at_the_start_ends_the_session() -> None:
    async def main() -> None:
        async with talking(ready=False, model="another-model") as talk:
            await talk.until(lambda: talk.server.connections)
            talk.call.hold("session.update")
            await talk.configure()
            await talk.call.reject(await talk.call.expect("session.update"), "no such voice")
            await talk.until(lambda: talk.session.turn.session == "CLOSED")
            (error,) = talk.host.named("error")
            assert not error.recoverable
            assert "no such voice" in str(error.error)

    run(main())


def test_an_update_that_is_refused_is_taken_back_and_told() -> None:
    async def main() -> None:
        async with talking(conn_options=QUICK) as talk:
            await _answered_once(talk)
            talk.session.update_options(speed=1.25)
            await talk.settle()
            talk.call.hold("session.update")
            talk.session.update_options(voice="cedar")
            await talk.session.update_instructions("Be kind.")
            updates = [await talk.call.expect("session.update") for _ in range(4)]
            await talk.call.reject(updates[-2], "it has spoken with another voice", code="cannot_update_voice")
            await talk.call.obey(updates[-1])
            await talk.settle()
            (error,) = talk.host.named("error")
            assert (error.recoverable, error.error.code) == (True, "cannot_update_voice")
            assert talk.session._options.voice == "marin"
            await talk.call.drop()
            await talk.until(lambda: connections(talk) == 2)
            await talk.until_ready()
            config = talk.call.session
            assert config["audio"]["output"]["voice"] == "marin"
            assert config["audio"]["output"]["speed"] == 1.25
            assert config["instructions"] == "Be kind."

    run(main())


def test_only_what_changed_is_sent() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.session.update_options(tool_choice="none", speed=1.1)
            talk.session.update_options(tool_choice="none")
            await talk.session.update_instructions("Be brief.")
            await talk.settle()
            updates = [one["session"] for one in talk.sent("session.update")][1:]
            assert updates == [{"type": "realtime", "tool_choice": "none", "audio": {"output": {"speed": 1.1}}}]

    run(main())


def test_sound_that_the_user_makes_before_the_start_is_told_then() -> None:
    async def main() -> None:
        async with talking(ready=False) as talk:
            for _ in range(10):
                talk.session.push_audio(frame())
            await talk.configure()
            await talk.until_ready()
            heard = sum(len(record.audio) for record in talk.connection.received)
            assert heard == 2 * len(SOUND)

    run(main())


def test_a_service_that_never_takes_the_configuration_is_given_up() -> None:
    async def deaf(call: Call) -> None:
        call.hold("session.update")

    async def main() -> None:
        patience = APIConnectOptions(max_retry=1, retry_interval=0.5)
        async with talking(ready=False, conn_options=patience, scenario=deaf) as talk:
            await talk.configure()
            await talk.until(lambda: talk.session.turn.session == "CLOSED")
            assert connections(talk) == 2
            assert [error.recoverable for error in talk.host.named("error")] == [False]

    run(main())


def test_a_close_while_the_service_hangs_is_bounded() -> None:
    async def main() -> None:
        async with talking() as talk:
            response = await talk.starts()
            await talk.says(response, "One ", closes=False)
            talk.call.stall()
            loop = asyncio.get_running_loop()
            began = loop.time()
            await talk.session.aclose()
            assert loop.time() - began <= 5.0
            assert talk.session.turn.session == "CLOSED"
            await talk.call.drop()

    run(main())


def test_a_redirect_is_not_followed_with_the_key() -> None:
    async def main() -> None:
        async with talking(conn_options=QUICK) as elsewhere:
            attempts = elsewhere.server.attempts

            async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.readuntil(b"\r\n\r\n")
                place = f"{elsewhere.server.base_url}/realtime?model=x"
                writer.write(f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
                writer.close()

            server = await asyncio.start_server(redirect, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            session = RealtimeModel(api_key=KEY, base_url=f"http://127.0.0.1:{port}", conn_options=QUICK).session()
            host = Host(session)
            await asyncio.wait_for(session._shell.closed.wait(), timeout=60)
            (error,) = host.named("error")
            assert "HTTP 302" in str(error.error)
            assert KEY not in str(error.error)
            assert elsewhere.server.attempts == attempts
            await session.aclose()
            server.close()
            await server.wait_closed()

    run(main())
