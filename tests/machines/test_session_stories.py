"""Stories of connections: configured once and first, never lost in silence."""

from __future__ import annotations

from rtfsm.language import Effect, Reason
from rtfsm.machines import AgentState, Session
from rtfsm.profiles import PHONIC
from rtfsm.vocabulary.effects import (
    CloseMessage,
    CloseTransport,
    FailReply,
    Failure,
    OpenGeneration,
    OpenMessage,
    OpenTransport,
    PushText,
    ReportCallEnded,
    ReportEnded,
    ReportFatal,
    ReportReady,
    ReportRecoverable,
    RestoreConfig,
    Seal,
    SendConfig,
    SendUpdate,
    SpeechStopped,
)
from rtfsm.vocabulary.local import (
    ConfigGiven,
    ReplyRequested,
)
from rtfsm.vocabulary.wire import (
    ConfigRejected,
    Fault,
    GenerationCreated,
    GenerationDone,
    Loss,
    ProviderReady,
    TextDelta,
    ToolCallReady,
    TransportLost,
    TransportOpened,
    UserSpeechStarted,
    UserTranscript,
)

from .talk import Talk, ready

CUT: list[Effect] = [CloseMessage(cut=True), Seal()]
FINISHED: list[Effect] = [CloseMessage(), Seal()]
OPENS: list[Effect] = [OpenGeneration(), OpenMessage(), PushText()]


def state(talk: Talk) -> Session:
    found: Session = talk.conversation.session.state
    return found


def busy() -> Talk:
    """Everything at once: a turn is heard, a tool runs, a request waits, the user was told to speak before."""
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), TextDelta("one"), ToolCallReady("c", "look_up", "{}"))
    talk.asks(ReplyRequested("q"))
    assert talk.states == ["TOOL_PENDING", "QUEUED", "PENDING"]
    return talk


def test_the_configuration_may_come_before_the_connection() -> None:
    talk = Talk(PHONIC)
    assert talk.first == [OpenTransport()]
    assert talk.asks(ConfigGiven(), ConfigGiven()) == []
    assert talk.hears(TransportOpened()) == [SendConfig()]
    assert talk.hears(ProviderReady()) == [ReportReady()]
    talk.closes()


def test_the_configuration_may_come_after_the_connection() -> None:
    talk = Talk(PHONIC)
    assert talk.hears(TransportOpened()) == []
    assert talk.asks(ConfigGiven()) == [SendConfig()]
    assert talk.hears(ProviderReady()) == [ReportReady()]
    talk.closes()


def test_a_configuration_changed_while_starting_follows_as_an_update() -> None:
    talk = Talk(PHONIC)
    talk.asks(ConfigGiven())
    talk.hears(TransportOpened())
    assert talk.asks(ConfigGiven(), ConfigGiven()) == []
    assert talk.hears(ProviderReady()) == [ReportReady(), SendUpdate()]
    assert talk.hears(ProviderReady()) == []
    talk.closes()


def test_a_host_that_never_configures_is_told() -> None:
    talk = Talk(PHONIC)
    talk.hears(TransportOpened())
    assert talk.waits(29.9) == []
    assert talk.waits(0.1) == [ReportFatal(), CloseTransport()]
    talk.closes()


def test_a_rejected_configuration_ends_a_session_that_starts() -> None:
    talk = Talk(PHONIC)
    talk.asks(ConfigGiven(), ReplyRequested("q"))
    talk.hears(TransportOpened())
    told = talk.hears(ConfigRejected("no such voice"))
    assert told == [FailReply(Failure.OVER), ReportFatal(), CloseTransport()]
    talk.closes()


def test_a_rejected_update_is_undone_and_survived() -> None:
    talk = ready(PHONIC)
    assert talk.asks(ConfigGiven()) == [SendUpdate()]
    assert talk.hears(ConfigRejected("no such voice")) == [RestoreConfig(), ReportRecoverable()]
    assert state(talk) is Session.READY
    talk.closes()


def test_content_that_overtakes_the_consent_waits_for_it() -> None:
    talk = Talk(PHONIC)
    talk.asks(ConfigGiven())
    talk.hears(TransportOpened())
    assert talk.hears(GenerationCreated(), TextDelta("one"), GenerationDone()) == []
    assert talk.hears(ProviderReady()) == [ReportReady(), *OPENS, *FINISHED]
    talk.closes()


def test_content_that_waits_dies_with_its_connection() -> None:
    talk = Talk(PHONIC)
    talk.asks(ConfigGiven())
    talk.hears(TransportOpened(), GenerationCreated(), TextDelta("old"))
    assert talk.waits(12.0) == [CloseTransport(abort=True), OpenTransport()]
    assert talk.hears(TransportOpened(), ProviderReady()) == [SendConfig(), ReportReady()]
    assert talk.words == {}
    assert talk.conversation.dropped == {Reason.STALE: 2}
    talk.closes()


def test_content_before_the_connection_is_stale() -> None:
    talk = Talk(PHONIC)
    assert talk.hears(TextDelta("early"), UserSpeechStarted(), UserTranscript("early")) == []
    assert talk.conversation.dropped == {Reason.STALE: 3}
    talk.closes()


def test_what_another_connection_brings_is_stale() -> None:
    talk = ready(PHONIC)
    talk.hears(TransportLost(Loss.RETRYABLE))
    talk.waits(2.0)
    talk.hears(TransportOpened(), ProviderReady())
    assert talk.conversation.epoch == 2
    assert talk.hears(TextDelta("old"), TransportLost(Loss.FAILED), Fault(True), epoch=1) == []
    assert talk.conversation.dropped == {Reason.STALE: 3}
    assert state(talk) is Session.READY
    talk.closes()


def test_a_lost_connection_ends_everything_before_it_is_opened_again() -> None:
    talk = busy()
    talk.hears(UserSpeechStarted())
    told = talk.hears(TransportLost(Loss.RETRYABLE))
    assert told == [FailReply(Failure.LOST), ReportCallEnded(), SpeechStopped()]
    assert talk.conversation.agent_state is AgentState.INITIALIZING
    assert talk.waits(2.0) == [OpenTransport()]
    talk.closes()


def test_attempts_are_counted_for_each_outage() -> None:
    talk = ready(PHONIC, retries=1)
    for _ in range(3):
        talk.hears(TransportLost(Loss.RETRYABLE))
        assert talk.waits(2.0) == [OpenTransport()]
        talk.hears(TransportOpened(), ProviderReady())
    talk.hears(TransportLost(Loss.RETRYABLE))
    talk.waits(2.0)
    assert talk.hears(TransportLost(Loss.RETRYABLE)) == [ReportFatal()]
    assert state(talk) is Session.CLOSED
    talk.closes()


def test_a_provider_that_never_answers_is_given_up() -> None:
    talk = Talk(PHONIC, retries=2)
    again: list[Effect] = [CloseTransport(abort=True), OpenTransport()]
    assert talk.waits(100.0) == [*again, *again, ReportFatal(), CloseTransport(abort=True)]
    assert talk.now == 100.0
    talk.closes()


def test_a_normal_end_by_the_wire_is_told_once() -> None:
    talk = busy()
    told = talk.hears(TransportLost(Loss.NORMAL))
    assert told == [*CUT, FailReply(Failure.OVER), ReportCallEnded(), ReportEnded()]
    assert talk.hears(TransportLost(Loss.NORMAL), Fault(True)) == []
    talk.closes()


def test_a_failure_is_told_after_the_streams_are_closed() -> None:
    talk = busy()
    told = talk.hears(TransportLost(Loss.FAILED))
    assert told == [*CUT, FailReply(Failure.OVER), ReportCallEnded(), ReportFatal()]
    talk.closes()


def test_a_fatal_fault_closes_in_order() -> None:
    talk = busy()
    told = talk.hears(Fault(True))
    assert told == [*CUT, FailReply(Failure.OVER), ReportCallEnded(), ReportFatal(), CloseTransport()]
    assert talk.hears(TransportLost(Loss.NORMAL)) == []
    assert state(talk) is Session.CLOSED
    talk.closes()


def test_a_fault_that_is_not_fatal_is_survived() -> None:
    talk = busy()
    assert talk.hears(Fault(False)) == [ReportRecoverable()]
    assert talk.hears(TextDelta(" two")) == [PushText()]
    talk.closes()
