"""The generation machine: one response of the provider, as the host and the wire see it.

Theory. What the host sees of a response and what the wire does with it end at different times, and most bugs of this
field live in the gap. Toward the host a generation is open (SPEAKING, TOOL_PENDING) or it is not; every way out of
these two closes the message, decides the held calls and ends the streams in the same step. Toward the wire it may go
on: a cut response keeps coming (INTERRUPTED), a response handed over for its tool call keeps its bracket open (SEALED),
and on a wire without response ids even an ended one has stragglers that nothing betrays (TAIL). These three swallow or
re-route what comes, so that content of a dead turn never opens a new one, and words of a living one are never lost.

On such a wire an assistant that murmurs while the user speaks ("mm-hmm") is no turn either: words without a bracket
that come then, and belong to nothing that is alive, are dropped. And since what is left of a cut turn may come for as
long as the user speaks, it is swallowed without a limit until then.

On a wire with ids SEALED and TAIL do not exist: late content is known by its id and never reaches this machine.

Which rule wins. The event that creates a generation opens it, once. A cut beats a drain; a reset cuts. A message is
opened by its first content, so a response that only calls a tool has none. Time never closes a stream that content
still feeds: each delta starts the timer anew, except that sound alone does not prolong a turn without brackets.

Where a message can be taken out of the provider's conversation, those of a cut response that never reached the host
are: the provider must not believe that it said them.

The first state is virtual: an instance that does not leave IDLE is dropped at once, its event counted.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import attrs

from rtfsm.language import Arm, Machine, Reason, Timer, TimerElapsed, assign, ignore, refuse, stay, to, when
from rtfsm.vocabulary.effects import (
    BeginNext,
    ClaimReply,
    CloseMessage,
    CorrectContext,
    DropHeld,
    HoldCall,
    NoticeInterruption,
    OpenGeneration,
    OpenMessage,
    PassCall,
    PushAudio,
    PushText,
    RejectCall,
    ReleaseHeld,
    Seal,
    SendCancel,
    TakeBack,
)
from rtfsm.vocabulary.local import (
    InterruptRequested,
    MessageUnheard,
    ProviderGone,
    Release,
    Superseded,
    UserCut,
    UserSilent,
    UserTalks,
)
from rtfsm.vocabulary.wire import (
    AudioDelta,
    GenerationCreated,
    GenerationDone,
    GenerationInterrupted,
    MessageDone,
    TextDelta,
    ToolCallReady,
)

from .capabilities import Capabilities
from .generation_context import (
    Answers,
    GenerationContext,
    Message,
    answers_ended_request,
    answers_request,
    is_reset,
    murmurs,
    never_opened,
    no_message,
    no_words_yet,
    nothing_spoken,
    user_talks,
    was_cut,
    without_bracket,
)
from .tables import Row, cell, without
from .timing import Timing

__all__ = ["Generation", "generation_machine"]


class Generation(Enum):
    IDLE = "the next one; nothing of it was seen"
    SPEAKING = "open at the host, its streams are fed"
    TOOL_PENDING = "open at the host, a call was handed over, speech in flight is drained"
    SEALED = "over for the host, its bracket on the wire is still open"
    INTERRUPTED = "cut, or never to be heard; nothing of it reaches the host"
    TAIL = "ended by its bracket; stragglers carry no id that betrays them"
    DONE = "over; its id becomes unknown"


def generation_machine(wire: Capabilities, timing: Timing | None = None) -> Machine:
    """The machine for a wire."""
    timing = timing or Timing()
    g, minted = Generation, wire.minted
    survives_reset = minted and wire.resettable
    ended = g.TAIL if minted else g.DONE
    held, dropped = ((ReleaseHeld,), (DropHeld,)) if wire.hold_calls else ((), ())
    send_cancel = (SendCancel,) if wire.cancel else ()
    no_more = assign(message=Message.NONE)
    begun = assign(opened=True, bracketed=True, answers=Answers.NOBODY)
    implicit = assign(opened=True, answers=Answers.NOBODY)
    worded, sounding = assign(message=Message.WORDED, spoken=True), assign(message=Message.OPEN, spoken=True)
    finish_quietly, cut_quietly = (CloseMessage, Seal, no_more), (CloseMessage(cut=True), Seal, no_more)

    def opening(target: Generation, kept: Any, *then: Any) -> tuple[Arm, ...]:
        """What the first event of a generation does, by whom the generation answers."""
        return (
            when(answers_request, to(target, OpenGeneration(user_initiated=True), ClaimReply, *then, *kept)),
            to(target, OpenGeneration, ClaimReply, *then, *kept),
        )

    unheard = to(g.INTERRUPTED, ClaimReply, *send_cancel, assign(answers=Answers.NOBODY))
    content: Row = {
        TextDelta: (
            when(no_message, stay(OpenMessage, PushText, worded, rearm=True)),
            when(no_words_yet, stay(PushText, worded, rearm=True)),
            stay(PushText, rearm=True),
        ),
        AudioDelta: cell(
            when(no_message, stay(OpenMessage, PushAudio, sounding, rearm=True)),
            when(without_bracket, stay(PushAudio)) if minted else None,
            stay(PushAudio, rearm=True),
        ),
        MessageDone: (
            when(no_message, ignore(Reason.DUPLICATE, "no message is open")),
            stay(CloseMessage, no_more),
        ),
    }

    def leaving(finish: tuple[Any, ...], cut: tuple[Any, ...]) -> Row:
        """The ways out of a generation that is open at the host."""
        return {
            GenerationDone: (when(was_cut, to(ended, *cut)), to(ended, *finish)),
            GenerationInterrupted: to(g.INTERRUPTED, *cut, CorrectContext, NoticeInterruption),
            UserCut: to(g.INTERRUPTED, *cut, *send_cancel),
            InterruptRequested: to(g.INTERRUPTED, *cut, *send_cancel),
            Superseded: to(g.DONE, *cut),
            Release: cell(when(is_reset, to(g.INTERRUPTED, *cut)) if survives_reset else None, to(g.DONE, *cut)),
            ProviderGone: to(g.DONE, *finish),
            TimerElapsed: to(g.SEALED, *finish) if minted else to(g.INTERRUPTED, *finish, *send_cancel),
        }

    listening: Row = {UserTalks: stay(assign(user_talks=True)), UserSilent: stay(assign(user_talks=False))}
    empty = ignore(Reason.NO_OP, "a message without content is none")
    begins_next = to(g.DONE, BeginNext)
    unknown_id = refuse("content of an unknown id is dropped before it gets here")
    again = ignore(Reason.DUPLICATE, "a response with this id is known")
    other_wire = refuse("on this wire the next response supersedes nothing")
    table: dict[Any, Row] = {
        g.IDLE: {
            GenerationCreated: (when(answers_ended_request, unheard), *opening(g.SPEAKING, (begun,))),
            TextDelta: (
                (
                    when(murmurs, ignore(Reason.NOISE, "a murmur while the user speaks")),
                    when(answers_ended_request, unheard),
                    *opening(g.SPEAKING, (implicit, worded), OpenMessage, PushText),
                )
                if minted
                else unknown_id
            ),
            ToolCallReady: (
                (
                    when(answers_ended_request, to(g.DONE, ClaimReply, RejectCall)),
                    *opening(g.DONE, (implicit,), PassCall, Seal),
                )
                if minted
                else unknown_id
            ),
            AudioDelta: ignore(Reason.NOISE, "sound between turns is background") if minted else unknown_id,
            (MessageDone, GenerationDone): ignore(Reason.LATE, "nothing is open") if minted else unknown_id,
            GenerationInterrupted: stay(CorrectContext, NoticeInterruption),
            (InterruptRequested, UserCut, UserTalks, UserSilent, Release, ProviderGone, MessageUnheard): refuse(
                "nothing is open, so nobody is told"
            ),
            Superseded: refuse("a generation that has not begun is not superseded"),
        },
        g.SPEAKING: {
            **content,
            **listening,
            MessageUnheard: empty,
            ToolCallReady: cell(
                when(no_message, to(g.SEALED, PassCall, Seal)) if minted else None,
                to(g.TOOL_PENDING, HoldCall if wire.hold_calls else PassCall),
            ),
            GenerationCreated: (
                (
                    when(nothing_spoken, ignore(Reason.DUPLICATE, "it was announced before and has said nothing")),
                    to(g.DONE, *finish_quietly, BeginNext),
                )
                if minted
                else again
            ),
            **leaving(finish_quietly, cut_quietly),
        },
        g.TOOL_PENDING: {
            **content,
            **listening,
            MessageUnheard: empty,
            ToolCallReady: stay(HoldCall if wire.hold_calls else PassCall, rearm=True),
            GenerationCreated: to(g.DONE, *finish_quietly, BeginNext) if minted else again,
            **leaving((CloseMessage, *held, Seal, no_more), (CloseMessage(cut=True), *dropped, Seal, no_more)),
        },
        g.SEALED: {
            **listening,
            TextDelta: to(g.DONE, BeginNext(continued=True)),
            ToolCallReady: stay(BeginNext(continued=True)),
            GenerationCreated: begins_next,
            GenerationDone: to(g.TAIL),
            GenerationInterrupted: to(g.INTERRUPTED, CorrectContext, NoticeInterruption),
            (UserCut, InterruptRequested): to(g.INTERRUPTED),
            Release: cell(when(is_reset, to(g.INTERRUPTED)) if survives_reset else None, to(g.DONE)),
            (ProviderGone, TimerElapsed): to(g.DONE),
            AudioDelta: ignore(Reason.NOISE, "sound without words after the words were handed over"),
            MessageDone: ignore(Reason.LATE, "the message was closed when the generation was sealed"),
            Superseded: other_wire,
        },
        g.INTERRUPTED: {
            **listening,
            (TextDelta, AudioDelta): ignore(Reason.LATE, "it belongs to a response that was cut", rearm=True),
            ToolCallReady: cell(
                when(never_opened, stay(RejectCall)) if minted else None,
                stay(BeginNext) if minted else stay(RejectCall),
            ),
            GenerationInterrupted: stay(CorrectContext),
            GenerationDone: to(ended),
            GenerationCreated: begins_next if minted else again,
            Release: cell(
                when(is_reset, ignore(Reason.NO_OP, "it was cut before, and its content may still come", rearm=True))
                if survives_reset
                else None,
                to(g.DONE),
            ),
            (ProviderGone, TimerElapsed): to(g.DONE),
            MessageDone: ignore(Reason.LATE, "its message was closed when it was cut"),
            MessageUnheard: stay(TakeBack),
            (InterruptRequested, UserCut): ignore(Reason.NO_OP, "it was cut before"),
            Superseded: other_wire if minted else ignore(Reason.NO_OP, "it was cut before"),
        },
        g.TAIL: {
            (UserTalks, UserSilent): ignore(Reason.NO_OP, "its stragglers have their own limit"),
            GenerationCreated: begins_next,
            ToolCallReady: stay(BeginNext),
            GenerationInterrupted: stay(CorrectContext, NoticeInterruption),
            Release: cell(
                when(is_reset, ignore(Reason.NO_OP, "it has ended, and stragglers may still come", rearm=True))
                if survives_reset
                else None,
                to(g.DONE),
            ),
            (ProviderGone, TimerElapsed): to(g.DONE),
            (TextDelta, AudioDelta, MessageDone): ignore(Reason.LATE, "it belongs to a turn that has ended"),
            GenerationDone: ignore(Reason.DUPLICATE, "the bracket was closed before"),
            (InterruptRequested, UserCut): ignore(Reason.NO_OP, "it has ended"),
            Superseded: other_wire,
        },
        g.DONE: {
            (
                GenerationCreated,
                TextDelta,
                AudioDelta,
                MessageDone,
                ToolCallReady,
                GenerationDone,
                GenerationInterrupted,
                UserCut,
                UserTalks,
                UserSilent,
                InterruptRequested,
                MessageUnheard,
                Superseded,
                Release,
                ProviderGone,
            ): ignore(Reason.TERMINAL, "the generation is over"),
        },
    }
    stall = Timer("stall", timing.stall)
    if minted:
        stall = attrs.evolve(stall, unless=(without_bracket, Timer("implicit", timing.implicit)))
    tail = Timer("tail", timing.tail, cap=timing.tail_cap)
    timers = {
        g.SPEAKING: stall,
        g.TOOL_PENDING: Timer("drain", timing.drain) if minted else Timer("stall", timing.stall),
        g.SEALED: Timer("stall", timing.stall),
        g.INTERRUPTED: (
            attrs.evolve(tail, unless=(user_talks, Timer("tail", timing.tail)))
            if minted
            else Timer("cancel", timing.cancel)
        ),
        g.TAIL: tail,
    }
    lacking = () if minted else (g.SEALED, g.TAIL)
    absent = {*((Superseded,) if minted and not wire.out_of_band else ())}
    absent |= set() if minted else {UserTalks, UserSilent}
    absent |= set() if wire.takes_back and not minted else {MessageUnheard}
    return Machine(
        "generation",
        states=tuple(state for state in g if state not in lacking),
        initial=g.IDLE,
        final={g.DONE},
        context=GenerationContext(),
        timers={state: timer for state, timer in timers.items() if state not in lacking},
        rests={g.IDLE: "nothing has begun"},
        table=without(table, states=lacking, events=absent),
    )
