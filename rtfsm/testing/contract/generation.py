"""Clauses 1, 11 to 17 and 22 to 29: how a response becomes a generation, and how that ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

from livekit.agents import llm

from .probe import Book, NotExercised, demand
from .scene import AT_ONCE, Scene
from .witness import Witness

__all__ = ["book", "conversation"]

book = Book()


async def conversation(scene: Scene) -> None:
    """A bit of everything that every provider knows: turns, a tool, a barge-in, a request; and then rest."""
    session = await scene.begins()
    await scene.agent("A ", "welcome.")
    await scene.user()
    await scene.agent("One ", "moment.")
    call = await scene.calls()
    await scene.outputs(call)
    await scene.agent("An ", "answer.")
    await scene.stage.agent_starts()
    await scene.stage.agent_says("A long ")
    await scene.stage.agent_says("answer.")
    await scene.stage.settle()
    await scene.stage.user_starts()
    await scene.stage.agent_says("Too late.")
    await scene.stage.agent_finishes()
    await scene.stage.user_stops()
    await scene.stage.user_says("Stop.")
    await scene.stage.settle(2.0)
    before = scene.stage.requests
    scene.asks()
    await scene.provider_got(before + 1)
    await scene.agent("As ", "asked.", asked=True)
    session.interrupt()
    await scene.rests()


@book.drill(
    1, "one-announcement-a-response", "Each response of the provider is announced exactly once, with all its words."
)
async def _(scene: Scene) -> None:
    await scene.begins()
    for words in ("One.", "Two.", "Three."):
        before = len(scene.generations)
        await scene.agent(words)
        new = scene.generations[before:]
        demand(len(new) == 1, f"expected one generation_created for one response; saw {len(new)}")
        demand(new[0].words == words, "expected the generation to hold the words of its response; it holds others")


@book.watch(
    1,
    "announced-once-and-from-the-loop",
    "generation_created comes from the event loop's thread, and never twice with the same streams.",
    story=conversation,
)
def _announced_once(seen: Witness) -> Iterator[str]:
    told = seen.named("generation_created")
    if not told:
        raise NotExercised("nothing was announced")
    if not all(one.in_loop for one in told):
        yield "expected generation_created from the event loop's thread; it came from another"
    if len({id(one.event.message_stream) for one in told}) < len(told):
        yield "expected new streams with every generation_created; the same were announced twice"


@book.watch(
    11,
    "generations-end",
    "message_stream and function_stream of every generation end, without any further event.",
    story=conversation,
)
def _generations_end(seen: Witness) -> Iterator[str]:
    if not seen.generations or not seen.over:
        raise NotExercised("nothing was announced, or it is not over")
    for one in seen.generations:
        if one.read and one.messages_ended is None:
            yield "expected every message_stream to end; one is open"
        if one.read and one.calls_ended is None:
            yield "expected every function_stream to end; one is open"


async def _interrupted(scene: Scene) -> None:
    session = await scene.begins()
    await scene.stage.agent_starts()
    await scene.stage.settle()
    session.interrupt()
    await scene.stage.agent_says("Unheard.")
    await scene.stage.settle(6.0)
    await scene.stage.agent_finishes()
    await scene.agent("More ", "words", finishes=False)
    session.interrupt()
    await scene.stage.settle(6.0)
    await scene.stage.agent_finishes()
    await scene.rests()


@book.watch(
    12,
    "an-interrupt-ends-generations",
    "interrupt() ends the streams of an open generation well within 5 s.",
    story=_interrupted,
)
def _interrupt_ends(seen: Witness) -> Iterator[str]:
    cut = [(one, one.interrupted_at, one.read_since) for one in seen.generations]
    known = [(one, at) for one, at, since in cut if at is not None and since is not None and since <= at]
    if not known:
        raise NotExercised("no open generation was interrupted")
    for one, began in known:
        ends = [one.messages_ended, one.calls_ended]
        for message in one.messages:
            ends += [message.text_ended, message.audio_ended]
        if any(end is None for end in ends) and (seen.over or seen.now - began > AT_ONCE):
            yield "expected interrupt() to end all streams of the generation; one stayed open"
        elif any(end is not None and end - began > AT_ONCE for end in ends):
            yield f"expected interrupt() to end all streams within {AT_ONCE:g} s; one ended later"


@book.drill(
    13,
    "a-barge-in-leaves-no-task",
    "After a barge-in into a half played answer, nothing of the framework waits for it.",
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        await scene.stage.agent_starts()
        await scene.stage.agent_says("A long answer.", 3000)
        await scene.until(lambda: call.speaker.playing, "expected the answer to be played; it was not")
        await scene.stage.settle(0.5)
        await scene.stage.user_starts()
        await scene.stage.settle(0.5)
        demand(not call.speaker.playing, "expected the user's speech to stop the playing; it goes on")
        left = [task for task in asyncio.all_tasks() if task.get_name().startswith("AgentActivity.realtime_generation")]
        demand(not left, f"expected nothing to wait for the cut answer; {len(left)} tasks of the framework do")
        await scene.stage.agent_finishes()
        await scene.stage.user_stops()
        await scene.stage.settle(0.5)


@book.watch(
    14,
    "a-barge-in-ends-generations-at-once",
    "Telling that the user speaks ends the streams of the old generation in the same step.",
    story=conversation,
    needs=lambda can: (
        "supports_overlapping_speech is on: the user's speech cuts nothing" if can.supports_overlapping_speech else ""
    ),
)
def _barge_in(seen: Witness) -> Iterator[str]:
    starts = [told.at for told in seen.named("input_speech_started")]
    if not any(one.at <= at and (one.messages_ended or at) >= at for at in starts for one in seen.generations):
        raise NotExercised("the user did not speak while a generation was open")
    if seen.open_after_barge_in:
        yield "expected the old generation to end in the step that tells of the user's speech; it stayed open"


@book.watch(
    15,
    "modalities-are-known",
    "The modalities of a message are known by the time its streams have ended.",
    story=conversation,
)
def _modalities(seen: Witness) -> Iterator[str]:
    if not seen.messages:
        raise NotExercised("there was no message")
    for message in seen.messages:
        if any("cancelled" in problem for problem in message.problems):
            yield "expected the modalities to be known; they were cancelled"
        elif message.modalities_known is None and (message.ended or seen.over):
            yield "expected the modalities of a message to be known when it ends; they are pending"
        elif message.modalities_known is not None and message.modalities_known - message.at > 5.0:
            yield "expected the modalities of a message within 5 s; they came later"


@book.watch(
    16,
    "modalities-can-be-awaited-again",
    "The modalities of a message can be awaited a second time.",
    story=conversation,
)
def _again(seen: Witness) -> Iterator[str]:
    known = [message for message in seen.messages if message.modalities_known is not None]
    if not known:
        raise NotExercised("there was no message with modalities")
    for message in known:
        yield from (
            f"expected the modalities to be awaited twice; {problem}"
            for problem in message.problems
            if "modalities" in problem
        )


@book.watch(
    17,
    "both-streams-of-a-message-end",
    "The text and the sound of every message end, and within 1 s of each other.",
    story=conversation,
)
def _both_end(seen: Witness) -> Iterator[str]:
    if not seen.messages or not seen.over:
        raise NotExercised("there was no message, or it is not over")
    for message in seen.messages:
        if message.text_ended is None or message.audio_ended is None:
            yield "expected the text and the sound of every message to end; one is open"
        elif (apart := abs(message.text_ended - message.audio_ended)) > AT_ONCE and not message.is_written:
            yield f"expected text and sound of a message to end together; {apart:.1f} s lie between"


async def _overtaken(scene: Scene) -> None:
    await scene.begins()
    await scene.agent("First", finishes=False)
    await scene.agent("Second", finishes=False)
    await scene.stage.settle()
    await scene.agent("Third")
    await scene.rests()


@book.watch(
    22,
    "one-generation-at-a-time",
    "A generation is announced only once the one before it has ended.",
    story=_overtaken,
)
def _one_at_a_time(seen: Witness) -> Iterator[str]:
    if len(seen.generations) < 2:
        raise NotExercised("there were not two generations")
    if seen.open_beside_another:
        yield "expected the older generation to have ended when the next one is announced; it stayed open"


async def _greeted_early(scene: Scene) -> None:
    scene.stage.speaks_first()
    scene.opens()
    await scene.stage.settle(0.5)
    await scene.configures()
    await scene.runs()
    await scene.rests()


@book.watch(
    23,
    "nothing-before-the-configuration",
    "No generation is announced before _update_session() has returned.",
    story=_greeted_early,
)
def _not_before(seen: Witness) -> Iterator[str]:
    configured = seen.configured
    if configured is None:
        raise NotExercised("the session was never configured")
    early = [told for told in seen.named("generation_created") if told.at < configured]
    if early:
        yield f"expected no generation before _update_session() has returned; {len(early)} came"


@book.drill(23, "an-early-welcome-is-heard", "A welcome that the provider speaks at once is played, not skipped.")
async def _(scene: Scene) -> None:
    scene.stage.speaks_first()
    async with scene.in_agent_session() as call:
        await scene.until(lambda: call.speaker.heard, "expected the welcome to be played; it was not")
        await scene.idle(call)
        said = [text for role, text, _ in call.history() if role == "assistant"]
        demand(len(said) == 1, f"expected the welcome in the history once; it is there {len(said)} times")


@book.drill(
    24,
    "a-turn-told-to-nobody-blocks-nothing",
    "A turn and a tool call during a handoff are heard by nobody; after it the session works.",
)
async def _(scene: Scene) -> None:
    session = await scene.begins(reads=False)
    await scene.agent("Words in the gap.")
    await scene.stage.calls_tool("gap", "weather", '{"city":"Rome"}')
    await scene.stage.settle()
    session.interrupt()
    session.clear_audio()
    await scene.configures(instructions="Be another.")
    await scene.stage.settle(2.0)
    scene.witness.read()
    await scene.stage.settle()
    demand(all(one.ended for one in scene.generations), "expected the turns of the gap to have ended; one is open")
    await scene.still_works()


@book.watch(
    27,
    "ids-are-unique",
    "A message's id is used once in the life of the session, and never for a tool call.",
    story=conversation,
)
def _ids(seen: Witness) -> Iterator[str]:
    if len(seen.messages) < 2:
        raise NotExercised("there were not two messages")
    ids = Counter(message.id for message in seen.messages)
    if max(ids.values()) > 1:
        yield "expected an id of its own for every message; one was used twice"
    if any(call.id in ids for call in seen.calls):
        yield "expected other ids for tool calls than for messages; one is used for both"


@book.drill(28, "a-call-alone-says-nothing", "A response of nothing but a tool call leaves no message in the history.")
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        await scene.stage.calls_tool("alone", "weather", '{"city":"Rome"}')
        await scene.until(
            lambda: "alone" in scene.stage.outputs, "expected the tool to be run and answered; it was not"
        )
        await scene.agent("Sunny.")
        await scene.until(lambda: call.history(), "expected the answer in the history; it is empty")
        await scene.idle(call)
        count = sum(role == "assistant" for role, _, _ in call.history())
        demand(count == 1, f"expected one message, the answer; the history has {count}")


@book.drill(
    29,
    "unheard-messages-are-forgotten",
    "After an interruption, messages of the response that nobody heard are not remembered.",
)
async def _(scene: Scene) -> None:
    session = await scene.begins(reads=False)
    await scene.stage.agent_starts()
    await scene.stage.agent_says("Heard.")
    await scene.stage.agent_starts_message()
    await scene.stage.agent_says("Unheard.")
    await scene.stage.settle()
    (generation,) = scene.generations
    stream = aiter(generation.event.message_stream)
    message = await anext(stream)
    await anext(aiter(message.audio_stream))
    session.interrupt()
    await scene.stage.settle(AT_ONCE)
    remembered = [item.text_content or "" for item in session.chat_ctx.items if isinstance(item, llm.ChatMessage)]
    demand(
        not any("Unheard" in text for text in remembered),
        "expected the unheard message to be forgotten; it is remembered",
    )
