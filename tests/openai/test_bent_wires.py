"""A whole conversation whose frames are lost, doubled, late or garbage, or whose connection breaks, at every point."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from livekit.agents import llm

from rtfsm.testing.openai_server import messages
from rtfsm.testing.virtual_time import run
from tests.openai.test_between_steps import Play

Message = dict[str, Any]
SOUND = b"\1\0" * 480


def _item(id: str, role: str, **more: Any) -> Message:
    return {"id": id, "type": "message", "role": role, "content": [], **more}


def _says(response: str, message: str, *words: str) -> Iterator[Message]:
    yield messages.output_item_added(response, 0, _item(message, "assistant"))
    yield messages.item_added(_item(message, "assistant"))
    for word in words:
        yield messages.audio_transcript_delta(response, message, 0, word)
        yield messages.audio_delta(response, message, 0, SOUND)
    yield messages.output_item_done(response, 0, _item(message, "assistant", status="completed"))


def conversation() -> list[Message]:
    """The user asks; a preamble, an answer and two calls; the user cuts the next response; one is asked beside it."""
    call = {"type": "function_call", "status": "completed", "name": "weather", "arguments": "{}"}
    return [
        messages.speech_started("u1"),
        messages.speech_stopped("u1"),
        messages.item_added(_item("u1", "user")),
        messages.response_created(messages.response("r1", conversation_id="c")),
        messages.transcription_delta("u1", "What"),
        *_says("r1", "m1", "One ", "moment."),
        messages.transcription_completed("u1", "What time?"),
        *_says("r1", "m2", "I look."),
        messages.output_item_done("r1", 2, {"id": "f1", "call_id": "c1", **call}),
        messages.output_item_done("r1", 3, {"id": "f2", "call_id": "c2", **call}),
        messages.response_done(messages.response("r1", "completed")),
        messages.response_created(messages.response("r2", conversation_id="c")),
        *_says("r2", "m3", "It is ", "noon."),
        *list(_says("r2", "m4", "And ", "now"))[:-1],
        messages.speech_started("u2"),
        messages.audio_transcript_delta("r2", "m4", 0, "late"),
        messages.output_item_done("r2", 1, _item("m4", "assistant", status="incomplete")),
        messages.response_done(
            messages.response("r2", "cancelled", status_details={"type": "cancelled", "reason": "turn_detected"})
        ),
        messages.speech_stopped("u2"),
        messages.item_added(_item("u2", "user")),
        messages.transcription_completed("u2", "Stop."),
        messages.error("something was wrong", code="careful"),
    ]


FRAMES = conversation()


async def _outputs(play: Play) -> None:
    """The host answers what it was handed."""
    play.host.read()
    context = play.session.chat_ctx
    known = {item.call_id for item in context.items if isinstance(item, llm.FunctionCallOutput)}
    for call in play.host.owed:
        if call.call_id not in known:
            context.items.append(
                llm.FunctionCallOutput(call_id=call.call_id, name=call.name, output="sunny", is_error=False)
            )
    if len(context.items) > len(play.session.chat_ctx.items):
        pushing = asyncio.ensure_future(play.session.update_chat_ctx(context))
        await asyncio.sleep(0)
        for item in context.items[-2:]:
            if play.session.turn.session == "READY":
                play.wire.deliver(messages.item_added({"id": item.id, "type": "function_call_output"}))
        await pushing


async def _plays(frames: list[Message | str | None], *, trusted: bool) -> None:
    """None stands for a loss, after which the next connection is accepted."""
    play = Play(trusted=trusted)
    await play.begin()
    for frame in frames:
        if frame is None:
            play.wire.lose(1006)
            play.host.check()
            await asyncio.sleep(3.0)
            play.wire.accept()
        else:
            play.wire.deliver(frame)
        await asyncio.sleep(0)
        play.host.check()
    await _outputs(play)
    await asyncio.sleep(0.1)
    # Whatever happened: the next turn is whole, and ends.
    play.wire.created("next")
    play.wire.words("next", "last", "Still here.")
    play.wire.done("next")
    await asyncio.sleep(0)
    play.host.check()
    assert play.host.generations[-1].text == "Still here."
    assert play.host.generations[-1].sealed
    calls = [call.call_id for call in play.host.owed]
    assert len(set(calls)) == len(calls)
    ids = [item.id for item in play.session.chat_ctx.items]
    assert len(set(ids)) == len(ids)
    await play.end()


Bend = Callable[[int], list[Any]]
BENDS: dict[str, Bend] = {
    "lost": lambda at: [*FRAMES[:at], *FRAMES[at + 1 :]],
    "doubled": lambda at: [*FRAMES[:at], FRAMES[at], *FRAMES[at:]],
    "late by one": lambda at: [*FRAMES[:at], *FRAMES[at + 1 : at + 2], FRAMES[at], *FRAMES[at + 2 :]],
    "late by five": lambda at: [*FRAMES[:at], *FRAMES[at + 1 : at + 6], FRAMES[at], *FRAMES[at + 6 :]],
    "cut in the middle": lambda at: [*FRAMES[:at], json.dumps(FRAMES[at])[:-9], *FRAMES[at + 1 :]],
    "without its ids": lambda at: [*FRAMES[:at], {"type": FRAMES[at]["type"]}, *FRAMES[at + 1 :]],
    "a break": lambda at: [*FRAMES[:at], None, *FRAMES[at:]],
}


@pytest.mark.parametrize(("bend", "trusted"), [*((bend, True) for bend in BENDS), ("lost", False), ("a break", False)])
def test_a_conversation_survives_each_frame(bend: str, trusted: bool) -> None:
    async def main() -> None:
        for at in range(0, len(FRAMES), 1 if bend in ("lost", "a break") else 2):
            try:
                await _plays(BENDS[bend](at), trusted=trusted)
            except Exception as error:
                raise AssertionError(f"{bend} at {at}, {FRAMES[at]['type']}: {error}") from error

    run(main())


def test_the_conversation_as_it_should_be() -> None:
    async def main() -> None:
        play = Play()
        await play.begin()
        for frame in FRAMES:
            play.wire.deliver(frame)
            await asyncio.sleep(0)
            play.host.check()
        texts = [[message.text for message in one.messages] for one in play.host.generations]
        assert texts == [["One moment.", "I look."], ["It is noon.", "And now"]]
        assert [call.id for call in play.host.owed] == ["f1", "f2"]
        assert [item.id for item in play.session.chat_ctx.items][:3] == ["u1", "m1", "m2"]
        await play.end()

    run(main())
