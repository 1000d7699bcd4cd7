"""The driver: one event at a time, its whole cascade depth first; births, ends and counting."""

from __future__ import annotations

import logging

import pytest

from rtfsm import (
    Composition,
    Driver,
    Machine,
    Reason,
    Route,
    Step,
    UnknownEventError,
    stay,
)

from .house import (
    PATIENT,
    B,
    Call,
    Called,
    Dismissed,
    Fade,
    House,
    Nod,
    R,
    Rung,
    Send,
    Sent,
    a_house,
    bell,
    master,
    names,
    sends_one,
    servant,
)
from .toys import DOOR, Creak, Door, Force, Knock, Push, Report, Ring, Turn


def test_a_cascade_is_completed_before_the_next_effect() -> None:
    house = a_house()
    emissions = house.handle(Rung(), 1.0)
    assert names(emissions) == ["Call", "Send", "Bow", "Send", "Bow", "Nod", "Fade"]
    assert [emission.instance.id for emission in emissions] == [
        "bell", "master", "servant 1", "master", "servant 2", "master", "bell",
    ]  # fmt: skip
    assert [type(emission.event) for emission in emissions][:3] == [Rung, Called, Sent]


def test_instances_are_born_run_and_are_forgotten() -> None:
    house = a_house()
    house.handle(Rung(), 1.0)
    servants = [one for one in house.instances() if one.machine.name == "servant"]
    assert [(one.id, one.state, one.link) for one in servants] == [
        ("servant 1", B, "house"),
        ("servant 2", B, "house"),
    ]
    assert house.next_deadline() == 11.0
    house.elapse(11.0)
    assert [one.machine.name for one in house.instances()] == ["bell", "master"]
    assert house.live["servant"] == {}


def test_an_instance_that_never_begins_is_forgotten() -> None:
    house = a_house()
    house.start()
    house.new_servant()
    house.handle(Rung(), 1.0)
    assert list(house.live["servant"]) == ["servant 2", "servant 3"]


def test_by_default_a_route_reaches_every_live_instance() -> None:
    who = servant()
    parts = (bell(Send), master(Call), who)
    routes = (Route(Send, who, Sent, sends_one, births=True), Route(Call, who, Dismissed))
    house = House(Composition(parts, routes))
    house.handle(Rung(), 1.0)
    house.handle(Rung(), 1.0)
    assert names(house.handle(Called(), 2.0)) == ["Call", "Bow", "Bow"]
    assert house.live["servant"] == {}


def test_what_a_machine_begins_with_is_ordered_once() -> None:
    driver = Driver(master(Nod, begin=(Ring(3), Nod())))
    assert names(driver.start(5.0)) == ["Ring", "Nod"]
    assert driver.start(6.0) == []
    assert driver.now == 5.0


def test_the_first_event_starts_a_driver() -> None:
    assert names(Driver(master(Nod, begin=(Ring(3),))).handle(Called(), 1.0)) == ["Ring", "Nod"]
    assert names(Driver(master(Nod, begin=(Ring(3),))).elapse(1.0)) == ["Ring"]


def test_an_event_that_no_machine_knows() -> None:
    with pytest.raises(UnknownEventError, match="no table knows Push; the machines here are bell, master, servant"):
        a_house().handle(Push(), 1.0)


def test_an_event_goes_to_every_machine_that_knows_it() -> None:
    listener = Machine("listener", states=(R,), initial=R, rests=PATIENT, table={R: {Rung: stay(Nod)}})
    assert names(Driver(Composition((bell(Fade), listener))).handle(Rung(), 1.0)) == ["Fade", "Nod"]


def test_ignored_and_dropped_events_are_counted_by_reason() -> None:
    driver = Driver(DOOR)
    driver.handle(Push(), 0.0)
    driver.handle(Push(), 1.0)
    driver.handle(Knock(), 1.0)
    driver.handle(Knock(), 2.0)
    driver.drop(Reason.STALE)
    driver.drop(Reason.NOISE)
    assert driver.ignored() == {Reason.NO_OP: 1, Reason.NOISE: 3, Reason.STALE: 1}
    driver.handle(Push(Force.ROUGH), 3.0)
    driver.handle(Knock(), 4.0)
    assert driver.ignored()[Reason.TERMINAL] == 1


def test_every_arm_taken_is_counted() -> None:
    driver = Driver(DOOR)
    for event in (Knock(), Knock(), Knock(), Turn()):
        driver.handle(event, 0.0)
    numbers = {arm.index for arm in DOOR.cells[Door.SHUT][Knock]} | {DOOR.cells[Door.SHUT][Turn][1].index}
    assert {index for _, index in driver.taken} == numbers
    assert sorted(driver.taken.values()) == [1, 1, 2]


def test_a_refused_event_is_counted_and_logged_and_not_raised(caplog: pytest.LogCaptureFixture) -> None:
    driver = Driver(DOOR)
    driver.handle(Push(), 0.0)
    assert driver.handle(Turn(), 1.0) == []
    assert driver.refused == 1
    assert [record.getMessage() for record in caplog.records] == [
        "door door in OPEN refused Turn: the key is not in an open door"
    ]
    assert (caplog.records[0].levelno, caplog.records[0].name) == (logging.ERROR, "rtfsm")
    driver.handle(Turn(), 2.0)
    assert (driver.refused, len(caplog.records)) == (2, 2)


def test_the_version_grows_with_every_move_and_with_nothing_else() -> None:
    driver = Driver(DOOR)
    versions = []
    for event in (Knock(), Push(), Push(), Knock()):
        driver.handle(event, 0.0)
        versions.append(driver.version)
    assert versions == [0, 1, 1, 1]


def test_observers_see_everything() -> None:
    house, steps = a_house(), list[Step]()
    house.observe(steps.append)
    house.handle(Rung(), 1.0)
    house.handle(Rung(), 2.0)
    seen = [(one.time, one.instance.id, type(one.event).__name__, one.before.name, one.after.name) for one in steps]
    assert seen[:4] == [
        (1.0, "bell", "Rung", "REST", "REST"),
        (1.0, "master", "Called", "REST", "REST"),
        (1.0, "servant 1", "Sent", "REST", "BUSY"),
        (1.0, "servant 2", "Sent", "REST", "BUSY"),
    ]
    assert len(seen) == 8
    assert all(one.arm in one.instance.machine.cells[one.before][type(one.event)] for one in steps)


def test_nothing_is_looked_up_while_somebody_watches() -> None:
    driver, steps = Driver(DOOR), list[Step]()
    for _ in range(3):
        driver.handle(Knock(), 0.0)
    driver.observe(steps.append)
    assert driver.instances()[0].steady == {}
    for _ in range(3):
        driver.handle(Knock(), 0.0)
    assert len(steps) == 3
    assert driver.instances()[0].steady == {}


def test_an_observer_is_told_before_the_effects_of_the_step() -> None:
    house, heard = a_house(last=Report), list[str]()
    house.observe(lambda step: heard.append(step.instance.id))
    house.handle(Rung(), 1.0)
    assert heard == ["bell", "master", "servant 1", "servant 2"]


def test_a_creaking_door_says_so() -> None:
    driver = Driver(DOOR)
    (creak,) = driver.handle(Push(words="open"), 1.0)
    assert creak.effect == Creak()
    assert creak.instance is driver.instances()[0]
    assert creak.event == Push(words="open")
    assert repr(creak.instance) == "<door door OPEN>"
