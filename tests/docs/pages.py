"""The pages whose code is run, and the marks by which a block says what it is.

- A block of Python runs in its page's one namespace, after the blocks above it. With ``title="name.py"`` it is also the
  module ``name`` from then on; ``title="name.py, continued"`` adds to that file.
- A block of text with ``title="Output"`` is what the Python above it has printed.
- In a console block a line after ``$ `` is a command, all else is what it prints; a line ``...`` stands for any lines.
- A comment ``<!-- not run: why -->`` before a block leaves it out. The reader sees the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import attrs
from sybil import Document, Region
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

__all__ = ["PAGES", "ROOT", "Block", "blocks"]

ROOT = Path(__file__).parents[2]
GENERATED = ("conformance.md", "peers.md")
_WRITTEN = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
PAGES = ["README.md", *(path for path in _WRITTEN if path.removeprefix("docs/") not in GENERATED)]

FENCES = FencedCodeBlockLexer(language=r"[^`\n]*", mapping={"language": "info", "source": "source"})
NOT_RUN = re.compile(r"<!-- not run: (.+?) -->\s*\Z")


@attrs.frozen
class Block:
    """language: the first word after the fence. title: what the block calls itself. not_run: why it is left out."""

    page: str
    line: int
    language: str
    title: str | None
    source: str
    not_run: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page, from the top."""
    return [example.parsed for example in Document.parse(str(ROOT / page), lambda document: _regions(document, page))]


def _regions(document: Document, page: str) -> Iterator[Region]:
    for region in FENCES(document):
        language, _, attributes = region.lexemes["info"].strip().partition(" ")
        title = re.search(r'title="([^"]*)"', attributes)
        left_out = NOT_RUN.search(document.text, 0, region.start)
        region.parsed = Block(
            page=page,
            line=document.text.count("\n", 0, region.start) + 1,
            language=language,
            title=title[1] if title else None,
            source=region.lexemes["source"],
            not_run=left_out[1] if left_out else None,
        )
        region.evaluator = lambda example: None
        yield region
