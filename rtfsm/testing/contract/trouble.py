"""Clauses 65 to 70: lost connections, errors and the close."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

from livekit.agents import llm

from .probe import Book, NotApplicable, NotExercised, demand
from .scene import PATIENCE, Scene, frame
from .witness import Witness

__all__ = ["book"]

book = Book()
CLOSE_LIMIT = 10.0
"""Seconds that aclose() may take, whatever the provider does."""


@book.drill(
    65,
    "a-lost-connection-settles-everything",
    "When the connection is lost, generation, requests and the user's turn all end.",
)
async def _(scene: Scene) -> None:
    await scene.begins()
    await scene.agent("Half an ", finishes=False)
    request = scene.asks()
    await scene.stage.settle()
    await scene.stage.drops(for_good=False)
    await scene.until(
        lambda: scene.last.ended, "expected the generation to end with its connection; it is open", seconds=5.0
    )
    await scene.until(request.future.done, "expected the request to end with its connection; it is pending")
    error = request.error
    demand(
        isinstance(error, llm.RealtimeError), "expected the request to fail with RealtimeError; it ended in another way"
    )


RESTORED = (
    ("Be brief.", "instructions"),
    ("weather", "tools"),
    ("A question to remember.", "history"),
    ("An answer to remember.", "history"),
)
"""What the provider must be told again, unless it resumed the conversation, and what that is."""


async def _reconnected(scene: Scene) -> None:
    """Wait for the next connection. Raises NotApplicable where none comes and the session says that it is over."""
    await scene.stage.settle(PATIENCE)
    if scene.stage.connections < 2:
        told = [one for one in scene.witness.named("error") if not one.event.recoverable]
        demand(told, "expected a reconnection, or an error that ends the session; saw neither")
        raise NotApplicable("it does not reconnect, and says that the session is over")
    await scene.runs()


@book.drill(
    65,
    "a-reconnection-restores-the-session",
    "After a reconnection the provider has the instructions, the tools and the history.",
)
async def _(scene: Scene) -> None:
    await scene.begins()
    await scene.user("A question to remember.")
    await scene.agent("An answer to remember.")
    await scene.stage.drops(for_good=False)
    await _reconnected(scene)
    restored = () if scene.stage.resumed else RESTORED
    for what, kind in restored:
        demand(
            scene.stage.received(what, connection=-1), f"expected the {kind} on the new connection; they are missing"
        )
    await scene.still_works()


@book.drill(
    65,
    "a-change-in-the-gap-arrives",
    "Instructions that change while the connection is lost reach the provider on the next one.",
    needs=lambda can: "" if can.mutable_instructions else "mutable_instructions is off: nobody changes them",
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    await scene.agent("Words.")
    await scene.stage.drops(for_good=False)
    await scene.stage.settle(0.5)
    await session.update_instructions("Be changed.")
    await _reconnected(scene)
    told = scene.stage.received("Be changed.", connection=-1)
    demand(told, "expected the instructions of the gap on the new connection; they are missing")
    await scene.still_works()


async def _troubled(scene: Scene) -> None:
    await scene.begins()
    await scene.agent("Words.")
    with suppress(NotApplicable):
        await scene.stage.complains()
        await scene.stage.settle()
    await scene.stage.drops(for_good=True)
    await scene.rests()


@book.watch(
    66, "errors-can-be-read", "error carries an llm.RealtimeModelError with time, label and cause.", story=_troubled
)
def _errors(seen: Witness) -> Iterator[str]:
    told = [one.event for one in seen.named("error")]
    if not told:
        raise NotExercised("there was no error")
    for event in told:
        if not isinstance(event, llm.RealtimeModelError):
            yield f"expected RealtimeModelError; saw {type(event).__name__}"
        elif not event.label or not event.timestamp or not isinstance(event.error, Exception):
            yield "expected an error with label, time and cause; one is missing"


@book.watch(
    67,
    "one-fatal-error",
    "At most one error says that the session cannot go on, and a session that is lost says so.",
    story=_troubled,
)
def _one_fatal(seen: Witness) -> Iterator[str]:
    told = [one.event for one in seen.named("error")]
    if not told:
        raise NotExercised("there was no error")
    fatal = sum(not getattr(event, "recoverable", True) for event in told)
    if fatal > 1:
        yield f"expected one error that ends the session; {fatal} were told"


@book.drill(67, "a-complaint-ends-nothing", "An error that the provider survives does not end the session.")
async def _(scene: Scene) -> None:
    await scene.begins()
    await scene.stage.complains()
    await scene.stage.settle()
    fatal = [one for one in scene.witness.named("error") if not one.event.recoverable]
    demand(not fatal, "expected an error that ends nothing to be recoverable; the session was given up")
    await scene.still_works()


@book.drill(67, "a-loss-for-good-is-told", "When the connection is lost for good, one unrecoverable error says so.")
async def _(scene: Scene) -> None:
    await scene.begins()
    await scene.stage.drops(for_good=True)
    await scene.stage.settle(PATIENCE)
    fatal = [one for one in scene.witness.named("error") if not one.event.recoverable]
    demand(len(fatal) == 1, f"expected one unrecoverable error; saw {len(fatal)}")


@book.drill(
    68,
    "a-declined-request-is-no-error",
    "A response that the provider will not give fails its future, and nothing else.",
)
async def _(scene: Scene) -> None:
    await scene.begins()
    request = scene.asks()
    await scene.provider_got(1)
    await scene.stage.agent_declines()
    await scene.until(request.future.done, "expected the declined request to end; it is pending")
    demand(
        isinstance(request.error, llm.RealtimeError),
        "expected the declined request to fail with RealtimeError; it did not",
    )
    demand(not scene.witness.named("error"), "expected no error event for a declined request; there was one")
    await scene.still_works()


@book.drill(68, "a-failed-response-ends", "A response that fails half way ends its streams, and the session goes on.")
async def _(scene: Scene) -> None:
    await scene.begins()
    await scene.agent("Half an ", finishes=False)
    await scene.stage.agent_fails()
    await scene.until(
        lambda: scene.last.ended, "expected the streams of a failed response to end; they are open", seconds=5.0
    )
    fatal = [one for one in scene.witness.named("error") if not one.event.recoverable]
    demand(not fatal, "expected a failed response to end nothing else; the session was given up")
    await scene.still_works()


async def _bounded(what: str, close: Awaitable[Any]) -> None:
    try:
        await asyncio.wait_for(close, CLOSE_LIMIT)
    except asyncio.TimeoutError:
        demand(False, f"expected {what} to return within {CLOSE_LIMIT:g} s; it hangs")
    except Exception as error:
        demand(False, f"expected {what} to raise nothing; it raised {type(error).__name__}")


@book.drill(
    70,
    "the-close-is-bounded",
    "aclose() returns in time and raises nothing: in the middle of everything, twice, at the same time.",
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    await scene.agent("Half an ", finishes=False)
    scene.asks()
    await scene.stage.user_starts()
    await scene.stage.calls_tool("open", "weather", '{"city":"Rome"}')
    await scene.stage.settle()
    await _bounded("two aclose() at the same time", asyncio.gather(session.aclose(), session.aclose()))
    await _bounded("aclose() of a closed session", session.aclose())
    scene.stage.keeps_silent()
    silent = scene.opens()
    await _bounded("aclose() of a session that was never configured", silent.aclose())
    silent = scene.opens()
    await scene.configures()
    scene.asks()
    await scene.stage.settle()
    await _bounded("aclose() while the provider answers nothing", silent.aclose())


async def _closed_in_the_middle(scene: Scene) -> None:
    await scene.begins()
    await scene.agent("Half an ", finishes=False)
    scene.asks()
    await scene.stage.user_starts()
    await scene.stage.calls_tool("open", "weather", '{"city":"Rome"}')
    await scene.stage.settle()
    scene.asks()
    await scene.witness.close()


@book.watch(
    70,
    "the-close-leaves-nothing",
    "After aclose() every stream and every future has ended, and no task is left.",
    story=_closed_in_the_middle,
)
def _nothing_left(seen: Witness) -> Iterator[str]:
    if seen.closed_at is None:
        raise NotExercised("the session was not closed")
    pending = sum(not request.future.done() for request in seen.requests)
    if pending:
        yield f"expected every request to have ended with the close; {pending} are pending"
    if any(one.read and not one.ended for one in seen.generations):
        yield "expected every stream to have ended with the close; one is open"
    if seen.tasks_left:
        yield f"expected no task to be left by the session; {len(seen.tasks_left)} are"


@book.drill(
    70,
    "a-closed-session-is-silent",
    "After aclose() every method does nothing, raises nothing, and no event is emitted.",
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    await scene.agent("Half an ", finishes=False)
    await scene.witness.close()
    witness = scene.witness
    context = llm.ChatContext.empty()
    context.add_message(role="user", content="Words.")
    sync: list[Callable[[], Any]] = [
        lambda: session.push_audio(frame()), session.interrupt, session.clear_audio, session.commit_audio,
        session.start_user_activity, lambda: session.update_options(tool_choice=None),
        lambda: session.truncate(message_id="gone", modalities=["audio"], audio_end_ms=0, audio_transcript=""),
    ]  # fmt: skip
    for method in sync:
        method()
    for update in (
        session.update_instructions("Be brief."),
        session.update_chat_ctx(context),
        session.update_tools([]),
    ):
        try:
            await update
        except llm.RealtimeError:
            continue
    request = scene.asks()
    await scene.stage.settle(PATIENCE)
    raised = [
        called.name
        for called in witness.called
        if called.raised is not None and not isinstance(called.raised, llm.RealtimeError)
    ]
    demand(not raised, f"expected methods of a closed session to do nothing; {raised[:1]} raised")
    demand(request.future.done(), "expected a request to a closed session to fail; it is pending")
    late = [told.name for told in witness.told[witness.told_at_close :] if told.name != "metrics_collected"]
    demand(not late, f"expected no event after the close; saw {late[:1]}")
