"""What the assistant owes the host, and the host the assistant: answers to requests, outputs of tools."""

from __future__ import annotations

from tests.generated.books import QUEUED, Answer, Books, Call

__all__ = ["LASTING", "Debts"]

LASTING = ("closing", "closed")


class Debts(Books):
    """Requests and tool calls, as the account keeps them."""

    # -- tools -----------------------------------------------------------------------------------------------------

    def called(self, id: str) -> None:
        if id in self.calls:
            return
        rejected = self.turn == "dead" and not self.opened_once
        if self.turn == "open":
            if self.message is None and not self.draining:
                self.finish()
                self.turn = "handed"
                self.until["turn"] = self.at + self.last["stall"]
            else:
                self.draining = True
                self.breathe()
        elif not rejected:
            rejected = not self.settle(None if self.turn == "handed" else self.oldest())
            self.must += [] if rejected else ["generation ends"]
            self.due &= rejected
        self.calls[id] = Call("over" if rejected else "open", self.at + self.last["answer"])
        if rejected:
            self.must.append(f"sends tool_call_output {id} error")
            return
        self.must.append(f"call {id}")
        self.answers = [one for one in self.answers if one.state != "expected"]

    def withdrawn(self, id: str) -> None:
        call = self.calls[id]
        if call.state == "answered":
            for one in [one for one in self.answers if one.state == "expected"]:
                self.unanswered(one)
        self.end_call(id)

    def output(self, id: str, reply: str) -> None:
        if self.phase in ("connecting", "waiting") and not self.ran:
            return  # it is of the time before the conversation
        self.due |= reply != "NOT_WANTED"
        call, expected = self.calls.get(id), any(one.state == "expected" for one in self.answers)
        if call is None or call.state != "open":
            self.must.append(f"tool_output_dropped {id}")
            if reply != "NOT_WANTED" and not expected and self.phase not in ("ending", *LASTING):
                self.let_go()  # nobody else does
            return
        call.state, call.until = "answered", self.at + self.last["taken"]
        self.must.append(f"sends tool_call_output {id}")
        if reply == "WITHHELD":
            self.let_go()
        elif reply == "WANTED" and not expected:
            self.answers.append(Answer("expected", until=self.at + self.last["reply"]))

    # -- requests --------------------------------------------------------------------------------------------------

    def asks(self, n: int, say: bool) -> None:
        if self.phase in ("ending", *LASTING):
            self.must.append(f"future {n} RealtimeError")
        else:
            self.answers.append(Answer("queued", n, say, self.at + self.last["reply"]))

    def cancels(self, n: int) -> None:
        self.must.append(f"future {n} cancelled")
        one = next(one for one in self.answers if one.n == n)
        if one.state == "sent" and self.user in ("silent", "over"):
            one.state, one.until = "late", self.at + self.last["discard"]
        else:
            self.answers.remove(one)

    def interrupts(self) -> None:
        self.cut()
        self.unheard.clear()
        for one in list(self.answers):
            if one.say and one.state in ("queued", "sent"):
                self.fail(one, late=one.state == "sent" and self.user in ("silent", "over"))
        asked = any(one.state in ("queued", "sent") for one in self.answers)
        if self.let_go_at is not None and (asked or self.at - self.let_go_at < QUEUED):
            self.again = self.soon = True
        self.let_go_at = None

    def send_next(self) -> None:
        free = self.turn != "open" and not any(one.state in ("sent", "late") for one in self.answers)
        waiting = [one for one in self.answers if one.state == "queued"]
        if free and waiting:
            one = waiting[0]
            one.state, one.until = "sent", self.at + self.last["reply"]
            self.must.append("sends say" if one.say else "sends generate_reply")
            self.fresh = False

    def settle(self, answered: Answer | None) -> bool:
        """The answer to the oldest debt has come; False if its request was given up."""
        if answered is not None:
            self.answers.remove(answered)
            if answered.state == "late":
                return False
        asked = answered is not None and answered.state == "sent"
        self.let_go_at = None
        self.must.append("announced asked" if asked else "announced")
        if answered is not None and asked:
            self.must.append(f"future {answered.n} answered")
        return True
