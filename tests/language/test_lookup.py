"""What changes nothing is decided once and looked up; it is what dispatching would do, and a move forgets it."""

from __future__ import annotations

from rtfsm import (
    Driver,
    step,
)

from .house import (
    Rung,
    a_house,
)
from .toys import DOOR, Door, Force, Knock, Lock, Push, Turn


def test_what_changes_nothing_can_be_looked_up() -> None:
    driver = Driver(DOOR)
    driver.handle(Knock(), 0.0)
    door = driver.instances()[0]
    assert door.steady == {}, "the first knock changes the context"
    driver.handle(Knock(), 0.0)
    assert list(door.steady) == [Knock]
    effects, arm = door.steady[Knock]
    meant = step(DOOR, door.state, door.context, Knock())
    assert (effects, arm) == (meant.effects, meant.arm)
    assert (meant.state, meant.context) == (door.state, door.context)


def test_an_ignored_event_can_be_looked_up() -> None:
    driver = Driver(DOOR)
    driver.handle(Push(Force.ROUGH), 0.0)
    driver.handle(Knock(), 0.0)
    assert driver.instances()[0].steady[Knock] == ((), DOOR.cells[Door.BROKEN][Knock][0])


def test_a_move_forgets_what_was_looked_up() -> None:
    driver = Driver(DOOR)
    for event in (Knock(), Knock(), Push()):
        driver.handle(event, 0.0)
    assert driver.instances()[0].steady == {}


def test_a_change_of_context_forgets_what_was_looked_up() -> None:
    driver = Driver(DOOR)
    for event in (Knock(), Knock(), Turn()):
        driver.handle(event, 0.0)
    assert driver.instances()[0].steady == {}


def test_an_event_that_a_guard_could_read_is_never_looked_up() -> None:
    driver = Driver(DOOR)
    for event in (Push(), Push(), Push()):
        driver.handle(event, 0.0)
    assert driver.instances()[0].steady == {}


def test_an_effect_that_goes_to_another_machine_is_never_looked_up() -> None:
    house = a_house()
    house.handle(Rung(), 1.0)
    assert all(one.steady == {} for one in house.instances())


def test_every_looked_up_cell_is_what_dispatching_does() -> None:
    for context in (Lock(), Lock(True), Lock(False, 1), Lock(True, 1)):
        for state in Door:
            driver = Driver(DOOR)
            driver.start()
            door = driver.instances()[0]
            for first in (Knock(), Turn(), Push(), Push(Force.ROUGH)):
                door.state, door.context, door.steady = state, context, {}
                driver.handle(first, 0.0)
                for kind, (effects, arm) in door.steady.items():
                    meant = step(DOOR, door.state, door.context, kind())
                    assert (effects, arm, door.state, door.context) == (
                        meant.effects, meant.arm, meant.state, meant.context,
                    )  # fmt: skip
