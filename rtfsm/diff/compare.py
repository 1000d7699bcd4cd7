"""What differs between two versions of a machine. Pure: two sheets in, a list of changes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum

import attrs

from .sheet import IGNORED, REFUSED, ArmSheet, Coupling, Sheet, effect_words

__all__ = ["Change", "What", "compare", "compare_couplings"]


class What(Enum):
    """What kind of change it is, in the order in which a report tells of them."""

    STATE_ADDED = "states added"
    STATE_REMOVED = "states removed"
    STATES_ORDERED = "states in another order"
    MEANING = "meanings of states changed"
    INITIAL = "begins elsewhere"
    FINAL = "ends changed"
    BEGIN = "effects of the beginning changed"
    EVENT_ADDED = "events added"
    EVENT_REMOVED = "events removed"
    EVENT_FIELDS = "what guards may read of an event changed"
    CELL_ADDED = "cells added"
    CELL_REMOVED = "cells removed"
    RETARGETED = "cells retargeted"
    GUARD = "guards changed"
    GUARD_BODY = "what a guard asks changed"
    EFFECTS = "effects changed"
    UPDATES = "what is remembered changed"
    UPDATE_BODY = "how it is remembered changed"
    CONTEXT = "contexts changed"
    TIMER = "timers changed"
    REASON = "reasons changed"
    ROUTE_ADDED = "couplings added"
    ROUTE_REMOVED = "couplings removed"
    ROUTES_ORDERED = "couplings in another order"


@attrs.frozen
class Change:
    """place: what it is about: a state, an event, ``STATE × Event``, or with an arm's guard ``STATE × Event [guard]``.
    old, new: in words; None where there was, or is, nothing. state, event: of a cell."""

    what: What
    place: str
    old: str | None = None
    new: str | None = None
    state: str | None = None
    event: str | None = None


def compare(old: Sheet, new: Sheet) -> tuple[Change, ...]:
    """Every difference, sorted by what it is, then as the new version declares it. Equal sheets have none."""
    order = {what: number for number, what in enumerate(What)}
    return tuple(sorted(_changes(old, new), key=lambda change: order[change.what]))


def compare_couplings(old: Coupling, new: Coupling) -> tuple[Change, ...]:
    """The same for what couples the machines."""
    found = []
    for one in _only(_links(new), _links(old)):
        cause, event = one.split(" → ", 1)
        found.append(Change(What.ROUTE_ADDED, cause, new=f"→ {event}"))
    for one in _only(_links(old), _links(new)):
        cause, event = one.split(" → ", 1)
        found.append(Change(What.ROUTE_REMOVED, cause, old=f"→ {event}"))
    for name in ("routes", "standing", "machines"):
        before, after = getattr(old, name), getattr(new, name)
        common = set(before) & set(after)
        first, second = ([one for one in side if one in common] for side in (before, after))
        if first != second:
            found.append(Change(What.ROUTES_ORDERED, name, "; ".join(first), "; ".join(second)))
    return tuple(found)


def _links(one: Coupling) -> tuple[str, ...]:
    return (*one.routes, *(f"where it holds: {standing}" for standing in one.standing))


def _only(some: tuple[str, ...], others: tuple[str, ...]) -> list[str]:
    return [one for one in dict.fromkeys(some) if one not in others]


def _changes(old: Sheet, new: Sheet) -> Iterator[Change]:
    yield from _states(old, new)
    if old.initial != new.initial:
        yield Change(What.INITIAL, "it begins in", old.initial, new.initial)
    if old.final != new.final:
        yield Change(What.FINAL, "it ends in", ", ".join(old.final) or "nowhere", ", ".join(new.final) or "nowhere")
    if old.begin != new.begin:
        yield Change(What.BEGIN, "it begins with", ", ".join(old.begin) or "nothing", ", ".join(new.begin) or "nothing")
    yield from _events(old, new)
    for state, row in _either(old.cells, new.cells).items():
        for event in row:
            yield from _cell(old, new, state, event)
    yield from _named(What.CONTEXT, old.context, new.context)
    yield from _named(What.TIMER, old.timers, new.timers)
    yield from _named(What.REASON, _rests(old, new), _rests(new, old))
    # Files of older versions have no bodies; that a body is there now is no change.
    if old.guards is not None and new.guards is not None:
        yield from _bodies(What.GUARD_BODY, old.guards, new.guards)
    if old.updates is not None and new.updates is not None:
        yield from _bodies(What.UPDATE_BODY, old.updates, new.updates)


def _states(old: Sheet, new: Sheet) -> Iterator[Change]:
    for state, meaning in new.states.items():
        if state not in old.states:
            yield Change(What.STATE_ADDED, state, new=meaning, state=state)
        elif meaning != old.states[state]:
            yield Change(What.MEANING, state, old.states[state], meaning, state)
    for state, meaning in old.states.items():
        if state not in new.states:
            yield Change(What.STATE_REMOVED, state, old=meaning, state=state)
    before = [state for state in old.states if state in new.states]
    after = [state for state in new.states if state in old.states]
    if before != after:
        yield Change(What.STATES_ORDERED, "the order", ", ".join(before), ", ".join(after))


def _rests(one: Sheet, other: Sheet) -> dict[str, str]:
    """Why states that both versions have may wait for ever."""
    return {f"{state} rests": why for state, why in one.rests.items() if state in other.states}


def _events(old: Sheet, new: Sheet) -> Iterator[Change]:
    for event, fields in new.events.items():
        # Of time, the timers tell.
        if event not in old.events and event != "TimerElapsed":
            yield Change(What.EVENT_ADDED, event, new=f"guards may read {fields}", event=event)
        elif event in old.events and fields != old.events[event]:
            yield Change(What.EVENT_FIELDS, event, old.events[event], fields, event=event)
    for event, fields in old.events.items():
        if event not in new.events and event != "TimerElapsed":
            yield Change(What.EVENT_REMOVED, event, old=f"guards could read {fields}", event=event)


def _named(what: What, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for name in _either(old, new):
        if old.get(name) != new.get(name):
            yield Change(what, name, old.get(name), new.get(name))


def _bodies(what: What, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    """Of a guard that came or went, the cells tell."""
    for name in old:
        if name in new and old[name] != new[name]:
            yield Change(what, name, old[name], new[name])


def _either(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, list[str]]:
    """Keys of both, those of the new version first; and where their values have keys, the keys of these."""
    found: dict[str, list[str]] = {}
    for side in (new, old):
        for key, value in side.items():
            known = found.setdefault(key, [])
            known += [one for one in value if one not in known] if isinstance(value, Mapping) else []
    return found


# -- one cell ----------------------------------------------------------------------------------------------------------


def _cell(old: Sheet, new: Sheet, state: str, event: str) -> Iterator[Change]:
    before = old.cells.get(state, {}).get(event, ())
    after = new.cells.get(state, {}).get(event, ())
    place = f"{state} × {event}"
    if not before or not after:
        what = What.CELL_REMOVED if before else What.CELL_ADDED
        yield Change(what, place, _cell_words(before), _cell_words(after), state, event)
        return
    if [arm.raw for arm in before] == [arm.raw for arm in after]:
        return
    pairs, gone, come = _matched(before, after)
    for one, other in pairs:
        yield from _arm(_place(place, one, other, before, after), one, other, state, event)
    for arm in gone:
        yield Change(What.GUARD, place, f"[{arm.guard}] {arm.decision}", None, state, event)
    for arm in come:
        yield Change(What.GUARD, place, None, f"[{arm.guard}] {arm.decision}", state, event)
    asked = [one.guard for one in before], [other.guard for other in after]
    if sorted(asked[0]) == sorted(asked[1]) and asked[0] != asked[1]:
        yield Change(What.GUARD, f"{place}, asked in order", ", ".join(asked[0]), ", ".join(asked[1]), state, event)


def _place(
    place: str, one: ArmSheet, other: ArmSheet, before: tuple[ArmSheet, ...], after: tuple[ArmSheet, ...]
) -> str:
    return place if len(before) == len(after) == 1 else f"{place} [{other.guard}]"


def _cell_words(arms: tuple[ArmSheet, ...]) -> str | None:
    if not arms:
        return None
    if len(arms) == 1:
        return arms[0].decision
    return "; ".join(f"[{arm.guard}] {arm.decision}" for arm in arms)


def _matched(
    before: tuple[ArmSheet, ...], after: tuple[ArmSheet, ...]
) -> tuple[list[tuple[ArmSheet, ArmSheet]], list[ArmSheet], list[ArmSheet]]:
    """Arms of both versions in pairs, by guard; then by what they do, where the guard alone has changed."""
    gone, come = list(before), list(after)
    pairs = []
    for same in (_same_guard, _same_decision):
        for one in list(gone):
            for other in come:
                if same(one, other):
                    pairs.append((one, other))
                    gone.remove(one)
                    come.remove(other)
                    break
    return pairs, gone, come


def _same_guard(one: ArmSheet, other: ArmSheet) -> bool:
    return one.guard == other.guard


def _same_decision(one: ArmSheet, other: ArmSheet) -> bool:
    return one.decision == other.decision


def _arm(place: str, old: ArmSheet, new: ArmSheet, state: str, event: str) -> Iterator[Change]:
    if old.raw == new.raw:
        return
    found = list(_facets(place, old, new, state, event))
    if not found:
        # The short words leave out what is False.
        found = [Change(What.EFFECTS, place, _at_length(old), _at_length(new), state, event)]
    yield from found


def _facets(place: str, old: ArmSheet, new: ArmSheet, state: str, event: str) -> Iterator[Change]:
    if old.asks != new.asks:
        yield Change(What.GUARD, place, old.asks, new.asks, state, event)
    silent = {IGNORED, REFUSED}
    if old.kind != new.kind and (old.kind in silent or new.kind in silent):
        yield Change(What.RETARGETED, place, old.decision, new.decision, state, event)
        return
    if (old.kind, old.target) != (new.kind, new.target):
        yield Change(What.RETARGETED, place, old.moves, new.moves, state, event)
    if old.effects != new.effects:
        yield Change(What.EFFECTS, place, _list(old.effects), _list(new.effects), state, event)
    if old.updates != new.updates:
        yield Change(What.UPDATES, place, _list(old.updates), _list(new.updates), state, event)
    if old.rearm != new.rearm:
        words = ("the timer runs on", "the timer starts anew")
        yield Change(What.TIMER, place, words[old.rearm], words[new.rearm], state, event)
    if (old.reason, old.why) != (new.reason, new.why):
        yield Change(What.REASON, place, old.decision, new.decision, state, event)


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(words) or "nothing"


def _at_length(arm: ArmSheet) -> str:
    return _list(tuple(effect_words(effect, every=True) for effect in arm.raw.get("effects", ())))
