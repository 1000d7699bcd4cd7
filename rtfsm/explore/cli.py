"""`rtfsm explore`: write the page."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from rtfsm.trace import TraceError, read_header

from .page import page

__all__ = ["run"]

UNUSABLE = 2
LARGEST = 64_000_000
"""Bytes of a recording that go into a page; a browser takes hardly more."""


def run(output: str, profile: str = "phonic", trace: str | None = None) -> int:
    """Write the page to ``output``. trace: a recording, or a finding of rtfsm fuzz, that it opens with.

    Returns the exit status: 0, or 2 where something cannot be read or written.
    """
    try:
        opened = None if trace is None else _trace(trace)
    except TraceError as error:
        return _unusable(str(error))
    except OSError as error:
        return _unusable(f"{trace}: {error.strerror or error}; `rtfsm demo --out DIR` makes a recording to look at")
    text = page(profile, opened)
    try:
        Path(output).write_bytes(text.encode())
    except OSError as error:
        return _unusable(f"{output}: {error.strerror or error}")
    print(f"{output}: {len(text.encode()) // 1024:,} KiB, to be opened in any browser; it asks for no network")
    return 0


def _trace(path: str) -> tuple[str, str]:
    """Name and text of the file; what the page could make nothing of is refused here."""
    if os.path.getsize(path) > LARGEST:
        raise TraceError(f"{path} is too large for a page; show it with `rtfsm timeline`")
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    if not _is_finding(text):
        read_header(path)
    return os.path.basename(path), text


def _is_finding(text: str) -> bool:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("format") == "rtfsm-ordering"


def _unusable(what: str) -> int:
    print(f"rtfsm explore: {what}", file=sys.stderr)
    return UNUSABLE
