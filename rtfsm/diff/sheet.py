"""A machine as its canonical JSON has it, checked and typed. Whatever wrote the file, and when, nothing of it is run.

What older files lack is None or empty, so that they can be compared with new ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from rtfsm.language import RtfsmError, TimerElapsed

__all__ = ["ArmSheet", "Coupling", "DiffError", "Sheet", "coupling", "effect_words", "is_coupling", "sheet"]

ELSE = "else"
BROKEN = (ArithmeticError, AttributeError, KeyError, RecursionError, TypeError, ValueError)
"""What comes of reading a file that has a list where a number should be, and the like."""
MOVES, STAYS, IGNORED, REFUSED = "TO", "STAY", "IGNORE", "REFUSE"


class DiffError(RtfsmError):
    """Two versions cannot be compared. Says which side it is about, and what to do."""


@attrs.frozen
class ArmSheet:
    """One decision of a cell. guard: its name, "else" for the last arm. asks: the same, with what it reads. raw: all
    that the file says of the arm."""

    guard: str
    asks: str
    kind: str
    target: str | None
    effects: tuple[str, ...]
    updates: tuple[str, ...]
    rearm: bool
    reason: str | None
    why: str
    raw: Mapping[str, Any] = attrs.field(eq=False, repr=False)

    @property
    def moves(self) -> str:
        """What it does with the state: ``→ READY``, ``stays``, ``ignored``, ``refused``."""
        named = {STAYS: "stays", IGNORED: "ignored", REFUSED: "refused"}
        return f"→ {self.target}" if self.kind == MOVES else named.get(self.kind, self.kind)

    @property
    def decision(self) -> str:
        """All of it in a line."""
        said = self.moves
        if self.reason is not None:
            said += f" {self.reason}"
        if self.effects:
            said += f" / {', '.join(self.effects)}"
        if self.updates:
            said += f"; remembers {', '.join(self.updates)}"
        if self.rearm:
            said += "; the timer starts anew"
        return f"{said}: {self.why}" if self.why else said


@attrs.frozen
class Sheet:
    """states: name -> meaning, in order. cells: state -> event -> arms, but for TimerElapsed in states without a timer,
    which nobody decided. timers: state -> words. guards, updates: name -> bodies; None in files that have none."""

    name: str
    states: Mapping[str, str]
    initial: str
    final: tuple[str, ...]
    begin: tuple[str, ...]
    timers: Mapping[str, str]
    rests: Mapping[str, str]
    context: Mapping[str, str]
    events: Mapping[str, str]
    cells: Mapping[str, Mapping[str, tuple[ArmSheet, ...]]]
    guards: Mapping[str, str] | None
    updates: Mapping[str, str] | None


@attrs.frozen
class Coupling:
    """What couples the machines of a profile: lines of words, in order."""

    machines: tuple[str, ...]
    routes: tuple[str, ...]
    standing: tuple[str, ...]


def sheet(where: str, found: Any) -> Sheet:
    """where: names the file in errors. Raises DiffError where it is no canonical JSON of a machine."""
    if not isinstance(found, dict) or "cells" not in found:
        raise DiffError(
            f"{where} is no machine's canonical JSON: it has no cells; write it with rtfsm draw MACHINE --format json"
        )
    try:
        return _sheet(found)
    except BROKEN as error:
        said = f"{type(error).__name__}: {error}"
        raise DiffError(
            f"{where} is no machine's canonical JSON ({said}); write it anew with rtfsm draw --write"
        ) from error


def is_coupling(found: Any) -> bool:
    return isinstance(found, dict) and "routes" in found and "cells" not in found


def coupling(where: str, found: Mapping[str, Any]) -> Coupling:
    """As :func:`sheet`, for what ``rtfsm draw composition --format json`` writes."""
    try:
        routes = tuple(
            f"{one['effect']} → {one['event']} of {one['target']}{', for one just born' if one['births'] else ''}"
            for one in found["routes"]
        )
        standing = tuple(f"{one['name']} → {one['event']} of {one['target']}" for one in found["standing"])
        return Coupling(tuple(map(_text, found["machines"])), routes, standing)
    except BROKEN as error:
        raise DiffError(
            f"{where} is no composition's canonical JSON ({type(error).__name__}: {error}); "
            "write it anew with rtfsm draw --write"
        ) from error


def _sheet(found: Mapping[str, Any]) -> Sheet:
    states = {_text(one["name"]): _text(one["meaning"]) for one in found["states"]}
    timers = {_text(state): _timer(timer) for state, timer in found["timers"].items()}
    if set(found["cells"]) != set(states):
        raise ValueError(f"the cells are of {', '.join(found['cells'])}, the states {', '.join(states)}")
    cells = {
        state: {
            _text(event): tuple(map(_arm, arms))
            for event, arms in found["cells"][state].items()
            if event != TimerElapsed.__name__ or state in timers
        }
        for state in states
    }
    named = {_text(found["initial"]), *timers, *map(_text, found["final"]), *found["rests"]}
    named |= {arm.target for row in cells.values() for arms in row.values() for arm in arms if arm.target is not None}
    if not named <= set(states):
        raise ValueError(f"{', '.join(sorted(named - set(states)))} is none of its states")
    return Sheet(
        name=_text(found["name"]),
        states=states,
        initial=_text(found["initial"]),
        final=tuple(map(_text, found["final"])),
        begin=tuple(effect_words(effect, every=True) for effect in found["begin"]),
        timers=timers,
        rests={_text(state): _text(why) for state, why in found["rests"].items()},
        context={_text(name): _context(field) for name, field in found["context"].items()},
        events={_text(name): _fields(fields) for name, fields in found["events"].items()},
        cells=cells,
        guards=_bodies(found.get("guards")),
        updates=_bodies(found.get("updates")),
    )


def _arm(found: Mapping[str, Any]) -> ArmSheet:
    guard = found.get("guard")
    target = found.get("target")
    if found["kind"] == MOVES and target is None:
        raise ValueError("an arm moves to no state")
    return ArmSheet(
        guard=ELSE if guard is None else _text(guard["name"]),
        asks=f"[{ELSE}]" if guard is None else f"[{_text(guard['name'])}] of {' and '.join(guard.get('reads', ()))}",
        kind=_text(found["kind"]),
        target=None if target is None else _text(target),
        effects=tuple(map(effect_words, found.get("effects", ()))),
        updates=tuple(map(_text, found.get("updates", ()))),
        rearm=bool(found.get("rearm", False)),
        reason=None if found.get("reason") is None else _text(found["reason"]),
        why=_text(found.get("why", "")),
        raw=found,
    )


def effect_words(found: Mapping[str, Any], every: bool = False) -> str:
    """``Creak(side=OUT, loud)``. What is False is left out, unless every argument is wanted: it says what the effect
    does not do."""
    given = {name: value for name, value in sorted(found.get("arguments", {}).items()) if every or value is not False}
    shown = [name if value is True else f"{name}={_value(value)}" for name, value in given.items()]
    return f"{_text(found['name'])}({', '.join(shown)})" if shown else _text(found["name"])


def _timer(found: Mapping[str, Any]) -> str:
    words = f"{_text(found['name'])} {found['seconds']:g} s"
    if found.get("cap") is not None:
        words += f" (at most {found['cap']:g} s)"
    if found.get("unless") is not None:
        words += f", if {_text(found['unless']['guard']['name'])} {_timer(found['unless']['timer'])}"
    return words


def _context(found: Mapping[str, Any]) -> str:
    words = f"{found['type']}, at first {_value(found['initial'])}"
    values = found.get("values")
    return words if values is None else f"{words}, of {', '.join(f'{name} ({why})' for name, why in values.items())}"


def _fields(found: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {' or '.join(map(_value, values))}" for name, values in found.items()) or "nothing"


def _bodies(found: Mapping[str, Any] | None) -> dict[str, str] | None:
    return None if found is None else {_text(name): " | ".join(map(_text, bodies)) for name, bodies in found.items()}


def _value(given: Any) -> str:
    return given if isinstance(given, str) else json.dumps(given, sort_keys=True)


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError(f"{given!r} must be a string")
    return given
