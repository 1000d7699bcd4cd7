"""Clauses 32 to 39: interruptions, and the end of a session that cannot go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from livekit.agents import llm

from .probe import Book, NotExercised, demand
from .scene import AT_ONCE, Scene
from .witness import Witness

__all__ = ["book"]

book = Book()


async def _interrupting_in_every_state(scene: Scene) -> None:
    def interrupt() -> None:
        for _ in range(2):
            with suppress(Exception):  # the witness has noted it
                scene.session.interrupt()

    scene.opens()
    interrupt()
    await scene.configures()
    interrupt()
    await scene.runs()
    interrupt()
    await scene.stage.agent_starts()
    await scene.stage.settle()
    interrupt()
    await scene.stage.agent_says("Words.")
    interrupt()
    await scene.stage.agent_finishes()
    await scene.stage.settle(2.0)
    await scene.agent("More words.", finishes=False)
    interrupt()
    await scene.stage.agent_finishes()
    call = await scene.calls()
    interrupt()
    await scene.outputs(call)
    interrupt()
    request = scene.asks()
    interrupt()
    scene.witness.cancel(request)
    await scene.stage.user_starts()
    interrupt()
    await scene.stage.drops(for_good=False)
    interrupt()
    await scene.stage.settle()
    interrupt()
    await scene.witness.close()
    interrupt()


@book.watch(
    32,
    "interrupt-never-raises",
    "interrupt() is safe in every state, any number of times.",
    story=_interrupting_in_every_state,
)
def _never_raises(seen: Witness) -> Iterator[str]:
    calls = seen.calls_of("interrupt")
    if not calls:
        raise NotExercised("nothing was interrupted")
    for called in calls:
        if called.raised is not None:
            yield f"expected interrupt() to do nothing where there is nothing to do; it raised {called.failure}"


@book.drill(
    33, "an-idle-interrupt-swallows-nothing", "interrupt() while nothing is active costs the next response nothing."
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    session.interrupt()
    session.interrupt()
    await scene.still_works()
    session.interrupt()
    await scene.still_works()


@book.drill(
    33,
    "an-interrupt-before-a-tool-reply-drops-nothing",
    "The framework interrupts before every tool reply; the reply it asks for then is delivered.",
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    call = await scene.calls()
    await scene.outputs(call)
    session.interrupt()
    if session.capabilities.auto_tool_reply_generation:
        await scene.agent("Sunny.")
    else:
        request = scene.asks(tool_choice="auto")
        await scene.provider_got(1)
        await scene.agent("Sunny.", asked=True)
        demand(request.answer is not None, "expected the tool reply to be answered; it was not")
    demand(scene.last.words == "Sunny.", "expected the reply to the tool output to be delivered; it was not")


@book.drill(
    36,
    "what-was-said-stays-readable",
    "Where the host may not interrupt, it plays on: what had been streamed when the user spoke can still be read.",
)
async def _(scene: Scene) -> None:
    await scene.begins(reads=False, obeys=False)
    await scene.agent("What was ", "said.", finishes=False)
    await scene.stage.user_starts()
    await scene.stage.settle()
    scene.witness.read()
    await scene.stage.settle()
    first = scene.generations[0]
    demand(first.words.startswith("What was said."), "expected the words streamed before the user spoke; they are gone")
    seconds = sum(message.seconds for message in first.messages)
    demand(seconds > 0.35, f"expected the 0.4 s of sound streamed before the user spoke; {seconds:.1f} s are left")


@book.drill(
    37,
    "truncate-is-remembered",
    "truncate() may come late, with nothing heard, and never raises; the item keeps what was heard.",
    needs=lambda can: "" if can.message_truncation else "message_truncation is off: truncate() is never called",
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    await scene.agent("Heard ", "and unheard.", finishes=False)
    session.interrupt()
    message = scene.last.messages[0]
    session.truncate(message_id=message.id, modalities=["audio", "text"], audio_end_ms=200, audio_transcript="Heard")
    session.truncate(message_id="unknown", modalities=["audio", "text"], audio_end_ms=0, audio_transcript="")
    await scene.stage.settle()
    item = session.chat_ctx.get_by_id(message.id)
    kept = (item.text_content or "").strip() if isinstance(item, llm.ChatMessage) else None
    demand(kept == "Heard", "expected the truncated message to keep what was heard; it keeps something else")
    await scene.agent("Whole.")
    whole = scene.last.messages[0]
    session.interrupt()
    session.truncate(message_id=whole.id, modalities=["audio", "text"], audio_end_ms=0, audio_transcript="")
    await scene.still_works()


async def _spoken_over(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        await scene.stage.agent_starts()
        await scene.stage.settle()
        await scene.stage.user_starts()
        await scene.stage.user_stops()
        await scene.stage.settle(6.0)
        await scene.stage.agent_finishes()
        await scene.stage.settle(2.0)
        await scene.stage.agent_starts()
        await scene.stage.agent_says("A long answer.", 3000)
        await scene.until(lambda: call.speaker.playing, "expected the answer to be played; it was not")
        call.session.interrupt()
        await scene.stage.settle(6.0)
        await scene.stage.agent_finishes()
        await scene.listens(call.session)


@book.watch(
    38,
    "the-safety-net-is-never-needed",
    "No interrupted speech has to be ended by the framework's own timer.",
    story=_spoken_over,
)
def _no_net(seen: Witness) -> Iterator[str]:
    # LiveKit 1.8.9 also logs it by itself, where a tool outlives its interrupted speech while another speech waits for
    # an answer. Let the provider answer what it is asked, where tools run.
    if not seen.calls_of("interrupt"):
        raise NotExercised("nothing was interrupted")
    if any("not done in time after interruption" in line for line in seen.log.violations):
        yield "expected interrupted speech to end by itself; the framework cut it off after 5 s"


async def _lost_for_good(scene: Scene) -> None:
    await scene.begins()
    await scene.agent("Half an ", finishes=False)
    scene.asks()
    await scene.stage.settle()
    await scene.stage.drops(for_good=True)
    await scene.rests()


@book.watch(
    39,
    "streams-end-before-the-fatal-error",
    "Every stream has ended when the error that ends the session is told.",
    story=_lost_for_good,
)
def _streams_first(seen: Witness) -> Iterator[str]:
    fatal = [told for told in seen.named("error") if not getattr(told.event, "recoverable", True)]
    if not fatal or not any(one.at <= fatal[0].at for one in seen.generations):
        raise NotExercised("no error ended a session that had spoken")
    if seen.open_after_fatal:
        yield "expected the streams to end before the fatal error is told; they stayed open"
    for one in seen.generations:
        if one.read_since is None or one.at > fatal[0].at or one.ended:
            continue
        if seen.now - max(one.read_since, fatal[0].at) > AT_ONCE:
            yield "expected the streams to end with the fatal error; one is open"
