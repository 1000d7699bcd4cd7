"""The user turn machine: whether the host is told that the user speaks.

Theory. The one way to interrupt the host is to tell it that the user started to speak, so telling *is* cutting. Hence
OVERLAPPING: the user speaks over speech that must not be cut, and the host is not told. Hence also the pair: where the
provider says that it was cut and the host does not know that the user speaks, started and stopped are told together,
or the host plays on; where it knows, and plays what began since, stopped and started are.
What is told alternates, always: started, stopped, started. The agent is cut before the host is told. A transcript
never touches a generation: most wires deliver it in no order.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from rtfsm.language import Machine, Reason, Timer, TimerElapsed, guard, ignore, refuse, stay, to, when
from rtfsm.vocabulary.effects import (
    CutAgent,
    EmitTranscript,
    SpeechStarted,
    SpeechStopped,
    TellReplies,
    TellSilent,
    TellTalking,
)
from rtfsm.vocabulary.local import FloorFree, InterruptionNoticed, Release
from rtfsm.vocabulary.wire import UserSpeechStarted, UserSpeechStopped, UserTranscript, UserTurnCancelled

from .capabilities import Capabilities
from .tables import Row
from .timing import Timing

__all__ = ["UserTurn", "user_turn_machine"]


class UserTurn(Enum):
    SILENT = "the user does not speak"
    OVERLAPPING = "the user speaks over speech that must not be cut; the host is not told"
    SPEAKING = "the user speaks and the host was told"
    AWAITING_TRANSCRIPT = "the user stopped, the words are still to come"


@guard
def floor_held(_: object, event: UserSpeechStarted) -> bool:
    return event.floor_held


@guard
def audible(_: object, event: InterruptionNoticed) -> bool:
    return event.audible


def user_turn_machine(wire: Capabilities, timing: Timing | None = None) -> Machine:
    """The machine for a wire. Where responses have ids, no generation has to know whether the user speaks."""
    timing = timing or Timing()
    u = UserTurn
    talking, silent = ((TellTalking,), (TellSilent,)) if wire.minted else ((), ())
    start = (
        when(floor_held, to(u.OVERLAPPING, *talking)),
        to(u.SPEAKING, CutAgent, *talking, SpeechStarted, TellReplies),
    )
    pair = (
        when(audible, stay(CutAgent, SpeechStarted, TellReplies, SpeechStopped)),
        ignore(Reason.NO_OP, "nothing is being heard that would have to end"),
    )
    speaks = ignore(Reason.DUPLICATE, "the user speaks already")
    floor_is_free = refuse("asked for in OVERLAPPING only")
    table: dict[Any, Row] = {
        u.SILENT: {
            UserSpeechStarted: start,
            UserTranscript: stay(EmitTranscript),
            InterruptionNoticed: pair,
            (UserSpeechStopped, UserTurnCancelled, Release): ignore(Reason.NO_OP, "the user does not speak"),
            FloorFree: floor_is_free,
        },
        u.OVERLAPPING: {
            InterruptionNoticed: to(u.SPEAKING, CutAgent, SpeechStarted, TellReplies),
            FloorFree: to(u.SPEAKING, SpeechStarted, TellReplies),
            UserSpeechStopped: to(u.AWAITING_TRANSCRIPT, *silent),
            (UserTurnCancelled, TimerElapsed): to(u.SILENT, *silent),
            Release: to(u.SILENT),
            UserTranscript: stay(EmitTranscript),
            UserSpeechStarted: speaks,
        },
        u.SPEAKING: {
            UserSpeechStopped: to(u.AWAITING_TRANSCRIPT, SpeechStopped, *silent),
            (UserTurnCancelled, TimerElapsed): to(u.SILENT, SpeechStopped, *silent),
            Release: to(u.SILENT, SpeechStopped),
            UserTranscript: stay(EmitTranscript),
            UserSpeechStarted: speaks,
            InterruptionNoticed: (
                when(audible, stay(CutAgent, SpeechStopped, SpeechStarted)),
                ignore(Reason.NO_OP, "the host was told when the user began, and plays nothing since"),
            ),
            FloorFree: floor_is_free,
        },
        u.AWAITING_TRANSCRIPT: {
            UserTranscript: to(u.SILENT, EmitTranscript),
            UserSpeechStarted: start,
            (UserTurnCancelled, Release, TimerElapsed): to(u.SILENT),
            InterruptionNoticed: pair,
            UserSpeechStopped: ignore(Reason.DUPLICATE, "the user stopped before"),
            FloorFree: floor_is_free,
        },
    }
    return Machine(
        "user_turn",
        states=u,
        initial=u.SILENT,
        timers={
            u.OVERLAPPING: Timer("speech", timing.speech),
            u.SPEAKING: Timer("speech", timing.speech),
            u.AWAITING_TRANSCRIPT: Timer("transcript", timing.transcript),
        },
        rests={u.SILENT: "nobody has to speak"},
        table=table,
    )
