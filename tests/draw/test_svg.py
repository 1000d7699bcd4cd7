"""SVG needs Graphviz. Where it is missing, that is said; in CI it has to be there."""

from __future__ import annotations

import os
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from rtfsm.cli import main
from rtfsm.draw import DrawError, Level, composition_picture, picture, svg
from rtfsm.machines import compose
from rtfsm.profiles import PHONIC, WIDEST
from tests.draw.door import DOOR

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def graphviz() -> None:
    if shutil.which("dot") is None:
        if os.environ.get("CI"):  # no assert, whose message would show the environment
            pytest.fail("CI must have Graphviz's dot; see .ci/run")
        pytest.skip("Graphviz's dot is not installed: apt-get install graphviz, or brew install graphviz")


def program(directory: Path, text: str) -> None:
    path = directory / "dot"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_without_dot_the_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    target = tmp_path / "door.svg"
    assert main(["draw", "playout", "--format", "svg", "-o", str(target)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "rtfsm draw: an SVG needs Graphviz's program dot, which is not on the PATH; install the package graphviz "
        "(apt-get install graphviz, or brew install graphviz), or draw with --format mermaid or dot"
    ]
    assert not target.exists()


def test_a_dot_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "echo 'Error: no fonts' >&2; exit 3")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DrawError, match="dot failed on door: Error: no fonts"):
        svg(picture(DOOR))


def test_what_dot_makes_and_is_no_svg_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "echo nonsense")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DrawError, match="dot made no SVG of door"):
        svg(picture(DOOR))


@pytest.mark.usefixtures("graphviz")
def test_an_svg_has_every_word_a_title_a_text_and_colours_for_the_dark() -> None:
    text = svg(picture(DOOR))
    root = ElementTree.fromstring(text)
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "door-title door-about")
    assert [one.text for one in root.iter(f"{SVG}title")] == ["door"]
    assert [one.text for one in root.iter(f"{SVG}desc")] == [
        "State machine door: 3 states, 4 arrows. It begins in SHUT and ends in GONE."
    ]
    tips = {one.get("{http://www.w3.org/1999/xlink}title") for one in root.iter(f"{SVG}a")}
    assert "GONE: gone | taken away" in tips
    (style,) = root.iter(f"{SVG}style")
    assert "@media (prefers-color-scheme:dark)" in (style.text or "")
    words = " ".join((one.text or "").replace("\xa0", " ").strip() for one in root.iter(f"{SVG}text"))
    for said in ('shut; "locked" or not: 100 %', "open <wide> #1", "GONE", "[hard]", "solid border: may wait for ever"):
        assert said in words
    assert "<script" not in text
    assert "http" not in text.replace("http://www.w3.org/", "")


@pytest.mark.usefixtures("graphviz")
def test_every_colour_of_a_picture_has_one_for_the_dark() -> None:
    for drawn in (picture(DOOR), composition_picture(compose(WIDEST))):
        root = ElementTree.fromstring(svg(drawn))
        style = next(root.iter(f"{SVG}style")).text or ""
        used = {one.get(key) for one in root.iter() for key in ("fill", "stroke")} - {None, "none", "transparent"}
        assert {colour for colour in used if f"fill='{colour}'" not in style} == set()


@pytest.mark.usefixtures("graphviz")
def test_the_same_picture_gives_the_same_bytes() -> None:
    assert svg(picture(DOOR, Level.EVENTS)) == svg(picture(DOOR, Level.EVENTS))


@pytest.mark.usefixtures("graphviz")
def test_an_overview_is_legible_on_a_page_of_1280_pixels() -> None:
    """Nothing has to shrink below three quarters of its size to fit: 11 points stay 11 pixels."""
    for wire in (PHONIC, WIDEST):
        for machine in compose(wire).machines:
            root = ElementTree.fromstring(svg(picture(machine, Level.OVERVIEW)))
            assert float(str(root.get("width")).removesuffix("pt")) <= 1280, machine.name


Place = tuple[float, float, float, float]


def labels(root: ElementTree.Element) -> list[tuple[str, Place]]:
    """The lines of the labels of arrows, each with left, top, right, bottom; a letter is half as wide as high."""
    (group,) = [one for one in root.iter(f"{SVG}g") if one.get("class") == "labels"]
    found = []
    for one in group.iter(f"{SVG}text"):
        words = (one.text or "").replace("\xa0", " ")
        x, y, size = (float(str(one.get(key))) for key in ("x", "y", "font-size"))
        left = x + (size / 4 if words.startswith(" ") else 0)
        found.append((words.strip(), (left, y - 0.7 * size, left + 0.5 * size * len(words.strip()), y)))
    return found


@pytest.mark.usefixtures("graphviz")
@pytest.mark.parametrize("level", [Level.OVERVIEW, Level.EVENTS])
def test_no_label_lies_on_another(level: Level) -> None:
    for wire in (PHONIC, WIDEST):
        for machine in compose(wire).machines:
            placed = labels(ElementTree.fromstring(svg(picture(machine, level))))
            assert len(placed) >= 4, "the labels are found"
            for number, (words, one) in enumerate(placed):
                for others, other in placed[number + 1 :]:
                    apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
                    assert apart, f"{machine.name}: {words!r} lies on {others!r}"
