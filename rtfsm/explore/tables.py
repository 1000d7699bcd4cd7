"""A machine as finite tables: all that it does, as data that any language can interpret.

A guard is a function of the context and of the finite fields of an event, an update one of the context. Both are asked
here for every context that the machine can reach, and the answers are written down. So the export says what the
machine does, and not how it is written; and nothing of it is about contexts that no order of events leads to.

A context is a number from here on, the place of its row in ``contexts``. A shape of an event is one too: the place that
:func:`rtfsm.language.shapes` gives it, which counts the values of the last field fastest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

import attrs

from rtfsm.check.explore import explore
from rtfsm.draw.words import effect as effect_in_words
from rtfsm.language import Arm, Event, Guard, Machine, Timer, TimerElapsed, finite_fields, shapes
from rtfsm.vocabulary import local
from rtfsm.vocabulary.effects import HostEffect, WireEffect
from rtfsm.vocabulary.wire import WireEvent

__all__ = ["plain", "tables"]

YES, NO = "1", "0"
FROM_HOST = (
    local.ConfigGiven, local.ReplyRequested, local.ReplyAbandoned, local.InterruptRequested, local.ToolOutputGiven,
    local.CloseRequested, local.PlayoutStarted, local.PlayoutFinished,
)  # fmt: skip


def tables(machine: Machine, births: Iterable[Any] = ()) -> dict[str, Any]:
    """The machine as dicts, lists, strings, numbers and None.

    births: contexts with which instances begin besides ``machine.context``. The keys:

    - ``states``: name, meaning, and of ``final``, ``rests`` (why) and ``timer`` what the state has;
    - ``context``: the names of its fields; ``contexts``: their values, a row for each context; ``births``: those
      that an instance may begin with, the usual one first; ``reached``: for each state, the contexts
      that it can be in;
    - ``events``: name, meaning, where it comes from, and ``fields`` as [name, values, place of the usual one];
    - ``guards``: name and ``holds``, for each event that an arm asks it on ("" where it reads the context alone) one
      string of 0 and 1 for each shape, a character for each context;
    - ``updates``: name and ``leads``, a context for each context, None where that is none that can be reached;
    - ``decisions``: the arms, each written once; ``cells``: for each state and event, the decisions in order.

    The number of an arm is its place when the cells are read from the first to the last. Raises ExplorationLimit where
    a context grows without end.
    """
    births = tuple(births)
    reached = list(explore(machine, births).reached)
    known = list(dict.fromkeys(context for _, context in reached))
    export = _Export(machine, known)
    cells = [[export.cell(machine.cells[state][event], event) for event in machine.events] for state in machine.states]
    return {
        "name": machine.name,
        "states": [export.state(state) for state in machine.states],
        "initial": list(machine.states).index(machine.initial),
        "context": _field_names(machine.context),
        "contexts": [_row(context) for context in known],
        "reached": [[known.index(context) for at, context in reached if at is state] for state in machine.states],
        "births": [known.index(one) for one in dict.fromkeys((machine.context, *births))],
        "begin": [_effect(one) for one in machine.begin],
        "events": [_event(event) for event in machine.events],
        "guards": export.guards,
        "updates": export.updates,
        "decisions": export.decisions,
        "cells": cells,
    }


def plain(value: Any) -> Any:
    """A value of a finite field as JSON has it: an Enum by its member's name."""
    return value.name if isinstance(value, Enum) else value


def _field_names(context: Any) -> list[str]:
    return [] if context is None else [field.name for field in attrs.fields(type(context))]


def _row(context: Any) -> list[Any]:
    return [plain(getattr(context, name)) for name in _field_names(context)]


class _Export:
    """Numbers guards, updates and decisions as they are met, so that each is written once."""

    def __init__(self, machine: Machine, contexts: Sequence[Any]) -> None:
        self.machine = machine
        self.contexts = contexts
        self.guards: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self.decisions: list[dict[str, Any]] = []
        self._guards: dict[int, int] = {}
        self._updates: dict[tuple[int, ...], int] = {}

    def cell(self, arms: Iterable[Arm], event: type[Event]) -> list[int]:
        return [self._decision(arm, event) for arm in arms]

    def state(self, state: Any) -> dict[str, Any]:
        found: dict[str, Any] = {"name": state.name, "meaning": str(state.value)}
        if state in self.machine.final:
            found["final"] = True
        if state in self.machine.rests:
            found["rests"] = self.machine.rests[state]
        if state in self.machine.timers:
            found["timer"] = self._timer(self.machine.timers[state])
        return found

    def _timer(self, timer: Timer) -> dict[str, Any]:
        found: dict[str, Any] = {"name": timer.name, "seconds": timer.seconds, "cap": timer.cap}
        if timer.unless is not None:
            guard, other = timer.unless
            found["unless"] = {"guard": self._guard(guard, TimerElapsed), "timer": self._timer(other)}
        return found

    def _decision(self, arm: Arm, event: type[Event]) -> int:
        found: dict[str, Any] = {"kind": arm.kind.name}
        if arm.guard is not None:
            found["guard"] = self._guard(arm.guard, event)
        if arm.target is not None:
            found["target"] = list(self.machine.states).index(arm.target)
        if arm.effects:
            found["effects"] = [_effect(effect) for effect in arm.effects]
        if arm.updates:
            found["update"] = self._update(arm)
        if arm.rearm:
            found["rearm"] = True
        if arm.reason is not None:
            found["reason"] = arm.reason.name
        if arm.why:
            found["why"] = arm.why
        if found not in self.decisions:
            self.decisions.append(found)
        return self.decisions.index(found)

    def _guard(self, guard: Guard, event: type[Event]) -> int:
        number = self._guards.setdefault(id(guard), len(self.guards))
        if number == len(self.guards):
            self.guards.append({"name": guard.name, "holds": {}})
        asked = self.guards[number]["holds"]
        if not guard.reads_event:
            asked[""] = [self._answers(guard, Event())]
        elif event.__name__ not in asked:
            asked[event.__name__] = [self._answers(guard, shape) for shape in shapes(event)]
        return number

    def _answers(self, guard: Guard, event: Event) -> str:
        return "".join(YES if guard(context, event) else NO for context in self.contexts)

    def _update(self, arm: Arm) -> int:
        key = tuple(id(update) for update in arm.updates)
        number = self._updates.setdefault(key, len(self.updates))
        if number == len(self.updates):
            places = {context: place for place, context in enumerate(self.contexts)}
            leads = [places.get(arm.next_context(context)) for context in self.contexts]
            self.updates.append({"name": "; ".join(update.name for update in arm.updates), "leads": leads})
        return number


def _effect(effect: Any) -> dict[str, Any]:
    """An effect in words, what kind it is, and its finite arguments."""
    if isinstance(effect, HostEffect):
        to = "host"
    elif isinstance(effect, WireEffect):
        to = "wire"
    else:
        to = "machines"
    found: dict[str, Any] = {"name": type(effect).__name__, "text": effect_in_words(effect), "to": to}
    given = {field.name: plain(getattr(effect, field.name)) for field in attrs.fields(type(effect))}
    return {**found, "with": given} if given else found


def _event(event: type[Event]) -> dict[str, Any]:
    if event is TimerElapsed:
        source = "time"
    elif issubclass(event, WireEvent):
        source = "wire"
    else:
        source = "host" if event in FROM_HOST else "inside"
    finite = finite_fields(event)  # resolves the types of the fields
    fields = []
    for field in attrs.fields(event):
        if field.name in finite:
            values = [False, True] if field.type is bool else list(field.type or ())
            usual = values.index(field.default) if field.default in values else 0
            fields.append([field.name, [plain(one) for one in values], usual])
    return {
        "name": event.__name__,
        "meaning": " ".join((event.__doc__ or "").split()),
        "from": source,
        "fields": fields,
    }
