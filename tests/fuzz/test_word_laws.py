"""The laws on words hold for what a correct client does, and judge the turns that they are meant to judge."""

from __future__ import annotations

from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.fuzz.laws import Case, Law, Made, Moment, judged
from rtfsm.fuzz.moves import Move, Ordering
from rtfsm.fuzz.phonic_wires import PHONIC
from rtfsm.fuzz.play import play
from rtfsm.fuzz.target import Target
from rtfsm.fuzz.word_laws import undisturbed

BEGINS, ENDS = Move("server", "assistant_started_speaking"), Move("server", "assistant_finished_speaking")
USER, USER_ENDS = Move("server", "user_started_speaking"), Move("server", "user_finished_speaking")
OURS = Target("ours", RealtimeModel)


def chunk(text: str, ms: int = 20) -> Move:
    return Move("server", "audio_chunk", {"text": text, "ms": ms})


def turns(*moves: Move) -> list[list[str]]:
    """The words of each turn that counts as undisturbed, when all of this happens within a second."""
    made = [Made(number / 100, number, move) for number, move in enumerate(moves, 1)]
    return [turn.words for turn in undisturbed(made, PHONIC)]


def test_a_turn_is_undisturbed_from_its_beginning_to_its_end() -> None:
    assert turns(BEGINS, chunk("One "), chunk(""), chunk("two"), ENDS, BEGINS, chunk("three"), ENDS) == [
        ["One", "two"],
        ["three"],
    ]


def test_a_turn_without_its_beginning_or_its_end_does_not_count() -> None:
    assert turns(chunk("One "), ENDS) == []
    assert turns(BEGINS, chunk("One ")) == []


def test_what_disturbs_a_turn_takes_it_out() -> None:
    interrupts, waits = Move("host", "interrupts"), Move("time", "passes", {"seconds": 12.0})
    cut = Move("server", "audio_chunk", {"text": "cut ", "ms": 20, "cut": 0.5})
    for disturbance in (USER, interrupts, waits, cut, BEGINS):
        assert turns(BEGINS, chunk("One "), disturbance, chunk("two"), ENDS) in ([], [["two"]]), disturbance


def test_a_turn_over_the_users_speech_does_not_count_and_the_next_one_does() -> None:
    assert turns(USER, BEGINS, chunk("One "), ENDS, USER_ENDS, BEGINS, chunk("two"), ENDS) == [["two"]]


def test_nothing_counts_from_when_the_host_asked() -> None:
    assert turns(BEGINS, chunk("One "), ENDS, Move("host", "asks"), BEGINS, chunk("two"), ENDS) == [["One"]]


def test_words_of_a_repeated_chunk_are_not_taken_for_words_after_the_cut() -> None:
    ordering = Ordering((BEGINS, chunk("One "), USER, chunk("One ")))
    assert play(PHONIC, OURS, ordering) == []


def test_an_agent_that_begins_while_the_user_speaks_is_not_cut_by_the_same_speech() -> None:
    assert play(PHONIC, OURS, Ordering((USER, BEGINS, USER, chunk("One ")))) == []


def test_a_word_that_is_repeated_later_may_be_heard_there_too() -> None:
    later = Move("time", "passes", {"seconds": 12.0})
    assert play(PHONIC, OURS, Ordering((BEGINS, chunk("One "), ENDS, later, chunk("One ")))) == []


def test_what_is_said_to_have_been_heard_after_all_may_stay_in_the_context() -> None:
    heard = [Move("server", "interrupted_response", {"text": text}) for text in ("One ", "One two ")]
    assert play(PHONIC, OURS, Ordering((chunk("two "), USER, *heard))) == []


def test_a_law_that_cannot_read_what_was_told_says_so() -> None:
    def broken(case: Case) -> list[str]:
        raise AttributeError("words that must not show")

    law = Law("some-law", "text", Moment.LAST_TURN, broken)  # type: ignore[arg-type]  # it never gets to yield
    (finding,) = judged(None, [law], [], Moment.LAST_TURN)  # type: ignore[arg-type]  # not looked at
    assert finding.law == "some-law"
    assert "AttributeError" in finding.detail
    assert "show" not in finding.detail
