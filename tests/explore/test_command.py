"""``rtfsm explore``: what it writes, and what it says of what it cannot use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rtfsm.cli import main

from .recordings import finding, talk


def facts(page: Path) -> dict[str, object]:
    text = page.read_text(encoding="utf-8")
    begin = text.index('id="data">') + len('id="data">')
    found = json.loads(text[begin : text.index("</script>", begin)])
    assert isinstance(found, dict)
    return found


def test_the_page_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "machines.html"
    assert main(["explore", "-o", str(page), "--profile", "widest"]) == 0
    assert capsys.readouterr().out.startswith(f"{page}: 1")
    assert facts(page)["profile"] == "widest"
    assert "trace" not in facts(page)


def test_it_opens_with_a_recording_or_a_finding(tmp_path: Path) -> None:
    page, trace = tmp_path / "machines.html", tmp_path / "call.jsonl"
    trace.write_text(talk(1))
    for path in (trace, finding(tmp_path)):
        assert main(["explore", "-o", str(page), "--trace", str(path)]) == 0
        assert facts(page)["trace"] == {"name": path.name, "text": path.read_text()}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "none/page.html"], "none/page.html: No such file or directory"),
        (["-o", "page.html", "--trace", "none.jsonl"], "none.jsonl: No such file or directory; `rtfsm demo --out DIR`"),
        (["-o", "page.html", "--trace", "other.txt"], "other.txt is no rtfsm recording"),
        (["-o", "page.html", "--trace", "."], "directory"),
        (["-o", "page.html", "--profile", "nobody"], "invalid choice: 'nobody'"),
        ([], "the following arguments are required: -o"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("other.txt").write_text("a letter\n")
    assert main(["explore", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert not Path("page.html").exists()
