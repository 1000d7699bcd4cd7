"""The tool call machine: one call, from the provider's wish to the end of its debt.

Theory. A call is a debt: it is answered exactly once, on the connection that issued it, or it ends by name (CANCELLED,
EXPIRED, ORPHANED). Cutting the generation that made a call does not end the call: the host neither stops a running
tool nor says which ones it never started. So the timer ends an orphan, with an error output, because an unanswered call
can block a provider for good. An output that nobody waits for any more is dropped and told to the application, and a
host that waits for the answer to it is let go, unless another answer is on its way. An ended call leaves nothing
behind, so such an output begins a call that ends at once.

A call that is complete, but whose generation is not to be trusted yet, waits in HELD, where the provider needs it.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from rtfsm.language import Machine, Reason, Timer, TimerElapsed, guard, ignore, refuse, stay, to, when
from rtfsm.vocabulary.effects import (
    CancelExpectation,
    DeliverCall,
    ExpectReply,
    ReleaseHost,
    ReportCallEnded,
    ReportOutputDropped,
    SendToolError,
    SendToolOutput,
)
from rtfsm.vocabulary.local import CallDelivered, CallHeld, CallRejected, Release, ToolOutputGiven, ToolReply
from rtfsm.vocabulary.wire import ToolCallCancelled, ToolCallReady, ToolResultTaken

from .capabilities import Capabilities
from .tables import Row, cell, without
from .timing import Timing

__all__ = ["ToolCall", "tool_call_machine"]


class ToolCall(Enum):
    NEW = "nothing was called yet"
    HELD = "complete, its generation is not trusted yet"
    PENDING = "handed over, the tool may run"
    ANSWERED = "the output is sent, the provider has not said that it took it"
    PROCESSED = "the provider took the output"
    CANCELLED = "the provider withdrew it"
    EXPIRED = "no output came in time"
    ORPHANED = "what it belonged to is gone"


@guard
def reply_wanted(_: object, event: ToolOutputGiven) -> bool:
    return event.reply is ToolReply.WANTED


@guard
def reply_withheld(_: object, event: ToolOutputGiven) -> bool:
    return event.reply is ToolReply.WITHHELD


@guard
def awaited_in_vain(_: object, event: ToolOutputGiven) -> bool:
    return event.in_vain


def tool_call_machine(wire: Capabilities, timing: Timing | None = None) -> Machine:
    """The machine for a wire."""
    timing = timing or Timing()
    c = ToolCall
    sent = c.ANSWERED if wire.result_taken else c.PROCESSED
    known = ignore(Reason.DUPLICATE, "the call is known")
    begins_once = refuse("a call begins once")
    no_instance = refuse("nothing was called yet, so nobody is told")
    over = ignore(Reason.TERMINAL, "the call is over")
    births = (CallDelivered, CallHeld, CallRejected)
    table: dict[Any, Row] = {
        c.NEW: {
            CallDelivered: to(c.PENDING, DeliverCall),
            CallHeld: to(c.HELD),
            CallRejected: to(c.ORPHANED, SendToolError),
            ToolOutputGiven: cell(
                when(awaited_in_vain, to(c.ORPHANED, ReportOutputDropped, ReleaseHost)) if wire.auto_reply else None,
                to(c.ORPHANED, ReportOutputDropped),
            ),
            (ToolCallReady, ToolCallCancelled, ToolResultTaken, Release): no_instance,
        },
        c.HELD: {
            CallDelivered: to(c.PENDING, DeliverCall),
            ToolCallCancelled: to(c.CANCELLED),
            Release: to(c.ORPHANED),
            ToolCallReady: known,
            ToolResultTaken: ignore(Reason.STALE, "no output was sent"),
            ToolOutputGiven: refuse("the host does not know the call yet"),
            (CallHeld, CallRejected): begins_once,
        },
        c.PENDING: {
            ToolOutputGiven: cell(
                when(reply_wanted, to(sent, SendToolOutput, ExpectReply)) if wire.auto_reply else None,
                when(reply_withheld, to(sent, SendToolOutput, ReleaseHost)) if wire.auto_reply else None,
                to(sent, SendToolOutput),
            ),
            ToolCallCancelled: to(c.CANCELLED, ReportCallEnded),
            ToolResultTaken: to(c.EXPIRED, ReportCallEnded),
            Release: to(c.ORPHANED, ReportCallEnded),
            TimerElapsed: to(c.EXPIRED, SendToolError, ReportCallEnded),
            ToolCallReady: known,
            births: begins_once,
        },
        c.ANSWERED: {
            (ToolResultTaken, TimerElapsed): to(c.PROCESSED),
            ToolCallCancelled: to(c.CANCELLED, CancelExpectation) if wire.auto_reply else to(c.CANCELLED),
            Release: to(c.ORPHANED),
            ToolOutputGiven: cell(
                when(awaited_in_vain, stay(ReportOutputDropped, ReleaseHost)) if wire.auto_reply else None,
                stay(ReportOutputDropped),
            ),
            ToolCallReady: ignore(Reason.DUPLICATE, "the output was sent"),
            births: begins_once,
        },
    }
    for end in (c.PROCESSED, c.CANCELLED, c.EXPIRED, c.ORPHANED):
        table[end] = {(*births, ToolCallReady, ToolCallCancelled, ToolResultTaken, ToolOutputGiven, Release): over}
    states: set[Any] = set()
    events: set[Any] = set()
    if not wire.hold_calls:
        states.add(c.HELD)
        events.add(CallHeld)
    if not wire.result_taken:
        states.add(c.ANSWERED)
        events.add(ToolResultTaken)
    if not wire.tool_cancel:
        states.add(c.CANCELLED)
        events.add(ToolCallCancelled)
    timers = {c.PENDING: Timer("answer", timing.answer), c.ANSWERED: Timer("taken", timing.taken)}
    rests = {c.NEW: "nothing was called yet", c.HELD: "its generation has the timer, and ends it by release"}
    return Machine(
        "tool_call",
        states=tuple(state for state in c if state not in states),
        initial=c.NEW,
        final={c.PROCESSED, c.CANCELLED, c.EXPIRED, c.ORPHANED} - states,
        timers={state: timer for state, timer in timers.items() if state not in states},
        rests={state: why for state, why in rests.items() if state not in states},
        table=without(table, states=states, events=events),
    )
