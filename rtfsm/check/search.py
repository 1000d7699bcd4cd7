"""Breadth-first search through everything that can happen to a whole, whatever the whole is.

Breadth first, so that the first violation found has a shortest ordering. Afterwards the graph of time alone is judged:
from every state, timers by themselves must lead to rest, and nothing may run for ever.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, Protocol, TypeVar

import attrs

__all__ = ["Found", "Model", "Step", "Violated", "replay", "search"]

S = TypeVar("S", bound=Hashable)


@attrs.frozen
class Step(Generic[S]):
    """label: what happened, unique in its state. target: where it led. timed: by a timer. wrong: what it violates."""

    label: str
    target: S
    timed: bool = False
    wrong: str | None = None


class Model(Protocol[S]):
    """What is searched: states that can be compared, and what can happen in each."""

    def first(self) -> S:
        """Where it begins."""
        ...

    def steps(self, state: S) -> Iterable[Step[S]]:
        """Everything that can happen in a state, and where it leads."""
        ...

    def rests(self, state: S) -> bool:
        """Whether nothing is left to wait for when no timer runs in this state."""
        ...


@attrs.frozen
class Violated:
    """what: the invariant with its detail. ordering: labels of the steps that lead to it, one of the shortest."""

    what: str
    ordering: tuple[str, ...]

    @property
    def name(self) -> str:
        """The invariant's name: what comes before the first colon."""
        return self.what.split(":", 1)[0]


@attrs.define
class Found:
    """states, edges: how many were seen. seconds: how long it took. chain: the longest run of timers alone to rest."""

    states: int = 0
    edges: int = 0
    seconds: float = 0.0
    chain: int = 0
    violations: list[Violated] = attrs.field(factory=list)


def search(
    model: Model[S],
    *,
    limit: int = 2_000_000,
    progress: Callable[[int, int], None] | None = None,
) -> Found:
    """Visit everything, up to the first violation. limit: states; more is itself a violation, with the ordering that
    leads farthest: something grows. progress: called with states and edges now and then."""
    began = time.perf_counter()
    found = Found()
    first = model.first()
    parents: dict[S, tuple[S, str] | None] = {first: None}
    later: dict[S, list[S]] = {}
    waiting = deque([first])
    while waiting and not found.violations:
        state = waiting.popleft()
        for step in model.steps(state):
            found.edges += 1
            if step.wrong is not None:
                found.violations.append(Violated(step.wrong, (*_ordering(parents, state), step.label)))
                break
            if step.timed:
                later.setdefault(state, []).append(step.target)
            if step.target not in parents:
                parents[step.target] = (state, step.label)
                waiting.append(step.target)
        if progress is not None and found.edges % 50_000 < 60:
            progress(len(parents), found.edges)
        if len(parents) > limit:
            farthest = _ordering(parents, waiting[-1])
            found.violations.append(Violated(f"BOUND: more than {limit} states, so something grows", farthest))
    found.states = len(parents)
    if not found.violations:
        _judge_time(model, parents, later, found)
    found.seconds = time.perf_counter() - began
    return found


def replay(model: Model[S], ordering: Iterable[str]) -> Iterable[tuple[Step[S], S]]:
    """Go through an ordering again: each step, and the state it starts from. Raises KeyError at a label that its state
    does not have."""
    state = model.first()
    for label in ordering:
        taken = next((step for step in model.steps(state) if step.label == label), None)
        if taken is None:
            raise KeyError(label)
        yield taken, state
        state = taken.target


def _ordering(parents: dict[S, tuple[S, str] | None], state: S) -> tuple[str, ...]:
    labels: list[str] = []
    came = parents[state]
    while came is not None:
        labels.append(came[1])
        came = parents[came[0]]
    return tuple(reversed(labels))


def _judge_time(model: Model[S], parents: dict[S, tuple[S, str] | None], later: dict[S, list[S]], found: Found) -> None:
    """TIME-2: timers alone come to an end, and what they end in is rest."""
    depth: dict[S, int] = {}
    for root in parents:
        path: set[S] = set()
        stack: list[tuple[S, int]] = [(root, 0)]
        while stack:
            state, turn = stack.pop()
            if turn == 0:
                if state in depth:
                    continue
                path.add(state)
            successors = later.get(state, [])
            if turn < len(successors):
                stack.append((state, turn + 1))
                if successors[turn] in path:
                    found.violations.append(Violated("TIME-2: timers alone run in a circle", _ordering(parents, state)))
                    return
                stack.append((successors[turn], 0))
                continue
            path.discard(state)
            depth[state] = 1 + max((depth[one] for one in successors), default=-1)
            if not successors and not model.rests(state):
                found.violations.append(
                    Violated("TIME-2: no timer runs and something still waits", _ordering(parents, state))
                )
                return
    found.chain = max(depth.values(), default=0)
