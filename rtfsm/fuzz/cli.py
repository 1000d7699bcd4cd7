"""``rtfsm fuzz`` and ``rtfsm replay``."""

from __future__ import annotations

import argparse
import json
import logging
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rtfsm.targets import UsageError

from .dialects import DIALECTS, find_dialect
from .findings import Finding
from .moves import Ordering
from .narrate import Narrator
from .play import HOSTS, play
from .pytest_file import as_pytest
from .report import as_json, as_junit, lines_of, ordering_lines, rate
from .search import Defect, Progress, Search
from .store import Saved, Store, load
from .target import load_target

__all__ = ["add_fuzz_arguments", "add_replay_arguments", "run_fuzz", "run_replay"]

FOLDER = ".rtfsm"
SECONDS = 60.0


def add_fuzz_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``rtfsm fuzz``."""
    parser.add_argument("target", metavar="TARGET", help="module:Factory of a realtime model, the class itself mostly")
    parser.add_argument("--provider", metavar="P", help=f"{', '.join(DIALECTS)}, or module:NAME; guessed by default")
    parser.add_argument(
        "--host", choices=tuple(HOSTS), default="direct", help="who calls the session; direct by default"
    )
    parser.add_argument("--seconds", type=_seconds, metavar="S", help=f"how long to search; {SECONDS:g} by default")
    parser.add_argument("--max-examples", type=_count, metavar="N", help="how many orderings to play")
    parser.add_argument("--seed", type=int, metavar="N", help="begin with this one; printed, and a new one by default")
    parser.add_argument("--sockets", action="store_true", help="real sockets, also for a target that can do without")
    parser.add_argument("--store", metavar="DIR", default=FOLDER, help=f"where failures are kept; {FOLDER} by default")
    parser.add_argument("--json", metavar="FILE", help="write what was found")
    parser.add_argument("--junit", metavar="FILE", help="write it as JUnit's XML")
    parser.add_argument("--quiet", action="store_true", help="tell no progress")


def add_replay_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``rtfsm replay``."""
    parser.add_argument("file", metavar="FILE", help="a failure that rtfsm fuzz has saved")
    parser.add_argument("--target", metavar="TARGET", help="play it through another model than the one that failed")
    parser.add_argument("--provider", metavar="P", help="what that model speaks to; guessed by default")
    parser.add_argument("--sockets", action="store_true", help="real sockets, also for a target that can do without")
    parser.add_argument("--pytest", metavar="FILE", help="write a test that stands alone, '-' to standard output")


def run_fuzz(options: argparse.Namespace) -> int:
    """Search, print each finding; 0 for none, 1 for some, 2 for bad usage."""
    _hush()
    try:
        target = load_target(options.target)
        dialect = find_dialect(options.provider, options.target)
        play_one = _player(options.target, options.provider, options.host, memory=not options.sockets)
        play_one(Ordering(()))  # a target that cannot be used at all says so here
        seed = secrets.randbelow(2**32) if options.seed is None else options.seed
        seconds = SECONDS if options.seconds is None and options.max_examples is None else options.seconds
    except UsageError as error:
        return _usage("fuzz", error)
    store = Store(options.store)
    for line in store.unread():
        print(f"rtfsm fuzz: left alone: {line}", file=sys.stderr)
    print(f"fuzzing {target.name} on the scripted {dialect.name}, host {options.host}, seed {seed}", flush=True)

    def saved(defect: Defect) -> Saved:
        return Saved(target.name, options.provider or dialect.name, options.host, not options.sockets, defect)

    found: list[Saved] = []
    paths: dict[str, Path] = {}

    def tell(one: Saved) -> None:
        found.append(one)
        paths[one.id] = store.save(one)
        print("\n" + "\n".join(lines_of(one, len(found), paths[one.id])), flush=True)

    healed = []
    for one in store.saved(target.name, options.provider or dialect.name, options.host):
        try:
            again = [finding for finding in play_one(one.defect.ordering) if finding == one.defect.finding]
        except UsageError as error:
            print(f"rtfsm fuzz: left alone: {one.id}: {error}", file=sys.stderr)
            continue
        if again:
            tell(one)
        else:
            store.heal(one)
            healed.append(one)
            print(f"\nhealed: {one.id}")
    search = Search(
        dialect,
        play_one,
        seed=seed,
        host=options.host,
        known=[one.defect for one in found],
        tell=None if options.quiet else _Ticker(sys.stderr.isatty()),
    )
    try:
        for defect in search.run(max_examples=options.max_examples, seconds=seconds):
            tell(saved(defect))
    except KeyboardInterrupt:
        print("\ninterrupted; what was found is saved", file=sys.stderr)
    print(f"\n{rate(search.progress)}\n{_summary(found, healed, options.store)}")
    if options.json:
        _write(options.json, json.dumps(as_json(found, healed, search.progress, seed), indent=2) + "\n")
    if options.junit:
        _write(options.junit, as_junit(target.name, found, search.progress, paths))
    return 1 if found else 0


def run_replay(options: argparse.Namespace) -> int:
    """Play a saved failure, step by step; 0 if it is healed, 1 if it fails as before, 2 for bad usage."""
    _hush()
    try:
        saved = load(options.file)
        if options.pytest is not None:
            _write(options.pytest, as_pytest(saved))
            return 0
        target = options.target or saved.target
        provider = options.provider or (None if options.target else saved.provider)
        narrator = Narrator()
        memory = saved.memory and not options.sockets
        findings = play(
            find_dialect(provider, target),
            load_target(target),
            saved.defect.ordering,
            host=saved.host,
            memory=memory,
            watch=narrator,
        )
    except UsageError as error:
        return _usage("replay", error)
    print(f"{target}, as found: {saved.defect.finding}")
    print("\n".join(ordering_lines(saved.defect.ordering)) + "\n")
    print("\n".join(narrator.lines) + "\n")
    for finding in findings:
        print(finding)
    if saved.defect.finding in findings:
        return 1
    print("what was found is healed" if not findings else "what was found is healed; this is something else")
    return 1 if findings else 0


def _player(target: str, provider: str | None, host: str, *, memory: bool) -> Callable[[Ordering], list[Finding]]:
    dialect, loaded = find_dialect(provider, target), load_target(target)

    def play_one(ordering: Ordering) -> list[Finding]:
        return play(dialect, loaded, ordering, host=host, memory=memory)

    return play_one


def _summary(found: list[Saved], healed: list[Saved], folder: str) -> str:
    words = f"{len(found)} finding{'' if len(found) == 1 else 's'}" if found else "nothing found"
    kept = f", kept in {folder}" if found else ""
    return words + kept + (f"; {len(healed)} healed" if healed else "")


class _Ticker:
    """Tells the progress on standard error: on a terminal each round, elsewhere every ten seconds."""

    def __init__(self, terminal: bool) -> None:
        self._terminal = terminal
        self._last = time.perf_counter()

    def __call__(self, progress: Progress) -> None:
        now = time.perf_counter()
        if now - self._last < (0.2 if self._terminal else 10.0):
            return
        self._last = now
        line = f"{rate(progress)}, {progress.defects} new"
        print(f"\r\033[K{line}" if self._terminal else line, end="" if self._terminal else "\n", file=sys.stderr)
        sys.stderr.flush()


def _hush() -> None:
    """What the target logs is the laws' business; on the terminal it would bury what they say. Hypothesis keeps a
    folder of its own, which nobody asked for here."""
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir(), "rtfsm-hypothesis")))
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger().setLevel(logging.INFO)


def _write(path: str, text: str) -> None:
    if path == "-":
        print(text, end="")
    else:
        Path(path).write_text(text, encoding="utf-8")


def _usage(command: str, error: UsageError) -> int:
    print(f"rtfsm {command}: {error}", file=sys.stderr)
    return 2


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)
