"""`rtfsm draw`: formats, levels, files."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtfsm.cli import main
from rtfsm.draw import Level, composition_picture, dot, flowchart, mermaid, picture
from rtfsm.machines import compose
from rtfsm.profiles import OPENAI, PHONIC
from tests.draw.door import HALL

MACHINES = {machine.name: machine for machine in compose(PHONIC).machines}


@pytest.mark.parametrize("level", list(Level))
def test_a_level_is_that_of_the_library(level: Level, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "reply", "--level", level.value]) == 0
    assert capsys.readouterr().out == mermaid(MACHINES["reply"], level)
    assert main(["draw", "reply", "--level", level.value, "--format", "dot"]) == 0
    assert capsys.readouterr().out == dot(picture(MACHINES["reply"], level))


def test_a_composition_is_drawn_in_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = composition_picture(compose(OPENAI))
    assert main(["draw", "composition", "--profile", "openai"]) == 0
    assert capsys.readouterr().out == flowchart(drawn)
    assert main(["draw", "composition", "--profile", "openai", "--format", "dot"]) == 0
    assert capsys.readouterr().out == dot(drawn)
    assert main(["draw", "composition", "--format", "table"]) == 0
    out = capsys.readouterr().out
    assert "| user_turn | `CutAgent` | `UserCut` | generation |\n" in out
    assert "| | where it holds: floor free | `FloorFree` | user_turn |\n" in out
    assert main(["draw", "composition", "--format", "json"]) == 0
    assert '"name": "floor free"' in capsys.readouterr().out


def test_a_composition_of_ones_own_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "tests.draw.door:HALL"]) == 0
    assert capsys.readouterr().out == flowchart(composition_picture(HALL))
    assert main(["draw", "tests.draw.door:HALL", "--level", "full"]) == 2
    assert "leave out --level" in capsys.readouterr().err


def test_all_machines_go_to_a_directory_and_one_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    into = tmp_path / "new" / "pictures"
    assert main(["draw", "all", "--format", "dot", "-o", str(into)]) == 0
    assert {path.name for path in into.iterdir()} == {f"{name}.dot" for name in MACHINES}
    assert main(["draw", "reply", "-o", str(into)]) == 0
    assert (into / "reply.mmd").read_text(encoding="utf-8") == mermaid(MACHINES["reply"])
    assert main(["draw", "reply", "-o", str(tmp_path / "one.txt")]) == 0
    assert (tmp_path / "one.txt").read_text(encoding="utf-8") == mermaid(MACHINES["reply"])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--format", "svg"], "an SVG file holds one picture; name one machine, or a directory with --output"),
        (["reply", "--format", "table", "--level", "events"], "a table has every cell; leave out --level"),
        (["composition", "--level", "full"], "this has no meaning for composition; leave out --level"),
        (["all", "-o", "FILE"], "cannot write to"),
        (["reply", "-o", "FILE/below"], "cannot write to"),
        (["--write", "x", "--level", "full"], "--write and --check are about all drawings; leave out --level"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: list[str], said: str
) -> None:
    (tmp_path / "file").write_text("kept")
    assert main(["draw", *(one.replace("FILE", str(tmp_path / "file")) for one in given)]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert len(captured.err.splitlines()) == 1
    assert (tmp_path / "file").read_text() == "kept"
