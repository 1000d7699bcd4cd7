"""The table of docs/check.md is what the searches find, as far as they are quick enough to be repeated here."""

from __future__ import annotations

from pathlib import Path

from benchmarks.search_bounds import HEAD, ROWS, lines

GUIDE = (Path(__file__).parents[2] / "docs" / "check.md").read_text(encoding="utf-8")


def test_the_small_rows_of_the_table_are_found_again() -> None:
    small = [row for row in ROWS if row[1].calls + row[1].requests + row[1].generations <= 2]
    found = list(lines(small))
    assert found[0] == HEAD
    assert len(found) == 2 + len(small) >= 7
    assert [line for line in found if line not in GUIDE] == []


def test_every_row_stands_in_the_table() -> None:
    begins = [
        f"| {profile} | {'apart' if apart else 'in it'} | {bounds.calls} | {bounds.requests} | "
        for profile, bounds, apart in ROWS
    ]
    assert [begin for begin in begins if begin not in GUIDE] == []
