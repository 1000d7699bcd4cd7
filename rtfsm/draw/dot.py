"""A picture in the language of Graphviz, whose program ``dot`` makes vector graphics of it."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Iterator

from .picture import HARD, Arrow, Box, Form, Mark, Picture, Stroke, legend, wrapped

__all__ = ["dot"]

FONT = "Helvetica,Arial,sans-serif"
BOX_WIDTH, ARROW_WIDTH = 34, 26

INK, PAPER = "#111827", "#ffffff"

FORMS: dict[Form, tuple[str, str, str, str]] = {
    Form.RESTS: ("#dbeafe", "#1d4ed8", "rounded,filled", "1"),
    Form.WAITS: ("#fef3c7", "#b45309", "rounded,filled,dashed", "1"),
    Form.FINAL: ("#e5e7eb", "#374151", "filled", "2"),
    Form.MACHINE: ("#dbeafe", "#1d4ed8", "filled", "1"),
    Form.CONDITION: ("#fef3c7", "#b45309", "rounded,filled", "1"),
}
"""Fill, border, style, and how many borders."""

STROKES = {Stroke.EVENT: "solid", Stroke.TIME: "dotted", Stroke.EFFECT: "solid", Stroke.STANDING: "dotted"}
SAMPLES = {"solid": "──►", "dotted": "····►"}
MARKS = {Mark.NEW: ("#0969da", "bold", 3.5), Mark.GONE: ("#d55e00", "dashed", 1.5)}


def dot(drawn: Picture) -> str:
    """A directed graph with a legend below."""
    lines = [
        f"digraph {_quoted(drawn.title)} {{",
        f'    graph [rankdir=TB, nodesep=0.35, ranksep=0.45, bgcolor="{PAPER}", fontname="{FONT}", fontsize=11,'
        f' fontcolor="{INK}", labelloc=b, labeljust=l, label={_legend(drawn)}];',
        f'    node [shape=box, fontname="{FONT}", fontsize=12, fontcolor="{INK}", margin="0.14,0.08", penwidth=1.5];',
        f'    edge [fontname="{FONT}", fontsize=11, fontcolor="{INK}", color="{INK}", arrowsize=0.8];',
    ]
    lines += [f"    {_quoted(box.id)} {_box(box)};" for box in drawn.boxes]
    if drawn.begins is not None:
        lines.append(
            f'    "[*]" [shape=circle, style=filled, fillcolor="{INK}", color="{INK}", label="", width=0.16, '
            'tooltip="begin"];'
        )
        lines.append(f'    "[*]" -> {_quoted(drawn.begins[0])} [{_label(drawn.begins[1])}];')
    lines += [f"    {_quoted(one.source)} -> {_quoted(one.target)} {_arrow(one)};" for one in drawn.arrows]
    lines += [f"    {_quoted(one)} -> {_quoted(other)} [style=invis];" for one, other in _placing(drawn)]
    return "\n".join([*lines, "}"]) + "\n"


def _placing(drawn: Picture) -> Iterator[tuple[str, str]]:
    """Ways that a box tells of, one for each box to which no arrow leads; it would stand above the first one."""
    reached = {arrow.target for arrow in drawn.arrows} | ({drawn.begins[0]} if drawn.begins else set())
    for source, target in drawn.told:
        if target not in reached:
            reached.add(target)
            yield source, target


def _box(box: Box) -> str:
    fill, border, style, borders = FORMS[box.form]
    width = 1.5
    if box.mark in MARKS:
        border, _, width = MARKS[box.mark]
    hint = f"{box.title}: {box.about}" if box.about else box.title
    rows = [f"<B>{_text(box.title)}</B>"]
    rows += [f'<FONT POINT-SIZE="10">{_text(line)}</FONT>' for line in wrapped(box.lines, BOX_WIDTH)]
    return (
        f'[style="{style}", fillcolor="{fill}", color="{border}", '
        f"peripheries={borders}, penwidth={width}, tooltip={_quoted(hint)}, label=<{'<BR/>'.join(rows)}>]"
    )


def _arrow(arrow: Arrow) -> str:
    style = STROKES[arrow.stroke]
    look = f"style={style}, penwidth={1.0 if style == 'solid' else 1.8}"
    if arrow.mark in MARKS:
        colour, style, width = MARKS[arrow.mark]
        look = f'style={style}, color="{colour}", penwidth={width}'
    label = _label(arrow.lines)
    return f"[{look}, {label}]" if label else f"[{look}]"


def _label(lines: Iterable[str]) -> str:
    pieces = wrapped(lines, ARROW_WIDTH)
    # Space at both sides, so that a label does not touch the arrow beside it.
    return f"label=<{'<BR/>'.join(f'{HARD}{_text(piece)}{HARD}' for piece in pieces)}>" if pieces else ""


def _legend(drawn: Picture) -> str:
    """A table below the picture: the title, then for each look a sample and what it means."""
    rows = [f'<TR><TD ALIGN="LEFT" COLSPAN="2"><B>{_text(drawn.title)}</B></TD></TR>']
    for look in legend(drawn):
        sample = '<TD WIDTH="26"></TD>'
        if isinstance(look, Stroke):
            sample = f'<TD WIDTH="26">{SAMPLES[STROKES[look]]}</TD>'
        elif isinstance(look, Form):
            fill, border, style, borders = FORMS[look]
            dashed = ' STYLE="dashed"' if "dashed" in style else ""
            sample = f'<TD WIDTH="26" BORDER="{borders}" COLOR="{border}" BGCOLOR="{fill}"{dashed}></TD>'
        rows.append(f'<TR>{sample}<TD ALIGN="LEFT">{_text(look.value)}</TD></TR>')
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="2">{"".join(rows)}</TABLE>>'


def _text(text: str) -> str:
    """Text inside a label; what no document of XML may hold is shown as a replacement character."""
    return html.escape(_printable(text), quote=True)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() or letter == HARD else "\ufffd" for letter in text)


def _quoted(text: str) -> str:
    """A name or a tooltip. A backslash would begin one of Graphviz's own sequences."""
    return json.dumps(_printable(text).replace("\\", "/"), ensure_ascii=False)
