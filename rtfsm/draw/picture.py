"""What a picture consists of, whoever renders it: boxes, arrows, a legend. No format's syntax is known here.

A renderer may wrap lines and must escape them; it adds and leaves out nothing. What a look means is told twice, by
colour and by the form of a line, so that a picture survives greyscale and every kind of colour vision.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from enum import Enum

import attrs

__all__ = ["HARD", "Arrow", "Box", "Form", "Level", "Mark", "Picture", "Stroke", "legend", "wrapped"]

HARD = "\N{NO-BREAK SPACE}"


class Level(Enum):
    """How much of a machine is drawn."""

    OVERVIEW = "overview"
    EVENTS = "events"
    FULL = "full"


class Form(Enum):
    """What a box is."""

    RESTS = "solid border: may wait for ever"
    WAITS = "dashed border: a timer ends the wait"
    FINAL = "double or thick border: the end"
    MACHINE = "square box: a machine"
    CONDITION = "round box: a standing condition"


class Stroke(Enum):
    """What an arrow is."""

    EVENT = "solid arrow: an event"
    TIME = "dotted arrow: time alone"
    EFFECT = "solid arrow: an effect becomes an event"
    STANDING = "dotted arrow: sent where the condition holds"


class Mark(Enum):
    """How a box or an arrow differs from an older picture."""

    SAME = ""
    NEW = "thick, +: new"
    GONE = "dashed, −: gone"
    CHANGED = "~: changed"


@attrs.frozen
class Box:
    """id: unique in its picture. lines: below its title; each may be broken into several. about: what it means, for
    formats that show more where a reader points."""

    id: str
    title: str
    form: Form
    lines: tuple[str, ...] = ()
    mark: Mark = Mark.SAME
    about: str = ""


@attrs.frozen
class Arrow:
    """source, target: ids of boxes. lines: its label; each may be broken into several."""

    source: str
    target: str
    stroke: Stroke
    lines: tuple[str, ...] = ()
    mark: Mark = Mark.SAME


@attrs.frozen
class Picture:
    """title: a name. about: one sentence, what a reader hears who sees no picture. begins: id of the box in which an
    instance begins, and the label of its arrow; None where nothing begins. told: (source, target) of ways that have no
    arrow because a box tells of them; a renderer may place boxes by them."""

    title: str
    about: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    begins: tuple[str, tuple[str, ...]] | None = None
    told: tuple[tuple[str, str], ...] = ()


def legend(picture: Picture) -> list[Form | Stroke | Mark]:
    """What of the looks occurs in a picture, in the order in which the looks are declared."""
    forms = {box.form for box in picture.boxes}
    strokes = {arrow.stroke for arrow in picture.arrows}
    marks = {box.mark for box in picture.boxes} | {arrow.mark for arrow in picture.arrows}
    found: list[Form | Stroke | Mark] = [form for form in Form if form in forms]
    found += [stroke for stroke in Stroke if stroke in strokes]
    found += [mark for mark in Mark if mark in marks - {Mark.SAME}]
    return found


def wrapped(lines: Iterable[str], width: int) -> list[str]:
    """Lines of at most ``width`` characters, where words allow it; a mark stays with its word, a number with its unit.

    What must not be torn apart by whoever breaks lines again is held by no-break spaces.
    """
    pieces: list[str] = []
    for line in lines:
        kept = line.replace("/ ", f"/{HARD}").replace("• ", f"•{HARD}")
        kept = re.sub(r"(?<=\d) s\b", f"{HARD}s", kept)
        pieces += textwrap.wrap(kept, width, break_long_words=False, break_on_hyphens=False)
    # A word longer than a line keeps its mark by force, or the renderer would tear them apart.
    return [piece if len(piece) > width else piece.replace(HARD, " ") for piece in pieces]
