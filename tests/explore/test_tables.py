"""The tables that the page is given: whole, finite, and the same each time."""

from __future__ import annotations

import itertools
import json
from enum import Enum

import attrs
import pytest

from rtfsm import Effect, Event, Machine, Timer, TimerElapsed, guard, stay, to, update, when
from rtfsm.explore import page, tables
from rtfsm.explore.page import data
from rtfsm.explore.whole import DECIDING, STRONGEST_FIRST, derived_states, put, routes
from rtfsm.machines import compose
from rtfsm.machines.derived import Derived
from rtfsm.profiles import PROFILES


class Door(Enum):
    SHUT = "nobody gets in"
    OPEN = "everybody gets in"


class Hand(Enum):
    LEFT = "left"
    RIGHT = "right"


@attrs.frozen
class Push(Event):
    """Somebody pushes."""

    who: str
    hard: bool = True
    hand: Hand = Hand.RIGHT


@attrs.frozen
class Creak(Effect):
    loud: bool = False


@attrs.frozen
class Worn(Event):
    pass


@attrs.frozen
class Wear:
    pushes: int = 0


@guard
def old(context: Wear) -> bool:
    return context.pushes > 1


@guard
def hard_left(_: Wear, event: Push) -> bool:
    return event.hard and event.hand is Hand.LEFT


@update
def wear(context: Wear) -> Wear:
    return attrs.evolve(context, pushes=min(2, context.pushes + 1))


DOOR = Machine(
    "door",
    states=Door,
    initial=Door.SHUT,
    context=Wear(),
    rests={Door.SHUT: "a door may be shut"},
    timers={Door.OPEN: Timer("spring", 5.0, unless=(old, Timer("rust", 9.0, cap=20.0)))},
    table={
        Door.SHUT: {Push: (when(hard_left, to(Door.OPEN, Creak(loud=True), wear)), when(old, stay(Creak)), stay(wear))},
        Door.OPEN: {Push: to(Door.SHUT), TimerElapsed: to(Door.SHUT, Creak)},
    },
)


def test_a_machine_is_tabulated() -> None:
    found = tables(DOOR)
    assert found["contexts"] == [[0], [1], [2]]
    assert found["context"] == ["pushes"]
    assert found["events"][0] == {
        "name": "Push",
        "meaning": "Somebody pushes.",
        "from": "inside",
        "fields": [["hard", [False, True], 1], ["hand", ["LEFT", "RIGHT"], 1]],
    }
    assert found["guards"] == [
        {"name": "hard_left", "holds": {"Push": ["000", "000", "111", "000"]}},
        {"name": "old", "holds": {"": ["001"]}},
    ]
    assert found["updates"] == [{"name": "wear", "leads": [1, 2, 2]}]
    opening = found["decisions"][found["cells"][0][0][0]]
    assert opening["target"] == 1
    assert opening["effects"] == [{"name": "Creak", "text": "Creak(loud)", "to": "machines", "with": {"loud": True}}]
    timer = found["states"][1]["timer"]
    assert timer["unless"] == {"guard": 1, "timer": {"name": "rust", "seconds": 9.0, "cap": 20.0}}


def test_what_an_update_makes_of_a_context_that_never_meets_it_is_left_open() -> None:
    @update
    def more(context: Wear) -> Wear:
        return attrs.evolve(context, pushes=context.pushes + 1)

    @guard
    def new(context: Wear) -> bool:
        return context.pushes < 1

    counter = Machine(
        "counter",
        states=Door,
        initial=Door.SHUT,
        context=Wear(),
        rests={Door.SHUT: "it may", Door.OPEN: "it may"},
        table={Door.SHUT: {Worn: (when(new, stay(more)), to(Door.OPEN))}, Door.OPEN: {Worn: stay()}},
    )
    assert tables(counter)["updates"] == [{"name": "more", "leads": [1, None]}]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_agents_and_the_users_state_are_tabulated_for_all_states_of_all_machines(profile: str) -> None:
    """Those of the machines that are not asked make no difference."""
    wire = PROFILES[profile]
    derived = derived_states(wire)
    machines = {machine.name: machine for machine in compose(wire).machines}
    codes = dict(
        zip(itertools.product(*(machines[name].states for name in DECIDING)), derived["agent"]["codes"], strict=True)
    )
    whole = Derived(compose(wire), wire)
    for others in itertools.product(machines["generation"].states[:3], machines["user_turn"].states):
        put(whole, *zip((machines["generation"], machines["user_turn"]), others, strict=True))
        for chosen, code in codes.items():
            if chosen[0].name in ("STARTING", "READY"):
                put(whole, *zip((machines[name] for name in DECIDING), chosen, strict=True))
                assert whole.agent_state is STRONGEST_FIRST[int(code)]
    assert set(derived["user"]["by"]) == {state.name for state in machines["user_turn"].states}
    assert derived["user"]["by"]["SPEAKING"] == "speaking"


def test_every_route_is_known_to_the_page() -> None:
    for profile, wire in PROFILES.items():
        composition = compose(wire)
        known = routes(composition)
        assert {route.effect.__name__ for route in composition.routes} == set(known)
        events = {machine.name: {event.__name__ for event in machine.events} for machine in composition.machines}
        assert all(one["event"] in events[one["machine"]] for some in known.values() for one in some), profile


@pytest.mark.parametrize("profile", PROFILES)
def test_the_page_is_the_same_each_time_and_asks_for_nothing(profile: str) -> None:
    made = page(profile)
    assert made == page(profile)
    assert "http:" not in made
    assert "https:" not in made
    assert "default-src 'none'" in made
    assert len(made) < 200_000


def test_no_text_can_end_the_data_of_the_page() -> None:
    made = page("phonic", ("</script>", "<!--<script></script>"))
    begin = made.index('id="data">') + len('id="data">')
    facts = json.loads(made[begin : made.index("</script>", begin)])
    assert facts == json.loads(json.dumps(data("phonic", ("</script>", "<!--<script></script>"))))
