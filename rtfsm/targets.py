"""Which machines a command is about: those of the profiles, or one of the user's own, named ``module:NAME``."""

from __future__ import annotations

import importlib
import itertools
import os
import sys
from types import ModuleType
from typing import Any

import attrs

from rtfsm.language import Machine, RtfsmError
from rtfsm.machines import Capabilities, compose
from rtfsm.machines.generation_context import Answers, GenerationContext, Lane
from rtfsm.profiles import PROFILES

__all__ = ["ALL", "Target", "UsageError", "births_of", "find_targets", "import_module"]

ALL = "all"


class UsageError(RtfsmError):
    """What was asked for is not there. One line that says what is."""


@attrs.frozen
class Target:
    """A machine, the profile that it was built for (None for a user's own), and contexts with which instances begin
    besides the machine's."""

    machine: Machine
    profile: str | None = None
    births: tuple[Any, ...] = ()


def find_targets(name: str = ALL, profile: str | None = None) -> list[Target]:
    """``all``, the name of a shipped machine, or ``module:NAME``. profile: None for every one.

    A module is sought from the current directory on. Raises UsageError; lets a DeclarationError of the module through.
    """
    if ":" in name:
        if profile is not None:
            raise UsageError(f"{name} is a machine of your own and has no profile; leave --profile out")
        own = load(name)
        if not isinstance(own, Machine):
            raise UsageError(f"{name} is a {type(own).__name__}, not an rtfsm.Machine")
        return [Target(own)]
    chosen = PROFILES if profile is None else {profile: PROFILES[profile]}
    targets = [
        Target(machine, key, births_of(wire) if machine.name == "generation" else ())
        for key, wire in chosen.items()
        for machine in compose(wire).machines
        if name in (ALL, machine.name)
    ]
    if not targets:
        shipped = ", ".join(machine.name for machine in compose(next(iter(PROFILES.values()))).machines)
        raise UsageError(f"no machine is named {name!r}; give all, one of {shipped}, or MODULE:NAME for your own")
    return targets


def births_of(wire: Capabilities) -> tuple[GenerationContext, ...]:
    """The router tells a generation at birth whom it answers, whether it is beside the conversation, whether it keeps
    the floor, and whether the user speaks."""
    lanes = tuple(Lane) if wire.out_of_band else (Lane.MAIN,)
    known = itertools.product(Answers, lanes, (False, True), (False, True) if wire.minted else (False,))
    return tuple(
        GenerationContext(answers=answers, lane=lane, keeps_floor=keeps, user_talks=talks)
        for answers, lane, keeps, talks in known
    )


def load(name: str) -> Any:
    """What ``module:NAME`` names, sought from the current directory on. Raises UsageError where nothing does."""
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute or module_name.startswith("."):
        raise UsageError(f"{name!r} names no machine; write MODULE:NAME, as in mypackage.turns:MACHINE")
    module = import_module(module_name)
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        named = [key for key, one in vars(module).items() if isinstance(one, Machine)]
        has = f"its machines are {', '.join(named)}" if named else "it has no machine at all"
        raise UsageError(f"module {module_name!r} has no {attribute!r}; {has}") from error


def import_module(module_name: str) -> ModuleType:
    """A module, sought from the current directory on. Raises UsageError where it cannot be had."""
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            raise UsageError(f"there is no module {error.name!r}, neither installed nor in {here}") from error
        raise UsageError(f"module {module_name!r} cannot be imported: {error}") from error
    except RtfsmError:
        raise
    except (Exception, SystemExit) as error:  # a module that ends the program must not end it as a success
        raise UsageError(f"module {module_name!r} cannot be imported: {type(error).__name__}: {error}") from error
