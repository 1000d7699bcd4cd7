"""An ordering told step by step: what was done, what the client sent, and what the host saw of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from rtfsm.testing.contract.seen import SeenGeneration

from .laws import Case
from .moves import Move

__all__ = ["Narrator"]


class Narrator:
    """To be given to ``play`` as its ``watch``; ``lines`` is the story so far.

    Words are shown: they are the fuzzer's own, and nobody's speech.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._began: float | None = None
        self._sent: dict[int, int] = {}
        self._told: dict[int, int] = {}
        self._known: dict[str, str] = {}
        self._ends = iter(("at rest, two minutes later", "closed"))

    def __call__(self, move: Move | None, case: Case) -> None:
        now = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = now
            self.lines.append("        the session is opened and configured")
        self.lines += (f"              {line}" for line in self._news(case))
        if move is None:
            self.lines.append(f"{now - self._began:8.3f}  {next(self._ends, 'later')}")
        else:
            self.lines.append(f"{now - self._began:8.3f}  {case.step + 1:2}  {move}")

    def _news(self, case: Case) -> Iterator[str]:
        several = len(case.host.witnesses) > 1
        for number, connection in enumerate(case.wire.connections):
            frames = list(connection.frames)
            new, self._sent[number] = frames[self._sent.get(number, 0) :], len(frames)
            place = f" on connection {number}" if len(case.wire.connections) > 1 else ""
            for kind, group in groupby(new):
                count = len(list(group))
                often = f" {count} times" if count > 1 else ""
                yield f"the client sends {kind}{often}{place}"
        for number, witness in enumerate(case.host.witnesses):
            who = f"session {number} " if several else "the session "
            told = witness.told[self._told.get(number, 0) :]
            self._told[number] = len(witness.told)
            for one in told:
                yield f"{who}tells {one.name}{_about(one.name, one.event)}"
            for nth, generation in enumerate(witness.generations):
                yield from self._changed(f"{who if several else ''}generation {nth}:", _heard(generation))
            for nth, request in enumerate(witness.requests):
                yield from self._changed(f"{who if several else ''}{request.kind} {nth}", _outcome(request))

    def _changed(self, what: str, now: str) -> Iterator[str]:
        if self._known.get(what) != now:
            self._known[what] = now
            yield f"{what} {now}"


def _about(name: str, event: Any) -> str:
    if name == "generation_created":
        return " (asked for)" if getattr(event, "user_initiated", False) else ""
    if name == "error":
        error = type(getattr(event, "error", None)).__name__
        return f" ({error}, {'goes on' if getattr(event, 'recoverable', True) else 'ends the session'})"
    return ""


def _heard(generation: SeenGeneration) -> str:
    parts = []
    for message in generation.messages:
        parts.append(f"{message.words.strip()!r} and {message.seconds * 1000:.0f} ms of sound")
    parts += [f"a call of {call.name} as {call.call_id}" for _, call in generation.calls]
    if not generation.read:
        return "not read yet"
    return f"{', '.join(parts) or 'nothing yet'}{'; it has ended' if generation.ended else '; open'}"


def _outcome(request: Any) -> str:
    future = request.future
    if not future.done():
        return "waits for its answer"
    if future.cancelled():
        return "is cancelled"
    error = future.exception()
    return "has its answer" if error is None else f"fails with {type(error).__name__}"
