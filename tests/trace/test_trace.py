"""Recording a driver, and reading the recording back."""

from __future__ import annotations

import io
import json
import logging
from enum import Enum
from pathlib import Path

import attrs
import pytest

from rtfsm import Effect, Event, Machine, Reason, ignore, stay, to
from rtfsm.language import Driver
from rtfsm.trace import Recorder, TraceError, read, read_header
from rtfsm.vocabulary.wire import GenerationDone, GenerationStatus


class Lamp(Enum):
    OFF = "dark"
    ON = "bright"


@attrs.frozen
class Press(Event):
    said: str = attrs.field(default="", repr=False)
    sound: bytes = attrs.field(default=b"", repr=False)
    seconds: float | None = None
    hard: bool = False
    who: str = "anybody"


@attrs.frozen
class Click(Effect):
    pass


LAMP = Machine(
    "lamp",
    states=Lamp,
    initial=Lamp.OFF,
    rests={Lamp.OFF: "nobody needs light", Lamp.ON: "light is cheap"},
    table={
        Lamp.OFF: {Press: to(Lamp.ON, Click), GenerationDone: ignore(Reason.NOISE, "a lamp has no generations")},
        Lamp.ON: {Press: stay(), GenerationDone: ignore(Reason.LATE, "a lamp has no generations")},
    },
)


def recorded(path: Path) -> Path:
    driver = Driver(LAMP)
    driver.start(100.0)
    with Recorder(path) as recorder:
        recorder.attach(driver)
        driver.handle(Press("open sesame please", b"\0" * 640, 0.25, hard=True), 101.5)
        driver.handle(GenerationDone(GenerationStatus.CANCELLED, "secret-id"), 102.0)
    return path


def test_what_was_recorded_is_read_back(tmp_path: Path) -> None:
    path = recorded(tmp_path / "lamp.jsonl")

    assert read_header(path).machines == {"lamp": ("OFF", "ON")}
    press, done = read(path)

    assert (press.time, press.machine, press.instance, press.event) == (1.5, "lamp", "lamp", "Press")
    assert (press.before, press.after, press.effects, press.reason) == ("OFF", "ON", ("Click",), None)
    assert (press.words, press.bytes, press.seconds, press.given) == (3, 640, 0.25, {"hard": True})
    assert (done.before, done.after, done.reason, done.given) == ("ON", "ON", "LATE", {"status": "CANCELLED"})
    assert LAMP.arms[done.arm][0] is Lamp.ON


def test_no_word_and_no_field_that_may_hold_one_is_written(tmp_path: Path) -> None:
    text = recorded(tmp_path / "lamp.jsonl").read_text()

    for word in ("open", "sesame", "please", "secret-id", "anybody"):
        assert word not in text


def test_time_counts_from_the_first_step_of_a_driver_that_had_not_started() -> None:
    file, driver = io.StringIO(), Driver(LAMP)
    Recorder(file).attach(driver)
    driver.handle(Press(), 7.0)
    driver.handle(Press(), 7.5)

    times = [json.loads(line)["time"] for line in file.getvalue().splitlines()[1:]]
    assert times == [0.0, 0.5]


def test_a_file_of_the_caller_stays_open() -> None:
    file, driver = io.StringIO(), Driver(LAMP)
    with Recorder(file) as recorder:
        recorder.attach(driver)
    driver.handle(Press(), 1.0)

    assert not file.closed
    assert len(file.getvalue().splitlines()) == 1, "nothing is written after the end"


def test_a_recorder_takes_one_driver() -> None:
    recorder = Recorder(io.StringIO())
    recorder.attach(Driver(LAMP))
    with pytest.raises(ValueError, match="one conversation"):
        recorder.attach(Driver(LAMP))


def test_a_disk_that_is_full_does_not_harm_the_conversation(caplog: pytest.LogCaptureFixture) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            if "Press" in text:
                raise OSError(28, "No space left on device")
            return super().write(text)

    file, driver = Full(), Driver(LAMP)
    recorder = Recorder(file)
    recorder.attach(driver)
    with caplog.at_level(logging.WARNING, logger="rtfsm"):
        driver.handle(Press(), 1.0)
        driver.handle(Press(), 2.0)

    assert [one.state for one in driver.instances()] == [Lamp.ON]
    assert isinstance(recorder.failed, OSError)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("first", "complaint"),
    [
        ("", "is no rtfsm recording"),
        ("not json", "is no rtfsm recording"),
        ('{"format":"something"}', "is no rtfsm recording"),
        ("[1]", "is no rtfsm recording"),
        ('{"format":"rtfsm-trace"}', "line 1: the version"),
        ('{"format":"rtfsm-trace","version":99}', "version 99 .* reads up to 1; upgrade"),
        ('{"format":"rtfsm-trace","version":1}', "line 1: lacks 'machines'"),
        ('{"format":"rtfsm-trace","version":1,"machines":{"a":[1]},"rtfsm":"0","started":1}', "'a' must be an array"),
    ],
)
def test_a_file_that_is_no_recording_is_named(tmp_path: Path, first: str, complaint: str) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text(first + "\n")
    with pytest.raises(TraceError, match=complaint):
        list(read(path))
    with pytest.raises(TraceError, match=complaint):
        read_header(path)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 3: is no JSON"),
        ("[]", "line 3: is no JSON object"),
        ("{}", "line 3: lacks 'machine'"),
        ('{"machine":"radio"}', "line 3: machine 'radio' is not in the header"),
        ('{"machine":"lamp","before":"OFF","after":"BLUE"}', "line 3: machine 'lamp' has no state 'BLUE'"),
        ('{"machine":"lamp","before":"OFF","after":"ON"}', "line 3: 'time' must be a number"),
        (
            '{"machine":"lamp","before":"OFF","after":"ON","time":1,"instance":"lamp","event":"Press","arm":true}',
            "line 3: 'arm' must be a whole number",
        ),
    ],
)
def test_a_broken_line_is_named_after_the_good_ones_were_read(tmp_path: Path, line: str, complaint: str) -> None:
    path = recorded(tmp_path / "lamp.jsonl")
    good = path.read_text().splitlines()
    path.write_text("\n".join([good[0], good[1], line, good[2]]) + "\n")
    records = read(path)

    assert next(records).event == "Press"
    with pytest.raises(TraceError, match=complaint):
        next(records)


def test_a_recording_that_was_cut_short_says_so(tmp_path: Path) -> None:
    path = recorded(tmp_path / "lamp.jsonl")
    path.write_text(path.read_text()[:-20])
    records = read(path)

    next(records)
    with pytest.raises(TraceError, match="line 3: the file ends inside this line"):
        next(records)


def test_further_keys_of_a_later_writer_are_no_error(tmp_path: Path) -> None:
    path = recorded(tmp_path / "lamp.jsonl")
    path.write_text(path.read_text().replace('"machine":"lamp"', '"colour":"red","machine":"lamp"'))

    assert len(list(read(path))) == 2
