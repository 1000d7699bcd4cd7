"""Sequence diagrams as rtfsm prints them in Mermaid, laid out as HTML, so that no page needs a script for it."""

from __future__ import annotations

import html
import re

__all__ = ["SequenceError", "sequence"]

PARTICIPANT = re.compile(r"participant (\w+)(?: as (.+))?")
ARROW = re.compile(r"(\w+)(->>|-->>|-x)(\w+): (.*)")
NOTE = re.compile(r"Note (?:right of|left of|over) (\w+)(?:,(\w+))?: (.*)")
LOOKS = {"->>": "event", "-->>": "effect", "-x": "ignored"}


class SequenceError(Exception):
    """The text says something that is not laid out here."""


def sequence(text: str) -> str:
    """HTML of a diagram: a column for each participant, a row for each arrow and note. Raises SequenceError."""
    first, *lines = [line.strip() for line in text.strip().splitlines()]
    if first != "sequenceDiagram":
        raise SequenceError(f"the site draws sequence diagrams alone, not {first!r}; show a machine by its picture")
    columns: dict[str, str] = {}
    rows: list[str] = []
    for line in filter(None, lines):
        if found := PARTICIPANT.fullmatch(line):
            columns[found[1]] = found[2] or found[1]
        elif (found := ARROW.fullmatch(line)) and {found[1], found[3]} <= columns.keys():
            rows.append(_arrow(list(columns), len(rows) + 2, found[1], LOOKS[found[2]], found[3], found[4]))
        elif (found := NOTE.fullmatch(line)) and {found[1], found[2] or found[1]} <= columns.keys():
            rows.append(_note(list(columns), len(rows) + 2, found[1], found[2] or found[1], found[3]))
        else:
            raise SequenceError(f"a line of a sequence diagram is not understood: {line!r}")
    heads = [
        f'<div class="head" style="{_place(1, n, n)}">{_text(name)}</div>' for n, name in enumerate(columns.values())
    ]
    lives = [
        f'<div class="life" style="grid-row: 2 / span {len(rows)}; grid-column: {n + 1}"></div>'
        for n in range(len(columns))
    ]
    style = f"grid-template-columns: repeat({len(columns)}, minmax(7rem, 1fr))"
    cells = "".join([*lives, *heads, *rows])
    return f'<div class="rtfsm-sequence"><div class="grid" style="{style}">{cells}</div></div>\n'


def _arrow(columns: list[str], row: int, source: str, look: str, target: str, label: str) -> str:
    start, end = columns.index(source), columns.index(target)
    way = "self" if start == end else "right" if start < end else "left"
    low, high = sorted((start, end))
    inset = f"; --columns: {high - low + 1}"
    spoken = f"{columns[start]} to {columns[end]}: " if way != "self" else ""
    return (
        f'<div class="arrow {look} {way}" style="{_place(row, low, high)}{inset}">'
        f'<span class="spoken">{_text(spoken)}</span><span class="label">{_text(label)}</span></div>'
    )


def _note(columns: list[str], row: int, first: str, last: str, text: str) -> str:
    low, high = sorted((columns.index(first), columns.index(last)))
    return f'<div class="note" style="{_place(row, low, high)}"><span>{_text(text)}</span></div>'


def _place(row: int, low: int, high: int) -> str:
    return f"grid-row: {row}; grid-column: {low + 1} / {high + 2}"


def _text(text: str) -> str:
    """Mermaid writes a character that it would misread as #number;."""
    return html.escape(re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text))
