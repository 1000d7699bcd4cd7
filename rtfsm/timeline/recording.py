"""A recording read as a whole: its records, its lanes, and what is wrong in it."""

from __future__ import annotations

import math
import os
from itertools import islice

import attrs

from rtfsm.trace import Header, Record, TraceError, read, read_header

from .lanes import Lane, lanes_of, span_of
from .problems import Problem, problems_of, profile_of

__all__ = ["MOST", "Recording", "load"]

MOST = 200_000
"""Records that are read: some hours of talk. A picture of more shows nothing."""


@attrs.frozen
class Recording:
    """name: of the file. profile: whose tables it was held against, or None. span: seconds that it lasts. left_out: it
    is longer than MOST, and the rest was not read."""

    name: str
    header: Header
    records: tuple[Record, ...]
    profile: str | None
    lanes: tuple[Lane, ...]
    problems: tuple[Problem, ...]
    span: float
    left_out: bool


def load(path: str | os.PathLike[str]) -> Recording:
    """Read a recording. Raises TraceError that names the file and the broken line, and OSError."""
    name = os.fspath(path)
    header = read_header(path)
    records: list[Record] = []
    steps = read(path)
    before = 0.0
    try:
        for record in islice(steps, MOST):
            if not math.isfinite(record.time) or record.time < before:
                raise TraceError(
                    f"{name}, line {len(records) + 2}: the time {record.time:g} goes back, or is no number"
                )
            before = record.time
            records.append(record)
    except (RecursionError, OverflowError):
        raise TraceError(f"{name}, line {len(records) + 2}: is no record of a step") from None
    profile = profile_of(header)
    return Recording(
        name=os.path.basename(name),
        header=header,
        records=tuple(records),
        profile=profile,
        lanes=tuple(lanes_of(header, records)),
        problems=tuple(problems_of(header, records, profile)),
        span=span_of(records),
        left_out=next(steps, None) is not None if len(records) == MOST else False,
    )
