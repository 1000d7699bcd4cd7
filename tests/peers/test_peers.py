"""The stories themselves: each can fail, each is on the page, and a precondition that does not come about is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from .found import FOUND
from .plugins import DEAF, OURS
from .report import all_stories, main
from .stage import Stage
from .story import Seen, Story, at_least, at_most, judged, no_more_than

PAGE = Path(__file__).parents[2] / "docs" / "peers.md"


@pytest.mark.parametrize("told", all_stories(), ids=lambda told: told.name)
def test_a_plugin_that_does_nothing_passes_no_story(told: Story) -> None:
    assert not judged(told, DEAF).holds


def _story(play: object, **right: object) -> Story:
    return Story("made up", "turns", "nothing", right, play)  # type: ignore[arg-type]  # each test has its own play


def test_a_story_without_a_precondition_is_no_story() -> None:
    async def play(stage: Stage) -> Seen:
        return {"fine": True}

    verdict = judged(_story(play, fine=True), OURS)
    assert not verdict.holds
    assert verdict.error == "nothing makes sure that the ordering came about"


def test_a_precondition_that_does_not_come_about_is_an_error_and_no_pass() -> None:
    async def play(stage: Stage) -> Seen:
        stage.require(False, "the user never spoke")
        return {"fine": True}

    verdict = judged(_story(play, fine=True), OURS)
    assert not verdict.holds
    assert verdict.error == "NotPlayed: the user never spoke"


def test_a_story_that_looks_at_something_else_than_it_judges_is_an_error() -> None:
    async def play(stage: Stage) -> Seen:
        stage.require(True, "it did")
        return {"other": True}

    assert judged(_story(play, fine=True), OURS).error is not None


def test_what_is_wrong_is_named() -> None:
    async def play(stage: Stage) -> Seen:
        stage.require(True, "it did")
        return {"words": "late", "seconds": None, "calls": 3}

    verdict = judged(_story(play, words="late", seconds=no_more_than(3), calls=at_most(2)), OURS)
    assert verdict.wrong == ("seconds", "calls")


def test_what_was_left_behind_makes_a_story_fail() -> None:
    import asyncio

    tasks = []

    async def play(stage: Stage) -> Seen:
        stage.require(True, "it did")
        tasks.append(asyncio.ensure_future(asyncio.Event().wait()))
        return {"words": 3}

    verdict = judged(_story(play, words=at_least(1)), OURS)
    assert not verdict.holds
    assert "left behind" in verdict.besides[0]


def test_the_page_has_every_story_and_no_other() -> None:
    page = PAGE.read_text(encoding="utf-8")
    titles = [line.split("**")[1] for line in page.splitlines() if line.startswith("| **")]
    assert titles == [told.title for told in all_stories()] + [found.title for found in FOUND]


def test_the_page_is_written_by_playing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    assert main(["--only", "opens_no_ghost", "--write", str(page)]) == 0
    assert "text after the user started opens no ghost" in page.read_text(encoding="utf-8")
    assert "ours right" in capsys.readouterr().out
