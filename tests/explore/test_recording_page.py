"""Recordings and findings on the page: opened, scrubbed, and held against the tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rtfsm.explore import page
from rtfsm.profiles import PROFILES
from rtfsm.timeline import load

from .browser import Browser
from .looking import MODEL, WAIT, at, choose, give, of_event, pythons
from .recordings import finding, talk, trace


def test_a_run_of_the_demo_is_opened_and_scrubbed(opened: Browser, demo_trace: Path) -> None:
    choose(opened, demo_trace)
    records = load(demo_trace).records
    last = len(records) - 1
    assert opened.text("#title") == "trace.jsonl"
    assert opened.text("#count") == f"1 of {last + 1:,}"
    assert "every step is one that the tables have" in opened.text("#wrong")

    opened.click("#at")
    opened.press("home", "right", "right")
    opened.settle()
    assert at(opened) == 2
    assert of_event(opened, "event") == "ProviderReady"
    assert of_event(opened, "state") == "STARTING → READY"
    opened.press("end")
    opened.settle()
    assert at(opened) == last
    opened.press("left")
    opened.settle()
    assert at(opened) == last - 1

    opened.drag("#lanes", (200, 60), (640, 60))
    opened.settle()
    time = opened.run("return page.recording.painter.timeAt(640)")
    assert abs(records[at(opened)].time - time) == min(abs(one.time - time) for one in records)
    opened.press("home")  # to drag is to take the slider in hand
    opened.settle()
    assert at(opened) == 0


def test_the_states_of_all_that_lives_are_shown_at_the_cursor(opened: Browser) -> None:
    give(opened, talk(3))
    cut = opened.run("return page.recording.file.records.findIndex((one) => one.event === 'UserCut')")
    opened.run("page.recording.go(arguments[0])", cut)
    opened.settle()
    alive = opened.run("return [...document.querySelectorAll('#alive b')].map((one) => one.textContent)")
    assert alive == ["READY", "SPEAKING", "INTERRUPTED", "PLAYING"]
    states = opened.run("return [...document.querySelectorAll('#whole dd')].map((one) => one.dataset.state)")
    assert states == ["speaking", "speaking"]


def test_the_picture_is_the_one_that_python_draws(opened: Browser, demo_trace: Path, tmp_path: Path) -> None:
    choose(opened, demo_trace)
    assert opened.run(MODEL) == pythons(demo_trace)
    odd = tmp_path / "odd.jsonl"
    odd.write_text(damaged(talk(12)))
    give(opened, odd.read_text())
    assert opened.run(MODEL) == pythons(odd)
    assert {kind for _, kind, _ in pythons(odd)["problems"]} == {"TABLE", "GAP", "REFUSED"}


def damaged(text: str) -> str:
    """A recording with steps of every kind that the tables do not have."""
    header, *lines = text.splitlines()
    steps = [json.loads(line) for line in lines]
    opens = [place for place, step in enumerate(steps) if step["effects"][:1] == ["OpenGeneration"]]
    steps[opens[1]]["effects"] = ["OpenGeneration"]
    steps[opens[2]]["event"] = "Nobody"
    del steps[next(place for place, step in enumerate(steps) if step["event"] == "GenerationDone")]
    steps.append({**steps[-1], "machine": "playout", "instance": "late", "event": "PlayoutStarted", "arm": 1,
                  "before": "NEW", "after": "NEW", "effects": []})  # fmt: skip
    steps[-1].pop("reason", None)
    steps[-1].pop("with", None)
    return "\n".join([header, *map(json.dumps, steps)]) + "\n"


@pytest.mark.parametrize("profile", ["openai", "gemini"])
def test_a_recording_of_another_wire_is_drawn_and_not_judged_by_the_wrong_tables(opened: Browser, profile: str) -> None:
    give(opened, talk(3, profile))
    assert f"make its page with --profile {profile}" in opened.text("#about")
    assert opened.run("return page.recording.model.problems.length") == 0
    assert opened.run("return getComputedStyle(document.getElementById('whole')).visibility") == "hidden"


def test_what_is_wrong_is_listed_and_leads_there(opened: Browser) -> None:
    give(opened, damaged(talk(12)))
    assert at(opened) == opened.run("return page.recording.model.problems[0].place")
    opened.click("#wrong li:nth-child(3) button")
    opened.settle()
    assert at(opened) == opened.run("return page.recording.model.problems[2].place")
    assert of_event(opened, "wrong") != ""


def test_a_finding_is_shown_move_by_move(opened: Browser, tmp_path: Path) -> None:
    choose(opened, finding(tmp_path))
    assert "5 moves · while the host does not interrupt when the user speaks" in opened.text("#about")
    moves = opened.run("return [...document.querySelectorAll('#around .what')].map((one) => one.textContent)")
    assert moves == ["assistant_started_speaking", "audio_chunk", "asks", "passes", "closes"]
    assert "LAW: one-fatal-error: expected one, seen 2" in opened.text("#wrong")
    assert of_event(opened, "code") == "1011"
    opened.click("#at")
    opened.press("home")
    opened.settle()
    assert of_event(opened, "what") == "assistant_started_speaking"


def test_a_file_can_be_dropped_anywhere(opened: Browser) -> None:
    drop = """
    const data = new DataTransfer();
    data.items.add(new File([arguments[0]], 'dropped.jsonl'));
    for (const kind of ['dragenter', 'dragover', 'drop'])
      document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
    """
    opened.run_later(drop + WAIT, talk(1))
    assert opened.text("#title") == "dropped.jsonl"
    assert opened.run("return document.body.className") == ""


SCRUB = """
const at = document.getElementById('at');
const painted = page.recording.painter.painted;
let place = 0;
const frame = () => {
  if (place > Number(at.max)) {
    return done({
      painted: page.recording.painter.painted - painted,
      nodes: document.querySelectorAll('#recording *').length, at: page.recording.at,
    });
  }
  page.recording.go(place);
  page.recording.render();
  place += 25;
  return requestAnimationFrame(frame);
};
frame();
"""


def test_a_thousand_events_are_scrubbed_without_painting_anew(opened: Browser) -> None:
    """What makes a step cheap: the picture is not painted anew, and the page stays small."""
    give(opened, talk(60))
    count = opened.run("return page.recording.model.times.length")
    assert count > 1000
    seen = opened.run_later(SCRUB)
    assert seen["painted"] == 0
    assert seen["nodes"] < 400
    assert seen["at"] == (count - 1) // 25 * 25


def test_the_picture_is_enlarged_and_follows_the_cursor(opened: Browser) -> None:
    give(opened, talk(60))
    shown = "const p = page.recording.painter; return [p.from, p.to]"
    everything = opened.run(shown)
    for _ in range(6):
        opened.click("#in")
    begin, end = opened.run(shown)
    assert end - begin == pytest.approx(everything[1] / 64)
    opened.click("#at")
    opened.press("end")
    opened.settle()
    begin, end = opened.run(shown)
    assert end == pytest.approx(everything[1])
    assert begin <= opened.run("return page.recording.model.times.at(-1)") <= end
    opened.press("0")
    assert opened.run(shown) == everything


@pytest.mark.parametrize("profile", PROFILES)
def test_a_real_conversation_is_what_the_tables_have(chromium: Browser, tmp_path: Path, profile: str) -> None:
    file = tmp_path / "page.html"
    file.write_bytes(page(profile, ("talk.jsonl", talk(3, profile))).encode())
    chromium.open(file)
    chromium.settle()
    assert chromium.run("return [page.recording.model.judged, page.recording.model.problems]") == [True, []]


def test_a_finding_without_moves_says_what_was_broken(opened: Browser, tmp_path: Path) -> None:
    found = json.loads(finding(tmp_path).read_text())
    found["ordering"]["moves"] = []
    give(opened, json.dumps(found))
    assert "connecting is enough" in opened.text("#event")
    assert "LAW: one-fatal-error" in opened.text("#wrong")


def test_more_instances_than_there_is_room_for_are_drawn_all_the_same(opened: Browser, tmp_path: Path) -> None:
    steps = [
        {"time": number / 100, "machine": "m", "instance": f"one {number}", "event": "E", "before": "A", "after": "B"}
        for number in range(400)
    ]
    path = tmp_path / "crowd.jsonl"
    path.write_text(trace({"m": ["A", "B"], **{f"n{number}": ["A"] for number in range(500)}}, *steps))
    choose(opened, path)
    assert opened.run(MODEL) == pythons(path)
    assert opened.run("return document.getElementById('lanes').height") < 2000
    assert opened.run("return document.querySelectorAll('#alive li').length") == 1
    opened.run("page.recording.go(399)")
    opened.settle()
    assert opened.run("return document.querySelectorAll('#alive li').length") == 100
