"""`rtfsm mutate`: change every cell of every table, and say which changes nothing notices."""

from __future__ import annotations

import contextlib
import json
import logging
import multiprocessing
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import monotonic
from typing import TextIO

from rtfsm.check import Bounds

from .killers import BOUNDS, EQUIVALENT, KILLERS, MACHINES, SURVIVED, Judge, Planned, Verdict, planned
from .stories import Stories, stories_below

__all__ = ["STORIES", "run"]

FINDINGS, USAGE = 1, 2
WANTED = 0.98
"""The share of the mutants that are not equivalent which must be killed."""
EVERY = 5.0
"""Seconds between two lines of progress."""
STORIES = "tests/machines"


def run(
    machine: str | None = None,
    profile: str | None = None,
    *,
    seconds: float | None = None,
    processes: int = 2,
    stories: str = STORIES,
    file: str | None = None,
    every: int = 1,
    bounds: tuple[Bounds, ...] | None = None,
    out: TextIO | None = None,
) -> int:
    """Judge mutants and print what became of them.

    machine: one of MACHINES, all by default. profile: its tables only; by default those of every one, each cell once.
    seconds: judge no more after this long, and say so. processes: how many share the work. stories: directory of the
    hand-written orderings. file: where to write every verdict, as JSON. every: judge each n-th mutant only. bounds: of
    the searches, for every profile; by default :data:`rtfsm.mutate.BOUNDS`. Returns the exit status: 0 if enough were
    killed, 1 if not, 2 for bad usage.
    """
    out = out or sys.stdout
    if machine is not None and machine not in MACHINES:
        print(f"rtfsm mutate: no machine {machine!r} to mutate; give one of {', '.join(MACHINES)}", file=sys.stderr)
        return USAGE
    directory = Path(stories)
    if not directory.is_dir():
        print(
            f"rtfsm mutate: no directory {stories}; give --stories the one of your orderings, "
            "or run this where the tests are",
            file=sys.stderr,
        )
        return USAGE
    began = monotonic()
    plans = planned(MACHINES if machine is None else (machine,), profile)[::every]
    with _quiet():
        heard = Stories.heard(stories_below(directory))
        judge = Judge(heard) if bounds is None else Judge(heard, dict.fromkeys(BOUNDS, bounds), {})
        print(f"{len(plans)} mutants, {len(heard.all)} stories; every state of the whole is visited first", file=out)
        _prepare(judge, plans, out)
        judged = list(_judged(judge, plans, processes, began + seconds if seconds else None, out))
    _report(judged, out)
    if file is not None:
        _write(Path(file), judged)
    return _conclude(judged, len(plans), monotonic() - began, out)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What mutants do wrong is what is sought: no log of it."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(disabled)


def _prepare(judge: Judge, plans: list[Planned], out: TextIO) -> None:
    for profile in dict.fromkeys(profile for plan in plans for profile in plan.profiles):
        began = monotonic()
        graphs = judge.graphs(profile)
        places = ", ".join(f"{len(graph.places):,} at {graph.shown}" for graph in graphs)
        print(f"{profile}: states {places} ({monotonic() - began:.1f} s)", file=out, flush=True)


_inherited: list[tuple[Judge, list[Planned]]] = []


def _judge(number: int) -> Verdict:
    judge, plans = _inherited[-1]
    return judge.judge(plans[number])


def _judged(
    judge: Judge, plans: list[Planned], processes: int, until: float | None, out: TextIO
) -> Iterator[tuple[Planned, Verdict]]:
    told = monotonic()
    killed = 0
    with _workers(judge, plans, processes) as verdicts:
        for number, (plan, verdict) in enumerate(zip(plans, verdicts, strict=True), start=1):
            killed += verdict.fate in KILLERS
            yield plan, verdict
            if monotonic() - told > EVERY:
                told = monotonic()
                print(f"  {number} of {len(plans)}: {killed} killed", file=out, flush=True)
            if until is not None and monotonic() > until:
                return


@contextlib.contextmanager
def _workers(judge: Judge, plans: list[Planned], processes: int) -> Iterator[Iterable[Verdict]]:
    """The verdicts, in order. The workers inherit graphs, stories and mutants by forking."""
    if processes <= 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield map(judge.judge, plans)
        return
    _inherited.append((judge, plans))
    pool = multiprocessing.get_context("fork").Pool(processes)
    try:
        yield pool.imap(_judge, range(len(plans)), chunksize=4)
    finally:
        pool.terminate()
        pool.join()
        _inherited.pop()


def _report(judged: list[tuple[Planned, Verdict]], out: TextIO) -> None:
    columns = [*KILLERS, EQUIVALENT, SURVIVED]
    print("\n" + "".join(f"{title:>15}" for title in ["", "mutants", *columns]), file=out)
    machines = dict.fromkeys(plan.mutant.machine for plan, _ in judged)
    for machine in [*machines, "all"]:
        fates = Counter(verdict.fate for plan, verdict in judged if machine in ("all", plan.mutant.machine))
        row = [machine, fates.total(), *(fates[column] for column in columns)]
        print("".join(f"{value:>15}" for value in row), file=out)
    by = Counter(
        verdict.by.split(":", 1)[0] for _, verdict in judged if verdict.fate in ("machine alone", "all together")
    )
    print("\nby: " + ", ".join(f"{name} {count}" for name, count in by.most_common()), file=out)
    survivors = [(plan, verdict) for plan, verdict in judged if verdict.fate == SURVIVED]
    print(f"\nsurvivors: {len(survivors)}", file=out)
    for plan, verdict in survivors:
        print(f"  {plan.mutant.place} [{', '.join(plan.profiles)}]: {plan.mutant.change}; {verdict.by}", file=out)


def _conclude(judged: list[tuple[Planned, Verdict]], planned: int, took: float, out: TextIO) -> int:
    fates = Counter(verdict.fate for _, verdict in judged)
    others = fates.total() - fates[EQUIVALENT]
    killed = others - fates[SURVIVED]
    share = killed / others if others else 1.0
    left = f"; {planned - len(judged)} were not judged in time" if len(judged) < planned else ""
    print(f"\n{killed} of {others} that are not equivalent are killed: {share:.1%} ({took:.0f} s{left})", file=out)
    return 0 if share >= WANTED else FINDINGS


def _write(path: Path, judged: list[tuple[Planned, Verdict]]) -> None:
    rows = [
        {
            "machine": plan.mutant.machine,
            "state": plan.mutant.state.name,
            "event": plan.mutant.event.__name__ if plan.mutant.event else None,
            "change": plan.mutant.change,
            "profiles": list(plan.profiles),
            "fate": verdict.fate,
            "by": verdict.by,
        }
        for plan, verdict in judged
    ]
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
