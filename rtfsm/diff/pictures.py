"""What changed in a machine's arrows, as a picture: new ones thick, gone ones dashed, each with its sign."""

from __future__ import annotations

from collections.abc import Iterator

from rtfsm.draw import Arrow, Box, Form, Mark, Picture, Stroke

from .difference import Section
from .sheet import MOVES, Sheet

__all__ = ["changed_picture"]

Ways = dict[tuple[str, str], dict[tuple[str, str], tuple[str, str]]]
"""(source, target) -> (event, its guard) -> (both as one reads them, what is ordered)."""

SHOWN = 6
"""Lines on an arrow; the rest is counted, and told in the tables."""


def changed_picture(section: Section) -> Picture | None:
    """The states and arrows that changed, and the arrows between them that did not; None where none did."""
    old, new = section.old, section.new
    if old is None or new is None:
        return None
    before, after = _ways(old), _ways(new)
    arrows = [
        arrow
        for way in (*after, *(way for way in before if way not in after))
        for arrow in _arrows(way, before.get(way, {}), after.get(way, {}))
    ]
    ordered = [*new.states, *(state for state in old.states if state not in new.states)]
    marks = {state: _of_state(old, new, state) for state in ordered}
    touched = {state for state, mark in marks.items() if mark is not Mark.SAME}
    touched |= {state for arrow in arrows if arrow.mark is not Mark.SAME for state in (arrow.source, arrow.target)}
    if not touched:
        return None
    return Picture(
        section.name,
        f"What changed in {section.title}.",
        tuple(_box(old, new, state, marks[state]) for state in ordered if state in touched),
        tuple(arrow for arrow in arrows if {arrow.source, arrow.target} <= touched),
        (new.initial, ()) if new.initial in touched else None,
    )


def _ways(one: Sheet) -> Ways:
    found: Ways = {}
    for state in one.states:
        for event, arms in one.cells[state].items():
            name = f"after {one.timers[state].split(' ')[0]}" if event == "TimerElapsed" else event
            for arm in arms:
                if arm.kind == MOVES and arm.target is not None:
                    said = name if len(arms) == 1 else f"{name} [{arm.guard}]"
                    found.setdefault((state, arm.target), {})[event, arm.guard] = (said, ", ".join(arm.effects))
    return found


def _arrows(
    way: tuple[str, str], was: dict[tuple[str, str], tuple[str, str]], now: dict[tuple[str, str], tuple[str, str]]
) -> Iterator[Arrow]:
    """Up to three arrows for a pair of states: what came, what orders something else or is the same, what went."""
    came = {key: f"+ {now[key][0]}" for key in now if key not in was}
    went = {key: f"− {was[key][0]}" for key in was if key not in now}
    kept = [key for key in now if key in was]
    differ = {key: f"~ {now[key][0]} / {now[key][1] or 'nothing'}" for key in kept if now[key][1] != was[key][1]}
    told = [(Mark.NEW, came), (Mark.CHANGED, differ), (Mark.GONE, went)]
    if kept and not differ:
        told[1] = (Mark.SAME, dict.fromkeys(kept, ""))
    for mark, lines in told:
        if lines:
            timed = all(event == "TimerElapsed" for event, _ in lines)
            label = [line for line in lines.values() if line]
            if len(label) > SHOWN:
                label = [*label[: SHOWN - 1], f"… {len(label) - SHOWN + 1} more"]
            yield Arrow(*way, Stroke.TIME if timed else Stroke.EVENT, tuple(label), mark)


def _of_state(old: Sheet, new: Sheet, state: str) -> Mark:
    if state not in old.states:
        return Mark.NEW
    if state not in new.states:
        return Mark.GONE
    return Mark.SAME if old.timers.get(state) == new.timers.get(state) else Mark.CHANGED


def _box(old: Sheet, new: Sheet, state: str, mark: Mark) -> Box:
    one = new if state in new.states else old
    form = Form.FINAL if state in one.final else Form.WAITS if state in one.timers else Form.RESTS
    sign = {Mark.NEW: "+ ", Mark.GONE: "− ", Mark.CHANGED: "~ ", Mark.SAME: ""}[mark]
    lines: tuple[str, ...] = ()
    if mark is Mark.CHANGED:
        lines = (f"− waits {old.timers.get(state, 'for ever')}", f"+ waits {new.timers.get(state, 'for ever')}")
    return Box(state, f"{sign}{state}", form, lines, mark)
