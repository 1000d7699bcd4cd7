"""What a server may do at any moment of a conversation, and what becomes of the conversation then."""

from __future__ import annotations

import pytest

from rtfsm.adapters.phonic.transport import CLOSE_CODES

from .chosen import ALL, CHOSEN
from .conversation import MOMENTS, Moment
from .expected import SECONDS, TABLE, End, Kind, Stretch
from .faults import CODES, FAULTS, Fault
from .judge import judged


@pytest.mark.parametrize(
    ("moment", "fault"), [pytest.param(*pair, id=f"after {pair[0].name}: {pair[1].name}") for pair in CHOSEN]
)
def test_a_fault_ends_as_expected(moment: Moment, fault: Fault) -> None:
    verdict = judged(moment, fault)
    assert verdict.holds, str(verdict)


def test_the_table_speaks_of_every_stretch_and_every_kind() -> None:
    assert set(TABLE) == set(SECONDS) == set(Stretch) == {moment.stretch for moment in MOMENTS}
    assert {kind for row in TABLE.values() for kind in row} == set(Kind) == {fault.kind for fault in FAULTS}
    assert {end for row in TABLE.values() for end in row.values()} == set(End)


def test_every_cell_of_the_table_is_played_and_most_are_with_every_run_of_the_tests() -> None:
    cells = {(stretch, kind) for stretch, row in TABLE.items() for kind in row}
    assert {(moment.stretch, fault.kind) for moment, fault in ALL} == cells
    assert {(moment.stretch, fault.kind) for moment, fault in CHOSEN} == cells
    assert len(ALL) >= 300


def test_no_close_code_that_can_be_sent_is_left_out() -> None:
    not_sent = {1006, 1015}
    assert set(CLOSE_CODES) - not_sent <= {*CODES, 1012}


def test_names_are_used_once() -> None:
    assert len({moment.name for moment in MOMENTS}) == len(MOMENTS)
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
