"""Where the broken sessions are written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tests.contract.minimal import MinimalSession

__all__ = ["BROKEN", "breaks"]

BROKEN: dict[str, type[MinimalSession]] = {}
"""By the name of the probe that must find the mistake."""
T = TypeVar("T", bound=type[MinimalSession])


def breaks(*probes: str) -> Callable[[T], T]:
    """The decorated session makes the mistake that these probes must find."""

    def add(session: T) -> T:
        for probe in probes:
            assert probe not in BROKEN, f"{probe} has a broken session already"
            BROKEN[probe] = session
        return session

    return add
