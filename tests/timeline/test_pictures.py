"""Recordings as pictures: in characters and as SVG, the same bytes each time, and safe whatever is in them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

from rtfsm.timeline import Recording, load, svg, text
from rtfsm.timeline.text import shown, ticks
from tests.explore.recordings import EVIL, evil, talk, trace

DRAWN = """\
call.jsonl: 8.7 s, 59 events, the tables of phonic

                |0 s         |2            |4            |6            |8
session         ░██████████████████████████████████████████████████████████
user                  ███░                ████░                ████░     █░
generations                ███████────────     ████████────────     ████▌╳╳─
messages heard             ░░████████           ░█████████           ░██▌
tool calls
replies

nothing is wrong in it, held against the tables

session         ░ CONNECTING  ░ STARTING  █ READY
user            █ SPEAKING  ░ AWAITING_TRANSCRIPT
generations     █ SPEAKING  ╳ INTERRUPTED  ─ TAIL
messages heard  ░ QUEUED  █ PLAYING
                ▌ cut while it was live
"""


def recording(folder: Path, given: str, name: str = "call.jsonl") -> Recording:
    path = folder / name
    path.write_text(given, encoding="utf-8")
    return load(path)


def test_a_conversation_is_drawn_in_characters(tmp_path: Path) -> None:
    assert text(recording(tmp_path, talk(3)), 76) == DRAWN


def test_colours_change_no_character(tmp_path: Path) -> None:
    found = recording(tmp_path, talk(3))
    coloured = text(found, 76, colours=True)
    assert "\x1b[32m███\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == DRAWN


@pytest.mark.parametrize("width", [1, 60, 61, 100, 317])
def test_no_line_is_longer_than_it_may_be(tmp_path: Path, width: int) -> None:
    drawn = text(recording(tmp_path, talk(3)), width)
    assert max(map(len, drawn.splitlines())) <= max(width, 60)


def test_what_is_wrong_is_marked_and_told(tmp_path: Path) -> None:
    given = talk(3).replace('"effects":["CloseMessage","Seal"]', '"effects":["Seal"]')
    lines = text(recording(tmp_path, given)).splitlines()
    (marks,) = [line for line in lines if line.startswith("wrong")]
    assert marks.count("▲") == 3
    assert "3 steps wrong:" in lines
    assert "the recording goes to TAIL and orders Seal (2 times)" in "\n".join(lines)


def test_the_picture_is_the_same_each_time(tmp_path: Path) -> None:
    one = recording(tmp_path, talk(3))
    assert svg(one) == svg(recording(tmp_path, talk(3)))
    root = xml.fromstring(svg(one, 900))
    assert (root.get("width"), root.get("viewBox", "").split()[2]) == ("900", "900")
    bars = [one for one in root.iter("{http://www.w3.org/2000/svg}rect") if len(one)]
    assert len(bars) == sum(len(bar.segments) for lane in one.lanes for bar in lane.bars)
    right = max(float(bar.get("x", "0")) + float(bar.get("width", "0")) for bar in bars)
    assert right <= 900


def test_names_that_mean_harm_are_text(tmp_path: Path) -> None:
    found = recording(tmp_path, evil(), "a<b&c>\x1b[2J.jsonl")
    root = xml.fromstring(svg(found))
    assert {one.tag.rpartition("}")[2] for one in root.iter()} <= {
        "svg", "style", "defs", "pattern", "path", "circle", "text", "title", "rect", "polygon",
    }  # fmt: skip
    words = "".join(root.itertext())
    assert EVIL[:20] in words
    drawn = text(found)
    for sign in ("\x1b", "\x00", "\u202e"):
        assert sign not in words
        assert sign not in drawn


def test_a_recording_without_steps_and_one_without_time_are_drawn(tmp_path: Path) -> None:
    step = {"machine": "m", "instance": "m", "event": "E", "before": "A", "after": "B"}
    for given in (trace({}), trace({"m": ["A", "B"]}), trace({"m": ["A", "B"]}, step)):
        found = recording(tmp_path, given)
        assert text(found).startswith("call.jsonl: 1.0 s")
        xml.fromstring(svg(found))


def test_a_scale_has_round_marks_and_not_too_many() -> None:
    assert ticks(26.0, 10) == (5, 5)
    assert ticks(0.004, 10) == (0.001, 4)
    step, count = ticks(1e9, 10)
    assert step * count <= 1e9
    assert count <= 10


def test_a_name_is_one_line_and_not_too_long() -> None:
    assert shown("message-2") == "message-2"
    assert shown("a\nb\tc\u2028d") == "a�b�c�d"
    assert shown("x" * 50) == "x" * 39 + "…"
