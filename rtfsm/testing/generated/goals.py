"""What is to be covered: every arm, every two arms that one instance can take one after the other, and after every
change of a state every move that can come next.

The last is there because a table that forgets too early forgets the instance with it: what comes then is taken by
nobody, or by the next one, and is no pair of arms.

An instance is followed through the graph with the arm that it took last. Where it is and which arm that was is all that
matters, so to follow one instance at a time is exact, whatever the others do meanwhile.
"""

from __future__ import annotations

import itertools

import attrs

from .graph import Edge, Graph, Slot

__all__ = ["Goals", "Next", "Pair", "Taken", "Way"]

Taken = tuple[str, int]
"""A machine's name and the number of an arm."""
Pair = tuple[str, int, int]
"""A machine's name, an arm, and the arm that the same instance takes next."""
Next = tuple[str, int, str]
"""A machine's name, an arm that changed its state, and the label of the move that comes next."""
Way = tuple[tuple[int, int], ...]
"""From the first node: the number of each node and the place of the edge that is taken there."""

NOTHING = -1
"""Stands for the last arm of an instance that has taken none."""
SINGLETONS: tuple[Slot, ...] = (("session", 0), ("user_turn", 0))


@attrs.frozen
class _Followed:
    """An instance: the node, its slot there, the arm it took last."""

    node: int
    slot: Slot
    arm: int


_Step = tuple["_Followed | None", int, int]
"""Whom it was followed from (None: it was born here), and the edge, as its node and its place there."""


class Goals:
    """arms, pairs, nexts: all that can be reached in a graph, each with the edge where it happens; a move that comes
    next has the edge before it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.depths: list[int] = [-1] * len(graph.nodes)
        self._came: list[tuple[int, int]] = [(-1, -1)] * len(graph.nodes)
        self._find_ways()
        self.arms: dict[Taken, _Step] = {}
        self.pairs: dict[Pair, _Step] = {}
        self._led: dict[_Followed, _Step] = {}
        self._known: dict[tuple[int, Slot], int] = {}
        self._new: dict[tuple[int, Slot], int] = {}
        self._levels: list[list[tuple[int, Slot]]] = [[] for _ in range(2 * max(self.depths) + 60)]
        self._follow()
        self.nexts: dict[Next, tuple[_Step, int]] = {}
        self._find_nexts()

    def _find_nexts(self) -> None:
        moving = self.graph.moving
        labels = [tuple(edge.label for edge in edges) for edges in self.graph.edges]
        seen: set[tuple[int, tuple[str, ...]]] = set()
        for node, edges in enumerate(self.graph.edges):
            for place, edge in enumerate(edges):
                if (id(edge.touches), labels[edge.target]) in seen:
                    continue
                seen.add((id(edge.touches), labels[edge.target]))
                arms = [(touch.machine, arm) for touch in edge.touches for arm in touch.arms]
                for machine, arm in arms:
                    if (machine, arm) in moving:
                        for further, label in enumerate(labels[edge.target]):
                            if not label.startswith("time"):  # which a pair of arms is about
                                self.nexts.setdefault((machine, arm, label), ((None, node, place), further))

    def _find_ways(self) -> None:
        self.depths[0] = 0
        level = [0]
        while level:
            further = []
            for node in level:
                for place, edge in enumerate(self.graph.edges[node]):
                    if self.depths[edge.target] < 0:
                        self.depths[edge.target] = self.depths[node] + 1
                        self._came[edge.target] = (node, place)
                        further.append(edge.target)
            level = further

    # -- following -------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        born: list[list[int]] = [[] for _ in self._levels]
        for node, depth in enumerate(self.depths):
            if any(touch.before is None for edge in self.graph.edges[node] for touch in edge.touches):
                born[depth].append(node)
        for slot in SINGLETONS:
            self._reach(0, slot, 1, (None, -1, -1), 0)
        for depth, level in enumerate(self._levels):
            for node in born[depth]:
                for place, edge in enumerate(self.graph.edges[node]):
                    for touch in edge.touches:
                        if touch.before is None:
                            self._take(touch.machine, touch.arms, (None, node, place))
                            if touch.after is not None:
                                bit = 1 << (touch.arms[-1] + 1)
                                self._reach(edge.target, touch.after, bit, (None, node, place), depth + 1)
            for node, slot in level:
                mask = self._new.pop((node, slot), 0)
                if mask:
                    self._go_on(node, slot, mask, depth + 1)

    def _go_on(self, node: int, slot: Slot, mask: int, depth: int) -> None:
        arms = [bit - 1 for bit in range(mask.bit_length()) if mask >> bit & 1]
        one = _Followed(node, slot, arms[0])
        for place, edge in enumerate(self.graph.edges[node]):
            touch = next((touch for touch in edge.touches if touch.before == slot), None)
            if touch is None:
                self._reach(edge.target, slot, mask, (one, node, place), depth)
                continue
            if not touch.arms:
                assert touch.after is not None, "an instance ends by an arm"
                self._reach(edge.target, touch.after, mask, (one, node, place), depth)
                continue
            self._take(touch.machine, touch.arms, (one, node, place))
            for arm in arms:
                pair = (touch.machine, arm, touch.arms[0])
                if arm != NOTHING and pair not in self.pairs:
                    self.pairs[pair] = (_Followed(node, slot, arm), node, place)
            if touch.after is not None:
                self._reach(edge.target, touch.after, 1 << (touch.arms[-1] + 1), (one, node, place), depth)

    def _take(self, machine: str, arms: tuple[int, ...], step: _Step) -> None:
        for arm in arms:
            self.arms.setdefault((machine, arm), step)
        for arm, then in itertools.pairwise(arms):
            self.pairs.setdefault((machine, arm, then), step)

    def _reach(self, node: int, slot: Slot, mask: int, step: _Step, depth: int) -> None:
        key = node, slot
        known = self._known.get(key, 0)
        new = mask & ~known
        if not new:
            return
        self._known[key] = known | new
        came, at, place = step
        moved = came is not None and not self._took(came, at, place)
        for bit in range(new.bit_length()):
            if new >> bit & 1:
                by = _Followed(came.node, came.slot, bit - 1) if moved and came is not None else came
                self._led[_Followed(node, slot, bit - 1)] = (by, at, place)
        if key not in self._new:
            self._levels[depth].append(key)
        self._new[key] = self._new.get(key, 0) | new

    def _took(self, one: _Followed, node: int, place: int) -> bool:
        edge: Edge = self.graph.edges[node][place]
        return any(touch.before == one.slot and touch.arms for touch in edge.touches)

    def way_on(self, found: tuple[_Step, int]) -> Way:
        """The way to an edge, and one further."""
        step, further = found
        _, node, place = step
        return (*self.way(step), (self.graph.edges[node][place].target, further))

    # -- ways ------------------------------------------------------------------------------------------------------

    def way(self, step: _Step) -> Way:
        """The shortest way found that ends with this step."""
        came, node, place = step
        edges = [(node, place)]
        while came is not None:
            came, node, place = self._led[came]
            if node >= 0:
                edges.append((node, place))
        while (before := self._came[edges[-1][0]])[0] >= 0:
            edges.append(before)
        return tuple(reversed(edges))
