"""Clauses 2 to 10: what the host asked for, and how each request ends."""

from __future__ import annotations

from collections.abc import Iterator

from livekit.agents import llm

from .probe import Book, NotExercised, demand
from .scene import PATIENCE, Scene
from .witness import Witness

__all__ = ["book"]

book = Book()


def _no_say(capabilities: llm.RealtimeCapabilities) -> str:
    return "" if capabilities.supports_say else "supports_say is off: say() is never called"


async def _asked_and_unasked(scene: Scene) -> None:
    await scene.begins()
    await scene.agent("A welcome.")
    request = scene.asks()
    await scene.provider_got(1)
    await scene.agent("An answer.", asked=True)
    await scene.until(request.future.done, "expected the request to end; it did not")
    await scene.user()
    await scene.agent("Another answer.")
    await scene.rests()


@book.watch(
    2,
    "asked-means-asked",
    "A generation says user_initiated if and only if a request of the host resolved with it.",
    story=_asked_and_unasked,
)
def _asked_means_asked(seen: Witness) -> Iterator[str]:
    answers = [request.answer for request in seen.requests if request.answer is not None]
    if not answers:
        raise NotExercised("no request was answered")
    for event in answers:
        if not event.user_initiated:
            yield "expected the answer to a request to say user_initiated; it does not"
    streams = [event.message_stream for event in answers]
    given_up = sum(request.answer is None and request.future.done() for request in seen.requests)
    claimed = [one for one in seen.generations if one.event.user_initiated]
    unowned = [one for one in claimed if not any(one.event.message_stream is stream for stream in streams)]
    if seen.over and len(unowned) > given_up:
        yield f"expected every user_initiated generation to answer a request; {len(unowned)} answer none"
    if len({id(stream) for stream in streams}) < len(streams):
        yield "expected a generation for each request; two requests got the same"


@book.drill(
    3, "an-answer-resolves-its-request", "The answer to a request resolves its future, and is announced besides."
)
async def _(scene: Scene) -> None:
    await scene.begins()
    request = scene.asks(instructions="Say so.")
    await scene.provider_got(1)
    await scene.agent("An answer.", asked=True)
    demand(request.future.done(), "expected the answer to resolve the future; it is pending")
    demand(request.answer is not None, "expected a generation as the future's result; it failed")
    announced = [one for one in scene.generations if one.event.message_stream is _stream(request.answer)]
    demand(len(announced) == 1, f"expected the answer to be announced once; it was {len(announced)} times")
    demand(announced[0].words == "An answer.", "expected the future to end with the words of the answer; it has others")


def _stream(event: llm.GenerationCreatedEvent | None) -> object:
    return event.message_stream if event is not None else None


@book.drill(
    4, "an-unanswered-request-ends", "A request that the provider never answers ends by a timer of the session's own."
)
async def _(scene: Scene) -> None:
    await scene.begins()
    request = scene.asks()
    await scene.until(request.future.done, "expected an unanswered request to end; it is pending")
    await scene.stage.settle(PATIENCE)  # a turn that comes sooner may be the answer, which nobody waits for any more
    await scene.still_works()


@book.drill(4, "the-close-ends-requests", "Closing ends every request, sent or waiting.")
async def _(scene: Scene) -> None:
    await scene.begins()
    requests = [scene.asks(), scene.asks()]
    await scene.stage.settle()
    await scene.witness.close()
    pending = sum(not request.future.done() for request in requests)
    demand(not pending, f"expected no pending request after the close; {pending} are")


@book.drill(4, "a-lost-connection-ends-requests", "A request that was sent ends when its connection is lost.")
async def _(scene: Scene) -> None:
    await scene.begins()
    request = scene.asks()
    await scene.provider_got(1)
    await scene.stage.drops(for_good=False)
    await scene.until(request.future.done, "expected the request to end with its connection; it is pending")


async def _failing(scene: Scene) -> None:
    await scene.begins()
    scene.asks()
    await scene.stage.settle(PATIENCE)
    scene.asks()
    scene.asks()
    await scene.stage.settle()
    await scene.witness.close()
    scene.asks()
    await scene.stage.settle(PATIENCE)


@book.watch(
    5,
    "requests-fail-only-with-realtime-error",
    "A request fails with llm.RealtimeError and nothing else; the session never cancels it.",
    story=_failing,
)
def _only_realtime_errors(seen: Witness) -> Iterator[str]:
    ended = [request for request in seen.requests if request.future.done() and request.answer is None]
    if not ended:
        raise NotExercised("no request failed")
    for request in ended:
        if request.future.cancelled():
            if request.cancelled_by_host is False:
                yield f"expected {request.kind} to fail with RealtimeError; the session cancelled its future"
        elif not isinstance(request.error, llm.RealtimeError):
            yield f"expected {request.kind} to fail with RealtimeError; it failed with {type(request.error).__name__}"


async def _asking_in_every_state(scene: Scene) -> None:
    says = scene.stage.model.capabilities.supports_say
    kinds = ["generate_reply", "say"] if says else ["generate_reply"]

    async def ask() -> None:
        for kind in kinds:
            before = len(scene.witness.requests)
            try:
                scene.asks(kind)
            except Exception:
                continue  # the witness has noted it
            scene.witness.cancel(scene.witness.requests[before])
            await scene.stage.settle()

    session = scene.opens()
    session.on("input_speech_started", lambda _: session.interrupt())
    await ask()
    await scene.configures()
    await ask()
    await scene.runs()
    await ask()
    await scene.agent("Words.", finishes=False)
    await ask()
    await scene.stage.user_starts()
    await ask()
    await scene.stage.drops(for_good=True)
    await scene.stage.settle()
    await ask()
    await scene.witness.close()
    await ask()


@book.watch(
    6,
    "asking-never-raises",
    "generate_reply() and say() return a future in every state and never raise.",
    story=_asking_in_every_state,
)
def _asking_never_raises(seen: Witness) -> Iterator[str]:
    calls = seen.calls_of("generate_reply", "say")
    if not calls:
        raise NotExercised("nothing was asked for")
    for called in calls:
        if called.raised is not None:
            yield f"expected {called.name} to return a future; it raised {called.failure}"


@book.drill(
    7, "a-cancelled-request-makes-no-ghost", "The late answer to a request that the host cancelled is not spoken."
)
async def _(scene: Scene) -> None:
    await scene.begins()
    request = scene.asks()
    await scene.provider_got(1)
    scene.witness.cancel(request)
    await scene.stage.settle()
    await scene.agent("Nobody wants this.", asked=True)
    ghosts = [one for one in scene.generations if not one.event.user_initiated and (one.messages or one.calls)]
    demand(not ghosts, "expected the late answer to be dropped; it was announced as a turn that nobody asked for")
    errors = scene.witness.loop_errors
    demand(not errors, f"expected a cancelled future to be left alone; the loop saw {errors[:1]}")
    await scene.still_works()


@book.drill(
    8, "an-unread-answer-blocks-nothing", "An answer that was resolved and is never read blocks nothing after it."
)
async def _(scene: Scene) -> None:
    session = await scene.begins(reads=False)
    request = scene.asks()
    await scene.provider_got(1)
    await scene.stage.agent_starts(asked=True)
    await scene.until(request.future.done, "expected the answer to resolve the future; it is pending")
    session.interrupt()
    await scene.stage.agent_says("Nobody reads this.")
    await scene.stage.agent_finishes()
    await scene.stage.settle(2.0)
    scene.witness.read()
    await scene.stage.settle()
    demand(scene.last.ended, "expected the streams of an answer that nobody read to end; they are open")
    await scene.still_works()


@book.drill(
    9,
    "an-interrupt-ends-a-pending-say",
    "interrupt() settles a pending say(), which the framework awaits bare.",
    needs=_no_say,
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    request = scene.asks("say")
    await scene.provider_got(1)
    session.interrupt()
    await scene.until(
        request.future.done, "expected interrupt() to settle the pending say(); it is pending", seconds=4.5
    )
    demand(not request.future.cancelled(), "expected interrupt() to settle the pending say(); it was cancelled")


@book.drill(
    10,
    "a-cancelled-request-keeps-its-answer",
    "With one request cancelled and the next one made, the first answer belongs to the first.",
)
async def _(scene: Scene) -> None:
    await scene.begins()
    first = scene.asks()
    await scene.provider_got(1)
    scene.witness.cancel(first)
    second = scene.asks()
    await scene.stage.settle()
    await scene.agent("The first.", asked=True)
    await scene.provider_got(2)
    await scene.agent("The second.", asked=True)
    await scene.until(second.future.done, "expected the second request to end; it is pending")
    demand(second.answer is not None, "expected the second request to be answered; it failed")
    (answer,) = [one for one in scene.generations if one.event.message_stream is _stream(second.answer)]
    demand(answer.words == "The second.", "expected the second request to get the second answer; it got another")
