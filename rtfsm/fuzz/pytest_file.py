"""A failure as a test that stands alone: the moves are in it, and the file that they came from may go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .moves import USUAL, Move
from .report import TEXTS
from .store import Saved

__all__ = ["as_pytest"]


def as_pytest(saved: Saved) -> str:
    """Source of a module with one test, which fails as long as the law is broken."""
    finding, ordering = saved.defect.finding, saved.defect.ordering
    text = TEXTS.get(finding.law, finding.law).replace("\\", "").replace('"', "'")
    odd = [f"    {name}={value!r}," for name, value in ordering.circumstances.items() if value != USUAL[name]]
    given = [repr(saved.target), "ORDERING", f"provider={saved.provider!r}"]
    given += [f"host={saved.host!r}"] * (saved.host != "direct") + ["memory=False"] * (not saved.memory)
    lines = [
        f'"""{text}"""',
        "",
        "from rtfsm.testing import Move, Ordering, assert_ordering_holds",
        "",
        "ORDERING = Ordering(",
        "    (",
        *(f"        {_source(move)}," for move in ordering.moves),
        "    ),",
        *odd,
        ")",
        "",
        "",
        f"def test_{re.sub('[^0-9a-z]+', '_', saved.id.lower())}() -> None:",
        f"    assert_ordering_holds({', '.join(given)})",
    ]
    return "\n".join(lines) + "\n"


def _source(move: Move) -> str:
    return f"Move({', '.join(_arguments(move))})"


def _arguments(move: Move) -> Iterator[Any]:
    yield repr(move.who)
    yield repr(move.what)
    if move.args:
        yield repr(move.args)
    if move.on:
        yield f"on={move.on}"
    if move.at_once:
        yield "at_once=True"
