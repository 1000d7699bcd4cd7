"""What a probe is: one demand of the contract, and the check that tells whether a session keeps it."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

import attrs
from livekit.agents import llm

if TYPE_CHECKING:
    from .scene import Scene
    from .witness import Witness

__all__ = [
    "Book", "Broken", "Clause", "NotApplicable", "NotExercised", "Outcome", "Probe", "Result", "Story", "demand",
]  # fmt: skip


class Outcome(enum.Enum):
    """How a probe ended. NOT_EXERCISED: what it judges did not happen, so nothing is known; never a success."""

    HELD = "held"
    BROKEN = "broken"
    NOT_APPLICABLE = "not applicable"
    NOT_EXERCISED = "not exercised"


class Broken(Exception):
    """The session breaks the clause. The message says what was expected and what was seen, never what was spoken."""


class NotApplicable(Exception):
    """The clause asks nothing of this model; the message says why."""


class NotExercised(Exception):
    """What the probe judges did not happen; the message says what was missing."""


def demand(fact: object, otherwise: str) -> None:
    """Raise Broken unless the fact is so."""
    if not fact:
        raise Broken(otherwise)


Story = Callable[["Scene"], Awaitable[None]]
"""Something that happens between a session, its host and its provider."""
Judge = Callable[["Witness"], Iterator[str]]
"""Yields a line for each thing that is wrong. Raises NotExercised where there was nothing to judge."""
Needs = Callable[[llm.RealtimeCapabilities], str]
"""Why the clause asks nothing of a model with these capabilities; empty where it does."""


@attrs.frozen
class Clause:
    """One clause of what livekit-agents 1.8.9 expects of a realtime session.

    why_no_probe: set where no adapter can break it, and says why.
    """

    number: int
    text: str
    why_no_probe: str = ""


@attrs.frozen
class Result:
    """How one probe ended for one model."""

    probe: str
    outcome: Outcome
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.probe}: {self.outcome.value}" + (f" ({self.detail})" if self.detail else "")


@attrs.frozen
class Probe:
    """One demand. clause: the number of its clause. name: short and stable. text: what is demanded.

    story: what is made to happen. judge: None for a drill, whose story demands by itself. With a judge the probe is a
    watch: the judge tells what is wrong in whatever a Witness saw, under any ordering; the story is one ordering in
    which it has something to judge.
    """

    clause: int
    name: str
    text: str
    story: Story = attrs.field(repr=False)
    judge: Judge | None = attrs.field(default=None, repr=False)
    needs: Needs | None = attrs.field(default=None, repr=False)

    @property
    def is_watch(self) -> bool:
        return self.judge is not None

    def not_applicable(self, capabilities: llm.RealtimeCapabilities) -> str:
        """Why the clause asks nothing of such a model; empty where it does."""
        return self.needs(capabilities) if self.needs is not None else ""


class Book:
    """The probes of one subject, in the order in which they are written down."""

    def __init__(self) -> None:
        self.probes: list[Probe] = []

    def drill(self, clause: int, name: str, text: str, *, needs: Needs | None = None) -> Callable[[Story], Story]:
        """The decorated story makes its own demands."""

        def add(story: Story) -> Story:
            self.probes.append(Probe(clause, name, text, story, None, needs))
            return story

        return add

    def watch(
        self, clause: int, name: str, text: str, *, story: Story, needs: Needs | None = None
    ) -> Callable[[Judge], Judge]:
        """The decorated judge looks at what was seen; ``story`` gives it something to see."""

        def add(judge: Judge) -> Judge:
            self.probes.append(Probe(clause, name, text, story, judge, needs))
            return judge

        return add
