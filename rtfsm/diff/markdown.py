"""A difference as Markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from rtfsm.draw import flowchart

from .difference import Difference, Section, Status
from .grouped import Line, grouped
from .pictures import changed_picture
from .text import heading

__all__ = ["LIMIT", "MARK", "markdown"]

MARK = "<!-- rtfsm diff -->"
"""The first line: by it an action finds the comment that it wrote before."""

LIMIT = 60_000
"""Characters; GitHub refuses a comment of more than 65,536."""

SIGNS = {"+": "➕", "-": "➖", "~": "✏️"}


def markdown(found: Difference, limit: int = LIMIT) -> str:
    """A table for each machine and kind of change, with a Mermaid picture above where arrows changed.

    Where that is longer than ``limit`` characters, the pictures are left out, then the last tables, and that is said.
    Whatever comes from the files stands in code, so that nothing in it is a link, a mention or a tag.
    """
    head = [MARK, f"## State machines: {_code(found.old)} → {_code(found.new)}", "", f"{heading(found)}.", ""]
    head += [f"> {note[0].upper()}{_escaped(note[1:])}.\n" for note in found.notes]
    parts = ["\n".join(_section(section, True)) for section in found.sections]
    if _length(head, parts) > limit:
        parts = ["\n".join(_section(section, False)) for section in found.sections]
        head += ["> The pictures are left out: the comment would be too long. `rtfsm diff` prints all of it.\n"]
    left = 0
    while parts and _length(head, parts) + 200 > limit:
        parts.pop()
        left += 1
    if left:
        head += [f"> {left} of the sections below are left out too.\n"]
    return "\n".join([*head, *parts]).rstrip("\n") + "\n"


def _length(head: list[str], parts: list[str]) -> int:
    return sum(len(part) + 1 for part in (*head, *parts))


def _section(section: Section, pictures: bool) -> Iterator[str]:
    if section.status is not Status.CHANGED:
        sign = SIGNS["+" if section.status is Status.ADDED else "-"]
        yield f"### {sign} {_code(section.title)} is {section.status.value}\n"
        return
    yield f"### {_code(section.title)}\n"
    drawn = changed_picture(section) if pictures else None
    if drawn is not None:
        yield f"```mermaid\n{flowchart(drawn, 'TB')}```\n"
    for what, lines in grouped(section.changes).items():
        yield f"**{what.value[0].upper()}{what.value[1:]}**\n"
        yield from _table(lines)


def _table(lines: list[Line]) -> Iterator[str]:
    yield "| | where | before | after |"
    yield "|---|---|---|---|"
    for line in lines:
        old, new = ("" if one is None else _code(one) for one in (line.old, line.new))
        yield f"| {SIGNS[line.sign]} | {_code(line.place)} | {old} | {new} |"
    yield ""


def _code(text: str) -> str:
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return f"`{plain}`".replace("|", "\\|") if plain and "`" not in plain else _fenced(plain)


def _fenced(plain: str) -> str:
    """Code with a backtick in it needs two around it; no text at all is none."""
    if not plain:
        return ""
    longest = max(len(run) for run in "".join(one if one == "`" else " " for one in plain).split())
    fence = "`" * (longest + 1)
    return f"{fence} {plain} {fence}".replace("|", "\\|")


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\`*_~<>@#[]|" else letter for letter in text)
