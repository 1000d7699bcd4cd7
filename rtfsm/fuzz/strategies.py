"""Hypothesis strategies of orderings."""

from __future__ import annotations

from hypothesis import strategies as st

from .dialect import Dialect
from .draft import drafted
from .moves import Ordering

__all__ = ["orderings"]

WIDTH = 3
"""Bytes that a move is made of. Its rule and all its choices come out of them, and all moves come out of one draw: a
draw for each would take longer than playing it."""


@st.composite
def orderings(draw: st.DrawFn, dialect: Dialect, *, length: int = 12, least: int = 1, host: str = "direct") -> Ordering:
    """Orderings of about ``least`` to ``length`` moves. host: who calls the session, ``direct`` or ``agent``."""
    count = draw(st.integers(least, length))
    size = WIDTH * (length + 1)
    chosen = draw(st.binary(min_size=size, max_size=size))
    numbers = [int.from_bytes(chosen[at : at + WIDTH], "big") for at in range(0, WIDTH * (count + 1), WIDTH)]
    return drafted(dialect, numbers, host=host)
