"""The picture of a recording in characters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from .lanes import Lane, Look, legend_of
from .problems import Problem
from .recording import Recording

__all__ = ["MARKS", "NARROWEST", "STEPS", "grouped", "shown", "text", "ticks"]

MARKS = {Look.NONE: " ", Look.WAIT: "░", Look.LIVE: "█", Look.BUSY: "▒", Look.CUT: "╳", Look.TAIL: "─"}
BROKEN = "▌"
"""The last character of what was cut while it was live."""
WRONG = "▲"
BLUE, GREEN, YELLOW, RED = 34, 32, 33, 31
NARROWEST = 60
STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
"""Seconds between two marks of a scale."""
TOLD = 20
LONGEST = 40


_COLOURED = re.compile(
    "|".join(f"{mark}+" for mark in (MARKS[Look.LIVE], MARKS[Look.BUSY], MARKS[Look.CUT], BROKEN, WRONG))
)


def shown(given: str, longest: int = LONGEST) -> str:
    """A name from a recording, which anybody may have written: one line, no control characters, not too long."""
    safe = "".join(one if one.isprintable() else "�" for one in given)
    return safe if len(safe) <= longest else f"{safe[: longest - 1]}…"


def ticks(span: float, most: int) -> tuple[float, int]:
    """Seconds between two marks, and how many marks there are besides the first, at most ``most``."""
    step = next((step for step in STEPS if span / step <= most), None)
    if step is None:
        step = STEPS[-1]
        while span / step > most:
            step *= 2
    return step, int(span / step + 1e-9)


def text(recording: Recording, width: int = 100, *, colours: bool = False) -> str:
    """The recording as lines of at most ``width`` characters, 60 at least: a lane for each machine, then what is wrong
    in it, then what the marks mean. colours: those of a terminal, which tell nothing that the marks do not."""
    lines = _lines(recording, max(width, NARROWEST))
    return "\n".join(map(_coloured, lines) if colours else lines) + "\n"


def _coloured(line: str) -> str:
    """The same line with the marks in colours, the user's voice in one of its own."""
    live = GREEN if line.startswith("user ") else BLUE
    codes = {MARKS[Look.LIVE]: live, MARKS[Look.BUSY]: YELLOW, MARKS[Look.CUT]: RED, BROKEN: RED, WRONG: RED}
    return _COLOURED.sub(lambda found: f"\x1b[{codes[found[0][0]]}m{found[0]}\x1b[0m", line)


def _lines(recording: Recording, width: int) -> Iterator[str]:
    labels = max((len(shown(lane.label, 20)) for lane in recording.lanes), default=0) + 2
    room = width - labels
    yield shown(_title(recording), width)
    yield ""
    yield " " * labels + _scale(recording.span, room)
    for lane in recording.lanes:
        for row in range(lane.rows):
            label = shown(lane.label, 20) if row == 0 else ""
            yield (f"{label:<{labels}}" + _row(lane, row, recording.span, room)).rstrip()
    if recording.problems:
        marks = [" "] * room
        for problem in recording.problems:
            marks[_column(recording.records[problem.place].time, recording.span, room)] = WRONG
        yield (f"{'wrong':<{labels}}" + "".join(marks)).rstrip()
    yield ""
    yield from _wrong(recording, width)
    yield from (shown(line, width) for line in _legend(recording.lanes))


def _title(recording: Recording) -> str:
    count = len(recording.records)
    wire = f"the tables of {recording.profile}" if recording.profile else "machines that are not shipped"
    more = f"; only the first {count:,} were read" if recording.left_out else ""
    return f"{recording.name}: {recording.span:.1f} s, {count:,} event{'' if count == 1 else 's'}{more}, {wire}"


def _column(time: float, span: float, room: int) -> int:
    return min(room - 1, max(0, int(time / span * room)))


def _scale(span: float, room: int) -> str:
    step, count = ticks(span, max(1, room // 10))
    line = [" "] * room
    for number in range(count + 1):
        label = f"|{number * step:g}" + (" s" if number == 0 else "")
        at = _column(number * step, span, room)
        if at + len(label) <= room:
            line[at : at + len(label)] = label
    return "".join(line).rstrip()


def _row(lane: Lane, row: int, span: float, room: int) -> str:
    line = [" "] * room
    for bar in lane.bars:
        if bar.row != row:
            continue
        for segment in bar.segments:
            first = _column(segment.begin, span, room)
            last = max(first, _column(segment.end, span, room) - 1)
            line[first : last + 1] = MARKS[segment.look] * (last + 1 - first)
            if segment.cut:
                line[last] = BROKEN
    return "".join(line)


def _wrong(recording: Recording, width: int) -> Iterator[str]:
    if not recording.problems:
        against = "against the tables" if recording.profile else "for gaps alone: these machines are not shipped"
        yield shown(f"nothing is wrong in it, held {against}", width)
    else:
        count = len(recording.problems)
        yield f"{count} step{'' if count == 1 else 's'} wrong:"
    told = list(grouped(recording.problems))
    for problem, times in told[:TOLD]:
        time = recording.records[problem.place].time
        often = f" ({times} times)" if times > 1 else ""
        yield f"{time:9.3f} s  line {problem.place + 2}  {problem.kind}: {shown(problem.text, 300)}{often}"
    if len(told) > TOLD:
        yield f"  and {len(told) - TOLD} more"
    yield ""


def grouped(problems: Iterable[Problem]) -> Iterator[tuple[Problem, int]]:
    """Problems that follow each other and say the same, as the first of them and how many they are."""
    for _, group in groupby(problems, key=lambda problem: (problem.kind, problem.text)):
        same = list(group)
        yield same[0], len(same)


def _legend(lanes: Sequence[Lane]) -> Iterator[str]:
    for lane in lanes:
        marks = "  ".join(f"{MARKS[look]} {shown(state, 24)}" for state, look in legend_of(lane))
        if marks:
            yield f"{shown(lane.label, 20):<16}{marks}"
    if any(segment.cut for lane in lanes for bar in lane.bars for segment in bar.segments):
        yield f"{'':<16}{BROKEN} cut while it was live"
