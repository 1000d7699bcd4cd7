"""A running instance of a machine, and the records of what happened to it."""

from __future__ import annotations

from typing import Any

import attrs

from .cells import Arm
from .events import Effect, Event
from .machine import Machine
from .timers import Timer

__all__ = ["Emission", "Instance", "Step"]


class Instance:
    """One instance. ``state`` and ``context`` are written by the engine alone, the rest by the driver.

    alive: it has begun and not ended; the driver's own note of what its state says. id: unique among the instances of
    its machine. link: id of the instance of another machine that it belongs to, or None. part: id of the part of it
    that is open on the wire (the open message of a generation), or None. past: ids of its parts that are complete.
    situation: for whoever numbers (state, context) pairs, -1 otherwise. steady: for event types that change nothing
    now, the effects and the arm, looked up instead of dispatched.
    """

    __slots__ = (
        "alive",
        "armed_at",
        "context",
        "entered_at",
        "id",
        "link",
        "machine",
        "part",
        "past",
        "situation",
        "state",
        "steady",
        "timer",
    )

    def __init__(self, machine: Machine, id: str, context: Any, link: str | None = None) -> None:
        self.machine = machine
        self.id = id
        self.state: Any = machine.initial
        self.context = context
        self.alive = False
        self.link = link
        self.part: str | None = None
        self.past: set[str] = set()
        self.situation = -1
        self.timer: Timer | None = None
        self.entered_at = 0.0
        self.armed_at = 0.0
        self.steady: dict[type[Event], tuple[tuple[Effect, ...], Arm]] = {}

    @property
    def deadline(self) -> float | None:
        """When the timer of its state runs out, on the driver's clock; None where it rests."""
        if self.timer is None:
            return None
        due = self.armed_at + self.timer.seconds
        return due if self.timer.cap is None else min(due, self.entered_at + self.timer.cap)

    def __repr__(self) -> str:
        return f"<{self.machine.name} {self.id} {self.state.name}>"


@attrs.frozen
class Emission:
    """An effect to carry out: ordered by ``instance`` when it took ``event``, which carries the words and ids."""

    effect: Effect
    instance: Instance
    event: Event


@attrs.frozen
class Step:
    """One event taken by one instance; what observers are told."""

    time: float
    instance: Instance
    event: Event
    arm: Arm
    before: Any
    after: Any
