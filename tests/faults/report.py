"""Plays all faults at all moments, and counts."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from .chosen import ALL
from .conversation import Moment
from .expected import Kind
from .faults import Fault
from .judge import Verdict, judged

__all__ = ["main"]

_WIDTH = max(len(moment.name) for moment, _ in ALL)


def _say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _row(name: str, cells: Iterable[object]) -> str:
    return f"{name:<{_WIDTH}}" + "".join(f"{cell!s:>13}" for cell in cells)


def _cell(verdicts: Sequence[Verdict]) -> str:
    wrong = sum(not verdict.holds for verdict in verdicts)
    if not verdicts:
        return "."
    return f"{len(verdicts)} ({wrong} no)" if wrong else str(len(verdicts))


def _play(pairs: Sequence[tuple[Moment, Fault]]) -> list[Verdict]:
    """Play them, and write a row for each moment as it is done."""
    verdicts: list[Verdict] = []
    _say(_row("after ...", (kind.name.lower().replace("_", " ") for kind in Kind)))
    for moment, group in groupby(pairs, key=lambda pair: pair[0]):
        here = [judged(moment, fault) for _, fault in group]
        _say(_row(moment.name, (_cell([one for one in here if one.fault.kind is kind]) for kind in Kind)))
        verdicts += here
    return verdicts


def main(arguments: Sequence[str]) -> int:
    """Play, write what was seen to standard output, and return 1 if anything was not as expected, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--after", metavar="TEXT", default="", help="only moments whose names hold this")
    parser.add_argument("--fault", metavar="TEXT", default="", help="only faults whose names hold this")
    options = parser.parse_args(arguments)
    pairs = [(moment, fault) for moment, fault in ALL if options.after in moment.name and options.fault in fault.name]
    if not pairs:
        parser.error("there is no such moment and fault")
    # What is logged is judged, and is no output.
    logging.getLogger().addHandler(logging.NullHandler())
    began = time.perf_counter()
    verdicts = _play(pairs)
    ends = Counter((verdict.expected.value, verdict.holds) for verdict in verdicts)
    _say()
    for name in dict.fromkeys(verdict.expected.value for verdict in verdicts):
        wrong = f", {ends[name, False]} not as expected" if ends[name, False] else ""
        _say(f"{name:<10}{ends[name, True] + ends[name, False]:>6} runs{wrong}")
    differences = [verdict for verdict in verdicts if not verdict.holds]
    _say(f"{len(verdicts)} runs, {len(differences)} not as expected, {time.perf_counter() - began:.0f} s")
    for verdict in differences:
        _say(f"\n{verdict}")
    return 1 if differences else 0
