"""The page does what Python does: its own ``step``, in a real browser, on everything that the machines can reach."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import attrs
import pytest

from rtfsm.check.explore import explore
from rtfsm.draw.words import effect
from rtfsm.explore import page
from rtfsm.explore.tables import plain
from rtfsm.explore.whole import DECIDING, put
from rtfsm.language import Event, finite_fields, shapes, step
from rtfsm.machines import compose
from rtfsm.machines.derived import Derived
from rtfsm.profiles import PROFILES
from rtfsm.targets import Target, find_targets

from .browser import Browser

ASK = """
const [name, places, events] = arguments;
const machine = page.machines.find((one) => one.name === name);
const contexts = new Map(machine.contexts.map((row, number) => [JSON.stringify(row), number]));
return places.map(([state, context]) => {
  const at = [machine.stateNumbers.get(state), contexts.get(JSON.stringify(context))];
  const timer = machine.timer(...at);
  return [timer && [timer.name, timer.seconds, timer.cap], ...events.map(([event, values]) => {
    const number = machine.eventNumbers.get(event);
    const shape = machine.shapeOf(number, values);
    const out = machine.step(...at, number, shape);
    const { kind, reason, why, rearm } = out.decision;
    return [
      machine.valuesOf(number, shape), out.arm, machine.states[out.state].name, machine.contexts[out.context],
      out.effects.map((one) => one.text), kind, reason ?? null, why ?? "", rearm ?? false,
    ];
  })];
});
"""


def row(context: Any) -> list[Any]:
    return [] if context is None else [plain(getattr(context, field.name)) for field in attrs.fields(type(context))]


def values(event: Event) -> list[Any]:
    return [plain(getattr(event, name)) for name in finite_fields(type(event))]


def differences(browser: Browser, target: Target) -> tuple[int, list[str]]:
    """How many (state, context, event) were compared, and on which the page differs."""
    machine = target.machine
    places = list(explore(machine, target.births).reached)
    events = [shape for kind in machine.events for shape in shapes(kind)]
    asked = [[state.name, row(context)] for state, context in places]
    answers = browser.run(ASK, machine.name, asked, [[type(event).__name__, values(event)] for event in events])
    found = []
    for (state, context), (timer, *outcomes) in zip(places, answers, strict=True):
        declared = machine.timers.get(state)
        effective = None if declared is None else declared.effective(context)
        if timer != (effective and [effective.name, effective.seconds, effective.cap]):
            found.append(f"{machine.name} {state.name} {context}: timer {timer}")
        for event, seen in zip(events, outcomes, strict=True):
            meant = step(machine, state, context, event)
            arm = meant.arm
            expected = [values(event), arm.index, meant.state.name, row(meant.context), list(map(effect, arm.effects)),
                        arm.kind.name, arm.reason.name if arm.reason else None, arm.why, arm.rearm]  # fmt: skip
            if seen != expected:
                found.append(f"{machine.name} {state.name} {context} {event}: {seen}, expected {expected}")
    return len(places) * len(events), found


@pytest.mark.parametrize("profile", PROFILES)
def test_every_reachable_state_context_and_event_has_pythons_outcome(
    chromium: Browser, tmp_path: Path, profile: str
) -> None:
    file = tmp_path / "page.html"
    file.write_bytes(page(profile).encode())
    chromium.open(file)
    compared = 0
    for target in find_targets(profile=profile):
        count, found = differences(chromium, target)
        compared += count
        assert found == []
    assert compared > 3000


@pytest.mark.parametrize(
    "damage",
    [
        "guards[0].holds[''] = page.machines[1].guards[0].holds[''].map((row) => '1'.repeat(row.length))",
        "updates[0].leads.reverse()",
        "cells[1][1].reverse()",
        "decisions[0].effects = []",
        "firstArms[1][2] += 1",
    ],
)
def test_a_page_that_does_something_else_is_noticed(opened: Browser, damage: str) -> None:
    (generation,) = find_targets("generation", "phonic")
    opened.run(f"page.machines[1].{damage}")
    assert differences(opened, generation)[1] != []


def test_the_agents_state_of_several_instances_is_pythons(opened: Browser) -> None:
    """Up to two states of each machine at once."""
    machines = {machine.name: machine for machine in compose(PROFILES["phonic"]).machines}

    def chosen(name: str) -> list[tuple[Any, ...]]:
        states = machines[name].states
        if name == "session":
            return [(state,) for state in states if state.name in ("CONNECTING", "READY")]
        return [(state,) for state in states] + list(itertools.combinations(states, 2))

    combinations = list(itertools.product(*(chosen(name) for name in DECIDING)))
    asked = [[[state.name for state in states] for states in one] for one in combinations]
    script = """
    return arguments[1].map((lists) => {
      const states = new Map(arguments[0].map((name, at) => [name, lists[at]]));
      return page.whole.agentState(states);
    });"""
    seen = opened.run(script, list(DECIDING), asked)
    whole = Derived(compose(PROFILES["phonic"]), PROFILES["phonic"])
    expected = []
    for one in combinations:
        for name, states in zip(DECIDING, one, strict=True):
            put(whole, *((machines[name], state) for state in states))
        expected.append(whole.agent_state.value)
    assert seen == expected
    assert set(seen) == {"initializing", "listening", "thinking", "speaking"}
