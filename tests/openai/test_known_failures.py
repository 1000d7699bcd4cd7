"""Orderings in which livekit-plugins-openai 1.8.9 is known to fail, each in a real AgentSession with ours.

One row of the known failures is of another API (GPT-Live), which this model does not speak.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from livekit.agents import APIConnectOptions, function_tool

from rtfsm.adapters.livekit import reply_ephemeral
from rtfsm.testing.openai_server import Call, Response
from rtfsm.testing.virtual_time import run
from tests.openai.caller import adapter, calling

QUICK = APIConnectOptions(max_retry=3, retry_interval=0.5, timeout=2.0)


async def _speak(response: Response, text: str) -> None:
    await response.say(text)
    await response.done()


@pytest.mark.parametrize("trusted", [True, False])
def test_a_tool_call_that_a_limit_cut_is_not_executed(trusted: bool) -> None:
    """The model was writing 1500; repaired JSON would pay 1."""
    paid: list[tuple[str, int]] = []

    @function_tool
    async def transfer_money(to: str, amount: int) -> str:
        """Pays.

        Args:
            to: whom
            amount: how much
        """
        paid.append((to, amount))
        return "done"

    async def scenario(call: Call) -> None:
        await call.expect("session.update")
        await call.user_says("Pay Alice 1500.")
        response = await call.next_response()
        started = await response.open_call("transfer_money")
        assert started is not None
        await started.arguments('{"to": "alice", "amount": 1')
        if not trusted:
            await started.close("completed")  # such a server calls everything completed
        await response.done("incomplete", reason="max_output_tokens")

    async def main() -> None:
        async with calling(scenario, trusted=trusted, tools=[transfer_money]) as (call, server):
            await call.until(lambda: server.connections and "response.done" in server.connections[0].sent_types())
            await call.idle()
            await asyncio.sleep(1.0)
            assert call.session.agent_state == "listening"

    run(main())
    assert paid == []


def test_a_socket_that_drops_while_a_due_connection_waits_is_followed_by_another() -> None:
    async def scenario(call: Call) -> None:
        if call.connection.number:
            return
        await call.delay(58.0)
        response = await call.start_response()
        await response.say("This is being said as the", speed=1.0)
        await call.delay(3.0)
        await call.drop()

    async def main() -> None:
        options = {"max_session_duration": 60.0, "conn_options": QUICK}
        async with calling(scenario, model=options) as (call, server):
            await call.until(lambda: len(server.connections) == 2, 120.0)
            await call.until(lambda: adapter(call).turn.session == "READY")
            await call.idle()
            assert call.session.agent_state == "listening"

    run(main())


@pytest.mark.parametrize("status", ["incomplete", "failed"])
def test_a_response_that_does_not_complete_spoils_no_rollover(status: str) -> None:
    async def scenario(call: Call) -> None:
        if call.connection.number:
            return
        await call.delay(59.0)
        response = await call.start_response()
        await response.say("Said to the", speed=1.0)
        await call.delay(3.0)
        error = {"type": "server_error", "code": "overloaded", "message": "too much"}
        await response.done(status, error=error if status == "failed" else None)

    async def main() -> None:
        async with calling(scenario, model={"max_session_duration": 60.0}) as (call, server):
            await call.until(lambda: len(server.connections) == 2, 120.0)
            await call.until(lambda: adapter(call).turn.session == "READY")
            assert [one.error.recoverable for one in call.named("error")] == [True] * (status == "failed")
            assert call.named("close") == []

    run(main())


def test_a_reply_that_failed_in_an_outage_is_not_spoken_after_it() -> None:
    async def scenario(call: Call) -> None:
        if not call.connection.number:
            await call.next_response()
            await call.drop()
            return
        await call.delay(5.0)

    async def main() -> None:
        async with calling(scenario, model={"conn_options": QUICK}) as (call, server):
            await call.until(lambda: adapter(call).turn.session == "READY")
            handle = call.session.generate_reply(instructions="Say hello.")
            await call.until(lambda: len(server.connections) == 2)
            await call.until(lambda: adapter(call).turn.session == "READY")
            await asyncio.sleep(3.0)
            assert handle.done()
            assert "response.create" not in server.connections[1].received_types()
            await call.idle()
            assert call.speaker.heard == []

    run(
        main(),
    )


def test_a_response_beside_the_conversation_does_not_disturb_the_one_in_it() -> None:
    asked: dict[str, Any] = {"conversation": "none", "metadata": {"topic": "summary"}, "output_modalities": ["text"]}

    async def scenario(call: Call) -> None:
        response = await call.start_response()
        message = await response.open_message()
        assert message is not None
        await message.text("Said ")
        await message.audio(bytes(48_000))
        own = await call.next_response()
        await own.say("A summary.")
        await message.text("aloud.")
        await message.audio(bytes(48_000))
        await own.done()
        await response.done()

    async def main() -> None:
        async with calling(scenario) as (call, server):
            await call.until(lambda: call.session.agent_state == "speaking")
            adapter(call).send_event({"type": "response.create", "response": asked})
            await call.until(lambda: server.connections[0].sent_types().count("response.done") == 2)
            await call.idle()
            assert call.history() == [("assistant", "Said aloud.", False)]
            assert sum(segment.position for segment in call.speaker.heard) == pytest.approx(2.0, abs=0.1)

    run(main())


def test_a_refused_update_is_not_replayed_and_its_caller_hears_why() -> None:
    async def scenario(call: Call) -> None:
        if call.connection.number:
            return
        await call.expect("session.update")
        call.hold("session.update")
        refused = await call.expect("session.update")
        await call.reject(refused, "too long", code="string_above_max_length")
        await call.delay(1.0)
        await call.drop()

    async def main() -> None:
        async with calling(scenario, model={"conn_options": QUICK}, instructions="Be brief.") as (call, server):
            await call.until(lambda: adapter(call).turn.session == "READY")
            await asyncio.sleep(0.5)
            await call.session.current_agent.update_instructions("Be anything else.")
            await call.until(lambda: len(server.connections) == 2)
            await call.until(lambda: adapter(call).turn.session == "READY")
            (told,) = call.named("error")
            assert (told.error.recoverable, told.error.error.code) == (True, "string_above_max_length")
            assert "Be brief." in server.connections[1].service.session.config["instructions"]

    run(main())


def test_an_answer_behind_an_interrupted_preamble_is_forgotten_everywhere() -> None:
    async def scenario(call: Call) -> None:
        response = await call.start_response()
        await response.say("One moment while I look that up for you please", speed=float("inf"))
        await response.say("It is noon.", speed=float("inf"))
        await response.done()
        await call.delay(1.0)
        await call.user_says("Stop.", seconds=0.3)
        await _speak(await call.next_response(), "All right.")

    async def main() -> None:
        async with calling(scenario, sync_transcript=True) as (call, server):
            await call.until(lambda: call.session.agent_state == "speaking")
            await call.until(lambda: server.connections[0].sent_types().count("response.done") == 2)
            await call.idle()
            await asyncio.sleep(1.0)
            told = [item.text for item in server.connections[0].service.conversation.items]
            assert "It is noon." not in " ".join(text for text in told if text)
            history = [(role, cut) for role, text, cut in call.history()]
            assert history == [("assistant", True), ("user", False), ("assistant", False)]
            known = [
                item.raw_text_content for item in call.session.current_agent.chat_ctx.items if item.type == "message"
            ]
            assert not any("noon" in (text or "") for text in known)
            (cut,) = [
                record.message or {}
                for record in server.connections[0].received
                if record.type == "conversation.item.truncate"
            ]
            assert 900 <= cut["audio_end_ms"] <= 1400
            mirror = [item.id for item in adapter(call).chat_ctx.items]
            assert mirror == [item.id for item in server.connections[0].service.conversation.items]

    run(main())


def test_an_ephemeral_reply_is_heard_and_becomes_part_of_nothing() -> None:
    async def scenario(call: Call) -> None:
        await _speak(await call.next_response(), "A whispered word.")

    async def main() -> None:
        async with calling(scenario) as (call, server):
            await call.until(lambda: adapter(call).turn.session == "READY")
            handle = await reply_ephemeral(call.session, instructions="Whisper.")
            await handle
            await call.idle()
            assert len(call.speaker.heard) == 1
            assert call.history() == []
            assert adapter(call).chat_ctx.items == []
            assert server.connections[0].service.conversation.items == []
            assert [item for item in call.session.current_agent.chat_ctx.items if item.type == "message"] == []

    run(main())
