"""Pictures of the machines, drawn by `rtfsm draw` while the site is built."""

from __future__ import annotations

import contextlib
import functools
import io
import re
import sys
import tempfile
from pathlib import Path
from unittest import mock

from rtfsm.cli import main
from rtfsm.draw import Level
from rtfsm.draw.svg import DARK

__all__ = ["COMPOSITION", "LEVELS", "PROFILES", "PictureError", "files", "inline", "of_source", "style", "title"]

PROFILES = {"phonic": "Phonic's wire", "widest": "A wire with response ids and every capability"}
LEVELS = {Level.OVERVIEW: "Overview", Level.EVENTS: "Events", Level.FULL: "Guards, effects, timers"}
COMPOSITION = "composition"
SMALLEST = 0.7
"""How much smaller than drawn a picture may be shown."""


class PictureError(Exception):
    """`rtfsm draw` could not draw; the text is what it said."""


def title(profile: str, level: Level | None = None) -> str:
    """What a tab says."""
    return PROFILES[profile] if level is None else LEVELS[level]


@functools.cache
def files() -> dict[str, str]:
    """Address below the site -> SVG, of every machine and the composition."""
    drawn: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as directory:
        for profile in PROFILES:
            for level in LEVELS:
                into = f"{directory}/{profile}/{level.value}/"
                _draw("all", "--profile", profile, "--level", level.value, "--output", into)
            _draw(COMPOSITION, "--profile", profile, "--output", f"{directory}/{profile}/")
        for path in sorted(Path(directory).rglob("*.svg")):
            drawn[f"pictures/{path.relative_to(directory).as_posix()}"] = path.read_text(encoding="utf-8")
    return drawn


def _draw(*arguments: str) -> None:
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        status = main(["draw", *arguments, "--format", "svg"])
    if status != 0:
        raise PictureError(said.getvalue().strip())


def of_source(source: str, module: str, machine: str) -> str:
    """The picture, to stand in a page, of a machine that this source declares."""
    with tempfile.TemporaryDirectory() as directory, mock.patch.object(sys, "path", [directory, *sys.path]):
        Path(directory, f"{module}.py").write_text(source, encoding="utf-8")
        target = Path(directory, f"{module}.svg")
        try:
            _draw(f"{module}:{machine}", "--level", Level.EVENTS.value, "--output", str(target))
        finally:
            sys.modules.pop(module, None)
        return inline(target.read_text(encoding="utf-8"), module)


def inline(picture: str, name: str) -> str:
    """A picture as a part of a page, whose style then holds for it, with ids that are its own there."""
    own = re.sub(r"\W", "-", name)
    picture = re.sub(r"<style>.*?</style>", "", picture, flags=re.DOTALL)
    picture = re.sub(r'\bid="', f'id="{own}-', picture)
    picture = re.sub(
        r'aria-labelledby="([^"]*)"',
        lambda found: f'aria-labelledby="{" ".join(f"{own}-{id}" for id in found[1].split())}"',
        picture,
    )
    # Graphviz counts in points. A page shows a picture no larger than that, and smaller where there is no room, as long
    # as it can be read; then it is scrolled.
    width = re.search(r'width="([\d.]+)pt" height="[\d.]+pt"', picture)
    if width is None:
        raise PictureError(f"the picture {name} has no size")
    size = float(width[1])
    return picture.replace(width[0], f'style="width: {size:.0f}pt; min-width: {SMALLEST * size:.0f}pt"', 1)


def style() -> str:
    """Colours of the pictures inside pages: those of the SVG files, but chosen by the page's own switch."""
    rules = []
    for light, dark in DARK.items():
        for attribute in ("fill", "stroke"):
            rules.append(
                f'[data-md-color-scheme="slate"] .rtfsm-picture [{attribute}="{light}"] {{ {attribute}: {dark}; }}'
            )
    # The ground is the page's own.
    rules.append(
        "[data-md-color-scheme] .rtfsm-picture svg .graph > polygon:first-of-type { fill: none; stroke: none; }"
    )
    return "\n".join(rules) + "\n"
