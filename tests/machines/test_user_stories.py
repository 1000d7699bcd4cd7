"""Stories of users: who has the floor, who is told, and what is still heard."""

from __future__ import annotations

from rtfsm.language import Effect, Reason
from rtfsm.machines import AgentState, BargeIn, Floor, UserState, UserTurn
from rtfsm.profiles import GEMINI, PHONIC
from rtfsm.vocabulary.effects import (
    CloseMessage,
    CorrectContext,
    EmitTranscript,
    OpenGeneration,
    OpenMessage,
    PushText,
    Seal,
    SpeechStarted,
    SpeechStopped,
)
from rtfsm.vocabulary.local import (
    InterruptRequested,
    PlayoutFinished,
    PlayoutStarted,
    ReplyAbandoned,
    ReplyKind,
    ReplyRequested,
)
from rtfsm.vocabulary.wire import (
    GenerationCreated,
    GenerationDone,
    GenerationInterrupted,
    Loss,
    TextDelta,
    TransportLost,
    UserSpeechStarted,
    UserSpeechStopped,
    UserTranscript,
    UserTurnCancelled,
)

from .talk import Talk, ready

CUT: list[Effect] = [CloseMessage(cut=True), Seal()]


def heard(barge_in: BargeIn = BargeIn.SPEECH) -> Talk:
    """A turn that is being heard."""
    talk = ready(PHONIC, barge_in=barge_in)
    talk.hears(GenerationCreated(), TextDelta("one"))
    talk.asks(PlayoutStarted(talk.messages[0]))
    assert talk.conversation.agent_state is AgentState.SPEAKING
    return talk


def test_a_user_speaks_and_is_understood() -> None:
    talk = ready(PHONIC)
    assert talk.hears(UserSpeechStarted()) == [SpeechStarted()]
    states = [talk.conversation.user_state]
    assert talk.hears(UserSpeechStopped()) == [SpeechStopped()]
    states.append(talk.conversation.user_state)
    assert states == [UserState.SPEAKING, UserState.LISTENING]
    assert talk.hears(UserTranscript("hello")) == [EmitTranscript()]
    talk.closes()


def test_edges_told_twice_are_told_once() -> None:
    talk = ready(PHONIC)
    assert talk.hears(UserSpeechStarted(), UserSpeechStarted()) == [SpeechStarted()]
    assert talk.hears(UserSpeechStopped(), UserSpeechStopped()) == [SpeechStopped()]
    assert talk.conversation.ignored() == {Reason.DUPLICATE: 2}
    talk.closes()


def test_a_cough_is_taken_back() -> None:
    talk = ready(PHONIC)
    assert talk.hears(UserSpeechStarted(), UserTurnCancelled()) == [SpeechStarted(), SpeechStopped()]
    assert talk.hears(UserTurnCancelled(), UserSpeechStopped()) == []
    talk.closes()


def test_a_user_who_never_stops_is_stopped_in_time() -> None:
    talk = ready(PHONIC)
    talk.hears(UserSpeechStarted())
    assert talk.waits(59.9) == []
    assert talk.waits(0.1) == [SpeechStopped()]
    talk.closes()


def test_words_that_never_come_are_not_awaited_for_ever() -> None:
    talk = ready(PHONIC)
    talk.hears(UserSpeechStarted(), UserSpeechStopped())
    assert talk.waits(5.0) == []
    assert talk.conversation.user_turn.state.name == "SILENT"
    talk.closes()


def test_words_without_speech_are_told() -> None:
    talk = ready(GEMINI)
    assert talk.hears(UserTranscript("hello")) == [EmitTranscript()]
    talk.closes()


def test_late_words_of_the_user_touch_no_turn() -> None:
    talk = ready(GEMINI)
    talk.hears(GenerationCreated(), TextDelta("one"))
    assert talk.hears(UserTranscript("late"), TextDelta(" two")) == [EmitTranscript(), PushText()]
    talk.hears(GenerationDone())
    assert talk.hears(UserTranscript("later")) == [EmitTranscript()]
    assert talk.states == ["TAIL"]
    talk.closes()


def test_a_user_who_speaks_stops_what_is_played() -> None:
    talk = heard()
    assert talk.hears(UserSpeechStarted()) == [*CUT, SpeechStarted()]
    assert not talk.conversation.audible
    assert talk.conversation.agent_state is AgentState.LISTENING
    talk.closes()


def test_a_user_who_speaks_after_the_bracket_stops_what_is_still_played() -> None:
    talk = heard()
    talk.hears(GenerationDone())
    assert talk.hears(UserSpeechStarted()) == [SpeechStarted()]
    assert not talk.conversation.audible
    talk.closes()


def test_a_user_who_speaks_over_speech_that_may_not_be_cut_is_not_told() -> None:
    talk = heard(BargeIn.PROVIDER)
    assert talk.hears(UserSpeechStarted()) == []
    assert talk.hears(TextDelta(" two")) == [PushText()]
    assert talk.conversation.user_state is UserState.LISTENING
    talk.closes()


def test_the_floor_is_free_when_the_speech_has_been_heard() -> None:
    talk = heard(BargeIn.PROVIDER)
    talk.hears(GenerationDone(), UserSpeechStarted())
    assert talk.asks(PlayoutFinished(talk.messages[0])) == [SpeechStarted()]
    assert talk.hears(UserSpeechStopped(), UserTranscript("yes")) == [SpeechStopped(), EmitTranscript()]
    talk.closes()


def test_the_provider_decides_that_the_user_takes_the_floor() -> None:
    talk = heard(BargeIn.PROVIDER)
    talk.hears(UserSpeechStarted())
    assert talk.hears(GenerationInterrupted()) == [*CUT, CorrectContext(), SpeechStarted()]
    assert talk.hears(UserSpeechStopped()) == [SpeechStopped()]
    talk.closes()


def test_a_user_who_stops_before_the_speech_does_was_never_told() -> None:
    talk = heard(BargeIn.PROVIDER)
    assert talk.hears(UserSpeechStarted(), UserSpeechStopped()) == []
    assert talk.asks(PlayoutFinished(talk.messages[0])) == []
    assert talk.hears(UserTranscript("mhm")) == [EmitTranscript()]
    talk.closes()


def test_with_nothing_to_be_said_the_user_takes_the_floor_at_once() -> None:
    talk = ready(PHONIC, barge_in=BargeIn.PROVIDER)
    assert talk.hears(UserSpeechStarted(), UserSpeechStopped()) == [SpeechStarted(), SpeechStopped()]
    talk.closes()


def test_a_turn_that_has_said_nothing_yet_may_not_be_cut_either() -> None:
    talk = ready(PHONIC, barge_in=BargeIn.PROVIDER)
    talk.hears(GenerationCreated())
    assert talk.hears(UserSpeechStarted()) == []
    assert talk.hears(TextDelta("one"), GenerationDone()) == [OpenMessage(), PushText(), CloseMessage(), Seal()]
    assert talk.asks(PlayoutFinished(talk.messages[0])) == [SpeechStarted()]
    talk.closes()


def test_a_welcome_that_may_not_be_interrupted_is_heard_to_its_end() -> None:
    talk = ready(PHONIC, floor=Floor(welcome=False))
    talk.hears(GenerationCreated(greeting=True), TextDelta("Welcome."))
    assert talk.hears(UserSpeechStarted(), UserSpeechStopped()) == []
    assert talk.hears(TextDelta(" How are you?"), GenerationDone()) == [PushText(), CloseMessage(), Seal()]
    assert talk.hears(UserTranscript("hello")) == [EmitTranscript()]
    assert talk.conversation.audible
    talk.asks(PlayoutFinished(talk.messages[0]))
    talk.hears(GenerationCreated(), TextDelta("one"))
    assert talk.hears(UserSpeechStarted()) == [*CUT, SpeechStarted()]
    talk.closes()


def test_the_rest_of_a_welcome_that_was_handed_over_may_not_be_interrupted_either() -> None:
    talk = ready(PHONIC, floor=Floor(welcome=False))
    talk.hears(GenerationCreated(greeting=True), TextDelta("Welcome."))
    talk.waits(30.0)
    assert talk.states == ["SEALED"]
    talk.asks(PlayoutFinished(talk.messages[0]))
    talk.hears(TextDelta(" How are you?"))
    assert talk.hears(UserSpeechStarted()) == []
    talk.closes()


def test_a_welcome_that_is_cut_by_the_provider_is_cut() -> None:
    talk = ready(PHONIC, floor=Floor(welcome=False))
    talk.hears(GenerationCreated(greeting=True), TextDelta("Welcome."), UserSpeechStarted())
    assert talk.hears(GenerationInterrupted()) == [*CUT, CorrectContext(), SpeechStarted()]
    talk.closes()


def test_words_to_say_that_may_not_be_interrupted_are_heard_to_their_end() -> None:
    talk = ready(PHONIC, floor=Floor(say=False))
    talk.asks(ReplyRequested("r", ReplyKind.SAY))
    talk.hears(GenerationCreated(), TextDelta("These words."))
    assert talk.hears(UserSpeechStarted()) == []
    talk.hears(GenerationDone())
    assert talk.asks(PlayoutFinished(talk.messages[0])) == [SpeechStarted()]
    talk.hears(UserSpeechStopped(), UserTranscript("and?"))
    talk.asks(ReplyRequested("s"))
    talk.hears(GenerationCreated(), TextDelta("one"))
    assert talk.hears(UserSpeechStarted()) == [*CUT, SpeechStarted()]
    talk.closes()


def test_what_follows_speech_that_may_not_be_cut_is_cut_by_those_alone_who_begin_to_speak_then() -> None:
    talk = ready(PHONIC, floor=Floor(welcome=False))
    talk.hears(GenerationCreated(greeting=True), TextDelta("Welcome."), GenerationDone())
    talk.hears(GenerationCreated(), TextDelta("one"))
    assert talk.hears(UserSpeechStarted()) == []
    assert talk.asks(PlayoutFinished(talk.messages[0])) == []
    talk.hears(TextDelta(" two"), UserSpeechStopped())
    assert talk.hears(UserSpeechStarted()) == [*CUT, SpeechStarted()]
    talk.closes()


def test_speech_that_began_while_the_user_spoke_ends_for_the_host_when_the_provider_is_cut() -> None:
    talk = ready(PHONIC)
    talk.hears(UserSpeechStarted(), GenerationCreated(), TextDelta("one"))
    assert talk.hears(GenerationInterrupted()) == [*CUT, CorrectContext(), SpeechStopped(), SpeechStarted()]
    assert not talk.conversation.audible
    assert talk.hears(UserSpeechStopped()) == [SpeechStopped()]
    talk.closes()


def test_a_user_who_is_not_told_of_is_silent_for_the_next_connection() -> None:
    talk = heard(BargeIn.PROVIDER)
    talk.hears(UserSpeechStarted(), TransportLost(Loss.RETRYABLE))
    assert talk.conversation.user_turn.state is UserTurn.SILENT
    talk.closes()


def test_a_user_who_is_told_of_anew_may_not_speak_any_longer_for_it() -> None:
    talk = ready(PHONIC)
    talk.hears(UserSpeechStarted())
    talk.waits(30.0)
    talk.hears(GenerationCreated(), TextDelta("one"), GenerationInterrupted())
    talk.waits(29.9)
    assert talk.waits(0.1) == [SpeechStopped()]
    talk.closes()


def owing(talk: Talk) -> Talk:
    """An answer is owed to a request that nobody waits for any more, and the turn before is still being heard."""
    talk.hears(GenerationDone())
    talk.waits(1.0)
    talk.asks(ReplyRequested("owed"), ReplyAbandoned("owed"))
    assert talk.states == ["DISCARDING"]
    return talk


def test_a_cut_without_speech_gives_the_next_turn_to_the_user() -> None:
    talk = owing(heard())
    assert talk.hears(GenerationInterrupted()) == [CorrectContext(), SpeechStarted(), SpeechStopped()]
    assert talk.states == []
    talk.closes()


def test_a_user_who_takes_the_floor_late_gets_the_next_turn() -> None:
    talk = owing(heard(BargeIn.PROVIDER))
    talk.hears(UserSpeechStarted())
    assert talk.states == ["DISCARDING"]
    assert talk.hears(GenerationInterrupted()) == [CorrectContext(), SpeechStarted()]
    assert talk.states == []
    talk.closes()
    talk = owing(heard(BargeIn.PROVIDER))
    talk.hears(UserSpeechStarted())
    assert talk.asks(PlayoutFinished(talk.messages[0])) == [SpeechStarted()]
    assert talk.states == []
    talk.closes()


def test_a_turn_that_only_paused_goes_on_though_the_user_has_the_floor_by_then() -> None:
    talk = heard(BargeIn.PROVIDER)
    assert talk.waits(30.0) == [CloseMessage(), Seal()]
    talk.hears(UserSpeechStarted())
    assert talk.asks(PlayoutFinished(talk.messages[0])) == [SpeechStarted()]
    assert talk.hears(TextDelta(" two")) == [OpenGeneration(), OpenMessage(), PushText()]
    talk.closes()


def test_a_cut_after_the_speech_gives_the_next_turn_to_the_user() -> None:
    talk = heard(BargeIn.PROVIDER)
    talk.hears(GenerationDone())
    talk.waits(1.0)
    talk.asks(ReplyRequested("r"), ReplyAbandoned("r"))
    assert talk.states == ["DISCARDING"]
    talk.hears(UserSpeechStarted(), UserSpeechStopped())
    assert talk.hears(GenerationInterrupted()) == [CorrectContext(), SpeechStarted(), SpeechStopped()]
    assert talk.states == []
    assert talk.hears(GenerationCreated()) == [OpenGeneration()]
    talk.closes()


def test_a_host_that_interrupts_plays_nothing_any_more() -> None:
    talk = heard()
    assert talk.asks(InterruptRequested()) == CUT
    assert not talk.conversation.audible
    assert talk.asks(PlayoutFinished(talk.messages[0])) == []
    talk.closes()


def test_messages_are_played_one_at_a_time() -> None:
    talk = heard()
    talk.hears(GenerationDone(), GenerationCreated(), TextDelta("two"))
    assert len(talk.conversation.playouts) == 2
    talk.asks(PlayoutStarted(talk.messages[1]))
    assert [one.id for one in talk.conversation.playouts] == [talk.messages[1]]
    talk.closes()


def test_a_message_that_is_never_played_is_not_awaited_for_ever() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), TextDelta("one"), GenerationDone())
    assert talk.conversation.audible
    talk.waits(300.0)
    assert not talk.conversation.audible
    talk.closes()
