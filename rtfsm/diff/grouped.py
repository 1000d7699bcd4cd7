"""Changes as a report tells of them: by kind, and what is the same in several cells told once."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from .compare import Change, What

__all__ = ["Line", "grouped"]


@attrs.frozen
class Line:
    """sign: + came, - went, ~ differs. place: what it is about, perhaps several cells."""

    sign: str
    place: str
    old: str | None
    new: str | None


def grouped(changes: Iterable[Change]) -> dict[What, list[Line]]:
    """kind -> lines, in the order of the changes."""
    found: dict[What, list[Line]] = {}
    by_kind: dict[What, list[Change]] = {}
    for change in changes:
        by_kind.setdefault(change.what, []).append(change)
    for what, some in by_kind.items():
        found[what] = [_line(place, old, new) for place, old, new in _merged(some)]
    return found


def _line(place: str, old: str | None, new: str | None) -> Line:
    sign = "+" if old is None else "-" if new is None else "~"
    return Line(sign, place, old, new)


Said = tuple["str | None", "str | None"]


def _merged(changes: list[Change]) -> list[tuple[str, str | None, str | None]]:
    """Cells with one and the same change: first the arms of a cell, then the events of a state, then the states."""
    plain = [(one.place, one.old, one.new) for one in changes if one.state is None or one.event is None]
    arms: dict[tuple[str, str, Said], list[str]] = {}
    for one in changes:
        if one.state is not None and one.event is not None:
            arm = one.place.removeprefix(f"{one.state} × {one.event}")
            arms.setdefault((one.state, one.event, (one.old, one.new)), []).append(arm)
    events: dict[tuple[str, str, Said], list[str]] = {}
    for (state, event, said), some in arms.items():
        events.setdefault((state, ",".join(some), said), []).append(event)
    states: dict[tuple[str, str, Said], list[str]] = {}
    for (state, suffix, said), some in events.items():
        states.setdefault((", ".join(some), suffix, said), []).append(state)
    return [
        *plain,
        *((f"{', '.join(some)} × {names}{suffix}", *said) for (names, suffix, said), some in states.items()),
    ]
