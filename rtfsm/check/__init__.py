"""Questions that a declaration must answer before it runs: each machine alone, every reachable state and context."""

from .explore import Exploration, ExplorationLimit, Reached, explore
from .machine import PHASES, Finding, Phase, Result, check_machine

__all__ = [
    "PHASES",
    "Exploration",
    "ExplorationLimit",
    "Finding",
    "Phase",
    "Reached",
    "Result",
    "check_machine",
    "explore",
]
