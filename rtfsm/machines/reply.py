"""The reply machine: one answer that the host waits for.

Theory. A request has two lives: a future at the host, which must end exactly once and within bounded time, and a
question on the wire, whose answer may come late, or for somebody else. QUEUED and SENT have the future; DISCARDING is
the question that outlived it, and swallows its answer so that nobody hears it. EXPECTED has no future: a tool output
was sent and the provider answers unasked; should it not, the host is released with an empty generation, for that alone
ends its waiting. The generation that answers ends the request, so "matched" is no state: the generation says the rest.

An interruption ends a ``say``, whose future nobody else would end; it does not end a ``generate_reply``, for the host
interrupts before it asks (reading that as "do not answer" would kill the answer to every tool).
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import attrs

from rtfsm.language import Machine, Reason, Timer, TimerElapsed, assign, guard, ignore, refuse, to, when
from rtfsm.vocabulary.effects import FailReply, Failure, ReleaseHost, ResolveReply, SendReplyRequest
from rtfsm.vocabulary.local import (
    InterruptRequested,
    Matched,
    NextCall,
    Release,
    ReleaseReason,
    ReplyAbandoned,
    ReplyExpected,
    ReplyKind,
    ReplyRequested,
    SendNow,
    UserSpoke,
)
from rtfsm.vocabulary.wire import ReplyDeclined, RequestRejected

from .capabilities import Capabilities, Match
from .tables import Row, cell, without
from .timing import Timing

__all__ = ["Reply", "ReplyContext", "reply_machine"]


class Reply(Enum):
    NEW = "nothing was asked yet"
    QUEUED = "asked for, not sent"
    SENT = "on the wire, unanswered"
    EXPECTED = "a tool output was sent that the provider answers by itself; nobody asked"
    DISCARDING = "its future has ended; its answer may still come and belongs to nobody"
    ENDED = "over"


@attrs.frozen
class ReplyContext:
    """kind: what was asked for; set by the event that begins it."""

    kind: ReplyKind = ReplyKind.GENERATE


@guard
def is_say(context: ReplyContext) -> bool:
    return context.kind is ReplyKind.SAY


@guard
def asks_say(_: ReplyContext, event: ReplyRequested) -> bool:
    return event.kind is ReplyKind.SAY


@guard
def asks_out_of_band(_: ReplyContext, event: ReplyRequested) -> bool:
    return event.kind is ReplyKind.OUT_OF_BAND


@guard
def over(_: ReplyContext, event: ReplyRequested) -> bool:
    return event.over


@guard
def user_has_floor(_: ReplyContext, event: ReplyAbandoned) -> bool:
    return event.user_has_floor


@guard
def is_say_given_up_to_user(context: ReplyContext, event: InterruptRequested) -> bool:
    return context.kind is ReplyKind.SAY and event.user_has_floor


@guard
def is_close(_: ReplyContext, event: Release) -> bool:
    return event.reason is ReleaseReason.CLOSE


@guard
def is_reset(_: ReplyContext, event: Release) -> bool:
    return event.reason is ReleaseReason.RESET


@guard
def is_lost(_: ReplyContext, event: Release) -> bool:
    return event.reason is ReleaseReason.LOST


def reply_machine(wire: Capabilities, timing: Timing | None = None) -> Machine:
    """The machine for a wire."""
    timing = timing or Timing()
    r, by_order = Reply, wire.match is Match.NEXT
    fail = {failure: to(r.ENDED, FailReply(failure)) for failure in Failure}
    reset = when(is_reset, fail[Failure.RESET]) if wire.resettable else None
    unsent = when(is_lost, ignore(Reason.NO_OP, "it was not sent, so the next connection can be asked"))
    nothing_sent = refuse("nothing was sent that it could answer")
    not_new = refuse("a request begins once")
    no_instance = refuse("nothing was asked yet, so nobody is told")
    table: dict[Any, Row] = {
        r.NEW: {
            ReplyRequested: cell(
                when(over, fail[Failure.OVER]),
                when(asks_say, to(r.QUEUED, assign(kind=ReplyKind.SAY))) if wire.say else None,
                when(asks_out_of_band, to(r.QUEUED, assign(kind=ReplyKind.OUT_OF_BAND))) if wire.out_of_band else None,
                to(r.QUEUED),
            ),
            ReplyExpected: to(r.EXPECTED),
            (
                SendNow,
                Matched,
                RequestRejected,
                ReplyDeclined,
                ReplyAbandoned,
                InterruptRequested,
                UserSpoke,
                NextCall,
                Release,
            ): no_instance,
        },
        r.QUEUED: {
            SendNow: to(r.SENT, SendReplyRequest),
            ReplyAbandoned: to(r.ENDED),
            InterruptRequested: cell(
                when(is_say, fail[Failure.INTERRUPTED]) if wire.say else None,
                ignore(Reason.NO_OP, "an interruption does not withdraw a request"),
            ),
            Release: cell(reset, unsent, fail[Failure.OVER]),
            TimerElapsed: fail[Failure.EXPIRED],
            (UserSpoke, NextCall): ignore(Reason.NO_OP, "it has not been asked of the provider yet"),
            (Matched, RequestRejected, ReplyDeclined): nothing_sent,
            (ReplyRequested, ReplyExpected): not_new,
        },
        r.SENT: {
            Matched: to(r.ENDED, ResolveReply),
            RequestRejected: fail[Failure.REJECTED],
            ReplyDeclined: fail[Failure.DECLINED],
            Release: cell(reset, when(is_lost, fail[Failure.LOST]), fail[Failure.OVER]),
            ReplyAbandoned: cell(when(user_has_floor, to(r.ENDED)) if by_order else None, to(r.DISCARDING)),
            InterruptRequested: cell(
                when(is_say_given_up_to_user, fail[Failure.INTERRUPTED]) if wire.say and by_order else None,
                when(is_say, to(r.DISCARDING, FailReply(Failure.INTERRUPTED))) if wire.say else None,
                ignore(Reason.NO_OP, "an interruption does not withdraw a request"),
            ),
            TimerElapsed: to(r.DISCARDING, FailReply(Failure.EXPIRED)),
            (UserSpoke, NextCall): ignore(Reason.NO_OP, "its answer is still to come"),
            SendNow: refuse("it was sent"),
            (ReplyRequested, ReplyExpected): not_new,
        },
        r.EXPECTED: {
            (Matched, NextCall): to(r.ENDED),
            (ReplyDeclined, UserSpoke, TimerElapsed): to(r.ENDED, ReleaseHost),
            Release: (when(is_close, to(r.ENDED)), to(r.ENDED, ReleaseHost)),
            InterruptRequested: ignore(Reason.NO_OP, "an interruption does not withdraw a tool output"),
            (SendNow, RequestRejected, ReplyAbandoned): refuse("the host did not ask for it"),
            (ReplyRequested, ReplyExpected): not_new,
        },
        r.DISCARDING: {
            (Matched, RequestRejected, ReplyDeclined, Release, TimerElapsed): to(r.ENDED),
            UserSpoke: to(r.ENDED) if by_order else ignore(Reason.NO_OP, "its answer is known by the request it names"),
            ReplyAbandoned: ignore(Reason.DUPLICATE, "its future has ended"),
            (InterruptRequested, NextCall): ignore(Reason.NO_OP, "nobody waits for it"),
            SendNow: refuse("it was sent"),
            (ReplyRequested, ReplyExpected): not_new,
        },
        r.ENDED: {
            (
                ReplyRequested,
                ReplyExpected,
                SendNow,
                Matched,
                RequestRejected,
                ReplyDeclined,
                ReplyAbandoned,
                InterruptRequested,
                UserSpoke,
                NextCall,
                Release,
            ): ignore(Reason.TERMINAL, "the request is over"),
        },
    }
    reply = Timer("reply", timing.reply)
    lacking = {r.EXPECTED} if not wire.auto_reply else set()
    events: set[Any] = set() if wire.auto_reply else {ReplyExpected, NextCall}
    if not wire.request_errors:
        events.add(RequestRejected)
    timers = {r.QUEUED: reply, r.SENT: reply, r.EXPECTED: reply, r.DISCARDING: Timer("discard", timing.discard)}
    return Machine(
        "reply",
        states=tuple(state for state in r if state not in lacking),
        initial=r.NEW,
        final={r.ENDED},
        context=ReplyContext(),
        timers={state: timer for state, timer in timers.items() if state not in lacking},
        rests={r.NEW: "nothing was asked yet"},
        table=without(table, states=lacking, events=events),
    )
