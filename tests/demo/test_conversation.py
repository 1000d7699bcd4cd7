"""The whole demo: what it prints, what it writes, and that it comes to the right verdict."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from rtfsm.demo.script import ANSWERS, GREETING, MURMUR
from rtfsm.testing.speech import CALLER
from rtfsm.testing.wav import Samples, read_wav
from rtfsm.trace import Record, read, read_header

from .runs import Ran, demo


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "new" / "directory"


@pytest.fixture(scope="module")
def ran(out: Path) -> Ran:
    return demo("--out", str(out))


@pytest.fixture(scope="module")
def steps(ran: Ran, out: Path) -> list[Record]:
    return list(read(out / "trace.jsonl"))


def test_it_ends_well_and_says_so_in_its_last_line(ran: Ran) -> None:
    assert (ran.status, ran.last, ran.errors) == (0, "violations: 0", "")
    assert ran.summary("missing") == ran.summary("wrong") == ran.summary("log") == []
    assert ran.summary("turns") == ["7 of the agent, 5 of the caller"]
    assert ran.summary("barge-ins") == ran.summary("tool calls") == ["1"]
    assert len(ran.summary("written")) == 2


def test_every_change_of_state_is_printed_as_it_happens(ran: Ran, steps: list[Record]) -> None:
    changes = [f"{step.before} -> {step.after}  ({step.event})" for step in steps if step.before != step.after]
    printed = [line for line in ran.lines if " -> " in line and "(" in line]

    assert len(printed) == len(changes)
    assert all(change in line for change, line in zip(changes, printed, strict=True))


def test_both_sides_and_the_tool_can_be_read(ran: Ran) -> None:
    text = "\n".join(ran.lines)

    for said in (GREETING, *(one.text for one in CALLER), *(ANSWERS[number] for number in (0, 2, 4))):
        assert said in text
    assert "weather('Lisbon')" in text
    assert re.search(r"agent +I can count to a hundred\. one, .*\[cut\]", text)
    assert "ninety" not in text, "the agent was cut long before"


def test_the_states_that_a_turn_is_about_are_all_visited(steps: list[Record]) -> None:
    generation = {step.after for step in steps if step.machine == "generation"}

    assert generation >= {"SPEAKING", "TOOL_PENDING", "INTERRUPTED", "TAIL", "DONE"}
    assert {step.after for step in steps if step.machine == "reply"} >= {"QUEUED", "SENT", "EXPECTED", "ENDED"}
    assert {step.after for step in steps if step.machine == "session"} >= {"READY", "ENDING", "CLOSED"}


def test_words_that_come_after_the_cut_are_ignored_and_counted(ran: Ran, steps: list[Record]) -> None:
    late = [step for step in steps if step.reason == "LATE" and step.event == "TextDelta"]

    assert late, "the rough line has words under way when the caller barges in"
    assert all(step.before == "INTERRUPTED" and not step.effects for step in late)
    assert re.search(r"\d+ DUPLICATE, \d+ LATE", ran.summary("ignored")[0])


def test_the_trace_holds_no_word_that_was_said(ran: Ran, steps: list[Record], out: Path) -> None:
    text = (out / "trace.jsonl").read_text().lower()
    said = " ".join([GREETING, MURMUR, *ANSWERS, *(one.text for one in CALLER), "sunny degrees lisbon weather"])

    for word in set(re.findall("[a-z]{4,}", said.lower())) - {"output"}:
        assert not re.search(rf"\b{word}\b", text), word
    assert sum(step.words for step in steps) > 50
    assert sum(step.bytes for step in steps) > 1_000_000
    assert set(read_header(out / "trace.jsonl").machines) == {step.machine for step in steps}


def _loud(sound: Samples, rate: int, start: float, end: float) -> float:
    return float(np.abs(sound[round(start * rate) : round(end * rate)].astype(np.int32)).max(initial=0))


def test_the_recording_has_both_voices_and_the_agent_falls_silent_when_it_is_cut(
    ran: Ran, steps: list[Record], out: Path
) -> None:
    samples, rate, channels = read_wav(out / "conversation.wav")
    caller, agent = samples[::2], samples[1::2]
    playouts = [step for step in steps if step.machine == "playout"]
    (cut,) = (step.time for step in playouts if step.event == "PlayoutStopped")
    again = min(step.time for step in playouts if step.event == "PlayoutStarted" and step.time > cut)

    assert channels == 2
    assert _loud(agent, rate, cut - 1.0, cut - 0.1) > 1000
    assert _loud(caller, rate, cut - 0.1, cut + 0.5) > 1000, "the caller's voice is what cut it"
    assert _loud(agent, rate, cut + 0.1, again - 0.1) == 0
    assert _loud(agent, rate, again, again + 1.0) > 1000
