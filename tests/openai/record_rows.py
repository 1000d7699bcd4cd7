"""Plays the rows to ours and to the official plugin, and prints the table of docs/openai.md.

python -m tests.openai.record_rows
"""

from __future__ import annotations

import functools
import logging

from livekit.plugins.openai.realtime import RealtimeModel as OfficialModel

from tests.openai.rows import ROWS, played
from tests.openai.test_known_failures import ours

__all__ = ["HEAD", "main", "row_of"]

HEAD = "| ordering | ours | livekit-plugins-openai 1.8.9 |\n|---|---|---|\n"


def row_of(name: str, mine: list[str], theirs: list[str]) -> str:
    """A line of the table: what was wrong first, and how many things there were besides."""
    shown = [(wrong[0].splitlines()[0] if wrong else "held") for wrong in (mine, theirs)]
    return f"| {name} | {shown[0]} | {shown[1]} |\n"


def main() -> None:
    # What the models log on the way is judged by the session's watch, and of no use on a terminal.
    logging.getLogger().addHandler(logging.NullHandler())
    official = functools.partial(OfficialModel, api_key="key")
    lines = [row_of(row.name, played(row, ours), played(row, official)) for row in ROWS]
    print(HEAD + "".join(lines), end="")  # noqa: T201


if __name__ == "__main__":
    main()
