"""``rtfsm timeline``: what it prints, what it returns, and what it says of what it cannot use."""

from __future__ import annotations

import io
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

from rtfsm.cli import main
from tests.explore.recordings import finding, talk


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("call.jsonl")
    path.write_text(talk(2))
    return path


def test_a_recording_is_shown(call: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timeline", str(call)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("call.jsonl: 6.1 s, 36 events, ")
    assert "\x1b" not in printed
    assert main(["timeline", str(call), "--width", "60"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60 < max(map(len, printed.splitlines()))


def test_a_picture_is_written(call: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timeline", str(call), "--svg", "call.svg", "--width", "700"]) == 0
    assert capsys.readouterr().out == "call.svg: 36 events, 0 steps wrong\n"
    assert xml.parse("call.svg").getroot().get("width") == "700"


def test_a_recording_with_something_wrong_in_it_is_shown_with_exit_status_1(
    call: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call.write_text(talk(2).replace('"CloseMessage",', "", 1))
    assert main(["timeline", str(call)]) == 1
    assert "1 step wrong:" in capsys.readouterr().out


def test_a_terminal_that_knows_few_characters_gets_those(call: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", plain)
    assert main(["timeline", str(call)]) == 0
    plain.flush()
    assert b"session" in plain.buffer.getvalue()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.jsonl"], "none.jsonl: No such file or directory; `rtfsm demo --out DIR` makes a recording"),
        (["."], "Is a directory"),
        (["letter.txt"], "letter.txt is no rtfsm recording: its first line must be"),
        (["broken.jsonl"], "broken.jsonl, line 12: is no JSON"),
        (["short.jsonl"], "short.jsonl, line 37: the file ends inside this line; the recording was cut short"),
        (["found.json"], "found.json is no rtfsm recording"),
        (["found.json"], "play it with `rtfsm replay found.json`"),
        (["call.jsonl", "--svg", "none/call.svg"], "none/call.svg: No such file or directory"),
        (["call.jsonl", "--width", "0"], "'0' is no number from 1 on"),
        ([], "the following arguments are required: TRACE"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_line(
    call: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    lines = talk(2).splitlines(keepends=True)
    Path("letter.txt").write_text("Dear all,\n")
    Path("broken.jsonl").write_text("".join([*lines[:11], "{oops\n", *lines[11:]]))
    Path("short.jsonl").write_text("".join(lines)[:-9])
    finding(Path()).rename("found.json")
    assert main(["timeline", *arguments]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert "Traceback" not in told.err
    assert told.out == ""
