"""`rtfsm draw`: print drawings, write those that a repository keeps, or compare them."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

from rtfsm.language import Composition, DeclarationError, Machine
from rtfsm.machines import compose
from rtfsm.profiles import PROFILES
from rtfsm.targets import ALL, UsageError, find_targets, load
from rtfsm.trace import TraceError, read

from .canonical import canonical, canonical_json
from .composition import composition_json, composition_picture, markdown_couplings, mermaid_composition
from .dot import dot
from .files import stale, write
from .mermaid import mermaid
from .picture import Level
from .reading import picture
from .sequence import sequence_diagram
from .svg import DrawError, svg
from .table import markdown_table

__all__ = ["add_arguments", "run"]

COMPOSITION, SEQUENCE = "composition", "sequence"

USAGE, STALE = 2, 1


@attrs.frozen
class _Format:
    """ending: of a file's name. machine, composition: what to draw, as text."""

    ending: str
    machine: Callable[[Machine, Level], str]
    composition: Callable[[Composition], str]


FORMATS: Mapping[str, _Format] = {
    "mermaid": _Format(".mmd", mermaid, mermaid_composition),
    "dot": _Format(".dot", lambda one, level: dot(picture(one, level)), lambda all: dot(composition_picture(all))),
    "svg": _Format(".svg", lambda one, level: svg(picture(one, level)), lambda all: svg(composition_picture(all))),
    "table": _Format(".md", lambda one, _: markdown_table(one), markdown_couplings),
    "json": _Format(".json", lambda one, _: canonical_json(one), composition_json),
}

DESCRIPTION = """\
Draw machines, what couples them, or what happened in a recording. --write and --check are for the drawings that a
repository keeps.

Exit status: 0, 1 if --check finds a drawing out of date, 2 for bad usage or where nothing can be drawn."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options, and say what the command does."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "machine",
        nargs="?",
        default=ALL,
        help="the name of a shipped machine, all, composition (what couples them), sequence TRACE, or MODULE:NAME: a "
        "machine or a composition of your own",
    )
    parser.add_argument(
        "trace", nargs="?", metavar="TRACE", help="a recording, such as trace.jsonl of rtfsm demo --out"
    )
    parser.add_argument("--profile", choices=sorted(PROFILES), help="phonic by default")
    parser.add_argument("--format", choices=list(FORMATS), help="mermaid by default; svg needs graphviz")
    parser.add_argument(
        "--level",
        choices=[level.value for level in Level],
        help="overview: states and main arrows; events: every arrow with its events; full, the default: guards, "
        "effects and timers too",
    )
    parser.add_argument("-o", "--output", metavar="PATH", help="write to this file, or into this directory")
    parser.add_argument("--since", type=float, metavar="S", help="of a recording, what happened from this second on")
    parser.add_argument("--until", type=float, metavar="S", help="of a recording, what happened up to this second")
    directory = parser.add_mutually_exclusive_group()
    directory.add_argument("--write", metavar="DIR", help="write every drawing below DIR")
    directory.add_argument("--check", metavar="DIR", help="fail where a drawing below DIR is out of date")


def run(options: argparse.Namespace) -> int:
    """Returns the exit status."""
    try:
        if options.write is not None or options.check is not None:
            _refuse(options, "machine", "trace", "profile", "format", "level", "output", "since", "until")
            return _write(options.write) if options.write is not None else _check(options.check)
        drawn = _sequence(options) if options.machine == SEQUENCE else _drawn(options)
        _put(drawn, options)
    except (UsageError, DeclarationError, DrawError, TraceError) as error:
        print(f"rtfsm draw: {error}", file=sys.stderr)
        return USAGE
    return 0


def _refuse(options: argparse.Namespace, *names: str) -> None:
    """What has no meaning here is said, not swallowed."""
    given = [name for name in names if getattr(options, name) not in (None, ALL)]
    if not given:
        return
    kept = options.write is not None or options.check is not None
    about = "--write and --check are about all drawings" if kept else f"this has no meaning for {options.machine}"
    shown = [f"the {name}" if name in ("machine", "trace") else f"--{name}" for name in given]
    raise UsageError(f"{about}; leave out {', '.join(shown)}")


def _drawn(options: argparse.Namespace) -> dict[str, str]:
    """name -> text of each drawing."""
    _refuse(options, "trace", "since", "until")
    form, profile = FORMATS[options.format or "mermaid"], options.profile
    if options.machine == COMPOSITION:
        _refuse(options, "level")
        return {COMPOSITION: form.composition(compose(PROFILES[profile or "phonic"]))}
    if ":" in options.machine and isinstance(own := load(options.machine), Composition):
        _refuse(options, "level", "profile")
        return {COMPOSITION: form.composition(own)}
    targets = find_targets(options.machine, profile if profile or ":" in options.machine else "phonic")
    if options.level is not None and options.format in ("table", "json"):
        raise UsageError(f"a {options.format} has every cell; leave out --level")
    if len(targets) > 1 and options.output is None:
        if options.format == "svg":
            raise UsageError("an SVG file holds one picture; name one machine, or a directory with --output")
        if options.format == "json":
            machines = [canonical(target.machine) for target in targets]
            return {ALL: json.dumps(machines, indent=2, sort_keys=True, ensure_ascii=False) + "\n"}
    level = Level(options.level or "full")
    return {target.machine.name: form.machine(target.machine, level) for target in targets}


def _sequence(options: argparse.Namespace) -> dict[str, str]:
    _refuse(options, "profile", "level")
    if options.trace is None:
        raise UsageError("name the recording to draw: rtfsm draw sequence trace.jsonl (rtfsm demo --out DIR makes one)")
    if options.format not in (None, "mermaid"):
        raise UsageError("a sequence is drawn in Mermaid; leave out --format")
    since = options.since if options.since is not None else 0.0
    until = options.until if options.until is not None else float("inf")
    try:
        steps = [step for step in read(options.trace) if since <= step.time <= until]
    except OSError as error:
        raise UsageError(f"{options.trace} cannot be read: {error.strerror or error}") from error
    return {SEQUENCE: sequence_diagram(steps)}


def _put(drawn: Mapping[str, str], options: argparse.Namespace) -> None:
    """Everything is drawn by now, so that a failure leaves no half of it behind."""
    if options.output is None:
        # The line's end is a write of its own: of a single one that a closed pipe cut in half, nobody would hear.
        print("\n".join(drawn.values()).removesuffix("\n"))
        return
    path = Path(options.output)
    ending = FORMATS[options.format or "mermaid"].ending
    into = path.is_dir() or options.output.endswith(("/", os.sep)) or len(drawn) > 1
    files = (
        {path / f"{name}{ending}": text for name, text in drawn.items()} if into else {path: "".join(drawn.values())}
    )
    try:
        for file, text in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
    except OSError as error:
        raise UsageError(f"cannot write to {options.output}: {error.strerror or error}") from error


def _write(directory: str) -> int:
    try:
        changed = write(directory)
    except OSError as error:
        raise UsageError(f"cannot write to {directory}: {error.strerror or error}") from error
    for name in changed:
        print(f"{directory}/{name}")
    print(f"{len(changed)} file{'' if len(changed) == 1 else 's'} changed")
    return 0


def _check(directory: str) -> int:
    if not os.path.isdir(directory):
        raise UsageError(f"{directory} is no directory; run: rtfsm draw --write {directory}")
    wrong = stale(directory)
    for name in wrong:
        print(f"{directory}/{name} is out of date")
    if wrong:
        print(f"run: rtfsm draw --write {directory}")
    return STALE if wrong else 0
