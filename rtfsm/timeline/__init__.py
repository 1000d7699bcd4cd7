"""A recording as a picture: who spoke, who waited and what was cut, in the terminal and as SVG. See docs/explore.md."""

from .lanes import Bar, Lane, Look, Segment, lanes_of
from .problems import Problem, problems_of, profile_of
from .recording import Recording, load
from .svg import svg
from .text import text

__all__ = [
    "Bar",
    "Lane",
    "Look",
    "Problem",
    "Recording",
    "Segment",
    "lanes_of",
    "load",
    "problems_of",
    "profile_of",
    "svg",
    "text",
]
