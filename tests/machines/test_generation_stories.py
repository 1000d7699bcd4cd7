"""Stories of turns without ids: opened once, heard in full or cut in one step, never begun by what is dead."""

from __future__ import annotations

import pytest

from rtfsm.language import Effect, Event, Reason
from rtfsm.machines import BargeIn, Floor, UserTurn
from rtfsm.profiles import GEMINI, PHONIC
from rtfsm.vocabulary.effects import (
    CloseMessage,
    CorrectContext,
    DeliverCall,
    OpenGeneration,
    OpenMessage,
    PushAudio,
    PushText,
    ReportCallEnded,
    ResolveReply,
    Seal,
    SendReplyRequest,
    SendReset,
    SpeechStarted,
    SpeechStopped,
)
from rtfsm.vocabulary.local import (
    ConfigGiven,
    ConfigKind,
    InterruptRequested,
    PlayoutFinished,
    PlayoutStarted,
    ReplyRequested,
)
from rtfsm.vocabulary.wire import (
    AudioDelta,
    GenerationCreated,
    GenerationDone,
    GenerationInterrupted,
    GenerationStatus,
    MessageDone,
    TextDelta,
    ToolCallCancelled,
    ToolCallReady,
    UserSpeechStarted,
    UserSpeechStopped,
    UserTurnCancelled,
)

from .talk import Talk, ready

OPENS: list[Effect] = [OpenGeneration(), OpenMessage(), PushText()]
CUT: list[Effect] = [CloseMessage(cut=True), Seal()]
FINISHED: list[Effect] = [CloseMessage(), Seal()]
CALL = ToolCallReady("c", "look_up", "{}")
CANCELLED = GenerationStatus.CANCELLED


def speaking(talk: Talk, words: str = "one") -> Talk:
    assert talk.hears(GenerationCreated(), TextDelta(words)) == OPENS
    return talk


def sealed() -> Talk:
    """A turn that spoke, called a tool and was sealed while its bracket stays open."""
    talk = speaking(ready(PHONIC))
    assert talk.hears(CALL) == [DeliverCall()]
    assert talk.waits(0.5) == FINISHED
    assert talk.states == ["SEALED", "PENDING"]
    return talk


def test_a_turn_from_bracket_to_bracket() -> None:
    talk = ready(PHONIC)
    told = talk.hears(GenerationCreated(), TextDelta("hel"), AudioDelta(b""), TextDelta("lo"), GenerationDone())
    assert told == [*OPENS, PushAudio(), PushText(), *FINISHED]
    assert talk.words == {"generation-1": "hello"}
    talk.closes()


def test_an_empty_turn_announces_no_message() -> None:
    talk = ready(PHONIC)
    assert talk.hears(GenerationCreated(), GenerationDone()) == [OpenGeneration(), *FINISHED]
    assert talk.messages == []
    talk.closes()


def test_a_wordless_turn_is_heard() -> None:
    talk = ready(PHONIC)
    told = talk.hears(GenerationCreated(), AudioDelta(b""), AudioDelta(b""), GenerationDone())
    assert told == [OpenGeneration(), OpenMessage(), PushAudio(), PushAudio(), *FINISHED]
    talk.closes()


def test_a_murmur_while_the_user_speaks_is_no_turn() -> None:
    talk = ready(PHONIC)
    talk.hears(UserSpeechStarted())
    assert talk.hears(TextDelta("mm-hmm"), AudioDelta(b""), TextDelta("yes")) == []
    assert talk.conversation.ignored() == {Reason.NOISE: 3}
    talk.hears(UserSpeechStopped())
    assert talk.hears(TextDelta("I see.")) == OPENS
    talk.closes()


def test_a_murmur_answers_no_request() -> None:
    talk = ready(PHONIC)
    talk.asks(ReplyRequested("r"))
    assert talk.hears(UserSpeechStarted(), TextDelta("mm-hmm")) == [SpeechStarted()]
    assert talk.states == ["SENT"]
    assert talk.hears(GenerationCreated()) == [OpenGeneration(user_initiated=True), ResolveReply()]
    talk.closes()


def test_a_murmur_over_what_may_not_be_cut_is_no_turn_either() -> None:
    talk = speaking(ready(PHONIC, floor=Floor(BargeIn.PROVIDER)))
    talk.hears(GenerationDone(), UserSpeechStarted())
    talk.waits(1.0)
    assert talk.states == []
    assert talk.hears(TextDelta("mm-hmm")) == []
    talk.closes()


def test_a_bracket_while_the_user_speaks_begins_a_turn_that_goes_on() -> None:
    talk = ready(PHONIC)
    talk.hears(UserSpeechStarted())
    speaking(talk)
    assert talk.waits(30.0) == FINISHED
    assert talk.hears(TextDelta("two")) == OPENS
    talk.closes()


def test_a_turn_without_brackets_that_paused_goes_on_over_the_user() -> None:
    talk = ready(PHONIC, floor=Floor(BargeIn.PROVIDER))
    assert talk.hears(TextDelta("one")) == OPENS
    talk.hears(UserSpeechStarted())
    assert talk.waits(2.0) == FINISHED
    assert talk.hears(TextDelta("two")) == OPENS
    talk.closes()


def prattle(talk: Talk, seconds: float) -> list[Effect]:
    """The provider goes on with what was cut, two words a second."""
    return [effect for _ in range(int(2 * seconds)) for effect in (*talk.waits(0.5), *talk.hears(TextDelta("blah")))]


def test_what_is_left_of_a_cut_turn_is_swallowed_for_as_long_as_the_user_speaks() -> None:
    talk = speaking(ready(PHONIC))
    talk.hears(UserSpeechStarted())
    assert prattle(talk, 50.0) == []
    assert talk.hears(UserSpeechStopped()) == [SpeechStopped()]
    assert prattle(talk, 29.5) == []
    assert prattle(talk, 0.5) == OPENS
    talk.closes()


def test_what_is_left_of_a_turn_that_the_host_cut_is_swallowed_for_half_a_minute() -> None:
    talk = speaking(ready(PHONIC))
    talk.asks(InterruptRequested())
    assert prattle(talk, 29.5) == []
    assert prattle(talk, 0.5) == OPENS
    talk.closes()


def test_the_limit_counts_anew_once_the_user_is_silent_again() -> None:
    talk = speaking(ready(PHONIC))
    talk.asks(InterruptRequested())
    prattle(talk, 20.0)
    talk.hears(UserSpeechStarted())
    assert prattle(talk, 20.0) == []
    talk.hears(UserTurnCancelled())
    assert prattle(talk, 29.5) == []
    assert prattle(talk, 0.5) == OPENS
    talk.closes()


def reset_over_speech(speaks_again: bool) -> Talk:
    """A turn that may not be cut by the voice was reset, what was said of it is still heard, and the user speaks."""
    talk = speaking(ready(PHONIC, floor=Floor(BargeIn.PROVIDER)))
    talk.asks(ConfigGiven(ConfigKind.RESET))
    if speaks_again:
        assert talk.hears(UserSpeechStarted(), UserSpeechStopped()) == []
    assert talk.hears(UserSpeechStarted()) == []
    assert talk.conversation.user_turn.state is UserTurn.OVERLAPPING
    return talk


@pytest.mark.parametrize("speaks_again", [False, True])
@pytest.mark.parametrize("end", [UserSpeechStopped(), UserTurnCancelled(), None])
def test_the_same_holds_where_the_host_does_not_know_that_the_user_speaks(
    end: Event | None, speaks_again: bool
) -> None:
    talk = reset_over_speech(speaks_again)
    if end is None:
        assert prattle(talk, 60.0) == []
    else:
        assert prattle(talk, 40.0) == []
        assert talk.hears(end) == []
    assert talk.conversation.user_turn.state is not UserTurn.OVERLAPPING
    assert prattle(talk, 29.0) == []
    assert prattle(talk, 1.0)[:3] == OPENS


def over(state: str) -> Talk:
    """A turn that the voice does not cut, in one of its states."""
    talk = speaking(ready(PHONIC, floor=Floor(BargeIn.PROVIDER)))
    if state != "SPEAKING":
        talk.hears(CALL, ToolCallCancelled("c"))
    if state == "SEALED":
        talk.waits(0.5)
    assert talk.generation.state.name == state
    return talk


OPEN_ON_THE_WIRE = pytest.mark.parametrize("state", ["SPEAKING", "TOOL_PENDING", "SEALED"])


@OPEN_ON_THE_WIRE
def test_a_turn_that_the_host_cuts_while_the_user_speaks_is_swallowed_until_then_and_longer(state: str) -> None:
    talk = over(state)
    talk.hears(UserSpeechStarted())
    assert talk.generation.state.name == state
    talk.asks(InterruptRequested())
    assert prattle(talk, 40.0)[:1] in ([], [SpeechStarted()])
    talk.hears(UserSpeechStopped())
    assert prattle(talk, 29.5) == []
    assert prattle(talk, 0.5) == OPENS


@OPEN_ON_THE_WIRE
def test_a_turn_that_the_host_cuts_after_the_user_spoke_is_swallowed_for_half_a_minute(state: str) -> None:
    talk = over(state)
    talk.hears(UserSpeechStarted(), UserTurnCancelled())
    assert talk.generation.state.name == state
    talk.asks(InterruptRequested())
    assert prattle(talk, 29.5) == []
    assert prattle(talk, 0.5) == OPENS


@pytest.mark.parametrize(("state", "seconds"), [("SPEAKING", 30.0), ("TOOL_PENDING", 0.5), ("SEALED", 30.0)])
def test_a_user_who_is_heard_over_a_turn_does_not_prolong_it(state: str, seconds: float) -> None:
    talk = over(state)
    talk.waits(seconds / 2)
    talk.hears(UserSpeechStarted())
    talk.waits(seconds / 4)
    talk.hears(UserTurnCancelled())
    talk.waits(seconds / 4)
    assert [one.state.name for one in talk.conversation.generations] != [state]


def test_a_user_who_stops_does_not_prolong_what_is_left_of_a_cut_turn() -> None:
    talk = speaking(ready(PHONIC))
    talk.hears(UserSpeechStarted())
    talk.waits(0.9)
    talk.hears(UserSpeechStopped())
    talk.waits(0.1)
    assert talk.hears(TextDelta("two")) == OPENS


def test_a_user_who_speaks_again_is_not_counted_either() -> None:
    talk = speaking(ready(PHONIC))
    talk.hears(UserSpeechStarted(), UserSpeechStopped(), UserSpeechStarted())
    assert prattle(talk, 40.0) == []
    talk.hears(UserSpeechStopped())
    assert prattle(talk, 29.5) == []
    assert prattle(talk, 0.5) == OPENS


def test_a_user_who_never_stops_is_counted_once_they_are_taken_for_silent() -> None:
    talk = speaking(ready(PHONIC))
    talk.hears(UserSpeechStarted())
    assert prattle(talk, 60.0) == [SpeechStopped()]
    assert prattle(talk, 29.0) == []
    assert prattle(talk, 1.0)[:3] == OPENS


def test_a_late_word_after_a_barge_in_opens_nothing() -> None:
    talk = speaking(ready(PHONIC))
    assert talk.hears(UserSpeechStarted()) == [*CUT, SpeechStarted()]
    assert talk.hears(TextDelta("two"), AudioDelta(b""), GenerationDone(CANCELLED), TextDelta("three")) == []
    assert talk.words == {"generation-1": "one"}
    assert talk.conversation.ignored()[Reason.LATE] == 3
    assert talk.waits(1.0) == []
    assert talk.states == []
    talk.closes()


def test_a_cut_turn_that_is_never_bracketed_makes_room_for_the_next() -> None:
    talk = speaking(ready(PHONIC))
    talk.hears(UserSpeechStarted(), UserSpeechStopped())
    assert talk.hears(GenerationCreated(), TextDelta("new")) == OPENS
    assert list(talk.words.values()) == ["one", "new"]
    talk.closes()


def test_a_provider_that_talks_on_after_a_cut_is_not_heard_until_it_pauses() -> None:
    talk = speaking(ready(GEMINI))
    assert talk.asks(InterruptRequested()) == CUT
    for _ in range(20):
        assert talk.waits(0.9) == []
        assert talk.hears(TextDelta("and on"), AudioDelta(b"")) == []
    assert talk.waits(1.0) == []
    assert talk.hears(TextDelta("new")) == OPENS
    talk.closes()


def test_a_provider_that_never_pauses_is_not_mute_for_ever() -> None:
    talk = speaking(ready(GEMINI))
    talk.asks(InterruptRequested())
    waited, told = 0.0, list[Effect]()
    while not told:
        told = talk.waits(0.5) + talk.hears(TextDelta("and on"))
        waited += 0.5
    assert (waited, told) == (30.0, OPENS)
    talk.closes()


def test_a_word_after_the_closing_bracket_opens_nothing() -> None:
    talk = speaking(ready(PHONIC))
    assert talk.hears(GenerationDone()) == FINISHED
    assert talk.waits(0.9) + talk.hears(TextDelta("late"), AudioDelta(b"")) == []
    assert talk.waits(0.1) + talk.hears(TextDelta("a new thought")) == OPENS
    talk.closes()


def test_a_second_closing_bracket_is_nothing() -> None:
    talk = speaking(ready(PHONIC))
    talk.hears(GenerationDone())
    assert talk.hears(GenerationDone(), GenerationDone(CANCELLED)) == []
    assert talk.conversation.ignored() == {Reason.DUPLICATE: 2}
    talk.closes()


@pytest.mark.parametrize("status", [one for one in GenerationStatus if one is not GenerationStatus.COMPLETED])
def test_a_turn_that_ends_before_its_end_is_cut(status: GenerationStatus) -> None:
    talk = speaking(ready(PHONIC))
    assert talk.hears(GenerationDone(status)) == CUT
    talk.closes()


def test_a_second_start_before_any_word_is_the_same_turn() -> None:
    talk = ready(PHONIC)
    assert talk.hears(GenerationCreated(), GenerationCreated(), TextDelta("one")) == OPENS
    assert talk.conversation.ignored() == {Reason.DUPLICATE: 1}
    talk.closes()


def test_a_second_start_after_words_closes_the_first_turn() -> None:
    talk = speaking(ready(PHONIC))
    assert talk.hears(GenerationCreated(), TextDelta("two")) == [*FINISHED, *OPENS]
    assert list(talk.words.values()) == ["one", "two"]
    talk.closes()


def test_sound_between_turns_is_noise() -> None:
    talk = ready(PHONIC)
    assert talk.hears(AudioDelta(b""), AudioDelta(b"")) == []
    assert talk.conversation.ignored() == {Reason.NOISE: 2}
    assert talk.conversation.live_objects == 0
    talk.closes()


def test_a_turn_without_brackets_ends_when_no_words_come() -> None:
    talk = ready(PHONIC)
    assert talk.hears(TextDelta("one")) == OPENS
    assert talk.waits(1.5) == []
    assert talk.hears(AudioDelta(b"")) == [PushAudio()]
    assert talk.waits(0.5) == FINISHED
    assert talk.hears(TextDelta("two")) == OPENS
    talk.closes()


def test_a_bracketed_turn_may_pause_for_long() -> None:
    talk = speaking(ready(PHONIC))
    assert talk.waits(29.0) == []
    assert talk.hears(AudioDelta(b"")) == [PushAudio()]
    assert talk.waits(29.0) == []
    assert talk.waits(1.0) == FINISHED
    talk.closes()


def test_speech_in_flight_when_a_tool_is_called_is_drained_then_sealed() -> None:
    talk = speaking(ready(PHONIC))
    assert talk.hears(CALL) == [DeliverCall()]
    assert talk.waits(0.4) + talk.hears(TextDelta(" two"), AudioDelta(b"")) == [PushText(), PushAudio()]
    assert talk.waits(0.4) == []
    assert talk.waits(0.1) == FINISHED
    assert talk.words == {"generation-1": "one two"}
    talk.closes()


def test_words_after_the_seal_are_a_continuation() -> None:
    talk = sealed()
    assert talk.hears(TextDelta("more")) == OPENS
    assert list(talk.words.values()) == ["one", "more"]
    talk.closes()


def test_a_continuation_answers_no_later_request() -> None:
    talk = sealed()
    assert talk.asks(ReplyRequested("q")) == [SendReplyRequest()]
    assert talk.hears(TextDelta("more")) == OPENS
    assert talk.hears(GenerationCreated()) == [*FINISHED, OpenGeneration(user_initiated=True), ResolveReply()]
    talk.closes()


def test_words_after_the_seal_and_a_cut_are_late() -> None:
    talk = sealed()
    assert talk.hears(UserSpeechStarted()) == [SpeechStarted()]
    assert talk.hears(TextDelta("more"), GenerationDone(CANCELLED)) == []
    talk.closes()


def test_start_call_drain_reset_word_opens_no_ghost() -> None:
    talk = sealed()
    assert talk.asks(ConfigGiven(ConfigKind.RESET)) == [ReportCallEnded(), SendReset()]
    assert talk.hears(TextDelta("ghost"), AudioDelta(b"")) == []
    talk.closes()


def test_a_sealed_turn_ends_with_its_bracket() -> None:
    talk = sealed()
    assert talk.hears(GenerationDone(), TextDelta("late")) == []
    assert talk.states == ["TAIL", "PENDING"]
    talk.closes()


def test_sound_alone_does_not_continue_a_sealed_turn() -> None:
    talk = sealed()
    assert talk.hears(AudioDelta(b""), MessageDone()) == []
    assert talk.conversation.ignored() == {Reason.NOISE: 1, Reason.LATE: 1}
    talk.closes()


def test_words_of_the_old_turn_after_a_reset_open_nothing() -> None:
    talk = speaking(ready(PHONIC))
    assert talk.asks(ConfigGiven(ConfigKind.RESET)) == [*CUT, SendReset()]
    assert talk.hears(TextDelta("ghost"), CALL) == [OpenGeneration(), DeliverCall(), Seal()]
    assert talk.words == {"generation-1": "one"}
    talk.closes()


def test_a_turn_that_only_calls_a_tool_is_sealed_at_once() -> None:
    talk = ready(PHONIC)
    assert talk.hears(GenerationCreated(), CALL) == [OpenGeneration(), DeliverCall(), Seal()]
    assert talk.messages == []
    talk.closes()


def test_a_call_without_a_turn_gets_one() -> None:
    talk = ready(PHONIC)
    assert talk.hears(CALL) == [OpenGeneration(), DeliverCall(), Seal()]
    assert talk.states == ["PENDING"]
    talk.closes()


def test_a_second_call_of_a_sealed_turn_gets_a_generation_of_its_own() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), CALL)
    assert talk.hears(ToolCallReady("d", "look_up", "{}")) == [OpenGeneration(), DeliverCall(), Seal()]
    assert talk.states == ["SEALED", "PENDING", "PENDING"]
    talk.closes()


def test_an_interruption_by_the_provider_stops_what_the_host_plays() -> None:
    talk = speaking(ready(PHONIC))
    told = talk.hears(GenerationInterrupted(heard="o"))
    assert told == [*CUT, CorrectContext(), SpeechStarted(), SpeechStopped()]
    assert not talk.conversation.audible
    talk.closes()


def test_an_interruption_told_again_corrects_what_was_heard_and_no_more() -> None:
    talk = speaking(ready(PHONIC))
    talk.hears(UserSpeechStarted())
    assert talk.hears(GenerationInterrupted(heard="o")) == [CorrectContext()]
    talk.closes()


def test_an_interruption_after_the_bracket_stops_what_is_still_played() -> None:
    talk = speaking(ready(PHONIC))
    talk.hears(GenerationDone())
    talk.asks(PlayoutStarted(talk.messages[0]))
    talk.waits(1.5)
    assert talk.states == []
    assert talk.hears(GenerationInterrupted(heard="o")) == [CorrectContext(), SpeechStarted(), SpeechStopped()]
    talk.closes()


def test_a_late_interruption_cuts_nothing_where_nothing_is_heard() -> None:
    talk = speaking(ready(PHONIC))
    talk.hears(GenerationDone())
    talk.asks(PlayoutStarted(talk.messages[0]), PlayoutFinished(talk.messages[0]))
    assert talk.hears(GenerationInterrupted()) == [CorrectContext()]
    assert talk.waits(1.5) + talk.hears(GenerationInterrupted()) == [CorrectContext()]
    talk.closes()
