"""Our Phonic model keeps the contract, on a real socket against the scripted server; the page says so too."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from rtfsm.testing.contract import PROBES, Outcome, Probe, Result, conformance, perform
from tests.contract.phonic_stage import ours
from tests.contract.write_conformance import OFFICIAL, OURS, PAGE

NOT_ASKED = {
    "unheard-messages-are-forgotten",
    "an-emptied-message-is-kept",
    "truncate-is-remembered",
    "interim-transcripts-accumulate",
    "remote-items-are-appended",
    "a-call-is-complete",
    "a-failed-response-ends",
    "committing-asks-for-nothing",
}
"""What Phonic's wire or the model's capabilities rule out. A probe that ends so without standing here has failed."""


@functools.cache
def result_of(probe: Probe) -> Result:
    return perform(probe, ours)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_ours_keeps_the_clause(probe: Probe) -> None:
    result = result_of(probe)
    expected = Outcome.NOT_APPLICABLE if probe.name in NOT_ASKED else Outcome.HELD
    assert result.outcome is expected, result.detail


def test_the_page_shows_our_results() -> None:
    committed = Path(PAGE).read_text(encoding="utf-8")
    assert ours_alone(committed, OFFICIAL) == conformance({OURS: [result_of(probe) for probe in PROBES]}), (
        "run python -m tests.contract.write_conformance"
    )


def ours_alone(page: str, official: str) -> str:
    """The page without the last column and its remarks."""
    kept = page.partition(f"\n## {official}\n")[0]
    return "".join(
        line.rstrip("\n").removesuffix("|").rpartition("|")[0] + "|\n" if line.startswith("|") else line
        for line in kept.splitlines(keepends=True)
    )
