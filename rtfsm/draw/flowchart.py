"""A picture as a Mermaid flowchart: whatever needs arrows of several looks, which Mermaid's state diagrams lack."""

from __future__ import annotations

from collections.abc import Iterator

from .mermaid import CLASSES, LEGEND, joined
from .picture import Box, Form, Mark, Picture, Stroke, legend

__all__ = ["flowchart"]

BOX_WIDTH, ARROW_WIDTH = 72, 60

HEAD = ["---", "config:", "  flowchart:", "    nodeSpacing: 90", "    rankSpacing: 100", "    curve: linear", "---"]

CORNERS = {
    Form.RESTS: ("(", ")"),
    Form.WAITS: ("(", ")"),
    Form.FINAL: ("[[", "]]"),
    Form.MACHINE: ("[", "]"),
    Form.CONDITION: ("([", "])"),
}
STROKES = {Stroke.EVENT: "-->", Stroke.TIME: "-.->", Stroke.EFFECT: "-->", Stroke.STANDING: "-.->"}

LINES = {Mark.NEW: "==>", Mark.GONE: "-.->"}

NEW, GONE = "#2f81f7", "#d55e00"
"""A blue and a vermilion that stand out on light and on dark, and from each other for every kind of colour vision."""

LINKS = {
    Mark.NEW: f"stroke:{NEW},stroke-width:5px",
    Mark.GONE: f"stroke:{GONE},stroke-width:2px,stroke-dasharray:8 6",
}
BOXES = {Mark.NEW: f"stroke:{NEW},stroke-width:5px", Mark.GONE: f"stroke:{GONE},stroke-dasharray:8 6"}


def flowchart(drawn: Picture, direction: str = "LR") -> str:
    """direction: "LR", or "TB" where the picture is to grow downwards."""
    ids = {box.id: f"{'s' if box.form is Form.CONDITION else 'm'}{number}" for number, box in _numbered(drawn)}
    lines = [*HEAD, f"flowchart {direction}"]
    for box in drawn.boxes:
        opening, closing = CORNERS[box.form]
        lines.append(f'    {ids[box.id]}{opening}"{joined([box.title, *box.lines], BOX_WIDTH)}"{closing}')
    if drawn.begins is not None:
        lines.append(f"    begin_(( )) --> {ids[drawn.begins[0]]}")
    for arrow in drawn.arrows:
        label = f'|"{joined(arrow.lines, ARROW_WIDTH)}"|' if arrow.lines else ""
        lines.append(
            f"    {ids[arrow.source]} {LINES.get(arrow.mark, STROKES[arrow.stroke])}{label} {ids[arrow.target]}"
        )
    words = ["how to read:", *(look.value for look in legend(drawn))]
    lines += [f'    legend_["{joined(words, BOX_WIDTH)}"]', f"    style legend_ {LEGEND},text-align:left"]
    return "\n".join([*lines, *_looks(drawn, ids)]) + "\n"


def _numbered(drawn: Picture) -> Iterator[tuple[int, Box]]:
    """Boxes with their number among those of their kind; Mermaid has words of its own that no id may be."""
    counts = {True: 0, False: 0}
    for box in drawn.boxes:
        condition = box.form is Form.CONDITION
        yield counts[condition], box
        counts[condition] += 1


def _looks(drawn: Picture, ids: dict[str, str]) -> Iterator[str]:
    for form in dict.fromkeys(box.form for box in drawn.boxes):
        yield f"    classDef {form.name.lower()} {CLASSES[form]}"
        yield f"    class {','.join(ids[box.id] for box in drawn.boxes if box.form is form)} {form.name.lower()}"
    for mark, style in BOXES.items():
        marked = [ids[box.id] for box in drawn.boxes if box.mark is mark]
        yield from (f"    style {id} {style}" for id in marked)
    first = 0 if drawn.begins is None else 1
    for link, style in LINKS.items():
        numbers = [str(first + number) for number, arrow in enumerate(drawn.arrows) if arrow.mark is link]
        if numbers:
            yield f"    linkStyle {','.join(numbers)} {style}"
