"""A whole conversation with everything that can go wrong in it, and nothing of it in any log, error, repr or trace."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
from livekit.agents import llm
from livekit.agents.types import APIConnectOptions

from rtfsm.adapters.livekit import OutOfBandUnsupported
from rtfsm.testing.phonic_server import Call, messages
from rtfsm.testing.virtual_time import run
from rtfsm.trace import Recorder
from tests.adapter.stage import KEY, SOUND, Talk, attentive, frame, spoken, talking, user

SPOKEN = {
    "the user": "quagga", "the assistant": "zanzibar", "words to say": "pelican", "instructions": "walrus",
    "the arguments of a tool": "ocelot", "the output of a tool": "narwhal", "typed words": "axolotl",
    "a system message": "capybara", "the instructions of a reply": "wombat", "a welcome": "platypus",
    "what Phonic says of a tool": "tapir", "a frame that cannot be read": "okapi", "the reason of a close": "dugong",
    "an error that the application raised at a word": "kakapo",
}  # fmt: skip
"""Who says it -> the word, which occurs nowhere else."""


class Everything(logging.Handler):
    """All that is logged, with its extra fields and its tracebacks."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.names: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.names.add(record.name)
        self.lines += [logging.Formatter().format(record), str(record.__dict__)]


@contextmanager
def everything_logged() -> Iterator[Everything]:
    """Every logger at DEBUG, but for the scripted server's: it is in this process, and writes down what it is sent."""
    handler, root, server = Everything(), logging.getLogger(), logging.getLogger("websockets.server")
    known = [logging.getLogger(name) for name in ("rtfsm", "asyncio", "livekit", "livekit.agents", "phonic")]
    levels = [(one, one.level) for one in (root, *known)]
    for one, _ in levels:
        one.setLevel(logging.DEBUG)
    root.addHandler(handler)
    apart = [one for one in known if not one.propagate]
    for one in apart:
        one.addHandler(handler)
    server.disabled = True
    try:
        yield handler
    finally:
        server.disabled = False
        root.removeHandler(handler)
        for one in apart:
            one.removeHandler(handler)
        for one, level in levels:
            one.setLevel(level)


class Seen:
    """What can be shown of a session, in every form that a careless line of code may use."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.shown: list[str] = []
        self.errors: list[BaseException] = []
        self._observed = talk.session.conversation.observe
        talk.session.conversation.observe(lambda step: self.show(step, step.event, step.instance, *step.arm.effects))
        talk.session.on("turn_changed", lambda turn: self.show(turn))
        talk.session.on("tool_call_output_processed", self.show)
        talk.session.on("error", lambda error: self.fail(error.error, error))

    def show(self, *objects: object) -> None:
        self.shown += [form for one in objects for form in (repr(one), str(one), f"{one}")]

    def fail(self, error: BaseException, *around: object) -> None:
        self.errors.append(error)
        self.show(error, error.args, vars(error), *around)

    def look(self) -> None:
        """At everything that holds words."""
        session, line = self._talk.session, self._talk.session._shell.line
        self.show(
            session, self._talk.model, session._shell, line, line.settings, line.accepted, line.settings.options,
            attrs.asdict(session.turn), session.conversation, session._shell.host.requests, line._transport,
            line._codec_state, asyncio.all_tasks(), line._until_ready,
        )  # fmt: skip


async def _fails(talk: Talk, seen: Seen, future: Any) -> None:
    await asyncio.wait([future], timeout=30)
    error = future.exception()
    assert isinstance(error, llm.RealtimeError)
    seen.fail(error)


async def _talks(talk: Talk, seen: Seen) -> None:
    """Everything is said once."""
    await talk.hears(*spoken(SPOKEN["a welcome"]), *user(SPOKEN["the user"]))
    await talk.hears(*spoken("I know ", SPOKEN["the assistant"], finished=False))
    seen.look()
    await talk.hears(*user(None), messages.interrupted_response(f"I know {SPOKEN['the assistant']}"))
    ctx = talk.session.chat_ctx
    ctx.add_message(role="system", content=SPOKEN["a system message"])
    ctx.add_message(role="user", content=SPOKEN["typed words"])
    await talk.session.update_chat_ctx(ctx)
    talk.host.generate_reply(instructions=SPOKEN["the instructions of a reply"])
    await talk.settle(2)
    await talk.hears(*spoken("Yes."))
    talk.host.say(SPOKEN["words to say"])
    await talk.settle()
    await talk.hears(*spoken(SPOKEN["words to say"]))
    await talk.hears(messages.tool_call("c1", "weather", {"city": SPOKEN["the arguments of a tool"]}))
    await talk.host.output(talk.host.owed[0], SPOKEN["the output of a tool"])
    told = SPOKEN["what Phonic says of a tool"]
    await talk.hears(
        messages.tool_call_output_processed("c1", "weather", output=told, error_message=told, parameters={"x": told})
    )
    await talk.hears(*spoken("Sunny."))
    talk.session.push_audio(frame())
    seen.look()


async def _breaks(talk: Talk, seen: Seen) -> None:
    """Everything that can go wrong goes wrong."""
    word = SPOKEN["a frame that cannot be read"]
    for raw in (
        word, f'{{"type":"input_text","text":["{word}"]}}', f'{{"type":"{word}"}}', f'["{word}"]', word.encode(),
        f'{{"type":"audio_chunk","audio":"{word}!","text":"{word}"}}', f'{{"type":"error","error":"{word}"}}',
        f'{{"type":"tool_call","tool_call_id":"x","tool_name":"{word}","parameters":"{word}"}}',
    ):  # fmt: skip
        await talk.call.raw(raw)
        await talk.settle()
    await talk.hears(messages.error(f"the key {KEY} is wrong", code=KEY, param_errors={KEY: KEY}))

    def bug(_: object) -> None:
        raise TypeError("a bug of the application")

    talk.session.on("input_audio_transcription_completed", bug)
    await talk.hears(*user(SPOKEN["an error that the application raised at a word"]))
    await talk.settle(3)
    reply = talk.host.generate_reply(instructions=SPOKEN["the instructions of a reply"])
    await _fails(talk, seen, reply)
    with pytest.raises(OutOfBandUnsupported) as refused:
        talk.session.reply_out_of_band(instructions=SPOKEN["instructions"])
    seen.fail(refused.value)
    with pytest.raises(ValueError, match="external_id") as invalid:
        talk.session.set_external_id("")
    seen.fail(invalid.value)
    await talk.settle(3)
    seen.look()


async def _ends(talk: Talk, seen: Seen) -> None:
    """The connection drops, comes back, and then the key is not taken any more."""
    pending = talk.host.say(SPOKEN["words to say"])
    await talk.settle()
    await talk.call.drop()
    await _fails(talk, seen, pending)
    await talk.until(lambda: len(talk.server.connections) == 2)
    await talk.until_ready()
    await talk.hears(*spoken(SPOKEN["the assistant"], finished=False), messages.audio_chunk(SOUND, "more"))
    await talk.call.close(1011, SPOKEN["the reason of a close"])
    await talk.until(lambda: talk.session.turn.session == "CLOSED")
    late = talk.host.generate_reply(instructions=SPOKEN["the instructions of a reply"])
    await _fails(talk, seen, late)
    seen.look()


async def server(call: Call) -> None:
    await attentive(call)


def test_nothing_that_was_said_and_no_key_is_shown_anywhere(tmp_path: Path) -> None:
    trace = tmp_path / "call.jsonl"

    async def main() -> Seen:
        options: Any = {
            "welcome_message": SPOKEN["a welcome"],
            "conn_options": APIConnectOptions(max_retry=2, retry_interval=0.5, timeout=3.0),
            "refuse": lambda attempt: 401 if attempt > 1 else None,
        }
        async with talking(server, **options) as talk:
            await talk.session.update_instructions(SPOKEN["instructions"])
            seen = Seen(talk)
            with Recorder(trace) as recorder:
                recorder.attach(talk.session.conversation)
                await _talks(talk, seen)
                await _breaks(talk, seen)
                await _ends(talk, seen)
                everything = str([one.received for one in talk.server.connections])
                everything += str([record.message for one in talk.server.connections for record in one.received])
                everything += str([record.message for one in talk.server.connections for record in one.sent])
                everything += str(talk.session.chat_ctx.items)
            unsaid = {"a frame that cannot be read", "the reason of a close", "the output of a tool"}
            for who, word in SPOKEN.items():
                assert who in unsaid or word in everything, f"{who}: {word!r} was never said, so nothing is proved"
        return seen

    with everything_logged() as log:
        seen = run(main())
    assert {"rtfsm", "asyncio"} <= log.names
    assert len(seen.errors) >= 6
    assert {type(error).__name__ for error in seen.errors} >= {"RealtimeError", "ProviderError", "OutOfBandUnsupported"}
    written = trace.read_text(encoding="utf-8")
    assert written.count("\n") > 50
    places = {"a log": "\n".join(log.lines), "an error or a repr": "\n".join(seen.shown), "the trace": written}
    for where, text in places.items():
        assert KEY not in text, f"the key is in {where}"
        for who, word in SPOKEN.items():
            found = text.find(word)
            assert found < 0, f"{word!r}, said by {who}, is in {where}: ...{text[max(0, found - 200) : found + 50]}"
