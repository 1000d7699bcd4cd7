"""Clauses that show only in a real AgentSession: what is heard and remembered, and who waits for whom."""

from __future__ import annotations

import asyncio

from livekit.agents import Agent

from rtfsm.testing.headless import Call

from .probe import Book, NotApplicable, demand
from .scene import PATIENCE, Scene

__all__ = ["book"]

book = Book()
SOON = 2.0
"""Seconds in which LiveKit reacts where nobody keeps it waiting: less than its own safety net of 5 s."""


def _said(call: Call) -> list[tuple[str, bool]]:
    """(text, interrupted) of the agent's messages in the history."""
    return [(text.strip(), cut) for role, text, cut in call.history() if role == "assistant"]


async def _heard(scene: Scene, call: Call, text: str, *, seconds: float = PATIENCE) -> None:
    """Wait until this message was played to its end and is in the history. Raises Broken."""
    await scene.until(
        lambda: (text, False) in _said(call),
        "expected the turn to be heard whole and remembered; it was not",
        seconds=seconds,
    )


@book.drill(
    4,
    "an-unanswered-request-frees-the-queue",
    "When nobody answers, the speech that waits for it ends, and later turns are heard.",
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        handle = call.session.generate_reply()
        await scene.until(handle.done, "expected a speech that nobody answers to end; it waits")
        demand(call.session.agent_state == "listening", "expected the agent to be listening then; it is not")
        await scene.stage.settle(PATIENCE)
        await scene.agent("Later words.")
        await _heard(scene, call, "Later words.")


@book.drill(
    7, "a-late-answer-is-not-heard", "An answer that comes after the user has interrupted the request is not played."
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        handle = call.session.generate_reply()
        await scene.provider_got(1)
        handle.interrupt()
        await scene.stage.settle()
        await scene.agent("Too late.", asked=True)
        await scene.stage.settle(SOON)
        demand(not call.speaker.heard, "expected the late answer to be dropped; it was played")
        demand(not _said(call), "expected the late answer to be dropped; it is in the history")


@book.drill(
    12,
    "an-interrupted-agent-is-free",
    "Interrupted before its first word, or in the middle, the agent is idle at once.",
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        await scene.stage.agent_starts()
        await scene.stage.settle()
        call.session.interrupt()
        await scene.until(
            lambda: call.is_idle, "expected the agent to be idle after an interruption; it is not", seconds=SOON
        )
        await scene.stage.agent_finishes()
        await scene.stage.settle(SOON)
        await scene.stage.agent_starts()
        await scene.stage.agent_says("A long answer.", 3000)
        await scene.until(lambda: call.speaker.playing, "expected the answer to be played; it was not")
        call.session.interrupt()
        await scene.until(
            lambda: call.is_idle, "expected the agent to be idle after an interruption; it is not", seconds=SOON
        )
        demand(call.session.agent_state == "listening", "expected the agent to be listening then; it is not")


@book.drill(14, "the-response-after-a-barge-in-is-heard", "A response that follows a barge-in at once is heard whole.")
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        await scene.stage.agent_starts()
        await scene.stage.agent_says("A long answer.", 3000)
        await scene.until(lambda: call.speaker.playing, "expected the answer to be played; it was not")
        await scene.stage.user_starts()
        await scene.stage.user_stops()
        await scene.stage.agent_finishes()
        await scene.agent("The next ", finishes=False)
        await scene.stage.settle(0.5)
        await scene.stage.agent_says("answer.")
        await scene.stage.agent_finishes()
        await _heard(scene, call, "The next answer.")
        await scene.idle(call)


@book.drill(
    22, "a-new-response-is-not-kept-waiting", "A response that begins while another was never finished is heard."
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        await scene.agent("Never finished", finishes=False)
        await scene.stage.settle(1.0)
        await scene.agent("The new one.")
        await _heard(scene, call, "The new one.", seconds=10.0)
        await scene.idle(call)


@book.drill(
    71,
    "a-handoff-goes-through",
    "In the middle of a turn another agent takes over: the provider gets its instructions, and it is heard.",
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        await scene.stage.agent_starts()
        await scene.stage.agent_says("Old words.", 3000)
        await scene.until(lambda: call.speaker.playing, "expected the turn to be played; it was not")
        call.session.update_agent(Agent(instructions="Be another."))
        await scene.stage.agent_finishes()
        await scene.until(
            lambda: scene.stage.received("Be another."),
            "expected the next agent's instructions at the provider; they did not come",
        )
        await scene.stage.settle(SOON)
        await scene.agent("New words.")
        await _heard(scene, call, "New words.")
        await scene.idle(call)


@book.drill(
    35,
    "the-user-state-follows",
    "user_state is speaking while the user speaks, and no longer: a lost connection ends it too.",
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        await scene.stage.user_starts()
        await scene.stage.settle()
        demand(call.session.user_state == "speaking", "expected user_state to be speaking; it is not")
        await scene.stage.user_stops()
        await scene.stage.settle()
        demand(call.session.user_state == "listening", "expected user_state to be listening; it is not")
        await scene.stage.user_starts()
        await scene.stage.settle()
        await scene.stage.drops(for_good=False)
        await scene.stage.settle(SOON)
        over = bool(call.named("close"))
        demand(
            over or call.session.user_state == "listening",
            "expected a lost connection to end the user's speech; user_state is speaking",
        )


@book.drill(
    39,
    "a-fatal-loss-closes-at-once",
    "When the connection is lost for good as a response begins, the session closes at once.",
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        await scene.stage.agent_starts()
        await scene.stage.settle()
        await scene.stage.drops(for_good=True)
        await scene.until(
            lambda: call.named("close"), "expected the session to close after a fatal loss; it did not", seconds=SOON
        )


@book.drill(
    42,
    "the-question-stands-before-its-answer",
    "A transcript that comes late stands before the answer in the history.",
    needs=lambda can: "" if can.user_transcription else "user_transcription is off: it transcribes nothing",
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        await scene.stage.settle(1.0)
        await scene.stage.user_starts()
        await scene.stage.settle(1.0)
        await scene.stage.user_stops()
        await scene.agent("An answer.")
        await _heard(scene, call, "An answer.")
        await scene.stage.user_says("The question.")
        await scene.until(lambda: len(call.history()) == 2, "expected question and answer in the history; they are not")
        roles = [role for role, _, _ in call.history()]
        demand(roles == ["user", "assistant"], "expected the question before its answer; it stands behind")


@book.drill(
    49,
    "typed-words-are-answered",
    "generate_reply(user_input=...) of the AgentSession tells the words, and its answer is heard.",
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        handle = call.session.generate_reply(user_input="Typed by the user.")
        await scene.provider_got(1)
        told = scene.stage.received("Typed by the user.")
        demand(told == 1, f"expected the provider to be told the typed words once; it was told {told} times")
        await scene.agent("An answer.", asked=True)
        await _heard(scene, call, "An answer.")
        await scene.until(handle.done, "expected the speech to be done; it is not")


@book.drill(
    52, "two-tools-are-answered-together", "Two calls in one turn run, both outputs arrive, and the answer is heard."
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        await scene.agent("One moment.", finishes=False)
        await scene.stage.calls_tool("one", "weather", '{"city":"Rome"}')
        await scene.stage.calls_tool("two", "weather", '{"city":"Oslo"}')
        await scene.stage.agent_finishes()
        await scene.until(
            lambda: {"one", "two"} <= set(scene.stage.outputs), "expected both outputs at the provider; one is missing"
        )
        automatic = call.session.current_agent.realtime_llm_session.capabilities.auto_tool_reply_generation
        await scene.agent("Sunny.", asked=not automatic)
        await _heard(scene, call, "Sunny.")
        await scene.idle(call)
        demand(len(scene.stage.outputs) == 2, f"expected each output once; the provider got {len(scene.stage.outputs)}")


@book.drill(
    62,
    "the-start-waits-for-nobody",
    "AgentSession.start() returns while the provider answers nothing, and the session can be closed.",
)
async def _(scene: Scene) -> None:
    scene.stage.keeps_silent()
    started = scene.in_agent_session(waits=False)
    try:
        call = await asyncio.wait_for(started.__aenter__(), SOON)
    except asyncio.TimeoutError:
        demand(False, f"expected AgentSession.start() to return within {SOON:g} s; it waits for the provider")
    await scene.stage.settle(1.0)
    try:
        await asyncio.wait_for(call.session.aclose(), 10.0)
    except asyncio.TimeoutError:
        demand(False, "expected AgentSession.aclose() to return within 10 s; it waits for the provider")
    finally:
        await started.__aexit__(None, None, None)


@book.drill(
    65,
    "a-lost-connection-costs-one-turn",
    "After a reconnection in the middle of a turn the agent listens, and the next turn is heard.",
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        await scene.agent("Half an ", finishes=False)
        await scene.stage.settle(0.5)
        await scene.stage.drops(for_good=False)
        await scene.stage.settle(10.0)
        if scene.stage.connections < 2:
            demand(call.named("close"), "expected a reconnection or the end of the session; saw neither")
            raise NotApplicable("it does not reconnect, and the session is over")
        await scene.runs()
        demand(call.session.agent_state == "listening", "expected the agent to be listening after the loss; it is not")
        await scene.agent("The next turn.")
        await _heard(scene, call, "The next turn.")


@book.drill(
    70,
    "the-agent-session-closes",
    "AgentSession.aclose() in the middle of everything returns before LiveKit's own timers, and nothing is logged.",
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        await scene.stage.agent_starts()
        await scene.stage.agent_says("A long answer.", 3000)
        await scene.until(lambda: call.speaker.playing, "expected the answer to be played; it was not")
        call.session.generate_reply()
        await scene.stage.settle(0.2)
        try:
            await asyncio.wait_for(call.session.aclose(), 4.5)
        except asyncio.TimeoutError:
            demand(False, "expected AgentSession.aclose() to return within 4.5 s; it waits")
        except Exception as error:
            demand(False, f"expected AgentSession.aclose() to raise nothing; it raised {type(error).__name__}")
        demand(call.named("close"), "expected a close event; saw none")
    demand(not call.problems, f"expected nothing to be logged or left behind; {len(call.problems)} problems are")


@book.drill(
    80,
    "a-cut-transcript-keeps-what-was-heard",
    "A message that was cut keeps the words that had been heard, in the second message too.",
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session(sync_transcript=True) as call:
        await scene.stage.agent_starts()
        for word in ("The ", "first ", "message."):
            await scene.stage.agent_says(word, 1000)
        await scene.stage.agent_finishes()
        await _heard(scene, call, "The first message.")
        await scene.stage.agent_starts()
        words = ("one ", "two ", "three ", "four ", "five ", "six ", "seven ", "eight ", "nine ", "ten ")
        for word in words:
            await scene.stage.agent_says(word)
        await scene.until(lambda: call.speaker.playing, "expected the answer to be played; it was not")
        await scene.stage.settle(1.1)
        await scene.stage.user_starts()
        await scene.until(lambda: len(_said(call)) == 2, "expected the cut message in the history; it is not")
        text, cut = _said(call)[1]
        demand(cut, "expected the message to be marked as interrupted; it is not")
        kept = len(text.split())
        demand(3 <= kept <= 7, f"expected the 5 or 6 of 10 words heard in 1.1 s; the history keeps {kept}")
