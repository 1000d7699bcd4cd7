"""Our model of the Realtime API keeps the contract, on a real socket against the scripted service."""

from __future__ import annotations

import functools

import pytest

from rtfsm.testing.contract import PROBES, Outcome, Probe, Result, conformance, perform
from tests.contract.openai_stage import ours
from tests.contract.test_ours import ours_alone
from tests.contract.write_conformance import DOCS, OPENAI

NOT_ASKED = {
    "an-interrupt-ends-a-pending-say",
    "an-emptied-message-is-kept",
    "remote-items-are-appended",
    "silence-after-an-output-releases-the-host",
    "a-long-answer-is-the-answer",
    "a-cough-costs-no-answer",
    "the-output-of-a-withdrawn-call-is-dropped",
    "a-withdrawn-call-leaves-no-thought",
    "a-lost-call-leaves-no-thought",
    "a-declined-request-is-no-error",
    "committing-asks-for-nothing",
    "times-are-those-of-the-message",
}
"""What the wire or the model's capabilities rule out. A probe that ends so without standing here has failed."""


@functools.cache
def result_of(probe: Probe) -> Result:
    return perform(probe, ours)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_ours_keeps_the_clause(probe: Probe) -> None:
    result = result_of(probe)
    expected = Outcome.NOT_APPLICABLE if probe.name in NOT_ASKED else Outcome.HELD
    assert result.outcome is expected, result.detail


def test_the_page_shows_our_results() -> None:
    committed = (DOCS / "conformance-openai.md").read_text(encoding="utf-8")
    mine, theirs = OPENAI
    assert ours_alone(committed, theirs) == conformance({mine: [result_of(probe) for probe in PROBES]}), (
        "run python -m tests.contract.write_conformance"
    )


def test_ours_commits_what_the_user_says_where_the_host_decides_on_turns() -> None:
    (probe,) = [one for one in PROBES if one.name == "committing-asks-for-nothing"]
    result = perform(probe, functools.partial(ours, turn_detection=None))
    assert result.outcome is Outcome.HELD, result.detail
