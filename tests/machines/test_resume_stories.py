"""Stories of connections that break: the conversation is gone on with, for a while, or begins anew."""

from __future__ import annotations

import pytest

from rtfsm.language import Effect
from rtfsm.machines import Capabilities, Session, SessionContext
from rtfsm.profiles import GEMINI, OPENAI, PHONIC, WIDEST
from rtfsm.vocabulary.effects import (
    CloseMessage,
    CloseTransport,
    FailReply,
    Failure,
    OpenTransport,
    ReleaseHost,
    ReportCallEnded,
    ReportEnded,
    ReportFatal,
    ReportOutputDropped,
    ReportReady,
    Seal,
    SendConfig,
    SendReplyRequest,
    SendReset,
    SendUpdate,
)
from rtfsm.vocabulary.local import CloseRequested, ConfigGiven, ConfigKind, ReplyRequested, ToolOutputGiven
from rtfsm.vocabulary.wire import (
    GenerationCreated,
    GoingAway,
    Loss,
    ProviderReady,
    TextDelta,
    ToolCallReady,
    TransportLost,
    TransportOpened,
)

from .talk import Talk, ready

RESUME, ANEW = OpenTransport(resume=True), OpenTransport()
ABORT = CloseTransport(abort=True)
BROKEN = TransportLost(Loss.RESUMABLE)
RESET = ConfigGiven(ConfigKind.RESET)
BEGINS_ANEW: list[Effect] = [ANEW, SendConfig(), ReportReady()]


def broken(retries: int = 3) -> Talk:
    """The connection of a conversation broke."""
    talk = ready(PHONIC, retries=retries)
    assert talk.hears(BROKEN) == []
    return talk


def knocking(retries: int = 3) -> Talk:
    """Another connection is being opened that is to go on with it."""
    talk = broken(retries)
    assert talk.waits(2.0) == [RESUME]
    assert talk.conversation.resuming
    return talk


def context(talk: Talk) -> SessionContext:
    found: SessionContext = talk.conversation.session.context
    return found


def begins_anew(talk: Talk) -> None:
    assert talk.waits(2.0) == [ANEW]
    assert talk.hears(TransportOpened(), ProviderReady()) == BEGINS_ANEW[1:]
    talk.closes()


def test_a_conversation_that_goes_on_is_told_no_configuration() -> None:
    talk = knocking()
    assert talk.hears(TransportOpened()) == []
    assert talk.conversation.session.state is Session.STARTING
    assert talk.hears(ProviderReady()) == [ReportReady()]
    assert (context(talk).retries, context(talk).resuming) == (3, False)
    assert talk.waits(100.0) == []
    talk.closes()


def test_what_had_begun_ends_with_the_connection_all_the_same() -> None:
    talk = ready(PHONIC)
    talk.asks(ReplyRequested("r"))
    talk.hears(GenerationCreated(), TextDelta("one"), ToolCallReady("c", "look_up", "{}"))
    talk.waits(0.5)
    talk.asks(ReplyRequested("s"))
    assert talk.hears(BROKEN) == [FailReply(Failure.LOST), ReportCallEnded()]
    talk.asks(ReplyRequested("t"))
    assert talk.asks(ToolOutputGiven("c", "42")) == [ReportOutputDropped(), ReleaseHost()]
    assert talk.waits(2.0) == [RESUME]
    assert talk.hears(TransportOpened(), ProviderReady()) == [ReportReady(), SendReplyRequest()]
    assert talk.asks(ToolOutputGiven("c", "42")) == [ReportOutputDropped(), ReleaseHost()]
    talk.closes()


@pytest.mark.parametrize("retries", [1, 3])
def test_a_provider_that_refuses_to_go_on_is_asked_to_begin_anew(retries: int) -> None:
    talk = knocking(retries)
    talk.hears(TransportOpened())
    assert talk.hears(TransportLost(Loss.RETRYABLE)) == []
    begins_anew(talk)


@pytest.mark.parametrize("retries", [1, 3])
def test_a_connection_that_breaks_again_before_the_provider_goes_on_is_tried_again(retries: int) -> None:
    talk = knocking(retries)
    for _ in range(5):
        talk.hears(TransportOpened())
        assert talk.hears(BROKEN) == []
        assert talk.waits(2.0) == [RESUME]
    talk.hears(TransportOpened())
    assert talk.hears(ProviderReady()) == [ReportReady()]
    assert (context(talk).retries, context(talk).resuming) == (retries, False)
    talk.closes()


def test_connections_that_keep_breaking_are_tried_until_the_provider_has_forgotten() -> None:
    talk = knocking()
    for _ in range(13):
        talk.hears(TransportOpened())
        assert talk.hears(BROKEN) == []
        assert talk.waits(2.0) == [RESUME]
    talk.hears(TransportOpened())
    assert talk.waits(2.0) == []  # 30 s after the first loss, while the last attempt waits for consent
    assert not talk.conversation.resuming
    assert talk.hears(BROKEN) == []
    begins_anew(talk)


def test_an_attempt_that_was_heard_in_time_may_be_answered_after_it() -> None:
    talk = knocking()
    for _ in range(13):
        talk.hears(TransportOpened())
        assert talk.hears(BROKEN) == []
        assert talk.waits(2.0) == [RESUME]
    talk.hears(TransportOpened())
    talk.waits(5.0)
    assert talk.hears(ProviderReady()) == [ReportReady()]
    talk.closes()


def test_a_provider_that_never_says_that_it_goes_on_is_asked_to_begin_anew() -> None:
    talk = knocking()
    talk.hears(TransportOpened())
    assert talk.waits(10.0) == [ABORT]
    begins_anew(talk)


def test_a_handshake_that_would_fail_again_is_tried_without_the_conversation_and_costs_no_attempt() -> None:
    talk = knocking(retries=1)
    assert talk.hears(TransportLost(Loss.FAILED)) == []
    assert talk.waits(2.0) == [ANEW]
    assert talk.hears(TransportLost(Loss.FAILED)) == [ReportFatal()]


def test_an_attempt_that_does_not_get_through_is_made_again() -> None:
    talk = knocking()
    for outcome in (Loss.RETRYABLE, Loss.RESUMABLE):
        assert talk.hears(TransportLost(outcome)) == []
        assert talk.waits(2.0) == [RESUME]
    assert context(talk).retries == 0
    assert talk.hears(TransportLost(Loss.RETRYABLE)) == [ReportFatal()]


def test_an_attempt_that_hangs_is_made_again() -> None:
    talk = knocking()
    assert talk.waits(10.0) == [ABORT]
    assert talk.waits(2.0) == [RESUME]
    talk.closes()


def test_a_conversation_is_forgotten_half_a_minute_after_the_loss() -> None:
    talk = knocking(retries=20)
    for _ in range(13):
        talk.hears(TransportLost(Loss.RETRYABLE))
        assert talk.waits(2.0) == [RESUME]
    talk.hears(TransportLost(Loss.RETRYABLE))
    assert talk.now == 28.0
    assert talk.waits(1.9) == []
    assert talk.conversation.next_deadline() == 30.0
    assert talk.waits(0.1) == [ANEW]
    talk.closes()


def test_a_conversation_that_is_forgotten_while_an_attempt_waits_begins_anew() -> None:
    talk = broken(retries=20)
    for _ in range(2):
        assert talk.waits(2.0) == [RESUME]
        assert talk.waits(9.9) == []
        talk.hears(TransportLost(Loss.RETRYABLE))
    assert talk.waits(2.0) == [RESUME]
    assert talk.waits(3.0) == []
    talk.hears(TransportLost(Loss.RETRYABLE))
    assert talk.conversation.next_deadline() == 30.0
    assert talk.waits(1.2) == []
    assert not talk.conversation.resuming
    assert talk.conversation.next_deadline() is not None
    assert talk.waits(0.8) == [ANEW]
    assert talk.hears(TransportOpened(), ProviderReady()) == BEGINS_ANEW[1:]
    talk.closes()


def test_a_conversation_that_is_forgotten_while_an_attempt_hangs_begins_anew_at_once() -> None:
    talk = broken(retries=20)
    for _ in range(2):
        assert talk.waits(12.0) == [RESUME, ABORT]
    assert talk.waits(2.0) == [RESUME]
    assert talk.waits(4.0) == [ABORT, ANEW]
    left = context(talk).retries
    assert talk.waits(9.9) == []
    assert talk.hears(TransportOpened(), ProviderReady()) == BEGINS_ANEW[1:]
    assert left == 17
    talk.closes()


def test_a_provider_that_was_reached_in_time_may_take_its_time() -> None:
    talk = broken(retries=20)
    for _ in range(2):
        assert talk.waits(12.0) == [RESUME, ABORT]
    assert talk.waits(5.0) == [RESUME]
    assert talk.hears(TransportOpened()) == []
    assert talk.waits(9.0) == []
    assert talk.hears(ProviderReady()) == [ReportReady()]
    talk.closes()


def test_another_loss_is_not_gone_on_from() -> None:
    talk = ready(PHONIC)
    talk.hears(TransportLost(Loss.RETRYABLE))
    begins_anew(talk)


def test_a_connection_that_breaks_before_the_conversation_runs_is_opened_again() -> None:
    talk = Talk(PHONIC)
    talk.asks(ConfigGiven())
    talk.hears(TransportOpened(), BROKEN)
    begins_anew(talk)


def test_a_conversation_that_went_on_can_break_again() -> None:
    talk = ready(PHONIC, retries=1)
    for _ in range(3):
        assert talk.hears(BROKEN) == []
        assert talk.waits(2.0) == [RESUME]
        assert talk.hears(TransportOpened(), ProviderReady()) == [ReportReady()]
    talk.closes()


def test_without_attempts_a_break_is_the_end() -> None:
    talk = ready(PHONIC, retries=0)
    assert talk.hears(BROKEN) == [ReportFatal()]


def test_where_the_wire_cannot_go_on_a_break_is_a_loss() -> None:
    talk = ready(GEMINI)
    talk.hears(BROKEN)
    begins_anew(talk)


def test_a_connection_that_is_due_to_be_cut_can_break_before() -> None:
    talk = ready(WIDEST)
    assert talk.hears(BROKEN) == []
    assert talk.waits(2.0) == [RESUME]
    talk.closes()


@pytest.mark.parametrize("early", [True, False])
def test_what_was_changed_meanwhile_is_told_to_the_conversation_that_goes_on(early: bool) -> None:
    talk = broken()
    if early:
        talk.asks(ConfigGiven())
    talk.waits(2.0)
    if not early:
        talk.asks(ConfigGiven())
    assert talk.hears(TransportOpened(), ProviderReady()) == [ReportReady(), SendUpdate()]
    talk.closes()


@pytest.mark.parametrize("early", [True, False])
def test_a_change_that_needs_a_reset_resets_the_conversation_that_goes_on(early: bool) -> None:
    talk = broken()
    if early:
        talk.asks(RESET, ConfigGiven())
    talk.waits(2.0)
    if not early:
        talk.asks(RESET)
    assert talk.hears(TransportOpened(), ProviderReady()) == [ReportReady(), SendReset()]
    talk.closes()


@pytest.mark.parametrize("kind", ConfigKind)
def test_a_change_does_not_make_an_attempt_any_longer(kind: ConfigKind) -> None:
    talk = knocking()
    talk.waits(5.0)
    talk.asks(ConfigGiven(kind))
    assert talk.conversation.session.state is Session.CONNECTING
    assert talk.waits(4.9) == []
    assert talk.waits(0.1) == [ABORT]
    assert talk.waits(2.0) == [RESUME]
    talk.closes()


@pytest.mark.parametrize("kind", ConfigKind)
def test_a_change_does_not_put_an_attempt_off(kind: ConfigKind) -> None:
    talk = broken()
    talk.waits(1.0)
    talk.asks(ConfigGiven(kind))
    assert talk.waits(0.9) == []
    assert talk.waits(0.1) == [RESUME]
    talk.closes()


def test_what_was_changed_meanwhile_is_in_the_configuration_of_one_that_begins_anew() -> None:
    talk = knocking()
    talk.asks(RESET)
    talk.hears(TransportOpened(), TransportLost(Loss.RETRYABLE))
    begins_anew(talk)


def test_a_host_that_closes_while_it_is_gone_is_done() -> None:
    talk = broken()
    assert talk.asks(CloseRequested()) == []
    assert talk.conversation.session.state is Session.CLOSED
    assert talk.waits(100.0) == []
    talk = knocking()
    assert talk.asks(CloseRequested()) == [CloseTransport()]
    assert talk.waits(100.0) == [ABORT]


def test_a_conversation_that_ended_is_not_gone_on_with() -> None:
    talk = knocking()
    assert talk.hears(TransportLost(Loss.NORMAL)) == [ReportEnded()]
    assert talk.waits(100.0) == []


def test_a_turn_that_broke_off_is_cut() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), TextDelta("one"))
    assert talk.hears(BROKEN) == [CloseMessage(cut=True), Seal()]
    talk.closes()


def nearly_forgotten() -> Talk:
    """28 s after the loss, another connection was opened that is to go on."""
    talk = knocking()
    for _ in range(13):
        talk.hears(TransportOpened())
        talk.hears(BROKEN)
        assert talk.waits(2.0) == [RESUME]
    talk.hears(TransportOpened())
    return talk


def test_the_end_of_the_window_prolongs_no_wait_for_consent() -> None:
    talk = nearly_forgotten()
    assert talk.waits(9.9) == []
    assert talk.waits(0.2) == [ABORT]
    begins_anew(talk)


def test_a_request_that_was_not_sent_outlives_every_attempt_to_go_on() -> None:
    talk = knocking()
    talk.asks(ReplyRequested("q"))
    talk.hears(TransportOpened())
    assert talk.hears(BROKEN) == []
    assert talk.waits(2.0) == [RESUME]
    assert talk.hears(TransportOpened(), ProviderReady()) == [ReportReady(), SendReplyRequest()]
    talk.closes()


@pytest.mark.parametrize("retries", [1, 3])
def test_a_connection_that_breaks_while_a_new_one_is_due_is_gone_on_with_too(retries: int) -> None:
    talk = ready(WIDEST, retries=retries)
    talk.hears(GenerationCreated("g"), TextDelta("one", "g"), GoingAway())
    talk.asks(ReplyRequested("q"))
    assert talk.conversation.session.state is Session.ROLLING
    assert talk.hears(BROKEN) == [CloseMessage(cut=True), Seal()]
    assert context(talk).retries == retries - 1
    assert talk.waits(2.0) == [RESUME]
    assert talk.hears(TransportOpened(), ProviderReady()) == [ReportReady(), SendReplyRequest()]
    talk.closes()


@pytest.mark.parametrize("wire", [OPENAI, GEMINI])
def test_a_host_that_keeps_configuring_prolongs_no_attempt(wire: Capabilities) -> None:
    talk = Talk(wire)
    talk.waits(9.5)
    talk.asks(ConfigGiven())
    assert talk.waits(0.6) == [ABORT]
    talk.waits(1.0)
    talk.asks(ConfigGiven())
    assert talk.waits(1.0) == [ANEW]
    talk.closes()
