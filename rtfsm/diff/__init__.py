"""What differs between two versions of machines, from their canonical JSON alone."""

from .compare import Change, What, compare
from .difference import Difference, Section, Status, difference
from .markdown import markdown
from .sheet import DiffError, Sheet, sheet
from .sources import Side, load
from .text import as_json, text

__all__ = [
    "Change",
    "DiffError",
    "Difference",
    "Section",
    "Sheet",
    "Side",
    "Status",
    "What",
    "as_json",
    "compare",
    "difference",
    "load",
    "markdown",
    "sheet",
    "text",
]
