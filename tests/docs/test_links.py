"""Links of the documents, as a hosting site shows them: what they name is in the repository."""

from __future__ import annotations

import re

import pytest

from .pages import ROOT, blocks

DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "diagrams").rglob("*.md")]
)
LINK = re.compile(r"\]\((?!\w+:)([^)\s#]*)(?:#([^)\s]+))?\)")
GENERATED = re.compile(r"^rtfsm\.")
"""Anchors of the API pages, which are there on the site alone; `make docs` looks for them."""


def anchors(document: str) -> set[str]:
    """Of every heading, as GitHub and the site name it."""
    text = (ROOT / document).read_text(encoding="utf-8")
    for block in blocks(document):
        text = text.replace(block.source, "")
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_links_to_is_there(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target, anchor in LINK.findall(text):
        path = (ROOT / document).parent.joinpath(target).resolve() if target else ROOT / document
        assert path.exists(), target
        if anchor and not GENERATED.match(anchor):
            assert anchor in anchors(path.relative_to(ROOT).as_posix()), f"{target}#{anchor}"
