"""The verdict and its words."""

from __future__ import annotations

import pytest

from rtfsm.demo.outcome import Outcome

BAD = [
    Outcome(missing=("the goodbye is heard to its end",)),
    Outcome(wrong=("client error: message 3",)),
    Outcome(violations={"GEN-1": 2}, details={"GEN-1": "announced again"}),
]


def test_nothing_missing_nothing_wrong_is_good() -> None:
    outcome = Outcome(seconds=26.04, ignored={"LATE": 3}, warnings=("livekit WARNING: something (1x)",))

    assert outcome.good, "a warning alone is shown and no failure"
    assert outcome.lines()[-1] == "violations: 0"
    assert any("livekit WARNING: something (1x)" in line for line in outcome.lines())


@pytest.mark.parametrize("outcome", BAD)
def test_any_of_them_is_bad_and_told(outcome: Outcome) -> None:
    assert not outcome.good
    assert outcome.lines()[0] == "summary: the conversation did not go as it should"
    told = "\n".join(outcome.lines())
    for name in (*outcome.missing, *outcome.wrong, *outcome.violations):
        assert name in told


def test_an_invariant_is_explained_and_counted() -> None:
    lines = BAD[2].lines()

    assert "  violated    GEN-1 (a generation is announced once) 2 times; first: announced again" in lines
    assert lines[-1] == "violations: 2"
