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
from rtfsm.draw import cli as draw
from rtfsm.profiles import PROFILES
from rtfsm.targets import ALL

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
    except BrokenPipeError:
        # Whatever is still buffered must not be flushed into the closed pipe when the interpreter exits.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE


def _run(argv: Sequence[str]) -> int:
    # The demo's options belong to the demo, which no other command has to import.
    if argv[:1] == ["demo"]:
        return _demo(argv[1:])
    options = _parser().parse_args(argv)
    if options.command == "check":
        return check.run(options.machine, options.profile, verbose=options.verbose)
    if options.command == "draw":
        if options.write is not None:
            return draw.write_directory(options.write)
        if options.check is not None:
            return draw.check_directory(options.check)
        return draw.run(options.machine, options.profile, options.format)
    return _serve(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rtfsm", description="Explicit state machines for realtime voice turns.")
    parser.add_argument("--version", action="version", version=f"rtfsm {rtfsm.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    profiles = sorted(PROFILES)

    one = commands.add_parser("check", help="visit all that machines can reach, and report what is wrong")
    one.add_argument("machine", nargs="?", default=ALL, help="MODULE:NAME, the name of a shipped machine, or all")
    one.add_argument("--profile", choices=profiles, help="machines of this profile only; of every one by default")
    one.add_argument("--verbose", action="store_true", help="list the arms that no order of events reaches")

    one = commands.add_parser("draw", help="draw machines")
    one.add_argument("machine", nargs="?", default=ALL, help="MODULE:NAME, the name of a shipped machine, or all")
    one.add_argument("--profile", choices=profiles, help="phonic by default")
    one.add_argument("--format", choices=draw.FORMATS, default="mermaid", help="mermaid by default")
    directory = one.add_mutually_exclusive_group()
    directory.add_argument("--write", metavar="DIR", help="write every drawing below DIR")
    directory.add_argument("--check", metavar="DIR", help="fail where a drawing below DIR is out of date")

    one = commands.add_parser("serve", help="serve a scripted provider on this machine")
    one.add_argument("provider", choices=["phonic"])
    one.add_argument("--host", default="127.0.0.1", help="127.0.0.1 by default")
    one.add_argument("--port", type=_port, default=8765, help="8765 by default; 0 for a free one")
    one.add_argument("--verbose", action="store_true", help="print every audio chunk too")

    commands.add_parser("demo", help="an agent against the scripted provider, in this process", add_help=False)
    return parser


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to 65535")
    return port


def _serve(options: argparse.Namespace) -> int:
    server = _optional("serve", "rtfsm.testing.phonic_server.cli")
    if server is None:
        return USAGE
    return int(server.serve(options.host, options.port, verbose=options.verbose))


def _demo(argv: Sequence[str]) -> int:
    demo = _optional("demo", "rtfsm.demo.cli")
    if demo is None:
        return USAGE
    parser = argparse.ArgumentParser(prog="rtfsm demo")
    demo.add_arguments(parser)
    return int(demo.run(parser.parse_args(argv)))


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
