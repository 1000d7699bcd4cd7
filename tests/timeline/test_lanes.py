"""What the lanes of a recording are made of, and what in it the tables do not have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rtfsm.machines import compose
from rtfsm.profiles import PROFILES
from rtfsm.timeline import Look, Problem, load
from rtfsm.timeline.lanes import CUTTING, LANES
from rtfsm.trace import TraceError
from tests.explore.recordings import talk, trace


def test_every_state_of_every_shipped_machine_has_a_look() -> None:
    for wire in PROFILES.values():
        for machine in compose(wire).machines:
            _, looks = LANES[machine.name]
            assert {state.name for state in machine.states} <= set(looks)
            for state in machine.states:
                over = state in machine.final or (
                    machine.name not in ("session", "user_turn") and state is machine.initial
                )
                assert (looks[state.name] is Look.NONE) >= over, (machine.name, state)
    events = {event.__name__ for wire in PROFILES.values() for one in compose(wire).machines for event in one.events}
    assert set(CUTTING) <= events


def test_instances_that_live_at_once_are_drawn_below_each_other(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"

    def step(time: float, instance: str, before: str, after: str) -> dict[str, object]:
        return {
            "time": time,
            "machine": "tool_call",
            "instance": instance,
            "event": "E",
            "before": before,
            "after": after,
        }

    path.write_text(
        trace(
            {"tool_call": ["NEW", "PENDING", "ANSWERED", "PROCESSED"]},
            step(1.0, "a", "NEW", "PENDING"),
            step(2.0, "b", "NEW", "PENDING"),
            step(3.0, "a", "PENDING", "PROCESSED"),
            step(4.0, "c", "NEW", "PENDING"),
            step(5.0, "b", "PENDING", "ANSWERED"),
            step(9.0, "b", "ANSWERED", "PROCESSED"),
        )
    )
    (lane,) = load(path).lanes
    assert lane.rows == 2
    assert [(bar.instance, bar.row, bar.begin, bar.end) for bar in lane.bars] == [
        ("a", 0, 1.0, 3.0),
        ("b", 1, 2.0, 9.0),
        ("c", 0, 4.0, 9.0),
    ]
    assert [(one.state, one.look) for one in lane.bars[1].segments] == [("PENDING", Look.LIVE), ("ANSWERED", Look.TAIL)]


def test_what_the_user_cuts_is_marked_as_cut(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    path.write_text(talk(3))
    found = load(path)
    cut = [(lane.label, one.state) for lane in found.lanes for bar in lane.bars for one in bar.segments if one.cut]
    assert cut == [("generations", "SPEAKING"), ("messages heard", "PLAYING")]


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_is_wrong_in_what_the_machines_did(tmp_path: Path, profile: str) -> None:
    path = tmp_path / "call.jsonl"
    path.write_text(talk(6, profile))
    found = load(path)
    assert (found.profile, found.problems) == (profile, ())


def changed(tmp_path: Path, place: int, **change: object) -> tuple[Problem, ...]:
    """The problems of a conversation in which one step is another one."""
    header, *lines = talk(1).splitlines()
    lines[place] = json.dumps({**json.loads(lines[place]), **change})
    path = tmp_path / "call.jsonl"
    path.write_text("\n".join([header, *lines]) + "\n")
    return load(path).problems


def place_of(event: str) -> int:
    return next(place for place, line in enumerate(talk(1).splitlines()[1:]) if f'"event":"{event}"' in line)


def test_a_step_that_the_table_does_not_have_is_told_with_what_it_has(tmp_path: Path) -> None:
    done = place_of("GenerationDone")
    assert changed(tmp_path, done, effects=["Seal"]) == (
        Problem(
            done,
            "TABLE",
            "on GenerationDone in SPEAKING the table of generation goes to TAIL and orders CloseMessage, Seal; "
            "the recording goes to TAIL and orders Seal",
        ),
    )
    (unknown,) = changed(tmp_path, done, event="Sneeze")
    assert (unknown.kind, unknown.text) == ("TABLE", "the table of generation knows no event Sneeze")
    (ignored,) = changed(tmp_path, place_of("UserTranscript"), after="AWAITING_TRANSCRIPT", effects=[], reason="LATE")[
        :1
    ]
    assert ignored.text.endswith("; the recording ignores it as LATE")


def test_a_guard_that_no_context_can_answer_so_is_noticed(tmp_path: Path) -> None:
    """The message is open, and has words: to open one more is an arm of the cell, and not of this context."""
    second = place_of("TextDelta") + 3
    assert json.loads(talk(1).splitlines()[1 + second])["effects"] == ["PushText"]
    (found,) = changed(tmp_path, second, effects=["OpenMessage", "PushText"])
    assert found.text.endswith("orders PushText; the recording stays and orders OpenMessage, PushText")


def test_what_only_a_defect_of_our_own_can_bring_is_told_as_refused(tmp_path: Path) -> None:
    started = place_of("PlayoutStarted")
    (found,) = changed(tmp_path, started, event="MessageOpened", after="QUEUED")[:1]
    assert (found.kind, found.text) == ("REFUSED", "MessageOpened in QUEUED of message-2: a message is announced once")


def test_an_instance_that_is_found_in_another_state_is_a_gap(tmp_path: Path) -> None:
    found = changed(tmp_path, place_of("UserTranscript"), before="SPEAKING", after="SPEAKING")
    assert next((one.kind, one.text) for one in found if one.kind == "GAP") == (
        "GAP",
        "user_turn was left in AWAITING_TRANSCRIPT, and takes UserTranscript in SPEAKING",
    )


@pytest.mark.parametrize("time", ["-1", "NaN", "Infinity", "1e999"])
def test_a_time_that_is_none_is_refused_with_its_line(tmp_path: Path, time: str) -> None:
    header, first, *rest = talk(1).splitlines()
    path = tmp_path / "call.jsonl"
    path.write_text("\n".join([header, first.replace('"time":0.0', f'"time":{time}'), *rest]) + "\n")
    with pytest.raises(TraceError, match=r"call\.jsonl, line 2: the time .* goes back, or is no number"):
        load(path)


def test_a_line_that_is_nested_without_end_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    path.write_text(talk(1) + "[" * 200_000 + "\n")
    count = len(talk(1).splitlines())
    with pytest.raises(TraceError, match=rf"line {count + 1}: is no"):
        load(path)
