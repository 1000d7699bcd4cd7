"""Playout stands outside the product, as two bits. That loses nothing: it orders nothing, and nobody reads more of it.

Each state of the whole is taken up with each bit spelt out as queued, as playing, and as one of each. Whatever happens
then, every other machine, the mirror and every verdict must be the same. Besides, two messages that live and end one
after another, as the real machine has them, reach no state of the rest that the bits do not reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from rtfsm.check import Bounds, ConversationModel, search
from rtfsm.check.conversation import Place
from rtfsm.check.messages import is_sink
from rtfsm.check.search import Step
from rtfsm.check.world import World
from rtfsm.language import Instance
from rtfsm.machines import Capabilities, Floor, compose
from rtfsm.machines.playout import Playout
from rtfsm.profiles import GEMINI, OPENAI, PHONIC, PROFILES

SPELT_OUT: tuple[tuple[Playout, ...], ...] = ((Playout.QUEUED,), (Playout.PLAYING,), (Playout.PLAYING, Playout.QUEUED))


class Spelt(World):
    """A world whose bits are spelt out."""

    spelt: Sequence[Playout] = (Playout.QUEUED,)

    def thaw(self, state: Any) -> None:
        super().thaw(state)
        group = self.live["playout"]
        for known in list(group.values()):
            del group[known.id]
            for number, found in enumerate(self.spelt):
                one = Instance(known.machine, f"{known.id}{number}", known.context)
                one.state, one.alive = found, True
                self._arm_timer(one)
                group[one.id] = one


class AllSpelt(ConversationModel):
    """Takes each step once for each way to spell the bits out, and compares."""

    def __init__(self, capabilities: Capabilities, bounds: Bounds, floor: Floor) -> None:
        self.spelt = Spelt(capabilities, merged=True, floor=floor)
        super().__init__(capabilities, bounds, world=self.spelt)
        self.compared = 0

    def steps(self, place: Place) -> Iterator[Step[Place]]:
        state, _ = place
        if not state[5]:
            yield from super().steps(place)
            return
        seen: list[dict[str, Step[Place]]] = []
        for spelt in SPELT_OUT:
            self.spelt.spelt = spelt
            seen.append({step.label: step for step in super().steps(place)})
        plain, *others = seen
        assert all(one.keys() == plain.keys() for one in others)
        for label, step in plain.items():
            for spelt, other in zip(SPELT_OUT[1:], others, strict=True):
                self.compared += 1
                one_of_two = label.startswith("PlayoutFinished") and len(spelt) == 2  # the other one is still audible
                meant = Step(label, place) if one_of_two else step
                assert other[label] == meant, f"{label} with {[one.name for one in spelt]}"
            yield step


@pytest.mark.parametrize("profile", PROFILES)
def test_playout_orders_nothing_of_another_machine(profile: str) -> None:
    composition = compose(PROFILES[profile])
    playout = next(machine for machine in composition.machines if machine.name == "playout")
    assert is_sink(playout, composition)
    assert not is_sink(composition.machines[1], composition)


@pytest.mark.parametrize(
    ("capabilities", "bounds", "floor"),
    [
        (PHONIC, Bounds(0, 1, 1), Floor()),
        (PHONIC, Bounds(0, 0, 1), Floor(welcome=False)),
        (GEMINI, Bounds(0, 0, 1), Floor()),
        (OPENAI, Bounds(0, 0, 1), Floor()),
    ],
)
def test_nobody_reads_more_of_playout_than_that_something_is_audible(
    capabilities: Capabilities, bounds: Bounds, floor: Floor
) -> None:
    model = AllSpelt(capabilities, bounds, floor)
    found = search(model)
    assert found.violations == []
    world = World(capabilities, merged=True, floor=floor)
    assert found.states == search(ConversationModel(capabilities, bounds, world=world)).states
    assert model.compared > 5000


def test_a_machine_that_reads_how_a_message_plays_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def playing_only(world: World) -> bool:
        return any(one.state is Playout.PLAYING for one in world.playouts)

    monkeypatch.setattr(World, "floor_free", property(lambda world: not playing_only(world)))
    with pytest.raises(AssertionError, match=r"with .*PLAYING"):
        search(AllSpelt(PHONIC, Bounds(0, 0, 1), Floor()))
