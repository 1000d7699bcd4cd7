"""Stories of one wrong decision in the cells that a wire words for itself: each wire here lacks a capability that would
have added an arm, or has one that does, so that the stories of another wire ask another cell."""

from __future__ import annotations

import pytest

from rtfsm.language import Effect
from rtfsm.machines import Capabilities, Session
from rtfsm.profiles import GEMINI, OPENAI, WIDEST
from rtfsm.vocabulary.effects import (
    CloseMessage,
    CloseTransport,
    DeliverCall,
    FailReply,
    Failure,
    OpenTransport,
    ReportCallEnded,
    ReportFatal,
    ReportReady,
    Seal,
    SendCancel,
    SendConfig,
    SendReplyRequest,
    SendReset,
    SendUpdate,
    SpeechStarted,
    SpeechStopped,
)
from rtfsm.vocabulary.local import (
    CloseRequested,
    ConfigGiven,
    ConfigKind,
    InterruptRequested,
    ReplyAbandoned,
    ReplyRequested,
)
from rtfsm.vocabulary.wire import (
    ConversationEnded,
    GenerationCreated,
    GoingAway,
    Loss,
    ProviderReady,
    TextDelta,
    ToolCallReady,
    TransportLost,
    TransportOpened,
    UserSpeechStarted,
    UserSpeechStopped,
)

from .talk import Talk, ready

CUT: list[Effect] = [CloseMessage(cut=True), Seal()]
START, TEXT, CALL = GenerationCreated("g"), TextDelta("one", "g"), ToolCallReady("c", "look_up", "{}", "g")
BROKEN = TransportLost(Loss.RETRYABLE)

OTHERS = pytest.mark.parametrize("wire", [OPENAI, GEMINI, WIDEST], ids=["openai", "gemini", "widest"])
PLAIN = pytest.mark.parametrize("wire", [OPENAI, GEMINI], ids=["openai", "gemini"])
WITH_IDS = pytest.mark.parametrize("wire", [OPENAI, WIDEST], ids=["openai", "widest"])


def state(talk: Talk) -> Session:
    found: Session = talk.conversation.session.state
    return found


# -- the session -------------------------------------------------------------------------------------------------------


@OTHERS
def test_a_socket_that_breaks_before_the_host_configures_is_not_opened_again_at_once(wire: Capabilities) -> None:
    talk = Talk(wire)
    talk.hears(TransportOpened())
    assert talk.hears(BROKEN) == []
    assert state(talk) is Session.RECONNECTING
    assert talk.waits(1.9) == []
    assert talk.waits(0.1) == [OpenTransport()]
    assert talk.asks(ConfigGiven()) == []
    assert talk.hears(TransportOpened(), ProviderReady()) == [SendConfig(), ReportReady()]


@OTHERS
@pytest.mark.parametrize("kind", ConfigKind)
def test_a_provider_that_never_consents_is_left_in_time_though_the_host_keeps_configuring(
    wire: Capabilities, kind: ConfigKind
) -> None:
    talk = Talk(wire, retries=0)
    talk.asks(ConfigGiven())
    assert talk.hears(TransportOpened()) == [SendConfig()]
    for _ in range(3):
        assert talk.waits(3.0) == []
        assert talk.asks(ConfigGiven(kind)) == []
    assert talk.waits(0.9) == []
    assert talk.waits(0.1) == [ReportFatal(), CloseTransport(abort=True)]


@OTHERS
@pytest.mark.parametrize("kind", ConfigKind)
def test_a_connection_that_was_just_accepted_is_kept_though_the_configuration_changed(
    wire: Capabilities, kind: ConfigKind
) -> None:
    talk = Talk(wire)
    talk.asks(ConfigGiven())
    talk.hears(TransportOpened())
    talk.asks(ConfigGiven(kind))
    change: Effect = SendReset() if wire.resettable and kind is ConfigKind.RESET else SendUpdate()
    assert talk.hears(ProviderReady()) == [ReportReady(), change]
    assert state(talk) is Session.READY
    assert talk.waits(60.0) == []
    assert talk.asks(ReplyRequested("q")) == [SendReplyRequest()]


# -- requests ----------------------------------------------------------------------------------------------------------


@PLAIN
def test_a_request_before_the_conversation_runs_expires_in_time_though_the_host_interrupts(wire: Capabilities) -> None:
    talk = Talk(wire)
    talk.hears(TransportOpened())
    assert talk.asks(ReplyRequested("q")) == []
    talk.waits(6.0)
    assert talk.asks(InterruptRequested()) == []
    assert talk.waits(3.9) == []
    assert talk.waits(0.1) == [FailReply(Failure.EXPIRED)]


@PLAIN
def test_a_request_that_was_not_sent_outlives_the_connection_and_not_its_time(wire: Capabilities) -> None:
    talk = Talk(wire)
    talk.asks(ConfigGiven())
    talk.hears(TransportOpened())
    assert talk.asks(ReplyRequested("q")) == []
    talk.waits(6.0)
    assert talk.hears(BROKEN) == []
    assert talk.waits(2.0) == [OpenTransport()]
    assert talk.waits(1.9) == []
    assert talk.waits(0.1) == [FailReply(Failure.EXPIRED)]
    assert talk.hears(TransportOpened(), ProviderReady()) == [SendConfig(), ReportReady()]


@PLAIN
def test_an_unanswered_request_expires_in_time_though_the_host_interrupts(wire: Capabilities) -> None:
    talk = ready(wire)
    assert talk.asks(ReplyRequested("q")) == [SendReplyRequest()]
    talk.waits(6.0)
    assert talk.asks(InterruptRequested()) == []
    assert talk.waits(3.9) == []
    assert talk.waits(0.1) == [FailReply(Failure.EXPIRED)]


@PLAIN
def test_a_request_on_the_wire_fails_as_lost_with_its_connection_and_as_over_with_its_session(
    wire: Capabilities,
) -> None:
    talk = ready(wire)
    talk.asks(ReplyRequested("q"))
    assert talk.hears(BROKEN) == [FailReply(Failure.LOST)]
    assert talk.waits(2.0) == [OpenTransport()]
    assert talk.hears(TransportOpened(), ProviderReady()) == [SendConfig(), ReportReady()]
    assert talk.asks(ReplyRequested("r")) == [SendReplyRequest()]
    assert talk.asks(CloseRequested()) == [FailReply(Failure.OVER), CloseTransport()]


@WITH_IDS
def test_a_question_that_nobody_waits_for_holds_a_due_connection_no_longer_because_the_user_spoke(
    wire: Capabilities,
) -> None:
    talk = ready(wire)
    talk.asks(ReplyRequested("q"), ReplyAbandoned("q"))
    assert talk.hears(GoingAway()) == []
    talk.waits(2.0)
    assert talk.hears(UserSpeechStarted(), UserSpeechStopped()) == [SpeechStarted(), SpeechStopped()]
    assert talk.waits(2.9) == []
    assert talk.waits(0.1) == [CloseTransport(), OpenTransport()]


@WITH_IDS
def test_a_user_who_speaks_ends_no_wait_for_an_answer_that_will_name_its_request(wire: Capabilities) -> None:
    talk = ready(wire)
    talk.asks(ReplyRequested("q"), ReplyAbandoned("q"))
    assert talk.hears(UserSpeechStarted()) == [SpeechStarted()]
    assert [one.state.name for one in talk.conversation.replies] == ["DISCARDING"]
    assert talk.hears(UserSpeechStopped()) == [SpeechStopped()]
    assert talk.hears(GenerationCreated("g", request="q"), TEXT) == [SendCancel()]
    assert talk.conversation.replies == []


# -- calls -------------------------------------------------------------------------------------------------------------


@WITH_IDS
def test_a_call_that_an_assistant_makes_after_its_goodbye_is_handed_over_before_the_streams_end(
    wire: Capabilities,
) -> None:
    """Its connection is gone, so that no output will be taken and the application hears so; but the tool may run."""
    talk = ready(wire)
    talk.hears(START, TEXT)
    assert talk.hears(ConversationEnded()) == []
    assert talk.hears(CALL) == []
    assert [one.state.name for one in talk.conversation.calls] == ["HELD"]
    assert talk.hears(TransportLost(Loss.NORMAL)) == [CloseMessage(), DeliverCall(), Seal(), ReportCallEnded()]
    assert talk.conversation.calls == talk.conversation.generations == []
    assert state(talk) is Session.ENDING


@pytest.mark.parametrize("loss", [True, False])
def test_a_message_is_cut_once_when_the_connection_goes_while_a_tool_runs(loss: bool) -> None:
    talk = ready(GEMINI)
    talk.hears(GenerationCreated(), TextDelta("one"))
    assert talk.hears(ToolCallReady("c", "look_up", "{}")) == [DeliverCall()]
    assert talk.states == ["TOOL_PENDING", "PENDING"]
    told = talk.hears(BROKEN) if loss else talk.asks(CloseRequested())
    assert told == [*CUT, ReportCallEnded(), *([] if loss else [CloseTransport()])]
    assert talk.conversation.generations == []
