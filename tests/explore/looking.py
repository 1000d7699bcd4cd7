"""Looking at recordings on the page: opening them, and what is drawn of them there and by Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rtfsm.timeline import Segment, load

from .browser import Browser

MODEL = """
const model = page.recording.model;
return {
  lanes: model.lanes.map((lane) => [lane.machine, lane.label, lane.rows, lane.bars.map((bar) =>
    [bar.instance, bar.row, bar.segments.map((one) => [one.state, one.look, one.begin, one.end, one.cut])])]),
  problems: model.problems.map((one) => [one.place, one.kind, one.text]),
};
"""


WAIT = """
const read = () => page.recording.model || document.getElementById('notice').textContent;
const wait = () => (read() ? done() : setTimeout(wait, 5));
wait();
"""


def choose(browser: Browser, path: Path) -> None:
    """With the file picker."""
    browser.type("#file", str(path))
    browser.run_later(WAIT)
    browser.settle()


def give(browser: Browser, text: str, name: str = "some.jsonl") -> None:
    browser.run("page.open(...arguments)", name, text)
    browser.settle()


def at(browser: Browser) -> int:
    return int(browser.run("return page.recording.at"))


def of_event(browser: Browser, name: str) -> str:
    return str(
        browser.run("return document.querySelector(`#event [data-of=${arguments[0]}]`)?.textContent ?? ''", name)
    )


def pythons(path: Path) -> dict[str, Any]:
    recording = load(path)

    def drawn(segment: Segment) -> list[Any]:
        return [segment.state, segment.look.name, segment.begin, segment.end, segment.cut]

    return {
        "lanes": [
            [lane.machine, lane.label, lane.rows, [
                [bar.instance, bar.row, [drawn(segment) for segment in bar.segments]] for bar in lane.bars
            ]]
            for lane in recording.lanes
        ],
        "problems": [[one.place, one.kind, one.text] for one in recording.problems],
    }  # fmt: skip
