"""Stories of what one wrong decision about a request, a call or the user would do."""

from __future__ import annotations

import pytest

from rtfsm.language import Effect, Event, Instance
from rtfsm.machines import BargeIn, Generation, UserTurn
from rtfsm.profiles import OPENAI, PHONIC
from rtfsm.vocabulary.effects import (
    CloseMessage,
    CorrectContext,
    DeliverCall,
    EmitTranscript,
    FailReply,
    Failure,
    ReleaseHost,
    ReportCallEnded,
    ReportEnded,
    ReportFatal,
    ReportOutputDropped,
    Seal,
    SendReplyRequest,
    SendReset,
    SendToolError,
    SendToolOutput,
    SpeechStarted,
    SpeechStopped,
)
from rtfsm.vocabulary.local import (
    ConfigGiven,
    ConfigKind,
    InterruptRequested,
    PlayoutStarted,
    ReplyAbandoned,
    ReplyRequested,
    ToolOutputGiven,
    ToolReply,
)
from rtfsm.vocabulary.wire import (
    GenerationCreated,
    GenerationDone,
    GenerationInterrupted,
    Loss,
    ReplyDeclined,
    TextDelta,
    ToolCallCancelled,
    ToolCallReady,
    ToolResultTaken,
    TransportLost,
    TransportOpened,
    UserSpeechStarted,
    UserSpeechStopped,
    UserTranscript,
    UserTurnCancelled,
)

from .talk import Talk, ready

CUT: list[Effect] = [CloseMessage(cut=True), Seal()]
CALL, OTHER = ToolCallReady("c", "look_up", "{}"), ToolCallReady("d", "look_up", "{}")
OUTPUT = ToolOutputGiven("c", "42")
DROPPED = ReportOutputDropped()


def unmoved(talk: Talk, one: Instance, *events: Event, told: list[Effect] | None = None) -> None:
    """Each event does what was ``told`` and neither moves the instance nor prolongs its wait."""
    for event in events:
        before = (one.state, one.context, one.deadline)
        talk.waits(0.1)
        assert talk.asks(event) == (told or []), event
        assert (one.state, one.context, one.deadline) == before, event


def reply(talk: Talk, number: int = 0) -> Instance:
    return talk.conversation.replies[number]


def replies(talk: Talk) -> list[str]:
    return [one.state.name for one in talk.conversation.replies]


def calls(talk: Talk) -> list[str]:
    return [one.state.name for one in talk.conversation.calls]


# -- requests ------------------------------------------------------------------------------------------------------


def sent(*more: str) -> Talk:
    """A request on the wire, and others behind it."""
    talk = ready(PHONIC)
    assert talk.asks(ReplyRequested("q")) == [SendReplyRequest()]
    assert talk.asks(*(ReplyRequested(one) for one in more)) == []
    return talk


def discarding() -> Talk:
    talk = sent()
    assert talk.waits(10.0) == [FailReply(Failure.EXPIRED)]
    assert replies(talk) == ["DISCARDING"]
    return talk


def expecting() -> Talk:
    """A tool output was sent, and its turn has ended."""
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), CALL, GenerationDone())
    assert talk.asks(OUTPUT) == [SendToolOutput()]
    assert (replies(talk), calls(talk)) == (["EXPECTED"], ["ANSWERED"])
    return talk


def test_an_interruption_neither_withdraws_nor_prolongs_a_request() -> None:
    talk = Talk(PHONIC)
    talk.asks(ConfigGiven(), ReplyRequested("q"))
    talk.hears(TransportOpened())
    unmoved(talk, reply(talk), InterruptRequested())
    for talk in (sent("r"), expecting(), discarding()):
        unmoved(talk, reply(talk), InterruptRequested())


def test_a_user_who_speaks_does_not_prolong_a_request() -> None:
    talk = sent("r")
    before = [(one.state, one.deadline) for one in talk.conversation.replies]
    talk.waits(0.1)
    assert talk.hears(UserSpeechStarted()) == [SpeechStarted()]
    assert [(one.state, one.deadline) for one in talk.conversation.replies] == before


def test_a_reset_forgets_requests_whether_they_were_sent_or_not() -> None:
    talk = sent("r")
    told = talk.asks(ConfigGiven(ConfigKind.RESET))
    assert told == [FailReply(Failure.RESET), FailReply(Failure.RESET), SendReset()]
    assert replies(talk) == []


def test_a_lost_connection_fails_what_was_sent_and_does_not_prolong_what_was_not() -> None:
    talk = sent("r")
    deadline = reply(talk, 1).deadline
    talk.waits(0.1)
    assert talk.hears(TransportLost(Loss.RETRYABLE)) == [FailReply(Failure.LOST)]
    assert (replies(talk), reply(talk).deadline) == (["QUEUED"], deadline)


def test_a_request_that_is_declined_makes_way_for_the_next() -> None:
    talk = sent("r")
    assert talk.hears(ReplyDeclined()) == [FailReply(Failure.DECLINED), SendReplyRequest()]
    assert replies(talk) == ["SENT"]


def test_an_answer_to_a_tool_that_is_declined_releases_the_host_once() -> None:
    talk = expecting()
    assert talk.hears(ReplyDeclined()) == [ReleaseHost()]
    assert replies(talk) == []
    assert talk.hears(ReplyDeclined()) == []
    assert talk.asks(ReplyRequested("q")) == [SendReplyRequest()]


def test_a_user_who_speaks_instead_releases_the_host_once() -> None:
    talk = expecting()
    assert talk.hears(UserSpeechStarted()) == [SpeechStarted(), ReleaseHost()]
    assert replies(talk) == []


def test_another_call_of_the_turn_means_that_no_answer_is_due_yet() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), TextDelta("one"), CALL)
    assert talk.asks(OUTPUT) == [SendToolOutput()]
    assert replies(talk) == ["EXPECTED"]
    assert talk.hears(OTHER) == [DeliverCall()]
    assert replies(talk) == []
    assert ReleaseHost() not in talk.waits(30.0)


def test_the_host_is_released_at_a_loss_and_not_at_the_end() -> None:
    assert expecting().hears(TransportLost(Loss.RETRYABLE)) == [ReleaseHost()]
    assert expecting().asks(ConfigGiven(ConfigKind.RESET)) == [ReleaseHost(), SendReset()]
    assert expecting().hears(TransportLost(Loss.NORMAL)) == [ReportEnded()]
    assert expecting().hears(TransportLost(Loss.FAILED)) == [ReportFatal()]


def test_a_late_answer_that_is_declined_is_awaited_no_more() -> None:
    talk = discarding()
    assert talk.hears(ReplyDeclined()) == []
    assert replies(talk) == []
    assert talk.asks(ReplyRequested("r")) == [SendReplyRequest()]


def test_a_late_answer_is_awaited_until_the_user_speaks_or_time_is_up() -> None:
    talk = discarding()
    talk.hears(UserSpeechStarted())
    assert replies(talk) == []
    talk = discarding()
    assert talk.waits(5.0) == []
    assert replies(talk) == []
    assert talk.waits(60.0) == []


def test_a_request_given_up_twice_is_not_awaited_longer() -> None:
    for profile in (PHONIC, OPENAI):
        talk = ready(profile)
        talk.asks(ReplyRequested("q"), ReplyAbandoned("q"))
        assert replies(talk) == ["DISCARDING"]
        unmoved(talk, reply(talk), ReplyAbandoned("q"))


# -- calls ---------------------------------------------------------------------------------------------------------


def pending() -> Talk:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), CALL, GenerationDone())
    assert calls(talk) == ["PENDING"]
    return talk


def test_a_call_that_is_repeated_is_not_prolonged() -> None:
    for talk in (pending(), expecting()):
        unmoved(talk, talk.conversation.calls[0], CALL)


def test_an_output_that_is_repeated_is_not_sent_and_prolongs_nothing() -> None:
    talk = expecting()
    unmoved(talk, talk.conversation.calls[0], *(ToolOutputGiven("c", "42", one) for one in ToolReply), told=[DROPPED])


def test_a_call_that_the_provider_gave_up_is_over_at_once() -> None:
    talk = pending()
    assert talk.hears(ToolResultTaken("c")) == [ReportCallEnded()]
    assert calls(talk) == []
    talk = pending()
    assert talk.waits(59.0) == [SendToolError(), ReportCallEnded()]
    assert calls(talk) == []


def test_an_output_is_awaited_by_the_provider_whatever_answer_it_wants() -> None:
    for wanted, released in ((ToolReply.NOT_WANTED, []), (ToolReply.WITHHELD, [ReleaseHost()])):
        talk = pending()
        assert talk.asks(ToolOutputGiven("c", "42", wanted)) == [SendToolOutput(), *released]
        assert (calls(talk), replies(talk)) == (["ANSWERED"], [])
        talk.waits(9.0)
        assert calls(talk) == ["ANSWERED"]
        assert talk.hears(ToolResultTaken("c")) == []
        assert calls(talk) == []


def test_a_call_withdrawn_after_its_output_expects_no_answer() -> None:
    talk = expecting()
    assert talk.hears(ToolCallCancelled("c")) == [ReleaseHost()]
    assert (calls(talk), replies(talk)) == ([], [])


# -- the user ------------------------------------------------------------------------------------------------------


def turn(talk: Talk) -> Instance:
    return talk.conversation.user_turn


def heard(barge_in: BargeIn = BargeIn.PROVIDER) -> Talk:
    """A turn is being played."""
    talk = ready(PHONIC, barge_in=barge_in)
    talk.hears(GenerationCreated(), TextDelta("one"))
    talk.asks(PlayoutStarted(talk.messages[0]))
    return talk


def silent_again(talk: Talk) -> None:
    """Nothing more of the speech is awaited or told."""
    for event in (UserSpeechStopped(), UserTurnCancelled()):
        assert turn(talk).state is UserTurn.SILENT
        assert talk.hears(event) == []
    assert turn(talk).state is UserTurn.SILENT


def test_speech_that_may_not_cut_is_forgotten_in_time() -> None:
    talk = heard()
    assert talk.hears(UserSpeechStarted()) == []
    assert turn(talk).state is UserTurn.OVERLAPPING
    for _ in range(3):
        unmoved(talk, turn(talk), UserSpeechStarted())
        assert talk.waits(19.0) == []
        unmoved(talk, turn(talk), UserTranscript("mhm"), told=[EmitTranscript()])
        talk.hears(TextDelta("and"))
    assert talk.waits(60.0 - 3 * 19.2) == []
    silent_again(talk)


def test_a_user_who_goes_on_is_told_once_and_not_longer_than_one_may_speak() -> None:
    talk = ready(PHONIC)
    assert talk.hears(UserSpeechStarted()) == [SpeechStarted()]
    unmoved(talk, turn(talk), UserSpeechStarted())
    unmoved(talk, turn(talk), UserTranscript("hello"), told=[EmitTranscript()])
    unmoved(talk, turn(talk), GenerationInterrupted(), told=[CorrectContext()])
    assert talk.waits(60.0) == [SpeechStopped()]
    silent_again(talk)


def test_speech_that_is_taken_back_leaves_nothing_to_wait_for() -> None:
    talk = ready(PHONIC)
    assert talk.hears(UserSpeechStarted(), UserTurnCancelled()) == [SpeechStarted(), SpeechStopped()]
    silent_again(talk)
    talk.hears(UserSpeechStarted(), UserSpeechStopped())
    assert turn(talk).state is UserTurn.AWAITING_TRANSCRIPT
    assert talk.hears(UserTurnCancelled()) == []
    silent_again(talk)
    talk = heard()
    assert talk.hears(UserSpeechStarted(), UserTurnCancelled()) == []
    silent_again(talk)


def test_words_end_the_wait_for_them() -> None:
    talk = ready(PHONIC)
    talk.hears(UserSpeechStarted(), UserSpeechStopped())
    unmoved(talk, turn(talk), UserSpeechStopped())
    assert talk.hears(UserTranscript("hello")) == [EmitTranscript()]
    silent_again(talk)
    talk.hears(UserSpeechStarted(), UserSpeechStopped())
    assert talk.waits(5.0) == []
    silent_again(talk)


def test_a_user_who_speaks_again_before_the_words_came_cuts_again() -> None:
    talk = ready(PHONIC)
    talk.hears(UserSpeechStarted(), UserSpeechStopped(), GenerationCreated(), TextDelta("one"))
    assert talk.hears(UserSpeechStarted()) == [*CUT, SpeechStarted()]
    assert turn(talk).state is UserTurn.SPEAKING
    talk = expecting()
    talk.hears(UserSpeechStarted(), UserSpeechStopped(), GenerationCreated(), OTHER, GenerationDone())
    talk.asks(ToolOutputGiven("d", "42"))
    assert talk.hears(UserSpeechStarted()) == [SpeechStarted(), ReleaseHost()]


def test_speech_again_over_what_may_not_be_cut_is_not_told() -> None:
    talk = heard()
    talk.hears(UserSpeechStarted(), UserSpeechStopped())
    assert turn(talk).state is UserTurn.AWAITING_TRANSCRIPT
    assert talk.hears(UserSpeechStarted()) == []
    assert turn(talk).state is UserTurn.OVERLAPPING
    assert talk.hears(TextDelta("two"))
    assert talk.hears(GenerationInterrupted()) == [*CUT, CorrectContext(), SpeechStarted()]
    assert turn(talk).state is UserTurn.SPEAKING


def test_a_cut_that_the_provider_tells_after_the_speech_stops_what_is_played() -> None:
    talk = heard()
    talk.hears(UserSpeechStarted(), UserSpeechStopped())
    pair: list[Effect] = [SpeechStarted(), SpeechStopped()]
    unmoved(talk, turn(talk), GenerationInterrupted(), told=[*CUT, CorrectContext(), *pair])
    assert turn(talk).state is UserTurn.AWAITING_TRANSCRIPT
    assert talk.conversation.generations[0].state is Generation.INTERRUPTED


def test_a_cut_of_nothing_that_is_heard_tells_the_host_nothing() -> None:
    talk = ready(PHONIC)
    talk.hears(UserSpeechStarted(), UserSpeechStopped())
    unmoved(talk, turn(talk), GenerationInterrupted(), told=[CorrectContext()])


@pytest.mark.parametrize("barge_in", BargeIn)
def test_a_cut_without_speech_is_told_as_a_pair(barge_in: BargeIn) -> None:
    talk = heard(barge_in)
    assert talk.hears(GenerationInterrupted()) == [*CUT, CorrectContext(), SpeechStarted(), SpeechStopped()]
    silent_again(talk)
