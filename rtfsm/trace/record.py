"""The recorder: one line of JSON for each step of each machine."""

from __future__ import annotations

import json
import logging
import os
import time
from enum import Enum
from types import TracebackType
from typing import Any, TextIO

import attrs

import rtfsm
from rtfsm.language import Driver, Event, Step

__all__ = ["FORMAT", "VERSION", "Recorder"]

logger = logging.getLogger("rtfsm")

FORMAT = "rtfsm-trace"
VERSION = 1
"""Grows when a reader of the former version would misunderstand a recording; further keys do not count."""


class Recorder:
    """Writes a recording: a header line, then a line for each event that an instance took.

        with Recorder("call.jsonl") as recorder:
            recorder.attach(session.conversation)
            ...

    The keys of a step: ``time`` (seconds since the start), ``machine``, ``instance``, ``event`` (its type), ``arm``
    (number of the arm in its machine), ``before``, ``after``, ``effects``, and where there are any ``reason`` (an
    ignored event), ``words`` and ``bytes`` (how much speech the event carried), ``seconds`` (how long its words last)
    and ``with`` (the event's bools and Enums). What was said is never written.

    A recording must not harm what it records: if the file cannot be written any more, that is logged once, ``failed``
    tells why, and the rest is left out.

    Args:
        target: a path, whose file is replaced, or a text file, which stays the caller's to close.

    Raises OSError if the path cannot be written.
    """

    def __init__(self, target: str | os.PathLike[str] | TextIO) -> None:
        self._file: TextIO
        self._ours = isinstance(target, (str, os.PathLike))
        if isinstance(target, (str, os.PathLike)):
            # Line by line, so that a process that dies leaves whole lines behind.
            self._file = open(target, "w", encoding="utf-8", buffering=1)  # noqa: SIM115
        else:
            self._file = target
        self.steps = 0
        """How many steps were written."""
        self.failed: Exception | None = None
        self._driver: Driver | None = None
        self._began: float | None = None

    def attach(self, driver: Driver) -> None:
        """Record this driver from now on. Raises ValueError if the recorder has one already."""
        if self._driver is not None:
            raise ValueError("a recording is of one conversation; make another Recorder for the next one")
        self._driver = driver
        self._began = driver.now or None
        machines = {one.name: [state.name for state in one.states] for one in driver.composition.machines}
        header = {
            "format": FORMAT,
            "version": VERSION,
            "rtfsm": rtfsm.__version__,
            "started": round(time.time(), 3),
            "machines": machines,
        }
        self._write(header)
        driver.observe(self._step)

    def close(self) -> None:
        """End the recording; steps that still come are left out."""
        if self.failed is None:
            self.failed = ValueError("the recorder is closed")
        if self._ours:
            self._file.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _step(self, step: Step) -> None:
        if self._began is None:
            self._began = step.time
        line: dict[str, Any] = {
            "time": round(step.time - self._began, 6),
            "machine": step.instance.machine.name,
            "instance": step.instance.id,
            "event": type(step.event).__name__,
            "arm": step.arm.index,
            "before": step.before.name,
            "after": step.after.name,
            "effects": [type(effect).__name__ for effect in step.arm.effects],
        }
        if step.arm.reason is not None:
            line["reason"] = step.arm.reason.name
        line.update(amounts(step.event))
        self._write(line)
        self.steps += 1

    def _write(self, line: dict[str, Any]) -> None:
        if self.failed is not None:
            return
        try:
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        except (OSError, ValueError) as error:  # ValueError: the caller closed the file
            self.failed = error
            logger.warning("the recording cannot be written any more (%s); it ends here", type(error).__name__)


def amounts(event: Event) -> dict[str, Any]:
    """How much an event carries, and its bools and Enums. Of a text that may hold speech, the number of its words."""
    found: dict[str, Any] = {}
    finite: dict[str, str | bool] = {}
    for field in attrs.fields(type(event)):
        value = getattr(event, field.name)
        if isinstance(value, bool):
            finite[field.name] = value
        elif isinstance(value, Enum):
            finite[field.name] = value.name
        elif isinstance(value, bytes):
            found["bytes"] = found.get("bytes", 0) + len(value)
        elif isinstance(value, str) and not field.repr:
            found["words"] = found.get("words", 0) + len(value.split())
        elif isinstance(value, float) and field.name == "seconds":
            found["seconds"] = round(value, 6)
    return {**found, "with": finite} if finite else found
