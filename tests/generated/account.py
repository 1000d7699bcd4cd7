"""What a host must be told of a conversation, and the server sent: kept by hand, apart from the tables.

The account reads what was done (by the server, the host and time) and says after each act what must have come of it,
no more and no less. It knows the meaning of the messages, no state machine: a floor, a debt of answers, a debt of
outputs, what is still to be heard, and until when each of them may last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.generated.books import Answer, Said
from tests.generated.debts import LASTING, Debts

__all__ = ["Account"]


class Account(Debts):
    """Everything that an act must lead to is put into ``must``, as :func:`tests.generated.judge.rendered` words it."""

    # -- the connection --------------------------------------------------------------------------------------------

    def opened(self, _: Mapping[str, Any]) -> None:
        if self.phase != "connecting":
            return
        if self.resuming:  # what would be refused now may be begun anew
            self.retries += 1
            self.enter("starting", "ready")
        elif self.configured:
            self.send_config()
        else:
            self.enter("waiting", "config")

    def send_config(self) -> None:
        self.must.append("sends config")
        self.fresh &= not self.ran
        self.dirty = self.anew = False
        self.enter("starting", "ready")

    def ready(self) -> None:
        if self.phase != "starting":
            return
        self.enter("running")
        self.forget()
        if self.ran:
            self.must.append("session_reconnected")
        if self.dirty:
            self.must.append("sends reset" if self.anew else "sends update_system_prompt")
            self.fresh &= not self.anew
        self.ran, self.retries = True, self.allowed

    def lost(self, data: Mapping[str, Any]) -> None:
        outcome = {1006: "resume", 1011: "retry", 1000: "normal"}.get(data["code"], "failed")
        if self.phase == "closing":
            self.enter("closed")
        elif self.phase == "ending":
            self.gone = True
            self.finish()
            self.turn = "none"
            self.end_debts()
            self.silence_user()
        elif self.phase == "connecting" and self.resuming and outcome == "failed":
            self.forget()
            self.release("lost")
            self.enter("retrying", "backoff")
        elif self.phase not in ("retrying", "closed"):
            self.give_up_or_retry(outcome)

    def forget(self) -> None:
        """No connection goes on with the conversation that was lost."""
        self.resuming = False
        self.until.pop("window", None)

    def give_up_or_retry(self, outcome: str) -> None:
        if outcome in ("retry", "resume") and self.retries:
            if outcome == "resume" and self.phase == "running":
                self.resuming = True
                self.until["window"] = self.at + self.last["resume"]
            elif self.phase == "starting" and outcome != "resume":
                self.forget()
            self.retries -= 1
            self.release("lost")
            self.enter("retrying", "backoff")
        else:
            self.release("close")
            self.must.append("conversation_ended" if outcome == "normal" else "error fatal")
            self.enter("closed")

    def configures(self, data: Mapping[str, Any]) -> None:
        reset = data["reset"]
        if data["handoff"]:
            self.said, self.last_said = [Said("user", "what was said before")], None
        if self.phase in ("connecting", "retrying"):
            self.configured = True
            self.dirty |= self.resuming
            self.anew |= self.resuming and reset
        elif self.phase == "waiting":
            self.configured = True
            self.send_config()
        elif self.phase == "starting":
            self.dirty = True
            self.anew |= reset
        elif self.phase == "running" and reset:
            self.release("reset")
            self.must.append("sends reset")
            self.fresh = False
        elif self.phase == "running":
            self.must.append("sends update_system_prompt")

    def closes(self) -> None:
        if self.phase in LASTING:
            return
        self.release("close")
        if self.phase == "retrying" or self.gone:
            self.enter("closed")
        else:
            self.must.append("closes")
            self.enter("closing", "close")

    def hung_up(self) -> None:
        if self.phase == "running":
            self.end_debts()
            self.enter("ending", "end")

    def failed(self) -> None:
        if self.phase not in ("retrying", *LASTING):
            self.must.append("error recoverable")

    def the_end(self) -> None:
        """The goodbye has been heard."""
        self.release("close")
        self.must.append("conversation_ended")
        if self.gone:
            self.enter("closed")
        else:
            self.must.append("closes")
            self.enter("closing", "close")

    # -- the assistant ---------------------------------------------------------------------------------------------

    def turn_begins(self, greets: bool) -> None:
        if self.turn == "open" and not self.spoken and not self.draining:
            return  # said twice
        self.finish()
        self.begin(None if greets else self.oldest(), bracketed=True, greets=greets)

    def begin(self, answered: Answer | None, *, bracketed: bool, greets: bool = False, goes_on: bool = False) -> bool:
        """The assistant takes the floor; False if nobody is to hear it."""
        says = answered is not None and answered.say
        firm = "all" in self.firm or (greets and "welcome" in self.firm) or (says and "say" in self.firm)
        self.keeps = self.keeps if goes_on else firm
        heard = self.settle(answered)
        if not heard:
            self.dead(opened=False)
            return False
        self.turn, self.opened_once = "open", True
        self.spoken = self.draining = False
        self.message, self.bracketed = None, bracketed
        self.breathe()
        return True

    def words(self, text: str) -> None:
        if self.turn == "none" and self.user in ("speaks", "over"):
            return  # a murmur
        if self.turn == "none":
            self.turn = "open" if self.begin(self.oldest(), bracketed=False) else self.turn
        elif self.turn == "handed":
            self.begin(None, bracketed=False, goes_on=True)
        elif self.turn == "dead":
            self.window()
        if self.turn == "open":
            self.message = self.message or self.new_message()
            self.message.text += text
            self.spoken = True
            self.must.append(f"words {text}")
            self.breathe()

    def sound(self) -> None:
        if self.turn == "dead":
            self.window()
        if self.turn == "open":
            if self.message is None or self.bracketed or self.draining is None:
                self.breathe()
            self.message = self.message or self.new_message()
            self.message.sound = self.spoken = True

    def turn_ends(self) -> None:
        self.finish()
        if self.turn in ("open", "handed", "dead"):
            self.turn = "over"
            self.window()

    def was_interrupted(self, heard: str) -> None:
        audible = bool(self.unheard)
        alive = self.turn
        self.finish(cut=True)
        if self.last_said is not None and (alive == "none" or (self.opened_once and self.spoken)):
            self.last_said.text, self.last_said.cut = heard, True
        if self.turn in ("open", "handed"):
            self.dead(opened=True)
        if alive == "dead":
            return
        if self.user == "over":
            self.takes_floor()
        elif audible:
            self.must += ["started", "stopped"]
            self.cut()
            self.unheard.clear()
            if self.user != "speaks":
                self.next_answers_the_user()

    def declined(self) -> None:
        oldest = self.oldest()
        if oldest is not None:
            self.unanswered(oldest)

    # -- the user --------------------------------------------------------------------------------------------------

    def user_started(self) -> None:
        if self.user not in ("silent", "stopped"):
            return
        if self.holds:
            self.user = "over"
            self.until["user"] = self.at + self.last["speech"]
        else:
            self.takes_floor()

    def takes_floor(self, *, cuts: bool = True) -> None:
        if cuts:
            self.cut()
        self.must.append("started")
        self.unheard.clear()
        self.next_answers_the_user()
        self.user = "speaks"
        self.until["user"] = self.at + self.last["speech"]

    @property
    def holds(self) -> bool:
        """The assistant speaks, or is heard, with what the user's voice alone does not cut."""
        return (self.turn == "open" and self.keeps) or any(one.keeps for one in self.unheard)

    def next_answers_the_user(self) -> None:
        for one in list(self.answers):
            if one.state in ("expected", "late"):
                self.unanswered(one)

    def user_stopped(self) -> None:
        if self.user in ("speaks", "over"):
            self.must += ["stopped"] if self.user == "speaks" else []
            self.user = "stopped"
            self.until["user"] = self.at + self.last["transcript"]

    def understood(self, text: str) -> None:
        self.must.append(f"transcript {text}")
        self.said.append(Said("user", text))
        if self.user == "stopped":
            self.silence_user()

    # -- after every act -------------------------------------------------------------------------------------------

    def settle_down(self) -> None:
        """What follows by itself once an act is done."""
        for _ in range(4):
            if self.phase == "running":
                self.send_next()
            if self.phase == "ending" and not self.unheard and self.turn != "open":
                self.the_end()
            if self.user == "over" and not self.unheard and self.turn != "open":
                self.takes_floor(cuts=False)
            self.unheard = [one for one in self.unheard if one.sound or not one.closed]
        if self.soon and self.phase not in ("ending", *LASTING):
            self.let_go()
        self.soon = False

    # -- time ------------------------------------------------------------------------------------------------------

    def time_passes(self, now: float) -> None:
        """Whatever was not to last any longer ends, in the order in which it was due."""
        while (due := self.next_due()) is not None and due[0] <= now:
            self.at = due[0]
            self.run_out(due[1])
            self.settle_down()
        self.at = now

    def run_out(self, what: Any) -> None:
        if isinstance(what, Answer):
            if what.state in ("queued", "sent"):
                self.fail(what, late=what.state == "sent")
            else:
                self.unanswered(what)
        elif isinstance(what, str) and what in self.calls:
            if self.calls[what].state == "open":
                self.must.append(f"sends tool_call_output {what} error")
            self.end_call(what)
        elif what == "user":
            self.silence_user()
        elif what == "window":
            self.forget()
            if self.phase == "connecting":
                self.must += ["aborts", "connects"]
                self.fresh = True
                self.enter("connecting", "connect")
        elif what == "turn":
            self.turn_waits_no_more()
        else:
            self.connection_waits_no_more()

    def turn_waits_no_more(self) -> None:
        del self.until["turn"]
        if self.turn == "open":
            self.finish()
            self.turn = "handed"
            self.until["turn"] = self.at + self.last["stall"]
        else:
            self.turn = "none"

    def connection_waits_no_more(self) -> None:
        phase = self.phase
        if phase in ("connecting", "starting"):
            self.must.append("aborts")
            self.give_up_or_retry("retry" if self.retries else "failed")
        elif phase == "waiting":
            self.release("close")
            self.must += ["error fatal", "closes"]
            self.enter("closing", "close")
        elif phase == "retrying":
            self.must.append("resumes" if self.resuming else "connects")
            self.fresh = not self.resuming
            self.enter("connecting", "connect")
        elif phase == "ending":
            self.the_end()
        else:
            self.must.append("aborts")
            self.enter("closed")
