"""Hypothesis strategies of orderings."""

from __future__ import annotations

from hypothesis import strategies as st

from rtfsm.targets import UsageError

from .dialect import Dialect
from .dialects import find_dialect
from .draft import drafted
from .moves import Ordering
from .play import HOSTS

__all__ = ["check_host", "orderings"]

WIDTH = 3
"""Bytes that a move is made of. Its rule and all its choices come out of them, and all moves come out of one draw: a
draw for each would take longer than playing it."""


def check_host(host: str) -> None:
    """Raises UsageError where nobody of this name could call a session."""
    if host not in HOSTS:
        raise UsageError(f"host is {host!r}; expected one of {', '.join(HOSTS)}")


def orderings(
    provider: str | Dialect = "phonic", *, length: int = 12, least: int = 1, host: str = "direct"
) -> st.SearchStrategy[Ordering]:
    """Orderings of events as this provider could bring them about, of about ``least`` to ``length`` moves.

    provider: the name of a shipped dialect, ``module:NAME``, or a :class:`~rtfsm.fuzz.dialect.Dialect`. host: who calls
    the session, ``direct`` (the test itself) or ``agent`` (a real AgentSession). What Hypothesis shrinks becomes short
    and usual. Raises UsageError for a provider, a host or a length that is none.
    """
    check_host(host)
    if length < 1:
        raise UsageError(f"length is {length!r}; expected a number from 1 on")
    if not 1 <= least <= length:
        raise UsageError(f"least is {least!r}; expected a number from 1 to {length}")
    return _orderings(find_dialect(provider, "") if isinstance(provider, str) else provider, length, least, host)


@st.composite
def _orderings(draw: st.DrawFn, dialect: Dialect, length: int, least: int, host: str) -> Ordering:
    count = draw(st.integers(least, length))
    size = WIDTH * (length + 1)
    chosen = draw(st.binary(min_size=size, max_size=size))
    numbers = [int.from_bytes(chosen[at : at + WIDTH], "big") for at in range(0, WIDTH * (count + 1), WIDTH)]
    return drafted(dialect, numbers, host=host)
