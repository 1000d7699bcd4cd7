"""Commands that the pages show: each is parsed by the program that it names, and the cheap ones of rtfsm are run."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from rtfsm.cli import main

from .pages import ROOT

__all__ = ["Run", "check_command", "is_cheap", "run_rtfsm", "same"]

OTHERS = ("git", "export", "cd")
"""Programs that are not ours, and that no page explains."""

Run = tuple[int, str]
"""Exit status and what was printed."""

ASSIGNMENT = re.compile(r"\w+=")
CHANGING = (
    (re.compile(r"\[[\d.]+ s\]"), "[0.0 s]"),
    (re.compile(r"[\d,]+ states a second"), "0 states a second"),
    (re.compile(r"\b[\d.]+ s$", re.MULTILINE), "0.0 s"),
)
"""How long something took."""


class Parsed(Exception):
    """The arguments were understood."""


def check_command(command: str, config: pytest.Config) -> None:
    """Raise AssertionError unless the program knows what it is asked to do."""
    words = shlex.split(command, comments=True)
    while words and ASSIGNMENT.match(words[0]):
        words = words[1:]
    program, *arguments = words
    checkers = {"rtfsm": check_rtfsm, "make": check_make, "pip": check_pip}
    if program in checkers:
        checkers[program](arguments)
    elif program == "pytest":
        check_pytest(arguments, config)
    elif program == "python":
        check_python(arguments)
    else:
        assert program in OTHERS, f"nobody checks the command {command!r}; teach tests/docs/commands.py to"


def check_rtfsm(arguments: list[str]) -> None:
    refused = io.StringIO()

    original = argparse.ArgumentParser.parse_args

    def parse(parser: argparse.ArgumentParser, *given: object, **named: object) -> None:
        original(parser, *given, **named)
        raise Parsed

    with (
        mock.patch.object(argparse.ArgumentParser, "parse_args", parse),
        contextlib.redirect_stderr(refused),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        try:
            if main(arguments) == 0:  # --help, --version
                return
        except Parsed:
            return
    raise AssertionError(f"rtfsm {shlex.join(arguments)}: {refused.getvalue().strip()}")


def check_make(arguments: list[str]) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for argument in arguments:
        name, is_variable, value = argument.partition("=")
        if not is_variable:
            assert name in targets, f"make has no target {name}; it has {', '.join(targets)}"
        elif name == "ARGS" and "demo" in arguments:
            check_rtfsm(["demo", *shlex.split(value)])


def check_pip(arguments: list[str]) -> None:
    assert arguments[:1] == ["install"]
    extras = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for argument in arguments[1:]:
        for named in re.findall(r"\[([\w,]+)\]", argument):
            assert set(named.split(",")) <= set(extras), f"rtfsm has no extra {named}; it has {', '.join(extras)}"


def check_pytest(arguments: list[str], config: pytest.Config) -> None:
    for argument in arguments:
        if argument.startswith("--rtfsm"):
            config.getoption(argument.partition("=")[0])


def check_python(arguments: list[str]) -> None:
    if arguments[:1] == ["-m"]:
        assert importlib.util.find_spec(arguments[1]) is not None, f"there is no module {arguments[1]}"
    else:
        assert (ROOT / arguments[0]).is_file(), f"there is no file {arguments[0]}"


def is_cheap(command: str, directory: Path) -> bool:
    """It can be run here: it draws, or is about files and modules that the page made."""
    words = shlex.split(command, comments=True)
    if words[:1] != ["rtfsm"]:
        return False
    if "svg" in words and shutil.which("dot") is None:
        assert "CI" not in os.environ, "CI must have Graphviz's dot; see .ci/run"
        return False
    given = [word for word in words[2:] if not word.startswith("-")]
    ours = [word for word in given if (directory / f"{word.partition(':')[0]}.py").exists()]
    if words[1] == "draw":
        there = [word for word in given if word.endswith(".jsonl") and not (directory / word).exists()]
        foreign = [word for word in given if ":" in word and word not in ours]
        return "--write" not in words and not there and not foreign
    if words[1] == "check":
        return bool(ours)
    return False


def run_rtfsm(command: str) -> Run:
    """Run it in this process."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        status = main(shlex.split(command, comments=True)[1:])
    return status, printed.getvalue()


def same(shown: str, printed: str) -> bool:
    """Whether a page shows what was printed: ``...`` for any lines, and times do not count."""
    for pattern, stand_in in CHANGING:
        shown, printed = pattern.sub(stand_in, shown), pattern.sub(stand_in, printed)
    wanted = "".join(_patterns(shown.rstrip("\n")))
    return re.fullmatch(wanted, printed.rstrip("\n") + "\n", flags=re.DOTALL) is not None


def _patterns(shown: str) -> Iterator[str]:
    for line in shown.split("\n"):
        yield "(?:.*\n)?" if line == "..." else f"{re.escape(line)}\n"
