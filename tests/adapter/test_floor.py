"""Who may cut the assistant: what is chosen of it, what is sent, and what LiveKit is told."""

from __future__ import annotations

from typing import Any

import pytest

from rtfsm.testing.phonic_server import messages
from rtfsm.testing.virtual_time import run
from tests.adapter.stage import SOUND, Talk, spoken, talking, user

STARTED, STOPPED = "input_speech_started", "input_speech_stopped"
SECONDS = SOUND * 100
"""2 s."""


def told(talk: Talk) -> list[str]:
    """What LiveKit was told of the user, in order."""
    return [name for name, _ in talk.host.told if name in (STARTED, STOPPED)]


async def speaks(talk: Talk, words: str) -> None:
    """The assistant begins to speak, and LiveKit plays it."""
    await talk.hears(messages.assistant_started_speaking(), messages.audio_chunk(SECONDS, words))


async def heard_on(talk: Talk) -> None:
    """The user begins to speak, and the assistant is heard on."""
    before = told(talk)
    await talk.hears(messages.user_started_speaking(), messages.audio_chunk(SECONDS, "more"))
    assert told(talk) == before
    assert talk.last.text.endswith("more")
    assert not talk.last.sealed


async def cut(talk: Talk) -> None:
    """The user begins to speak, and the assistant is cut."""
    before = told(talk)
    await talk.hears(messages.user_started_speaking(), messages.audio_chunk(SECONDS, "more"))
    assert told(talk) == [*before, STARTED]
    assert talk.last.sealed


@pytest.mark.parametrize(
    "options",
    [{"barge_in": "provider"}, {"min_words_to_interrupt": 2}, {"barge_in": "provider", "min_words_to_interrupt": 1}],
)
def test_where_the_provider_decides_the_voice_of_the_user_cuts_nothing(options: dict[str, Any]) -> None:
    async def main() -> None:
        async with talking(**options) as talk:
            await talk.hears(*spoken("Hello."), *user())
            await speaks(talk, "One ")
            await heard_on(talk)
            await talk.hears(messages.user_finished_speaking(), messages.interrupted_response("One"))
            assert told(talk)[-2:] == [STARTED, STOPPED]
            assert talk.last.sealed
            assert talk.said()[-1] == ("assistant", "One")

    run(main())


@pytest.mark.parametrize("options", [{}, {"min_words_to_interrupt": 1}, {"min_words_to_interrupt": None}])
def test_otherwise_the_voice_of_the_user_cuts(options: dict[str, Any]) -> None:
    async def main() -> None:
        async with talking(**options) as talk:
            await speaks(talk, "One ")
            await cut(talk)

    run(main())


def test_a_welcome_that_is_not_interruptible_is_heard_to_its_end() -> None:
    async def main() -> None:
        async with talking(welcome_message="Hello!", is_welcome_message_interruptible=False) as talk:
            await speaks(talk, "Hello! ")
            await heard_on(talk)
            await talk.hears(messages.user_finished_speaking(), messages.assistant_finished_speaking())
            await talk.settle(10.0)
            assert told(talk) == []
            assert talk.said() == [("assistant", "Hello! more")]
            await speaks(talk, "One ")
            await cut(talk)

    run(main())


def test_a_welcome_answers_no_request_that_was_made_before_it() -> None:
    async def main() -> None:
        async with talking(welcome_message="Hello!", is_welcome_message_interruptible=False) as talk:
            asked = talk.host.generate_reply(instructions="Ask for the name.")
            await speaks(talk, "Hello! ")
            assert not asked.done()
            await heard_on(talk)
            await talk.hears(messages.assistant_finished_speaking(), *spoken("Your name?"))
            assert (await asked).response_id == talk.last.event.response_id
            assert [one.user_initiated for one in talk.host.generations] == [False, True]

    run(main())


def test_without_a_configured_welcome_the_first_turn_answers_the_request() -> None:
    async def main() -> None:
        async with talking() as talk:
            asked = talk.host.generate_reply()
            await talk.hears(*spoken("Hello."))
            assert (await asked).response_id == talk.last.event.response_id

    run(main())


def test_words_to_say_that_are_not_interruptible_are_asked_for_so_and_heard_to_their_end() -> None:
    async def main() -> None:
        async with talking(say_interruptible=False) as talk:
            said = talk.host.say("These words.")
            await talk.settle()
            assert talk.sent("say") == [{"type": "say", "text": "These words.", "interruptible": False}]
            await speaks(talk, "These ")
            assert (await said).user_initiated
            await heard_on(talk)
            await talk.hears(messages.assistant_finished_speaking(), messages.user_finished_speaking())
            await talk.settle(10.0)
            await speaks(talk, "One ")
            await cut(talk)

    run(main())


def test_who_cuts_can_be_changed_in_the_middle() -> None:
    async def main() -> None:
        async with talking() as talk:
            await speaks(talk, "One ")
            await cut(talk)
            talk.session.update_options(min_words_to_interrupt=3)
            await talk.hears(messages.user_finished_speaking(), *user("and?"))
            await speaks(talk, "Two ")
            await heard_on(talk)

    run(main())
