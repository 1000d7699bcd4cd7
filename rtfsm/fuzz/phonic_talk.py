"""What Phonic may say next, and how its frames look. Protocol: Phonic SDK 0.32."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rtfsm.testing.phonic_server import messages
from rtfsm.testing.phonic_server.messages import Message

from .dialect import KEY
from .meaning import NOTHING, QUIET, Meaning
from .moves import ODD, Move, Pick

__all__ = ["ABOUT_CALLS", "GARBAGE", "KINDS", "PhonicTalk", "frame_of", "means", "message_of"]

RATE = 24_000
LENGTHS = (20, 200, 1000, 0)
"""Milliseconds of sound in a chunk."""
WORDS = ((5, "w{} "), (1, ""), (2, "w{}"), (2, " "))
"""What a chunk says: mostly a word with the blank behind it; or nothing, a word alone, or the blank between two."""
ABOUT_CALLS = ("tool_call_interrupted", "tool_call_output_processed")
KINDS = (
    "conversation_created", "ready_to_start_conversation", "user_started_speaking", "user_finished_speaking",
    "input_text", "input_cancelled", "assistant_started_speaking", "audio_chunk", "assistant_finished_speaking",
    "interrupted_response", "tool_call", *ABOUT_CALLS, "assistant_chose_not_to_respond", "dtmf", "error", "warning",
    "assistant_ended_conversation",
)  # fmt: skip
GARBAGE: Mapping[str, str | bytes] = {
    "an object without a type": "{}",
    "null": "null",
    "a list": "[]",
    "a number": "7",
    "no JSON": "not JSON",
    "an empty frame": "",
    "a binary frame": b"\x00\xff\x7b",
    "an unknown type": '{"type": "brand_new", "text": "hm"}',
    "a type that is a number": '{"type": 7}',
    "nested a thousand deep": "[" * 1000 + "]" * 1000,
}


class PhonicTalk:
    """One conversation as Phonic means it. See the protocol :class:`Talk`."""

    def __init__(self, *, begun: bool) -> None:
        self._created = self._ready = begun
        self._agent = self._user = self._heard = self._cut = False
        self._turn: list[str] = []
        self._withdrawn: list[str] = []
        self._calls: list[str] = []
        self._over: list[str] = []
        self._words = 0
        self._made = 0
        self.ended = False

    def next(self) -> Sequence[tuple[int, str]]:
        if not self._created:
            return [(9, "conversation_created"), (1, "error")]
        if not self._ready:
            return [(9, "ready_to_start_conversation"), (1, "error")]
        found = [(1, "warning"), (1, "error"), (1, "assistant_ended_conversation"), (1, "dtmf")]
        if self._user:
            found += [(5, "user_finished_speaking"), (1, "input_cancelled")]
        else:
            found += [(4, "user_started_speaking")]
        if self._cut:
            found += [(4, "interrupted_response")]
        if self._agent:
            found += [(9, "audio_chunk"), (4, "assistant_finished_speaking"), (4, "tool_call")]
        elif not self._user:
            found += [(6, "assistant_started_speaking"), (3, "tool_call")]
        if self._heard:
            found += [(6, "input_text"), (2, "assistant_chose_not_to_respond")]
        if self._calls:
            found += [(3, "tool_call_output_processed"), (2, "tool_call_interrupted")]
            found += [(2, "assistant_chose_not_to_respond")]
        return found

    def make(self, kind: str, pick: Pick) -> Move:
        if kind == "audio_chunk":
            self._words += 1
            words = pick.weighted(WORDS).format(self._words)
            return _server(kind, text=words, ms=pick.of(LENGTHS))
        if kind == "input_text":
            return _server(kind, text=pick.of(("what I say", "", "more of it")))
        if kind == "interrupted_response":
            return _server(kind, text="".join(self._turn[: pick.below(len(self._turn) + 1)]))
        if kind == "tool_call":
            self._made += 1
            parameters = {"city": pick.of(("Rome", "Oslo")), "days": self._made}
            return _server(kind, tool_call_id=f"call_{self._made}", tool_name="weather", parameters=parameters)
        if kind in ABOUT_CALLS:
            known = self._calls or self._over or ["call_0"]
            return _server(kind, tool_call_id=pick.of(known), tool_name="weather")
        if kind == "error":
            return _server(kind, message=pick.of(("something was wrong", f"{KEY} may not do that")), code="careful")
        return _server(kind, **_ARGS.get(kind, {}))

    def stale(self, kind: str, pick: Pick) -> Move | None:
        if kind not in ("tool_call", *ABOUT_CALLS):
            return None
        move = self.make(kind, pick)
        return _server(kind, **{**move.args, "tool_call_id": pick.of((*self._over, "call_0"))})

    def said(self, move: Move) -> None:
        kind, args = move.what, move.args
        if any(odd in args for odd in ODD):
            return
        if kind == "conversation_created":
            self._created = True
        elif kind == "ready_to_start_conversation":
            self._ready = True
        elif kind == "user_started_speaking":
            self._cut = self._cut or self._agent or bool(self._turn)
            self._user = True
        elif kind in ("user_finished_speaking", "input_cancelled"):
            self._heard = self._heard or (self._user and kind == "user_finished_speaking")
            self._user = False
        elif kind == "input_text":
            self._heard = False
        elif kind == "assistant_started_speaking":
            self._agent, self._cut, self._turn = True, False, []
        elif kind == "audio_chunk":
            text = str(args.get("text", ""))
            if text and self._agent:  # without its bracket nobody knows to which turn a chunk belongs
                self._turn.append(text)
            self._withdrawn = [word for word in self._withdrawn if word.strip() != text.strip()]  # said again
        elif kind == "assistant_finished_speaking":
            self._agent = False
        elif kind == "interrupted_response":
            spoken = str(args.get("text", ""))
            # Said again, and otherwise: what counts is what was said last.
            self._withdrawn = [word for word in self._withdrawn if word.strip() not in spoken.split()]
            if self._cut:
                self._withdrawn += [word for word in self._turn if word not in spoken]
            self._agent = self._cut = False
        elif kind == "tool_call":
            self._calls.append(str(args.get("tool_call_id")))
        elif kind in ABOUT_CALLS and args.get("tool_call_id") in self._calls:
            self._calls.remove(args["tool_call_id"])
            self._over.append(args["tool_call_id"])
        elif kind == "assistant_ended_conversation":
            self.ended = True

    def exchange(self, pick: Pick) -> Sequence[Move]:
        if not self._ready or self._user or self._agent:
            return ()
        if pick.chance(3):
            return [_server("user_started_speaking"), _server("user_finished_speaking"), self.make("input_text", pick)]
        chunks = [self.make("audio_chunk", pick) for _ in range((1, 3, 2, 4)[pick.below(4)])]
        if pick.chance(2):
            chunks.insert(1 + pick.below(len(chunks)), Move("time", "passes", {"seconds": pick.of((1.2, 0.3))}))
        return [_server("assistant_started_speaking"), *chunks, _server("assistant_finished_speaking")]

    def last_words(self) -> Sequence[Move]:
        found = []
        if self._user:
            found += [_server("user_finished_speaking"), _server("input_text", text="the end")]
        if self._agent:
            found.append(_server("assistant_finished_speaking"))
        return found

    def whole_turn(self, words: str) -> Sequence[Move]:
        return [
            _server("assistant_started_speaking"),
            _server("audio_chunk", text=words, ms=200),
            _server("assistant_finished_speaking"),
        ]

    def withdrawn_words(self) -> Sequence[str]:
        return self._withdrawn


_ARGS: Mapping[str, Mapping[str, Any]] = {
    "conversation_created": {"conversation_id": "conv_fuzz"},
    "dtmf": {"digits": "1#"},
    "warning": {"message": "take care", "code": "careful"},
}


def _server(kind: str, **args: Any) -> Move:
    return Move("server", kind, args)


_MEANS: Mapping[str, Meaning] = {
    "assistant_started_speaking": Meaning("begins"),
    "assistant_finished_speaking": Meaning("ends"),
    "user_started_speaking": Meaning("user begins"),
    "user_finished_speaking": Meaning("user ends"),
    "input_cancelled": Meaning("user ends"),
    "dtmf": QUIET,
    "warning": QUIET,
    "error": QUIET,
}


def means(move: Move) -> Meaning:
    """See the protocol :class:`Dialect`."""
    kind, args = move.what, move.args
    if kind == "audio_chunk":
        return Meaning("says", words=str(args["text"]), seconds=args["ms"] / 1000)
    if kind == "input_text":
        return Meaning("hears", words=str(args["text"]))
    if kind == "tool_call":
        return Meaning("calls", args["tool_call_id"], name=args["tool_name"], arguments=args["parameters"])
    if kind in ABOUT_CALLS:
        return Meaning("call over", args["tool_call_id"])
    return _MEANS.get(kind, NOTHING)


def message_of(move: Move) -> Message | None:
    """The message that a move says, bent as it says; None for what is no message.

    Besides a message's own arguments: ``bent`` (values that take the place of fields) and ``without`` (a field that
    is left out).
    """
    if move.what == "garbage":
        return None
    args = {name: value for name, value in move.args.items() if name not in ODD}
    message = _sounding(**args) if move.what == "audio_chunk" else _BUILDERS[move.what](**args)
    if "bent" in move.args:
        message = {**message, **move.args["bent"]}
    if "without" in move.args:
        message = {name: value for name, value in message.items() if name != move.args["without"]}
    return message


def frame_of(move: Move) -> str | bytes:
    """The frame that a move says. ``cut``: how much of it is left, from 0 to 1."""
    if move.what == "audio_chunk" and not any(odd in move.args for odd in ODD):
        # Encoding a second of sound takes longer than the client takes to play it.
        return (
            f'{{"type": "audio_chunk", "audio": "{_sound(move.args["ms"])}", "text": {json.dumps(move.args["text"])}}}'
        )
    message = message_of(move)
    frame = GARBAGE[move.args["name"]] if message is None else json.dumps(message)
    return frame[: int(len(frame) * move.args["cut"])] if "cut" in move.args else frame


@functools.lru_cache(maxsize=16)
def _sound(ms: int) -> str:
    return str(messages.audio_chunk(b"\1\0" * (RATE * ms // 1000))["audio"])


def _sounding(text: str, ms: int) -> Message:
    return {"type": "audio_chunk", "audio": _sound(ms), "text": text}


_BUILDERS: Mapping[str, Callable[..., Message]] = {kind: getattr(messages, kind) for kind in KINDS}
