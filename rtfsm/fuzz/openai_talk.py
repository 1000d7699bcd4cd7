"""What OpenAI's Realtime API may say next. Protocol: the openai SDK 3.52, general availability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from .dialect import KEY
from .meaning import NOTHING, QUIET, Meaning
from .moves import Move, Pick

__all__ = ["ABOUT_ANSWERS", "ARGUMENTS", "GARBAGE", "HELD", "KINDS", "OpenAITalk", "means"]

LENGTHS = (20, 200, 1000, 0)
"""Milliseconds of sound in a delta."""
PIECES = ('{"city": "R', 'ome"}')
ARGUMENTS = "".join(PIECES)
HELD = ("conversation.item.create", "session.update", "conversation.item.delete", "conversation.item.truncate")
"""Events of the client's whose answers may be late, or an error."""
ABOUT_ANSWERS = ("answers.held", "answers.sent", "answers.refused")
"""The server answers what the client changes by itself. These have it wait, go on, and say no to what has waited."""
USER = (
    "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
    "input_audio_buffer.timeout_triggered", "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.completed", "conversation.item.input_audio_transcription.failed",
)  # fmt: skip
ITEMS = (
    "conversation.item.added", "conversation.item.done", "conversation.item.truncated", "conversation.item.retrieved",
)  # fmt: skip
OUTPUT = (
    "response.output_item.added", "response.content_part.added", "response.output_audio_transcript.delta",
    "response.output_audio.delta", "response.output_text.delta", "response.function_call_arguments.delta",
    "response.output_audio.done", "response.output_audio_transcript.done", "response.output_text.done",
    "response.function_call_arguments.done", "response.content_part.done", "response.output_item.done",
)  # fmt: skip
KINDS = (
    "session.created", "session.updated", *USER, "input_audio_buffer.cleared", *ITEMS, "response.created", *OUTPUT,
    "response.done", "rate_limits.updated", "error", *ABOUT_ANSWERS,
)  # fmt: skip
ABOUT_NOTHING = (
    "session.created", "session.updated", "input_audio_buffer.cleared", "rate_limits.updated", *ABOUT_ANSWERS
)  # fmt: skip
GARBAGE: Mapping[str, str | bytes] = {
    "an object without a type": "{}",
    "null": "null",
    "a list": "[]",
    "a number": "7",
    "no JSON": "not JSON",
    "an empty frame": "",
    "a binary frame": b"\x00\xff\x7b",
    "an unknown type": '{"type": "response.brand_new.delta", "delta": "hm"}',
    "a type that is a number": '{"type": 7}',
    "nested a thousand deep": "[" * 1000 + "]" * 1000,
}
ERRORS = (
    {"message": "something was wrong", "code": "invalid_value"},
    {"message": f"{KEY} may not do that", "code": "invalid_value"},
    {"message": "Cancellation failed: no active response found", "code": "response_cancel_not_active"},
    {"message": "the server had an error", "code": None, "type": "server_error"},
)
FATAL = {"message": "You exceeded your current quota", "code": "insufficient_quota", "type": "insufficient_quota"}
"""Nothing will be answered from here on."""

_BEGINS = {
    "spoken": ("conversation.item.added", "response.content_part.added"),
    "written": ("conversation.item.added", "response.content_part.added"),
    "call": ("conversation.item.added",),
}
_GOES_ON = {
    "spoken": ("response.output_audio_transcript.delta", "response.output_audio.delta"),
    "written": ("response.output_text.delta",),
    "call": ("response.function_call_arguments.delta",),
}
_ENDS = {
    "spoken": ("response.output_audio.done", "response.output_audio_transcript.done", "response.content_part.done"),
    "written": ("response.output_text.done", "response.content_part.done"),
    "call": ("response.function_call_arguments.done",),
}
_LAST = ("response.output_item.done", "conversation.item.done")


@attrs.define
class _Item:
    """An output item. of: its response. sort: ``spoken``, ``written`` or ``call``. todo: what is still to be said of
    it, in order, words and sound left out."""

    id: str
    of: str
    sort: str
    index: int
    todo: list[str]
    pieces: int = 0

    @property
    def open(self) -> bool:
        """Words, sound or arguments may come."""
        return self.todo[:1] == [_ENDS[self.sort][0]]

    @property
    def call(self) -> str:
        """The id of the call that it is."""
        return f"call_{self.id}"

    @property
    def args(self) -> dict[str, Any]:
        where = {"response_id": self.of, "item_id": self.id, "index": self.index}
        return {**where, "call_id": self.call} if self.sort == "call" else where


@attrs.define
class _Response:
    """aside: out of band, in no conversation. doomed: it will end in another way than as completed."""

    id: str
    aside: bool
    items: list[_Item] = attrs.field(factory=list)
    doomed: str = ""

    @property
    def item(self) -> _Item | None:
        """The item that is not yet over."""
        return self.items[-1] if self.items and self.items[-1].todo else None


@attrs.define
class _Turn:
    """A turn of the user's. todo: what is still to be said of it, in order."""

    id: str
    todo: list[str] = attrs.field(
        factory=lambda: [
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
        ]
    )
    transcribed: bool = False


_NOBODY = _Turn("item_0")
_NOTHING = _Response("resp_0", False)
_NO_ITEM = _Item("item_0", "resp_0", "spoken", 0, [])
_NO_CALL = _Item("item_0", "resp_0", "call", 0, [])


class OpenAITalk:
    """One conversation as the service means it. See the protocol :class:`Talk`.

    number: how many there were before it, which is part of every id and of every word.
    """

    def __init__(self, *, begun: bool, number: int) -> None:
        self.ended = False
        self._created = self._updated = begun
        self._number = number
        self._made = 0
        self._active: _Response | None = None
        self._aside: list[_Response] = []
        self._over: list[_Response] = []
        self._turns: list[_Turn] = []
        self._held = False
        self._interim: list[str] = []
        """Messages of the user's of which words were told, and not yet all."""

    # -- what may come ---------------------------------------------------------------------------------------------

    def next(self) -> Sequence[tuple[int, str]]:
        if not self._created:
            return [(9, "session.created"), (1, "error")]
        if not self._updated:
            return [(9, "session.updated"), (1, "error")]
        found = [(1, "rate_limits.updated"), (1, "error"), (1, "answers.sent" if self._held else "answers.held")]
        if self._held:
            found.append((1, "answers.refused"))
        turn = self._turns[-1] if self._turns else None
        if turn is not None and turn.todo:
            found.append((9, turn.todo[0]))
        else:
            found.append((4, "input_audio_buffer.speech_started"))
        if self._heard:
            found += [(2, USER[-3]), (3, USER[-2]), (1, USER[-1])]
        if self._active is None and (turn is None or len(turn.todo) < 3):
            found.append((8, "response.created"))
        for response in self._live:
            found += self._goes_on(response)
        return found

    def _goes_on(self, response: _Response) -> Sequence[tuple[int, str]]:
        item = response.item
        if item is None:
            more = [] if response.doomed else [(7, "response.output_item.added")]
            return [*more, (5, "response.done")]
        if not item.open:
            return [(9, item.todo[0])]
        return [*((5, kind) for kind in _GOES_ON[item.sort]), (5, item.todo[0])]

    @property
    def _live(self) -> Sequence[_Response]:
        return [*([self._active] if self._active is not None else []), *self._aside]

    @property
    def _heard(self) -> Sequence[_Turn]:
        """Turns whose words may be told, again perhaps."""
        return [turn for turn in self._turns if "input_audio_buffer.committed" not in turn.todo][-3:]

    # -- saying ----------------------------------------------------------------------------------------------------

    def make(self, kind: str, pick: Pick) -> Move:
        return _server(kind, **self._args(kind, pick, self._live, self._turns))

    def stale(self, kind: str, pick: Pick) -> Move | None:
        if kind in (*ABOUT_NOTHING, "response.created", USER[0]):
            return None
        if kind == "error":
            return _server(kind, **ERRORS[0], event_id="event_unknown")
        past = [turn for turn in self._turns if not turn.todo]
        return _server(kind, **self._args(kind, pick, self._over, past))

    def _args(self, kind: str, pick: Pick, responses: Sequence[_Response], turns: Sequence[_Turn]) -> dict[str, Any]:
        if kind in ABOUT_NOTHING:
            return {}
        if kind == "error":
            return self._error(pick)
        if kind == "response.created":
            aside = pick.chance(12)
            return {"response_id": self._id("resp"), "asked": not aside and not pick.chance(3), "aside": aside}
        if kind == "response.output_item.added":
            return self._begun(pick, pick.of(responses) if responses else _NOTHING)
        if kind == "response.done":
            return self._done(pick, next((one for one in responses if one.item is None), _first(responses)))
        if kind in USER:
            return self._user(kind, pick, turns)
        if kind in ITEMS[:2] and (turn := next((one for one in turns if kind in one.todo[:1]), None)):
            return {"item_id": turn.id, "role": "user"}
        return self._output(kind, pick, responses)

    def _error(self, pick: Pick) -> dict[str, Any]:
        if pick.chance(12):
            return dict(FATAL)
        about = {"about": "response.create"} if pick.chance(2) else {}
        return {**pick.of(ERRORS), **about}

    def _user(self, kind: str, pick: Pick, turns: Sequence[_Turn]) -> dict[str, Any]:
        if kind == USER[0]:
            return {"item_id": self._id("item")}
        if kind in USER[1:4]:
            return {"item_id": next((one.id for one in turns if kind in one.todo[:1]), _first(turns[-1:], _NOBODY).id)}
        heard = [one for one in self._heard if not one.transcribed] or self._heard or [*turns[-1:], _NOBODY]
        words = {} if kind.endswith("failed") else {"text": pick.of(("what I say", "", "more of it"))}
        return {"item_id": pick.of(heard).id, **words}

    def _begun(self, pick: Pick, response: _Response) -> dict[str, Any]:
        sort = pick.of(("spoken", "spoken", "spoken", "call", "call", "written"))
        item = _Item(self._id("item"), response.id, sort, len(response.items), [])
        return {**item.args, "sort": sort}

    def _done(self, pick: Pick, response: _Response) -> dict[str, Any]:
        status = response.doomed or pick.of(("completed",) * 7 + ("cancelled", "incomplete", "failed"))
        return {"response_id": response.id, "status": status}

    def _output(self, kind: str, pick: Pick, responses: Sequence[_Response]) -> dict[str, Any]:
        items = [item for response in responses for item in response.items if kind in _kinds(item.sort)]
        due = [item for item in items if kind in item.todo[:1] or (item.open and kind in _GOES_ON[item.sort])]
        item = pick.of(due or items[-3:] or [_NO_CALL if "call" in kind else _NO_ITEM])
        args = item.args
        if kind in ("response.output_audio_transcript.delta", "response.output_text.delta"):
            return {**args, "text": f"{self._id('w')} "}
        if kind == "response.output_audio.delta":
            return {**args, "ms": pick.of(LENGTHS)}
        if kind == "response.function_call_arguments.delta":
            return {**args, "text": PIECES[min(item.pieces, 1)]}
        if kind in (*_LAST, *_ENDS["call"]):
            response = next((one for one in responses if one.id == item.of), _NOTHING)
            cut = bool(response.doomed) or (kind in item.todo and kind != _LAST[-1] and pick.chance(8))
            return {**args, "sort": item.sort, "status": "incomplete" if cut else "completed"}
        return {**args, "sort": item.sort}

    def _id(self, what: str) -> str:
        self._made += 1
        return f"{what}_{self._number}_{self._made}"

    # -- what was said ---------------------------------------------------------------------------------------------

    def said(self, move: Move) -> None:
        kind, args = move.what, move.args
        if kind == USER[0] and self._active is not None:  # the turn detection cuts it, however that is told
            self._finished(self._active)
        if kind == USER[0] and "cut" not in args:
            self._turns.append(_Turn(str(args.get("item_id"))))
        if kind == USER[4] and "cut" not in args:
            self._interim.append(str(args.get("bent", {}).get("item_id", args.get("item_id"))))
        self.ended = self.ended or (kind == "error" and args.get("code") == FATAL["code"] and "cut" not in args)
        if kind == "response.created" and "cut" not in args:
            self._begins(_Response(str(args.get("response_id")), bool(args.get("aside"))))
        if move.is_odd:
            return
        if kind in USER[-2:]:
            self._interim = [one for one in self._interim if one != args.get("item_id")]
        if kind == "session.created":
            self._created = True
        elif kind == "session.updated":
            self._updated = True
        elif kind in ABOUT_ANSWERS:
            self._held = kind == "answers.held"
        elif kind == "response.done":
            for response in self._live:
                if response.id == args.get("response_id"):
                    self._finished(response)
        else:
            self._told(kind, args)

    def _begins(self, response: _Response) -> None:
        if response.aside:
            self._aside.append(response)
            return
        if self._active is not None:
            self._finished(self._active)
        self._active = response

    def _finished(self, response: _Response) -> None:
        self._over = [*self._over[-3:], response]
        if self._active is response:
            self._active = None
        else:
            self._aside.remove(response)
        for item in response.items:
            item.todo.clear()

    def _told(self, kind: str, args: Mapping[str, Any]) -> None:
        for turn in self._turns:
            if turn.id == args.get("item_id"):
                if kind in turn.todo:
                    turn.todo = turn.todo[turn.todo.index(kind) + 1 :]
                turn.transcribed = turn.transcribed or kind in USER[-2:]
        response = next((one for one in self._live if one.id == args.get("response_id")), None)
        if response is None:
            return
        if kind == "response.output_item.added":
            sort = str(args.get("sort"))
            if sort in _ENDS:
                listed = ("conversation.item.added",) if not response.aside else ()
                begins = (*listed, *_BEGINS[sort][1:])
                todo = [*begins, *_ENDS[sort], *(_LAST[:1] if response.aside else _LAST)]
                response.items.append(_Item(str(args["item_id"]), response.id, sort, len(response.items), todo))
        for item in response.items:
            if item.id == args.get("item_id") and kind in item.todo:
                item.todo = item.todo[item.todo.index(kind) + 1 :]
                if args.get("status") == "incomplete":
                    response.doomed = response.doomed or "incomplete"
            elif item.id == args.get("item_id"):
                item.pieces += kind == "response.function_call_arguments.delta"

    # -- as a whole ------------------------------------------------------------------------------------------------

    def exchange(self, pick: Pick) -> Sequence[Move]:
        """A whole turn of the agent's, or of the user's, from beginning to end; empty where none can begin now."""
        if not self._updated:
            return []
        if pick.chance(2):
            return self._answer(pick) if self._active is None else []
        if self._turns and self._turns[-1].todo:
            return []
        turn = _Turn(self._id("item"))
        about = {"item_id": turn.id}
        listed = [_server(kind, **about, role="user") for kind in ITEMS[:2]]
        words = _server(USER[-2], **about, text="what I say")
        return [_server(USER[0], **about), *(_server(kind, **about) for kind in turn.todo[:2]), *listed, words]

    def _answer(self, pick: Pick) -> Sequence[Move]:
        response = self._id("resp")
        moves = [_server("response.created", response_id=response, asked=not pick.chance(3), aside=False)]
        for index in range(pick.of((1, 1, 2))):
            moves += self._message(response, index, [f"{self._id('w')} ", f"{self._id('w')} "])
        if pick.chance(3):
            item = _Item(self._id("item"), response, "call", 2, [])
            moves += self._whole(item, [_server(_GOES_ON["call"][0], **item.args, text=piece) for piece in PIECES])
        return [*moves, _server("response.done", response_id=response, status="completed")]

    def _message(self, response: str, index: int, words: Sequence[str]) -> Sequence[Move]:
        item = _Item(self._id("item"), response, "spoken", index, [])
        said: list[Move] = []
        for word in words:
            said += [_server(_GOES_ON["spoken"][0], **item.args, text=word)]
            said += [_server(_GOES_ON["spoken"][1], **item.args, ms=200)]
        return self._whole(item, said)

    def _whole(self, item: _Item, said: Sequence[Move]) -> list[Move]:
        about = {**item.args, "sort": item.sort}
        begins = ("response.output_item.added", *_BEGINS[item.sort])
        ends = (*_ENDS[item.sort], *_LAST)
        return [
            *(_server(kind, **about) for kind in begins),
            *said,
            *(_server(kind, **about, **({"status": "completed"} if kind in _STATED else {})) for kind in ends),
        ]

    def last_words(self) -> Sequence[Move]:
        found = [_server("answers.sent")] if self._held else []
        turn = self._turns[-1] if self._turns else None
        if turn is not None and turn.todo:
            found += [
                _server(kind, item_id=turn.id, **({"role": "user"} if kind in ITEMS else {})) for kind in turn.todo
            ]
        found += [_server(USER[-2], item_id=one, text="the end") for one in dict.fromkeys(self._interim)]
        for response in self._live:
            item = response.item
            if item is not None and _LAST[0] in item.todo:
                found.append(_server(_LAST[0], **item.args, sort=item.sort, status="incomplete"))
            found.append(_server("response.done", response_id=response.id, status="cancelled"))
        return found

    def whole_turn(self, words: str) -> Sequence[Move]:
        response = self._id("resp")
        return [
            _server("response.created", response_id=response, asked=False, aside=False),
            *self._message(response, 0, [words]),
            _server("response.done", response_id=response, status="completed"),
        ]

    def withdrawn_words(self) -> Sequence[str]:
        return ()  # what the user has not heard is the client's to withdraw


_STATED = (*_LAST, *_ENDS["call"])


def _kinds(sort: str) -> Sequence[str]:
    return ("response.output_item.added", *_BEGINS[sort], *_GOES_ON[sort], *_ENDS[sort], *_LAST, *ITEMS[2:])


def means(move: Move) -> Meaning:
    """See the protocol :class:`Dialect`."""
    kind, args = move.what, move.args
    if kind == "response.created":
        return NOTHING if args.get("aside") else Meaning("begins", str(args["response_id"]))
    if kind in ("response.output_audio_transcript.delta", "response.output_text.delta"):
        return Meaning("says", str(args["response_id"]), words=str(args["text"]))
    if kind == "response.output_audio.delta":
        return Meaning("says", str(args["response_id"]), seconds=args["ms"] / 1000)
    if kind == "response.done":
        return Meaning("ends", str(args["response_id"]))
    if kind == "response.output_item.done" and args.get("sort") == "call":
        whole = args["status"] == "completed"
        return Meaning("calls", str(args["call_id"]), name="weather", arguments={"city": "Rome"}) if whole else NOTHING
    if kind == USER[0]:
        return Meaning("user begins", str(args["item_id"]))
    if kind == USER[1]:
        return Meaning("user ends", str(args["item_id"]))
    if kind == USER[-2]:
        return Meaning("hears", str(args["item_id"]), words=str(args["text"]))
    if kind == USER[-1]:
        return Meaning("unheard", str(args["item_id"]))
    return QUIET if kind in _QUIET else NOTHING


_QUIET = ("rate_limits.updated", "error", *USER[2:], *ITEMS[:2], "response.content_part.added", *OUTPUT[6:11])


def _first(found: Sequence[Any], otherwise: Any = _NOTHING) -> Any:
    return found[0] if found else otherwise


def _server(kind: str, **args: Any) -> Move:
    return Move("server", kind, args)
