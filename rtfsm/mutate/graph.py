"""What can happen to a conversation with the tables as they are, kept so that a change of one cell can be followed.

A cell that was not asked cannot have mattered. So of everything that can happen with a changed table, only the steps
that ask the changed cell have to be made again, and whatever is new where they lead: see :mod:`.differences`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

import attrs

from rtfsm.check import Bounds, ConversationModel
from rtfsm.check.conversation import Place
from rtfsm.check.environment import moves
from rtfsm.check.world import Situations, World
from rtfsm.language import Arm, Event, Instance, Kind, Machine, RtfsmError
from rtfsm.machines import BargeIn, Capabilities, Floor
from rtfsm.vocabulary.effects import RoutedEffect

__all__ = ["Cell", "Edge", "Graph", "Traced", "Tracer"]

Cell = tuple[str, Any, type[Event]]
"""Name of a machine, state, event."""

Trace = tuple[Hashable, ...]
"""What others can see of a step: the effects that leave the machines, by whom, and the timers that begin anew."""


@attrs.frozen
class Traced:
    """One step. move: what happened and, where a timer ran out, which. target: where it led. cells: those asked."""

    move: Hashable
    target: Place
    timed: bool
    wrong: str | None
    trace: Trace
    cells: frozenset[Cell]


class _Watched(World):
    """A world that notes which cells are asked and which timers begin anew."""

    def __init__(self, capabilities: Capabilities, floor: Floor) -> None:
        super().__init__(capabilities, floor=floor)
        self.cells: set[Cell] = set()
        self.begun: dict[tuple[str, str], bool] = {}
        """(machine, instance) whose timer began anew -> whether by entering a state"""

    def take(self, instance: Instance, event: Event) -> Arm:
        name = instance.machine.name
        self.cells.add((name, instance.state, type(event)))
        arm = super().take(instance, event)
        if (arm.kind is Kind.TO or arm.rearm) and instance.state in instance.machine.timers:
            entered = self.begun.get((name, instance.id), False)
            self.begun[name, instance.id] = entered or arm.kind is Kind.TO
        return arm


class Tracer(ConversationModel):
    """A model of which single steps can be asked for, with one table exchanged for another."""

    def __init__(self, capabilities: Capabilities, bounds: Bounds, floor: Floor) -> None:
        self._watched = _Watched(capabilities, floor)
        super().__init__(capabilities, bounds, world=self._watched)

    def exchange(self, machine: Machine) -> Callable[[], None]:
        """Decide by another table of the same states from now on. Places keep their numbers. Returns what undoes it."""
        original = self._watched.situations[machine.name]
        exchanged = Situations(machine)
        for state, context in original.pairs:
            exchanged.number(state, context)
        self._watched.situations[machine.name] = exchanged
        self.sound.clear()
        return lambda: self._watched.situations.__setitem__(machine.name, original)

    def traced(self, place: Place, positions: Iterable[int] | None = None) -> Iterator[Traced]:
        """Steps of a place; positions: of the moves that are wanted, all by default."""
        world, state = self._watched, place[0]
        world.thaw(state)
        offered = list(moves(world, place[1], self.bounds))
        timers = {
            move.label: world.live[move.timer[0]][move.timer[1]].timer for move in offered if move.timer is not None
        }
        for position in range(len(offered)) if positions is None else positions:
            move = offered[position]
            world.thaw(state)
            world.cells, world.begun = set(), {}
            try:
                wrong, target = self._make(place, move)
            except RtfsmError as error:  # a standing condition that its event does not end, for one
                yield Traced(move.label, place, False, f"DRIVER: {error}", (), frozenset(world.cells))
                return
            trace: list[Hashable] = [
                (emission.effect, emission.instance.machine.name, emission.instance.id)
                for emission in self.emissions
                if not isinstance(emission.effect, RoutedEffect)
            ]
            named = (move.label, timers[move.label]) if move.timer is not None else move.label
            yield Traced(named, target, move.timer is not None, wrong, (*trace, *world.begun), frozenset(world.cells))


@attrs.frozen
class Edge:
    """A step between places by their numbers."""

    move: Hashable
    target: int
    timed: bool
    trace: Trace


class Graph:
    """Every place that can be reached with the tables as they are, every step, and which steps ask which cell.

    Raises ValueError if anything is wrong with them: what is sought is what a change breaks.
    """

    def __init__(self, capabilities: Capabilities, bounds: Bounds, floor: Floor = Floor()) -> None:  # noqa: B008
        self.tracer = Tracer(capabilities, bounds, floor)
        beside = "" if floor == Floor() else f" by {'the provider' if floor.barge_in is BargeIn.PROVIDER else 'both'}"
        self.shown = f"{bounds.calls}.{bounds.requests}.{bounds.generations}{beside}"
        """How many calls, requests and responses may be alive, and who cuts where it is not the user's voice."""
        first = self.tracer.first()
        self.places = [first]
        self.numbers = {first: 0}
        self.edges: list[list[Edge]] = []
        self.targets: list[tuple[int, ...]] = []
        self.asking: dict[Cell, dict[int, list[int]]] = {}
        """cell -> place -> positions of the steps there that ask it"""
        traces: dict[Trace, Trace] = {}
        known: dict[Hashable, Hashable] = {}
        for number, place in enumerate(self.places):  # grows while it is read
            found: list[Edge] = []
            for position, step in enumerate(self.tracer.traced(place)):
                if step.wrong is not None:
                    raise ValueError(f"the tables as they are violate {step.wrong}; run rtfsm check first")
                target = self.numbers.get(step.target)
                if target is None:
                    target = self.numbers[step.target] = len(self.places)
                    self.places.append(step.target)
                trace = traces.setdefault(step.trace, step.trace)
                found.append(Edge(known.setdefault(step.move, step.move), target, step.timed, trace))
                for cell in step.cells:
                    self.asking.setdefault(cell, {}).setdefault(number, []).append(position)
            self.edges.append(found)
            self.targets.append(tuple(dict.fromkeys(edge.target for edge in found)))
