"""Every small way in which a table could be wrong: one change in one cell, or one timer that is not started.

A mutant is a declaration of its own: the language sees it first, and whatever it refuses was never a danger. Refused
cells are left as they are, for the checker proves that nothing leads there; so are reasons and their words, which
nobody but a reader of counts sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import attrs

from rtfsm.language import Arm, Effect, Event, Guard, Kind, Machine, Reason, TimerElapsed, Update, ignore

__all__ = ["Mutant", "Signature", "mutants_of", "signature"]

Signature = tuple[Any, ...]
"""What a cell says, comparable between machines that were built for different wires."""

STAY_TARGETS = 2
"""How many other states an arm that stays is sent to."""
BORROWED = 2
"""How many decisions of other rows an ignored event is given."""


def signature(cell: tuple[Arm, ...]) -> Signature:
    """What a cell says, arm by arm."""
    return tuple(
        (
            arm.kind,
            arm.target,
            arm.effects,
            len(arm.updates),  # their names tell numbers that are parameters, such as how many retries there are
            arm.rearm,
            arm.reason,
            arm.guard and arm.guard.name,
        )
        for arm in cell
    )


@attrs.frozen
class Mutant:
    """machine, state, event: the cell that is changed; event is None where it is the state's timer that is not started.
    change: in words, unique in the cell. before, after: what the cell said and says now."""

    machine: str
    state: Any
    event: type[Event] | None
    change: str
    before: Signature
    after: Signature

    @property
    def place(self) -> str:
        """The cell in words."""
        return f"{self.machine}.{self.state.name} x {self.event.__name__ if self.event else 'timer'}"

    def concerns(self, machine: Machine) -> bool:
        """Whether the machine has the cell that is changed, and says there what this mutant denies."""
        if machine.name != self.machine or self.state not in machine.cells:
            return False
        if self.event is None:
            return self.state in machine.timers
        return signature(machine.cells[self.state].get(self.event, ())) == self.before

    def apply(self, machine: Machine) -> Machine:
        """The machine with the change, or as it is where that does not concern it. Raises DeclarationError where the
        language does not let it be declared."""
        if not self.concerns(machine):
            return machine
        table = {
            state: {kind: arms for kind, arms in row.items() if kind is not TimerElapsed or state in machine.timers}
            for state, row in machine.cells.items()
        }
        if self.event is None:
            del table[self.state][TimerElapsed]
            timers = {state: timer for state, timer in machine.timers.items() if state != self.state}
            rests = {**machine.rests, self.state: "its timer is not started"}
            return attrs.evolve(machine, table=table, timers=timers, rests=rests)
        cell = machine.cells[self.state][self.event]
        changed = dict(_changes(machine, self.state, self.event, cell)).get(self.change)
        if changed is None:
            return machine
        table[self.state][self.event] = changed
        return attrs.evolve(machine, table=table)


def mutants_of(machine: Machine) -> Iterator[Mutant]:
    """Every mutant of a machine, in the order of its table."""
    for state in machine.states:
        if state in machine.timers:
            yield Mutant(machine.name, state, None, "the timer is not started", (), ())
        for event, cell in machine.cells[state].items():
            if event is TimerElapsed and state not in machine.timers:
                continue
            before = signature(cell)
            told = {before}
            for change, changed in _changes(machine, state, event, cell):
                if signature(changed) not in told:
                    told.add(signature(changed))
                    yield Mutant(machine.name, state, event, change, before, signature(changed))


Change = tuple[str, tuple[Arm, ...]]


def _changes(machine: Machine, state: Any, event: type[Event], cell: tuple[Arm, ...]) -> Iterator[Change]:
    for position, arm in enumerate(cell):
        if arm.kind is Kind.REFUSE:
            continue
        which = "" if len(cell) == 1 else f"arm {position + 1}: "
        for change, changed in _arm_changes(machine, state, event, arm):
            yield which + change, (*cell[:position], changed, *cell[position + 1 :])
        if arm.guard is not None:
            negated = Guard(f"not {arm.guard.name}", _negation(arm.guard), arm.guard.reads_event)
            yield (
                f"{which}{arm.guard.name} is negated",
                (*cell[:position], attrs.evolve(arm, guard=negated), *cell[position + 1 :]),
            )
            yield f"{which}guarded by {arm.guard.name} is dropped", (*cell[:position], *cell[position + 1 :])


def _arm_changes(machine: Machine, state: Any, event: type[Event], arm: Arm) -> Iterator[tuple[str, Arm]]:
    if arm.kind is Kind.IGNORE:
        yield from _taken_up(machine, state, event, arm)
    else:
        yield from _redirected(machine, state, arm)
        yield from _reordered(arm)
        yield (
            "it is ignored",
            attrs.evolve(ignore(Reason.NO_OP, "a mutant"), rearm=arm.rearm, guard=arm.guard),
        )
    for position, change in enumerate(arm.updates):
        kept = (*arm.updates[:position], *arm.updates[position + 1 :])
        yield f"update {position + 1} ({_general(change)}) is dropped", attrs.evolve(arm, updates=kept)
    if arm.kind is not Kind.TO and state in machine.timers:
        how = "the timer is not started anew" if arm.rearm else "the timer is started anew"
        yield how, attrs.evolve(arm, rearm=not arm.rearm)


def _redirected(machine: Machine, state: Any, arm: Arm) -> Iterator[tuple[str, Arm]]:
    others = [one for one in machine.states if one not in (state, arm.target)]
    if arm.kind is Kind.TO:
        assert arm.target is not None
        for other in others:
            yield f"leads to {other.name}, not {arm.target.name}", attrs.evolve(arm, target=other)
        yield f"stays, does not lead to {arm.target.name}", attrs.evolve(arm, kind=Kind.STAY, target=None)
    else:
        after = [*others[machine.states.index(state) :], *others]
        for other in after[:STAY_TARGETS]:
            yield (
                f"leads to {other.name}, does not stay",
                attrs.evolve(arm, kind=Kind.TO, target=other, rearm=False),
            )


def _reordered(arm: Arm) -> Iterator[tuple[str, Arm]]:
    effects = arm.effects
    for position, effect in enumerate(effects):
        name, before, after = type(effect).__name__, effects[:position], effects[position + 1 :]
        yield f"{name} is dropped", attrs.evolve(arm, effects=(*before, *after))
        yield f"{name} is done twice", attrs.evolve(arm, effects=(*before, effect, effect, *after))
        if after:
            swapped = (*before, after[0], effect, *after[1:])
            yield f"{type(after[0]).__name__} comes before {name}", attrs.evolve(arm, effects=swapped)
        for shown, other in _flipped(effect):
            yield f"{name} with {shown}", attrs.evolve(arm, effects=(*before, other, *after))


def _flipped(effect: Effect) -> Iterator[tuple[str, Effect]]:
    """The effect with one argument turned: a bool, or an Enum to its next member."""
    for field in attrs.fields(type(effect)):
        value = getattr(effect, field.name)
        if isinstance(value, bool):
            yield f"{field.name}={not value}", attrs.evolve(effect, **{field.name: not value})
        elif isinstance(value, Enum):
            members = list(type(value))
            other = members[(members.index(value) + 1) % len(members)]
            yield f"{field.name}={other.name}, not {value.name}", attrs.evolve(effect, **{field.name: other})


def _taken_up(machine: Machine, state: Any, event: type[Event], arm: Arm) -> Iterator[tuple[str, Arm]]:
    """An ignored event, decided as other rows decide it."""
    told: list[tuple[Any, tuple[Effect, ...]]] = []
    for row in machine.states:
        for position, other in enumerate(machine.cells[row][event]):
            if other.kind not in (Kind.TO, Kind.STAY) or len(told) == BORROWED:
                continue
            moves = other.target is not None and other.target is not state
            borrowed = attrs.evolve(
                arm,
                kind=Kind.TO if moves else Kind.STAY,
                target=other.target if moves else None,
                effects=other.effects,
                updates=other.updates,
                reason=None,
                rearm=arm.rearm and not moves,
            )
            if (borrowed.target, borrowed.effects) not in told:
                told.append((borrowed.target, borrowed.effects))
                yield f"does what {row.name} does in arm {position + 1}", borrowed


def _general(change: Update) -> str:
    """Its name, less the values that it sets."""
    return ", ".join(part.partition("=")[0] for part in change.name.split(", "))


def _negation(guard: Guard) -> Callable[..., bool]:
    if guard.reads_event:
        return lambda context, event: not guard.function(context, event)
    return lambda context: not guard.function(context)
