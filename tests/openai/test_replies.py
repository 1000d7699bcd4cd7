"""Replies over a wire that names the request: one at a time in the conversation, others beside it, none by mistake."""

from __future__ import annotations

import asyncio

import pytest
from livekit.agents import llm

from rtfsm.adapters.livekit import SayUnsupported
from rtfsm.testing.openai_server import messages
from rtfsm.testing.virtual_time import run
from tests.openai.stage import talking


def test_a_reply_is_asked_for_and_answered() -> None:
    async def main() -> None:
        async with talking() as talk:
            reply = talk.host.generate_reply(instructions="Say hello.")
            response = await talk.answered()
            assert response.request["instructions"] == "Be brief.\nSay hello."
            await talk.says(response, "Hello ", "there.")
            await response.done()
            await talk.settle()
            (generation,) = talk.host.generations
            assert reply.result() is generation.event
            assert generation.user_initiated
            assert generation.event.response_id == response.id
            assert generation.text == "Hello there."
            assert generation.messages[0].seconds == pytest.approx(0.2)
            assert generation.sealed

    run(main())


def test_the_next_request_is_sent_once_the_response_is_done() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.host.generate_reply()
            first = await talk.answered()
            talk.host.generate_reply()
            await talk.says(first, "One.")
            await talk.settle(1.0)
            assert len(talk.sent("response.create")) == 1
            await first.done()
            second = await talk.answered()
            await talk.says(second, "Two.")
            await second.done()
            await talk.settle()
            assert [one.text for one in talk.host.generations] == ["One.", "Two."]

    run(main())


def test_a_request_that_the_turn_detection_was_faster_than_fails_alone() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.call.hold("response.create")
            reply = talk.host.generate_reply()
            request = await talk.call.expect("response.create")
            response = await talk.starts()
            await talk.call.obey(request)
            await talk.settle()
            with pytest.raises(llm.RealtimeError) as failed:
                reply.result()
            assert failed.value.code == "conversation_already_has_active_response"
            await talk.says(response, "Still here.")
            await response.done()
            await talk.settle()
            assert talk.host.generations[0].text == "Still here."
            assert talk.host.named("error") == []

    run(main())


def test_an_answer_that_comes_after_its_time_is_cancelled_and_not_heard() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.call.hold("response.create")
            reply = talk.host.generate_reply()
            request = await talk.call.expect("response.create")
            await talk.settle(10.1)
            assert isinstance(reply.exception(), llm.RealtimeError)
            await talk.call.obey(request)
            late = await talk.answered()
            assert (late.over, late.status) == (True, "cancelled")
            (cancel,) = talk.sent("response.cancel")
            assert cancel["response_id"] == late.id
            assert talk.host.generations == []

    run(main())


def test_a_reply_that_the_host_gives_up_before_it_began_is_cancelled_when_it_begins() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.call.hold("response.create")
            talk.host.generate_reply()
            request = await talk.call.expect("response.create")
            talk.host.cancel()
            await talk.settle()
            assert talk.sent("response.cancel") == []
            await talk.call.obey(request)
            late = await talk.answered()
            assert late.status == "cancelled"
            again = talk.host.generate_reply()
            request = await talk.call.expect("response.create")
            await talk.call.obey(request)
            response = await talk.answered()
            await talk.says(response, "Heard.")
            await response.done()
            await talk.settle()
            assert again.result().response_id == response.id
            assert [one.text for one in talk.host.generations] == ["Heard."]

    run(main())


def test_words_of_a_late_answer_leave_no_trace_at_the_service() -> None:
    """The service had begun to speak before our cancel came."""

    async def main() -> None:
        async with talking() as talk:
            talk.call.hold("response.create", "response.cancel")
            talk.host.generate_reply()
            request = await talk.call.expect("response.create")
            await talk.settle(10.1)
            await talk.call.obey(request)
            late = await talk.answered()
            await talk.says(late, "Too ", "late.", closes=False)
            await talk.call.obey(await talk.call.expect("response.cancel"))
            await talk.settle(0.2)
            assert talk.items() == talk.mirror() == []
            assert talk.host.generations == []

    run(main())


def test_an_interruption_cancels_by_id_and_at_once() -> None:
    async def main() -> None:
        async with talking() as talk:
            response = await talk.starts()
            await talk.says(response, "One ", "two ", closes=False)
            talk.session.interrupt()
            assert talk.host.generations[0].sealed
            await talk.settle()
            (cancel,) = talk.sent("response.cancel")
            assert cancel["response_id"] == response.id
            assert response.status == "cancelled"
            talk.session.interrupt()
            await talk.settle()
            assert len(talk.sent("response.cancel")) == 1

    run(main())


def test_the_users_voice_cuts_and_the_service_has_done_so_by_itself() -> None:
    async def main() -> None:
        async with talking() as talk:
            response = await talk.starts()
            await talk.says(response, "One ", "two ", closes=False)
            await talk.call.user_starts()
            await talk.settle()
            assert response.status == "cancelled"
            assert talk.host.generations[0].sealed
            assert talk.host.speaking
            assert talk.host.named("error") == []  # that there was nothing left to cancel is no news

    run(main())


def test_a_service_that_does_not_interrupt_by_itself_is_told_to() -> None:
    async def main() -> None:
        detection = {"type": "server_vad", "create_response": True, "interrupt_response": False}
        async with talking(turn_detection=detection) as talk:
            response = await talk.starts()
            await talk.says(response, "One ", "two ", closes=False)
            await talk.call.user_starts()
            await talk.settle()
            assert response.status == "cancelled"

    run(main())


def test_a_reply_beside_the_conversation_overlaps_one_in_it() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.host.beside = True
            main_reply = talk.host.generate_reply()
            first = await talk.answered()
            aside = talk.session.reply_out_of_band(instructions="Whisper.")
            talk.host.futures.append(aside)
            beside = await talk.answered()
            assert beside.conversation is None
            assert beside.request["tool_choice"] == "none"
            whole = await talk.says(first, "Aloud ", closes=False)
            await talk.says(beside, "A ", "whisper.")
            await talk.says(first, "again.", message=whole)
            await beside.done()
            await first.done()
            await asyncio.sleep(0.05)
            talk.host.read()
            talk.host.read()
            texts = {one.event.response_id: one.text for one in talk.host.generations}
            assert texts == {first.id: "Aloud again.", beside.id: "A whisper."}
            assert main_reply.result().response_id == first.id
            assert aside.result().response_id == beside.id
            assert [text for _, text in talk.mirror()] == ["Aloud again."]
            assert talk.items() == talk.mirror()

    run(main())


def test_a_response_that_the_application_asked_for_beside_the_conversation_is_its_own() -> None:
    async def main() -> None:
        async with talking() as talk:
            raw: list[str] = []
            talk.session.on("openai_server_event_received", lambda event: raw.append(event["type"]))
            response = await talk.starts()
            await talk.says(response, "Aloud ", closes=False)
            talk.session.send_event({"type": "response.create", "response": {"conversation": "none"}})
            own = await talk.answered()
            await talk.says(own, "A note.")
            await own.done()
            await response.done()
            await talk.settle()
            assert [one.text for one in talk.host.generations] == ["Aloud "]
            assert raw.count("response.done") == 2

    run(main())


def test_a_response_that_fails_ends_and_is_told() -> None:
    async def main() -> None:
        async with talking() as talk:
            response = await talk.starts()
            await talk.says(response, "One ", closes=False)
            error = {"type": "server_error", "code": "rate_limit_exceeded", "message": "slow down"}
            await response.done("failed", error=error)
            await talk.settle()
            assert talk.host.generations[0].sealed
            (told,) = talk.host.named("error")
            assert (told.recoverable, told.error.code) == (True, "rate_limit_exceeded")
            assert talk.session.turn.session == "READY"

    run(main())


def test_an_exhausted_quota_ends_the_session_and_is_not_tried_again() -> None:
    async def main() -> None:
        async with talking() as talk:
            response = await talk.starts()
            await talk.says(response, "One ", closes=False)
            error = {"type": "insufficient_quota", "code": "insufficient_quota", "message": "pay first"}
            await response.done("failed", error=error)
            await talk.settle(5.0)
            (told,) = talk.host.named("error")
            assert (told.recoverable, told.error.code) == (False, "insufficient_quota")
            assert talk.session.turn.session == "CLOSED"
            assert len(talk.server.connections) == 1

    run(main())


def test_what_an_unnamed_error_says_is_told_and_ends_nothing() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.call.send(messages.error("a passing trouble", code="server_error", type="server_error"))
            await talk.settle()
            (told,) = talk.host.named("error")
            assert told.recoverable
            assert talk.session.turn.session == "READY"

    run(main())


def test_words_cannot_be_said_and_the_error_names_the_way() -> None:
    async def main() -> None:
        async with talking() as talk:
            future = talk.session.say("These words.")
            assert isinstance(future.exception(), SayUnsupported)
            assert "AgentSession(llm=model, tts=...)" in str(future.exception())
            assert not talk.session.capabilities.supports_say
            assert talk.session.turn.not_honoured == {"say": 1}

    run(main())


def test_a_reply_may_have_tools_and_a_choice_of_its_own() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.host.generate_reply(tool_choice={"type": "function", "function": {"name": "weather"}}, tools=[])
            response = await talk.answered()
            assert response.request["tool_choice"] == {"type": "function", "name": "weather"}
            assert response.request["tools"] == []

    run(main())


def test_a_session_that_nobody_configured_speaks_when_it_is_asked() -> None:
    async def main() -> None:
        async with talking(ready=False) as talk:
            reply = talk.host.generate_reply()
            await talk.until(lambda: talk.server.connections)
            response = await talk.answered()
            await talk.says(response, "Hello.")
            await response.done()
            await talk.settle()
            assert reply.result().response_id == response.id

    run(main())
