"""Breadth-first search through everything that can happen to a whole, whatever the whole is.

Breadth first, so that the first violation found has a shortest ordering. Afterwards the graph of time alone is judged:
from every state, timers by themselves must lead to rest, and nothing may run for ever.
"""

from __future__ import annotations

import gc
import multiprocessing
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

import attrs

__all__ = ["Found", "Model", "Step", "Violated", "replay", "search"]

S = TypeVar("S", bound=Hashable)

CHUNK = 128
"""States that a worker is given at once."""


@attrs.frozen
class Step(Generic[S]):
    """label: what happened, unique in its state. target: where it led. timed: by a timer. wrong: what it violates."""

    label: str
    target: S
    timed: bool = False
    wrong: str | None = None


class Model(Protocol[S]):
    """What is searched: states that can be compared, and what can happen in each."""

    alive: int
    """The largest number of live instances seen so far."""

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
    """states, edges: how many were seen. seconds: how long it took. chain: the longest run of timers alone to rest.
    alive: the largest number of live instances."""

    states: int = 0
    edges: int = 0
    seconds: float = 0.0
    chain: int = 0
    alive: int = 0
    violations: list[Violated] = attrs.field(factory=list)


def search(
    model: Model[S],
    *,
    limit: int = 2_000_000,
    processes: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Found:
    """Visit everything, up to the first violation.

    limit: states; more is itself a violation, with the ordering that leads farthest: something grows. processes: how
    many share the work, by forking; what is found does not depend on it. progress: called with the states and edges so
    far, now and then.
    """
    began = time.perf_counter()
    found = Found()
    first = model.first()
    parents: dict[S, tuple[S, str] | None] = {first: None}
    later: dict[S, list[S]] = {}
    level = [first]
    with _without_collector(), _workers(model, processes) as expand:
        while level and not found.violations:
            chunks = [level[start : start + CHUNK] for start in range(0, len(level), CHUNK)]
            level = []
            for chunk, grown in zip(chunks, expand(chunks), strict=True):
                found.edges += grown.edges
                found.alive = max(found.alive, grown.alive)
                for place, target in grown.timed:
                    later.setdefault(chunk[place], []).append(target)
                for place, label, target in grown.reached:
                    if target not in parents:
                        parents[target] = (chunk[place], label)
                        level.append(target)
                if grown.wrong is not None:
                    place, label, what = grown.wrong
                    found.violations.append(Violated(what, (*_ordering(parents, chunk[place]), label)))
                    break
                if progress is not None:
                    progress(len(parents), found.edges)
            if len(parents) > limit:
                farthest = _ordering(parents, level[-1])
                found.violations.append(Violated(f"BOUND: more than {limit} states, so something grows", farthest))
    found.states = len(parents)
    if not found.violations:
        _judge_time(model, parents, later, found)
    found.seconds = time.perf_counter() - began
    return found


@contextmanager
def _without_collector() -> Iterator[None]:
    """States are plain tuples, which no cycle holds: looking for cycles among millions of them finds nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@attrs.frozen
class _Grown(Generic[S]):
    """What came of a chunk of states, each named by its place in it. reached: targets that this worker saw first."""

    edges: int
    alive: int
    reached: list[tuple[int, str, S]]
    timed: list[tuple[int, S]]
    wrong: tuple[int, str, str] | None


class _Worker(Generic[S]):
    """Expands chunks of states and tells each target once."""

    def __init__(self, model: Model[S]) -> None:
        self._model = model
        self._told: set[S] = set()

    def expand(self, chunk: list[S]) -> _Grown[S]:
        edges = 0
        reached: list[tuple[int, str, S]] = []
        timed: list[tuple[int, S]] = []
        for place, state in enumerate(chunk):
            for step in self._model.steps(state):
                edges += 1
                if step.wrong is not None:
                    return _Grown(edges, self._model.alive, reached, timed, (place, step.label, step.wrong))
                if step.timed:
                    timed.append((place, step.target))
                if step.target not in self._told:
                    self._told.add(step.target)
                    reached.append((place, sys.intern(step.label), step.target))
        return _Grown(edges, self._model.alive, reached, timed, None)


_inherited: list[_Worker[Any]] = []


def _expand(chunk: list[Any]) -> _Grown[Any]:
    return _inherited[-1].expand(chunk)


@contextmanager
def _workers(model: Model[S], processes: int) -> Iterator[Callable[[list[list[S]]], Iterable[_Grown[S]]]]:
    """Something that expands chunks, in order. The workers inherit the model by forking, so nothing of it is copied."""
    worker = _Worker(model)
    if processes <= 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield lambda chunks: map(worker.expand, chunks)
        return
    _inherited.append(worker)
    pool = multiprocessing.get_context("fork").Pool(processes)
    try:
        yield lambda chunks: pool.imap(_expand, chunks)
    finally:
        pool.terminate()
        pool.join()
        _inherited.pop()


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
