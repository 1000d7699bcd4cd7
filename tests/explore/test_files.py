"""Files that anybody may have written: what the page refuses, what it shows, and that none of them does harm."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from rtfsm.explore import page
from rtfsm.trace import TraceError

from .browser import Browser
from .looking import MODEL, give, pythons
from .recordings import EVIL, evil, finding, talk, trace

UNREADABLE = {
    "nothing": ("", "is no recording of rtfsm"),
    "a picture": ("\x89PNG\r\n\x1a\n", "is no recording of rtfsm"),
    "a list": ("[]\n", "is no recording of rtfsm"),
    "cut short": (talk(1)[:-20], "the recording was cut short"),
    "a broken line": (talk(1) + "{oops\n", "is no JSON"),
    "a number": (talk(1) + "7\n", "is no JSON object"),
    "a strange machine": (trace({}, {"machine": "m"}), "line 2: machine 'm' is not in the header"),
    "a strange state": (
        trace({"m": ["A"]}, {"machine": "m", "before": "B", "after": "A"}),
        "line 2: machine 'm' has no state 'B'",
    ),
    "time going back": (
        trace({"m": ["A"]}, *({"machine": "m", "instance": "m", "event": "E", "before": "A", "after": "A", "time": t}
                              for t in (2, 1))),
        "line 3: the time goes back",
    ),
    "no effects": (
        trace({"m": ["A"]}, {"machine": "m", "before": "A", "after": "A", "instance": "", "event": "", "effects": 3}),
        "line 2: 'effects' must be an array of strings",
    ),
    "a later version": (talk(1).replace('"version":1', '"version":2', 1), "make a newer page"),
    "a finding without moves": (
        '{"format": "rtfsm-ordering", "ordering": {}}', "ordering: 'moves' must be a list"
    ),
    "a finding of someone else": (
        '{"format": "rtfsm-ordering", "ordering": {"moves": [{"who": "moon"}]}}', "move 1: 'moon' takes no part"
    ),
}  # fmt: skip


def test_what_cannot_be_read_is_said_and_what_was_shown_stays(opened: Browser) -> None:
    give(opened, talk(2), "good.jsonl")
    for name, (text, said) in UNREADABLE.items():
        give(opened, text, f"{name}.jsonl")
        assert said in opened.text("#notice"), name
        assert opened.text("#title") == "good.jsonl"
    give(opened, talk(1), "better.jsonl")
    assert opened.text("#notice") == ""
    assert opened.text("#title") == "better.jsonl"


HURT = """
return [window.hurt ?? null, document.querySelectorAll('main img, main script, main style').length,
        document.querySelectorAll('script').length]
"""


OVERFLOWING = """
return [...document.querySelectorAll('#recording *')].filter((one) =>
  one.getBoundingClientRect().right > one.parentElement.closest('section').getBoundingClientRect().right + 1)
  .map((one) => one.outerHTML)
"""


def test_names_that_mean_harm_are_text(opened: Browser, tmp_path: Path) -> None:
    give(opened, evil(), EVIL)
    shown = []
    for place in range(4):
        opened.run("page.recording.go(arguments[0])", place)
        opened.settle()
        shown.append(opened.text("#shown"))
    assert opened.run(HURT) == [None, 0, 2]
    assert "<img src=x onerror=" in shown[0]
    assert opened.run(OVERFLOWING) == []
    assert not any(sign in "".join(shown) for sign in ("\u202e", "\x1b", "\x00"))
    give(opened, json.dumps({**json.loads(finding(tmp_path, words=EVIL).read_text()), "target": EVIL}))
    assert opened.run(HURT) == [None, 0, 2]
    assert "<img src=x onerror=" in opened.text("#wrong")


def test_a_page_that_opens_with_a_recording_that_means_harm_does_none(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_bytes(page("phonic", ("<!--<script>" + EVIL, evil() + "<!--<script>\n")).encode())
    chromium.open(file)
    chromium.settle()
    assert chromium.run(HURT) == [None, 0, 2]
    assert "is no JSON" in chromium.text("#notice")
    file.write_bytes(page("phonic", (EVIL, evil())).encode())
    chromium.open(file)
    chromium.settle()
    assert chromium.run(HURT) == [None, 0, 2]
    assert "<img src=x onerror=" in chromium.text("#title")
    assert chromium.logs() == []
    assert chromium.requests() == [file.as_uri()]


ODD: tuple[Any, ...] = (
    None,
    7,
    -1,
    1e300,
    "",
    "x",
    "SPEAKING",
    "generation",
    [],
    ["PushText"],
    {},
    {"kind": True},
    True,
    False,
)


def bent(lines: list[str], random: Random) -> str:
    """A recording of which one line has something else in it, is missing, doubled, or not even JSON."""
    lines = list(lines)
    place = random.randrange(len(lines))
    line = json.loads(lines[place])
    match random.randrange(12):
        case 0:
            del lines[place]
        case 1:
            lines.insert(place, lines[random.randrange(len(lines))])
        case 2:
            cut = random.randrange(len(lines[place]))
            lines[place] = lines[place][:cut]
        case 3:
            del line[random.choice(list(line))]
            lines[place] = json.dumps(line)
        case 4 | 5 | 6:
            key = random.choice([*line, "with", "words", "bytes", "reason", "seconds"])
            lines[place] = json.dumps({**line, key: random.choice(ODD)})
        case _:  # what is usual in another step
            other = json.loads(random.choice(lines))
            key = random.choice(["event", "effects", "after", "before", "arm", "reason", "instance"])
            lines[place] = json.dumps({**line, key: other.get(key, line.get(key, "LATE"))})
    return "\n".join(lines) + "\n"


def test_the_page_and_python_take_and_refuse_the_same_files(opened: Browser, tmp_path: Path) -> None:
    random = Random(1)
    lines = talk(2).splitlines()
    texts = [bent(lines, random) for _ in range(150)]
    path = tmp_path / "bent.jsonl"
    expected: list[Any] = []
    for text in texts:
        path.write_text(text)
        try:
            expected.append(pythons(path))
        except TraceError:
            expected.append(None)
    script = f"""
    return arguments[0].map((text) => {{
      page.open('bent.jsonl', text);
      if (document.getElementById('notice').textContent) return null;
      {MODEL}
    }})"""
    seen = opened.run(script, texts)
    for text, meant, drawn in zip(texts, expected, seen, strict=True):
        assert drawn == meant, text
    refused = sum(one is None for one in expected)
    wrong = sum(one is not None and bool(one["problems"]) for one in expected)
    assert min(refused, wrong, len(texts) - refused - wrong) > 20
