"""Every probe passes a session that keeps the contract, and finds the mistake of one that does not."""

from __future__ import annotations

import pytest

from rtfsm.testing.contract import CLAUSES, PROBES, Outcome, Probe, perform
from tests.contract.broken import BROKEN
from tests.contract.minimal import MinimalSession
from tests.contract.minimal_stage import PROFILES, minimal

each_probe = pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)


def outcome_for(probe: Probe, session: type[MinimalSession]) -> tuple[Outcome, str]:
    """How the probe ends under the first capabilities that it applies to."""
    results = (perform(probe, minimal(session, capabilities)) for capabilities in PROFILES)
    result = next(one for one in results if one.outcome is not Outcome.NOT_APPLICABLE)
    return result.outcome, result.detail


@each_probe
def test_a_session_that_keeps_the_contract_passes(probe: Probe) -> None:
    assert outcome_for(probe, MinimalSession) == (Outcome.HELD, "")


@each_probe
def test_a_session_that_breaks_it_is_found(probe: Probe) -> None:
    outcome, detail = outcome_for(probe, BROKEN[probe.name])
    assert outcome is Outcome.BROKEN, detail
    assert detail.startswith("expected ")


def test_every_clause_has_a_probe_or_a_reason_for_none() -> None:
    assert [clause.number for clause in CLAUSES] == list(range(1, 83))
    probed = {probe.clause for probe in PROBES}
    assert {clause.number for clause in CLAUSES if not clause.why_no_probe} == probed


def test_every_probe_has_a_name_of_its_own_and_every_broken_session_a_probe() -> None:
    names = [probe.name for probe in PROBES]
    assert len(set(names)) == len(names)
    assert set(BROKEN) == set(names)
