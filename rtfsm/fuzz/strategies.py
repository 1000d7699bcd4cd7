"""Hypothesis strategies of orderings."""

from __future__ import annotations

from hypothesis import strategies as st

from .dialect import Dialect
from .draft import drafted
from .moves import Ordering

__all__ = ["orderings"]

CHOICES = 2**24 - 1
"""A move's rule and all its choices come out of one number: a draw for each would take longer than playing it. Of a
wider range Hypothesis would favour small numbers, and with them the first rule."""


@st.composite
def orderings(draw: st.DrawFn, dialect: Dialect, *, length: int = 12, host: str = "direct") -> Ordering:
    """Orderings of about ``length`` moves at most. host: who calls the session, ``direct`` or ``agent``."""
    count = draw(st.integers(1, length))
    return drafted(dialect, [draw(st.integers(0, CHOICES)) for _ in range(count + 1)], host=host)
