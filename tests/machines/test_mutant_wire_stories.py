"""Stories of one wrong decision over the wires that can do other things than the first."""

from __future__ import annotations

import pytest

from rtfsm.language import Effect
from rtfsm.machines import Capabilities, Session
from rtfsm.profiles import GEMINI, OPENAI, PROFILES, WIDEST
from rtfsm.vocabulary.effects import (
    CloseMessage,
    FailReply,
    Failure,
    OpenGeneration,
    OpenTransport,
    ReleaseHost,
    Seal,
    SendReplyRequest,
    SendReset,
    SendToolOutput,
    SendUpdate,
)
from rtfsm.vocabulary.local import (
    CloseRequested,
    ConfigGiven,
    ConfigKind,
    InterruptRequested,
    ReplyAbandoned,
    ReplyKind,
    ReplyRequested,
    ToolOutputGiven,
    ToolReply,
)
from rtfsm.vocabulary.wire import (
    ConversationEnded,
    GenerationCreated,
    GenerationDone,
    GoingAway,
    Loss,
    ProviderReady,
    RequestRejected,
    TextDelta,
    ToolCallCancelled,
    ToolCallReady,
    ToolResultTaken,
    TransportLost,
    TransportOpened,
)

from .talk import Talk, ready

CUT: list[Effect] = [CloseMessage(cut=True), Seal()]
START, TEXT, CALL = GenerationCreated("g"), TextDelta("one", "g"), ToolCallReady("c", "look_up", "{}", "g")
DONE = GenerationDone(generation="g")


def replies(talk: Talk) -> list[str]:
    return [one.state.name for one in talk.conversation.replies]


def calls(talk: Talk) -> list[str]:
    return [one.state.name for one in talk.conversation.calls]


@pytest.mark.parametrize("rolling", [False, True])
def test_a_session_is_reconfigured_and_reset_where_it_is(rolling: bool) -> None:
    talk = ready(WIDEST)
    talk.hears(START, TEXT, *([GoingAway()] if rolling else []))
    session = talk.conversation.session
    before = (session.state, session.deadline)
    talk.waits(0.5)
    assert talk.asks(ConfigGiven()) == [SendUpdate()]
    assert (session.state, session.deadline) == before
    assert talk.asks(ReplyRequested("q")) == []
    told = talk.asks(ConfigGiven(ConfigKind.RESET))
    assert told[:4] == [*CUT, FailReply(Failure.RESET), SendReset()]
    assert told.count(SendReset()) == 1
    assert (session.state, session.deadline) == before


@pytest.mark.parametrize("name", PROFILES)
def test_a_request_after_the_end_fails_for_what_it_is(name: str) -> None:
    talk = ready(PROFILES[name])
    talk.asks(CloseRequested())
    for kind in ReplyKind:
        assert talk.asks(ReplyRequested(kind.name, kind)) == [FailReply(Failure.OVER)]
    assert replies(talk) == []


def test_each_kind_of_request_is_what_it_is() -> None:
    talk = ready(WIDEST)
    talk.hears(START, TEXT)
    assert talk.asks(ReplyRequested("aside", ReplyKind.OUT_OF_BAND)) == [SendReplyRequest()]
    assert talk.asks(ReplyRequested("say", ReplyKind.SAY), ReplyRequested("reply")) == []
    assert replies(talk) == ["SENT", "QUEUED", "QUEUED"]
    told = talk.asks(InterruptRequested())
    assert told.count(FailReply(Failure.INTERRUPTED)) == 1
    assert replies(talk) == ["SENT", "QUEUED"]


@pytest.mark.parametrize("wire", [OPENAI, WIDEST])
def test_a_late_refusal_is_awaited_no_more(wire: Capabilities) -> None:
    talk = ready(wire)
    talk.asks(ReplyRequested("q"), ReplyAbandoned("q"))
    assert replies(talk) == ["DISCARDING"]
    assert talk.hears(RequestRejected("q")) == []
    assert replies(talk) == []
    talk.asks(ReplyRequested("r"))
    assert talk.hears(RequestRejected("r")) == [FailReply(Failure.REJECTED)]
    assert replies(talk) == []


@pytest.mark.parametrize("wire", [GEMINI, WIDEST])
def test_an_output_is_sent_once_whatever_answer_it_wants(wire: Capabilities) -> None:
    more: dict[ToolReply, tuple[list[Effect], list[str]]] = {
        ToolReply.WANTED: ([], ["EXPECTED"]),
        ToolReply.NOT_WANTED: ([], []),
        ToolReply.WITHHELD: ([ReleaseHost()], []),
    }
    for wanted, (then, left) in more.items():
        talk = ready(wire)
        talk.hears(START, CALL, DONE)
        assert calls(talk) == ["PENDING"]
        assert talk.asks(ToolOutputGiven("c", "42", wanted)) == [SendToolOutput(), *then]
        assert (replies(talk), "PENDING" in calls(talk)) == (left, False)
        assert talk.hears(GenerationCreated("h")) == [OpenGeneration()]
        assert replies(talk) == []


def test_a_held_call_that_is_withdrawn_is_gone_and_one_that_was_not_answered_is_not() -> None:
    talk = ready(WIDEST)
    talk.hears(START, CALL)
    assert calls(talk) == ["HELD"]
    assert talk.hears(ToolResultTaken("c")) == []
    assert calls(talk) == ["HELD"]
    assert talk.hears(ToolCallCancelled("c")) == []
    assert calls(talk) == []


@pytest.mark.parametrize("wire", [OPENAI, WIDEST])
def test_a_goodbye_with_a_held_call_is_finished_without_it(wire: Capabilities) -> None:
    talk = ready(wire)
    talk.hears(START, TEXT, CALL)
    assert talk.hears(ConversationEnded()) == []
    assert calls(talk) == []
    assert talk.hears(TransportLost(Loss.NORMAL)) == [CloseMessage(), Seal()]
    assert talk.conversation.generations == []
    assert talk.conversation.session.state is Session.ENDING


@pytest.mark.parametrize("name", PROFILES)
def test_consent_restores_the_attempts_over_every_wire(name: str) -> None:
    for kind in (None, *ConfigKind):
        talk = Talk(PROFILES[name], retries=1)
        talk.asks(ConfigGiven())
        for _ in range(3):
            talk.hears(TransportOpened())
            talk.asks(*([ConfigGiven(kind)] if kind is not None else []))
            talk.hears(ProviderReady(), TransportLost(Loss.RETRYABLE))
            assert talk.waits(2.0) == [OpenTransport()]
