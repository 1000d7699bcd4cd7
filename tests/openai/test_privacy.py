"""A conversation with much that can go wrong in it, and nothing of it in any log, error or repr."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from livekit.agents import APIConnectOptions, llm

from rtfsm.testing.openai_server import messages
from rtfsm.testing.virtual_time import run
from tests.adapter.test_privacy import Everything, everything_logged
from tests.openai.stage import KEY, Talk, talking

SPOKEN = {
    "the user": "quagga", "the assistant": "zanzibar", "instructions": "walrus", "the arguments of a tool": "ocelot",
    "the output of a tool": "narwhal", "typed words": "axolotl", "a remark": "capybara",
    "the instructions of a reply": "wombat", "a frame that cannot be read": "okapi", "an item that is refused": "tapir",
    "a raw event": "platypus", "a late answer": "dugong",
}  # fmt: skip
"""Who says it -> the word, which occurs nowhere else."""


async def _everything(talk: Talk, shown: list[str]) -> None:
    session, say = talk.session, SPOKEN
    session.conversation.observe(lambda step: shown.append(f"{step!r} {step.event!r} {step.arm.effects!r}"))
    session.on("turn_changed", lambda turn: shown.append(repr(turn)))
    session.on("error", lambda error: shown.append(f"{error!r} {error.error!r}"))
    await session.update_instructions(say["instructions"])
    await talk.pushes(
        llm.ChatMessage(role="user", content=[say["typed words"]]),
        llm.ChatMessage(role="system", content=[say["a remark"]]),
    )
    item = await talk.user(say["the user"])
    response = await talk.answered()
    await talk.says(response, say["the assistant"])
    await response.call_tool("weather", {"city": say["the arguments of a tool"]}, call_id="call")
    await response.call_tool("weather", '{"city": "' + say["the arguments of a tool"])
    await response.done()
    await talk.call.transcribe(item, say["the user"])
    await talk.settle()
    result = llm.FunctionCallOutput(call_id="call", name="weather", output=say["the output of a tool"], is_error=False)
    await talk.pushes(result)
    talk.host.generate_reply(instructions=say["the instructions of a reply"])
    answer = await talk.answered()
    await talk.says(answer, say["the assistant"], closes=False)
    await talk.call.user_starts()
    await talk.settle()
    for frame in ('{"type": "?", "x": "%s"}', '{"%s', '{"type": "response.done", "x": "%s"}', '{"type": 1, "%s": 1}'):
        await talk.call.raw(frame % say["a frame that cannot be read"])
    talk.call.hold("conversation.item.create", "response.create", "response.cancel")
    refused = asyncio.ensure_future(talk.pushes(llm.ChatMessage(role="user", content=[say["an item that is refused"]])))
    await talk.settle()
    await talk.call.reject(talk.sent("conversation.item.create")[-1], say["an item that is refused"])
    await refused
    session.send_event({"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [
        {"type": "input_text", "text": say["a raw event"]}]}})  # fmt: skip
    talk.host.generate_reply()
    await talk.settle(10.5)
    metadata = talk.sent("response.create")[-1]["response"]["metadata"]
    await talk.call.send(messages.response_created(messages.response("late", conversation_id="c", metadata=metadata)))
    await talk.call.send(messages.audio_transcript_delta("late", "m", 0, say["a late answer"]))
    await talk.settle(0.1)
    shown.append(repr([session, session.conversation, session._shell, session._options, talk.model]))
    await talk.call.drop()
    await talk.until_ready()


def test_nothing_that_was_said_and_no_key_is_shown_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    shown: list[str] = []
    logged = Everything()

    async def main() -> None:
        nonlocal logged
        servers = [logging.getLogger(name) for name in ("rtfsm.testing.websocket", "websockets.server")]
        with everything_logged() as handler:
            for one in servers:
                one.disabled = True
            logged = handler
            quick: dict[str, Any] = {"conn_options": APIConnectOptions(retry_interval=0.5)}
            try:
                async with talking(**quick) as talk:
                    await _everything(talk, shown)
            finally:
                for one in servers:
                    one.disabled = False

    run(main())
    text = "\n".join([*shown, *logged.lines])
    assert "rtfsm" in logged.names
    assert len(shown) > 50
    assert [who for who, word in SPOKEN.items() if word in text] == []
    assert KEY not in text
