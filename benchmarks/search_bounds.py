"""How the states of a conversation grow with what may be alive at once: the table in docs/check.md.

``python -m benchmarks.search_bounds`` prints it; a number given leaves out rows with more alive at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator

from rtfsm.check import Bounds, ConversationModel, search
from rtfsm.check.world import World
from rtfsm.profiles import PROFILES

ROWS = (
    *(("phonic", Bounds(*given, 1), False) for given in ((0, 0), (1, 0), (0, 1), (1, 1), (2, 1), (1, 2), (2, 2))),
    ("gemini", Bounds(2, 2, 1), False),
    *(("openai", Bounds(*given), False) for given in ((0, 0, 1), (1, 1, 1), (1, 1, 2))),
    ("openai", Bounds(1, 1, 2), True),
    *(("widest", Bounds(*given), False) for given in ((0, 0, 1), (1, 1, 1), (1, 1, 2))),
    *(("widest", Bounds(*given), True) for given in ((1, 1, 2), (2, 1, 2), (1, 2, 2), (2, 2, 2))),
)  # fmt: skip
"""profile, what may be alive at once, whether messages are looked at apart"""
HEAD = "| profile | messages | calls | requests | responses | states | edges | timers in a row |"


def lines(rows: Iterable[tuple[str, Bounds, bool]]) -> Iterator[str]:
    """The table, row by row."""
    yield HEAD
    yield "|---|---|---|---|---|---:|---:|---|"
    for profile, bounds, apart in rows:
        wire = PROFILES[profile]
        world = World(wire, merged=True, messages_apart=apart)
        found = search(ConversationModel(wire, bounds, world=world), limit=50_000_000, processes=os.cpu_count() or 1)
        if found.violations:
            raise SystemExit(f"{profile} {bounds}: {found.violations[0].what}")
        responses = 1 if wire.minted else bounds.generations
        yield (
            f"| {profile} | {'apart' if apart else 'in it'} | {bounds.calls} | {bounds.requests} | {responses} "
            f"| {found.states:,} | {found.edges:,} | {found.chain} |"
        )
        print(f"{found.seconds:.1f} s", file=sys.stderr)


def main(most: int = 10**9) -> None:
    """Print the table. most: of calls, requests and responses together; rows with more are left out."""
    for line in lines(row for row in ROWS if row[1].calls + row[1].requests + row[1].generations <= most):
        print(line, flush=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
