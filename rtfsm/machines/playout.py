"""The playout machine: whether a message is, or will be, heard, and how far it was.

Theory. Generated is not heard: the host plays messages one by one, long after the wire has delivered them. Of all this
the other machines need two bits: *audible*, some message is queued or playing, and whether one of them keeps the floor.
The host stops everything it plays when it is told that the user speaks, and perhaps when it interrupts; otherwise a
message ends when its sound has been heard.

Where what was said can be taken back from the provider's conversation, it matters how far a message was heard: FULL,
PARTIAL or SKIPPED, exactly one of them. One that had not begun when the user took the floor is never heard, whether the
host had pulled it or not: it is taken back at once. One that was playing is cut to what the host says was heard of it.
An interruption by the host may be none (it interrupts before it asks for the answer to a tool), so STOPPED waits for
the host's word: a moment to cut at, the wish to have the message removed, or its sound after all.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import attrs

from rtfsm.language import Machine, Reason, Timer, TimerElapsed, assign, guard, ignore, refuse, to, when
from rtfsm.vocabulary.effects import TakeBack, Truncate
from rtfsm.vocabulary.local import (
    InterruptRequested,
    MessageOpened,
    MessageRemoved,
    PlayoutFinished,
    PlayoutStarted,
    PlayoutStopped,
    Release,
    TruncateAsked,
)

from .capabilities import Capabilities
from .tables import Row
from .timing import Timing

__all__ = ["Playout", "PlayoutContext", "playout_machine"]


class Playout(Enum):
    NEW = "no message was announced yet"
    QUEUED = "announced, not started"
    PLAYING = "being heard"
    STOPPED = "told to stop; how far it was heard is still to be said"
    FULL = "heard to its end"
    PARTIAL = "heard, not to its end"
    SKIPPED = "never heard"
    OVER = "heard, stopped or skipped"


@attrs.frozen
class PlayoutContext:
    """keeps_floor: the user's voice alone does not stop it; set at birth, of the generation that it belongs to. begun:
    its sound had begun when it was told to stop; only where it matters."""

    keeps_floor: bool = False
    begun: bool = False


@guard
def meant(_: PlayoutContext, event: MessageRemoved) -> bool:
    return event.meant


@guard
def had_begun(context: PlayoutContext) -> bool:
    return context.begun


STOPS = (PlayoutFinished, PlayoutStopped, InterruptRequested, Release)
ENDS = (Playout.FULL, Playout.PARTIAL, Playout.SKIPPED)


def playout_machine(wire: Capabilities, timing: Timing | None = None) -> Machine:
    """The machine for a wire."""
    timing = timing or Timing()
    p = Playout
    begun = had_begun, Timer("stopped", timing.stopped)
    return Machine(
        "playout",
        states=(p.NEW, p.QUEUED, p.PLAYING, *((p.STOPPED, *ENDS) if wire.takes_back else (p.OVER,))),
        initial=p.NEW,
        final=set(ENDS) if wire.takes_back else {p.OVER},
        context=PlayoutContext(),
        timers={
            p.QUEUED: Timer("playout", timing.playout),
            **({p.STOPPED: Timer("unheard", timing.unheard, unless=begun)} if wire.takes_back else {}),
        },
        rests={
            p.NEW: "no message was announced yet",
            p.PLAYING: "sound has a length, and whoever plays it tells its end",
        },
        table=_taking_back() if wire.takes_back else _simple(),
    )


def _simple() -> dict[Any, Row]:
    """Where nothing follows from how far a message was heard."""
    p = Playout
    return {
        p.NEW: {
            MessageOpened: to(p.QUEUED),
            (*STOPS, PlayoutStarted): refuse("nothing was announced yet, so nobody is told"),
        },
        p.QUEUED: {
            PlayoutStarted: to(p.PLAYING),
            (*STOPS, TimerElapsed): to(p.OVER),
            MessageOpened: refuse("a message is announced once"),
        },
        p.PLAYING: {
            STOPS: to(p.OVER),
            PlayoutStarted: ignore(Reason.DUPLICATE, "it is being heard"),
            MessageOpened: refuse("a message is announced once"),
        },
        p.OVER: {
            (*STOPS, PlayoutStarted, MessageOpened): ignore(Reason.TERMINAL, "the message is over"),
        },
    }


def _taking_back() -> dict[Any, Row]:
    """Where the provider's conversation is cut to what was heard."""
    p = Playout
    begun = assign(begun=True)
    once = refuse("a message is announced once")
    removed = (
        when(meant, to(p.SKIPPED, TakeBack)),
        ignore(Reason.NO_OP, "the host writes a message down once it was heard: that it lacks it says nothing"),
    )
    everything = (*STOPS, PlayoutStarted, TruncateAsked, MessageRemoved)
    return {
        p.NEW: {
            MessageOpened: to(p.QUEUED),
            everything: refuse("nothing was announced yet, so nobody is told"),
        },
        p.QUEUED: {
            PlayoutStarted: to(p.PLAYING),
            PlayoutFinished: to(p.FULL),
            PlayoutStopped: to(p.SKIPPED, TakeBack),
            InterruptRequested: to(p.STOPPED),
            MessageRemoved: removed,
            TruncateAsked: to(p.PARTIAL, Truncate),
            (Release, TimerElapsed): to(p.SKIPPED),
            MessageOpened: once,
        },
        p.PLAYING: {
            PlayoutFinished: to(p.FULL),
            (PlayoutStopped, InterruptRequested): to(p.STOPPED, begun),
            TruncateAsked: to(p.PARTIAL, Truncate),
            MessageRemoved: removed,
            Release: to(p.PARTIAL),
            PlayoutStarted: ignore(Reason.DUPLICATE, "it is being heard"),
            MessageOpened: once,
        },
        p.STOPPED: {
            PlayoutStarted: to(p.PLAYING),
            TruncateAsked: to(p.PARTIAL, Truncate),
            MessageRemoved: to(p.SKIPPED, TakeBack),
            PlayoutStopped: (
                when(had_begun, ignore(Reason.DUPLICATE, "it was told to stop before")),
                to(p.SKIPPED, TakeBack),
            ),
            TimerElapsed: (when(had_begun, to(p.FULL)), to(p.SKIPPED, TakeBack)),
            Release: (when(had_begun, to(p.PARTIAL)), to(p.SKIPPED)),
            PlayoutFinished: ignore(Reason.LATE, "it was told to stop before its end"),
            InterruptRequested: ignore(Reason.DUPLICATE, "it was told to stop before"),
            MessageOpened: once,
        },
        **{end: {(*everything, MessageOpened): ignore(Reason.TERMINAL, "the message is over")} for end in ENDS},
    }
