"""What a suite covers of the tables is counted where it runs, and measured against what can be."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from rtfsm.check import Bounds, ConversationModel
from rtfsm.language import Driver
from rtfsm.machines import Conversation
from rtfsm.profiles import OPENAI, PHONIC
from rtfsm.testing.coverage import Recorder, Share, percent, report
from rtfsm.vocabulary.local import ConfigGiven
from rtfsm.vocabulary.wire import ProviderReady, TextDelta, TransportOpened

INSTALLED = any(one.value == "rtfsm.testing.pytest_plugin" for one in entry_points(group="pytest11"))
PLUGIN = [] if INSTALLED else ["-p", "rtfsm.testing.pytest_plugin"]

LAMP = """
from enum import Enum
import attrs
from rtfsm.language import Event, Machine, Reason, Timer, TimerElapsed, guard, ignore, stay, to, when

class Lamp(Enum):
    OFF = "dark"
    ON = "bright"

@attrs.frozen
class Pressed(Event):
    long: bool = False

@attrs.frozen
class Looked(Event):
    pass

@guard
def long(_, event: Pressed) -> bool:
    return event.long

LAMP = Machine(
    "lamp", states=Lamp, initial=Lamp.OFF, timers={Lamp.ON: Timer("bulb", 60.0)}, rests={Lamp.OFF: "dark is fine"},
    table={
        Lamp.OFF: {Pressed: (when(long, ignore(Reason.NOISE, "held")), to(Lamp.ON)), Looked: stay()},
        Lamp.ON: {Pressed: to(Lamp.OFF), Looked: stay(rearm=True), TimerElapsed: to(Lamp.OFF)},
    },
)
"""
TESTS = """
from lamp import LAMP, Looked, Pressed
from rtfsm.language import Driver

def test_on():
    driver = Driver(LAMP)
    driver.handle(Pressed(), 0.0)
    driver.handle(Looked(), 1.0)
    driver.handle(Pressed(), 2.0)
"""


def pytest_run(directory: Path, *options: str, tests: str = TESTS) -> tuple[int, list[str]]:
    (directory / "lamp.py").write_text(LAMP, encoding="utf-8")
    (directory / "test_lamp.py").write_text(tests, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PLUGIN, *options]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=120)
    return done.returncode, [" ".join(line.split()) for line in (done.stdout + done.stderr).splitlines()]


def test_a_suite_is_told_what_it_covers_and_what_it_does_not(tmp_path: Path) -> None:
    options = ("--rtfsm-coverage", "--rtfsm-coverage-machine=lamp:LAMP", "--rtfsm-coverage-missing")
    status, lines = pytest_run(tmp_path, *options, "--rtfsm-coverage-pairs")
    assert status == 0
    assert "lamp 3/5 3/6 2/18" in lines
    assert "OFF 1/2 1/3 0/12" in lines
    assert "ON 2/3 2/3 2/6" in lines
    assert "missing: OFF x Pressed [long] ignore" in lines
    assert "missing: ON x TimerElapsed -> OFF" in lines
    assert "missing: OFF x Pressed [not long] -> ON, then ON x TimerElapsed -> OFF" in lines
    assert "missing: OFF x Pressed [not long] -> ON" not in lines
    assert "50.0 % of the arms that can be taken are covered" in lines


def test_too_little_fails_the_run_and_enough_does_not(tmp_path: Path) -> None:
    machine = "--rtfsm-coverage-machine=lamp:LAMP"
    status, lines = pytest_run(tmp_path, machine, "--rtfsm-coverage-min=50.1")
    assert status == 1
    assert "FAILED: --rtfsm-coverage-min asks for 50.1 %" in lines
    assert pytest_run(tmp_path, machine, "--rtfsm-coverage-min=50")[0] == 0


def test_nothing_is_recorded_or_loaded_unless_it_is_asked_for(tmp_path: Path) -> None:
    tests = "import sys\nloaded = 'rtfsm.check' in sys.modules\ndef test_it():\n    assert not loaded\n"
    status, lines = pytest_run(tmp_path, tests=tests)
    assert status == 0
    assert not any("coverage of tables" in line for line in lines)


@pytest.mark.parametrize("option", ["--rtfsm-coverage-machine=nobody", "--rtfsm-coverage-min=many"])
def test_a_wrong_option_is_said_before_any_test_runs(tmp_path: Path, option: str) -> None:
    status, lines = pytest_run(tmp_path, "--rtfsm-coverage", option)
    assert status == pytest.ExitCode.USAGE_ERROR
    assert any("ERROR" in line and option.partition("=")[2] in line for line in lines)


def begun(recorder: Recorder) -> Conversation:
    with Driver.witnessed(recorder):
        conversation = Conversation(PHONIC)
        conversation.handle(ConfigGiven(), 0.0)
        for event in (TransportOpened(), ProviderReady()):
            conversation.receive(event, 1, 0.0)
    return conversation


def row(shares: list[Share], state: str) -> Share:
    (found,) = (share for share in shares if share.state == state)
    return found


def test_the_same_table_declared_anew_is_the_same() -> None:
    """A test that makes its own conversation covers the shipped tables."""
    recorder = Recorder()
    begun(recorder)
    shares = report(recorder, "session", "phonic")
    assert row(shares, "CONNECTING").arms[0] == 2
    assert row(shares, "STARTING").arms[0] == 1
    assert row(shares, "ENDING").arms[0] == 0
    assert 0 < percent(shares) < 10
    assert percent(report(recorder, "session", "openai")) == 0


def test_what_is_looked_up_counts_as_taken() -> None:
    recorder = Recorder()
    conversation = begun(recorder)
    with Driver.witnessed(recorder):
        for _ in range(2):
            conversation.receive(TextDelta("words"), 1, 0.0)
        before = row(report(recorder, "generation", "phonic"), "SPEAKING").pairs[0]
        assert conversation.lookup(TextDelta("words"), 1, 0.0) is not None
    assert row(report(recorder, "generation", "phonic"), "SPEAKING").pairs[0] == before + 1


def test_an_exploration_covers_nothing() -> None:
    recorder = Recorder()
    with Driver.witnessed(recorder):
        model = ConversationModel(OPENAI, Bounds(0, 0, 1))
        assert list(model.steps(model.first()))
    assert percent(report(recorder)) == 0


def test_what_cannot_be_is_not_asked_for() -> None:
    """No refused cell, no row of an end, and nothing after an instance that never left its first state."""
    shares = report(Recorder(), "generation", "phonic")
    assert "DONE" not in {share.state for share in shares}
    assert row(shares, "IDLE").pairs == (0, 0)
    assert not any("refuse" in words for share in shares for words in share.missing)


def test_whoever_watched_before_goes_on_watching() -> None:
    outer, inner = Recorder(), Recorder()
    with Driver.witnessed(outer):
        begun(inner)
        assert Driver.witness is not None
    assert Driver.witness is None
    for recorder in (outer, inner):
        assert percent(report(recorder, "session", "phonic")) > 0
