"""The books that the account keeps: who owes what to whom, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

__all__ = ["Answer", "Books", "Call", "Message", "Said"]


@attrs.define(eq=False)
class Answer:
    """An answer that is owed. state: queued (not asked yet), sent, expected (to a tool's output), late (nobody waits
    for it any more). n: number of the future, or -1."""

    state: str
    n: int = -1
    say: bool = False
    until: float = 0.0


@attrs.define(eq=False)
class Call:
    """state: open (the host owes an output), answered, over."""

    state: str
    until: float


@attrs.define(eq=False)
class Said:
    """One line of what was said: who said it, what, and whether it was not said to its end."""

    role: str
    text: str
    cut: bool = False


QUEUED = 0.05
"""Seconds for which an interruption takes back what let the host go."""


@attrs.define(eq=False)
class Message:
    text: str = ""
    sound: bool = False
    closed: bool = False
    keeps: bool = False
    """The user's voice alone does not cut it."""


class Books:
    """last: how many seconds each thing lasts, by name. retries: how often a lost connection is tried again. firm: what
    the user's voice alone does not cut: all, welcome, say."""

    def __init__(
        self, last: Mapping[str, float], *, retries: int = 1, firm: frozenset[str] = frozenset(), began: float = 0.0
    ) -> None:
        self.last, self.allowed, self.firm = last, retries, firm
        self.must: list[str] = []
        self.at = began
        self.until: dict[str, float] = {}
        self.phase = ""
        self.enter("connecting", "connect")
        self.retries = retries
        self.configured = self.dirty = self.anew = self.ran = self.gone = self.resuming = False
        self.fresh = True
        self.turn = "none"
        """Of the assistant: none, open, handed (its words so far were handed over), dead (cut), over (it has ended)."""
        self.opened_once = self.spoken = self.bracketed = self.draining = self.keeps = False
        self.message: Message | None = None
        self.unheard: list[Message] = []
        self.user = "silent"
        """silent, speaks (the host knows), over (speaks over the agent, the host does not know), stopped."""
        self.answers: list[Answer] = []
        self.calls: dict[str, Call] = {}
        self.due = self.soon = self.again = False
        """The host waits for the answer to an output and heard none; it is to be let go after the act; it was let
        go before, in vain."""
        self.let_go_at: float | None = None
        """When it was let go, as long as an interruption may undo that."""
        self.said: list[Said] = []
        self.last_said: Said | None = None

    def enter(self, phase: str, lasts: str | None = None) -> None:
        """The connection is in another phase, which lasts so long at most."""
        self.phase = phase
        self.until.pop("connection", None)
        if phase not in ("connecting", "starting", "retrying"):
            self.until.pop("window", None)
        if lasts is not None:
            self.until["connection"] = self.at + self.last[lasts]

    def next_due(self) -> tuple[float, Any] | None:
        """What is to end next, and when."""
        due: list[tuple[float, Any]] = [(until, what) for what, until in self.until.items()]
        due += [(one.until, one) for one in self.answers]
        due += [(call.until, id) for id, call in self.calls.items() if call.state != "over"]
        return min(due, key=lambda pair: pair[0], default=None)

    # -- the floor -------------------------------------------------------------------------------------------------

    def new_message(self) -> Message:
        message = Message(keeps=self.keeps)
        self.unheard.append(message)
        self.last_said = None
        self.must.append("message")
        return message

    def breathe(self) -> None:
        """The open turn goes on: it may pause for a while from now."""
        name = "drain" if self.draining else "stall" if self.bracketed else "implicit"
        self.until["turn"] = self.at + self.last[name]

    def window(self) -> None:
        """What is left of a turn that nobody is to hear may come for a while from now."""
        self.until["turn"] = self.at + self.last["tail"]

    def finish(self, *, cut: bool = False) -> None:
        """The host's streams end, if any are open. cut: before all was said."""
        if self.turn != "open":
            return
        self.due &= cut
        self.soon |= self.due
        if self.message is not None:
            self.must += ["message ends"] if self.message.text else ["blank", "message ends"]
            self.message.closed = True
            if self.message.text:
                self.last_said = Said("assistant", self.message.text, cut)
                self.said.append(self.last_said)
            self.message = None
        self.must.append("generation ends")

    def dead(self, *, opened: bool) -> None:
        self.turn, self.opened_once = "dead", opened
        self.window()

    def cut(self) -> None:
        """Somebody takes the floor from the assistant."""
        self.finish(cut=True)
        if self.turn in ("open", "handed"):
            self.dead(opened=True)

    def silence_user(self) -> None:
        if self.user == "speaks":
            self.must.append("stopped")
        self.user = "silent"
        self.until.pop("user", None)

    # -- debts -----------------------------------------------------------------------------------------------------

    def oldest(self) -> Answer | None:
        return next((one for one in self.answers if one.state != "queued"), None)

    def unanswered(self, one: Answer) -> None:
        """No answer will come: a future fails, a host that waits for a tool's answer is let go."""
        if one.state in ("queued", "sent"):
            self.fail(one)
            return
        self.answers.remove(one)
        if one.state == "expected":
            self.let_go()

    def let_go(self) -> None:
        """The host is told that no answer will come, unless a turn is open: that one lets it go."""
        again, self.again, self.soon = self.again, False, False
        if self.turn != "open":
            self.due = False
            self.let_go_at = None if again else self.at
            self.must += ["announced", "generation ends"]

    def plays(self) -> None:
        """The host begins to play what it has not heard."""
        self.due &= not any(one.sound for one in self.unheard)

    def fail(self, one: Answer, *, late: bool = False) -> None:
        self.must.append(f"future {one.n} RealtimeError")
        if late:
            one.state, one.until = "late", self.at + self.last["discard"]
        else:
            self.answers.remove(one)

    def end_call(self, id: str) -> None:
        call = self.calls[id]
        if call.state == "open":
            self.must.append(f"tool_call_ended {id}")
        call.state = "over"

    def end_debts(self) -> None:
        for one in list(self.answers):
            self.unanswered(one)
        for id in self.calls:
            self.end_call(id)

    def release(self, why: str) -> None:
        """The conversation on this connection is over: why is ``reset``, ``lost`` or ``close``."""
        self.finish(cut=True)
        if why != "reset":
            self.turn = "none"
            self.until.pop("turn", None)
            self.silence_user()
        elif self.turn != "none":
            if self.turn in ("open", "handed"):
                self.dead(opened=True)
            self.window()
        for one in list(self.answers):
            if why == "lost" and one.state == "queued":
                continue  # it was not asked yet, so the next connection can be
            if why == "close" and one.state == "expected":
                self.answers.remove(one)
                continue
            self.unanswered(one)
        for id in self.calls:
            self.end_call(id)
        if why == "close":
            self.unheard.clear()
