"""Every planted defect is found by a search like a user's, and is told by the law that it breaks.

All of them take a minute or two and are marked ``slow``; ``make fuzz-plants`` looks for them. A few that are found at
once are looked for with every run of the tests.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.fuzz.findings import Finding
from rtfsm.fuzz.moves import Ordering
from rtfsm.fuzz.phonic_wires import PHONIC
from rtfsm.fuzz.play import play
from rtfsm.fuzz.search import Defect, Search
from rtfsm.fuzz.target import Target, load_target

from .planted import PLANTS, FatalComplaint, KeyInError, Planted, WordlessClose

SEED = 1
ORDERINGS = 20_000
"""Enough for every plant several times over: each is found among the first 2,000."""
QUICK = (FatalComplaint, KeyInError, WordlessClose)


def target(plant: type[Planted]) -> Target:
    return load_target(f"{plant.__module__}:{plant.__name__}")


def defects(plant: type[Planted]) -> Iterator[Defect]:
    planted = target(plant)

    def tried(ordering: Ordering) -> list[Finding]:
        return play(PHONIC, planted, ordering)

    return Search(PHONIC, tried, seed=SEED).run(max_examples=ORDERINGS)


def assert_found(plant: type[Planted]) -> None:
    found = []
    for defect in defects(plant):
        if defect.finding.law == PLANTS[plant]:
            assert len(defect.ordering.moves) <= 5, defect.ordering
            assert not play(PHONIC, Target("ours", RealtimeModel), defect.ordering)
            return
        found.append(defect.finding)
    pytest.fail(f"{plant.__name__} should break {PLANTS[plant]}; found {found}")


@pytest.mark.parametrize("plant", QUICK, ids=lambda plant: str(plant.__name__))
def test_a_plain_defect_is_found_at_once(plant: type[Planted]) -> None:
    assert_found(plant)


@pytest.mark.slow
@pytest.mark.parametrize("plant", [one for one in PLANTS if one not in QUICK], ids=lambda plant: str(plant.__name__))
def test_a_planted_defect_is_found(plant: type[Planted]) -> None:
    assert_found(plant)


def test_the_plants_sit_in_the_tables_the_codec_and_the_shell() -> None:
    assert len(PLANTS) == 14
    assert sum("tables" in vars(plant) for plant in PLANTS) == 4
    assert all(("tables" in vars(plant)) != ("spoil" in vars(plant)) for plant in PLANTS)
