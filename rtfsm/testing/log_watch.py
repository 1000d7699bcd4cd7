"""Watches what LiveKit and asyncio log: a session can go on after a defect, but it does not go on in silence."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import TracebackType

LOGGERS = ("livekit.agents", "asyncio")
BAD_WARNINGS = (
    "skipping new realtime generation",
    "playback_finished called before",
    "Task was destroyed",
)
"""Warnings of livekit-agents 1.8.9 and asyncio that mean lost speech, a lost transcript, a lost task."""


class LogWatch(logging.Handler):
    """While entered, collects every ERROR, and every WARNING that means a defect.

    Args:
        loggers: names of the loggers to listen to, with their children.
        warnings: parts of those warnings that count.
        allowed: parts of messages that a test provokes on purpose: they do not count.
    """

    def __init__(
        self,
        *,
        loggers: Sequence[str] = LOGGERS,
        warnings: Sequence[str] = BAD_WARNINGS,
        allowed: Sequence[str] = (),
    ) -> None:
        super().__init__(logging.WARNING)
        self.violations: list[str] = []
        """One line each: logger, level, message and the type of the exception."""
        self._loggers = [logging.getLogger(name) for name in loggers]
        self._warnings = tuple(warnings)
        self._allowed = tuple(allowed)

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if any(part in message for part in self._allowed):
            return
        if record.levelno >= logging.ERROR or any(part in message for part in self._warnings):
            error = record.exc_info[0] if record.exc_info else None
            cause = f" ({error.__name__})" if error else ""
            self.violations.append(f"{record.name} {record.levelname}: {message}{cause}")

    def assert_silent(self) -> None:
        """Raise AssertionError with every violation."""
        if self.violations:
            raise AssertionError("\n  - ".join(["the log shows defects:", *self.violations]))

    def __enter__(self) -> LogWatch:
        for logger in self._loggers:
            logger.addHandler(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for logger in self._loggers:
            logger.removeHandler(self)
