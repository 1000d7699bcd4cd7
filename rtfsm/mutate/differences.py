"""What a change of one cell does to everything that can happen: whether it breaks anything, or nothing at all.

Steps that do not ask the changed cell are those of the graph; the others are made again, in the order in which they
can be reached. New places are visited in full. Where nothing is violated, the two conversations walk side by side: if
in every pair of places that the same moves lead to the same moves are offered, the same effects leave and the same
timers begin, then nobody outside can tell the change. That is proved within the bounds of the graph.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

import attrs

from rtfsm.check.conversation import Place
from rtfsm.language import Machine

from .graph import Cell, Edge, Graph

__all__ = ["Difference", "Seen"]

Seen = Literal["violation", "same", "other", "undecided"]

NEW_PLACES = 1_500
"""How many places that the unchanged tables do not know are visited before the question is left undecided."""
PAIRS = 20_000


@attrs.frozen
class Difference:
    """seen: what came of it. what: the invariant, or a step at which the change shows. asked: steps that ask it."""

    seen: Seen
    what: str = ""
    asked: int = 0


class _Changed:
    """The steps of a conversation with one table exchanged."""

    def __init__(self, graph: Graph, cell: Cell) -> None:
        self.graph = graph
        self.places: list[Place] = []
        """Those that the graph does not know; their numbers go on from its last."""
        self._numbers: dict[Place, int] = {}
        self._asking = graph.asking.get(cell, {})
        self._made: dict[int, list[Edge]] = {}
        self.wrong: str | None = None

    @property
    def known(self) -> int:
        return len(self.graph.places)

    def place(self, number: int) -> Place:
        return self.graph.places[number] if number < self.known else self.places[number - self.known]

    def asks(self, number: int) -> bool:
        """Whether a step there is not simply that of the graph."""
        return number >= self.known or number in self._asking

    def edges(self, number: int) -> list[Edge]:
        """The steps of a place. Where one violates something, ``wrong`` says what."""
        if not self.asks(number):
            return self.graph.edges[number]
        if number not in self._made:
            positions = self._asking[number] if number < self.known else None
            edges = list(self.graph.edges[number]) if number < self.known else []
            for index, step in enumerate(self.graph.tracer.traced(self.place(number), positions)):
                if step.wrong is not None:
                    self.wrong = step.wrong
                    return edges
                edge = Edge(step.move, self._number(step.target), step.timed, step.trace)
                if positions is None:
                    edges.append(edge)
                else:
                    edges[positions[index]] = edge
            self._made[number] = edges
        return self._made[number]

    def _number(self, place: Place) -> int:
        number = self.graph.numbers.get(place, self._numbers.get(place))
        if number is None:
            number = self._numbers[place] = self.known + len(self.places)
            self.places.append(place)
        return number


def difference(graph: Graph, machine: Machine, cell: Cell) -> Difference:
    """Follow a change of ``cell``. machine: the one with the change."""
    asked = sum(map(len, graph.asking.get(cell, {}).values()))
    if not asked:
        return Difference("same", "never asked")
    undo = graph.tracer.exchange(machine)
    try:
        changed = _Changed(graph, cell)
        reached = _follow(changed)
        if changed.wrong is None and reached is not None:
            changed.wrong = _endless(changed, reached)
        if changed.wrong is not None:
            return Difference("violation", changed.wrong, asked)
        if reached is None:
            return Difference("undecided", f"more than {NEW_PLACES} new places", asked)
        return attrs.evolve(_side_by_side(changed), asked=asked)
    finally:
        undo()


def _follow(changed: _Changed) -> set[int] | None:
    """Everything that can be reached; None where that is too much, or where something is wrong."""
    reached, waiting = {0}, deque([0])
    while waiting:
        number = waiting.popleft()
        targets = (
            [edge.target for edge in changed.edges(number)] if changed.asks(number) else changed.graph.targets[number]
        )
        if changed.wrong is not None or len(changed.places) > NEW_PLACES:
            return None
        for target in targets:
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached


def _endless(changed: _Changed, reached: set[int]) -> str | None:
    """TIME-2, where it can have changed: timers alone come to an end, and what they end in is rest."""
    done: set[int] = set()
    for root in (number for number in reached if changed.asks(number)):
        path: list[int] = []
        stack = [(root, iter([edge.target for edge in changed.edges(root) if edge.timed]))]
        waits = root < changed.known or any(edge.timed for edge in changed.edges(root))
        if not waits and not changed.graph.tracer.rests(changed.place(root)):
            return "TIME-2: no timer runs and something still waits"
        path.append(root)
        while stack:
            number, later = stack[-1]
            target = next(later, None)
            if target is None:
                done.add(number)
                path.pop()
                stack.pop()
            elif target in path:
                return "TIME-2: timers alone run in a circle"
            elif target not in done:
                path.append(target)
                stack.append((target, iter([edge.target for edge in changed.edges(target) if edge.timed])))
    return None


def _side_by_side(changed: _Changed) -> Difference:
    """Whether anybody outside can tell the two conversations apart."""
    graph = changed.graph
    seen, waiting = {(0, 0)}, deque([(0, 0)])
    while waiting:
        ours, theirs = waiting.popleft()
        if ours == theirs and not changed.asks(theirs):
            pairs = {(target, target) for target in graph.targets[ours]}
        else:
            first, second = graph.edges[ours], changed.edges(theirs)
            if ours != theirs:
                if {edge.move for edge in first} != {edge.move for edge in second} or len(first) != len(second):
                    return Difference("other", "other things can happen")
                by_move = {edge.move: edge for edge in second}
                second = [by_move[edge.move] for edge in first]
            for one, other in zip(first, second, strict=True):
                if one.trace != other.trace:
                    return Difference("other", f"{one.move} shows it")
            pairs = {(one.target, other.target) for one, other in zip(first, second, strict=True)}
        for pair in pairs - seen:
            seen.add(pair)
            waiting.append(pair)
        if len(seen) > PAIRS + len(graph.places):
            return Difference("undecided", "too many pairs of places")
    return Difference("same")
