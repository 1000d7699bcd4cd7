"""Stories of requests: each future ends once, in time, and its late answer belongs to nobody."""

from __future__ import annotations

from rtfsm.language import Effect, Reason
from rtfsm.machines import AgentState, BargeIn, Floor
from rtfsm.profiles import OPENAI, PHONIC, WIDEST
from rtfsm.vocabulary.effects import (
    CloseMessage,
    DeliverCall,
    FailReply,
    Failure,
    OpenGeneration,
    OpenMessage,
    PushText,
    ReportReady,
    ResolveReply,
    Seal,
    SendCancel,
    SendConfig,
    SendReplyRequest,
    SendReset,
    SendToolError,
    SpeechStarted,
)
from rtfsm.vocabulary.local import (
    ConfigGiven,
    ConfigKind,
    InterruptRequested,
    ReplyAbandoned,
    ReplyKind,
    ReplyRequested,
)
from rtfsm.vocabulary.wire import (
    GenerationCreated,
    GenerationDone,
    Loss,
    ProviderReady,
    ReplyDeclined,
    RequestRejected,
    TextDelta,
    ToolCallReady,
    TransportLost,
    TransportOpened,
    UserSpeechStarted,
)

from .talk import Talk, ready

SENT: list[Effect] = [SendReplyRequest()]
FINISHED: list[Effect] = [CloseMessage(), Seal()]
ANSWERED: list[Effect] = [OpenGeneration(user_initiated=True), ResolveReply()]
UNASKED: list[Effect] = [OpenGeneration()]


def asked(talk: Talk, request: str = "q", kind: ReplyKind = ReplyKind.GENERATE) -> Talk:
    assert talk.asks(ReplyRequested(request, kind)) == SENT
    return talk


def expired(talk: Talk) -> Talk:
    """A request that nobody answered in time."""
    asked(talk)
    assert talk.waits(10.0) == [FailReply(Failure.EXPIRED)]
    return talk


def test_a_request_is_answered_by_the_next_turn() -> None:
    talk = asked(ready(PHONIC))
    assert talk.conversation.agent_state is AgentState.THINKING
    assert talk.hears(GenerationCreated()) == ANSWERED
    assert talk.hears(TextDelta("one"), GenerationDone()) == [OpenMessage(), PushText(), *FINISHED]
    talk.closes()


def test_a_request_is_answered_by_words_without_a_start() -> None:
    talk = asked(ready(PHONIC))
    assert talk.hears(TextDelta("one")) == [*ANSWERED, OpenMessage(), PushText()]
    talk.closes()


def test_a_request_is_answered_by_a_call() -> None:
    talk = asked(ready(PHONIC))
    assert talk.hears(ToolCallReady("c", "look_up", "{}")) == [*ANSWERED, DeliverCall(), Seal()]
    talk.closes()


def test_a_greeting_answers_nobody() -> None:
    talk = asked(ready(PHONIC))
    assert talk.hears(GenerationCreated(greeting=True)) == UNASKED
    assert talk.hears(GenerationDone(), GenerationCreated()) == [*FINISHED, *ANSWERED]
    talk.closes()


def test_a_request_waits_for_the_turn_that_runs() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), TextDelta("one"))
    assert talk.asks(ReplyRequested("q")) == []
    assert talk.hears(GenerationDone()) == [*FINISHED, *SENT]
    talk.closes()


def test_a_request_before_the_connection_waits_for_it() -> None:
    talk = Talk(PHONIC)
    assert talk.asks(ReplyRequested("q"), ConfigGiven()) == []
    assert talk.waits(9.0) + talk.hears(TransportOpened(), ProviderReady()) == [SendConfig(), ReportReady(), *SENT]
    talk.closes()


def test_a_request_does_not_wait_for_a_connection_for_ever() -> None:
    talk = Talk(PHONIC)
    talk.waits(5.0)
    talk.hears(TransportOpened())
    assert talk.asks(ReplyRequested("q")) == []
    assert talk.waits(10.0) == [FailReply(Failure.EXPIRED)]
    talk.closes()


def test_one_request_at_a_time_is_on_the_wire() -> None:
    talk = asked(ready(PHONIC), "first")
    assert talk.asks(ReplyRequested("second")) == []
    assert talk.hears(GenerationCreated()) == ANSWERED
    assert talk.hears(GenerationDone()) == [*FINISHED, *SENT]
    assert talk.hears(GenerationCreated()) == ANSWERED
    talk.closes()


def test_the_late_answer_to_an_expired_request_is_swallowed() -> None:
    talk = expired(ready(PHONIC))
    assert talk.hears(GenerationCreated(), TextDelta("late"), GenerationDone()) == []
    assert talk.hears(GenerationCreated()) == UNASKED
    talk.closes()


def test_a_request_that_expires_before_it_is_sent_is_never_sent() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), TextDelta("one"))
    assert talk.asks(ReplyRequested("q")) == []
    assert talk.waits(10.0) == [FailReply(Failure.EXPIRED)]
    assert talk.hears(GenerationDone()) == FINISHED
    assert talk.waits(2.0) == []
    talk.closes()


def test_a_new_request_waits_for_the_late_answer_of_the_old() -> None:
    talk = expired(ready(PHONIC))
    assert talk.asks(ReplyRequested("new")) == []
    assert talk.hears(GenerationCreated(), TextDelta("late"), GenerationDone()) == SENT
    assert talk.hears(GenerationCreated()) == ANSWERED
    talk.closes()


def test_a_new_request_does_not_wait_for_ever() -> None:
    talk = expired(ready(PHONIC))
    assert talk.asks(ReplyRequested("new")) == []
    assert talk.waits(4.9) == []
    assert talk.waits(0.1) == SENT
    talk.closes()


def test_the_user_speaks_and_the_next_turn_answers_the_user() -> None:
    talk = expired(ready(PHONIC))
    assert talk.hears(UserSpeechStarted()) == [SpeechStarted()]
    assert talk.hears(GenerationCreated()) == UNASKED
    talk.closes()


def test_an_answer_to_an_abandoned_request_is_swallowed() -> None:
    talk = asked(ready(PHONIC))
    assert talk.asks(ReplyAbandoned("q")) == []
    assert talk.hears(GenerationCreated(), TextDelta("late"), GenerationDone()) == []
    talk.closes()


def test_a_request_abandoned_because_the_user_speaks_leaves_no_tombstone() -> None:
    talk = asked(ready(PHONIC))
    talk.hears(UserSpeechStarted())
    assert talk.asks(ReplyAbandoned("q")) == []
    assert talk.states == []
    assert talk.hears(GenerationCreated()) == UNASKED
    talk.closes()


def test_a_request_abandoned_while_the_user_only_murmurs_leaves_its_answer_to_be_swallowed() -> None:
    talk = ready(PHONIC, floor=Floor(BargeIn.PROVIDER))
    talk.hears(GenerationCreated(), TextDelta("one"), GenerationDone())
    talk.waits(1.0)
    talk.asks(ReplyRequested("r"))
    talk.hears(UserSpeechStarted())
    talk.asks(ReplyAbandoned("r"))
    assert talk.states == ["DISCARDING"]
    assert talk.hears(GenerationCreated(), TextDelta("late"), GenerationDone()) == []
    talk.closes()


def test_a_request_abandoned_before_it_is_sent_is_forgotten() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), TextDelta("one"))
    assert talk.asks(ReplyRequested("q"), ReplyAbandoned("q")) == []
    assert talk.hears(GenerationDone()) == FINISHED
    assert talk.asks(ReplyAbandoned("q")) == []
    assert talk.conversation.dropped == {Reason.LATE: 1}
    talk.closes()


def test_a_call_of_a_discarded_answer_is_refused_and_not_run() -> None:
    talk = expired(ready(PHONIC))
    assert talk.hears(ToolCallReady("c", "look_up", "{}")) == [SendToolError()]
    assert talk.states == []
    talk.closes()


def test_a_second_call_of_a_discarded_answer_is_not_run_either() -> None:
    talk = expired(ready(PHONIC))
    talk.hears(GenerationCreated(), TextDelta("late"))
    assert talk.hears(ToolCallReady("c", "look_up", "{}")) == [SendToolError()]
    assert talk.hears(ToolCallReady("c", "look_up", "{}")) == []
    talk.closes()


def test_an_assistant_that_chooses_not_to_respond_ends_the_request() -> None:
    talk = asked(ready(PHONIC))
    assert talk.hears(ReplyDeclined()) == [FailReply(Failure.DECLINED)]
    assert talk.hears(ReplyDeclined()) == []
    talk.closes()


def test_an_interruption_ends_given_words_and_swallows_them() -> None:
    talk = asked(ready(PHONIC), kind=ReplyKind.SAY)
    assert talk.asks(InterruptRequested()) == [FailReply(Failure.INTERRUPTED)]
    assert talk.hears(GenerationCreated(), TextDelta("given"), GenerationDone()) == []
    talk.closes()


def test_an_interruption_before_given_words_are_sent_forgets_them() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), TextDelta("one"))
    talk.asks(ReplyRequested("q", ReplyKind.SAY))
    told = talk.asks(InterruptRequested())
    assert told == [CloseMessage(cut=True), Seal(), FailReply(Failure.INTERRUPTED)]
    talk.closes()


def test_an_interruption_does_not_withdraw_a_request() -> None:
    talk = asked(ready(PHONIC))
    assert talk.asks(InterruptRequested()) == []
    assert talk.hears(GenerationCreated()) == ANSWERED
    talk.closes()


def test_a_request_after_the_close_fails_and_does_not_raise() -> None:
    talk = ready(PHONIC)
    talk.closes()
    assert talk.asks(ReplyRequested("q")) == [FailReply(Failure.OVER)]
    assert talk.conversation.live_objects == 0


def test_a_reset_ends_requests_sent_and_waiting() -> None:
    talk = asked(ready(PHONIC), "first")
    talk.asks(ReplyRequested("second"))
    failed = FailReply(Failure.RESET)
    assert talk.asks(ConfigGiven(ConfigKind.RESET)) == [failed, failed, SendReset()]
    talk.closes()


def test_a_lost_connection_ends_requests() -> None:
    talk = asked(ready(PHONIC))
    assert talk.hears(TransportLost(Loss.RETRYABLE)) == [FailReply(Failure.LOST)]
    talk.closes()


def test_a_named_answer_ends_the_request_that_it_names() -> None:
    talk = asked(ready(OPENAI))
    assert talk.hears(GenerationCreated("other")) == UNASKED
    assert talk.hears(GenerationDone(generation="other")) == FINISHED
    assert talk.hears(GenerationCreated("r", request="q")) == ANSWERED
    talk.closes()


def test_a_late_named_answer_is_cancelled_and_not_heard() -> None:
    talk = expired(ready(OPENAI))
    assert talk.hears(GenerationCreated("r", request="q"), TextDelta("late", "r", "m")) == [SendCancel()]
    talk.closes()


def test_an_answer_to_an_unknown_request_is_cancelled() -> None:
    talk = ready(OPENAI)
    assert talk.hears(GenerationCreated("r", request="nobody's")) == [SendCancel()]
    talk.closes()


def test_an_answer_that_names_a_request_which_was_never_sent_is_unasked() -> None:
    talk = asked(ready(OPENAI), "first")
    assert talk.asks(ReplyRequested("second")) == []
    assert talk.hears(GenerationCreated("r", request="second")) == UNASKED
    talk.closes()


def test_a_rejected_request_fails_at_once() -> None:
    talk = asked(ready(OPENAI))
    assert talk.hears(RequestRejected("q")) == [FailReply(Failure.REJECTED)]
    assert talk.hears(RequestRejected("q")) == []
    talk.closes()


def test_a_rejection_of_what_was_never_sent_is_nothing() -> None:
    talk = asked(ready(OPENAI), "first")
    talk.asks(ReplyRequested("second"))
    assert talk.hears(RequestRejected("second")) == []
    assert talk.conversation.dropped == {Reason.NO_OP: 1}
    assert talk.states == ["SENT", "QUEUED"]
    talk.closes()


def test_a_request_out_of_band_does_not_wait() -> None:
    talk = asked(ready(OPENAI), "main")
    talk.hears(GenerationCreated("r", request="main"))
    assert talk.asks(ReplyRequested("main too")) == []
    assert talk.asks(ReplyRequested("aside", ReplyKind.OUT_OF_BAND)) == SENT
    talk.closes()


def test_a_request_waits_until_the_cancelled_response_is_done() -> None:
    talk = ready(WIDEST)
    talk.hears(GenerationCreated("r"), TextDelta("one", "r", "m"))
    talk.asks(InterruptRequested())
    assert talk.asks(ReplyRequested("q")) == []
    assert talk.hears(GenerationDone(generation="r")) == SENT
    talk.closes()
