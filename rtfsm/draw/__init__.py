"""Pictures, tables and a canonical form, each derived from a declaration alone."""

from .canonical import canonical, canonical_json
from .composition import mermaid_composition
from .files import stale, write
from .mermaid import mermaid
from .table import markdown_table

__all__ = [
    "canonical",
    "canonical_json",
    "markdown_table",
    "mermaid",
    "mermaid_composition",
    "stale",
    "write",
]
