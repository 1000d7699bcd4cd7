"""Clauses 35, 40 to 42 and 74 to 76: the user's side."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

from .probe import Book, NotExercised, demand
from .scene import Scene, frame
from .witness import Witness

__all__ = ["book"]

book = Book()


async def _speaking(scene: Scene) -> None:
    await scene.begins()
    await scene.user()
    await scene.agent("Words.")
    await scene.stage.user_starts()
    await scene.stage.user_takes_it_back()
    await scene.rests()
    await scene.stage.user_starts()
    await scene.stage.settle()
    await scene.stage.drops(for_good=False)
    await scene.rests()


@book.watch(
    35,
    "the-user-falls-silent",
    "Every input_speech_started is followed by an input_speech_stopped, at the latest with the connection.",
    story=_speaking,
)
def _silent(seen: Witness) -> Iterator[str]:
    turns = [told.name for told in seen.told if told.name.startswith("input_speech_")]
    if "input_speech_started" not in turns or not seen.over:
        raise NotExercised("the user did not speak, or it is not over")
    if any(not getattr(told.event, "recoverable", True) for told in seen.named("error")):
        return  # the session is at its end
    if turns[-1] == "input_speech_started":
        yield "expected an input_speech_stopped after the last input_speech_started; the user is left speaking"


@book.drill(40, "interim-transcripts-accumulate", "An interim transcript holds all of the turn so far.")
async def _(scene: Scene) -> None:
    await scene.begins()
    await scene.stage.user_starts()
    parts = ["what", "what is", "what is new"]
    for text in parts:
        await scene.stage.user_says(text, final=False)
    await scene.stage.settle()
    told = [one.event for one in scene.witness.named("input_audio_transcription_completed")]
    interim = [event.transcript.strip() for event in told if not event.is_final]
    demand(interim, "expected interim transcripts; saw none")
    demand(interim[-1] == parts[-1], "expected the last interim transcript to hold all of the turn; it holds a part")
    demand(len({event.item_id for event in told}) == 1, "expected one item for one turn; saw several")


async def _transcribed(scene: Scene) -> None:
    await scene.begins()
    await scene.user("The first.")
    await scene.agent("Words.")
    await scene.user("The second.")
    await scene.user("The second.")
    await scene.user("")
    await scene.stage.user_says("Said outside a turn.")
    await scene.rests()


@book.watch(
    41,
    "one-final-transcript-an-item",
    "Every item of the user's has exactly one final transcript, and none is empty.",
    story=_transcribed,
    needs=lambda can: "" if can.user_transcription else "user_transcription is off: it transcribes nothing",
)
def _one_final(seen: Witness) -> Iterator[str]:
    told = [one.event for one in seen.named("input_audio_transcription_completed")]
    finals = Counter(event.item_id for event in told if event.is_final)
    if not finals:
        raise NotExercised("there was no final transcript")
    if max(finals.values()) > 1:
        yield "expected one final transcript an item; one item has several"
    if any(event.is_final and not event.transcript.strip() for event in told):
        yield "expected no empty final transcript; there is one"
    if seen.over and any(event.item_id not in finals for event in told):
        yield "expected a final transcript for every item; one has interim transcripts alone"


@book.drill(
    42,
    "a-late-transcript-knows-its-turn",
    "A transcript that comes after the answer began says when its turn began.",
    needs=lambda can: "" if can.user_transcription else "user_transcription is off: it transcribes nothing",
)
async def _(scene: Scene) -> None:
    await scene.begins()
    await scene.stage.settle(1.0)
    began = time.time()
    await scene.stage.user_starts()
    await scene.stage.settle(1.0)
    await scene.stage.user_stops()
    await scene.stage.settle(1.0)
    await scene.agent("An answer.")
    await scene.stage.settle(1.0)
    await scene.stage.user_says("The question.")
    await scene.stage.settle()
    told = scene.witness.named("input_audio_transcription_completed")
    demand(told, "expected the late transcript to be told; it was not")
    said = told[-1].event.turn_started_at
    demand(said is not None, "expected turn_started_at in a late transcript; it is missing")
    demand(
        abs(said - began) < 0.5, f"expected turn_started_at to be the onset of speech; it is {said - began:+.1f} s off"
    )


@book.drill(
    74,
    "committing-asks-for-nothing",
    "commit_audio() does not ask for a response by itself.",
    needs=lambda can: "" if not can.turn_detection else "turn_detection is on: the host never commits",
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    session.push_audio(frame(200))
    session.commit_audio()
    await scene.stage.settle(2.0)
    demand(not scene.stage.requests, "expected commit_audio() to ask for nothing; a response was requested")
    request = scene.asks()
    await scene.provider_got(1)
    await scene.agent("An answer.", asked=True)
    demand(request.answer is not None, "expected generate_reply() to be answered after the commit; it was not")


@book.drill(75, "user-activity-is-cheap", "start_user_activity() can come hundreds of times and changes nothing.")
async def _(scene: Scene) -> None:
    session = await scene.begins()
    await scene.agent("Some ", finishes=False)
    told, tasks = len(scene.witness.told), len(asyncio.all_tasks())
    for _ in range(300):
        session.start_user_activity()
    grown = len(asyncio.all_tasks()) - tasks
    demand(grown < 10, f"expected start_user_activity() to be cheap; 300 calls left {grown} tasks")
    await scene.stage.agent_says("words.")
    await scene.stage.agent_finishes()
    await scene.stage.settle()
    demand(scene.last.words == "Some words.", "expected the answer to go on; it was cut")
    demand(len(scene.witness.told) - told < 10, "expected nothing to be told; something was")


@book.drill(
    76,
    "clearing-audio-costs-no-more",
    "clear_audio() works in every state, cuts no answer, and what is said afterwards arrives.",
)
async def _(scene: Scene) -> None:
    session = scene.opens()
    session.clear_audio()
    await scene.configures()
    await scene.runs()
    session.clear_audio()
    await scene.agent("Some ", finishes=False)
    session.clear_audio()
    await scene.stage.agent_says("words.")
    await scene.stage.agent_finishes()
    await scene.stage.settle()
    demand(scene.last.words == "Some words.", "expected the answer to go on; it was cut")
    heard = scene.stage.heard
    for _ in range(50):
        session.push_audio(frame())
    await scene.stage.settle()
    demand(scene.stage.heard - heard > 0.9, "expected what is said after clear_audio() to arrive; it did not")
    await scene.witness.close()
    session.clear_audio()
