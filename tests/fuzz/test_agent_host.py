"""Orderings inside a real AgentSession: every law can fail, what LiveKit breaks is excused, and ours breaks none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from livekit.agents import Agent, function_tool, llm
from livekit.agents.utils import aio

from rtfsm.adapters.phonic import RealtimeModel, RealtimeSession
from rtfsm.fuzz.agent_laws import AGENT_LAWS
from rtfsm.fuzz.draft import drafted
from rtfsm.fuzz.host_moves import HOST_MOVES
from rtfsm.fuzz.laws import Case
from rtfsm.fuzz.moves import Move, Ordering
from rtfsm.fuzz.phonic_wires import PHONIC
from rtfsm.fuzz.play import play
from rtfsm.fuzz.search import Search
from rtfsm.fuzz.target import Target, load_target
from rtfsm.testing.contract import Scene
from rtfsm.testing.headless import Call
from rtfsm.testing.virtual_time import run
from rtfsm.vocabulary import effects as order
from tests.contract.minimal_stage import minimal

OURS = load_target("rtfsm.adapters.phonic:RealtimeModel")


def server(what: str, **args: Any) -> Move:
    return Move("server", what, args)


def host(what: str, **args: Any) -> Move:
    return Move("host", what, args)


def passes(seconds: float) -> Move:
    return Move("time", "passes", {"seconds": seconds})


CALL = server("tool_call", tool_call_id="call_1", tool_name="weather", parameters={"city": "Rome"})
USER = server("user_started_speaking")
BEGINS = server("assistant_started_speaking")
ENDS = server("assistant_finished_speaking")
TURN = (BEGINS, server("audio_chunk", text="w1 ", ms=200), ENDS)


def findings(target: Target, *moves: Move, watch: Any = None, **circumstances: Any) -> list[str]:
    """Law and what was seen, of each finding."""
    found = play(PHONIC, target, Ordering(moves, **circumstances), host="agent", watch=watch)
    return [f"{one.law}: {one.detail}" for one in found]


# -- sessions that are wrong on purpose --------------------------------------------------------------------------------


def spoilt(spoil: Callable[[RealtimeSession], None]) -> Target:
    """Our model, whose sessions are made wrong as soon as they are there."""

    class Wrong(RealtimeModel):
        def session(self, **keywords: Any) -> RealtimeSession:
            session = super().session(**keywords)
            spoil(session)
            return session

    return Target("tests:Wrong", Wrong)


def changed(name: str, change: Callable[[Any], Any]) -> Target:
    """Events of this name are replaced by what ``change`` makes of them; None for nothing."""

    def spoil(session: RealtimeSession) -> None:
        emit = session.emit

        def other(event: Any, *payload: Any) -> None:
            made = change(*payload) if event == name else payload[0] if payload else None
            if event != name or made is not None:
                emit(event, *(payload if event != name else (made,)))

        session.emit = other  # type: ignore[method-assign]  # wrong on purpose

    return spoilt(spoil)


def replaced(name: str, method: Callable[..., Any]) -> Target:
    return spoilt(lambda session: setattr(session, name, method.__get__(session)))


def nothing_empty(event: llm.GenerationCreatedEvent) -> llm.GenerationCreatedEvent | None:
    stream: Any = event.message_stream
    return None if stream.closed and not stream.qsize() else event


def never_ending(event: llm.GenerationCreatedEvent) -> llm.GenerationCreatedEvent:
    event.function_stream = aio.Chan()
    return event


def breaking_off(event: llm.GenerationCreatedEvent) -> llm.GenerationCreatedEvent:
    async def messages(stream: Any) -> AsyncIterator[llm.MessageGeneration]:
        async for message in stream:
            yield message
        raise ValueError("wrong on purpose")

    event.message_stream = messages(event.message_stream)
    return event


def stutters(session: RealtimeSession) -> None:
    handlers: Any = session._shell._handlers
    push = handlers[order.PushText]

    def twice(*args: Any) -> None:
        push(*args)
        push(*args)

    handlers[order.PushText] = twice


def forgets(session: RealtimeSession) -> None:
    ask = session.generate_reply

    def generate_reply(**keywords: Any) -> Any:
        session._typed = None
        return ask(**keywords)

    session.generate_reply = generate_reply  # type: ignore[method-assign]  # wrong on purpose


def fails(session: RealtimeSession) -> None:
    def generate_reply(**_: Any) -> Any:
        future: asyncio.Future[Any] = asyncio.Future()
        future.set_exception(ValueError("wrong on purpose"))
        return future

    session.generate_reply = generate_reply  # type: ignore[method-assign]  # wrong on purpose


async def changes_nothing(self: RealtimeSession, instructions: str) -> None: ...


async def lingers(self: RealtimeSession) -> None:
    await asyncio.sleep(6.0)
    await RealtimeSession.aclose(self)


def once() -> Callable[[Any], Any]:
    told: list[Any] = []

    def first(event: Any) -> Any:
        told.append(event)
        return event if len(told) == 1 else None

    return first


BROKEN: Mapping[str, tuple[Target, tuple[Move, ...], str]] = {
    "a tool whose answer never comes": (
        changed("generation_created", nothing_empty), (CALL, passes(12.0)),
        "the-agent-listens: expected the agent to be listening at rest; it is thinking",
    ),
    "a user who never falls silent": (
        changed("input_speech_stopped", lambda _: None), (USER,),
        "the-agent-listens: expected the user to be silent at rest; user_state is speaking",
    ),
    "a stream that never ends": (
        changed("generation_created", never_ending), TURN,
        "nothing-runs: expected the AgentSession to be idle at rest; it is not",
    ),
    "a request that hangs": (
        spoilt(lambda session: setattr(session, "generate_reply", lambda **_: asyncio.Future())), (host("asks"),),
        "nothing-runs: expected every speech that was asked for to be done; 1 of 1 wait",
    ),
    "a stream that breaks off": (
        changed("generation_created", breaking_off), TURN,
        "what-was-heard-is-remembered: expected the history to be what was shown, since nothing was interrupted; "
        "it is not",
    ),
    "a stream that breaks off before an interruption": (
        changed("generation_created", breaking_off), (*TURN, passes(1.2), host("interrupts")),
        "what-was-heard-is-remembered: expected what was heard to its end in the history; of 1 messages it holds 0",
    ),
    "words that are said twice": (
        spoilt(stutters), TURN,
        "what-was-heard-is-remembered: expected the history in the order in which the words were spoken, each once; "
        "it is not",
    ),
    "typed words that are lost": (
        spoilt(forgets), (host("types", version=1), *TURN),
        "what-is-typed-reaches-the-provider: expected typed words to reach the provider before they are answered; "
        "they never did",
    ),
    "instructions that are lost": (
        replaced("update_instructions", changes_nothing), (host("updates_instructions", version=1),),
        "the-last-agent-rules: expected the latest instructions to reach the provider; they never did",
    ),
    "a session that falls silent": (
        changed("generation_created", once()), TURN,
        "the-next-turn-is-heard: expected the next turn once in the history; it is there 0 times",
    ),
    "a close that lingers": (
        replaced("aclose", lingers), (),
        "the-session-closes: expected the session to be closed at the end within 5 s; it took 6.0 s",
    ),
    "a request that fails with another error": (
        spoilt(fails), (host("asks"),),
        "nothing-is-logged: expected LiveKit to find nothing wrong; livekit.agents ERROR: "
        "Error in _realtime_reply_task (ValueError)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_wrong_breaks_its_law(what: str) -> None:
    target, moves, expected = BROKEN[what]
    assert expected in findings(target, *moves)


@pytest.mark.parametrize("what", BROKEN)
def test_ours_keeps_the_law_there(what: str) -> None:
    _, moves, _ = BROKEN[what]
    assert findings(OURS, *moves) == []


def test_a_history_that_holds_what_nobody_was_shown_breaks_its_law() -> None:
    def watch(move: Move | None, case: Case) -> None:
        if move is not None:
            call: Call = case.host.call  # type: ignore[attr-defined]  # an AgentHost's
            call.session.history.add_message(role="assistant", content="unheard")

    assert any("it holds others" in one for one in findings(OURS, passes(0.3), watch=watch))


def test_every_law_of_an_agent_session_is_proved() -> None:
    here = {expected.split(":")[0] for _, _, expected in BROKEN.values()}
    shared = {
        "a-lost-session-says-so", "only-a-lost-connection-ends-a-session", "calls-return",
        "the-context-is-what-was-spoken", "no-secret-shows", "the-client-keeps-the-protocol", "no-error-goes-unseen",
    }  # fmt: skip
    assert {law.name for law in AGENT_LAWS} == here | shared


# -- what LiveKit breaks by itself -------------------------------------------------------------------------------------


@function_tool
async def weather(city: str) -> str:
    """Tells the weather of a city."""
    await asyncio.sleep(1.0)
    return "sunny"


@asynccontextmanager
async def correct() -> AsyncIterator[tuple[Scene, Call]]:
    """A session that keeps the contract, in an AgentSession."""
    async with minimal()() as stage:
        scene = Scene(stage)
        async with scene.in_agent_session(tools=[weather]) as call:
            yield scene, call


async def calls(scene: Scene) -> None:
    await scene.stage.calls_tool("call_1", "weather", '{"city":"Rome"}')
    await scene.stage.agent_finishes()
    await scene.stage.settle()


def test_livekit_has_no_session_for_what_is_asked_during_a_handoff() -> None:
    async def main() -> None:
        async with correct() as (scene, call):
            await scene.stage.agent_starts()
            await scene.stage.settle()
            call.session.update_agent(Agent(instructions="Be another."))
            await scene.stage.settle(0.001)
            with pytest.raises(RuntimeError):
                call.session.generate_reply()
            await scene.stage.settle(5.0)
            assert any("_realtime_reply_task (AssertionError)" in one for one in call.problems)

    run(main(), leftover="cancel")
    assert findings(OURS, BEGINS, host("hands_over", version=1), host("asks")) == []


def test_livekit_cuts_off_a_tool_that_was_interrupted_and_waits_behind_a_request() -> None:
    async def main() -> None:
        async with correct() as (scene, call):
            await calls(scene)
            call.session.interrupt()
            call.session.generate_reply()
            await scene.stage.settle(9.0)
            assert any("speech not done in time" in one for one in call.problems)

    run(main(), leftover="cancel")
    assert findings(OURS, CALL, host("interrupts"), host("asks"), tool=1.0) == []


def test_livekit_leaves_the_agent_thinking_whose_tool_it_cut_off_before_a_say_failed() -> None:
    async def main() -> None:
        async with correct() as (scene, call):
            await calls(scene)
            call.session.interrupt()
            call.session.say("Words to say.")
            await scene.stage.settle(30.0)
            assert call.session.agent_state == "thinking"

    run(main(), leftover="cancel")
    assert findings(OURS, CALL, host("interrupts"), host("says"), tool=1.0) == []


# -- orderings ---------------------------------------------------------------------------------------------------------


def test_a_handoff_while_a_tool_runs_leaves_nobody_thinking() -> None:
    for seconds in (0.0, 1.0, 3.0):
        assert findings(OURS, CALL, host("hands_over", version=1), tool=seconds) == []


def test_an_answer_that_is_cut_before_it_was_played_leaves_nobody_thinking() -> None:
    at_once = Move("server", "assistant_started_speaking", at_once=True)
    assert findings(OURS, CALL, at_once, USER) == []
    assert findings(OURS, CALL, host("asks"), BEGINS, USER) == []
    assert findings(OURS, CALL, host("asks"), *TURN[:2], USER) == []


def test_an_interruption_that_comes_with_the_withdrawal_of_a_call_leaves_nobody_thinking() -> None:
    withdrawn = Move(
        "server", "tool_call_interrupted", {"tool_call_id": "call_1", "tool_name": "weather"}, at_once=True
    )
    assert findings(OURS, CALL, withdrawn, host("interrupts")) == []
    assert findings(OURS, CALL, withdrawn, USER) == []
    assert findings(OURS, CALL, host("asks"), server("assistant_chose_not_to_respond"), USER) == []


def test_a_session_that_closes_itself_in_the_middle_is_judged_too() -> None:
    assert findings(OURS, *TURN[:2], host("closes"), ENDS) == []
    assert findings(OURS, CALL, host("drains"), tool=1.0) == []
    assert findings(OURS, *TURN[:2], Move("wire", "close", {"code": 4004, "reason": ""})) == []


def test_words_appear_with_their_sound_or_at_once() -> None:
    interrupted = (*TURN[:2], host("interrupts"))
    assert findings(OURS, *TURN, synced=True) == findings(OURS, *interrupted, synced=True) == []
    assert findings(OURS, *interrupted) == []


def test_what_is_made_up_for_an_agent_session_is_what_it_can_do() -> None:
    can = {rule.name for rule in HOST_MOVES if "agent" in rule.hosts}
    made = [drafted(PHONIC, [n * 7919 for n in range(one, one + 40)], host="agent") for one in range(60)]
    asked = {move.what for ordering in made for move in ordering.moves if move.who == "host"}
    assert asked <= can
    assert {ordering.tool for ordering in made} == {0.0, 1.0, 3.0}
    assert {ordering.synced for ordering in made} == {False, True}


def test_the_circumstances_of_an_agent_session_are_stored() -> None:
    ordering = Ordering((CALL,), tool=3.0, synced=True)
    assert ordering.to_json()["tool"] == 3.0
    assert Ordering.from_json(ordering.to_json()) == ordering
    assert "tool" not in Ordering((CALL,)).to_json()


@pytest.mark.parametrize("seconds", [True, -1, 60, "3", None])
def test_a_tool_that_takes_no_such_time_is_refused(seconds: object) -> None:
    with pytest.raises(ValueError, match="tool is"):
        Ordering.from_json({"moves": [], "tool": seconds})


def test_a_short_search_finds_nothing_wrong_with_ours() -> None:
    search = Search(PHONIC, lambda ordering: play(PHONIC, OURS, ordering, host="agent"), seed=7, host="agent")
    assert list(search.run(max_examples=60)) == []
    assert search.progress.orderings > 30
