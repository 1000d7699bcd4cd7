"""All orderings of Phonic's profile that cover what can be reached, with their schedules."""

from __future__ import annotations

import attrs

from rtfsm.check.environment import Bounds
from rtfsm.machines import BargeIn, Floor, Timing
from rtfsm.profiles import PHONIC

from .goals import Goals, Next, Pair, Taken
from .graph import Graph
from .orderings import Covered, Ordering, along, cover
from .schedule import Schedule, schedule

__all__ = ["DIRECTED", "SEARCHES", "Suite", "build"]

SEARCHES: tuple[tuple[Bounds, Floor], ...] = (
    (Bounds(calls=1, requests=1), Floor()),
    (Bounds(calls=0, requests=2), Floor()),
    (Bounds(calls=1, requests=0), Floor(BargeIn.PROVIDER)),
    (Bounds(calls=0, requests=1), Floor(welcome=False, say=False)),
)
"""Together these reach every arm and every pair that two calls and one request, or one call and two requests, reach."""

_READY = ("TransportOpened", "ConfigGiven(UPDATE)", "ProviderReady")
_SOUND = (*_READY, "GenerationCreated(greeting)", "AudioDelta(live turn)")
_WORD = (*_READY, "GenerationCreated(greeting)", "TextDelta(live turn)", "GenerationDone(COMPLETED)")
_EXPECTED = (
    *_SOUND, "ReplyRequested(GENERATE)", "ToolCallReady(new call)", "ToolOutputGiven(c0, WANTED)",
    "ToolResultTaken(c0)", "time: drain of generation g0", "time: reply of reply r1",
)  # fmt: skip
_GIVEN_UP = ("time: tail of generation g0", "ReplyRequested(GENERATE)", "time: reply of reply r0")

DIRECTED: tuple[tuple[int, tuple[str, ...]], ...] = (
    # A request waits behind another one, the user speaks, and it is never sent: with the durations of every day this
    # takes a longer way than the shortest.
    (1, (*_SOUND, *["ReplyRequested(GENERATE)"] * 2, "GenerationDone(COMPLETED)", "UserSpeechStarted",
         "time: tail of generation g0", "time: reply of reply r1")),
    # An answer that was expected does not come, while a request goes on that was sent after it.
    *((0, (*_EXPECTED, move)) for move in ("InterruptRequested", "ReplyDeclined", "ReplyAbandoned(r0)")),
    # Messages that are being heard, one by one, and one that never is.
    (0, (*_SOUND, "PlayoutStarted", "InterruptRequested")),
    (0, (*_SOUND, "PlayoutStarted", "UserSpeechStarted")),
    (0, (*_SOUND, "PlayoutStarted", "CloseRequested")),
    (0, (*_SOUND, "PlayoutStarted", "GenerationDone(COMPLETED)", "PlayoutFinished")),
    (0, (*_SOUND, "GenerationDone(COMPLETED)", "PlayoutFinished", "UserSpeechStarted")),
    (0, (*_SOUND, "GenerationDone(COMPLETED)", "time: tail of generation g0", "PlayoutFinished(unheard)")),
    # An answer that nobody waits for is interrupted: what was said before it stays as it was said.
    (0, (*_WORD, *_GIVEN_UP, "GenerationCreated", "GenerationInterrupted")),
)  # fmt: skip
"""Orderings of the graph with this number that the search does not find, or that show what no arm shows."""


@attrs.define
class Suite:
    """orderings: each with when its moves happen. arms, pairs, nexts: what can be reached. covered: what the
    orderings cover. graphs: what was searched. nodes, edges: how much that is."""

    orderings: list[tuple[Ordering, Schedule]] = attrs.field(factory=list)
    arms: set[Taken] = attrs.field(factory=set)
    pairs: set[Pair] = attrs.field(factory=set)
    nexts: set[Next] = attrs.field(factory=set)
    covered: Covered = attrs.field(factory=Covered)
    graphs: list[Graph] = attrs.field(factory=list)
    nodes: int = 0
    edges: int = 0

    def keep(self, ordering: Ordering) -> bool:
        """Take an ordering, unless no durations allow it."""
        planned = schedule(ordering, Timing())
        if planned is not None:
            self.orderings.append((ordering, planned))
        return planned is not None


def build() -> Suite:
    """Search, and cover."""
    suite = Suite()
    for bounds, floor in SEARCHES:
        graph = Graph(PHONIC, bounds, floor=floor)
        goals = Goals(graph)
        suite.graphs.append(graph)
        suite.nodes += len(graph.nodes)
        suite.edges += sum(map(len, graph.edges))
        suite.arms |= goals.arms.keys()
        suite.pairs |= goals.pairs.keys()
        suite.nexts |= goals.nexts.keys()
        cover(goals, suite.covered, suite.keep)
    for number, labels in DIRECTED:
        ordering, covered = along(suite.graphs[number], labels)
        if suite.keep(ordering):
            suite.covered.add(covered)
    return suite
