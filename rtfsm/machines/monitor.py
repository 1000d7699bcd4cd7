"""The monitor: asks every invariant after every event, in production too."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from rtfsm.language import Effect, Emission, Event

from .invariants import EFFECT_INVARIANTS, STATE_INVARIANTS, TEXT_HAS_CHUNK, EffectInvariant
from .mirror import Mirror

if TYPE_CHECKING:
    from .conversation import Conversation

__all__ = ["Monitor", "Violation"]

logger = logging.getLogger("rtfsm")

KEPT = 100
_JUDGES: dict[type[Effect], list[EffectInvariant]] = {}
for _invariant in EFFECT_INVARIANTS:
    for _effect in _invariant.effects:
        _JUDGES.setdefault(_effect, []).append(_invariant)


@attrs.frozen
class Violation:
    """invariant: its name. detail: what was wrong. event: the type of the event after which it was."""

    invariant: str
    detail: str
    event: str


def _cause(event: Event | None) -> str:
    return type(event).__name__ if event is not None else "time"


class Monitor:
    """Collects violations. Each invariant is logged once, at ERROR; all are counted."""

    def __init__(self) -> None:
        self.mirror = Mirror()
        self.violations: list[Violation] = []
        """The first ones, in order."""
        self.counts: Counter[str] = Counter()
        """Violations by invariant."""

    def judge(self, conversation: Conversation, event: Event | None, emissions: Iterable[Emission]) -> None:
        """Judge one event: every effect in order, then the states it left."""
        self.judge_effects(event, emissions)
        self.judge_states(conversation, event)

    def judge_effects(self, event: Event | None, emissions: Iterable[Emission]) -> None:
        """Judge what was ordered, and take note of it."""
        cause = _cause(event)
        self.mirror.host_said(event)
        for emission in emissions:
            for on_effect in _JUDGES.get(type(emission.effect), ()):
                if (wrong := on_effect.check(self.mirror, emission)) is not None:
                    self.report(on_effect.name, wrong, cause)
            self.mirror.take(emission)

    def judge_states(self, conversation: Conversation, event: Event | None = None) -> None:
        """Judge the states that the conversation is in, which alone decide what is answered."""
        for on_state in STATE_INVARIANTS:
            if (wrong := on_state.check(conversation, self.mirror)) is not None:
                self.report(on_state.name, wrong, _cause(event))

    def text_closed(self, chunks: int) -> None:
        """A text stream was closed after this many non-empty chunks."""
        if (wrong := TEXT_HAS_CHUNK.check(chunks)) is not None:
            self.report(TEXT_HAS_CHUNK.name, wrong, "CloseMessage")

    def report(self, invariant: str, detail: str, event: str) -> None:
        """Count a violation."""
        if not self.counts[invariant]:
            logger.error("invariant %s is violated after %s: %s", invariant, event, detail)
        self.counts[invariant] += 1
        if len(self.violations) < KEPT:
            self.violations.append(Violation(invariant, detail, event))
