"""Links of the documents to files of the repository, which on the site are pages of their own."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["linked", "page", "page_of", "within"]

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"(?<=\]\()(?!\w+:|#|/)([^)\s#]+)")
LANGUAGES = {".py": "python", ".md": "markdown", ".yml": "yaml", ".json": "json"}
PLACES = (
    (re.compile(r"README\.md"), "index.md"),
    (re.compile(r"diagrams/README\.md"), "explanation/composition.md"),
    (re.compile(r"diagrams/(?:phonic|widest)/(\w+)\.md"), r"reference/machines/\1.md"),
)
"""Files whose content has a place on the site, and which."""


def linked(markdown: str, page: str) -> Iterator[str]:
    """Files outside docs/ that a page links to, from the repository's root, but for those that have a place."""
    for target in LINK.findall(markdown):
        path = _outside(target, page)
        if path is not None and place_of(path) == page_of(path) and (ROOT / path).is_file():
            yield path


def within(markdown: str, page: str) -> str:
    """The page, with each link that leads out of docs/ led to the site's own page."""

    def led(found: re.Match[str]) -> str:
        path = _outside(found[1], page)
        if path is None or not (ROOT / path).is_file():
            return found[1]
        return posixpath.relpath(place_of(path), posixpath.dirname(page) or ".")

    return LINK.sub(led, markdown)


def _outside(target: str, page: str) -> str | None:
    path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), target))
    return None if path.startswith(("docs/", "..")) else path


def place_of(path: str) -> str:
    """Where on the site a reader finds what is in the file."""
    places = (pattern.sub(place, path) for pattern, place in PLACES if pattern.fullmatch(path))
    return next(places, page_of(path))


def page_of(path: str) -> str:
    """Where on the site the file is shown."""
    return f"source/{path}.md"


def page(path: str) -> str:
    """The file, as a page."""
    text = (ROOT / path).read_text(encoding="utf-8")
    fence = "`" * 6
    language = LANGUAGES.get(Path(path).suffix, "text")
    return f"---\nsearch:\n  exclude: true\n---\n\n# {path}\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"
