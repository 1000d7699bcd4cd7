"""A clock that moves only when it is told to, in the place of those of the ``time`` module."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Monotonic clocks do not start at zero: programs use zero for "never".
_UPTIME_NS = 1_000_000_000_000
_NAMES = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")


class VirtualClock:
    """Counts integer nanoseconds: fifty steps of 0.02 s are a whole second. ``start`` is the first ``time()``."""

    def __init__(self, start: float) -> None:
        self._start = round(start * 1e9)
        self._elapsed = 0
        self._last_count = 0

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._elapsed += round(seconds * 1e9)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._elapsed / 1e9

    def time_ns(self) -> int:
        return self._start + self._elapsed

    def time(self) -> float:
        return self.time_ns() / 1e9

    def monotonic_ns(self) -> int:
        return _UPTIME_NS + self._elapsed

    def monotonic(self) -> float:
        return self.monotonic_ns() / 1e9

    def perf_counter_ns(self) -> int:
        # Never the same twice: livekit-agents 1.8.9 breaks ties in its speech queue with this
        # counter, and tries again for as long as two readings are equal.
        self._last_count = max(self.monotonic_ns(), self._last_count + 1)
        return self._last_count

    def perf_counter(self) -> float:
        return self.perf_counter_ns() / 1e9

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Be the clock of the whole process: what reads ``time.time()`` and its like, in any thread, reads this one."""
        global _installed
        real = {name: getattr(time, name) for name in _NAMES}
        try:
            _installed = self
            for name, function in real.items():
                setattr(time, name, _forwarder(name, function))
            yield
        finally:
            _installed = None
            for name, function in real.items():
                setattr(time, name, function)


_installed: VirtualClock | None = None


def _forwarder(name: str, real: Callable[[], float]) -> Callable[[], float]:
    """A module first imported during a run may keep this function: it must tell the right time ever after."""

    def read() -> float:
        value: float = getattr(_installed, name)() if _installed is not None else real()
        return value

    read.__name__ = name
    return read
