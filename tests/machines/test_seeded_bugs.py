"""Bugs put into the tables on purpose, each a known failure of this field. Legal phrases alone must find them.

What finds nothing here would find nothing in our own tables either.
"""

from __future__ import annotations

import itertools
from typing import Any

import attrs
import pytest

from rtfsm.language import Event, Machine, Reason, TimerElapsed, ignore, stay, to
from rtfsm.machines import Capabilities, Generation, Reply, Session, ToolCall, UserTurn, compose, routing
from rtfsm.profiles import OPENAI, PHONIC
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary import local, wire

from .cast import Cast
from .phrases import beginning, phrases
from .stage import Stage

Seed = tuple[Capabilities, str, Any, type[Event], Any, str]

CUT = (order.CloseMessage(cut=True), order.Seal())

SEEDS: dict[str, Seed] = {
    "a cut turn is forgotten": (
        PHONIC, "generation", Generation.SPEAKING, local.UserCut, to(Generation.DONE, *CUT), "dead turn",
    ),
    "an ended turn is forgotten": (
        PHONIC, "generation", Generation.SPEAKING, wire.GenerationDone, to(Generation.DONE, *CUT), "dead turn",
    ),
    "a reset turn is forgotten": (
        PHONIC, "generation", Generation.SPEAKING, local.Release, to(Generation.DONE, *CUT), "dead turn",
    ),
    "a turn that only calls a tool is not sealed": (
        PHONIC, "generation", Generation.IDLE, wire.ToolCallReady,
        to(Generation.DONE, order.OpenGeneration, order.PassCall), "S-1",
    ),
    "a second start leaves the first turn open": (
        PHONIC, "generation", Generation.SPEAKING, wire.GenerationCreated, to(Generation.DONE, order.BeginNext), "S-1",
    ),
    "a second response does not close the first": (
        OPENAI, "generation", Generation.SPEAKING, local.Superseded, to(Generation.DONE), "S-1",
    ),
    "streams end with a message open": (
        PHONIC, "generation", Generation.SPEAKING, local.UserCut, to(Generation.INTERRUPTED, order.Seal), "GEN-4",
    ),
    "the late answer to an ended request is announced": (
        OPENAI, "generation", Generation.IDLE, wire.GenerationCreated,
        to(Generation.SPEAKING, order.OpenGeneration), "late answer",
    ),
    "a future is not settled when the session ends": (
        PHONIC, "reply", Reply.SENT, local.Release, to(Reply.ENDED), "S-2",
    ),
    "an expired request stays queued": (
        PHONIC, "reply", Reply.QUEUED, TimerElapsed, to(Reply.SENT, order.FailReply(order.Failure.EXPIRED)), "S-2",
    ),
    "an output is sent after a reset": (
        PHONIC, "tool_call", ToolCall.PENDING, local.Release, ignore(Reason.NO_OP, "so what"), "TOOL-2",
    ),
    "an output is sent after the withdrawal": (
        PHONIC, "tool_call", ToolCall.PENDING, wire.ToolCallCancelled, ignore(Reason.NO_OP, "so what"), "TOOL-2",
    ),
    "the configuration is sent when the socket opens and when it changes": (
        PHONIC, "session", Session.STARTING, local.ConfigGiven, stay(order.SendConfig), "SESSION-1",
    ),
    "a normal end is silent": (
        PHONIC, "session", Session.READY, wire.TransportLost,
        to(Session.CLOSED, order.ReleaseAll(local.ReleaseReason.CLOSE)), "nobody was told",
    ),
    "a fatal fault is reported before the streams are closed": (
        PHONIC, "session", Session.READY, wire.Fault,
        to(Session.CLOSING, order.ReportFatal, order.ReleaseAll(local.ReleaseReason.CLOSE), order.CloseTransport),
        "SESSION-3",
    ),
    "a taken back turn leaves the user speaking": (
        PHONIC, "user_turn", UserTurn.SPEAKING, wire.UserTurnCancelled, to(UserTurn.SILENT), "S-5",
    ),
    "the host is told of speech before the turn is cut": (
        PHONIC, "user_turn", UserTurn.SILENT, wire.UserSpeechStarted,
        to(UserTurn.SPEAKING, order.SpeechStarted, order.CutAgent, order.TellReplies), "GEN-6",
    ),
}  # fmt: skip


def spoilt(machine: Machine, state: Any, event: type[Event], cell: Any) -> Machine:
    """The machine with one cell exchanged."""
    table = {
        one: {kind: arms for kind, arms in row.items() if kind is not TimerElapsed or one in machine.timers}
        for one, row in machine.cells.items()
    }
    table[state][event] = cell
    return attrs.evolve(machine, table=table)


def found(stage: Stage, moves: list[Any]) -> str | None:
    """What was found wrong, in words; None where nothing was."""
    try:
        stage.play(moves)
        stage.closes()
    except AssertionError as error:
        violations = [violation.invariant for violation in stage.conversation.monitor.violations]
        return " ".join([*violations, str(error)])
    return None


@pytest.mark.parametrize("bug", SEEDS)
def test_a_seeded_bug_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    profile, name, state, event, cell, symptom = SEEDS[bug]
    made = getattr(routing, f"{name}_machine")
    monkeypatch.setattr(routing, f"{name}_machine", lambda *given: spoilt(made(*given), state, event, cell))
    composition = compose(profile)
    told = set()
    for first, second in itertools.product([None, *phrases(profile)], phrases(profile)):
        moves = [*(first(Cast(profile, 1)) if first else []), *second(Cast(profile, 2))]
        wrong = found(Stage(profile, composition=composition), [*beginning(profile), *moves])
        if wrong is not None and symptom in wrong:
            return
        told.add(wrong)
    pytest.fail(f"not found; what was: {told}")


def test_without_a_seed_nothing_is_found() -> None:
    for profile in (PHONIC, OPENAI):
        for phrase in phrases(profile):
            assert found(Stage(profile), [*beginning(profile), *phrase(Cast(profile, 1))]) is None, phrase
