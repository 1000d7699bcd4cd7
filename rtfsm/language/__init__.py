"""The language: what a machine is, what it means, what runs it."""

from .cells import Arm, Guard, Kind, Reason, Update, assign, guard, ignore, refuse, stay, to, update, when
from .composition import Composition, Route, Standing
from .driver import Driver
from .engine import Engine, engine_for
from .errors import CompositionError, DeclarationError, GuardError, RtfsmError, UnknownEventError
from .events import Effect, Event, TimerElapsed, finite_fields, shape, shapes
from .instance import Emission, Instance, Step
from .machine import Machine
from .step import Outcome, decide, step
from .timers import Timer

__all__ = [
    "Arm",
    "Composition",
    "CompositionError",
    "DeclarationError",
    "Driver",
    "Effect",
    "Emission",
    "Engine",
    "Event",
    "Guard",
    "GuardError",
    "Instance",
    "Kind",
    "Machine",
    "Outcome",
    "Reason",
    "Route",
    "RtfsmError",
    "Standing",
    "Step",
    "Timer",
    "TimerElapsed",
    "UnknownEventError",
    "Update",
    "assign",
    "decide",
    "engine_for",
    "finite_fields",
    "guard",
    "ignore",
    "refuse",
    "shape",
    "shapes",
    "stay",
    "step",
    "to",
    "update",
    "when",
]
