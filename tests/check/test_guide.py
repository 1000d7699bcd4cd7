"""What docs/check.md shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rtfsm.cli import main

GUIDE = (Path(__file__).parents[2] / "docs" / "check.md").read_text(encoding="utf-8")
MENDED = ("TimerElapsed: to(Button.UP),", "TimerElapsed: to(Button.UP, CloseMic),")


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (source,) = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)
    assert MENDED[0] in source
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "talk", raising=False)
    written = tmp_path / "talk.py"
    written.write_text(source)
    return written


def test_the_planted_defect_is_found_as_shown(talk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "talk:PLAN"]) == 1
    out = re.sub(r", [\d,]+ states a second \[[\d.]+ s\]", "", capsys.readouterr().out)
    shown = re.findall(r"```(?:text|mermaid)\n(.*?)```", GUIDE, flags=re.DOTALL)
    assert len(shown) == 3
    for block in shown:
        assert block in out


def test_without_a_plan_it_is_a_refused_cell(talk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "talk:TALK"]) == 1
    assert "VIOLATION REFUSED: recorder.RUNNING x Start" in capsys.readouterr().out


def test_what_mends_it_mends_it(talk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    talk.write_text(talk.read_text().replace(*MENDED))
    assert main(["check", "talk:PLAN"]) == 0
    assert main(["check", "talk:TALK"]) == 0
    assert "no findings" in capsys.readouterr().out
