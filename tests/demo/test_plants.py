"""Every planted defect is found, by the running monitor or by what did not happen."""

from __future__ import annotations

import re

import pytest

from rtfsm.adapters.livekit.streams import HostMessage
from rtfsm.demo.expectations import expected_of_shipped_caller
from rtfsm.demo.plants import PLANTS, Plant
from rtfsm.machines import compose
from rtfsm.machines.invariants import INVARIANTS
from rtfsm.profiles import PHONIC

from .runs import demo, parsed

CLOSE = HostMessage.close
ALSO_WRONG = {
    "output-after-withdrawal": "client error: ",
    "open-streams": "livekit.agents ERROR: ",
    "late-words": "rtfsm ERROR: ",
}
"""Defects that others than the monitor notice besides: the server, LiveKit's log, our own."""


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_a_planted_defect_is_named(plant: Plant) -> None:
    ran = demo("--plant", plant.name)

    assert ran.status == 1
    assert re.fullmatch(r"violations: \d+", ran.last)
    if plant.shows in INVARIANTS:
        assert [row for row in ran.summary("violated") if row.startswith(f"{plant.shows} (")]
        assert ran.last != "violations: 0"
        assert any(f"invariant {plant.shows} " in line and " !! " in line for line in ran.lines), "said at once, too"
    else:
        assert ran.summary("missing") == [f"{plant.shows} (it did not happen)"]
        assert ran.last == "violations: 0"
    if plant.name in ALSO_WRONG:
        assert any(row.startswith(ALSO_WRONG[plant.name]) for row in ran.summary("wrong"))
    assert HostMessage.close is CLOSE, "the plant is out again"


def test_each_defect_shows_in_another_place() -> None:
    expectations = {one.name for one in expected_of_shipped_caller()}

    assert len({plant.shows for plant in PLANTS.values()}) == len(PLANTS) >= 6
    assert all(plant.shows in INVARIANTS or plant.shows in expectations for plant in PLANTS.values())


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_a_planted_table_differs_from_the_declared_one_in_few_arms(plant: Plant) -> None:
    declared = compose(PHONIC)
    planted = plant.tables(declared)
    pairs = list(zip(declared.machines, planted.machines, strict=True))
    changed = [(a, b) for old, new in pairs for a, b in zip(old.arms, new.arms, strict=True) if a != b]

    assert len([1 for old, new in pairs if old is not new]) <= 1
    assert bool(changed) is (planted is not declared)
    assert all(a[:2] == b[:2] for a, b in changed), "an arm stays in its cell"


def test_the_help_lists_every_defect(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parsed("--help")

    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert all(plant.name in shown and plant.shows in shown for plant in PLANTS.values())


def test_an_unknown_defect_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parsed("--plant", "rose")

    assert end.value.code == 2
    assert "silent-tool" in capsys.readouterr().err
