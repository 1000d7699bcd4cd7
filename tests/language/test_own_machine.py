"""A machine of one's own, as the README shows it: a push-to-talk button that a stuck finger cannot hold open."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

import pytest

from rtfsm import DeclarationError, Driver, Effect, Event, Machine, Reason, Timer, TimerElapsed, ignore, step, to


# The example begins.
class Button(Enum):
    UP = "nobody is heard"
    DOWN = "the speaker is heard"


class Press(Event): ...


class Release(Event): ...


class OpenMic(Effect): ...


class CloseMic(Effect): ...


BUTTON = Machine(
    "push_to_talk",
    states=Button,
    initial=Button.UP,
    rests={Button.UP: "nobody has to talk"},
    timers={Button.DOWN: Timer("stuck", 60.0)},
    table={
        Button.UP: {Press: to(Button.DOWN, OpenMic), Release: ignore(Reason.DUPLICATE, "it is up")},
        Button.DOWN: {(Release, TimerElapsed): to(Button.UP, CloseMic), Press: ignore(Reason.DUPLICATE, "it is down")},
    },
)
# The example ends.


def effects(driver: Driver, event: Event, now: float) -> list[Effect]:
    return [emission.effect for emission in driver.handle(event, now)]


def test_it_runs() -> None:
    driver = Driver(BUTTON)
    assert effects(driver, Press(), 0.0) == [OpenMic()]
    assert effects(driver, Press(), 0.2) == []
    assert effects(driver, Release(), 1.0) == [CloseMic()]
    assert effects(driver, Release(), 1.1) == []
    assert driver.ignored() == {Reason.DUPLICATE: 2}


def test_a_stuck_finger_is_cut_off() -> None:
    driver = Driver(BUTTON)
    driver.handle(Press(), 5.0)
    assert driver.next_deadline() == 65.0
    assert [emission.effect for emission in driver.elapse(65.0)] == [CloseMic()]
    assert driver.next_deadline() is None


def test_it_can_be_asked_without_running() -> None:
    outcome = step(BUTTON, Button.UP, None, Press())
    assert (outcome.state, outcome.effects) == (Button.DOWN, (OpenMic(),))


def test_a_forgotten_cell_is_told_on_import() -> None:
    table = {Button.UP: {Press: to(Button.DOWN, OpenMic), Release: ignore(Reason.DUPLICATE, "it is up")}}
    table[Button.DOWN] = {Release: to(Button.UP, CloseMic)}
    with pytest.raises(DeclarationError) as raised:
        Machine("push_to_talk", states=Button, initial=Button.UP, table=table, rests=dict.fromkeys(Button, "patient"))
    assert str(raised.value) == (
        "machine 'push_to_talk', state DOWN, event Press: is not decided; "
        "add to(...), stay(...), ignore(reason, why) or refuse(why) for it to this row"
    )


def test_it_is_short() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    example = re.split("# The example (?:begins|ends).\n", source)[1]
    lines = [line for line in example.splitlines() if line.strip()]
    assert len(lines) < 20, len(lines)
