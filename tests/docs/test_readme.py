"""The code that the documents show does what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rtfsm
from rtfsm.cli import main

ROOT = Path(__file__).parents[2]


def blocks(document: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_readme_declares_a_machine_in_under_20_lines() -> None:
    (source,) = [block for block in blocks("README.md") if "BUTTON" in block]
    assert len([line for line in source.splitlines() if line.strip()]) < 20
    names: dict[str, object] = {}
    exec(source, names)
    machine, press = names["BUTTON"], names["Press"]
    assert isinstance(machine, rtfsm.Machine)
    driver = rtfsm.Driver(machine)
    assert [type(e.effect).__name__ for e in driver.handle(press(), 0.0)] == ["OpenMic"]  # type: ignore[operator]
    assert driver.next_deadline() == 60.0


def test_the_readme_swaps_one_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHONIC_API_KEY", "a-key")
    (source,) = [block for block in blocks("README.md") if "AgentSession" in block]
    (line,) = [line for line in source.splitlines() if line.startswith("from rtfsm")]
    names: dict[str, object] = {}
    exec(line, names)
    model = names["RealtimeModel"]
    assert callable(model)
    assert model(voice="sabrina").provider == "phonic"


def test_the_error_that_the_readme_shows_is_the_one_that_is_raised() -> None:
    (source,) = [block for block in blocks("README.md") if "BUTTON" in block]
    forgotten = source.replace(', Press: ignore(Reason.DUPLICATE, "it is down")', "")
    with pytest.raises(rtfsm.DeclarationError) as raised:
        exec(forgotten, {})
    assert str(raised.value) in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_diagram_that_the_readme_shows_is_the_one_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "user_turn", "--profile", "phonic"]) == 0
    shown = re.findall(r"```mermaid\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert shown == [capsys.readouterr().out.rstrip() + "\n"]


def test_the_cells_of_the_language_guide_are_cells() -> None:
    for source in blocks("docs/language.md"):
        names: dict[str, object] = {}
        exec(source, names)
        cell = names["cell"]
        assert isinstance(cell, tuple)
        assert all(isinstance(arm, rtfsm.Arm) for arm in cell)
