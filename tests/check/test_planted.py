"""Known failures of this field, planted in fresh declarations: the search finds each, by the shortest order."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from rtfsm.check import Bounds, search
from rtfsm.check.report import narrate, numbered
from rtfsm.language import DeclarationError, Event, Reason, TimerElapsed, assign, ignore, stay, to, when
from rtfsm.machines import Capabilities, Generation, Reply, Session, ToolCall, UserTurn, compose
from rtfsm.machines.reply import is_reset
from rtfsm.profiles import OPENAI, PHONIC
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary import local, wire

from .defects import composed_with, exchanged, model_of

Cell = tuple[str, Any, type[Event], Any]
Planted = tuple[Capabilities, Bounds, Cell, str, int]

CUT = (order.CloseMessage(cut=True), order.Seal())
CLOSE = order.ReleaseAll(local.ReleaseReason.CLOSE)
LOST = order.ReleaseAll(local.ReleaseReason.LOST)
NOTHING = ignore(Reason.NO_OP, "so what")
ALONE, CALLING, ASKING = Bounds(0, 0, 1), Bounds(1, 0, 1), Bounds(0, 1, 1)

PLANTED: dict[str, Planted] = {
    "a turn that was cut is forgotten, so its next word opens a ghost": (
        PHONIC, ALONE, ("generation", Generation.SPEAKING, local.UserCut, to(Generation.DONE, *CUT)), "GEN-5", 7,
    ),
    "a turn that has ended is forgotten, so its stragglers open a ghost": (
        PHONIC, ALONE, ("generation", Generation.SPEAKING, wire.GenerationDone, to(Generation.DONE, *CUT)), "GEN-5", 6,
    ),
    "a turn is forgotten at a reset": (
        PHONIC, ALONE, ("generation", Generation.SPEAKING, local.Release, to(Generation.DONE, *CUT)), "GEN-5", 6,
    ),
    "the tail of a turn is forgotten at a reset": (
        PHONIC, ALONE, ("generation", Generation.TAIL, local.Release, to(Generation.DONE)), "GEN-5", 7,
    ),
    "a turn that only calls a tool leaves its streams open": (
        PHONIC, CALLING,
        ("generation", Generation.IDLE, wire.ToolCallReady,
         to(Generation.DONE, order.OpenGeneration, order.PassCall)), "S-1", 4,
    ),
    "a second start leaves the first turn open": (
        PHONIC, ALONE,
        ("generation", Generation.SPEAKING, wire.GenerationCreated, to(Generation.DONE, order.BeginNext)), "S-1", 5,
    ),
    "streams are ended twice": (
        PHONIC, ALONE,
        ("generation", Generation.SPEAKING, local.UserCut, to(Generation.INTERRUPTED, *CUT, order.Seal)), "GEN-4", 5,
    ),
    "a word is pushed after its message was closed": (
        PHONIC, ALONE,
        ("generation", Generation.SPEAKING, wire.MessageDone, stay(order.CloseMessage, order.PushText)), "GEN-2", 5,
    ),
    "a future is not settled when the session closes": (
        PHONIC, ASKING, ("reply", Reply.SENT, local.Release, to(Reply.ENDED)), "S-2", 5,
    ),
    "a request expires and is sent later all the same": (
        PHONIC, ASKING, ("reply", Reply.QUEUED, TimerElapsed, to(Reply.SENT, order.FailReply(order.Failure.EXPIRED))),
        "S-2", 2,
    ),
    "the late answer to an ended request is heard": (
        OPENAI, ASKING,
        ("generation", Generation.IDLE, wire.GenerationCreated, to(Generation.SPEAKING, order.OpenGeneration)),
        "REPLY-4", 4,
    ),
    "a request runs out of time and its future waits on": (
        PHONIC, ASKING, ("reply", Reply.SENT, TimerElapsed, to(Reply.ENDED)), "S-2", 5,
    ),
    "the late answer to an expired request is taken for the next one": (
        PHONIC, ASKING,
        ("reply", Reply.SENT, TimerElapsed, to(Reply.ENDED, order.FailReply(order.Failure.EXPIRED))), "REPLY-5", 7,
    ),
    "an output is sent after a reset": (
        PHONIC, CALLING,
        ("tool_call", ToolCall.PENDING, local.Release,
         (when(is_reset, NOTHING), to(ToolCall.ORPHANED, order.ReportCallEnded))), "TOOL-2", 6,
    ),
    "an output is sent on a connection that did not make the call": (
        PHONIC, CALLING, ("tool_call", ToolCall.PENDING, local.Release, NOTHING), "S-3", 5,
    ),
    "an output is sent after the call was withdrawn": (
        PHONIC, CALLING, ("tool_call", ToolCall.PENDING, wire.ToolCallCancelled, NOTHING), "TOOL-2", 6,
    ),
    "an output is sent twice": (
        PHONIC, CALLING, ("tool_call", ToolCall.ANSWERED, local.ToolOutputGiven, stay(order.SendToolOutput)),
        "TOOL-2", 6,
    ),
    "a call is lost behind the end of its streams": (
        PHONIC, CALLING,
        ("generation", Generation.SPEAKING, wire.ToolCallReady,
         to(Generation.SEALED, order.CloseMessage, order.Seal, order.PassCall)), "TOOL-1", 5,
    ),
    "a held call survives the cut of its response": (
        OPENAI, CALLING, ("generation", Generation.TOOL_PENDING, local.UserCut, to(Generation.INTERRUPTED, *CUT)),
        "TIME-2", 8,
    ),
    "the configuration is sent when the socket opens and when it changes": (
        PHONIC, ALONE, ("session", Session.STARTING, local.ConfigGiven, stay(order.SendConfig)), "SESSION-1", 3,
    ),
    "something else is sent before the provider is ready": (
        PHONIC, ALONE, ("session", Session.STARTING, local.ConfigGiven, stay(order.SendUpdate)), "SESSION-2", 3,
    ),
    "a fatal error is reported before the streams are closed": (
        PHONIC, ALONE,
        ("session", Session.READY, wire.Fault,
         to(Session.CLOSING, order.ReportFatal, CLOSE, order.CloseTransport)), "SESSION-3", 5,
    ),
    "the end is reported twice": (
        PHONIC, ALONE,
        ("session", Session.CLOSING, TimerElapsed, to(Session.CLOSED, order.ReportEnded)), "SESSION-3", 2,
    ),
    "a session ends and leaves its turn alive": (
        PHONIC, ALONE, ("session", Session.READY, local.CloseRequested, to(Session.CLOSING, order.CloseTransport)),
        "S-4", 5,
    ),
    "a taken back turn leaves the user speaking": (
        PHONIC, ALONE, ("user_turn", UserTurn.SPEAKING, wire.UserTurnCancelled, to(UserTurn.SILENT)), "S-5", 5,
    ),
    "the end of speech is told to nobody who heard of its start": (
        PHONIC, ALONE, ("user_turn", UserTurn.AWAITING_TRANSCRIPT, wire.UserTranscript,
                        to(UserTurn.SILENT, order.EmitTranscript, order.SpeechStopped)), "USER-1", 6,
    ),
    "the host is told of speech before the turn is cut": (
        PHONIC, ALONE,
        ("user_turn", UserTurn.SILENT, wire.UserSpeechStarted,
         to(UserTurn.SPEAKING, order.SpeechStarted, order.CutAgent, order.TellReplies)), "GEN-6", 5,
    ),
    "a word of a living turn is lost": (
        PHONIC, ALONE, ("generation", Generation.SEALED, wire.TextDelta, NOTHING), "GEN-7", 6,
    ),
    "a turn that was cut is put back to its beginning": (
        PHONIC, ALONE, ("generation", Generation.SPEAKING, local.UserCut, to(Generation.IDLE, *CUT)), "REFUSED", 5,
    ),
    "a held call is handed over at once, and again when its response is done": (
        OPENAI, CALLING, ("tool_call", ToolCall.NEW, local.CallHeld, to(ToolCall.HELD, order.DeliverCall)),
        "TOOL-1", 6,
    ),
    "a wait that has ended only begins again": (
        PHONIC, ALONE,
        ("session", Session.RECONNECTING, TimerElapsed, stay(assign(configured=True), rearm=True)), "TIME-2", 1,
    ),
    "an expected reply is left behind at each call": (
        PHONIC, Bounds(1, 0, 1), ("reply", Reply.EXPECTED, local.NextCall, to(Reply.DISCARDING)), "BOUND", 9,
    ),
    "attempts to connect are not counted": (
        PHONIC, ALONE,
        ("session", Session.CONNECTING, TimerElapsed,
         to(Session.RECONNECTING, LOST, order.CloseTransport(abort=True))), "TIME-2", 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("defect", PLANTED)
def test_a_planted_defect_is_found_by_a_shortest_order(defect: str) -> None:
    profile, bounds, cell, invariant, length = PLANTED[defect]
    model = model_of(profile, bounds, composed_with(profile, *cell))
    (violated,) = search(model).violations
    steps = list(narrate(model, violated.ordering))
    told = numbered(steps)
    assert (violated.name, len(violated.ordering)) == (invariant, length), f"{violated.what}\n{told}"
    lines = [line.split(".", 1) for line in told.splitlines()]
    assert [int(number) for number, _ in lines] == list(range(len(steps) + 1))
    assert all(line[1].startswith(f" {step.label} ") for line, step in zip(lines[1:], steps, strict=True))
    if invariant == "TIME-2":
        assert all(step.wrong is None for step in steps)
    else:
        assert [step.wrong for step in steps] == [*[None] * (length - 1), violated.what]


def test_what_is_exchanged_for_itself_is_no_defect() -> None:
    machine = compose(PHONIC, retries=1).machines[1]
    cell = machine.cells[Generation.SPEAKING][local.UserCut]
    same = composed_with(PHONIC, "generation", Generation.SPEAKING, local.UserCut, cell)
    assert search(model_of(PHONIC, ALONE, same)).violations == []


def test_a_circle_of_timers_is_told_to_where_it_closes() -> None:
    profile, bounds, cell, _, _ = PLANTED["attempts to connect are not counted"]
    model = model_of(profile, bounds, composed_with(profile, *cell))
    (violated,) = search(model).violations
    steps = list(narrate(model, violated.ordering))
    assert [step.label for step in steps[len(violated.ordering) :]] == [
        "time: backoff of session session",
        "time: connect of session session",
    ]
    assert all(step.who == "Time" for step in steps)
    assert steps[-1].after == steps[0].after


def test_a_missing_timer_cannot_be_declared() -> None:
    machine = compose(PHONIC).machines[3]
    timers = {state: timer for state, timer in machine.timers.items() if state is not ToolCall.PENDING}
    table = {
        state: {kind: cell for kind, cell in row.items() if kind is not TimerElapsed or state in timers}
        for state, row in machine.cells.items()
    }
    with pytest.raises(DeclarationError, match="state PENDING: waits with neither a timer nor a declared rest"):
        attrs.evolve(machine, timers=timers, table=table)


def test_a_timer_that_changes_nothing_cannot_be_declared() -> None:
    machine = compose(PHONIC).machines[3]
    with pytest.raises(DeclarationError, match="time runs out and nothing changes, so the wait never ends"):
        exchanged(machine, ToolCall.PENDING, TimerElapsed, stay(order.SendToolError, rearm=True))
