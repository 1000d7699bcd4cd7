"""What the host asks for: replies, and words to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from livekit.agents import llm

from rtfsm.testing.phonic_server import messages
from rtfsm.testing.virtual_time import run
from tests.adapter.stage import SOUND, spoken, talking


def _error(future: asyncio.Future[Any]) -> str:
    error = future.exception()
    assert type(error) is llm.RealtimeError
    return str(error)


# -- replies -------------------------------------------------------------------------------------------------------


def test_an_asked_answer_resolves_the_future_with_what_was_announced() -> None:
    async def main() -> None:
        async with talking() as talk:
            reply = talk.host.generate_reply(instructions="Greet the user.")
            await talk.settle()
            assert talk.sent("generate_reply") == [{"type": "generate_reply", "system_message": "Greet the user."}]
            await talk.hears(*spoken("Good ", "day."))
            assert reply.result() is talk.last.event
            assert talk.last.user_initiated
            assert talk.last.text == "Good day."
            await talk.hears(*spoken("Unasked."))
            assert not talk.last.user_initiated

    run(main())


def test_words_to_say_are_asked_for_as_they_are() -> None:
    async def main() -> None:
        async with talking() as talk:
            words = talk.host.say("Please hold the line.")
            await talk.settle()
            assert talk.sent("say") == [{"type": "say", "text": "Please hold the line."}]
            await talk.hears(*spoken("Please ", "hold ", "the ", "line."))
            assert words.result().user_initiated

    run(main())


def test_a_request_waits_for_the_turn_that_is_being_spoken() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("Let ", "me ", finished=False))
            reply = talk.host.generate_reply()
            await talk.hears(messages.audio_chunk(SOUND, "finish."))
            assert talk.sent("generate_reply") == []
            await talk.hears(messages.assistant_finished_speaking())
            assert len(talk.sent("generate_reply")) == 1
            await talk.hears(*spoken("Now."))
            assert [(one.text, one.user_initiated) for one in talk.host.generations] == [
                ("Let me finish.", False), ("Now.", True),
            ]  # fmt: skip
            assert reply.result() is talk.last.event

    run(main())


def test_two_requests_are_asked_one_after_the_other() -> None:
    async def main() -> None:
        async with talking() as talk:
            first, second = talk.host.generate_reply(), talk.host.say("Second.")
            await talk.settle()
            assert talk.order() == ["config", "generate_reply"]
            await talk.hears(*spoken("First."))
            assert talk.order() == ["config", "generate_reply", "say"]
            await talk.hears(*spoken("Second."))
            assert first.result() is talk.host.generations[0].event
            assert second.result() is talk.host.generations[1].event

    run(main())


def test_a_request_from_before_the_start_is_sent_at_the_start() -> None:
    async def main() -> None:
        async with talking(ready=False) as talk:
            reply = talk.host.generate_reply()
            await talk.until_ready()
            await talk.settle()
            assert talk.order() == ["config", "generate_reply"]
            await talk.hears(*spoken("Hello."))
            assert reply.result() is talk.last.event

    run(main())


def test_an_answer_that_does_not_come_fails_and_is_swallowed_when_it_comes_late() -> None:
    async def main() -> None:
        async with talking() as talk:
            reply = talk.host.generate_reply()
            await talk.settle(10.1)
            assert "time" in _error(reply)
            await talk.hears(*spoken("Too ", "late."))
            assert talk.host.generations == []
            assert talk.said() == []
            await talk.settle(1.5)
            await talk.hears(*spoken("New."))
            assert [(one.text, one.user_initiated) for one in talk.host.generations] == [("New.", False)]

    run(main())


def test_a_request_that_the_host_cancels_is_never_heard() -> None:
    async def main() -> None:
        async with talking() as talk:
            talk.host.generate_reply()
            await talk.settle()
            talk.host.cancel()
            await talk.settle()
            second = talk.host.generate_reply()
            await talk.settle()
            assert len(talk.sent("generate_reply")) == 1  # it waits, or the answers would shift by one for ever
            await talk.hears(*spoken("For ", "nobody."))
            await talk.hears(*spoken("For ", "you."))
            assert [one.text for one in talk.host.generations] == ["For you."]
            assert second.result() is talk.last.event
            assert talk.session._shell.host.requests == {}

    run(main())


def test_a_request_cancelled_before_it_was_sent_is_never_sent() -> None:
    async def main() -> None:
        async with talking() as talk:
            await talk.hears(*spoken("Wait ", finished=False))
            talk.host.generate_reply()
            talk.host.cancel()
            await talk.hears(messages.assistant_finished_speaking())
            assert talk.sent("generate_reply") == []
            assert talk.session._shell.host.requests == {}

    run(main())


def test_an_assistant_that_chooses_silence_fails_the_request_at_once() -> None:
    async def main() -> None:
        async with talking() as talk:
            reply = talk.host.generate_reply()
            await talk.hears(messages.assistant_chose_not_to_respond())
            assert _error(reply)

    run(main())


def test_a_lost_connection_fails_what_was_asked_and_what_was_not_is_asked_on_the_next() -> None:
    async def main() -> None:
        async with talking() as talk:
            sent, queued = talk.host.generate_reply(), talk.host.say("Hello")
            await talk.settle()
            await talk.call.drop()
            await talk.settle()
            assert _error(sent)
            assert not queued.done()
            await talk.until_ready()
            await talk.settle()
            assert talk.order() == ["say"]
            await talk.hears(*spoken("Hello"))
            assert queued.result() is talk.last.event

    run(main())


def test_an_interruption_ends_words_to_say_and_leaves_a_reply() -> None:
    async def main() -> None:
        async with talking() as talk:
            words = talk.host.say("Hello")
            await talk.settle()
            talk.session.interrupt()
            assert words.done()
            await talk.hears(*spoken("Hello"))
            assert talk.host.generations == []
            await talk.settle(1.5)
            reply = talk.host.generate_reply()
            await talk.settle()
            talk.session.interrupt()
            assert not reply.done()
            await talk.hears(*spoken("Yes."))
            assert reply.result() is talk.last.event

    run(main())


def test_words_that_come_piece_by_piece_are_said_together() -> None:
    async def pieces() -> AsyncIterator[str]:
        for piece in ("One ", "two ", "three."):
            await asyncio.sleep(0.2)
            yield piece

    async def main() -> None:
        async with talking() as talk:
            words = talk.host.say(pieces())
            await talk.settle(1)
            assert talk.sent("say") == [{"type": "say", "text": "One two three."}]
            await talk.hears(*spoken("One ", "two ", "three."))
            assert words.result() is talk.last.event

    run(main())


def test_words_that_never_come_fail_the_future() -> None:
    async def broken() -> AsyncIterator[str]:
        yield "One "
        raise ValueError("the writer broke")

    async def endless() -> AsyncIterator[str]:
        yield "One "
        await asyncio.Event().wait()

    async def main() -> None:
        async with talking() as talk:
            first = talk.host.say(broken())
            second = talk.host.say(endless())
            await talk.settle()
            assert "ValueError" in _error(first)
            assert not second.done()
            talk.session.interrupt()
            assert _error(second)
            third = talk.host.say(endless())
            await talk.settle(10.5)
            assert _error(third)
            assert talk.sent("say") == []

    run(main())
