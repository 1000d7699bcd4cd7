"""What nobody can tell apart is counted once, and nothing is lost with it."""

from __future__ import annotations

from enum import Enum
from typing import Any

import attrs
import pytest

from rtfsm.check import Bounds, ConversationModel
from rtfsm.check.conversation import Place
from rtfsm.check.explore import explore
from rtfsm.check.merge import ForgottenError, forget, merge
from rtfsm.check.world import State, World
from rtfsm.language import (
    Effect,
    Event,
    Instance,
    Machine,
    Reason,
    Timer,
    TimerElapsed,
    assign,
    guard,
    ignore,
    stay,
    to,
    when,
)
from rtfsm.machines import Capabilities
from rtfsm.machines.capabilities import Ids, Match
from rtfsm.profiles import PROFILES


class Door(Enum):
    OPEN = "people may pass"
    SHUT = "nobody passes"


@attrs.frozen
class Seen:
    """passed: somebody went through. alarmed: an alarm rang."""

    passed: bool = False
    alarmed: bool = False


class Pass(Event): ...


class Alarm(Event): ...


class Close(Event): ...


class Ring(Effect): ...


class Count(Effect): ...


@guard
def somebody_passed(seen: Seen) -> bool:
    return seen.passed


def door(*, asked: bool) -> Machine:
    """A door. asked: whether it is ever asked who passed."""
    close = (when(somebody_passed, to(Door.SHUT, Count)), to(Door.SHUT)) if asked else to(Door.SHUT)
    return Machine(
        "door", states=Door, initial=Door.OPEN, context=Seen(), final={Door.SHUT},
        timers={Door.OPEN: Timer("hour", 3600.0)},
        table={
            Door.OPEN: {
                Pass: stay(assign(passed=True)), Alarm: stay(Ring, assign(alarmed=True)), Close: close,
                TimerElapsed: to(Door.SHUT),
            },
            Door.SHUT: {(Pass, Alarm, Close): ignore(Reason.TERMINAL, "the door stays shut")},
        },
    )  # fmt: skip


def groups(machine: Machine, *read: str) -> list[set[tuple[str, bool, bool]]]:
    found = merge(explore(machine), read)
    return [{(state.name, seen.passed, seen.alarmed) for state, seen in group} for group in found]


def test_what_is_never_asked_again_is_forgotten() -> None:
    assert [len(group) for group in groups(door(asked=False))] == [4, 4]


def test_what_decides_an_effect_later_is_kept() -> None:
    assert sorted(len(group) for group in groups(door(asked=True))) == [2, 2, 4]
    for group in groups(door(asked=True)):
        passed = {seen for state, seen, _ in group if state == "OPEN"}
        assert len(passed) <= 1


def test_what_others_read_is_kept_although_the_machine_never_asks() -> None:
    assert all(len({seen for _, _, seen in group}) == 1 for group in groups(door(asked=False), "alarmed"))


def test_what_is_forgotten_cannot_be_read() -> None:
    machine = door(asked=False)
    group = merge(explore(machine), ("alarmed",))[0]
    context = forget(machine, group)
    assert context.alarmed is False
    for look in (bool, lambda value: value == False, lambda value: value is None or value > 0):  # noqa: E712
        with pytest.raises(ForgottenError, match=r"door\.context\.passed was read"):
            look(context.passed)


def coarser(merged: World, unmerged: World, place: Place) -> Any:
    """A place of the finer search as the merged one would number it."""
    state, memory = place

    def number(machine: str, situation: int) -> int:
        return merged.situations[machine].number(*unmerged.situations[machine].pairs[situation])

    session, user, generations, replies, calls, audible, told = state
    as_merged: State = (
        number("session", session),
        number("user_turn", user),
        tuple((number("generation", situation), link, host) for situation, link, host in generations),
        tuple((number("reply", situation), pending) for situation, pending in replies),
        tuple(sorted((number("tool_call", situation), known, link) for situation, known, link in calls)),
        audible,
        told,
    )
    return as_merged, memory


def everything(model: ConversationModel) -> tuple[set[Place], set[tuple[Place, str, Place]]]:
    reached = {model.first()}
    edges = set()
    waiting = list(reached)
    while waiting:
        place = waiting.pop()
        for step in model.steps(place):
            assert step.wrong is None
            edges.add((place, step.label, step.target))
            if step.target not in reached:
                reached.add(step.target)
                waiting.append(step.target)
    return reached, edges


@pytest.mark.parametrize(
    ("profile", "bounds"),
    [
        ("phonic", Bounds(0, 1, 1)),
        ("gemini", Bounds(0, 0, 1)),
        ("openai", Bounds(0, 0, 1)),
        ("widest", Bounds(0, 0, 1)),
    ],
)
def test_the_merged_search_reaches_exactly_what_the_finer_one_does(profile: str, bounds: Bounds) -> None:
    wire = PROFILES[profile]
    finer, merged = World(wire), World(wire, merged=True)
    fine_places, fine_edges = everything(ConversationModel(wire, bounds, world=finer))
    places, edges = everything(ConversationModel(wire, bounds, world=merged))
    assert {coarser(merged, finer, place) for place in fine_places} == places
    assert len(places) < len(fine_places)
    projected = {(coarser(merged, finer, a), label, coarser(merged, finer, b)) for a, label, b in fine_edges}
    assert projected == edges


class Unsorted(World):
    """A world in which whatever was born later stands later."""

    def _ordered_replies(self) -> list[Instance]:
        return self.replies

    def _ordered_generations(self, rows: dict[str, tuple[int, int, int]]) -> dict[str, int]:
        return {id: place for place, id in enumerate(rows)}


def sorted_by(world: World, place: Place) -> Any:
    """The place with its generations in the order of the sorted world, and which of those that look alike are dead."""
    world.thaw(place[0])
    state, places = world.freeze()
    dead = {places[f"g{number}"] for number in place[1].dead}
    mains = [places[world.main.id]] if world.main is not None else []
    looks = sorted((row, number in mains, number in dead) for number, row in enumerate(state[2]))
    return state, place[1]._replace(dead=frozenset()), tuple(looks)


@pytest.mark.parametrize("bounds", [Bounds(0, 0, 2), Bounds(0, 2, 0)])
def test_what_differs_only_in_who_came_first_is_one(bounds: Bounds) -> None:
    wire = Capabilities(Ids.WIRE, Match.ECHO, out_of_band=True)
    canonical = World(wire, merged=True)
    all_places, all_edges = everything(ConversationModel(wire, bounds, world=Unsorted(wire, merged=True)))
    places, edges = everything(ConversationModel(wire, bounds, world=World(wire, merged=True)))
    assert {sorted_by(canonical, place) for place in all_places} == {sorted_by(canonical, place) for place in places}
    assert len(places) < len(all_places)
    finer, coarse = (
        {(sorted_by(canonical, a), sorted_by(canonical, b)) for a, _, b in found} for found in (all_edges, edges)
    )
    assert finer == coarse
