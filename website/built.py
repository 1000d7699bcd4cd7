"""The built site, looked at as a browser would: where its links lead, and what a page would fetch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import attrs

__all__ = ["wrong_links"]

FETCHED = {("link", "href"), ("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("use", "href")}
NO_FETCH = {"canonical", "next", "prev"}
LINKED = {("a", "href")}


@attrs.define
class _Page(HTMLParser):
    """ids: that a link may name. links, fetched: as they stand in the page."""

    ids: set[str] = attrs.field(factory=set)
    links: list[str] = attrs.field(factory=list)
    fetched: list[str] = attrs.field(factory=list)

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.ids |= {value for name in ("id", "name") if (value := given.get(name))}
        for name, value in attributes:
            if value is None:
                continue
            if (tag, name) in LINKED:
                self.links.append(value)
            elif (tag, name) in FETCHED and given.get("rel") not in NO_FETCH:
                self.fetched.append(value)


def wrong_links(site: Path) -> list[str]:
    """One line for each link that leads nowhere and each thing that would be fetched from another host."""
    site = site.resolve()
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    wrong = [
        f"{path.relative_to(site)}: {line}"
        for path, page in pages.items()
        for line in _of_page(site, path, page, pages)
    ]
    for path in sorted(site.rglob("*.css")):
        for address in re.findall(r"(?:url\(|@import\s+)[\"']?([^\"')\s]+)", path.read_text(encoding="utf-8")):
            if urlsplit(address).netloc:
                wrong.append(f"{path.relative_to(site)}: fetches {address}")
    return wrong


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _of_page(site: Path, path: Path, page: _Page, pages: dict[Path, _Page]) -> Iterator[str]:
    for address in page.fetched:
        if urlsplit(address).netloc:
            yield f"fetches {address}"
    for address in (*page.links, *page.fetched):
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        # The page for what is not found is shown at any address, so its links begin at the site's root.
        start = site if parts.path.startswith("/") else path.parent
        target = (start / unquote(parts.path).lstrip("/")).resolve() if parts.path else path
        if target.is_dir():
            target /= "index.html"
        if not target.exists():
            yield f"links to {address}, which is not there"
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
            yield f"links to {address}, where nothing has that name"
