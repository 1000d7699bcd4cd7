"""Who notices what: each killer kills what is for it, and only what changes nothing is called equivalent."""

from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path

import pytest

from rtfsm.check import Bounds
from rtfsm.cli import main
from rtfsm.mutate import Judge, Stories, Story, planned, stories_below
from rtfsm.mutate.cli import run

STORIES = Path(__file__).parent.parent / "machines"
SMALL = {"phonic": (Bounds(0, 0, 1), Bounds(0, 0, 1))}


@cache
def judge() -> Judge:
    return Judge(Stories.heard(stories_below(STORIES, ["test_user_stories.py"])), SMALL, {})


def fate(place: str, change: str) -> tuple[str, str]:
    (plan,) = (one for one in planned(profile="phonic") if (one.mutant.place, one.mutant.change) == (place, change))
    verdict = judge().judge(plan)
    return verdict.fate, verdict.by


def test_the_language_refuses_a_wait_without_end() -> None:
    fated, why = fate("session.CONNECTING x TimerElapsed", "arm 2: it is ignored")
    assert (fated, "time runs out" in why) == ("declaration", True)


def test_the_check_of_the_machine_finds_what_cannot_be_reached() -> None:
    fated, why = fate("session.CONNECTING x TransportOpened", "arm 3: it is ignored")
    assert (fated, "AWAITING_CONFIG" in why) == ("machine alone", True)


def test_a_count_without_end_is_found_soon() -> None:
    fated, why = fate("session.CONNECTING x TransportLost", "arm 2: retryable is negated")
    assert (fated, "counts without end" in why) == ("machine alone", True)


def test_the_search_of_the_whole_finds_what_an_invariant_forbids() -> None:
    fated, why = fate("user_turn.SILENT x UserSpeechStarted", "arm 2: CutAgent is dropped")
    assert (fated, why[:5]) == ("all together", "GEN-6")


def test_a_timer_that_is_not_started_is_found() -> None:
    fated, why = fate("generation.SEALED x timer", "the timer is not started")
    assert (fated, why[:6]) == ("all together", "TIME-2")


def test_a_story_finds_what_no_invariant_forbids() -> None:
    fated, by = fate("user_turn.SILENT x UserSpeechStarted", "arm 1: guarded by floor_held is dropped")
    assert (fated, "test_user_stories" in by) == ("stories", True)


def test_what_nobody_can_tell_is_equivalent() -> None:
    """When the user has stopped, nothing of a cut is open: to cut again, or twice, orders nothing."""
    fated, bounds = fate("user_turn.SILENT x UserSpeechStarted", "arm 2: CutAgent is done twice")
    assert (fated, bounds) == ("equivalent", "phonic to 0.0.1")


def test_what_nobody_looked_at_survives() -> None:
    fated, shows = fate("session.READY x ConfigRejected", "RestoreConfig is dropped")
    assert (fated, "ConfigRejected" in shows) == ("survived", True)


def test_a_story_that_fails_as_it_is_stops_everything() -> None:
    def wrong() -> None:
        raise AssertionError("as it is")

    with pytest.raises(AssertionError, match="as it is"):
        Stories.heard([Story("wrong", wrong)])


def test_stories_are_found_with_their_parameters() -> None:
    names = [story.name for story in stories_below(STORIES, ["test_foreign_wires.py", "test_closing_stories.py"])]
    assert any("test_foreign_wires" in name for name in names)
    assert any(name.endswith("[3]") for name in names)
    assert stories_below(STORIES, ["test_nothing.py"]) == []


def test_a_sample_is_judged_reported_and_written(tmp_path: Path) -> None:
    out, file = io.StringIO(), tmp_path / "verdicts.json"
    status = run(
        "tool_call", "gemini", stories=str(STORIES), file=str(file), every=40, bounds=(Bounds(0, 0, 1),), out=out
    )
    rows = json.loads(file.read_text(encoding="utf-8"))
    assert status in (0, 1)
    assert {row["machine"] for row in rows} == {"tool_call"}
    assert len(rows) >= 2
    assert f"{len(rows)} mutants" in out.getvalue()
    assert "that are not equivalent are killed" in out.getvalue()


def test_bad_usage_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutate", "--machine", "nobody"]) == 2
    assert main(["mutate", "--stories", str(tmp_path / "none")]) == 2
    assert "give --stories" in capsys.readouterr().err
    assert main(["mutate", "--processes", "0"]) == 2
