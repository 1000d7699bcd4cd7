"""Every machine of every profile: the engine is the meaning, at every place that the table can reach."""

from __future__ import annotations

import itertools
from collections import deque
from typing import Any

import attrs
import pytest

from rtfsm.language import Engine, Event, Instance, Kind, Machine, Outcome, engine_for, shapes, step
from rtfsm.machines import compose
from rtfsm.machines.capabilities import Capabilities
from rtfsm.machines.generation_context import Answers, GenerationContext, Lane
from rtfsm.profiles import OPENAI, PHONIC, PROFILES

MACHINES = {
    (name, machine.name): machine for name, profile in PROFILES.items() for machine in compose(profile).machines
}
ALL = pytest.mark.parametrize("machine", MACHINES.values(), ids=["-".join(key) for key in MACHINES])


def births(machine: Machine) -> list[Any]:
    """The contexts that an instance can be born with."""
    if machine.name != "generation":
        return [machine.context]
    every = itertools.product(Answers, Lane, (False, True), (False, True))
    return [
        GenerationContext(answers=answers, lane=lane, keeps_floor=keeps, user_talks=talks)
        for answers, lane, keeps, talks in every
    ]


def reached(machine: Machine) -> dict[tuple[Any, Any], list[tuple[Event, Outcome]]]:
    """Every (state, context) that can come about, with what step says about every shape of every event there."""
    places: dict[tuple[Any, Any], list[tuple[Event, Outcome]]] = {}
    waiting = deque((machine.initial, context) for context in births(machine))
    while waiting:
        place = waiting.popleft()
        if place in places:
            continue
        places[place] = [(event, step(machine, *place, event)) for kind in machine.events for event in shapes(kind)]
        waiting.extend((outcome.state, outcome.context) for _, outcome in places[place])
    return places


@ALL
def test_the_engine_does_what_step_says(machine: Machine) -> None:
    engine, compared = Engine(machine), 0
    for (state, context), outcomes in reached(machine).items():
        for event, outcome in outcomes:
            instance = Instance(machine, "it", context)
            instance.state = state
            arm = engine.dispatch(instance, event)
            assert Outcome(arm, instance.state, instance.context, arm.effects) == outcome
            compared += 1
    assert compared >= len(machine.states) * len(machine.events)


@ALL
def test_every_state_is_reached_and_every_arm_can_be_taken(machine: Machine) -> None:
    places = reached(machine)
    assert {state for state, _ in places} == set(machine.states)
    taken = {outcome.arm.index for outcomes in places.values() for _, outcome in outcomes}
    dead = [
        (state.name, event.__name__, arm.guard and arm.guard.name)
        for state, event, arm in machine.arms
        if arm.index not in taken
    ]
    assert dead == []


@ALL
def test_what_is_over_stays_over(machine: Machine) -> None:
    for (state, context), outcomes in reached(machine).items():
        if state in machine.final:
            for _, outcome in outcomes:
                assert (outcome.state, outcome.context, outcome.effects) == (state, context, ())


@ALL
def test_contexts_are_few(machine: Machine) -> None:
    """Exploring them together must end; a machine that remembers more than it needs multiplies all others.

    Whether the user talks, and whether the floor is kept, are given from outside: together with the others they vary
    with what they repeat, so four contexts count as one.
    """
    seen = {
        (state, attrs.evolve(context, user_talks=False, keeps_floor=False))
        if isinstance(context, GenerationContext)
        else (state, context)
        for state, context in reached(machine)
    }
    assert len(seen) <= 200


@ALL
def test_a_machine_is_compiled_once(machine: Machine) -> None:
    assert engine_for(machine) is engine_for(machine)


def test_a_profile_has_its_own_tables() -> None:
    def states(profile: Capabilities, name: str) -> set[str]:
        (machine,) = (one for one in compose(profile).machines if one.name == name)
        return {state.name for state in machine.states}

    assert {"SEALED", "TAIL"} <= states(PHONIC, "generation")
    assert not {"SEALED", "TAIL"} & states(OPENAI, "generation")
    assert "ROLLING" in states(OPENAI, "session")
    assert "ROLLING" not in states(PHONIC, "session")
    assert "EXPECTED" in states(PHONIC, "reply")
    assert "EXPECTED" not in states(OPENAI, "reply")
    assert "HELD" in states(OPENAI, "tool_call")
    assert "ANSWERED" in states(PHONIC, "tool_call")
    assert "CANCELLED" not in states(OPENAI, "tool_call")


@ALL
def test_every_decision_says_why(machine: Machine) -> None:
    for state, event, arm in machine.arms:
        if arm.kind in (Kind.IGNORE, Kind.REFUSE):
            assert arm.why, f"{state.name} x {event.__name__}"
