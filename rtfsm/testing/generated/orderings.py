"""Orderings that cover every goal of a graph: few and long, greedily chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from .goals import Goals, Next, Pair, Taken, Way
from .graph import Edge, Graph, Slot

__all__ = ["HEARS", "NEVER_HEARS", "Act", "Covered", "Ordering", "along", "cover", "walk"]

FURTHEST = 30
"""Moves after which an ordering is not continued: it has to be read by people when it fails."""
HEARS, BEGINS_TO_HEAR, NEVER_HEARS = "PlayoutFinished", "PlayoutStarted", "PlayoutFinished(unheard)"
"""The host hears what it has to the end; it takes the first of it; it takes nothing until nobody expects it to."""


@attrs.frozen
class Act:
    """One move of an ordering. node: where it is made. label: the move's. who: names of the instances that are alive
    there, by slot. took: the arms that each instance takes, by its name. machines: their machines. born: names of those
    that begin."""

    node: int
    label: str
    who: dict[Slot, str]
    took: dict[str, tuple[int, ...]]
    machines: dict[str, str]
    born: tuple[str, ...]

    @property
    def timed(self) -> str | None:
        """The name of the instance whose timer runs out, if that is the move."""
        if not self.label.startswith("time: "):
            return None
        machine, id = self.label.split(" of ", 1)[1].split(" ", 1)
        slot = (machine, int(id[1:]) if id[1:].isdigit() else 0)
        return self.who[slot]


@attrs.frozen
class Ordering:
    """acts: in order. end: the node that they lead to. who: names of the instances that are alive there."""

    graph: Graph = attrs.field(repr=False)
    way: Way
    acts: tuple[Act, ...]
    end: int
    who: dict[Slot, str]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(act.label for act in self.acts)


@attrs.define
class Covered:
    """arms, pairs, nexts: what some orderings cover."""

    arms: set[Taken] = attrs.field(factory=set)
    pairs: set[Pair] = attrs.field(factory=set)
    nexts: set[Next] = attrs.field(factory=set)

    def add(self, other: Covered) -> None:
        self.arms |= other.arms
        self.pairs |= other.pairs
        self.nexts |= other.nexts


class _Walker:
    """Goes through a graph, and knows every instance by name and by its last arm."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.node = 0
        self.way: list[tuple[int, int]] = []
        self.acts: list[Act] = []
        self.who: dict[Slot, str] = {("session", 0): "session", ("user_turn", 0): "user"}
        self.last: dict[str, int] = {}
        self.covered = Covered()
        self._moved: list[Taken] = []
        self._count: dict[str, int] = {}

    def take(self, place: int) -> None:
        edge = self.graph.edges[self.node][place]
        took: dict[str, tuple[int, ...]] = {}
        machines = {}
        born = []
        who = {slot: name for slot, name in self.who.items() if all(t.before != slot for t in edge.touches)}
        for touch in edge.touches:
            if touch.before is None:
                self._count[touch.machine] = self._count.get(touch.machine, 0) + 1
                name = f"{touch.machine} {self._count[touch.machine]}"
                born.append(name)
            else:
                name = self.who[touch.before]
            if touch.after is not None:
                who[touch.after] = name
            took[name], machines[name] = touch.arms, touch.machine
            for arm in touch.arms:
                self.covered.arms.add((touch.machine, arm))
                if name in self.last:
                    self.covered.pairs.add((touch.machine, self.last[name], arm))
                self.last[name] = arm
        self.covered.nexts.update((machine, arm, edge.label) for machine, arm in self._moved)
        arms = [(touch.machine, arm) for touch in edge.touches for arm in touch.arms]
        self._moved = [arm for arm in arms if arm in self.graph.moving]
        self.acts.append(Act(self.node, edge.label, self.who, took, machines, tuple(born)))
        self.way.append((self.node, place))
        self.who, self.node = who, edge.target

    def new(self, edge: Edge, known: Covered) -> int:
        """How much an edge from here covers that is not known."""
        count = 0
        for touch in edge.touches:
            last = self.last.get(self.who[touch.before]) if touch.before is not None else None
            for arm in touch.arms:
                if last is not None:
                    pair = (touch.machine, last, arm)
                    count += pair not in known.pairs and pair not in self.covered.pairs
                last = arm
        nexts = [(machine, arm, edge.label) for machine, arm in self._moved]
        return count + sum(one not in known.nexts and one not in self.covered.nexts for one in nexts)

    def ordering(self) -> Ordering:
        return Ordering(self.graph, tuple(self.way), tuple(self.acts), self.node, self.who)


def walk(graph: Graph, way: Way) -> tuple[Ordering, Covered]:
    """An ordering that takes these edges, and what it covers."""
    walker = _Walker(graph)
    for _, place in way:
        walker.take(place)
    return walker.ordering(), walker.covered


def along(graph: Graph, labels: Sequence[str]) -> tuple[Ordering, Covered]:
    """An ordering of these moves. Raises KeyError at a label that is no move of its node."""
    walker = _Walker(graph)
    for label in labels:
        if label == BEGINS_TO_HEAR:  # which is of no consequence for any machine of the graph
            walker.acts.append(Act(walker.node, label, walker.who, {}, {}, ()))
            continue
        wanted = HEARS if label == NEVER_HEARS else label
        places = [place for place, edge in enumerate(graph.edges[walker.node]) if edge.label == wanted]
        if not places:
            raise KeyError(label)
        walker.take(places[0])
        walker.acts[-1] = attrs.evolve(walker.acts[-1], label=label)
    return walker.ordering(), walker.covered


def cover(goals: Goals, known: Covered, keep: Callable[[Ordering], bool]) -> None:
    """Make orderings that together cover the goals but what is known, which grows with each.

    keep: takes an ordering, or says that it cannot happen; then it covers nothing.
    """
    targets: list[tuple[Taken | Pair | Next, Way]] = [(arm, goals.way(step)) for arm, step in goals.arms.items()]
    targets += [(pair, goals.way(step)) for pair, step in goals.pairs.items()]
    targets += [(one, goals.way_on(found)) for one, found in goals.nexts.items()]
    for target, way in sorted(targets, key=lambda found: -len(found[1])):
        if target in known.arms or target in known.pairs or target in known.nexts:
            continue
        for further in (FURTHEST, 0):
            walker = _Walker(goals.graph)
            for _, place in way:
                walker.take(place)
            _continue(walker, known, further)
            if keep(walker.ordering()):
                known.add(walker.covered)
                break


def _continue(walker: _Walker, known: Covered, further: int) -> None:
    """Go on while a single move covers something more."""
    while len(walker.way) < further:
        choices = []
        for place, edge in enumerate(walker.graph.edges[walker.node]):
            gain = 0 if edge.label.startswith("time") else walker.new(edge, known)
            if gain:  # first what leaves everything as it is: the rest can still come after it
                choices.append((edge.target == walker.node, gain, -place))
        if not choices:
            return
        walker.take(-max(choices)[2])
