"""LiveKit waits for an answer to a tool's output, and is let go when none comes: an empty generation is announced.

LiveKit (livekit-agents 1.8.9) skips what is announced while another agent takes over, and drops from its queue what it
interrupts there. Then it waits on, and the agent is thinking for ever; so what was lost in this way is announced again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .streams import HostGeneration

__all__ = ["Waiting"]

QUEUED = 0.05
"""Seconds within which LiveKit has taken what is announced from its queue, unless a request of its own is before it."""


class Waiting:
    """announce: tells the host of a generation. busy: whether one is open; LiveKit takes one at a time, and that one
    lets it go. asked: whether requests of the host's are under way, which LiveKit has in its queue before anything that
    it did not ask for. over: whether the conversation has ended."""

    def __init__(
        self,
        announce: Callable[[HostGeneration], None],
        *,
        busy: Callable[[], bool],
        asked: Callable[[], bool],
        over: Callable[[], bool],
    ) -> None:
        self._announce, self._busy, self._asked, self._over = announce, busy, asked, over
        self._loop = asyncio.get_running_loop()
        self._soon: asyncio.Handle | None = None
        self._answer_due = False
        """No answer was heard yet to an output that wants one."""
        self._queued_since: float | None = None
        """When LiveKit was let go; None once it must have taken note, and where it was let go for the second time."""
        self._again = False
        self._unasked: HostGeneration | None = None
        """What was announced last without having been asked for."""

    def output_given(self) -> None:
        """An output that wants an answer was handed over."""
        self._answer_due = True

    def announced(self, generation: HostGeneration, *, asked: bool) -> None:
        """The provider's answer, or another turn of its, is announced."""
        self._queued_since = None
        if not asked:
            self._unasked = generation

    def heard(self) -> None:
        """LiveKit began to play it: that is an answer."""
        self._answer_due = False

    def ended(self, *, cut: bool) -> None:
        """A generation has ended. LiveKit drops one that is cut while it is queued, which then was no answer."""
        if not cut:
            self._answer_due = False
        elif self._answer_due:
            self.let_go_soon()

    def handed_over(self) -> None:
        """Another agent takes over; LiveKit skips what is announced meanwhile."""
        if self._unasked is not None and not self._unasked.taken:
            self.let_go_soon()

    def interrupted(self) -> None:
        """LiveKit interrupts, and drops what still waits in its queue. What let it go is announced again, once: a host
        that interrupts whatever is announced must come to an end."""
        if self._queued_since is not None and (self._asked() or self._loop.time() - self._queued_since < QUEUED):
            self._again = True
            self.let_go_soon()
        self._queued_since = None

    def let_go(self) -> None:
        """No answer will come."""
        self.end()
        again, self._again = self._again, False
        if self._busy():
            return
        self._answer_due = False
        self._queued_since = None if again else self._loop.time()
        empty = self._unasked = HostGeneration("empty", user_initiated=False)
        empty.seal()
        self._announce(empty)

    def let_go_soon(self) -> None:
        """The same once the call that is under way has returned: until then LiveKit would skip it."""
        if self._soon is None and not self._over():
            self._soon = self._loop.call_soon(self.let_go)

    def end(self) -> None:
        """Nobody is to be let go any more."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
