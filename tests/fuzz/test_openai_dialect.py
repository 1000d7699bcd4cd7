"""OpenAI's wire in the fuzzer: what the service may say, how the client is answered, what is found in two models."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from rtfsm.adapters.openai import RealtimeModel
from rtfsm.fuzz.dialects import guessed
from rtfsm.fuzz.direct_host import DirectHost
from rtfsm.fuzz.moves import Move, Ordering, Pick
from rtfsm.fuzz.openai_frames import message_of
from rtfsm.fuzz.openai_talk import ABOUT_ANSWERS, KINDS, OpenAITalk
from rtfsm.fuzz.openai_wires import OPENAI
from rtfsm.fuzz.play import play
from rtfsm.fuzz.target import Target, load_target
from rtfsm.testing import fuzz, orderings
from rtfsm.testing.virtual_time import run

OFFICIAL = "livekit.plugins.openai.realtime:RealtimeModel"
OURS = "rtfsm.adapters.openai:RealtimeModel"
EVENT: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
SESSIONS = ("session.created", "session.updated")


def server(what: str, **args: Any) -> Move:
    return Move("server", what, args)


def host(what: str, **args: Any) -> Move:
    return Move("host", what, args)


def created(number: int, *, asked: bool = False, aside: bool = False) -> Move:
    return server("response.created", response_id=f"resp_{number}", asked=asked, aside=aside)


def done(number: int, status: str = "completed") -> Move:
    return server("response.done", response_id=f"resp_{number}", status=status)


def item(what: str, number: int, *, sort: str = "spoken", **args: Any) -> Move:
    call = {"call_id": f"call_{number}"} if sort == "call" else {}
    about = {"response_id": f"resp_{number}", "item_id": f"item_{number}", "index": 0, "sort": sort}
    return server(f"response.{what}", **about, **call, **args)


def words(number: int, text: str) -> Move:
    return item("output_audio_transcript.delta", number, text=text)


# -- what may be said ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in (*ABOUT_ANSWERS, *SESSIONS)])
def test_every_kind_can_be_said_at_any_time_and_is_read_by_the_sdk(kind: str) -> None:
    talk = OpenAITalk(begun=True, number=0)
    for number in range(60):
        move = talk.make(kind, Pick(number * 977))
        assert move.what == kind
        message = message_of(move, "Words.")
        assert message is not None
        assert EVENT.validate_python({"event_id": "event_1", **message}).type == kind
        talk.said(move)
        for step in talk.exchange(Pick(number)):
            talk.said(step)


def test_the_service_greets_before_all_and_takes_the_configuration() -> None:
    talk = OpenAITalk(begun=False, number=0)
    for kind in SESSIONS:
        assert {kind, "error"} == {one for _, one in talk.next()}
        talk.said(talk.make(kind, Pick(0)))
    assert "response.created" in {one for _, one in talk.next()}


def test_a_conversation_goes_on_as_long_as_one_likes_and_can_be_ended() -> None:
    talk = OpenAITalk(begun=True, number=0)
    said = set()
    for number in range(1, 3000):
        pick = Pick(number * 2_654_435_761 % 2**32)
        move = talk.make(pick.weighted(talk.next()), pick)
        talk.said(move)
        said.add(move.what)
    assert {kind for kind in KINDS if kind.startswith("response.")} <= said
    for move in talk.last_words():
        talk.said(move)
    assert talk.last_words() == []


def test_a_response_is_said_in_the_order_of_the_reference() -> None:
    talk = OpenAITalk(begun=True, number=0)
    assert [move.what.removeprefix("response.") for move in talk.whole_turn("Hello.")] == [
        "created",
        "output_item.added",
        "conversation.item.added",
        "content_part.added",
        "output_audio_transcript.delta",
        "output_audio.delta",
        "output_audio.done",
        "output_audio_transcript.done",
        "content_part.done",
        "output_item.done",
        "conversation.item.done",
        "done",
    ]


def test_ids_and_words_of_two_conversations_are_apart() -> None:
    def named(number: int) -> set[str]:
        moves = OpenAITalk(begun=True, number=number).exchange(Pick(3))
        return {str(value) for move in moves for name, value in move.args.items() if name.endswith("_id")}

    assert named(0)
    assert not named(0) & named(1)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(orderings("openai", length=12))
def test_every_ordering_can_be_written_down(ordering: Ordering) -> None:
    assert Ordering.from_json(ordering.to_json()) == ordering


# -- what the client is answered -----------------------------------------------------------------------------------

Story = Callable[[Any, DirectHost, Callable[[Move], Awaitable[None]]], Awaitable[None]]


@pytest.fixture(params=["in memory", "on sockets"])
def plays(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Plays a story with our model, both ways."""

    def plays(story: Story, *, handshake: bool = True) -> None:
        async def scene() -> None:
            target, memory = Target(OURS, RealtimeModel), request.param == "in memory"
            async with OPENAI.open(target, handshake=handshake, memory=memory) as wire:
                caller = DirectHost(wire, Ordering(()))
                caller.opens()
                for _ in range(5):
                    await wire.settle()

                async def step(move: Move) -> None:
                    if move.who == "host":
                        await caller.do(move)
                    else:
                        await wire.deliver(wire.connections[0], move)
                    for _ in range(5):
                        await wire.settle()

                await story(wire, caller, step)
                await caller.ends()
            await caller.leaves()

        run(scene())

    return plays


def test_a_response_answers_the_oldest_request_where_it_says_so(plays: Callable[..., None]) -> None:
    async def story(wire: Any, caller: DirectHost, step: Callable[[Move], Awaitable[None]]) -> None:
        await step(host("asks"))
        await step(created(1))
        (request,) = caller.witnesses[0].requests
        assert not request.future.done()
        await step(done(1))
        await step(created(2, asked=True))
        assert request.answer is not None
        assert request.answer.user_initiated

    plays(story)


def test_a_response_that_the_client_cancels_ends_and_says_no_more(plays: Callable[..., None]) -> None:
    async def story(wire: Any, caller: DirectHost, step: Callable[[Move], Awaitable[None]]) -> None:
        for move in (created(1), item("output_item.added", 1), words(1, "One ")):
            await step(move)
        await step(host("interrupts"))
        sent = len(wire.connections[0].frames)
        await step(words(1, "two "))
        assert wire.connections[0].frames[-1] == "response.cancel"
        assert len(wire.connections[0].frames) == sent
        (generation,) = caller.witnesses[0].generations
        assert generation.words == "One "
        assert generation.ended
        assert wire.connections[0].errors == []

    plays(story)


def test_the_users_voice_cuts_the_response_and_a_late_word_is_sent_all_the_same(plays: Callable[..., None]) -> None:
    async def story(wire: Any, caller: DirectHost, step: Callable[[Move], Awaitable[None]]) -> None:
        for move in (created(1), item("output_item.added", 1), words(1, "One ")):
            await step(move)
        await step(server("input_audio_buffer.speech_started", item_id="item_2"))
        assert caller.witnesses[0].generations[0].ended
        await step(words(1, "two "))
        assert caller.witnesses[0].generations[0].words == "One "

    plays(story)


@pytest.mark.parametrize(("how", "failed"), [("answers.sent", False), ("answers.refused", True)])
def test_answers_can_be_late_or_an_error(plays: Callable[..., None], how: str, failed: bool) -> None:
    async def story(wire: Any, caller: DirectHost, step: Callable[[Move], Awaitable[None]]) -> None:
        await step(server("answers.held"))
        await step(host("types", version=1))
        (called,) = caller.witnesses[0].calls_of("update_chat_ctx")
        assert called.ended is None
        await step(server(how))
        assert called.ended is not None
        held = [message.text_content for message in caller.witnesses[0].session.chat_ctx.messages()]
        assert ("typed-1-" in held) is not failed

    plays(story)


def test_without_a_handshake_the_service_says_what_moves_say(plays: Callable[..., None]) -> None:
    async def story(wire: Any, caller: DirectHost, step: Callable[[Move], Awaitable[None]]) -> None:
        await step(created(1))
        assert caller.witnesses[0].generations == []
        for kind in SESSIONS:
            await step(server(kind))
        await step(done(1))
        await step(created(2))
        assert "resp_2" in [one.event.response_id for one in caller.witnesses[0].generations]

    plays(story, handshake=False)


def test_a_session_by_hand_hears_of_no_turn_detection(plays: Callable[..., None]) -> None:
    async def story(wire: Any, caller: DirectHost, step: Callable[[Move], Awaitable[None]]) -> None:
        await step(host("opens_by_hand"))
        await wire.deliver(wire.connections[1], server("input_audio_buffer.speech_started", item_id="item_1"))
        for _ in range(5):
            await wire.settle()
        assert caller.witnesses[1].named("input_speech_started") == []
        assert not caller.witnesses[1].session.capabilities.turn_detection

    plays(story)


# -- what is found -------------------------------------------------------------------------------------------------

LIMITED = (item("output_item.added", 1, sort="call"), item("output_item.done", 1, sort="call", status="incomplete"))
SPEAKS = server("input_audio_buffer.speech_started", item_id="item_9")
KNOWN = {
    "a call that a limit cut is handed over": ("calls-are-well-formed", (created(1), *LIMITED, done(1, "incomplete"))),
    "a response beside another one takes its place": ("generations-end", (created(1), created(2, aside=True))),
    "a frame that is no object ends the session": (
        "only-a-lost-connection-ends-a-session",
        (server("garbage", name="a list"),),
    ),
    "a response that fails leaves an error to the loop": ("no-error-goes-unseen", (created(1), done(1, "failed"))),
    "a lost connection leaves the user speaking": ("the-user-falls-silent", (SPEAKS, Move("wire", "drop"))),
    "a reply is asked for beside an active response": (
        "the-client-keeps-the-protocol",
        (created(1), Move("time", "passes", {"seconds": 0.3}), host("asks")),
    ),
}
"""What the official plugin does -> the law that it breaks, and how."""


def laws_broken(target: str, moves: tuple[Move, ...], *, memory: bool = True) -> set[str]:
    return {finding.law for finding in play(OPENAI, load_target(target), Ordering(moves), memory=memory)}


@pytest.mark.parametrize("defect", KNOWN)
def test_a_defect_of_the_official_plugin_is_one_and_ours_has_it_not(defect: str) -> None:
    law, moves = KNOWN[defect]
    assert law in laws_broken(OFFICIAL, moves)
    assert laws_broken(OURS, moves) == set()
    assert laws_broken(OURS, moves, memory=False) == set()


def test_a_short_search_finds_defects_of_the_official_plugin() -> None:
    report = fuzz(OFFICIAL, seed=1, max_examples=60)
    assert set(report.laws) & {law for law, _ in KNOWN.values()}


def test_a_short_search_finds_nothing_in_ours() -> None:
    fuzz(OURS, seed=1, max_examples=120).assert_clean()


@pytest.mark.parametrize("target", [OFFICIAL, OURS])
def test_the_provider_is_known_by_the_package(target: str) -> None:
    assert guessed(target) == "openai"
