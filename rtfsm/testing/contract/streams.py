"""Clauses 18 to 21 and 77 to 81: what the streams of a message carry."""

from __future__ import annotations

from collections.abc import Iterator

from livekit import rtc
from livekit.agents.types import TimedString

from .generation import conversation
from .probe import Book, NotApplicable, NotExercised, demand
from .scene import Scene
from .witness import Witness

__all__ = ["book"]

book = Book()


async def _wordless(scene: Scene) -> None:
    await scene.begins()
    await scene.stage.agent_starts()
    await scene.stage.agent_sounds(200)
    await scene.stage.agent_says("Words.")
    await scene.stage.agent_finishes()
    await scene.stage.agent_starts()
    await scene.stage.agent_sounds(200)
    await scene.stage.agent_finishes()
    await scene.rests()


@book.watch(
    18,
    "a-sounding-message-has-text",
    "The text of a message with sound has at least one chunk that is not empty.",
    story=_wordless,
)
def _has_text(seen: Witness) -> Iterator[str]:
    sounding = [one for one in seen.messages if one.frames and one.ended]
    if not sounding:
        raise NotExercised("no message with sound has ended")
    for message in sounding:
        if not message.words:
            yield "expected a chunk of text that is not empty in every message with sound; one has none"


@book.watch(
    18,
    "text-ends-before-the-sound-is-over",
    "The text of a message ends no later than its sound has been played.",
    story=conversation,
)
def _text_in_time(seen: Witness) -> Iterator[str]:
    sounding = [one for one in seen.messages if one.frames and one.ended]
    if not sounding:
        raise NotExercised("no message with sound has ended")
    for message in sounding:
        played = max(message.audio_ended or 0.0, message.frames[0][0] + message.seconds)
        late = (message.text_ended or 0.0) - played
        if late > 0.05:
            yield f"expected the text to end before its sound has been played; it ended {late:.1f} s after"


@book.watch(19, "no-empty-words", "No chunk of text is empty.", story=_wordless)
def _no_empty(seen: Witness) -> Iterator[str]:
    chunks = [text for message in seen.messages for _, text in message.text]
    if not chunks:
        raise NotExercised("there was no text")
    if not all(chunks):
        yield "expected no empty chunk of text; there is one"


@book.watch(20, "streams-never-raise", "Reading a stream ends, and never raises.", story=conversation)
def _never_raise(seen: Witness) -> Iterator[str]:
    if not seen.generations:
        raise NotExercised("nothing was announced")
    for problems in [one.problems for one in seen.generations] + [one.problems for one in seen.messages]:
        yield from (f"expected the stream to end; {problem}" for problem in problems if "stream" in problem)


@book.drill(
    21,
    "unread-streams-block-nobody",
    "The session goes on taking what the provider sends while nobody reads its streams.",
)
async def _(scene: Scene) -> None:
    await scene.begins(reads=False, obeys=False)
    await scene.stage.agent_starts()
    for _ in range(300):
        await scene.stage.agent_says("word ", 100)
    await scene.stage.agent_finishes()
    await scene.stage.user_starts()
    await scene.stage.settle(2.0)
    started = scene.witness.named("input_speech_started")
    demand(started, "expected the user's speech to be told while nobody reads the answer; it was not")
    scene.witness.read()
    await scene.stage.settle()
    demand(
        scene.last.words.count("word") == 300, "expected all words to be there when somebody reads; some are missing"
    )


@book.drill(21, "late-words-do-no-harm", "What the provider still sends of an interrupted response disturbs nothing.")
async def _(scene: Scene) -> None:
    session = await scene.begins()
    await scene.agent("Some ", finishes=False)
    session.interrupt()
    await scene.stage.agent_says("late ")
    await scene.stage.agent_says("words.")
    await scene.stage.agent_finishes()
    await scene.stage.settle(2.0)
    problems = [*scene.witness.loop_errors, *scene.witness.log.violations]
    demand(not problems, f"expected late words to be dropped quietly; {len(problems)} errors were logged or lost")
    demand(
        not any("late" in one.words for one in scene.generations),
        "expected late words to be dropped; they were handed over",
    )
    await scene.still_works()


@book.watch(
    77,
    "one-format-a-message",
    "All frames of a message are int16 rtc.AudioFrames of one rate and channel count.",
    story=conversation,
)
def _one_format(seen: Witness) -> Iterator[str]:
    if not any(message.frames for message in seen.messages):
        raise NotExercised("there was no sound")
    for message in seen.messages:
        frames = [frame for _, frame in message.frames]
        if not all(isinstance(frame, rtc.AudioFrame) for frame in frames):
            yield "expected rtc.AudioFrame; saw something else"
            continue
        formats = {(frame.sample_rate, frame.num_channels) for frame in frames}
        if len(formats) > 1:
            yield f"expected one format in a message; saw {sorted(formats)}"


async def _soundless(scene: Scene) -> None:
    await scene.begins()
    await scene.stage.agent_starts()
    await scene.stage.agent_says("Words.")
    await scene.stage.agent_sounds(0)
    await scene.stage.agent_finishes()
    await scene.rests()


@book.watch(78, "no-frame-without-samples", "No frame without samples is handed over.", story=_soundless)
def _samples(seen: Witness) -> Iterator[str]:
    frames = [frame for message in seen.messages for _, frame in message.frames]
    if not frames:
        raise NotExercised("there was no sound")
    if not all(frame.samples_per_channel for frame in frames):
        yield "expected samples in every frame; one has none"


async def _timed(scene: Scene) -> None:
    await scene.begins()
    for _ in range(2):
        await scene.agent("One ", "two ", "three.")
        await scene.stage.settle(3.0)
    await scene.rests()


@book.watch(
    80,
    "times-are-those-of-the-message",
    "Times of words count from the start of their message's sound, do not decrease, and all words have them or none.",
    story=_timed,
)
def _times(seen: Witness) -> Iterator[str]:
    messages = [message for message in seen.messages if message.text and message.frames]
    if not messages:
        raise NotExercised("there was no message with words and sound")
    timed = [message for message in messages if any(_starts(text) is not None for _, text in message.text)]
    if not timed:
        raise NotApplicable("its words have no times")
    for message in timed:
        starts = [_starts(text) for _, text in message.text if text.strip()]
        known = [start for start in starts if start is not None]
        if len(known) < len(starts):
            yield "expected times for all words of a message or for none; some have them"
        elif known != sorted(known):
            yield "expected times that do not decrease; they do"
        elif known and message.ended and max(known) > message.seconds + 0.05:
            yield f"expected times within the {message.seconds:.1f} s of the message; saw {max(known):.1f} s"


def _starts(text: str) -> float | None:
    start = text.start_time if isinstance(text, TimedString) else None
    return start if isinstance(start, (int, float)) else None


@book.drill(81, "one-segment-a-message", "Every message is played and transcribed as one segment of its own.")
async def _(scene: Scene) -> None:
    said = ["The first.", "The second.", "The third."]
    async with scene.in_agent_session(sync_transcript=True) as call:
        for words in said:
            await scene.agent(words)
            await scene.stage.settle(1.0)
            await scene.idle(call)
        segments = [text.strip() for text in call.transcript.segments if text.strip()]
        demand(
            len(call.speaker.heard) == 3, f"expected 3 played segments for 3 messages; saw {len(call.speaker.heard)}"
        )
        demand(segments == said, f"expected 3 transcribed segments, each its message; saw {len(segments)} or others")
