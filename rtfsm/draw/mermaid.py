"""A picture of a machine as a Mermaid state diagram, which hosting sites render in the middle of a text."""

from __future__ import annotations

import json
from collections.abc import Iterable

from rtfsm.language import Machine

from .picture import Form, Level, Picture, legend, wrapped
from .reading import picture

__all__ = ["BREAK", "CLASSES", "LEGEND", "escaped", "joined", "mermaid", "state_diagram"]

BOX_WIDTH, ARROW_WIDTH = 46, 27
"""Characters in a line; Mermaid breaks the labels of arrows at about 200 pixels by itself, less legibly."""

BREAK = "<br/>"

CLASSES = {
    Form.RESTS: "fill:#dbeafe,stroke:#1d4ed8,color:#111827",
    Form.WAITS: "fill:#fef3c7,stroke:#b45309,color:#111827,stroke-dasharray:6 4",
    Form.FINAL: "fill:#e5e7eb,stroke:#374151,color:#111827,stroke-width:4px",
    Form.MACHINE: "fill:#dbeafe,stroke:#1d4ed8,color:#111827",
    Form.CONDITION: "fill:#fef3c7,stroke:#b45309,color:#111827",
}
"""Dark text on light fills, with borders that stand out on a light page and on a dark one. Arrows and their labels keep
the colours of the page's own theme."""

LEGEND = "fill:#ffffff,stroke:#9ca3af,color:#111827"

HEAD = ["---", "config:", "  state:", "    nodeSpacing: 60", "    rankSpacing: 60"]

RESERVED = {"accdescr", "acctitle", "as", "choice", "class", "classdef", "click", "default", "direction", "end", "fork"}
RESERVED |= {"hide", "href", "join", "legend", "note", "scale", "state", "style", "title"}
"""Words of Mermaid's own, in whatever case, which as the name of a state would end a diagram; and the legend's id."""


def mermaid(machine: Machine, level: Level = Level.FULL) -> str:
    """A ``stateDiagram-v2``. But for an overview, its arrows are exactly the pairs of states between which the machine
    can move."""
    return state_diagram(picture(machine, level))


def state_diagram(drawn: Picture) -> str:
    """A picture of states. Its arrows all look alike: Mermaid has no other ones here."""
    ids = {box.id: _id(box.id, number) for number, box in enumerate(drawn.boxes)}
    lines = [*HEAD, f"title: {json.dumps(drawn.title, ensure_ascii=False)}", "---", "stateDiagram-v2"]
    lines += [f"    accTitle: {_sentence(drawn.title)}", f"    accDescr: {_sentence(drawn.about)}"]
    for box in drawn.boxes:
        lines.append(f'    state "{escaped(box.title)}" as {ids[box.id]}')
        lines += [f"    {ids[box.id]} : {joined([line], BOX_WIDTH)}" for line in box.lines]
    if drawn.begins is not None:
        lines.append(f"    [*] --> {ids[drawn.begins[0]]}{_label(drawn.begins[1])}")
    lines += [f"    {ids[arrow.source]} --> {ids[arrow.target]}{_label(arrow.lines)}" for arrow in drawn.arrows]
    lines += [f"    {ids[box.id]} --> [*]" for box in drawn.boxes if box.form is Form.FINAL]
    looks = [look for look in legend(drawn) if isinstance(look, Form)]
    lines.append('    state "how to read" as legend')
    lines += [f"    legend : {escaped(look.value)}" for look in looks]
    for look in looks:
        members = ", ".join(ids[box.id] for box in drawn.boxes if box.form is look)
        lines += [f"    classDef {look.name.lower()} {CLASSES[look]}", f"    class {members} {look.name.lower()}"]
    lines += [f"    classDef legend {LEGEND}", "    class legend legend"]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text that Mermaid takes as it is: what ends a label, or begins a comment or a tag, becomes an entity."""
    entities = {"#": "#35;", ";": "#59;", ":": "#58;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "%": "#37;"}
    return "".join(entities.get(character, character) for character in text)


def joined(lines: Iterable[str], width: int) -> str:
    """Lines as one label."""
    return BREAK.join(escaped(piece) for piece in wrapped(lines, width))


def _label(lines: tuple[str, ...]) -> str:
    return f" : {joined(lines, ARROW_WIDTH)}" if lines else ""


def _id(name: str, number: int) -> str:
    if not name.isidentifier():
        return f"s{number}_"
    # One more mark where it has some already, so that no two names become one.
    return f"{name}_" if name.rstrip("_").lower() in RESERVED else name


def _sentence(text: str) -> str:
    """Text for a reader's ear, which Mermaid takes to the end of the line."""
    return " ".join(text.replace("#", "").replace(";", ",").split())
