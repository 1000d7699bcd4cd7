"""What a host may do with a session, as data: how it is chosen, and what to call.

``direct`` is a test that calls the session itself, ``agent`` a real AgentSession that does so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from .dialect import Dialect
from .moves import Pick

__all__ = ["HOST_MOVES", "HostRule"]

Args = Callable[[Pick, Callable[[], int], Dialect], dict[str, Any]]
BOTH, DIRECT, AGENT = ("direct", "agent"), ("direct",), ("agent",)


def _nothing(pick: Pick, number: Callable[[], int], dialect: Dialect) -> dict[str, Any]:
    return {}


def _version(pick: Pick, number: Callable[[], int], dialect: Dialect) -> dict[str, Any]:
    return {"version": number()}


def _asks(pick: Pick, number: Callable[[], int], dialect: Dialect) -> dict[str, Any]:
    return {"instructions": "Answer."} if pick.chance(4) else {}


def _outputs(pick: Pick, number: Callable[[], int], dialect: Dialect) -> dict[str, Any]:
    return {"call": pick.below(3), "reply": not pick.chance(4), "failed": pick.chance(4)}


def _sounds(pick: Pick, number: Callable[[], int], dialect: Dialect) -> dict[str, Any]:
    return {"ms": pick.of((20, 100, 0)), "rate": pick.of((24_000, 16_000, 48_000)), "channels": pick.of((1, 2))}


def _options(pick: Pick, number: Callable[[], int], dialect: Dialect) -> dict[str, Any]:
    return {"keywords": dict(dialect.option(number()))}


def _tools(pick: Pick, number: Callable[[], int], dialect: Dialect) -> dict[str, Any]:
    return {"count": pick.of((0, 1))}


def _choice(pick: Pick, number: Callable[[], int], dialect: Dialect) -> dict[str, Any]:
    return {"tool_choice": pick.of(("auto", "required", "none"))}


def _share(pick: Pick, number: Callable[[], int], dialect: Dialect) -> dict[str, Any]:
    return {"message": pick.below(2), "share": pick.of((0.5, 0.0, 1.0))}


@attrs.frozen
class HostRule:
    """One kind of call. weight: how often. hosts: who makes it. args: what belongs to it. needs: the ability of the
    provider's without which nobody makes it."""

    name: str
    weight: int
    hosts: tuple[str, ...] = BOTH
    args: Args = _nothing
    needs: str = ""


HOST_MOVES = (
    HostRule("interrupts", 5),
    HostRule("asks", 5, args=_asks),
    HostRule("says", 2),
    HostRule("outputs", 7, DIRECT, _outputs),
    HostRule("types", 2, args=_version),
    HostRule("hands_over", 3, args=_version),
    HostRule("sounds", 2, DIRECT, _sounds),
    HostRule("updates_instructions", 1, args=_version),
    HostRule("updates_tools", 1, DIRECT, _tools),
    HostRule("updates_options", 2, DIRECT, _options),
    HostRule("cancels", 2, DIRECT),
    HostRule("clears", 1, DIRECT),
    HostRule("commits", 1, DIRECT),
    HostRule("opens", 2, DIRECT),
    HostRule("closes", 1),
    HostRule("drains", 1, AGENT),
    HostRule("truncates", 4, DIRECT, _share, needs="truncation"),
    HostRule("asks_for_tools", 2, DIRECT, _choice, needs="tool choice"),
    HostRule("opens_by_hand", 1, DIRECT, needs="turns by hand"),
)
