"""The session machine: one realtime session with its provider, over as many connections as it takes.

Theory. A session is a conversation that outlives its connections. The wire reports openings, consents and losses; the
host gives configurations and closes; nothing else moves this machine. Five rules hold in every row:

1. The configuration is sent once per conversation of the provider's, first, and only when the host has given one.
   What the host changes between sending and consent waits (``dirty``) and follows as an update, or as a reset
   (``anew``).
2. Everything that was begun is released *before* anyone is told that the session ended, so that no stream is open and
   no future pending when the host hears of it.
3. Every loss ends in another attempt or in exactly one report. The attempts are counted per outage: reaching READY
   restores them.
4. Where the wire allows it, a connection that just broke is followed by one that goes on with the same conversation
   (``resuming``): it is told no configuration, since it has one. Once it is refused, or the provider has forgotten, a
   conversation begins anew. What was begun on the lost connection is released all the same: nobody can say what of it
   still stands.
5. Where no socket is left, CLOSED is entered directly; where one is, CLOSING waits for it, but never long.

When two could fire: a loss beats the timer of its state (the timer stops on leaving); a close beats everything.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from rtfsm.language import Machine, Reason, Timer, TimerElapsed, assign, ignore, refuse, stay, to, when
from rtfsm.vocabulary.effects import (
    CloseTransport,
    FailRequests,
    FinishSpeech,
    OpenTransport,
    ReleaseAll,
    ReportEnded,
    ReportFatal,
    ReportReady,
    ReportRecoverable,
    RestoreConfig,
    SendConfig,
    SendReset,
    SendUpdate,
)
from rtfsm.vocabulary.local import CloseRequested, ConfigGiven, Quiet, ReleaseReason, WindowOver
from rtfsm.vocabulary.wire import (
    ConfigRejected,
    ConversationEnded,
    Fault,
    GoingAway,
    ProviderReady,
    TransportLost,
    TransportOpened,
)

from .capabilities import Capabilities
from .session_context import (
    RETRIES,
    SessionContext,
    anew,
    configured,
    dirty,
    ended_normally,
    fatal,
    gone,
    is_reset,
    lost_again_resuming,
    refused_to_resume,
    resets_what_goes_on,
    restore_retry,
    resumable,
    resuming,
    retries_left,
    retryable,
    spend_retry,
)
from .tables import Row, cell, without
from .timing import Timing

__all__ = ["Session", "session_machine"]


class Session(Enum):
    CONNECTING = "the socket is being opened"
    AWAITING_CONFIG = "the socket is open, the host has not said what to configure"
    STARTING = "the configuration is sent, the provider has not answered"
    READY = "the conversation runs"
    ROLLING = "the conversation runs and a new connection is due at the next quiet moment"
    ENDING = "the assistant hung up, its goodbye is being heard"
    RECONNECTING = "the connection is lost, the next attempt is near"
    CLOSING = "our close is on its way"
    CLOSED = "over"


def session_machine(wire: Capabilities, timing: Timing | None = None, retries: int = RETRIES) -> Machine:
    """The machine for a wire. retries: connection attempts after a loss, per outage."""
    timing = timing or Timing()
    s, why = Session, ReleaseReason
    runs = assign(ran=True, dirty=False, anew=False, resuming=False, retries=retries)
    fresh = assign(configured=True, dirty=False, anew=False)
    close = to(s.CLOSING, ReleaseAll(why.CLOSE), CloseTransport)
    faults = (when(fatal, to(s.CLOSING, ReleaseAll(why.CLOSE), ReportFatal, CloseTransport)), stay(ReportRecoverable))
    lost = (
        when(retryable, to(s.RECONNECTING, ReleaseAll(why.LOST), spend_retry)),
        when(ended_normally, to(s.CLOSED, ReleaseAll(why.CLOSE), ReportEnded)),
        to(s.CLOSED, ReleaseAll(why.CLOSE), ReportFatal),
    )
    forget = assign(resuming=False)
    lost_at_work = cell(
        when(resumable, to(s.RECONNECTING, ReleaseAll(why.LOST), spend_retry, assign(resuming=True)))
        if wire.resumable
        else None,
        *lost,
    )
    lost_while_opening = cell(when(refused_to_resume, to(s.RECONNECTING, forget)) if wire.resumable else None, *lost)
    given_before_start = cell(
        when(resets_what_goes_on, stay(assign(dirty=True, anew=True))) if wire.resumable and wire.resettable else None,
        when(resuming, stay(assign(dirty=True))) if wire.resumable else None,
        stay(assign(configured=True)),
    )
    lost_before_consent = (
        cell(
            when(lost_again_resuming, to(s.RECONNECTING, ReleaseAll(why.LOST), spend_retry)),
            when(retryable, to(s.RECONNECTING, ReleaseAll(why.LOST), spend_retry, forget)),
            *lost[1:],
        )
        if wire.resumable
        else lost
    )
    nothing_to_resume = refuse("asked for while the session resumes only")
    silent = (  # nobody answered in time: the same, with a socket still to be dropped
        when(retries_left, to(s.RECONNECTING, ReleaseAll(why.LOST), CloseTransport(abort=True), spend_retry)),
        to(s.CLOSED, ReleaseAll(why.CLOSE), ReportFatal, CloseTransport(abort=True)),
    )
    attempt_anew = to(s.RECONNECTING, ReleaseAll(why.LOST), CloseTransport(abort=True), spend_retry, forget)
    give_up = to(s.CLOSING, ReleaseAll(why.CLOSE), ReportFatal, CloseTransport)
    early = ignore(Reason.STALE, "this connection is not configured yet")
    not_quiet = refuse("asked for in ROLLING and ENDING only")
    reset = stay(ReleaseAll(why.RESET), SendReset)
    given_while_ready = cell(
        when(is_reset, reset) if wire.resettable else None, stay(SendUpdate, assign(configured=True))
    )
    roll = to(s.CONNECTING, ReleaseAll(why.LOST), CloseTransport, OpenTransport)
    ended = (
        when(gone, to(s.CLOSED, ReleaseAll(why.CLOSE), ReportEnded)),
        to(s.CLOSING, ReleaseAll(why.CLOSE), ReportEnded, CloseTransport),
    )
    running: Row = {
        ConfigGiven: given_while_ready,
        ConfigRejected: stay(RestoreConfig, ReportRecoverable),
        ConversationEnded: to(s.ENDING, FailRequests),
        TransportLost: lost_at_work,
        CloseRequested: close,
        Fault: faults,
        WindowOver: nothing_to_resume,
        (ProviderReady, TransportOpened): ignore(Reason.DUPLICATE, "the conversation runs already"),
    }
    table: dict[Any, Row] = {
        s.CONNECTING: {
            ConfigGiven: given_before_start,
            TransportOpened: cell(
                when(resuming, to(s.STARTING, restore_retry)) if wire.resumable else None,
                when(configured, to(s.STARTING, SendConfig, fresh)),
                to(s.AWAITING_CONFIG),
            ),
            TransportLost: lost_while_opening,
            TimerElapsed: silent,
            CloseRequested: close,
            WindowOver: stay(CloseTransport(abort=True), OpenTransport, forget, rearm=True),
            Fault: faults,
            (ProviderReady, ConfigRejected, ConversationEnded, GoingAway): early,
            Quiet: not_quiet,
        },
        s.AWAITING_CONFIG: {
            ConfigGiven: to(s.STARTING, SendConfig, fresh),
            TransportLost: lost,
            TimerElapsed: give_up,
            CloseRequested: close,
            Fault: faults,
            (ProviderReady, ConfigRejected, ConversationEnded, GoingAway): early,
            TransportOpened: ignore(Reason.DUPLICATE, "the socket is open already"),
            WindowOver: nothing_to_resume,
            Quiet: not_quiet,
        },
        s.STARTING: {
            ProviderReady: cell(
                when(anew, to(s.READY, ReportReady, SendReset, runs)) if wire.resettable else None,
                when(dirty, to(s.READY, ReportReady, SendUpdate, runs)),
                to(s.READY, ReportReady, runs),
            ),
            ConfigGiven: cell(
                when(is_reset, stay(assign(dirty=True, anew=True))) if wire.resettable else None,
                stay(assign(dirty=True)),
            ),
            ConfigRejected: give_up,
            TransportLost: lost_before_consent,
            TimerElapsed: (when(retries_left, attempt_anew), silent[1]) if wire.resumable else silent,
            CloseRequested: close,
            Fault: faults,
            (ConversationEnded, GoingAway): early,
            TransportOpened: ignore(Reason.DUPLICATE, "the socket is open already"),
            WindowOver: stay(forget),
            Quiet: not_quiet,
        },
        s.READY: {**running, GoingAway: to(s.ROLLING), Quiet: not_quiet},
        s.ROLLING: {
            **running,
            (Quiet, TimerElapsed): roll,
            GoingAway: ignore(Reason.DUPLICATE, "a new connection is due already"),
        },
        s.ENDING: {
            (Quiet, TimerElapsed): ended,
            TransportLost: stay(FinishSpeech, assign(gone=True)),
            CloseRequested: (when(gone, to(s.CLOSED, ReleaseAll(why.CLOSE))), close),
            Fault: faults,
            (ConfigGiven, ConfigRejected): ignore(Reason.LATE, "the conversation has ended"),
            (ConversationEnded, ProviderReady, TransportOpened): ignore(Reason.DUPLICATE, "the conversation has ended"),
            GoingAway: ignore(Reason.NO_OP, "no further connection is wanted"),
            WindowOver: nothing_to_resume,
        },
        s.RECONNECTING: {
            ConfigGiven: given_before_start,
            TimerElapsed: cell(
                when(resuming, to(s.CONNECTING, OpenTransport(resume=True))) if wire.resumable else None,
                to(s.CONNECTING, OpenTransport),
            ),
            CloseRequested: to(s.CLOSED, ReleaseAll(why.CLOSE)),
            WindowOver: stay(forget),
            (
                TransportOpened,
                ProviderReady,
                ConfigRejected,
                ConversationEnded,
                TransportLost,
                GoingAway,
                Fault,
            ): ignore(Reason.STALE, "it comes from the lost connection"),
            Quiet: not_quiet,
        },
        s.CLOSING: {
            TransportLost: to(s.CLOSED),
            TimerElapsed: to(s.CLOSED, CloseTransport(abort=True)),
            (
                ConfigGiven,
                TransportOpened,
                ProviderReady,
                ConfigRejected,
                ConversationEnded,
                GoingAway,
                Fault,
                CloseRequested,
            ): ignore(Reason.TERMINAL, "the session is closing"),
            WindowOver: nothing_to_resume,
            Quiet: not_quiet,
        },
        s.CLOSED: {
            (
                ConfigGiven,
                TransportOpened,
                ProviderReady,
                ConfigRejected,
                ConversationEnded,
                TransportLost,
                GoingAway,
                Fault,
                CloseRequested,
            ): ignore(Reason.TERMINAL, "the session is over"),
            WindowOver: nothing_to_resume,
            Quiet: not_quiet,
        },
    }
    timers = {
        s.CONNECTING: Timer("connect", timing.connect),
        s.AWAITING_CONFIG: Timer("config", timing.config),
        s.STARTING: Timer("ready", timing.ready),
        s.ROLLING: Timer("roll", timing.roll),
        s.ENDING: Timer("end", timing.end),
        s.RECONNECTING: Timer("backoff", timing.backoff),
        s.CLOSING: Timer("close", timing.close),
    }
    lacking = () if wire.going_away else (s.ROLLING,)
    absent = (*(() if wire.going_away else (GoingAway,)), *(() if wire.resumable else (WindowOver,)))
    return Machine(
        "session",
        states=tuple(state for state in s if state not in lacking),
        initial=s.CONNECTING,
        final={s.CLOSED},
        context=SessionContext(retries=retries),
        begin=(OpenTransport(),),
        timers={state: timer for state, timer in timers.items() if state not in lacking},
        rests={s.READY: "a conversation lasts as long as its host wants"},
        table=without(table, states=lacking, events=absent),
    )
