"""Runs of the demo in virtual time."""

from __future__ import annotations

import argparse
import contextlib
import io
import wave
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from rtfsm.demo import cli
from rtfsm.demo.outcome import Outcome
from rtfsm.testing import virtual_time
from rtfsm.testing.speech import CALLER_RATE, caller_pcm
from rtfsm.testing.wav import Samples


@attrs.frozen
class Ran:
    """The exit status and what was printed."""

    status: int
    lines: list[str]
    errors: str

    @property
    def last(self) -> str:
        return self.lines[-1]

    def summary(self, label: str) -> list[str]:
        """The summary's rows with this label."""
        start = next(number for number, line in enumerate(self.lines) if line.startswith("summary: "))
        return [line[14:] for line in self.lines[start + 1 : -1] if line[2:14].strip() == label]


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rtfsm demo")
    cli.add_arguments(parser)
    return parser.parse_args(arguments)


def demo(*arguments: str) -> Ran:
    """``rtfsm demo`` with these arguments. What a planted defect leaves behind is swept away."""
    tidy = "--plant" not in arguments

    def runner(main: Coroutine[Any, Any, Outcome]) -> Outcome:
        return virtual_time.run(main, leftover="error" if tidy else "cancel")

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cli.run(parsed(*arguments), runner=runner)
    return Ran(status, out.getvalue().splitlines(), err.getvalue())


def speech(start: float, end: float) -> Samples:
    """A piece of the shipped caller, in seconds."""
    samples = np.frombuffer(caller_pcm(), np.int16)
    return samples[round(start * CALLER_RATE) : round(end * CALLER_RATE)]


def write(path: Path, samples: Samples, *, rate: int = CALLER_RATE, channels: int = 1) -> str:
    """A WAV file with these interleaved samples; returns its path."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return str(path)
