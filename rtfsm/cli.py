"""The command line. No logic of its own: each command belongs to the part that it shows."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import rtfsm
from rtfsm.check import cli as check
from rtfsm.diff import cli as diff
from rtfsm.draw import cli as draw
from rtfsm.explore import cli as explore
from rtfsm.mutate import MACHINES
from rtfsm.mutate import cli as mutate
from rtfsm.profiles import PROFILES
from rtfsm.targets import ALL
from rtfsm.timeline import cli as timeline

__all__ = ["main"]

USAGE = 2
INTERRUPTED = 130
CLOSED_PIPE = 141
"""As a shell reports a program that SIGINT, or SIGPIPE, ended."""

EXTRA = "pip install 'rtfsm[phonic]'"


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 for success, 1 for findings, 2 for bad usage."""
    given = sys.argv[1:] if argv is None else argv
    try:
        status = _run(given)
        sys.stdout.flush()
        return status
    except SystemExit as end:  # argparse has said what there is to say
        return end.code if isinstance(end.code, int) else USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        closed = isinstance(error, BrokenPipeError)
        if not closed:
            print(f"rtfsm: {error.strerror or error}", file=sys.stderr)
        # Whatever is still buffered must not be flushed into the closed pipe when the interpreter exits.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE if closed else 1


def _run(argv: Sequence[str]) -> int:
    # The demo's options belong to the demo, which no other command has to import.
    if argv[:1] == ["demo"]:
        return _demo(argv[1:])
    if argv[:1] in (["fuzz"], ["replay"]):
        return _fuzz(argv[0], argv[1:])
    options = _parser().parse_args(argv)
    if options.command == "check":
        return check.run(
            options.machine,
            options.profile,
            verbose=options.verbose,
            calls=options.calls,
            requests=options.requests,
            generations=options.generations,
            barge_in=options.barge_in,
            messages_apart=options.messages_apart,
            replay=options.replay,
        )
    if options.command == "draw":
        return draw.run(options)
    if options.command == "diff":
        return diff.run(options)
    if options.command == "explore":
        return explore.run(options.output, options.profile, options.trace)
    if options.command == "timeline":
        return timeline.run(options.trace, file=options.svg, width=options.width)
    if options.command == "mutate":
        return mutate.run(
            options.machine,
            options.profile,
            seconds=options.seconds,
            processes=options.processes,
            stories=options.stories,
            file=options.json,
            every=options.every,
        )
    return _serve(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rtfsm", description="Explicit state machines for realtime voice turns.")
    parser.add_argument("--version", action="version", version=f"rtfsm {rtfsm.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    profiles = sorted(PROFILES)

    one = commands.add_parser("check", help="visit all that machines can reach, and report what is wrong")
    one.add_argument(
        "machine", nargs="?", default=ALL, help="MODULE:NAME, the name of a shipped machine, conversation, or all"
    )
    one.add_argument(
        "--profile",
        choices=profiles,
        help="machines of this profile only, of every one by default; the conversation of phonic by default",
    )
    one.add_argument("--calls", type=_count, metavar="N", help="tool calls alive at once in the conversation; 2")
    one.add_argument("--requests", type=_count, metavar="N", help="requests alive at once; 2")
    one.add_argument("--generations", type=_count, metavar="N", help="responses alive at once, where they have ids; 2")
    one.add_argument("--barge-in", choices=list(check.FLOORS), help="what cuts the agent in the conversation; speech")
    one.add_argument(
        "--messages-apart",
        action="store_true",
        help="ask the rules of messages of one response by itself and search the conversation without them: faster",
    )
    one.add_argument("--replay", metavar="ORDER", help="show an order, 'label; label; ...' or a file of it, at length")
    one.add_argument("--verbose", action="store_true", help="list the arms that no order of events reaches")

    one = commands.add_parser("draw", help="draw machines, what couples them, or a recording")
    draw.add_arguments(one)

    one = commands.add_parser("diff", help="compare two versions of machines")
    diff.add_arguments(one)

    one = commands.add_parser("explore", help="write a page to click through the machines, and through recordings")
    one.add_argument("-o", "--output", metavar="FILE", required=True, help="the page: one file, which needs no network")
    one.add_argument("--profile", choices=profiles, default="phonic", help="phonic by default")
    one.add_argument(
        "--trace", metavar="FILE", help="a recording, or a finding of rtfsm fuzz, that the page opens with"
    )

    one = commands.add_parser("timeline", help="show a recording as a picture")
    one.add_argument("trace", metavar="TRACE", help="a recording, such as the trace.jsonl of rtfsm demo --out DIR")
    one.add_argument("--svg", metavar="FILE", help="write the picture as SVG")
    one.add_argument(
        "--width", type=_positive, metavar="N", help="columns, or pixels of the SVG; the terminal's, or 1200"
    )

    one = commands.add_parser("mutate", help="change every decision of every table, and say which changes go unnoticed")
    one.add_argument("--machine", choices=MACHINES, help="its table only; of every one by default")
    one.add_argument("--profile", choices=profiles, help="tables of this profile only; of every one by default")
    one.add_argument("--seconds", type=_positive, metavar="N", help="stop after so long, and say what was left")
    one.add_argument("--processes", type=_positive, default=2, metavar="N", help="how many share the work; 2")
    one.add_argument("--every", type=_positive, default=1, metavar="N", help="a sample: each n-th mutant only")
    one.add_argument(
        "--stories", metavar="DIR", default=mutate.STORIES, help=f"hand-written orderings; {mutate.STORIES} by default"
    )
    one.add_argument("--json", metavar="FILE", help="write what became of each mutant")

    one = commands.add_parser("serve", help="serve a scripted provider on this machine")
    one.add_argument("provider", choices=["openai", "phonic"])
    one.add_argument("--host", default="127.0.0.1", help="127.0.0.1 by default")
    one.add_argument("--port", type=_port, default=8765, help="8765 by default; 0 for a free one")
    one.add_argument("--scenario", metavar="MODULE:NAME", help="what it does; listening and answering by default")
    one.add_argument("--verbose", action="store_true", help="print every audio chunk too")

    commands.add_parser("fuzz", help="look for orderings of events that break a realtime model", add_help=False)
    commands.add_parser("replay", help="play a failing ordering again, step by step", add_help=False)
    commands.add_parser("demo", help="an agent against the scripted provider, in this process", add_help=False)
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to 65535")
    return port


def _serve(options: argparse.Namespace) -> int:
    server = _optional("serve", f"rtfsm.testing.{options.provider}_server.cli")
    if server is None:
        return USAGE
    chosen = {} if options.scenario is None else {"scenario": options.scenario}
    return int(server.serve(options.host, options.port, verbose=options.verbose, **chosen))


def _demo(argv: Sequence[str]) -> int:
    demo = _optional("demo", "rtfsm.demo.cli")
    if demo is None:
        return USAGE
    parser = argparse.ArgumentParser(prog="rtfsm demo")
    demo.add_arguments(parser)
    return int(demo.run(parser.parse_args(argv)))


def _fuzz(command: str, argv: Sequence[str]) -> int:
    fuzz = _optional(command, "rtfsm.fuzz.cli")
    if fuzz is None:
        return USAGE
    parser = argparse.ArgumentParser(prog=f"rtfsm {command}")
    if command == "fuzz":
        fuzz.add_fuzz_arguments(parser)
        return int(fuzz.run_fuzz(parser.parse_args(argv)))
    fuzz.add_replay_arguments(parser)
    return int(fuzz.run_replay(parser.parse_args(argv)))


def _optional(command: str, module: str) -> Any:
    """A module that needs an extra, or None after one line that says how to get it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or "a package"
        if f"{module}.".startswith(f"{missing}."):
            print(f"rtfsm {command}: this installation has no {module}", file=sys.stderr)
        else:
            print(f"rtfsm {command}: {missing} is not installed; {EXTRA}", file=sys.stderr)
    except ImportError as error:
        print(f"rtfsm {command}: {' '.join(str(error).split())}", file=sys.stderr)
    return None
