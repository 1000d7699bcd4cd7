"""The command line: what it prints, what it returns, and that no bad usage ends in a traceback."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import types
from pathlib import Path

import pytest

import rtfsm
from rtfsm.cli import main
from rtfsm.draw import canonical_json, mermaid, mermaid_composition
from rtfsm.machines import compose
from rtfsm.profiles import PHONIC, PROFILES, WIDEST

OWN = """
from enum import Enum
import attrs
from rtfsm import Event, Machine, Reason, Timer, TimerElapsed, ignore, to

class Lamp(Enum):
    OFF = "dark"
    ON = "lit"
    {extra}

@attrs.frozen
class Press(Event):
    pass

LAMP = Machine("lamp", states=Lamp, initial=Lamp.OFF, rests={{{rests}}}, table={{
    Lamp.OFF: {{Press: to(Lamp.ON)}},
    Lamp.ON: {{Press: to(Lamp.OFF)}},
    {row}
}})
NUMBER = 3
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("lamps", "broken", "needy"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def lamps(directory: Path, rests: str = "", extra: str = "", row: str = "") -> None:
    rests = rests or 'Lamp.OFF: "it may", Lamp.ON: "it may"'
    (directory / "lamps.py").write_text(OWN.format(rests=rests, extra=extra, row=row))
    importlib.invalidate_caches()


def test_check_prints_each_phase_with_its_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "user_turn", "--profile", "phonic"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "user_turn (phonic)"
    assert [line.split("  ")[1].strip() for line in lines[1:6]] == [
        "totality",
        "reachability",
        "no trap",
        "waits end",
        "engine",
    ]
    assert all(" ok " in line for line in lines[1:6])
    assert lines[6].startswith("1 machine, no findings, ")


def test_check_takes_every_profile_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--calls", "0", "--requests", "0"]) == 0
    out = capsys.readouterr().out
    for profile in PROFILES:
        assert f"\nplayout ({profile})\n" in out
    assert f"{len(PROFILES) * 6} machines, no findings" in out


def test_check_lists_arms_that_are_never_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "playout", "--profile", "openai", "--verbose"]) == 0
    assert "never taken: NEW x TimerElapsed -> refuse: this state has no timer" in capsys.readouterr().out


def test_a_machine_of_the_current_directory_is_checked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lamps(here)
    assert main(["check", "lamps:LAMP"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("lamp\n")
    assert "2 of 2 states" in out


def test_findings_are_printed_and_returned(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rests = 'Lamp.OFF: "it may", Lamp.ON: "it may", Lamp.LOST: "it may"'
    lamps(here, rests, 'LOST = "nowhere"', "Lamp.LOST: {Press: to(Lamp.OFF)},")
    assert main(["check", "lamps:LAMP"]) == 1
    out = capsys.readouterr().out
    assert "reachability  1 FOUND" in out
    assert "lamp: unreachable: no order of events leads to LOST" in out
    assert "1 machine, 1 finding, " in out


def test_a_declaration_that_is_refused_is_a_finding(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lamps(here, 'Lamp.OFF: "it may"')
    assert main(["check", "lamps:LAMP"]) == 1
    out = capsys.readouterr().out
    assert "state ON: waits with neither a timer nor a declared rest" in out
    assert len(out.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nosuchmodule:MACHINE", "there is no module 'nosuchmodule'"),
        ("rtfsm.nosuch:MACHINE", "there is no module 'rtfsm.nosuch'"),
        ("lamps:NOTHING", "has no 'NOTHING'; its machines are LAMP"),
        ("lamps:NUMBER", "lamps:NUMBER is a int, not an rtfsm.Machine"),
        ("broken:MACHINE", "module 'broken' cannot be imported: ZeroDivisionError"),
        ("needy:MACHINE", "module 'needy' cannot be imported: No module named 'nosuchneed'"),
        ("lamps:", "names no machine; write MODULE:NAME"),
        ("nonsense", "no machine is named 'nonsense'; give all, one of session, "),
    ],
)
@pytest.mark.parametrize("command", ["check", "draw"])
def test_what_is_not_there_gets_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], command: str, name: str, said: str
) -> None:
    lamps(here)
    (here / "broken.py").write_text("1 / 0\n")
    (here / "needy.py").write_text("import nosuchneed\n")
    assert main([command, name]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert len(captured.err.splitlines()) == 1


def test_a_profile_of_ones_own_machine_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lamps(here)
    assert main(["check", "lamps:LAMP", "--profile", "phonic"]) == 2
    assert "leave --profile out" in capsys.readouterr().err


def test_draw_prints_what_the_library_draws(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machines = {machine.name: machine for machine in compose(WIDEST).machines}
    assert main(["draw", "reply", "--profile", "widest"]) == 0
    assert capsys.readouterr().out == mermaid(machines["reply"])
    assert main(["draw", "reply", "--profile", "widest", "--format", "json"]) == 0
    assert capsys.readouterr().out == canonical_json(machines["reply"])
    assert main(["draw", "composition"]) == 0
    assert capsys.readouterr().out == mermaid_composition(compose(PHONIC))
    assert main(["draw", "--format", "json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == list(machines)
    lamps(here)
    assert main(["draw", "lamps:LAMP", "--format", "table"]) == 0
    assert capsys.readouterr().out.startswith("# lamp: the whole table\n")


def test_draw_writes_and_compares_a_directory(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "--check", "kept"]) == 2
    assert "kept is no directory" in capsys.readouterr().err
    (here / "kept").mkdir()
    assert main(["draw", "--check", "kept"]) == 1
    assert "kept/phonic/session.mmd is out of date" in capsys.readouterr().out
    assert main(["draw", "user_turn", "--write", "kept"]) == 2
    assert "leave out the machine" in capsys.readouterr().err
    assert main(["draw", "--write", "kept"]) == 0
    assert "files changed" in capsys.readouterr().out
    assert main(["draw", "--check", "kept"]) == 0
    assert capsys.readouterr().out == ""
    (here / "file").write_text("")
    assert main(["draw", "--write", "file"]) == 2
    assert "cannot write to file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["nonsense"],
        ["check", "--profile", "nonsense"],
        ["draw", "--format", "png"],
        ["draw", "--write", "a", "--check", "b"],
        ["serve", "nonsense"],
        ["serve", "phonic", "--port", "70000"],
        ["serve", "phonic", "--port", "x"],
    ],
)
def test_bad_usage_returns_two(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    assert capsys.readouterr().err.startswith("usage: rtfsm")


def test_help_and_version_return_zero(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"rtfsm {rtfsm.__version__}\n"
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("check", "draw", "diff", "serve", "demo"))


def test_serve_hands_its_options_on(monkeypatch: pytest.MonkeyPatch) -> None:
    served = []

    def serve(host: str, port: int, *, verbose: bool) -> int:
        served.append((host, port, verbose))
        return 0

    monkeypatch.setattr("rtfsm.testing.phonic_server.cli.serve", serve)
    assert main(["serve", "phonic", "--host", "localhost", "--port", "0", "--verbose"]) == 0
    assert main(["serve", "phonic"]) == 0
    assert served == [("localhost", 0, True), ("127.0.0.1", 8765, False)]


def test_a_missing_extra_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("rtfsm.testing.phonic_server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "websockets", None)
    for name in [name for name in sys.modules if name.startswith("websockets.")]:
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["serve", "phonic"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith("rtfsm serve: websockets")
    assert captured.err.endswith("pip install 'rtfsm[phonic]'\n")


def test_the_demo_declares_and_reads_its_own_options(monkeypatch: pytest.MonkeyPatch) -> None:
    demo = types.ModuleType("rtfsm.demo.cli")
    seen = []

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--turns", type=int)

    def run(options: argparse.Namespace) -> int:
        seen.append(options.turns)
        return 7

    vars(demo).update(add_arguments=add_arguments, run=run)
    monkeypatch.setitem(sys.modules, "rtfsm.demo", types.ModuleType("rtfsm.demo"))
    monkeypatch.setitem(sys.modules, "rtfsm.demo.cli", demo)
    assert main(["demo", "--turns", "3"]) == 7
    assert seen == [3]
    assert main(["demo", "--nonsense"]) == 2


def test_a_part_that_is_not_installed_gets_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "rtfsm.demo", None)
    monkeypatch.delitem(sys.modules, "rtfsm.demo.cli", raising=False)
    assert main(["demo"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_command_imports_nothing_heavy() -> None:
    code = (
        "import sys, rtfsm.cli\n"
        "heavy = {'livekit', 'phonic', 'asyncio', 'hypothesis', 'websockets', 'msgspec', 'numpy', 'rich', 'pytest'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "[]\n"


def test_a_closed_pipe_ends_the_command_quietly() -> None:
    code = "import sys; from rtfsm.cli import main; sys.exit(main(['draw', '--format', 'json', '--profile', 'widest']))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(1) == b"["
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_the_command_runs_as_a_program(here: Path) -> None:
    lamps(here)
    program = str(Path(sys.executable).parent / "rtfsm")
    done = subprocess.run([program, "check", "lamps:LAMP"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("lamp\n")
    assert done.stderr == ""
