"""Plays all stories with the official plugin and with ours, and writes what both did."""

from __future__ import annotations

import argparse
import gc
import importlib
import logging
import sys
import warnings
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .found import section
from .plugins import OURS, THEIRS
from .story import STORIES, Story, Verdict, judged

__all__ = ["GROUPS", "all_stories", "main", "page"]

GROUPS = {
    "turns": "Words, brackets and cuts",
    "tools": "Tools",
    "requests": "Requests, configuration, several sessions",
    "connection": "The connection",
    "users": "The user, and the end of the call",
    "frames": "Errors and nonsense",
}
"""Module of stories -> its heading, in the order of the page."""

LONGEST = 160


def all_stories() -> list[Story]:
    """The stories of all modules, in the order of the page."""
    for name in GROUPS:
        importlib.import_module(f"tests.peers.test_{name}")
    return sorted(STORIES, key=lambda one: list(GROUPS).index(one.group))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "never"
    if isinstance(value, list):
        return "; ".join(f"“{one}”" for one in value) or "none"
    if isinstance(value, str):
        return f"“{value}”" if value else "nothing"
    return str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _right(told: Story) -> str:
    return "<br>".join(
        f"{key}: {_value(right) if not hasattr(right, 'words') else right}" for key, right in told.right.items()
    )


def _seen(verdict: Verdict) -> str:
    if verdict.error is not None:
        return f"not played: {verdict.error}"
    lines = []
    for key, value in verdict.seen.items():
        line = f"{key}: {_value(value)}"
        lines.append(f"**{line}**" if key in verdict.wrong else line)
    lines += [f"**besides: {what if len(what) <= LONGEST else what[:LONGEST] + '…'}**" for what in verdict.besides]
    return "<br>".join(lines)


def page(verdicts: Iterable[tuple[Verdict, Verdict]]) -> str:
    """The page, in Markdown; each pair is theirs and ours of one story."""
    pairs = list(verdicts)
    right = [sum(pair[position].holds for pair in pairs) for position in (0, 1)]
    lines = [
        "# The official plugin and ours, on the same wire",
        "",
        f"{len(pairs)} stories, each an ordering of events that a server on loopback played to both plugins in virtual "
        "time.",
        "What stands under *theirs* and *ours* was seen in that run; what is not right is bold. Under *besides* is",
        "what went wrong on the way: errors that LiveKit logged, messages that the protocol does not allow, tasks that",
        "were left. An application is *told* by an event of the session. The orderings are choices of the stories:",
        "Phonic documents few of them, and no real Phonic took part. `make peers` writes this page anew; `make test`",
        "plays the same stories with ours.",
        "",
        "| plugin | stories that hold |",
        "|---|---|",
        f"| theirs: livekit-plugins-phonic {version('livekit-plugins-phonic')} | {right[0]} of {len(pairs)} |",
        f"| ours | {right[1]} of {len(pairs)} |",
        "",
        f"With livekit-agents {version('livekit-agents')} and the Phonic SDK {version('phonic')}.",
    ]
    for group, heading in GROUPS.items():
        lines += ["", f"## {heading}", "", "| story | what is right | theirs | ours |", "|---|---|---|---|"]
        for theirs, ours in pairs:
            if theirs.story.group == group:
                told = theirs.story
                cells = (f"**{told.title}**<br>{told.ordering}", _right(told), _seen(theirs), _seen(ours))
                lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """0 if every story was played with both and all hold for ours; else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.peers", description=__doc__)
    parser.add_argument("--write", metavar="FILE", help="write the page here")
    parser.add_argument("--only", metavar="PART", default="", help="only stories whose name has this in it")
    options = parser.parse_args(arguments)
    logging.getLogger().addHandler(logging.NullHandler())  # or unhandled warnings go to the terminal
    warnings.simplefilter("ignore")
    pairs, failed = [], 0
    for told in all_stories():
        if options.only not in told.name:
            continue
        pair = judged(told, THEIRS), judged(told, OURS)
        pairs.append(pair)
        failed += pair[0].error is not None or not pair[1].holds
        marks = "  ".join(
            f"{one.plugin} {'not played' if one.error else 'right' if one.holds else 'WRONG'}" for one in pair
        )
        sys.stdout.write(f"{told.title}\n    {marks}\n")
        for one in pair:
            if one.error:
                sys.stdout.write(f"    {one.plugin}: {one.error}\n")
        gc.collect()
    right = [sum(pair[position].holds for pair in pairs) for position in (0, 1)]
    sys.stdout.write(f"{len(pairs)} stories: theirs right in {right[0]}, ours in {right[1]}\n")
    if options.write:
        found = "" if options.only else "\n".join(section()) + "\n"
        Path(options.write).write_text(page(pairs) + found, encoding="utf-8")
    return 1 if failed else 0
