"""Looks for orderings that break a law, and makes each as short as it gets.

Hypothesis chooses and shrinks; afterwards moves are left out one by one until none can be. A defect that is known by
then explains every longer ordering that holds its moves and breaks the same law in the same way, so that the search
goes on to the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from random import Random

import attrs
from hypothesis import HealthCheck, Phase, Verbosity, find, settings
from hypothesis.errors import NoSuchExample

from .dialect import Dialect
from .findings import Finding
from .moves import USUAL, Ordering
from .strategies import orderings

__all__ = ["Defect", "Progress", "Search"]

LENGTHS = (3, 6, 10, 16, 24)
"""Greatest numbers of moves, round by round: what few moves find is found, and made short, in little time."""
ROUND = 60
"""Orderings of a round."""
MOST = 4
"""Defects of one law and one way of breaking it, beyond which no more are looked for."""
SHRINK = 30.0
"""Seconds beyond the end of the search that making the last defect short may take."""

Play = Callable[[Ordering], list[Finding]]


@attrs.frozen
class Defect:
    """The shortest ordering that breaks a law in this way. also: what else is broken under it. tries: orderings played
    until it was found and made short."""

    finding: Finding
    ordering: Ordering
    also: tuple[Finding, ...] = ()
    tries: int = 0

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (self.finding, *self.also)

    def explains(self, finding: Finding, ordering: Ordering) -> bool:
        """Whether another finding is this defect again: the same law, broken alike, by the same moves among others."""
        if all((one.law, one.shape) != (finding.law, finding.shape) for one in self.findings):
            return False
        kinds = iter(ordering.shape)
        return all(kind in kinds for kind in self.ordering.shape)


@attrs.define
class Progress:
    """How far a search is. cpu: seconds of this process that playing and choosing took."""

    orderings: int = 0
    events: int = 0
    cpu: float = 0.0
    seconds: float = 0.0
    defects: int = 0

    @property
    def rate(self) -> float:
        """Orderings a second and core."""
        return self.orderings / self.cpu if self.cpu else 0.0


class Search:
    """One search of one target. known: defects to begin with. tell: told of the progress after each round."""

    def __init__(
        self,
        dialect: Dialect,
        play: Play,
        *,
        seed: int = 0,
        host: str = "direct",
        known: Sequence[Defect] = (),
        tell: Callable[[Progress], None] | None = None,
    ) -> None:
        self.defects: list[Defect] = list(known)
        self.progress = Progress()
        self._dialect = dialect
        self._play = play
        self._random = Random(seed)
        self._host = host
        self._tell = tell
        self._seen: dict[str, list[Finding]] = {}
        self._end = float("inf")

    def run(self, *, max_examples: int | None = None, seconds: float | None = None) -> Iterator[Defect]:
        """Search until one of the bounds is met, and yield each new defect. Without any, one round of each length."""
        began, cpu = time.perf_counter(), time.process_time()
        if max_examples is None and seconds is None:
            max_examples = ROUND * len(LENGTHS)
        self._end = began + seconds if seconds is not None else float("inf")
        turn = 0
        while time.perf_counter() < self._end and (max_examples is None or self.progress.orderings < max_examples):
            room = ROUND if max_examples is None else min(ROUND, max_examples - self.progress.orderings)
            defect = self._round(LENGTHS[turn % len(LENGTHS)], room)
            turn += defect is None
            self.progress.seconds, self.progress.cpu = time.perf_counter() - began, time.process_time() - cpu
            if defect is not None:
                self.defects.append(defect)
                self.progress.defects += 1
                yield defect
            if self._tell is not None:
                self._tell(self.progress)

    def _round(self, length: int, room: int) -> Defect | None:
        """Choose so many orderings; the first new defect, made short."""
        hunted: list[Finding] = []
        self._seen.clear()

        def breaks(ordering: Ordering) -> bool:
            if (not hunted and time.perf_counter() > self._end) or time.perf_counter() > self._end + SHRINK:
                return False
            new = self._new(self._findings(ordering), ordering)
            if not hunted:
                hunted.extend(new[:1])
            return any(_same(one, hunted[0]) for one in new) if hunted else False

        quiet = settings(
            max_examples=room, deadline=None, database=None, phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck), verbosity=Verbosity.quiet,
        )  # fmt: skip
        try:
            ordering = find(
                orderings(self._dialect, length=length, host=self._host), breaks, settings=quiet, random=self._random
            )
        except NoSuchExample:
            return None
        return self.shortest(hunted[0], ordering)

    def shortest(self, finding: Finding, ordering: Ordering) -> Defect:
        """Leave moves out, and oddities, as long as the law is still broken in the same way, and by nothing known."""

        def still(other: Ordering) -> bool:
            if time.perf_counter() > self._end + SHRINK:
                return False
            return any(_same(one, finding) for one in self._new(self._findings(other), other))

        shorter = True
        while shorter:
            shorter = False
            for name in ordering.circumstances:
                plain = attrs.evolve(ordering, **{name: USUAL[name]})
                if plain != ordering and still(plain):
                    ordering, shorter = plain, True
            for count in (4, 2, 1):
                place = 0
                while place + count <= len(ordering.moves):
                    without = ordering.without(place, count)
                    if still(without):
                        ordering, shorter = without, True
                    else:
                        place += 1
            for place, move in enumerate(ordering.moves):
                for less in move.simpler():
                    simpler = attrs.evolve(
                        ordering, moves=(*ordering.moves[:place], less, *ordering.moves[place + 1 :])
                    )
                    if still(simpler):
                        ordering, shorter = simpler, True
                        break
        findings = self._play(ordering)
        own = next((one for one in findings if _same(one, finding)), finding)
        also = tuple(one for one in findings if not _same(one, finding))
        return Defect(own, ordering, also, self.progress.orderings)

    def _findings(self, ordering: Ordering) -> list[Finding]:
        found = self._seen.get(ordering.key)
        if found is None:
            found = self._seen[ordering.key] = self._play(ordering)
            self.progress.orderings += 1
            self.progress.events += len(ordering.moves)
        return found

    def _new(self, findings: Sequence[Finding], ordering: Ordering) -> list[Finding]:
        """What no known defect explains, first the law of which least is known."""
        new = [one for one in findings if not any(known.explains(one, ordering) for known in self.defects)]
        found = [(sum(_same(one, known.finding) for known in self.defects), one) for one in new]
        return [one for count, one in sorted(found, key=lambda pair: pair[0]) if count < MOST]


def _same(one: Finding, other: Finding) -> bool:
    return (one.law, one.shape) == (other.law, other.shape)
