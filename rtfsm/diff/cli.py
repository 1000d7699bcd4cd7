"""`rtfsm diff`: what differs between two versions of the machines."""

from __future__ import annotations

import argparse
import sys

from rtfsm.language import DeclarationError
from rtfsm.targets import UsageError

from .difference import difference
from .markdown import markdown
from .sheet import DiffError
from .sources import DIRECTORY, load
from .text import as_json, text

__all__ = ["add_arguments", "run"]

DESCRIPTION = """\
Compare two versions of machines by their canonical JSON, as rtfsm draw --write keeps it. OLD and NEW are a directory or
a file of it, MODULE:MACHINE, or a git revision; of a revision files are read and nothing is run.

Exit status: 0, 1 if there is a difference and --exit-code is given, 2 where the two cannot be compared."""

EPILOG = """\
examples:
  rtfsm diff main                      what the working tree's diagrams/ has that main has not
  rtfsm diff v1.0 HEAD --markdown      for a pull request
  rtfsm diff diagrams/phonic/reply.json mypackage.turns:REPLY"""

DIFFERENT, USAGE = 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options, and say what the command does."""
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("old", metavar="OLD", help="a git revision, a path, or MODULE:MACHINE")
    parser.add_argument("new", metavar="NEW", nargs="?", default=DIRECTORY, help=f"the same; {DIRECTORY} by default")
    parser.add_argument("--profile", metavar="NAME", help="the machines of this profile only")
    parser.add_argument(
        "--directory", metavar="DIR", default=DIRECTORY, help=f"where a revision has its drawings; {DIRECTORY}"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="for a pull request, with a picture a machine")
    form.add_argument("--json", action="store_true", help="for other programs")
    parser.add_argument("--exit-code", action="store_true", help="return 1 if there is a difference")


def run(options: argparse.Namespace) -> int:
    """Returns the exit status."""
    try:
        old, new = load(options.old, options.directory), load(options.new, options.directory)
        found = difference(old, new, options.profile)
    except (DiffError, UsageError, DeclarationError) as error:
        print(f"rtfsm diff: {error}", file=sys.stderr)
        return USAGE
    shown = as_json(found) if options.json else markdown(found) if options.markdown else text(found)
    print(shown.removesuffix("\n"))
    return DIFFERENT if options.exit_code and found.sections else 0
