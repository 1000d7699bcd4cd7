"""The caller's own voice, and whatever else may be given: each mistake is one line and exit status 2."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import attrs
import numpy as np
import pytest

from rtfsm.demo.board import Board
from rtfsm.demo.caller import BadInput, own, shipped
from rtfsm.demo.logs import Collected
from rtfsm.demo.plants import Plant
from rtfsm.demo.scenario import NoAnswer, Plan, hold_demo
from rtfsm.demo.script import shipped_dialogue
from rtfsm.testing import virtual_time
from rtfsm.testing.phonic_server.messages import Message

from .runs import demo, speech, write

SILENCE = np.zeros(24_000, np.int16)


def test_every_utterance_of_an_own_recording_is_answered(tmp_path: Path) -> None:
    stereo = np.repeat(np.concatenate([speech(0.5, 2.3), SILENCE, speech(5.0, 6.7)]), 2)
    ran = demo("--wav", write(tmp_path / "own.wav", stereo, channels=2), "--out", str(tmp_path))

    assert (ran.status, ran.last) == (0, "violations: 0")
    assert any("utterance 2 is answered" in line for line in ran.lines)
    assert (tmp_path / "conversation.wav").stat().st_size > 100_000


def test_an_own_recording_of_any_rate_is_taken_as_it_was_spoken(tmp_path: Path) -> None:
    fast = own(write(tmp_path / "own.wav", speech(0.0, 8.0)))
    slow = own(write(tmp_path / "slow.wav", speech(0.0, 8.0)[::2], rate=12_000))

    assert len(fast.utterances) == len(slow.utterances) == 2
    for at_24k, at_12k, known in zip(fast.utterances, slow.utterances, shipped().utterances, strict=False):
        assert at_24k == pytest.approx(at_12k, abs=0.1)
        assert at_24k == pytest.approx(known, abs=0.2)


def test_pauses_that_leave_no_time_for_an_answer_are_lengthened(tmp_path: Path) -> None:
    voice = own(write(tmp_path / "own.wav", np.concatenate([speech(0.5, 2.1), SILENCE[:12_000], speech(5.2, 6.7)])))
    (_, first_end), (second_start, _) = voice.utterances

    assert second_start - first_end == pytest.approx(1.6, abs=0.05)
    assert len(own(write(tmp_path / "again.wav", voice.samples)).samples) == pytest.approx(len(voice.samples), abs=960)


def _wav(tmp_path: Path, name: str) -> str:
    path = tmp_path / f"{name}.wav"
    if name == "text":
        path.write_text("this is no sound at all, whatever its name says")
    elif name == "empty":
        path.touch()
    elif name == "directory":
        path.mkdir()
    elif name == "cut":
        write(path, speech(0.5, 2.3))
        path.write_bytes(path.read_bytes()[:30])
    elif name != "missing":
        samples, rate = {
            "no sound": (SILENCE[:0], 24_000),
            "short": (speech(1.0, 1.1), 24_000),
            "long": (np.tile(SILENCE, 61), 24_000),
            "silent": (np.tile(SILENCE, 2), 24_000),
            "slow": (speech(0.5, 2.3), 2_000),
        }[name]
        write(path, samples, rate=rate)
    return str(path)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("missing", "there is no such file"),
        ("directory", "is a directory"),
        ("empty", "is empty"),
        ("text", "is no PCM WAV file"),
        ("cut", "is no PCM WAV file"),
        ("no sound", "holds no sound"),
        ("short", "0.10 s of sound; give at least 0.3 s"),
        ("long", "61 s of sound; give at most 60 s"),
        ("silent", "nothing in it is loud enough"),
        ("slow", "a sample rate of 2000 Hz"),
    ],
)
def test_a_recording_that_cannot_be_used_is_refused(tmp_path: Path, name: str, complaint: str) -> None:
    path = _wav(tmp_path, name)
    ran = demo("--wav", path)

    assert (ran.status, ran.lines) == (2, [])
    assert ran.errors.startswith(f"rtfsm demo: {path}: {complaint}")
    assert ran.errors.count("\n") == 1


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ran = demo("--port", str(port))

    assert ran.status == 2
    assert ran.errors == f"rtfsm demo: port {port} is taken; choose another with --port, or leave it out\n"


def test_a_directory_that_takes_no_files_is_named_before_the_conversation(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = demo("--out", str(tmp_path / "file" / "below"))

    assert (ran.status, ran.lines) == (2, [])
    assert "cannot be written into" in ran.errors


def test_a_defect_and_an_own_recording_exclude_each_other(tmp_path: Path) -> None:
    ran = demo("--plant", "silent-tool", "--wav", str(tmp_path / "own.wav"))

    assert ran.status == 2
    assert "--plant needs the shipped caller" in ran.errors


def test_a_provider_that_never_gets_ready_is_no_traceback() -> None:
    def silent(message: Message) -> list[Message]:
        return []

    mute = Plant("mute", "the server says nothing", "", server=lambda: silent)
    plan = Plan(shipped(), shipped_dialogue(), plant=mute)

    async def main() -> None:
        with pytest.raises(NoAnswer, match="did not get ready in 10 s"):
            await hold_demo(plan, Board("demo"), lambda: None, Collected())

    virtual_time.run(main(), leftover="cancel")
    assert issubclass(NoAnswer, BadInput)


def test_a_view_that_breaks_ends_the_demo() -> None:
    """As when the output is piped into a command that reads the first lines only."""
    plan, looks = Plan(shipped(), shipped_dialogue()), 0

    def show() -> None:
        nonlocal looks
        looks += 1
        if looks == 5:
            raise BrokenPipeError

    async def main() -> float:
        began = asyncio.get_running_loop().time()
        with pytest.raises(BrokenPipeError):
            await hold_demo(plan, Board("demo"), show, Collected())
        return asyncio.get_running_loop().time() - began

    assert virtual_time.run(main()) < 5


@attrs.frozen
class Stopped:
    status: int
    rest: str
    errors: str


def _stopped_in_mid_conversation() -> Stopped:
    program = "import sys; from rtfsm.cli import main; sys.exit(main(['demo']))"
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "QUEUED -> PLAYING" in line:
            break
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    return Stopped(process.returncode, rest, errors)


def test_ctrl_c_closes_everything_and_exits_130() -> None:
    stopped = _stopped_in_mid_conversation()

    assert (stopped.status, stopped.errors) == (130, "rtfsm demo: interrupted\n")
    assert "CLOSING -> CLOSED" in stopped.rest
