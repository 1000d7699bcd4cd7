"""Stories of what one wrong decision in a table would do, told in every state in which it could be taken."""

from __future__ import annotations

import attrs
import pytest

from rtfsm.language import Effect, Event
from rtfsm.machines import Capabilities, Session
from rtfsm.profiles import OPENAI, PHONIC, PROFILES, WIDEST
from rtfsm.vocabulary.effects import (
    CloseMessage,
    CloseTransport,
    DeliverCall,
    FailReply,
    Failure,
    OpenTransport,
    ReportEnded,
    ReportFatal,
    ReportReady,
    ReportRecoverable,
    RestoreConfig,
    Seal,
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
    PlayoutFinished,
    ReplyAbandoned,
    ReplyRequested,
)
from rtfsm.vocabulary.wire import (
    ConfigRejected,
    ConversationEnded,
    Fault,
    GenerationCreated,
    GenerationDone,
    GoingAway,
    Loss,
    ProviderReady,
    TextDelta,
    ToolCallReady,
    TransportLost,
    TransportOpened,
    UserSpeechStarted,
)

from .talk import Talk, ready

CUT: list[Effect] = [CloseMessage(cut=True), Seal()]
FINISHED: list[Effect] = [CloseMessage(), Seal()]
OVER: list[Effect] = [FailReply(Failure.OVER)]
FATAL, RECOVERABLE = Fault(True), Fault(False)


def state(talk: Talk) -> Session:
    found: Session = talk.conversation.session.state
    return found


@attrs.frozen
class Scene:
    """A session brought to a state: a request waits, and where it runs, a turn is heard."""

    name: str
    profile: Capabilities

    @property
    def speech(self) -> list[Effect]:
        return CUT if self.name in ("READY", "ROLLING", "ENDING") else []

    @property
    def waiting(self) -> list[Effect]:
        """What a close does to the request; the end of the conversation has failed it before."""
        return [] if self.name == "ENDING" else OVER

    def begin(self, retries: int = 3, *, configured: bool = True) -> Talk:
        talk = Talk(self.profile, retries=retries)
        talk.waits(1.0)
        if configured and self.name != "AWAITING_CONFIG":
            talk.asks(ConfigGiven())
        if self.name not in ("CONNECTING",):
            talk.hears(TransportOpened())
        if self.name not in ("CONNECTING", "AWAITING_CONFIG", "STARTING"):
            talk.hears(ProviderReady(), GenerationCreated("g"), TextDelta("one", "g"))
        talk.waits(1.0)
        talk.asks(ReplyRequested("q"))
        if self.name == "ROLLING":
            talk.hears(GoingAway())
        elif self.name == "ENDING":
            talk.hears(ConversationEnded())
        assert state(talk).name == self.name
        return talk


def named(wire: Capabilities) -> str:
    return next(name for name, profile in PROFILES.items() if profile is wire)


def scenes(*names: str) -> list[Scene]:
    rolling = (OPENAI, WIDEST)
    return [Scene(name, wire) for name in names for wire in (rolling if name == "ROLLING" else (PHONIC, *rolling))]


def in_states(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("scene", scenes(*names), ids=lambda scene: f"{scene.name}-{named(scene.profile)}")


BEFORE = ("CONNECTING", "AWAITING_CONFIG", "STARTING")
OPEN = (*BEFORE, "READY", "ROLLING")


def comes_back(talk: Talk) -> None:
    """The next connection is configured anew and runs, and the request that waited is asked."""
    assert state(talk) is Session.RECONNECTING
    talk.asks(ConfigGiven())
    assert talk.waits(1.9) == []
    assert talk.waits(0.1) == [OpenTransport()]
    assert state(talk) is Session.CONNECTING
    assert talk.hears(TransportOpened()) == [SendConfig()]
    assert state(talk) is Session.STARTING
    assert talk.hears(ProviderReady()) == [ReportReady(), SendReplyRequest()]
    assert state(talk) is Session.READY


@in_states(*OPEN)
def test_a_lost_connection_is_opened_again(scene: Scene) -> None:
    talk = scene.begin()
    assert talk.hears(TransportLost(Loss.RETRYABLE)) == scene.speech
    comes_back(talk)
    talk.closes()


@in_states(*OPEN)
def test_an_attempt_is_spent_wherever_the_connection_is_lost(scene: Scene) -> None:
    talk = scene.begin(retries=1)
    talk.hears(TransportLost(Loss.RETRYABLE))
    talk.waits(2.0)
    assert state(talk) is Session.CONNECTING
    assert talk.hears(TransportLost(Loss.RETRYABLE)) == [*OVER, ReportFatal()]
    assert state(talk) is Session.CLOSED


def until_due(talk: Talk) -> list[Effect]:
    """Until the session's own wait ends."""
    deadline = talk.conversation.session.deadline
    assert deadline is not None
    assert talk.waits(deadline - talk.now - 0.1) == []
    return talk.waits(0.1)


@in_states("CONNECTING", "STARTING")
def test_silence_spends_an_attempt_too(scene: Scene) -> None:
    talk = scene.begin(retries=1)
    assert until_due(talk) == [CloseTransport(abort=True)]
    talk.asks(ReplyAbandoned("q"), ReplyRequested("r"))
    comes_back(talk)
    talk = scene.begin(retries=1)
    until_due(talk)
    assert OpenTransport() in talk.waits(2.0)
    talk.asks(ReplyRequested("r"))
    assert talk.hears(TransportLost(Loss.RETRYABLE)) == [*OVER, ReportFatal()]


@in_states("CONNECTING", "STARTING")
def test_silence_without_attempts_left_is_the_end(scene: Scene) -> None:
    talk = scene.begin(retries=0)
    assert until_due(talk) == [*OVER, ReportFatal(), CloseTransport(abort=True)]
    assert state(talk) is Session.CLOSED
    assert talk.conversation.live_objects == 0


@in_states(*OPEN)
def test_without_attempts_left_a_loss_is_the_end(scene: Scene) -> None:
    talk = scene.begin(retries=0)
    assert talk.hears(TransportLost(Loss.RETRYABLE)) == [*scene.speech, *OVER, ReportFatal()]
    assert state(talk) is Session.CLOSED


@in_states(*OPEN)
def test_an_end_by_the_wire_is_told_for_what_it_is(scene: Scene) -> None:
    for loss, report in ((Loss.NORMAL, ReportEnded()), (Loss.FAILED, ReportFatal())):
        talk = scene.begin()
        assert talk.hears(TransportLost(loss)) == [*scene.speech, *OVER, report]
        assert state(talk) is Session.CLOSED
        assert talk.waits(60.0) == []


@in_states(*OPEN, "ENDING")
def test_a_fatal_fault_is_told_after_everything_ended(scene: Scene) -> None:
    talk = scene.begin()
    assert talk.hears(FATAL) == [*scene.speech, *scene.waiting, ReportFatal(), CloseTransport()]
    assert state(talk) is Session.CLOSING
    assert talk.hears(FATAL, RECOVERABLE, ConversationEnded(), ProviderReady(), TransportOpened()) == []
    assert talk.asks(CloseRequested(), ConfigGiven()) == []
    assert state(talk) is Session.CLOSING
    assert talk.waits(1.9) == []
    assert talk.waits(0.1) == [CloseTransport(abort=True)]
    assert state(talk) is Session.CLOSED


@in_states(*OPEN, "ENDING")
def test_a_close_is_answered_and_leaves_nothing(scene: Scene) -> None:
    talk = scene.begin()
    assert talk.asks(CloseRequested()) == [*scene.speech, *scene.waiting, CloseTransport()]
    assert state(talk) is Session.CLOSING
    assert talk.hears(TransportLost(Loss.RETRYABLE)) == []
    assert state(talk) is Session.CLOSED
    assert talk.waits(60.0) == []
    assert talk.hears(FATAL, RECOVERABLE, TransportOpened(), ProviderReady(), ConfigRejected()) == []
    assert talk.hears(ConversationEnded(), TransportLost(Loss.FAILED)) == []
    assert talk.asks(CloseRequested(), ConfigGiven()) == []
    assert state(talk) is Session.CLOSED


NOISE: dict[str, tuple[Event, ...]] = {
    "CONNECTING": (ProviderReady(), ConfigRejected(), ConversationEnded()),
    "AWAITING_CONFIG": (ProviderReady(), ConfigRejected(), ConversationEnded(), TransportOpened()),
    "STARTING": (ConversationEnded(), TransportOpened()),
    "READY": (ProviderReady(), TransportOpened()),
    "ROLLING": (ProviderReady(), TransportOpened(), GoingAway()),
    "ENDING": (
        *(ConfigGiven(kind) for kind in ConfigKind),
        ConfigRejected(),
        ConversationEnded(),
        ProviderReady(),
        TransportOpened(),
    ),
    "RECONNECTING": (
        TransportOpened(),
        ProviderReady(),
        ConfigRejected(),
        ConversationEnded(),
        *(TransportLost(loss) for loss in Loss),
        FATAL,
        RECOVERABLE,
    ),
    "CLOSING": (
        ConfigGiven(),
        TransportOpened(),
        ProviderReady(),
        ConfigRejected(),
        ConversationEnded(),
        FATAL,
        RECOVERABLE,
        CloseRequested(),
    ),
}


def brought_to(name: str, profile: Capabilities | None = None) -> Talk:
    if name in ("RECONNECTING", "CLOSING"):
        talk = Scene("READY", profile or PHONIC).begin()
        talk.hears(TransportLost(Loss.RETRYABLE)) if name == "RECONNECTING" else talk.asks(CloseRequested())
        return talk
    scene, *_ = scenes(name)
    return (attrs.evolve(scene, profile=profile) if profile else scene).begin()


@pytest.mark.parametrize("name", NOISE)
def test_what_means_nothing_in_a_state_does_nothing_and_prolongs_no_wait(name: str) -> None:
    for profile in (PHONIC, OPENAI) if name != "ROLLING" else (OPENAI,):
        events = NOISE[name] if profile is PHONIC or name in ("READY", "ROLLING") else (*NOISE[name], GoingAway())
        for event in events:
            talk = brought_to(name, profile)
            session = talk.conversation.session
            before = (session.state, session.context, session.deadline)
            talk.waits(0.5)
            assert talk.asks(event) == [], event
            assert (session.state, session.context, session.deadline) == before, event


@in_states(*OPEN, "ENDING")
def test_a_fault_that_is_survived_is_told_once_and_prolongs_no_wait(scene: Scene) -> None:
    talk = scene.begin()
    session = talk.conversation.session
    before = (session.state, session.context, session.deadline)
    talk.waits(0.5)
    assert talk.hears(RECOVERABLE) == [ReportRecoverable()]
    assert (session.state, session.context, session.deadline) == before


@pytest.mark.parametrize("name", ["CONNECTING", "STARTING", "RECONNECTING"])
@pytest.mark.parametrize("kind", ConfigKind)
def test_a_host_that_keeps_configuring_does_not_hold_the_session_open(name: str, kind: ConfigKind) -> None:
    talk = brought_to(name)
    deadline = talk.conversation.session.deadline
    talk.waits(0.5)
    assert talk.asks(ConfigGiven(kind), ConfigGiven(kind)) == []
    assert (state(talk).name, talk.conversation.session.deadline) == (name, deadline)


@pytest.mark.parametrize("profile", [PHONIC, OPENAI])
def test_what_waited_while_starting_is_not_sent_again_on_the_next_connection(profile: Capabilities) -> None:
    talk = Scene("STARTING", profile).begin()
    assert talk.asks(ConfigGiven(ConfigKind.RESET), ConfigGiven()) == []
    talk.hears(TransportLost(Loss.RETRYABLE))
    comes_back(talk)
    talk = Scene("STARTING", profile).begin()
    talk.asks(ConfigGiven())
    assert talk.hears(ProviderReady()) == [ReportReady(), SendUpdate(), SendReplyRequest()]
    assert state(talk) is Session.READY
    talk.hears(TransportLost(Loss.RETRYABLE))
    talk.asks(ReplyRequested("r"))
    comes_back(talk)
    talk.closes()


def test_a_reset_while_starting_follows_the_consent_once() -> None:
    talk = Scene("STARTING", PHONIC).begin()
    talk.asks(ConfigGiven(), ConfigGiven(ConfigKind.RESET), ConfigGiven())
    assert talk.hears(ProviderReady()) == [ReportReady(), SendReset(), SendReplyRequest()]
    assert state(talk) is Session.READY
    talk.hears(TransportLost(Loss.RETRYABLE))
    talk.asks(ReplyRequested("r"))
    comes_back(talk)
    talk.closes()


@pytest.mark.parametrize("change", [None, ConfigKind.UPDATE, ConfigKind.RESET])
def test_consent_restores_the_attempts_whatever_changed_meanwhile(change: ConfigKind | None) -> None:
    talk = Scene("CONNECTING", PHONIC).begin(retries=1)
    for _ in range(3):
        talk.hears(TransportOpened())
        talk.asks(*([ConfigGiven(change)] if change is not None else []))
        talk.hears(ProviderReady(), TransportLost(Loss.RETRYABLE))
        assert talk.waits(2.0) == [OpenTransport()]
    talk.closes()


def test_a_session_that_nobody_configures_asks_nobody_to_wait_for_it() -> None:
    talk = Scene("AWAITING_CONFIG", PHONIC).begin()
    talk.hears(TransportLost(Loss.RETRYABLE))
    assert talk.waits(2.0) == [OpenTransport()]
    assert talk.hears(TransportOpened()) == []
    assert state(talk) is Session.AWAITING_CONFIG
    talk.asks(ReplyRequested("r"))
    assert talk.waits(22.0) == [FailReply(Failure.EXPIRED)] * 2
    talk.asks(ReplyRequested("s"))
    assert talk.waits(8.0) == [*OVER, ReportFatal(), CloseTransport()]
    assert state(talk) is Session.CLOSING


def test_a_configuration_refused_while_starting_ends_everything_first() -> None:
    talk = Scene("STARTING", PHONIC).begin()
    assert talk.hears(ConfigRejected()) == [*OVER, ReportFatal(), CloseTransport()]
    assert state(talk) is Session.CLOSING


@pytest.mark.parametrize("name", ["READY", "ROLLING"])
def test_a_running_session_is_reconfigured_where_it_is(name: str) -> None:
    talk = brought_to(name, OPENAI)
    deadline = talk.conversation.session.deadline
    talk.waits(0.5)
    assert talk.asks(ConfigGiven()) == [SendUpdate()]
    assert talk.asks(ConfigGiven(ConfigKind.RESET)) == [SendUpdate()]
    assert talk.hears(ConfigRejected()) == [RestoreConfig(), ReportRecoverable()]
    assert (state(talk).name, talk.conversation.session.deadline) == (name, deadline)


@pytest.mark.parametrize("name", ["READY", "ROLLING"])
def test_the_end_of_a_conversation_fails_what_waits_and_lets_the_goodbye_be_heard(name: str) -> None:
    talk = brought_to(name, OPENAI)
    assert talk.hears(ConversationEnded()) == OVER
    assert state(talk) is Session.ENDING
    (message,) = [one.id for one in talk.conversation.playouts]
    assert talk.hears(GenerationDone(generation="g")) == FINISHED
    assert talk.asks(PlayoutFinished(message)) == [ReportEnded(), CloseTransport()]
    assert state(talk) is Session.CLOSING


def test_a_user_who_speaks_when_the_conversation_ends_is_stopped_before_anyone_is_told() -> None:
    talk = ready(PHONIC)
    assert talk.hears(UserSpeechStarted()) == [SpeechStarted()]
    assert talk.hears(ConversationEnded()) == [SpeechStopped(), ReportEnded(), CloseTransport()]
    assert state(talk) is Session.CLOSING


def test_a_goodbye_that_is_said_twice_ends_no_call() -> None:
    talk = brought_to("ENDING")
    assert talk.hears(ToolCallReady("c", "look_up", "{}")) == [DeliverCall()]
    assert talk.hears(ConversationEnded()) == []
    assert [one.state.name for one in talk.conversation.calls] == ["PENDING"]


def test_a_goodbye_that_never_ends_is_cut_in_time() -> None:
    talk = brought_to("ENDING", OPENAI)
    for _ in range(2):
        talk.waits(14.0)
        talk.hears(TextDelta("and", "g"))
    assert talk.waits(1.9) == []
    assert talk.waits(0.1) == [*CUT, ReportEnded(), CloseTransport()]
    assert state(talk) is Session.CLOSING


def test_a_goodbye_is_heard_to_its_end_without_its_connection() -> None:
    for last in ("quiet", "time", "close"):
        talk = brought_to("ENDING", OPENAI)
        deadline = talk.conversation.session.deadline
        talk.waits(0.5)
        assert talk.hears(TransportLost(Loss.FAILED)) == FINISHED
        assert (state(talk), talk.conversation.session.deadline) == (Session.ENDING, deadline)
        (message,) = [one.id for one in talk.conversation.playouts]
        if last == "quiet":
            assert talk.asks(PlayoutFinished(message)) == [ReportEnded()]
        elif last == "time":
            assert talk.waits(29.5) == [ReportEnded()]
        else:
            assert talk.asks(CloseRequested()) == []
        assert state(talk) is Session.CLOSED
        assert talk.conversation.live_objects == 0


def test_a_close_while_reconnecting_closes_nothing_twice() -> None:
    talk = brought_to("RECONNECTING")
    assert talk.asks(CloseRequested()) == OVER
    assert state(talk) is Session.CLOSED
    assert talk.waits(60.0) == []


def test_a_connection_that_is_due_is_renewed_in_time_though_nobody_is_quiet() -> None:
    talk = brought_to("ROLLING")
    for _ in range(2):
        talk.waits(14.0)
        talk.hears(TextDelta("and", "g"))
    talk.asks(ReplyRequested("r"))
    assert talk.waits(1.9) == []
    assert talk.waits(0.1) == [*CUT, CloseTransport(), OpenTransport()]
    assert state(talk) is Session.CONNECTING
    assert talk.hears(TransportOpened(), ProviderReady()) == [SendConfig(), ReportReady(), SendReplyRequest()]


def test_a_connection_that_is_due_is_renewed_once_everything_is_quiet() -> None:
    talk = brought_to("ROLLING")
    (message,) = [one.id for one in talk.conversation.playouts]
    assert talk.hears(GenerationDone(generation="g")) == FINISHED
    assert talk.asks(PlayoutFinished(message)) == [CloseTransport(), OpenTransport()]
    assert state(talk) is Session.CONNECTING
    assert talk.hears(TransportOpened(), ProviderReady()) == [SendConfig(), ReportReady(), SendReplyRequest()]
