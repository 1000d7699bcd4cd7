"""Stories of ends: closed from anywhere, heard to the end, renewed at a quiet moment."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rtfsm.language import Effect, Reason
from rtfsm.machines import Capabilities, Session
from rtfsm.profiles import OPENAI, PHONIC, PROFILES
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
    ReportReady,
    Seal,
    SendConfig,
    SendReplyRequest,
)
from rtfsm.vocabulary.local import (
    CloseRequested,
    ConfigGiven,
    PlayoutFinished,
    PlayoutStarted,
    ReplyRequested,
)
from rtfsm.vocabulary.wire import (
    AudioDelta,
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


def connecting() -> Talk:
    return Talk(OPENAI)


def awaiting() -> Talk:
    talk = connecting()
    talk.hears(TransportOpened())
    return talk


def starting() -> Talk:
    talk = awaiting()
    talk.asks(ConfigGiven())
    return talk


def running() -> Talk:
    talk = starting()
    talk.hears(ProviderReady(), GenerationCreated("r"), TextDelta("one", "r", "m"))
    return talk


def rolling() -> Talk:
    talk = running()
    talk.hears(GoingAway(5.0))
    return talk


def ending() -> Talk:
    talk = running()
    talk.hears(ConversationEnded())
    return talk


def ending_without_a_socket() -> Talk:
    talk = ending()
    talk.hears(TransportLost(Loss.NORMAL))
    return talk


def reconnecting() -> Talk:
    talk = running()
    talk.hears(TransportLost(Loss.RETRYABLE))
    return talk


def closing() -> Talk:
    talk = running()
    talk.asks(CloseRequested())
    return talk


def closed() -> Talk:
    talk = closing()
    talk.hears(TransportLost(Loss.NORMAL))
    return talk


PLACES: dict[Callable[[], Talk], tuple[Session, list[Effect]]] = {
    connecting: (Session.CONNECTING, [CloseTransport()]),
    awaiting: (Session.AWAITING_CONFIG, [CloseTransport()]),
    starting: (Session.STARTING, [CloseTransport()]),
    running: (Session.READY, [*CUT, CloseTransport()]),
    rolling: (Session.ROLLING, [*CUT, CloseTransport()]),
    ending: (Session.ENDING, [*CUT, CloseTransport()]),
    ending_without_a_socket: (Session.ENDING, []),
    reconnecting: (Session.RECONNECTING, []),
    closing: (Session.CLOSING, []),
    closed: (Session.CLOSED, []),
}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: str(place.__name__))
def test_close_in_every_state(place: Callable[[], Talk]) -> None:
    talk = place()
    expected, told = PLACES[place]
    assert state(talk) is expected
    assert talk.asks(CloseRequested()) == told
    assert state(talk) in (Session.CLOSING, Session.CLOSED)
    assert talk.conversation.live_objects == 0
    talk.closes()


def test_every_state_was_closed() -> None:
    assert {place for place, _ in PLACES.values()} == set(Session)


def test_a_close_that_nobody_answers_is_forced() -> None:
    talk = running()
    talk.asks(CloseRequested())
    assert talk.waits(1.9) == []
    assert talk.waits(0.1) == [CloseTransport(abort=True)]
    assert state(talk) is Session.CLOSED


def test_nothing_happens_after_the_close() -> None:
    talk = closed()
    wire = [GenerationCreated("s"), TextDelta("late", "s", "n"), AudioDelta(b""), UserSpeechStarted(), ProviderReady()]
    assert talk.hears(*wire, Fault(True), ConversationEnded(), GoingAway(), TransportOpened()) == []
    assert talk.asks(ConfigGiven(), CloseRequested(), PlayoutStarted("m"), PlayoutFinished("m")) == []
    assert talk.waits(1000.0) == []
    assert talk.conversation.next_deadline() is None
    assert talk.conversation.live_objects == 0


def test_a_goodbye_is_heard_to_its_end() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), TextDelta("good"))
    assert talk.hears(ConversationEnded()) == []
    assert talk.hears(TextDelta("bye"), GenerationDone()) == [PushText(), *FINISHED]
    talk.asks(PlayoutStarted(talk.messages[0]))
    assert talk.waits(3.0) == []
    assert talk.asks(PlayoutFinished(talk.messages[0])) == [ReportEnded(), CloseTransport()]
    assert talk.hears(TransportLost(Loss.NORMAL)) == []
    talk.closes()


def test_a_goodbye_outlives_its_connection() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), TextDelta("goodbye"), ToolCallReady("c", "hang_up", "{}"), ConversationEnded())
    talk.asks(PlayoutStarted(talk.messages[0]))
    assert talk.hears(TransportLost(Loss.NORMAL)) == FINISHED
    assert state(talk) is Session.ENDING
    assert talk.asks(PlayoutFinished(talk.messages[0])) == [ReportEnded()]
    assert state(talk) is Session.CLOSED
    talk.closes()


def test_nothing_begins_once_the_connection_of_a_goodbye_is_gone() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), TextDelta("goodbye"), ConversationEnded(), TransportLost(Loss.NORMAL))
    assert talk.hears(TextDelta("ghost"), ToolCallReady("c", "hang_up", "{}"), UserSpeechStarted()) == []
    assert talk.conversation.dropped == {Reason.STALE: 3}
    talk.closes()


def test_a_goodbye_that_is_never_played_ends_in_time() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), TextDelta("goodbye"), GenerationDone(), ConversationEnded())
    assert talk.waits(29.9) == []
    assert talk.waits(0.1) == [ReportEnded(), CloseTransport()]
    talk.closes()


def test_an_end_without_a_goodbye_is_told_at_once() -> None:
    talk = ready(PHONIC)
    assert talk.hears(ConversationEnded()) == [ReportEnded(), CloseTransport()]
    talk.closes()


def test_requests_and_calls_end_with_the_conversation() -> None:
    talk = busy()
    assert talk.hears(ConversationEnded()) == [FailReply(Failure.OVER), ReportCallEnded()]
    assert talk.asks(ReplyRequested("late")) == [FailReply(Failure.OVER)]
    talk.closes()


def test_a_connection_that_is_due_is_renewed_at_a_quiet_moment() -> None:
    talk = running()
    assert talk.hears(GoingAway(5.0), TextDelta(" two", "r", "m")) == [PushText()]
    assert talk.hears(GenerationDone(generation="r")) == FINISHED
    assert talk.waits(1.0) == []
    assert talk.asks(PlayoutStarted("m"), PlayoutFinished("m")) == [CloseTransport(), OpenTransport()]
    assert talk.hears(TransportOpened(), ProviderReady()) == [SendConfig(), ReportReady()]
    talk.closes()


def test_a_connection_that_is_due_does_not_wait_for_ever() -> None:
    talk = rolling()
    for _ in range(5):
        talk.waits(5.0)
        talk.hears(TextDelta(" and on", "r", "m"))
    assert talk.waits(5.0) == [*CUT, CloseTransport(), OpenTransport()]
    talk.closes()


def test_a_connection_lost_before_the_quiet_moment_is_a_loss() -> None:
    talk = rolling()
    assert talk.hears(TransportLost(Loss.RETRYABLE)) == CUT
    assert talk.waits(2.0) == [OpenTransport()]
    talk.closes()


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_every_profile_connects_and_closes(profile: Capabilities) -> None:
    talk = ready(profile)
    assert talk.asks(ReplyRequested("q")) == [SendReplyRequest()]
    assert talk.closes() == [FailReply(Failure.OVER), CloseTransport(), CloseTransport(abort=True)]
