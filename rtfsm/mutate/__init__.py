"""Changes every decision of every table, one at a time, and asks who would notice."""

from .killers import BOUNDS, KILLERS, MACHINES, Judge, Planned, Verdict, planned
from .mutants import Mutant, mutants_of
from .stories import Stories, Story, stories_below

__all__ = [
    "BOUNDS",
    "KILLERS",
    "MACHINES",
    "Judge",
    "Mutant",
    "Planned",
    "Stories",
    "Story",
    "Verdict",
    "mutants_of",
    "planned",
    "stories_below",
]
