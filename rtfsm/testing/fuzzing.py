"""Fuzzes the order of events against a realtime model, from a test or a script.

    report = fuzz("my_plugin.realtime:RealtimeModel", provider="phonic", seed=7, max_examples=300)
    report.assert_clean()

An ordering that was found once is a test of its own:

    ordering = Ordering((Move("server", "user_started_speaking"), Move("wire", "drop")))
    assert_ordering_holds("my_plugin.realtime:RealtimeModel", ordering, provider="phonic")
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import attrs
from livekit.agents import llm

from rtfsm.fuzz.dialect import Dialect
from rtfsm.fuzz.dialects import find_dialect
from rtfsm.fuzz.findings import Finding
from rtfsm.fuzz.moves import Move, Ordering
from rtfsm.fuzz.play import play
from rtfsm.fuzz.report import lines_of, ordering_lines, rate
from rtfsm.fuzz.search import Defect, Progress, Search
from rtfsm.fuzz.store import Saved, Store
from rtfsm.fuzz.strategies import check_host
from rtfsm.fuzz.target import Target, load_target
from rtfsm.targets import UsageError

__all__ = ["FuzzReport", "Move", "Ordering", "assert_ordering_holds", "fuzz", "play_ordering"]

Factory: TypeAlias = str | Callable[..., llm.RealtimeModel]
"""``module:Factory``, or the class or function itself; called with ``base_url`` and ``api_key`` where it takes them."""


@attrs.frozen
class FuzzReport:
    """What a search found, and how much it played.

    target: its name. seed: of the search. failures: what is wrong, each with its shortest ordering; saved ones that are
    still so come first. known: how many of these were saved before. healed: saved failures that are none any more.
    store: where the failures are, None where they were not kept. progress: how much was played, saved ones left out.
    """

    target: str
    seed: int
    failures: tuple[Saved, ...]
    known: int
    healed: tuple[Saved, ...]
    progress: Progress
    store: Store | None = attrs.field(default=None, repr=False)

    @property
    def laws(self) -> tuple[str, ...]:
        """Names of the laws that are broken, each once."""
        return tuple(dict.fromkeys(one.defect.finding.law for one in self.failures))

    def path(self, failure: Saved) -> Path:
        """The file of a failure, as one writes it here. Raises ValueError where failures were not kept."""
        if self.store is None:
            raise ValueError("the failures were not kept; give fuzz() a store")
        path = self.store.path(failure)
        here = Path.cwd()
        return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path

    def assert_clean(self) -> None:
        """Raise AssertionError with every failure: what was expected, what was seen, and the shortest ordering."""
        __tracebackhide__ = True
        if self.failures:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        count = len(self.failures)
        what = f"{count} failure{'' if count == 1 else 's'}" + (f", {self.known} of them known" if self.known else "")
        lines = [f"{self.target}: {what if count else 'nothing found'}; {rate(self.progress)}; seed {self.seed}"]
        for number, one in enumerate(self.failures, 1):
            lines += ["", *self._lines(one, number)]
        lines += [f"healed: {one.id}" for one in self.healed]
        lines += [f"left alone: {why}" for why in ([] if self.store is None else self.store.unread())]
        return "\n".join(lines)

    def _lines(self, one: Saved, number: int) -> Sequence[str]:
        if self.store is not None:
            return list(lines_of(one, number, self.path(one)))
        finding = f"{number}. {one.defect.finding}"
        return [finding, *(f"   {line}" for line in ordering_lines(one.defect.ordering))]


def fuzz(
    target: Factory,
    *,
    provider: str | Dialect | None = None,
    host: str = "direct",
    seed: int = 0,
    max_examples: int | None = None,
    seconds: float | None = None,
    store: str | os.PathLike[str] | None = None,
    memory: bool = True,
) -> FuzzReport:
    """Look for orderings of events that a model does not survive, and make each as short as it gets.

    Args:
        target: the model, or what makes it.
        provider: what it speaks, ``phonic``, ``openai`` or ``module:NAME``; None where that is known by the target's
            package.
        host: who calls its sessions: ``direct``, or a real AgentSession (``agent``).
        seed: the same seed tries the same orderings, as long as the model answers alike.
        max_examples: how many orderings to play; 300 where ``seconds`` is not given either.
        seconds: how long to search; what is reached first counts. Making the last failure short may take half a minute
            more.
        store: a folder of failures, such as ``.rtfsm``. Those of this target are played first; one that holds by now is
            healed, and its file goes. What is found is saved there.
        memory: without sockets, where the target can: it is one of rtfsm's own.

    Raises UsageError for a target that cannot be used, for a provider or a host that is none, and for a dialect or a
    target without a name where there is a store. Not for inside a running event loop: it runs loops of its own.
    """
    check_host(host)
    found, dialect = _loaded(target, provider)
    name = provider if isinstance(provider, str) else dialect.name
    kept = None if store is None else Store(Path(store))
    if kept is not None and (not isinstance(provider, str | None) or "<" in found.name):
        raise UsageError("what is saved is replayed by name: give the target, and the provider, as module:NAME")

    def tried(ordering: Ordering) -> list[Finding]:
        return play(dialect, found, ordering, host=host, memory=memory)

    failures: list[Saved] = []
    healed: list[Saved] = []
    with _nobody_listening():
        if kept is not None:
            for one in kept.saved(found.name, name, host):
                still = _again(one, tried)
                if still is None:
                    kept.heal(one)
                    healed.append(one)
                else:
                    failures.append(still)
        known = len(failures)
        search = Search(dialect, tried, seed=seed, host=host, known=[one.defect for one in failures])
        for defect in search.run(max_examples=max_examples, seconds=seconds):
            failures.append(Saved(found.name, name, host, memory, defect))
            if kept is not None:
                kept.save(failures[-1])
    return FuzzReport(found.name, seed, tuple(failures), known, tuple(healed), search.progress, kept)


def play_ordering(
    target: Factory,
    ordering: Ordering,
    *,
    provider: str | Dialect | None = None,
    host: str = "direct",
    memory: bool = True,
) -> list[Finding]:
    """What is wrong with a model under one ordering, in virtual time; empty where nothing is.

    See :func:`fuzz` for the arguments and for what it raises.
    """
    check_host(host)
    found, dialect = _loaded(target, provider)
    return play(dialect, found, ordering, host=host, memory=memory)


def assert_ordering_holds(
    target: Factory,
    ordering: Ordering,
    *,
    provider: str | Dialect | None = None,
    host: str = "direct",
    memory: bool = True,
) -> None:
    """Play one ordering. Raises AssertionError with everything that is wrong under it, and the ordering.

    See :func:`fuzz` for the arguments and for what else it raises.
    """
    __tracebackhide__ = True
    findings = play_ordering(target, ordering, provider=provider, host=host, memory=memory)
    if findings:
        count = len(findings)
        title = f"{_target(target).name}: {count} thing{' is' if count == 1 else 's are'} wrong under this ordering"
        moves = "\n  ".join(ordering_lines(ordering)).removeprefix("shortest ")
        raise AssertionError("\n  ".join([title, *map(str, findings), moves]))


def _again(saved: Saved, tried: Callable[[Ordering], list[Finding]]) -> Saved | None:
    """A saved failure as it is now; None where it is none any more."""
    findings = tried(saved.defect.ordering)
    own = next((one for one in findings if one == saved.defect.finding), None)
    if own is None:
        return None
    also = tuple(one for one in findings if one is not own)
    return attrs.evolve(saved, defect=Defect(own, saved.defect.ordering, also))


@contextmanager
def _nobody_listening() -> Iterator[None]:
    """Take the root's log handlers away: the lines of a thousand conversations would bury what was found."""
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, [logging.NullHandler()]
    try:
        yield
    finally:
        root.handlers = handlers


def _loaded(target: Factory, provider: str | Dialect | None) -> tuple[Target, Dialect]:
    found = _target(target)
    if provider is None or isinstance(provider, str):
        return found, find_dialect(provider, found.name)
    return found, provider


def _target(target: Factory) -> Target:
    if isinstance(target, str):
        return load_target(target)
    if not callable(target):
        raise UsageError(f"the target is a {type(target).__name__}; give module:Factory, or what makes a model")
    return Target(f"{target.__module__}:{getattr(target, '__qualname__', type(target).__name__)}", target)
