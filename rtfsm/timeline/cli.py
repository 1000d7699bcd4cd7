"""`rtfsm timeline`: a recording in the terminal, or as SVG."""

from __future__ import annotations

import json
import os
import shutil
import sys

from rtfsm.trace import TraceError

from .recording import Recording, load
from .svg import svg
from .text import NARROWEST, text

__all__ = ["run"]

UNUSABLE = 2
NOT_A_TERMINAL = 100
"""Columns where nobody says how many there are."""


def run(trace: str, *, file: str | None = None, width: int | None = None) -> int:
    """Print the recording, or write its picture to ``file``. width: in columns, or in pixels of the picture.

    Returns the exit status: 0; 1 where something is wrong in the recording; 2 where it cannot be read or written.
    """
    try:
        recording = load(trace)
    except TraceError as error:
        return _unusable(f"{error}{_help(trace)}")
    except OSError as error:
        return _unusable(f"{trace}: {error.strerror or error}; `rtfsm demo --out DIR` makes a recording to look at")
    if file is None:
        columns = width or (shutil.get_terminal_size().columns if sys.stdout.isatty() else NOT_A_TERMINAL)
        colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        sys.stdout.write(_encodable(text(recording, max(columns, NARROWEST), colours=colours)))
    else:
        try:
            with open(file, "w", encoding="utf-8", newline="\n") as out:
                out.write(svg(recording, width or 1200))
        except OSError as error:
            return _unusable(f"{file}: {error.strerror or error}")
        print(_said(recording, file))
    return 1 if recording.problems else 0


def _unusable(what: str) -> int:
    print(f"rtfsm timeline: {_encodable(what, sys.stderr)}", file=sys.stderr)
    return UNUSABLE


def _said(recording: Recording, file: str) -> str:
    count = len(recording.problems)
    return f"{file}: {len(recording.records):,} events, {count} step{'' if count == 1 else 's'} wrong"


def _help(trace: str) -> str:
    """What else the file may be, and what would show it."""
    try:
        with open(trace, encoding="utf-8") as file:
            found = json.loads(file.read(1_000_000))
    except (OSError, ValueError, RecursionError):
        return ""
    if isinstance(found, dict) and found.get("format") == "rtfsm-ordering":
        return f"; rtfsm fuzz wrote it: play it with `rtfsm replay {trace}`, or drop it on the page of rtfsm explore"
    return ""


def _encodable(what: str, stream: object = None) -> str:
    """A terminal that has no such characters gets other ones, and no traceback."""
    encoding = getattr(stream or sys.stdout, "encoding", None) or "utf-8"
    return what.encode(encoding, "replace").decode(encoding)
