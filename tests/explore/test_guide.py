"""What docs/explore.md shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rtfsm.cli import main

from .recordings import talk

PATH = Path(__file__).parents[2] / "docs" / "explore.md"
GUIDE = PATH.read_text(encoding="utf-8")


def test_the_commands_of_the_guide_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("demo").mkdir()
    Path("demo/trace.jsonl").write_text(talk(1))
    commands = re.findall(r"^\$ rtfsm ([^#\n]+)", GUIDE, flags=re.MULTILINE)
    assert len(commands) == 5
    for command in commands:
        assert main(command.split()) == 0, command
    assert {"machines.html", "call.svg"} <= {path.name for path in tmp_path.iterdir()}


def test_no_link_is_broken() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", GUIDE)
    assert links
    for link in links:
        assert (PATH.parent / link).exists(), link
