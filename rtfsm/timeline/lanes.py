"""A recording as lanes: who was in which state from when to when. Every picture of a recording is drawn from this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

import attrs

from rtfsm.trace import Header, Record

__all__ = [
    "CUTTING",
    "LANES",
    "MOST_LANES",
    "MOST_ROWS",
    "Bar",
    "Lane",
    "Look",
    "Segment",
    "lanes_of",
    "legend_of",
    "span_of",
]


class Look(Enum):
    """How a state is drawn: what it is to a reader, whatever its machine."""

    NONE = "nothing is drawn"
    WAIT = "waits for somebody else"
    LIVE = "does what it is there for"
    BUSY = "does something besides"
    CUT = "was cut, or lost"
    TAIL = "is over, and something may still come"


_N, _W, _L, _B, _C, _T = Look.NONE, Look.WAIT, Look.LIVE, Look.BUSY, Look.CUT, Look.TAIL

LANES: Mapping[str, tuple[str, Mapping[str, Look]]] = {
    "session": (
        "session",
        {
            "CONNECTING": _W, "AWAITING_CONFIG": _W, "STARTING": _W, "READY": _L, "ROLLING": _B, "ENDING": _T,
            "RECONNECTING": _C, "CLOSING": _T, "CLOSED": _N,
        },
    ),
    "user_turn": ("user", {"SILENT": _N, "OVERLAPPING": _B, "SPEAKING": _L, "AWAITING_TRANSCRIPT": _W}),
    "generation": (
        "generations",
        {
            "IDLE": _N, "SPEAKING": _L, "TOOL_PENDING": _B, "SEALED": _W, "INTERRUPTED": _C, "TAIL": _T, "DONE": _N,
        },
    ),
    "playout": (
        "messages heard",
        {
            "NEW": _N, "QUEUED": _W, "PLAYING": _L, "STOPPED": _C, "FULL": _N, "PARTIAL": _N, "SKIPPED": _N, "OVER": _N,
        },
    ),
    "tool_call": (
        "tool calls",
        {
            "NEW": _N, "HELD": _W, "PENDING": _L, "ANSWERED": _T, "PROCESSED": _N, "CANCELLED": _N, "EXPIRED": _N,
            "ORPHANED": _N,
        },
    ),
    "reply": (
        "replies",
        {"NEW": _N, "QUEUED": _W, "SENT": _L, "EXPECTED": _B, "DISCARDING": _C, "ENDED": _N},
    ),
}  # fmt: skip
"""The shipped machines in the order of their lanes: what a lane is called, and how each state is drawn."""

MOST_LANES, MOST_ROWS = 24, 12
"""What a picture has room for. Machines beyond are left out; instances beyond are drawn over each other in the last
row. A conversation of the shipped machines comes to a handful of either."""

CUTTING = ("GenerationInterrupted", "InterruptRequested", "PlayoutStopped", "Release", "Superseded", "UserCut")
"""Events that end what is live before it has come to its own end."""


@attrs.frozen
class Segment:
    """One state of one instance. begin, end: seconds since the start. first: place of the record that led to it. cut:
    it was live, and was ended from outside."""

    state: str
    look: Look
    begin: float
    end: float
    first: int
    cut: bool = False


@attrs.frozen
class Bar:
    """One instance from its first to its last drawn state. row: of its lane; bars in one row do not overlap, but
    for the last of MOST_ROWS."""

    instance: str
    row: int
    segments: tuple[Segment, ...]

    @property
    def begin(self) -> float:
        return self.segments[0].begin

    @property
    def end(self) -> float:
        return self.segments[-1].end


@attrs.frozen
class Lane:
    """All instances of a machine. rows: how many of them are drawn below each other."""

    machine: str
    label: str
    rows: int
    bars: tuple[Bar, ...]


def span_of(records: Sequence[Record]) -> float:
    """Seconds from the start to the last record; 1 where that is nothing."""
    return max((record.time for record in records), default=0.0) or 1.0


def lanes_of(header: Header, records: Sequence[Record]) -> list[Lane]:
    """A lane for each machine of the recording: the shipped ones in the order of LANES, then others by name."""
    known = [name for name in LANES if name in header.machines]
    others = sorted(name for name in header.machines if name not in LANES)
    end = span_of(records)
    return [_lane(name, header.machines[name], records, end) for name in (*known, *others)[:MOST_LANES]]


def _lane(machine: str, states: Sequence[str], records: Sequence[Record], end: float) -> Lane:
    label, looks = LANES.get(machine, (machine, _looks_of_a_strange_machine(states)))
    taken: dict[str, list[tuple[int, Record]]] = {}
    for place, record in enumerate(records):
        if record.machine == machine:
            taken.setdefault(record.instance, []).append((place, record))
    bars: list[Bar] = []
    ends: list[float] = []
    for instance, steps in taken.items():
        segments = _segments(looks, steps, instance == machine, end)
        if not segments:
            continue
        free = (row for row, until in enumerate(ends) if until <= segments[0].begin)
        row = min(next(free, len(ends)), MOST_ROWS - 1)
        ends[row : row + 1] = [segments[-1].end]
        bars.append(Bar(instance, row, tuple(segments)))
    return Lane(machine, label, max(1, len(ends)), tuple(bars))


def _looks_of_a_strange_machine(states: Iterable[str]) -> dict[str, Look]:
    """Nobody said what its states are like: the first one is at rest, and the others take turns."""
    turns = (Look.LIVE, Look.BUSY, Look.WAIT, Look.TAIL)
    return {state: turns[place % len(turns) - 1] if place else Look.NONE for place, state in enumerate(states)}


def _segments(
    looks: Mapping[str, Look], steps: Sequence[tuple[int, Record]], from_the_start: bool, end: float
) -> list[Segment]:
    """The drawn states of one instance. One that is named like its machine was there before the first record."""
    first, record = steps[0]
    state, begin, place = record.before, 0.0 if from_the_start else record.time, first
    found: list[Segment] = []

    def add(until: float, cut: bool) -> None:
        look = looks.get(state, Look.NONE)
        if look is not Look.NONE:
            found.append(Segment(state, look, begin, max(begin, until), place, cut and look is Look.LIVE))

    for number, record in steps:
        if record.after != state:
            add(record.time, record.event in CUTTING)
            state, begin, place = record.after, record.time, number
    add(end, False)
    return found


def legend_of(lane: Lane) -> list[tuple[str, Look]]:
    """The states that are drawn in a lane, each with its look, in the order of declaration."""
    seen = {segment.state: segment.look for bar in lane.bars for segment in bar.segments}
    order = list(LANES.get(lane.machine, ("", seen))[1])
    return [(state, seen[state]) for state in sorted(seen, key=order.index)]
