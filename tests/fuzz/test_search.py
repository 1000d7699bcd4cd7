"""The search finds what is wrong, makes it short, and then looks for something else."""

from __future__ import annotations

from collections.abc import Callable

from rtfsm.fuzz.findings import Finding
from rtfsm.fuzz.moves import USUAL, Move, Ordering
from rtfsm.fuzz.phonic_wires import PHONIC
from rtfsm.fuzz.search import Defect, Search

STARTS, DROPS, GARBAGE = "server assistant_started_speaking", "wire drop", "server garbage"


def breaking(law: str, *kinds: str) -> Callable[[Ordering], list[Finding]]:
    """A model that breaks a law as soon as moves of these kinds have come, in this order."""

    def play(ordering: Ordering) -> list[Finding]:
        shape = iter(ordering.shape)
        return [Finding(law, f"{len(ordering.moves)} moves")] if all(kind in shape for kind in kinds) else []

    return play


def both(*plays: Callable[[Ordering], list[Finding]]) -> Callable[[Ordering], list[Finding]]:
    return lambda ordering: [finding for play in plays for finding in play(ordering)]


def searched(play: Callable[[Ordering], list[Finding]], *known: Defect, count: int = 700, seed: int = 1) -> Search:
    search = Search(PHONIC, play, seed=seed, known=known)
    list(search.run(max_examples=count))
    return search


def test_a_defect_is_found_and_made_as_short_as_it_gets() -> None:
    (defect,) = searched(breaking("one", STARTS, GARBAGE)).defects
    assert defect.ordering.shape == (STARTS, GARBAGE)
    assert defect.ordering.circumstances == USUAL
    assert defect.finding.detail == "2 moves"


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    search = searched(lambda _: [], count=300)
    assert search.defects == []
    assert search.progress.orderings == 300
    assert search.progress.events > 300


def test_one_defect_does_not_hide_another_one_of_the_same_law() -> None:
    found = searched(both(breaking("one", STARTS), breaking("one", DROPS))).defects
    assert {defect.ordering.shape for defect in found} == {(STARTS,), (DROPS,)}


def test_a_frequent_law_does_not_hide_a_rare_one() -> None:
    found = searched(both(breaking("frequent"), breaking("rare", DROPS, GARBAGE)), count=1500).defects
    assert [defect.finding.law for defect in found] == ["frequent", "rare"]
    assert [one.law for one in found[1].also] == ["frequent"]


def test_what_is_known_is_not_found_again() -> None:
    known = Defect(Finding("one", "1 moves"), Ordering((Move("wire", "drop"),)))
    assert searched(breaking("one", DROPS), known, count=200).defects == [known]


def test_the_same_seed_finds_the_same() -> None:
    first, second = (searched(breaking("one", STARTS, DROPS), seed=5) for _ in range(2))
    assert first.defects == second.defects
    assert first.progress.orderings == second.progress.orderings


def test_of_one_law_no_more_are_looked_for_than_anybody_reads() -> None:
    def everything(ordering: Ordering) -> list[Finding]:
        return [Finding("all", "broken")] if ordering.moves else []

    assert len(searched(everything).defects) == 4


def test_the_time_bounds_a_search_that_has_no_other() -> None:
    search = Search(PHONIC, lambda _: [])
    assert list(search.run(seconds=0.05)) == []
    assert search.progress.orderings > 0
    assert search.progress.seconds >= 0.05
