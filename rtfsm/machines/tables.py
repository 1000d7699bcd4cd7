"""Helpers for tables that depend on a wire's capabilities."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rtfsm.language import Arm, Event

__all__ = ["Row", "without"]

Row = Mapping[Any, Any]


def without(
    table: Mapping[Any, Row], *, states: Collection[Any] = (), events: Collection[type[Event]] = ()
) -> dict[Any, dict[Any, Any]]:
    """The table less some rows and some columns: what a wire lacks has no cell, rather than a dead one."""
    kept: dict[Any, dict[Any, Any]] = {}
    for state, row in table.items():
        if state in states:
            continue
        kept[state] = {}
        for key, cell in row.items():
            names = tuple(event for event in (key if isinstance(key, tuple) else (key,)) if event not in events)
            if names:
                kept[state][names] = cell
    return kept


def cell(*arms: Arm | None) -> tuple[Arm, ...]:
    """The arms of a cell, less those that a capability rules out (None)."""
    return tuple(arm for arm in arms if arm is not None)
