"""What is asked of one machine, phase by phase. Each answer is a number that says how much was looked at, and findings.

1. totality: every (state, event) is decided. The declaration refuses anything else; here it is counted.
2. reachability: every state can be reached. Arms that never are taken are counted: a refused cell should be one.
3. no trap: from wherever the machine can be, a final state or a declared rest can be reached.
4. waits end: time alone leads to a final state or to a rest; no circle of timers.
5. engine: the compiled engine does what ``step`` says, on every reachable state, context and shape of event; and where
   a guard fails, or an event is unknown, nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import Any

import attrs

from rtfsm.language import Engine, Kind, Machine, TimerElapsed

from .equality import differences
from .explore import Exploration, Reached, explore, shown, shown_place

__all__ = ["PHASES", "Finding", "Phase", "Result", "check_machine"]


@attrs.frozen
class Finding:
    """Something wrong with a machine. witness: the events that lead there, in words."""

    machine: str
    kind: str
    text: str
    witness: tuple[str, ...] | None = None

    def __str__(self) -> str:
        if self.witness is None:
            return f"{self.machine}: {self.kind}: {self.text}"
        way = " -> ".join(self.witness) if self.witness else "it begins there"
        return f"{self.machine}: {self.kind}: {self.text}\n    shortest way: {way}"


@attrs.frozen
class Phase:
    """The answer to one question. seconds: what it took."""

    name: str
    numbers: str
    findings: tuple[Finding, ...]
    seconds: float


@attrs.frozen
class Result:
    """All answers. never_taken: numbers of arms that no order of events reaches."""

    machine: Machine
    exploration: Exploration
    phases: tuple[Phase, ...]
    never_taken: tuple[int, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for phase in self.phases for finding in phase.findings)


Answer = tuple[str, list[Finding]]


def check_machine(
    machine: Machine,
    *,
    births: Iterable[Any] = (),
    engine: Engine | None = None,
    tell: Callable[[Phase], None] = lambda _: None,
) -> Result:
    """Ask everything of one machine, alone.

    births: contexts with which instances begin besides ``machine.context``. engine: the one to compare with ``step``; a
    fresh one by default. tell: hears each phase as it ends. Raises ExplorationLimit where a context grows without end.
    """
    engine = engine or Engine(machine)
    seen: list[Exploration] = []

    def reachability() -> Answer:
        seen.append(explore(machine, births))
        return _reachability(seen[0])

    questions: dict[str, Callable[[], Answer]] = {
        "totality": lambda: _totality(machine),
        "reachability": reachability,
        "no trap": lambda: _no_trap(seen[0]),
        "waits end": lambda: _waits_end(seen[0]),
        "engine": lambda: _engine(seen[0], engine),
    }
    phases = []
    for name in PHASES:
        begun = perf_counter()
        numbers, findings = questions[name]()
        phases.append(Phase(name, numbers, tuple(findings), perf_counter() - begun))
        tell(phases[-1])
    never = tuple(arm.index for _, _, arm in machine.arms if arm.index not in seen[0].arms)
    return Result(machine, seen[0], tuple(phases), never)


PHASES = ("totality", "reachability", "no trap", "waits end", "engine")


def _finding(seen: Exploration, kind: str, text: str, place: Reached | None = None) -> Finding:
    witness = None if place is None else tuple(shown(event) for event in seen.reached[place])
    return Finding(seen.machine.name, kind, text, witness)


def _totality(machine: Machine) -> Answer:
    decided = sum(1 for row in machine.cells.values() for cell in row.values() if cell)
    numbers = f"{decided} cells decided: {len(machine.states)} states, {len(machine.events)} events"
    if decided == len(machine.states) * len(machine.events):
        return numbers, []
    return numbers, [Finding(machine.name, "totality", "some cells hold no decision")]


def _reachability(seen: Exploration) -> Answer:
    machine = seen.machine
    findings = [
        _finding(seen, "unreachable", f"no order of events leads to {state.name}; add the missing edge or delete it")
        for state in machine.states
        if state not in seen.states
    ]
    findings += [
        _finding(seen, "failure", f"in {shown_place(one.place)}, on {shown(one.event)}: {one.what}", one.place)
        for one in seen.troubles
    ]
    never = [arm for _, _, arm in machine.arms if arm.index not in seen.arms]
    refused = sum(1 for arm in never if arm.kind is Kind.REFUSE)
    numbers = (
        f"{len(seen.states)} of {len(machine.states)} states, {len(seen.reached)} (state, context) pairs, "
        f"{len(seen.arms)} of {len(machine.arms)} arms taken, {len(never)} never ({refused} of them refused)"
    )
    return numbers, findings


def _no_trap(seen: Exploration) -> Answer:
    machine = seen.machine
    before: dict[Reached, list[Reached]] = {}
    for place, edges in seen.edges.items():
        for edge in edges:
            before.setdefault(edge.target, []).append(place)
    ends = [place for place in seen.reached if place[0] in machine.final or place[0] in machine.rests]
    safe, waiting = set(ends), list(ends)
    while waiting:
        for place in before.get(waiting.pop(), ()):
            if place not in safe:
                safe.add(place)
                waiting.append(place)
    trapped: dict[Any, Reached] = {}
    for place in seen.reached:  # in the order of discovery, so the first of a state has the shortest way
        if place not in safe:
            trapped.setdefault(place[0], place)
    findings = [
        _finding(seen, "trap", f"from {shown_place(place)} neither a final state nor a rest can be reached", place)
        for place in trapped.values()
    ]
    return f"{len(safe)} of {len(seen.reached)} pairs can end or rest", findings


def _waits_end(seen: Exploration) -> Answer:
    after = {place: edge.target for place, edges in seen.edges.items() for edge in edges if _by_time(edge.event)}
    ends: dict[Reached, int] = {}
    findings = []
    for place in seen.reached:
        path: dict[Reached, None] = {}
        here = place
        while here in after and here not in path and here not in ends:
            path[here] = None
            here = after[here]
        if here in path:
            circle = list(path)[list(path).index(here) :]
            names = " -> ".join(shown_place(one) for one in [*circle, here])
            findings.append(_finding(seen, "endless wait", f"time alone leads in a circle: {names}", here))
        below = ends.get(here, 0)
        for distance, one in enumerate(reversed(path), start=1):
            ends[one] = below + distance
    return f"{len(after)} timed pairs, at most {max(ends.values(), default=0)} timers from rest", findings


def _by_time(event: Any) -> bool:
    return isinstance(event, TimerElapsed)


def _engine(seen: Exploration, engine: Engine) -> Answer:
    compared, found = differences(seen, engine)
    findings = [_finding(seen, "engine", text) for text in _few(found)]
    return f"equals step on {compared - len(found)} of {compared} (state, context, event)", findings


def _few(texts: list[str], most: int = 5) -> Iterator[str]:
    yield from texts[:most]
    if len(texts) > most:
        yield f"and {len(texts) - most} more"
