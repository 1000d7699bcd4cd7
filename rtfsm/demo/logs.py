"""The libraries' logs: kept from the terminal while the demo runs, and shown where they matter."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Collected", "collected_logs"]

OURS = ("rtfsm", "livekit", "asyncio")
"""Loggers, with their children, whose warnings matter."""


class Collected(logging.Handler):
    """lines: each different warning or error of the loggers that matter, once, in order; the violations of invariants
    are left out, since they are reported by themselves."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        message = " ".join(record.getMessage().split())
        if record.name.split(".")[0] not in OURS or message.startswith("invariant "):
            return
        cause = f" ({record.exc_info[0].__name__})" if record.exc_info and record.exc_info[0] else ""
        line = f"{record.name} {record.levelname}: {message}{cause}"
        self.lines[line] = self.lines.get(line, 0) + 1


@contextmanager
def collected_logs() -> Iterator[Collected]:
    """Take the place of the root logger's handlers for a while."""
    root = logging.getLogger()
    collected, before = Collected(), list(root.handlers)
    logging.captureWarnings(True)
    root.handlers[:] = [collected]
    try:
        yield collected
    finally:
        root.handlers[:] = before
        logging.captureWarnings(False)
