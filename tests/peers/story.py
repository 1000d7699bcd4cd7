"""A story: an ordering of events, what a correct plugin makes of it, and how to tell whether it did."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs

from rtfsm.testing.virtual_time import LeftBehind, run

from .plugins import OURS, Plugin
from .stage import NotPlayed, Stage

__all__ = ["STORIES", "Expect", "Story", "Verdict", "at_least", "at_most", "judged", "no_more_than", "story", "without"]

Seen = dict[str, Any]
"""What was observed, in words that a reader understands without the code."""

LIMIT = 600.0
"""Virtual seconds that a story may take."""


@attrs.frozen
class Expect:
    """What is right where more than one value is."""

    words: str
    holds: Callable[[Any], bool]

    def __str__(self) -> str:
        return self.words


def at_most(most: float) -> Expect:
    return Expect(f"at most {most:g}", lambda value: value is not None and value <= most)


def at_least(least: float) -> Expect:
    return Expect(f"at least {least:g}", lambda value: value is not None and value >= least)


def no_more_than(seconds: float) -> Expect:
    """A time that passed; None stands for "never"."""
    return Expect(f"within {seconds:g} s", lambda value: value is not None and value <= seconds)


def without(word: str) -> Expect:
    return Expect(f"no {word!r} in it", lambda value: word not in str(value))


@attrs.frozen
class Story:
    """name: what happened. ordering: which events, in words. right: observation -> the right value, or an Expect.

    play: brings the ordering about on a stage and returns what it saw, one value for each key of ``right``.
    """

    name: str
    group: str
    ordering: str
    right: Mapping[str, Any]
    play: Callable[[Stage], Awaitable[Seen]]

    @property
    def title(self) -> str:
        return _words(self.name)


@attrs.frozen
class Verdict:
    """What a plugin made of a story. wrong: keys of ``seen`` that are not right. besides: what went wrong on the way
    (log lines, protocol errors, tasks that were left). error: the ordering did not come about."""

    story: Story
    plugin: str
    seen: Seen
    wrong: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    error: str | None = None

    @property
    def holds(self) -> bool:
        return self.error is None and not self.wrong and not self.besides


STORIES: list[Story] = []
"""All stories, in the order in which they were told."""


def _is_right(right: object, value: object) -> bool:
    return right.holds(value) if isinstance(right, Expect) else value == right


def judged(told: Story, plugin: Plugin) -> Verdict:
    """Play a story with a plugin, in virtual time."""
    stage, found = Stage(plugin), list[Seen]()

    async def main() -> None:
        found.append(await told.play(stage))

    error: str | None = None
    try:
        run(main(), limit=LIMIT)
    except LeftBehind as left:
        # Without numbers of tasks and places in the source, which are others each time.
        lines = (re.sub(r"Task-\d+: | at /\S+", "", line.strip(" -")) for line in str(left).splitlines())
        stage.besides.append("left behind: " + "; ".join(line for line in lines if not line.endswith(":")))
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
        if plugin is OURS and not isinstance(raised, NotPlayed):
            raise
    seen = found[0] if found else {}
    if error is None and not stage.required:
        error = "nothing makes sure that the ordering came about"
    if error is None and set(seen) != set(told.right):
        error = f"what was seen, {sorted(seen)}, is not what is to be judged, {sorted(told.right)}"
    wrong = () if error else tuple(key for key, right in told.right.items() if not _is_right(right, seen[key]))
    return Verdict(told, plugin.name, seen, wrong, tuple(stage.besides), error)


def complaint(verdict: Verdict) -> str:
    """What is wrong with it, for whoever reads a failed test."""
    lines = [f"{key}: {verdict.seen[key]!r}, and right is {verdict.story.right[key]}" for key in verdict.wrong]
    lines += [f"besides: {what}" for what in verdict.besides]
    lines += [] if verdict.error is None else [f"the ordering did not come about: {verdict.error}"]
    return "\n".join([verdict.story.ordering, *lines])


def story(**right: Any) -> Callable[[Callable[[Stage], Awaitable[Seen]]], Callable[[], None]]:
    """Tell a story: its docstring is the ordering, its keywords are what is right (one underscore is a blank, two are
    a comma).

    What comes back is a test that plays it with our plugin.
    """

    def tell(play: Callable[[Stage], Awaitable[Seen]]) -> Callable[[], None]:
        name = getattr(play, "__name__", "").removeprefix("test_")
        group = play.__module__.rpartition(".")[2].removeprefix("test_")
        keys = {_words(key): value for key, value in right.items()}
        ordering = " ".join((inspect.getdoc(play) or "").split())

        async def seen(stage: Stage) -> Seen:
            return {_words(key): value for key, value in (await play(stage)).items()}

        told = Story(name, group, ordering, keys, seen)
        STORIES.append(told)

        def test() -> None:
            verdict = judged(told, OURS)
            assert verdict.holds, complaint(verdict)

        return _named(test, play)

    return tell


def _words(key: str) -> str:
    return re.sub(r"(?<=[a-z]) s\b", "'s", key.replace("__", ", ").replace("_", " "))


def _named(test: Callable[[], None], play: Callable[..., Any]) -> Callable[[], None]:
    # Not functools.wraps: pytest would look at the arguments of what is wrapped.
    test.__name__, test.__qualname__ = play.__name__, play.__qualname__
    test.__module__, test.__doc__ = play.__module__, play.__doc__
    return test
