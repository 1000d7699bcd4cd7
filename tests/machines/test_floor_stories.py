"""Stories of the user's voice, told over every wire: whom it stops, in what order, and how long it is waited for."""

from __future__ import annotations

import pytest

from rtfsm.language import Effect
from rtfsm.machines import BargeIn, Capabilities, Floor, UserTurn
from rtfsm.profiles import GEMINI, OPENAI, PHONIC, WIDEST
from rtfsm.vocabulary.effects import (
    CloseMessage,
    CorrectContext,
    FailReply,
    Failure,
    OpenGeneration,
    ReleaseHost,
    Seal,
    SendCancel,
    SendReplyRequest,
    SpeechStarted,
    SpeechStopped,
    TakeBack,
)
from rtfsm.vocabulary.local import (
    InterruptRequested,
    ReplyKind,
    ReplyRequested,
    ToolOutputGiven,
    ToolReply,
)
from rtfsm.vocabulary.wire import (
    GenerationCreated,
    GenerationDone,
    GenerationInterrupted,
    GenerationStatus,
    TextDelta,
    ToolCallCancelled,
    ToolCallReady,
    UserSpeechStarted,
    UserSpeechStopped,
    UserTurnCancelled,
)

from .talk import Talk, ready

every_wire = pytest.mark.parametrize("wire", [PHONIC, OPENAI, GEMINI, WIDEST])
that_answers = pytest.mark.parametrize("wire", [PHONIC, GEMINI, WIDEST])
STARTS, STOPS, TAKES_BACK = UserSpeechStarted(), UserSpeechStopped(), UserTurnCancelled()
CUT: list[Effect] = [CloseMessage(cut=True), Seal()]


def cut(wire: Capabilities) -> list[Effect]:
    """The user cuts what is being said."""
    return [*CUT, SendCancel()] if wire.cancel else CUT


def told(wire: Capabilities, unheard: int = 1) -> list[Effect]:
    """The host is told that the user speaks, and so many messages were not heard yet."""
    return [SpeechStarted(), *([TakeBack()] * unheard if wire.takes_back else [])]


def user(talk: Talk) -> UserTurn:
    found: UserTurn = talk.conversation.user_turn.state
    return found


def overlapping(wire: Capabilities) -> Talk:
    """The user speaks over an agent that only the provider may cut."""
    talk = ready(wire, floor=Floor(BargeIn.PROVIDER))
    talk.hears(GenerationCreated("g"), TextDelta("one", "g"))
    assert talk.hears(STARTS) == []
    assert user(talk) is UserTurn.OVERLAPPING
    return talk


def expecting(wire: Capabilities, *, stopped: bool = False) -> Talk:
    """The agent was heard, a tool has answered, and the provider is to speak. stopped: the user just fell silent."""
    talk = ready(wire)
    if stopped:
        talk.hears(STARTS, STOPS)
    talk.hears(GenerationCreated("g"), TextDelta("one", "g"), ToolCallReady("c", "look_up", "{}", "g"))
    talk.hears(GenerationDone(GenerationStatus.COMPLETED, "g"))
    talk.asks(ToolOutputGiven("c", "42", ToolReply.WANTED))
    assert talk.conversation.expects_answer
    return talk


@every_wire
@pytest.mark.parametrize("floor", [Floor(), Floor(BargeIn.PROVIDER)])
def test_a_user_who_stops_is_waited_for_in_words_whoever_may_cut(wire: Capabilities, floor: Floor) -> None:
    talk = ready(wire, floor=floor)
    talk.hears(GenerationCreated("g"), TextDelta("one", "g"))
    heard = talk.hears(STARTS)
    assert heard == ([] if floor.barge_in is BargeIn.PROVIDER else [*cut(wire), *told(wire)])
    assert talk.hears(STOPS) == ([SpeechStopped()] if heard else [])
    assert user(talk) is UserTurn.AWAITING_TRANSCRIPT
    talk.closes()


@every_wire
def test_speech_that_was_no_speech_leaves_the_user_silent(wire: Capabilities) -> None:
    for talk, heard in ((overlapping(wire), list[Effect]()), (ready(wire), [SpeechStopped()])):
        talk.hears(STARTS)
        assert talk.hears(TAKES_BACK) == heard
        assert user(talk) is UserTurn.SILENT
        talk.closes()


@every_wire
def test_a_user_who_never_stops_is_silent_after_a_minute(wire: Capabilities) -> None:
    talk = ready(wire)
    talk.hears(STARTS)
    assert SpeechStopped() in talk.waits(60.0)
    assert user(talk) is UserTurn.SILENT
    talk = ready(wire, floor=Floor(BargeIn.PROVIDER))
    talk.hears(GenerationCreated("g"))
    for second in range(70):
        talk.hears(TextDelta("one", "g"))
        if second == 1:
            assert talk.hears(STARTS) == []
        assert user(talk) is (UserTurn.OVERLAPPING if 1 <= second < 61 else UserTurn.SILENT)
        talk.waits(1.0)
    assert user(talk) is UserTurn.SILENT
    talk.closes()


@every_wire
def test_a_user_who_speaks_again_before_the_words_came_overlaps_again(wire: Capabilities) -> None:
    talk = overlapping(wire)
    talk.hears(STOPS)
    assert talk.hears(STARTS) == []
    assert user(talk) is UserTurn.OVERLAPPING
    talk.closes()


@every_wire
def test_a_user_who_speaks_again_before_the_words_came_cuts_again(wire: Capabilities) -> None:
    talk = ready(wire)
    talk.hears(STARTS, STOPS, GenerationCreated("g"), TextDelta("one", "g"))
    assert talk.hears(STARTS) == [*cut(wire), *told(wire)]
    talk.closes()


@that_answers
@pytest.mark.parametrize("stopped", [False, True])
def test_a_host_that_waits_for_an_answer_is_released_after_it_was_told_of_the_user(
    wire: Capabilities, stopped: bool
) -> None:
    talk = expecting(wire, stopped=stopped)
    assert talk.hears(STARTS) == [*told(wire), ReleaseHost()]
    talk.closes()


@that_answers
@pytest.mark.parametrize("stopped", [False, True])
def test_a_cut_without_a_voice_releases_the_host_between_start_and_stop(wire: Capabilities, stopped: bool) -> None:
    talk = expecting(wire, stopped=stopped)
    heard = talk.hears(GenerationInterrupted())
    assert heard == [CorrectContext(), *told(wire), ReleaseHost(), SpeechStopped()]
    talk.closes()


@pytest.mark.parametrize("wire", [OPENAI, WIDEST])
def test_a_cut_ends_what_is_said_beside_before_the_host_is_told(wire: Capabilities) -> None:
    talk = ready(wire)
    talk.hears(STARTS, GenerationCreated("g"), TextDelta("one", "g"))
    talk.hears(GenerationCreated("h", stored=False), TextDelta("two", "h"))
    heard = talk.hears(GenerationInterrupted("g"))
    assert heard == [*CUT, CorrectContext(), *cut(wire), SpeechStopped(), *told(wire, unheard=2)]
    talk.closes()


# -- words that were to be said, and a user who talks over them --------------------------------------------------------


def saying(wire: Capabilities) -> Talk:
    talk = ready(wire)
    assert talk.asks(ReplyRequested("s", ReplyKind.SAY)) == [SendReplyRequest()]
    return talk


def test_words_to_say_that_the_user_talks_over_take_no_answer_from_the_user() -> None:
    talk = saying(PHONIC)
    assert talk.hears(STARTS) == [SpeechStarted()]
    assert talk.asks(InterruptRequested()) == [FailReply(Failure.INTERRUPTED)]
    assert talk.conversation.replies == []
    talk.hears(STOPS)
    assert talk.hears(GenerationCreated())[0] == OpenGeneration()
    talk.closes()


def test_words_to_say_that_the_host_interrupts_by_itself_are_not_heard() -> None:
    talk = saying(PHONIC)
    assert talk.asks(InterruptRequested()) == [FailReply(Failure.INTERRUPTED)]
    assert talk.states == ["DISCARDING"]
    assert OpenGeneration() not in talk.hears(GenerationCreated(), TextDelta("said"))
    talk.closes()


@pytest.mark.parametrize("speaks", [False, True])
def test_an_answer_that_names_its_request_is_known_whoever_speaks(speaks: bool) -> None:
    talk = saying(WIDEST)
    if speaks:
        talk.hears(STARTS)
    assert talk.asks(InterruptRequested()) == [FailReply(Failure.INTERRUPTED)]
    assert talk.states == ["DISCARDING"]
    assert OpenGeneration() not in talk.hears(GenerationCreated("g", "s"), TextDelta("said", "g"))
    talk.closes()


def test_a_question_that_the_host_interrupts_expires_in_its_time() -> None:
    talk = ready(WIDEST)
    talk.asks(ReplyRequested("r"))
    talk.waits(9.0)
    assert talk.asks(InterruptRequested()) == []
    assert talk.waits(1.0) == [FailReply(Failure.EXPIRED)]
    talk.closes()


# -- what is over for good ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", [PHONIC, WIDEST])
def test_a_call_that_is_withdrawn_is_over(wire: Capabilities) -> None:
    talk = ready(wire)
    talk.hears(GenerationCreated("g"), ToolCallReady("c", "look_up", "{}", "g"))
    talk.hears(GenerationDone(GenerationStatus.COMPLETED, "g"), ToolCallCancelled("c"))
    assert talk.conversation.calls == []
    talk.closes()


@pytest.mark.parametrize("wire", [PHONIC, WIDEST])
def test_an_output_that_is_given_twice_is_awaited_no_longer_for_it(wire: Capabilities) -> None:
    talk = expecting(wire)
    talk.hears(STARTS, STOPS)
    timer = talk.conversation.calls[0].timer
    assert timer is not None
    talk.waits(timer.seconds - 1.0)
    talk.asks(ToolOutputGiven("c", "42", ToolReply.WANTED))
    talk.waits(1.0)
    assert talk.conversation.calls == []
    talk.closes()


@pytest.mark.parametrize("wire", [PHONIC, GEMINI])
def test_a_user_who_falls_silent_prolongs_no_wait_for_stragglers(wire: Capabilities) -> None:
    talk = ready(wire)
    talk.hears(GenerationCreated(), TextDelta("one"), GenerationDone(GenerationStatus.COMPLETED))
    talk.hears(STARTS)
    talk.waits(0.9)
    talk.hears(STOPS)
    talk.waits(0.1)
    assert talk.conversation.generations == []
    talk.closes()
