"""Hand-written orderings, told again with changed tables.

A story is a test function that drives a conversation and says what must come of it. It needs no test runner here: it is
called, once for each of its parameters, and fails by raising. What it asked of which cells is noted first, with the
tables as they are: a story that never asks a changed cell would go as it went before.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs

from rtfsm.language import Composition, Driver, RtfsmError, engine_for
from rtfsm.language import Step as Taken
from rtfsm.machines import Capabilities, Timing, compose, conversation

from .mutants import Mutant

__all__ = ["PATTERNS", "Stories", "Story", "stories_below"]

PATTERNS = ("test_*_stories.py", "test_foreign_*.py")
"""Files whose tests are stories: they say what must come of an ordering, and compare with no drawing and no table."""

Asked = frozenset[tuple[str, Any, Any]]
"""(machine, state, event) of every cell that was asked, and (machine, state, None) of every state that was entered."""


@attrs.frozen
class Story:
    """name: of the test, with the number of its parameters. tell: raises where the story goes another way."""

    name: str
    tell: Callable[[], object] = attrs.field(repr=False)


def stories_below(directory: Path, patterns: Iterable[str] = PATTERNS) -> list[Story]:
    """The stories in the files of a directory, which is a package that can be imported from where it begins."""
    top = directory.resolve()
    while (top / "__init__.py").exists():
        top = top.parent
    if str(top) not in sys.path:
        sys.path.insert(0, str(top))
    files = sorted({file for pattern in patterns for file in directory.resolve().glob(pattern)})
    names = [".".join(file.relative_to(top).with_suffix("").parts) for file in files]
    return [story for name in names for story in _stories_of(importlib.import_module(name))]


def _stories_of(module: ModuleType) -> Iterator[Story]:
    for name, function in vars(module).items():
        if not name.startswith("test_") or function.__module__ != module.__name__:
            continue
        for number, given in enumerate(_parameters(function)):
            wanted = set(function.__code__.co_varnames[: function.__code__.co_argcount])
            if wanted == given.keys():  # others want something of the test runner
                yield Story(f"{module.__name__}.{name}[{number}]", _call(function, given))


def _call(function: Callable[..., object], given: dict[str, Any]) -> Callable[[], object]:
    return lambda: function(**given)


def _parameters(function: Any) -> Iterator[dict[str, Any]]:
    """The parameters that pytest's parametrize marks give, in every combination."""
    groups: list[list[dict[str, Any]]] = []
    for mark in getattr(function, "pytestmark", ()):
        if mark.name != "parametrize":
            continue
        names, values = mark.args[:2]
        names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
        groups.append([dict(zip(names, _row(value, len(names)), strict=True)) for value in values])
    for rows in itertools.product(*groups):
        yield {name: value for row in rows for name, value in row.items()}


def _row(value: Any, count: int) -> tuple[Any, ...]:
    if type(value).__name__ == "ParameterSet":  # what pytest.param makes
        return tuple(value.values)
    return (value,) if count == 1 else tuple(value)


@attrs.frozen
class Stories:
    """Stories with what each asks of the tables as they are. ``all`` in the order of their cost: quick ones first."""

    all: tuple[tuple[Story, Asked], ...]

    @classmethod
    def heard(cls, stories: Iterable[Story]) -> Stories:
        """Tell each once. Raises whatever a story raises: with the tables as they are, all must go well."""
        told = [(story, *_listen(story)) for story in stories]
        return cls(tuple((story, asked) for story, asked, _ in sorted(told, key=lambda one: one[2])))

    def against(self, mutant: Mutant) -> str | None:
        """The name of a story that goes another way with the mutant; None where none does."""
        cell = (mutant.machine, mutant.state, mutant.event)
        concerned = [story for story, asked in self.all if cell in asked]
        if not concerned:
            return None
        with _tables(mutant):
            for story in concerned:
                try:
                    story.tell()
                except Exception:
                    return story.name
        return None


def _listen(story: Story) -> tuple[Asked, int]:
    asked: set[tuple[str, Any, Any]] = set()
    steps = 0

    def note(_: Driver, taken: Taken) -> None:
        nonlocal steps
        steps += 1
        name = taken.instance.machine.name
        asked.add((name, taken.before, type(taken.event)))
        asked.add((name, taken.after, None))
        asked.add((name, taken.instance.machine.initial, None))

    with Driver.witnessed(note):
        story.tell()
    return frozenset(asked), steps


@contextlib.contextmanager
def _tables(mutant: Mutant) -> Iterator[None]:
    """Conversations made meanwhile run the mutant, over every wire that has its cell and for which it is declared."""

    @cache
    def composed(wire: Capabilities, timing: Timing, retries: int) -> Composition:
        try:
            return compose(wire, timing, retries, exchange=mutant.apply)
        except RtfsmError:
            return compose(wire, timing, retries)

    usual = conversation._composed
    conversation._composed = composed
    try:
        yield
    finally:
        conversation._composed = usual
        engine_for.cache_clear()  # engines of tables that nobody runs again
