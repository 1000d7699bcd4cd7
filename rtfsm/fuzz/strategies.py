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

CHOICES = 2**24 - 1
"""A move's rule and all its choices come out of one number: a draw for each would take longer than playing it. Of a
wider range Hypothesis would favour small numbers, and with them the first rule."""


def check_host(host: str) -> None:
    """Raises UsageError where nobody of this name could call a session."""
    if host not in HOSTS:
        raise UsageError(f"host is {host!r}; expected one of {', '.join(HOSTS)}")


def orderings(
    provider: str | Dialect = "phonic", *, length: int = 12, host: str = "direct"
) -> st.SearchStrategy[Ordering]:
    """Orderings of events as this provider could bring them about, of about ``length`` moves at most.

    provider: the name of a shipped dialect, ``module:NAME``, or a :class:`~rtfsm.fuzz.dialect.Dialect`. host: who calls
    the session, ``direct`` (the test itself) or ``agent`` (a real AgentSession). What Hypothesis shrinks becomes short
    and usual. Raises UsageError for a provider, a host or a length that is none.
    """
    check_host(host)
    if length < 1:
        raise UsageError(f"length is {length!r}; expected a number from 1 on")
    return _orderings(find_dialect(provider, "") if isinstance(provider, str) else provider, length, host)


@st.composite
def _orderings(draw: st.DrawFn, dialect: Dialect, length: int, host: str) -> Ordering:
    count = draw(st.integers(1, length))
    return drafted(dialect, [draw(st.integers(0, CHOICES)) for _ in range(count + 1)], host=host)
