"""How much of the tables a suite of tests walks through: cells, arms, and arms that follow one another.

What is counted is what a driver's instances did, wherever in the suite that was; explorations of the checker visit
everything and are left out. The denominator is what the machine alone can do: every order of events, but no cell that
is refused and no row of an end, at which an instance is dropped. An arm that a guard picks counts for itself, so that
every guard must have held and not held. A pair is two arms that one instance took one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import attrs

from rtfsm.check import explore
from rtfsm.check.world import World
from rtfsm.language import Arm, Driver, Instance, Kind, Machine, Step
from rtfsm.targets import ALL, Target, find_targets

__all__ = ["Covered", "Recorder", "Share", "percent", "report"]

SINGLETONS = ("session", "user_turn")
"""Of the shipped machines: their end is a state like others, in which events come and are ignored."""

Sign = tuple[Any, ...]


def _sign(machine: Machine) -> Sign:
    """What a table says, the same for two declarations of the same: a test makes its machines anew."""
    return (machine.name, tuple((state, event, _said(arm)) for state, event, arm in machine.arms))


def _said(arm: Arm) -> tuple[Any, ...]:
    updates = tuple(change.name for change in arm.updates)
    return arm.kind, arm.target, arm.effects, updates, arm.rearm, arm.guard and arm.guard.name


@attrs.define
class Covered:
    """arms: numbers of arms that were taken. pairs: numbers of two that one instance took in a row."""

    arms: set[int] = attrs.field(factory=set)
    pairs: set[tuple[int, int]] = attrs.field(factory=set)


class Recorder:
    """Notes what every driver does; give it to :meth:`rtfsm.language.Driver.witnessed`."""

    def __init__(self) -> None:
        self._of: dict[Machine, Covered] = {}
        self._last: WeakKeyDictionary[Driver, dict[Instance, int]] = WeakKeyDictionary()

    def __call__(self, driver: Driver, step: Step) -> None:
        if isinstance(driver, World):
            return
        instance, number = step.instance, step.arm.index
        covered = self._of.get(instance.machine)
        if covered is None:
            covered = self._of[instance.machine] = Covered()
        covered.arms.add(number)
        last = self._last.setdefault(driver, {})
        if instance in last:
            covered.pairs.add((last[instance], number))
        last[instance] = number

    def covered(self, machine: Machine) -> Covered:
        """What was covered of a table, by all machines that say the same."""
        wanted, found = _sign(machine), Covered()
        for one, covered in self._of.items():
            if one.name == machine.name and _sign(one) == wanted:
                found.arms |= covered.arms
                found.pairs |= covered.pairs
        return found


@attrs.frozen
class Share:
    """cells, arms, pairs: (covered, feasible) of one state. missing: arms that were not taken, in words; missing_pairs:
    two arms in a row, in words. A pair belongs to the state of its second arm."""

    profile: str | None
    machine: str
    state: str
    cells: tuple[int, int]
    arms: tuple[int, int]
    pairs: tuple[int, int]
    missing: tuple[str, ...]
    missing_pairs: tuple[str, ...]


def report(recorder: Recorder, machine: str = ALL, profile: str | None = None) -> list[Share]:
    """One row for each state of the machines that are meant, as :func:`rtfsm.targets.find_targets` names them. Raises
    UsageError where there is none."""
    return [share for target in find_targets(machine, profile) for share in _shares(recorder, target)]


def _shares(recorder: Recorder, target: Target) -> Iterable[Share]:
    machine, seen = target.machine, explore(target.machine, target.births)
    covered = recorder.covered(machine)
    many = target.profile is not None and machine.name not in SINGLETONS
    ends = machine.final if many else frozenset()
    feasible = {
        number
        for number in seen.arms
        if machine.arms[number][2].kind is not Kind.REFUSE and machine.arms[number][0] not in ends
    }
    into: dict[Any, set[int]] = {}
    for edges in seen.edges.values():
        for edge in edges:
            born = many and edge.target[0] is machine.initial  # an instance that does not leave it is dropped
            if edge.arm in feasible and not born:
                into.setdefault(edge.target, set()).add(edge.arm)
    pairs = {
        (before, edge.arm)
        for place, edges in seen.edges.items()
        for edge in edges
        if edge.arm in feasible
        for before in into.get(place, ())
    }
    for state in machine.states:
        here = {number for number in feasible if machine.arms[number][0] is state}
        taken = here & covered.arms
        pairs_here = {pair for pair in pairs if pair[1] in here}
        paired = pairs_here & covered.pairs
        if here:
            yield Share(
                target.profile,
                machine.name,
                state.name,
                (len(_cells(machine, taken)), len(_cells(machine, here))),
                (len(taken), len(here)),
                (len(paired), len(pairs_here)),
                tuple(arm_in_words(machine, number) for number in sorted(here - taken)),
                tuple(
                    f"{arm_in_words(machine, one)}, then {arm_in_words(machine, other)}"
                    for one, other in sorted(pairs_here - paired)
                ),
            )


def _cells(machine: Machine, arms: Iterable[int]) -> set[Any]:
    return {machine.arms[number][:2] for number in arms}


def arm_in_words(machine: Machine, number: int) -> str:
    """``SPEAKING x Release [is_reset] -> INTERRUPTED``"""
    state, event, arm = machine.arms[number]
    asked = [one.guard.name for one in machine.cells[state][event] if one.guard is not None and one.index < number]
    condition = arm.guard.name if arm.guard is not None else " and ".join(f"not {name}" for name in asked)
    shown = f" [{condition}]" if condition else ""
    does = f"-> {arm.target.name}" if arm.target is not None else arm.kind.name.lower()
    return f"{state.name} x {event.__name__}{shown} {does}"


def percent(shares: Iterable[Share]) -> float:
    """How much of the feasible arms was taken, from 0 to 100; 100 where there are none."""
    taken, feasible = 0, 0
    for share in shares:
        taken, feasible = taken + share.arms[0], feasible + share.arms[1]
    return 100.0 * taken / feasible if feasible else 100.0
