"""What the site makes while it is built, and what its build refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from website import generated, sources
from website.built import wrong_links
from website.sequences import SequenceError, sequence

from .pages import PAGES, blocks

TALK = """sequenceDiagram
    participant Outside
    participant m0 as session
    Outside->>m0: 1. Open#59; now
    m0-->>Outside: SendConfig
    Outside-xm0: Open is ignored, DUPLICATE
    Note over Outside,m0: SESSION-1: sent twice
"""


def test_a_sequence_has_a_row_for_each_line_below_a_head_for_each_participant() -> None:
    drawn = sequence(TALK)
    assert drawn.count('class="head"') == 2
    assert "1. Open; now" in drawn
    assert [row for row in range(2, 7) if f"grid-row: {row};" in drawn] == [2, 3, 4, 5]
    for look in ("event right", "effect left", "ignored right"):
        assert f'class="arrow {look}"' in drawn


@pytest.mark.parametrize(
    "line", ["loop every day", "Outside->>nobody: hello", "Note over nobody: hello", "Outside=>m0: hello"]
)
def test_what_a_sequence_says_is_drawn_or_refused(line: str) -> None:
    with pytest.raises(SequenceError):
        sequence(f"{TALK}    {line}\n")


def test_a_sequence_is_the_only_drawing_in_mermaid() -> None:
    with pytest.raises(SequenceError, match="stateDiagram"):
        sequence("stateDiagram-v2\n    [*] --> A\n")


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("docs/")])
def test_the_site_can_draw_what_a_page_says_in_mermaid(page: str) -> None:
    for block in blocks(page):
        if block.language == "mermaid":
            sequence(block.source)


def test_every_command_has_its_help_on_the_page() -> None:
    page = generated.commands()
    for command in ("check", "draw", "diff", "mutate", "serve", "fuzz", "replay", "demo"):
        assert f"## rtfsm {command}\n\n```text\nusage: rtfsm {command} " in page


def test_every_duration_and_every_invariant_is_listed() -> None:
    assert "| `tail_cap` | 30 s | the same, at most |" in generated.timers()
    assert "| `S-2` |" in generated.invariants()


def test_a_link_out_of_the_documents_leads_to_a_page_of_the_site() -> None:
    text = "[a](../rtfsm/machines/reply.py) [b](../diagrams/phonic/reply.md) [c](check.md#assumed) [d](https://example.org)"
    assert list(sources.linked(text, "adapter.md")) == ["rtfsm/machines/reply.py"]
    assert sources.within(text, "adapter.md") == (
        "[a](source/rtfsm/machines/reply.py.md) [b](reference/machines/reply.md) [c](check.md#assumed) "
        "[d](https://example.org)"
    )
    assert sources.within("[e](../../README.md)", "how-to/ci.md") == "[e](../index.md)"


def site(directory: Path, body: str) -> list[str]:
    (directory / "page.html").write_text(f'<html><body id="top">{body}</body></html>')
    return wrong_links(directory)


def test_a_site_that_is_right_has_nothing_wrong(tmp_path: Path) -> None:
    (tmp_path / "style.css").write_text("a { background: url(data:image/png;base64,AA) }")
    assert site(tmp_path, '<a href="page.html#top">x</a><a href="https://example.org">y</a><a href="#top">z</a>') == []


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ('<a href="gone.html">x</a>', "links to gone.html, which is not there"),
        ('<a href="#bottom">x</a>', "links to #bottom, where nothing has that name"),
        ('<img src="gone.png">', "links to gone.png, which is not there"),
        ('<script src="https://example.org/a.js"></script>', "fetches https://example.org/a.js"),
        ('<link rel="stylesheet" href="//example.org/a.css">', "fetches //example.org/a.css"),
    ],
)
def test_what_is_wrong_on_a_page_is_told(tmp_path: Path, body: str, wrong: str) -> None:
    assert site(tmp_path, body) == [f"page.html: {wrong}"]


def test_a_style_that_fetches_is_told(tmp_path: Path) -> None:
    (tmp_path / "style.css").write_text('@import "https://example.org/font.css";')
    assert site(tmp_path, "") == ["style.css: fetches https://example.org/font.css"]
