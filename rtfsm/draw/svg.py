"""A picture as SVG. Graphviz's program ``dot`` finds the places; what it makes is given a title, a text and colours for
light and for dark pages."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

from rtfsm.language import RtfsmError

from .dot import dot
from .picture import Picture

__all__ = ["DrawError", "svg"]

SECONDS = 60
"""How long ``dot`` may take; the largest of the machines takes it less than one."""

SPACE = "http://www.w3.org/2000/svg"
LINK = "http://www.w3.org/1999/xlink"

DARK = {
    "#dbeafe": "#172a4d",
    "#1d4ed8": "#7cb0ff",
    "#fef3c7": "#3d2e08",
    "#b45309": "#f2b84b",
    "#e5e7eb": "#30363d",
    "#374151": "#c9d1d9",
    "#111827": "#e6edf3",
    "#0969da": "#58a6ff",
    "#d55e00": "#ff9a4d",
    "white": "#0d1117",
    "#ffffff": "#0d1117",
}
"""The colours of the graph, and those that take their place on a dark page."""


class DrawError(RtfsmError):
    """A picture cannot be made: ``dot`` is missing, or fails."""


def svg(drawn: Picture) -> str:
    """One SVG document, complete in itself: no script, no font, no reference to anything outside.

    The same picture gives the same bytes with the same version of Graphviz. Raises DrawError.
    """
    program = shutil.which("dot")
    if program is None:
        raise DrawError(
            "an SVG needs Graphviz's program dot, which is not on the PATH; install the package graphviz "
            "(apt-get install graphviz, or brew install graphviz), or draw with --format mermaid or dot"
        )
    try:
        done = subprocess.run([program, "-Tsvg"], input=dot(drawn).encode(), capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise DrawError(f"dot found no places for {drawn.title} within {SECONDS} s; draw a smaller --level") from None
    except OSError as error:
        raise DrawError(f"{program} cannot be run: {error.strerror or error}") from error
    if done.returncode != 0:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise DrawError(f"dot failed on {drawn.title}: {said or f'status {done.returncode}'}")
    return _dressed(done.stdout, drawn)


def _dressed(made: bytes, drawn: Picture) -> str:
    ElementTree.register_namespace("", SPACE)
    ElementTree.register_namespace("xlink", LINK)
    try:
        root = ElementTree.fromstring(made)
    except ElementTree.ParseError as error:
        raise DrawError(f"dot made no SVG of {drawn.title}: {error}") from error
    for parent in list(root.iter()):
        for child in list(parent):
            # Names of nodes, which a browser shows instead of the tooltips and a reader's ear hears besides the labels.
            if child.tag == f"{{{SPACE}}}title":
                parent.remove(child)
    _labels_last(root)
    # Several pictures may stand in one page, where each id is to be one's own.
    name = "".join(letter if letter.isalnum() else "-" for letter in drawn.title)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-about")
    for tag, id, text in (("style", "", _style()), ("desc", "about", drawn.about), ("title", "title", drawn.title)):
        added = ElementTree.Element(f"{{{SPACE}}}{tag}", {"id": f"{name}-{id}"} if id else {})
        added.text = text
        root.insert(0, added)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _labels_last(root: ElementTree.Element) -> None:
    """The labels of arrows after all arrows, so that each is painted over whatever runs below it."""
    graph = root.find(f"{{{SPACE}}}g")
    if graph is None:
        return
    labels = ElementTree.SubElement(graph, f"{{{SPACE}}}g", {"class": "labels"})
    for edge in graph.findall(f"{{{SPACE}}}g[@class]"):
        if edge.get("class", "").startswith("edge"):
            for text in edge.findall(f"{{{SPACE}}}text"):
                edge.remove(text)
                labels.append(text)


def _style() -> str:
    """A rim around labels, and what a dark page changes. The forms of the lines are the same on both."""
    rim = ".labels text{paint-order:stroke;stroke:#ffffff;stroke-width:3px;stroke-linejoin:round}"
    rules = [f"svg{{background:{DARK['white']}}}", f".labels text{{stroke:{DARK['white']}}}"]
    for light, dark in DARK.items():
        rules += [f"[fill='{light}']{{fill:{dark}}}", f"[stroke='{light}']{{stroke:{dark}}}"]
    return f"{rim}@media (prefers-color-scheme:dark){{{''.join(rules)}}}"
