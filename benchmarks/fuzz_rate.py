"""How many orderings a second and core the fuzzer plays: chosen by Hypothesis, played, judged by every law.

Run as ``python -m benchmarks.fuzz_rate``, or ``make bench``. Times are CPU times of this process. Each ordering has
20 moves on average, then everything is brought to rest, the agent speaks once more, and the session is closed. The
shipped search plays shorter ones too, and so more of them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from random import Random

import attrs
from hypothesis import HealthCheck, Phase, Verbosity, find, settings
from hypothesis.errors import NoSuchExample

from rtfsm.fuzz.moves import Ordering
from rtfsm.fuzz.phonic_wires import PHONIC
from rtfsm.fuzz.play import play
from rtfsm.fuzz.strategies import orderings
from rtfsm.fuzz.target import load_target

__all__ = ["QUICK", "TARGET", "Plan", "Rate", "main", "measure"]

TARGET = 200.0
"""Orderings a second and core that ours shall reach in memory."""
DRAWS = 20
"""Rules that make an ordering: some make no move and some several, which comes to 20 moves."""
OURS, OFFICIAL = "rtfsm.adapters.phonic:RealtimeModel", "livekit.plugins.phonic.realtime:RealtimeModel"


@attrs.frozen
class Plan:
    """Orderings of one round, of ours in memory, of ours over sockets, of the official plugin; and rounds."""

    memory: int = 300
    sockets: int = 40
    official: int = 20
    rounds: int = 5


QUICK = Plan(20, 3, 2, 1)


@attrs.frozen
class Rate:
    """rates: orderings a second and core, one for each round. moves: of an ordering, on average. playing: the share of
    the time that is not Hypothesis's."""

    name: str
    rates: Sequence[float]
    moves: float
    playing: float

    @property
    def median(self) -> float:
        return statistics.median(self.rates)


def measure(name: str, target: str, count: int, rounds: int, *, memory: bool) -> Rate:
    """Search ``count`` orderings of this target for nothing, in each round."""
    model = load_target(target)
    rates, moves, played, playing, whole = [], 0, 0, 0.0, 0.0

    def tried(ordering: Ordering) -> bool:
        nonlocal moves, played, playing
        began = time.process_time()
        play(PHONIC, model, ordering, memory=memory)
        playing += time.process_time() - began
        moves, played = moves + len(ordering.moves), played + 1
        return False

    _search(tried, 1, seed=0)  # what is made once in a process is made now
    moves, played, playing = 0, 0, 0.0
    for seed in range(rounds):
        before, began = played, time.process_time()
        _search(tried, count, seed)
        spent = time.process_time() - began
        rates.append((played - before) / spent)
        whole += spent
    return Rate(name, rates, moves / played, playing / whole)


def _search(tried: Callable[[Ordering], bool], count: int, seed: int) -> None:
    quiet = settings(
        max_examples=count, deadline=None, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck), verbosity=Verbosity.quiet,
    )  # fmt: skip
    try:
        find(orderings(PHONIC, length=DRAWS, least=DRAWS), tried, settings=quiet, random=Random(seed))
    except NoSuchExample:
        return


def main(arguments: Sequence[str] | None = None, say: Callable[[str], object] = print) -> int:
    """Measure and print. Returns 0 also where the target is missed: a busy machine says nothing about the code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz_rate", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few orderings only, to see that it works")
    plan = QUICK if parser.parse_args(arguments).quick else Plan()
    rates = [
        measure("rtfsm, in memory", OURS, plan.memory, plan.rounds, memory=True),
        measure("rtfsm, over sockets", OURS, plan.sockets, plan.rounds, memory=False),
        measure("official plugin, over sockets", OFFICIAL, plan.official, plan.rounds, memory=False),
    ]
    say(f"{'Orderings a second and core':<34}{'median':>8}{'best':>8}{'moves':>8}{'playing':>9}")
    for rate in rates:
        say(f"  {rate.name:<32}{rate.median:>8.0f}{max(rate.rates):>8.0f}{rate.moves:>8.1f}{rate.playing:>9.0%}")
    met = "met" if rates[0].median >= TARGET else "MISSED"
    say(f"Target {met}: in memory {rates[0].median:.0f} a second and core; the target is {TARGET:.0f}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
