"""The live picture in a terminal."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from rtfsm.demo.board import Board
from rtfsm.demo.caller import own
from rtfsm.demo.expectations import expected_of_own_voice
from rtfsm.demo.logs import collected_logs
from rtfsm.demo.scenario import Plan, hold_demo
from rtfsm.demo.script import dialogue_for
from rtfsm.demo.view import Lines, Screen, view_for
from rtfsm.testing import virtual_time

from .runs import speech, write


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("width", "height"), [(100, 30), (80, 24), (160, 50)])
def test_the_picture_fits_the_terminal_and_shows_what_happens(tmp_path: Path, width: int, height: int) -> None:
    voice = own(write(tmp_path / "own.wav", speech(0.5, 2.3)))
    board = Board("rtfsm demo", expected_of_own_voice(1))
    console = Console(file=Terminal(), force_terminal=True, width=width, height=height)
    seen: list[list[str]] = []
    screen = Screen(board, console)

    def show() -> None:
        screen.update()
        plain = Console(file=io.StringIO(), width=width, height=height, force_terminal=False)
        plain.print(screen.picture())
        file = plain.file
        assert isinstance(file, io.StringIO)
        seen.append(file.getvalue().splitlines())

    async def main() -> None:
        plan = Plan(voice, dialogue_for(voice))
        with collected_logs() as logs:
            outcome = await hold_demo(plan, board, show, logs)
        assert outcome.good

    virtual_time.run(main())
    screen.close()
    last = "\n".join(seen[-1])

    assert {len(frame) for frame in seen} == {min(29, height - 1)}, "a picture of one size does not flicker"
    assert max(len(line) for frame in seen for line in frame) <= width
    assert any("SPEAKING 3" in line for frame in seen for line in frame), "a generation is seen in its state"
    assert "✓ utterance 1 is answered" in last
    assert "(utterance 1)" in last
    assert "I heard you speak for 1.1" in last
    assert "violations 0" in last


def test_lines_are_printed_where_no_terminal_is() -> None:
    assert isinstance(view_for(Board("rtfsm demo"), io.StringIO()), Lines)


def test_a_terminal_that_is_too_small_or_too_dumb_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "30")
    assert isinstance(view_for(Board("rtfsm demo"), Terminal()), Lines)

    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(view_for(Board("rtfsm demo"), Terminal()), Lines)
