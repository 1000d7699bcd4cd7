"""A recording, and an ordering of one's own, as a sequence diagram without a spoken word."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtfsm import Driver
from rtfsm.cli import main
from rtfsm.draw import Moment, moment, sequence_diagram
from rtfsm.machines import Conversation
from rtfsm.profiles import PHONIC
from rtfsm.trace import Recorder, read
from rtfsm.vocabulary import local, wire
from tests.draw.door import DOOR, Pull, Push, Saw

SECRET = "xylophone"


def test_steps_of_ones_own_are_drawn_in_their_order() -> None:
    driver, steps = Driver(DOOR), []
    driver.observe(lambda step: steps.append(moment(step)))
    driver.handle(Pull(), 0.0)
    driver.handle(Push(words=SECRET), 1.5)
    driver.elapse(driver.next_deadline() or 0.0)
    driver.handle(Saw(), 80.0)
    assert sequence_diagram(steps, wrong="the door is gone; #1") == (
        "sequenceDiagram\n"
        "    participant m0 as door\n"
        "    participant xOutside as Outside\n"
        "    xOutside->>m0: 0.00 s Pull\n"
        "    m0-->>xOutside: Ring\n"
        "    xOutside-xm0: 1.50 s Push is ignored, NO_OP\n"
        "    xOutside->>m0: 80.00 s Saw\n"
        "    Note over m0: SHUT to GONE\n"
        "    Note over m0,xOutside: the door is gone#59; #35;1\n"
    )


def test_an_effect_that_becomes_an_event_is_an_arrow_between_machines() -> None:
    text = sequence_diagram(
        [
            Moment(
                1.0, "user_turn", "user_turn", "UserSpeechStarted", "SILENT", "SPEAKING", ("CutAgent", "SpeechStarted")
            ),
            Moment(1.0, "generation", "g1", "UserCut", "SPEAKING", "INTERRUPTED", ("CloseMessage", "SendCancel")),
            Moment(2.0, "generation", "g1", "UserCut", "INTERRUPTED", "INTERRUPTED", reason="DUPLICATE"),
            Moment(3.0, "reply", "r1", "SendNow", "QUEUED", "SENT", ("SendReplyRequest",)),
            Moment(9.0, "reply", "r1", "TimerElapsed", "SENT", "DISCARDING"),
        ]
    )
    lines = [line.strip() for line in text.splitlines()]
    assert "xUser->>m0: 1.00 s UserSpeechStarted" in lines
    assert "m0->>m1: UserCut [g1]" in lines
    assert "Note over m1: SPEAKING to INTERRUPTED" in lines
    assert "xHost-xm1: 2.00 s UserCut [g1] is ignored, DUPLICATE" in lines, "no effect of that time led there"
    assert "m2->>m2: SendNow [r1]" in lines, "a standing condition is asked by the machine itself"
    assert "m2-->>xWire: SendReplyRequest [r1]" in lines
    assert "xTime->>m2: 9.00 s TimerElapsed [r1]" in lines
    assert lines[1:7] == [
        "participant xHost as Host",
        "participant m0 as user_turn",
        "participant m1 as generation",
        "participant m2 as reply",
        "participant xUser as User",
        "participant xWire as Wire",
    ]


def test_equal_steps_that_change_nothing_are_one_arrow() -> None:
    audio = [Moment(n / 50, "generation", "g", "AudioDelta", "SPEAKING", "SPEAKING", ("PushAudio",)) for n in range(40)]
    words = [Moment(n / 50, "generation", "g", "TextDelta", "SPEAKING", "SPEAKING", ("PushText",)) for n in range(4)]
    mixed = [*audio[:20], *words, *audio[20:]]
    text = sequence_diagram(mixed)
    assert "AudioDelta [g] × 40" in text
    assert "PushText [g] × 4" in text
    assert text.count("->>") == 4


def test_names_that_a_provider_chose_break_nothing() -> None:
    text = sequence_diagram([Moment(0.0, "end", "a;b\nx->>y: #" + "z" * 900, "Odd%%{init}", "A", "B")])
    assert "participant m0 as end" in text
    assert "a#59;b x->" not in text
    assert "%%" not in text
    assert max(map(len, text.splitlines())) < 200
    assert len(text.splitlines()) == 5


def test_a_long_recording_is_cut_and_says_so() -> None:
    many = [Moment(float(n), "m", "m", "E", "A" if n % 2 else "B", "B" if n % 2 else "A") for n in range(1000)]
    text = sequence_diagram(many)
    assert text.count("->>") == 300
    assert "700 further events are left out" in text
    assert len(text) < 50_000


def test_no_steps_are_a_picture_too() -> None:
    assert "nothing happened" in sequence_diagram([])


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "trace.jsonl"
    with Recorder(path) as recorder:
        conversation = Conversation(PHONIC)
        recorder.attach(conversation)
        conversation.handle(local.ConfigGiven(), 1.0)
        conversation.handle(wire.TransportOpened(), 2.0)
        conversation.handle(wire.ProviderReady(), 3.0)
        conversation.handle(wire.UserSpeechStarted(), 4.0)
        conversation.handle(wire.UserSpeechStopped(), 5.0)
        conversation.handle(wire.UserTranscript(text=SECRET), 6.0)
    return path


def test_a_recording_is_drawn_without_a_word(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "sequence", str(recording)]) == 0
    out = capsys.readouterr().out
    assert out == sequence_diagram(read(recording))
    assert "UserTranscript" in out
    assert SECRET not in out


def test_a_part_of_a_recording_is_chosen_by_its_seconds(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = [step.time for step in read(recording)]
    assert main(["draw", "sequence", str(recording), "--since", str(times[-3]), "--until", str(times[-2])]) == 0
    out = capsys.readouterr().out
    assert "UserSpeechStarted" in out
    assert "UserTranscript" not in out
    assert "ConfigGiven" not in out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["sequence"], "name the recording to draw"),
        (["sequence", "nowhere.jsonl"], "nowhere.jsonl cannot be read: No such file"),
        (["sequence", "TRACE", "--format", "svg"], "a sequence is drawn in Mermaid"),
        (["sequence", "TRACE", "--profile", "phonic"], "leave out --profile"),
        (["sequence", "README"], "is no rtfsm recording"),
        (["playout", "TRACE"], "leave out the trace"),
        (["playout", "--since", "3"], "leave out --since"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(
    recording: Path, capsys: pytest.CaptureFixture[str], given: list[str], said: str
) -> None:
    (recording.parent / "readme").write_text("no recording\n")
    places = {"TRACE": str(recording), "README": str(recording.parent / "readme")}
    assert main(["draw", *(places.get(one, one) for one in given)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert len(captured.err.splitlines()) == 1
