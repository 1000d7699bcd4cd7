"""Pictures, tables and a canonical form, each derived from a declaration alone; and pictures of what happened."""

from .canonical import canonical, canonical_json
from .composition import composition_picture, mermaid_composition
from .dot import dot
from .files import stale, write
from .flowchart import flowchart
from .mermaid import mermaid
from .picture import Arrow, Box, Form, Level, Mark, Picture, Stroke
from .reading import picture
from .sequence import Happening, Moment, moment, routes_of, sequence_diagram
from .svg import DrawError, svg
from .table import markdown_table

__all__ = [
    "Arrow",
    "Box",
    "DrawError",
    "Form",
    "Happening",
    "Level",
    "Mark",
    "Moment",
    "Picture",
    "Stroke",
    "canonical",
    "canonical_json",
    "composition_picture",
    "dot",
    "flowchart",
    "markdown_table",
    "mermaid",
    "mermaid_composition",
    "moment",
    "picture",
    "routes_of",
    "sequence_diagram",
    "stale",
    "svg",
    "write",
]
