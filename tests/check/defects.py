"""Defects put into freshly declared tables on purpose: one cell of one machine exchanged."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from rtfsm.check import Bounds, ConversationModel
from rtfsm.check.world import World
from rtfsm.language import Composition, Event, Machine, TimerElapsed
from rtfsm.machines import Capabilities, compose, routing


def exchanged(machine: Machine, state: Any, event: type[Event], cell: Any) -> Machine:
    """The machine with one cell exchanged. Raises DeclarationError where the language does not let it be."""
    table = {
        one: {kind: arms for kind, arms in row.items() if kind is not TimerElapsed or one in machine.timers}
        for one, row in machine.cells.items()
    }
    table[state][event] = cell
    return attrs.evolve(machine, table=table)


def composed_with(profile: Capabilities, name: str, state: Any, event: type[Event], cell: Any) -> Composition:
    """The machines of a profile, one of them with a cell exchanged."""
    made = getattr(routing, f"{name}_machine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routing, f"{name}_machine", lambda *given: exchanged(made(*given), state, event, cell))
        return compose(profile, retries=1)


def model_of(profile: Capabilities, bounds: Bounds, composition: Composition) -> ConversationModel:
    """All that can happen to a conversation with these machines."""
    return ConversationModel(profile, bounds, world=World(profile, composition=composition, merged=True))
