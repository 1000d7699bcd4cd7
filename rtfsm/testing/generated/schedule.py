"""When each move of an ordering happens, so that every timer runs out in its turn and no other one before it.

An exploration lets timers run out in any order; real ones have durations. So the moments are solved for: a timer that
runs out does so exactly its duration after it was armed, all others are not yet due then. Where the durations of every
day do not allow an ordering, other durations do: slow tools, quick peers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import attrs

from rtfsm.language import Kind, Timer
from rtfsm.machines import Session, Timing

from .graph import Graph, Slot
from .orderings import HEARS, NEVER_HEARS, Ordering

__all__ = ["WINDOW", "Schedule", "schedule"]

STEP = 0.001
"""Seconds between two moves, at least."""
HEARD = 0.04
"""Seconds that the host is given to hear messages to their end."""
MARGIN = 0.05
"""Seconds by which a timer that does not run out is not due."""
NEVER = 100_000.0
WINDOW = "WindowOver"
"""The move that is the end of the time for which a provider remembers a conversation."""


@attrs.frozen
class Schedule:
    """at: seconds from the start, one for each move. timing: the durations."""

    at: tuple[float, ...]
    timing: Timing


@attrs.frozen
class _Wait:
    """A timer between two moves. since: the move that armed it. until: the move that finds it running. fires: it runs
    out then."""

    name: str
    since: int
    until: int
    fires: bool


def schedule(ordering: Ordering, usual: Timing) -> Schedule | None:
    """A schedule, with the usual durations if they allow it; None if no durations do."""
    waits = list(_waits(ordering))
    fires = sorted({wait.name for wait in waits if wait.fires})
    for durations in _durations(usual, fires):
        at = _solve(ordering, waits, durations)
        if at is not None:
            return Schedule(at, attrs.evolve(usual, tail_cap=NEVER, **durations))
    return None


def _durations(usual: Timing, fires: list[str]) -> Iterator[dict[str, float]]:
    names = [field.name for field in attrs.fields(Timing) if field.name != "tail_cap"]
    yield {name: getattr(usual, name) for name in names}
    never = dict.fromkeys(names, NEVER)
    for order in itertools.permutations(fires):
        yield never | {name: 10.0 * (1 + place) for place, name in enumerate(order)}
        yield never | {name: 10.0**place for place, name in enumerate(order)}


def _timer(graph: Graph, node: int, slot: Slot) -> Timer | None:
    """The timer that runs for an instance in a node."""
    session, user, generations, replies, calls = graph.nodes[node][0][:5]
    machine, place = slot
    if machine == "session":
        situation = session
    elif machine == "user_turn":
        situation = user
    else:
        situation = {"generation": generations, "reply": replies, "tool_call": calls}[machine][place][0]
    table = graph.world.situations[machine]
    state, context = table.pairs[situation]
    timer = table.machine.timers.get(state)
    return None if timer is None else timer.effective(context)


def _resuming(graph: Graph, node: int) -> bool:
    """Whether the session tries to go on with a conversation."""
    state, context = graph.world.situations["session"].pairs[graph.nodes[node][0][0]]
    return state in (Session.CONNECTING, Session.STARTING, Session.RECONNECTING) and bool(context.resuming)


def _waits(ordering: Ordering) -> Iterator[_Wait]:
    graph = ordering.graph
    arms = {machine.name: [arm for _, _, arm in machine.arms] for machine in graph.world.composition.machines}
    armed: dict[str, int] = {"session": -1, "user": -1}
    lost: int | None = None
    for number, act in enumerate(ordering.acts):
        fired = act.timed
        if not _resuming(graph, act.node):
            lost = None
        elif lost is None:
            lost = number - 1
        if lost is not None:
            yield _Wait("resume", lost, number, act.label == WINDOW)
        for slot, name in act.who.items():
            timer = _timer(graph, act.node, slot)
            if timer is not None:
                yield _Wait(timer.name, armed[name], number, name == fired)
        for name, taken in act.took.items():
            machine = act.machines[name]
            again = any(arms[machine][arm].kind is Kind.TO or arms[machine][arm].rearm for arm in taken)
            if again or name not in armed:
                armed[name] = number


def _solve(ordering: Ordering, waits: list[_Wait], durations: Mapping[str, float]) -> tuple[float, ...] | None:
    """The earliest moments that keep every condition, by relaxation; None if they contradict each other."""
    count = len(ordering.acts)
    at = [0.0] * (count + 1)  # place 0 is the start, which is move -1
    gaps = {HEARS: HEARD, NEVER_HEARS: durations["playout"] + MARGIN}
    bounds: list[tuple[int, int, float]] = []  # (a, b, gap): b is not before a + gap
    for number, act in enumerate(ordering.acts):
        bounds.append((number, number + 1, gaps.get(act.label, STEP)))
    for wait in waits:
        since, until, seconds = wait.since + 1, wait.until + 1, durations[wait.name]
        if wait.fires:
            bounds.append((since, until, seconds))
            bounds.append((until, since, -seconds))
        else:
            bounds.append((until, since, MARGIN - seconds))
    for _ in range(count + 2):
        changed = False
        for a, b, gap in bounds:
            if at[a] + gap > at[b] + 1e-9:
                at[b], changed = at[a] + gap, True
        if not changed:
            return tuple(at[1:]) if at[0] == 0.0 else None
    return None
