"""Clauses 62 to 64, 71 and 73: the start, the user's sound, and what an application does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import get_args

from livekit import rtc
from livekit.agents import function_tool, llm
from livekit.agents.llm.realtime import EventTypes

from .probe import Book, NotExercised, demand
from .scene import AT_ONCE, PATIENCE, Scene, frame, weather
from .witness import Witness

__all__ = ["book"]

book = Book()


@book.drill(
    62,
    "configuring-waits-for-nobody",
    "session() and _update_session() return at once, also when the provider never answers.",
)
async def _(scene: Scene) -> None:
    scene.stage.keeps_silent()
    scene.opens()
    try:
        await asyncio.wait_for(scene.configures(), AT_ONCE)
    except asyncio.TimeoutError:
        demand(False, f"expected _update_session() to return within {AT_ONCE:g} s; it waits for the provider")


@book.drill(
    63,
    "a-refused-configuration-leaves-nothing",
    "If _update_session() raises, the session has cleaned up: nobody will close it.",
)
async def _(scene: Scene) -> None:
    @function_tool(name="weather")
    async def twin(city: str) -> str:
        """Has the name of another tool."""
        return ""

    session = scene.opens()
    await scene.stage.settle()
    try:
        await session._update_session(instructions="Be brief.", chat_ctx=llm.ChatContext.empty(), tools=[weather, twin])
    except Exception:
        await scene.stage.settle(PATIENCE)
        demand(not scene.stage.connected, "expected no connection after _update_session() has raised; one is open")


async def _pushing(scene: Scene) -> None:
    picture = rtc.VideoFrame(2, 2, rtc.VideoBufferType.RGBA, bytes(16))
    odd = [
        frame(),
        frame(10, rate=48_000),
        frame(30, rate=16_000),
        frame(rate=48_000, channels=2),
        frame(0),
        frame(7, rate=44_100),
    ]

    async def push() -> None:
        for one in odd:
            with suppress(Exception):  # the witness has noted it
                scene.session.push_audio(one)
        with suppress(Exception):
            scene.session.push_video(picture)
        await scene.stage.settle()

    scene.opens()
    await push()
    await scene.configures()
    await push()
    await scene.runs()
    await push()
    await scene.agent("Words.", finishes=False)
    await push()
    await scene.stage.drops(for_good=False)
    await push()
    await scene.stage.drops(for_good=True)
    await push()
    await scene.witness.close()
    await push()


@book.watch(
    64,
    "pushing-never-raises",
    "push_audio() and push_video() never raise: before the configuration, in any format, after the close.",
    story=_pushing,
)
def _pushing_never_raises(seen: Witness) -> Iterator[str]:
    calls = seen.calls_of("push_audio", "push_video")
    if not calls:
        raise NotExercised("nothing was pushed")
    for called in calls:
        if called.raised is not None:
            yield f"expected {called.name}() to take every frame in every state; it raised {called.failure}"


@book.drill(64, "the-user-is-heard", "The user's sound arrives, also when the format of the frames changes on the way.")
async def _(scene: Scene) -> None:
    session = await scene.begins()
    for rate, channels in ((24_000, 1), (48_000, 1), (48_000, 2), (16_000, 1)):
        before = scene.stage.heard
        for _ in range(50):
            session.push_audio(frame(rate=rate, channels=channels))
        await scene.stage.settle()
        got = scene.stage.heard - before
        demand(
            0.9 < got < 1.1,
            f"expected 1 s of {rate} Hz sound with {channels} channels to arrive as 1 s; {got:.2f} s did",
        )


@book.drill(
    71,
    "a-session-can-change-hands",
    "On a handoff the session is interrupted, cleared and configured anew; then it works for the next agent.",
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    await scene.user()
    await scene.agent("Old ", finishes=False)
    session.interrupt()
    session.clear_audio()
    context = llm.ChatContext.empty()
    kept = context.add_message(role="user", content="What was said before.")
    await scene.configures(instructions="Be another.", chat_ctx=context)
    await scene.stage.agent_finishes()
    await scene.stage.settle(2.0)
    can = session.capabilities
    if can.mutable_instructions:
        demand(scene.stage.received("Be another."), "expected the new instructions at the provider; they are missing")
    held = [item.id for item in session.chat_ctx.items if isinstance(item, llm.ChatMessage)]
    demand(held == [kept.id], "expected chat_ctx to be that of the new agent; it is another")
    await scene.still_works()


@book.drill(
    71,
    "a-model-serves-many-sessions",
    "After one session another one of the same model works, with a configuration of its own.",
)
async def _(scene: Scene) -> None:
    await scene.begins()
    await scene.agent("Words.")
    await scene.witness.close()
    scene.opens()
    await scene.configures(instructions="Be the second.")
    await scene.runs()
    demand(
        scene.stage.received("Be the second.", connection=-1),
        "expected the second session's instructions at the provider; they are missing",
    )
    held = [item for item in scene.session.chat_ctx.items if isinstance(item, llm.ChatMessage)]
    demand(not held, "expected the second session to remember nothing of the first; it does")
    await scene.still_works()


@book.drill(
    73,
    "a-failing-handler-costs-nothing",
    "A handler of the application that raises, TypeError included, leaves nothing half done.",
)
async def _(scene: Scene) -> None:
    def fail(*_: object) -> None:
        raise TypeError("a mistake of the application")

    session = scene.opens()
    for name in get_args(EventTypes):
        session.on(name, fail)
    await scene.configures()
    await scene.runs()
    await scene.agent("First words.")
    demand(scene.last.words == "First words.", "expected the turn to be whole in spite of a failing handler; it is not")
    await scene.user()
    await scene.still_works()
    request = scene.asks()
    await scene.provider_got(1)
    await scene.agent("An answer.", asked=True)
    demand(request.answer is not None, "expected the request to be answered in spite of a failing handler; it was not")
