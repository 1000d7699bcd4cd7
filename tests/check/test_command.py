"""`rtfsm check` of machines put together: what it prints, what it returns, and that its orders can be replayed."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from rtfsm.check import cli
from rtfsm.check.cli import EVERY, Progress
from rtfsm.cli import main

OFFICE = "tests.check.office:OFFICE"
SMALL = ["--calls", "0", "--requests", "0"]

BROKEN = """
from tests.check import office
from rtfsm import to

PARTS = office.office(second=office.clerk(patience=to(office.Clerk.DONE)))
PLAN = office.plan(PARTS)
LAMP = office.office(first=office.desk(), second=office.clerk())
"""


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "broken_office.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "broken_office", raising=False)
    return "broken_office"


def test_the_conversation_is_checked_with_its_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "conversation", *SMALL]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "conversation (phonic): every event in every order, with at most 0 calls, 0 requests and 1 response at once"
    )
    rows = {line.split()[0]: line for line in lines[1:-1] if not line.startswith("  searching")}
    assert list(rows) == ["states", "invariants", "time", "instances"]
    assert all(" ok " in line for line in rows.values())
    assert re.search(r"\d+ states, [\d,]+ edges, [\d,]+ states a second \[\d+\.\d\d s\]", rows["states"])
    assert re.search(r"at most \d+ one after another", rows["time"])
    assert re.search(r"at most \d+ alive at once", rows["instances"])
    assert re.fullmatch(r"1 conversation, no findings, \d+\.\d\d s", lines[-1])


def test_all_of_a_profile_is_its_machines_and_its_conversation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "all", "--profile", "gemini", *SMALL]) == 0
    out = capsys.readouterr().out
    assert out.index("playout (gemini)\n") < out.index("conversation (gemini): ")
    assert "1 conversation and 6 machines, no findings, " in out


def test_an_own_plan_is_its_machines_and_their_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", OFFICE]) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if not line.startswith(" ")][:3] == ["desk", "clerk", "lamp"]
    assert f"{OFFICE} (desk, clerk, lamp): every event in every order" in out
    assert "2 asked after every event" in out
    assert "1 composition and 3 machines, no findings, " in out


def test_a_violation_is_told_as_a_list_and_a_diagram_and_a_command_that_shows_it_again(
    broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", f"{broken}:PLAN"]) == 1
    out = capsys.readouterr().out
    assert "VIOLATION LAMP: it is ON with 0 visitors" in out
    assert re.search(r"0\. it begins +desk OPEN, lamp OFF\n", out)
    assert re.search(r"1\. Come +desk OPEN, clerk 1 BUSY, lamp ON\n", out)
    assert re.search(r"2\. time: patience of clerk 1 +desk OPEN, lamp ON\n", out)
    assert out.rstrip().splitlines()[-1].startswith("1 composition and 3 machines, 1 finding, ")
    said = next(line.strip() for line in out.splitlines() if "--replay" in line)
    assert said == f"rtfsm check {broken}:PLAN --replay 'Come; time: patience of clerk 1'"
    assert main(["check", f"{broken}:PLAN", "--replay", said.split("'")[1]]) == 1
    again = capsys.readouterr().out
    assert "  2. time: patience of clerk 1    (from: Time)" in again
    assert "clerk 1 on TimerElapsed: BUSY -> DONE" in again
    assert again.endswith("VIOLATION LAMP: it is ON with 0 visitors\n")


def test_the_diagram_is_one_that_mermaid_can_read(broken: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", f"{broken}:PLAN"])
    (drawn,) = re.findall(r"```mermaid\n(.*?)\n```", capsys.readouterr().out, flags=re.DOTALL)
    head, *lines = drawn.splitlines()
    assert head == "sequenceDiagram"
    named = [line.split()[1] for line in lines if line.startswith("    participant ")]
    assert named == ["Outside", "desk", "clerk", "lamp", "Time"]
    for line in lines[len(named) :]:
        arrow = re.fullmatch(r"    (\w+)-{1,2}>>(\w+): [^;#\n]+", line)
        note = re.fullmatch(r"    Note (?:over|right of) (\w+)(?:,(\w+))?: [^;#\n]+", line)
        found = arrow or note
        assert found is not None, line
        assert {one for one in found.groups() if one} <= set(named)


def test_an_order_is_read_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order = tmp_path / "order.txt"
    order.write_text("ConfigGiven(UPDATE)\nTransportOpened\nProviderReady\nUserSpeechStarted\n")
    assert main(["check", "conversation", *SMALL, "--replay", str(order)]) == 0
    out = capsys.readouterr().out
    assert "  4. UserSpeechStarted    (from: User)" in out
    assert "user_turn orders of Host: SpeechStarted" in out
    assert out.endswith("nothing is wrong after this order\n")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["check", "conversation", "--replay", "Nonsense"], "step 1: 'Nonsense' cannot come in"),
        (["check", "all", "--replay", "TransportOpened"], "an order is replayed on a conversation"),
        (["check", "session", "--replay", "TransportOpened"], "not on session"),
        (["check", OFFICE, "--calls", "1"], "--calls is about the conversation"),
        (["check", "tests.check.office:LAMP"], "is a Invariant, not an rtfsm.Machine, an rtfsm.Composition or"),
        (["check", "conversation", "--calls", "-1"], "is no number from 0 on"),
        (["check", "conversation", "--calls", "many"], "is no number from 0 on"),
    ],
)
def test_bad_usage_is_told_in_a_line(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err


def test_a_plan_that_is_refused_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wrong_plan.py").write_text(
        "from rtfsm.check import Plan\nfrom tests.check import office\nPLAN = Plan(office.office())\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["check", "wrong_plan:PLAN"]) == 1
    assert "wrong_plan:PLAN: declaration: event Leave carries clerk" in capsys.readouterr().out


def test_a_composition_is_searched_without_a_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bare_office.py").write_text(
        "from rtfsm import Composition\nfrom tests.check import office\nPARTS = Composition((office.lamp(),))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["check", "bare_office:PARTS"]) == 0
    assert "0 asked after every event" in capsys.readouterr().out


# -- progress ----------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_where_nobody_watches_progress_is_a_line_every_few_seconds() -> None:
    now = [0.0]
    out = io.StringIO()
    progress = Progress(out, lambda: now[0])
    for count in range(1, 101):
        now[0] += EVERY / 10
        progress(count * 1000, count * 30_000)
    progress.end()
    assert len(out.getvalue().splitlines()) == 10
    assert out.getvalue().splitlines()[0] == (
        "  searching     10,000 states, 300,000 edges so far, 2,000 states a second"
    )


def test_on_a_terminal_progress_is_one_line_that_goes_away() -> None:
    out = Terminal()
    progress = Progress(out, lambda: 1.0)
    progress(1000, 30_000)
    progress(2000, 60_000)
    progress.end()
    assert out.getvalue().count("\n") == 0
    assert out.getvalue().count("\r") == 3
    assert out.getvalue().endswith("\r\x1b[K")


def test_the_search_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(cli, "EVERY", 0.0)
    assert main(["check", "conversation", *SMALL]) == 0
    assert "  searching     " in capsys.readouterr().out
