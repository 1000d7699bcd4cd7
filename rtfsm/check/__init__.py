"""Questions that a declaration must answer before it runs: each machine alone, then all of them together."""

from .composition import CompositionModel
from .conversation import ConversationModel
from .environment import Bounds
from .explore import Exploration, ExplorationLimit, Reached, explore
from .machine import PHASES, Finding, Phase, Result, check_machine
from .plan import EffectInvariant, Invariant, Plan, PlanError, Wrong
from .search import Found, Violated, search

__all__ = [
    "PHASES",
    "Bounds",
    "CompositionModel",
    "ConversationModel",
    "EffectInvariant",
    "Exploration",
    "ExplorationLimit",
    "Finding",
    "Found",
    "Invariant",
    "Phase",
    "Plan",
    "PlanError",
    "Reached",
    "Result",
    "Violated",
    "Wrong",
    "check_machine",
    "explore",
    "search",
]
