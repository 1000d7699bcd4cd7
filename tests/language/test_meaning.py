"""step is the meaning; the engine on transitions does the same, everywhere, in silence."""

from __future__ import annotations

import itertools
import logging

import attrs
import pytest

from rtfsm import Engine, Event, Kind, Outcome, TimerElapsed, UnknownEventError, stay, step
from rtfsm.language import Instance, engine_for, shapes

from .toys import DOOR, Creak, Door, Force, Knock, Lock, Push, Report, Ring, Turn, door, spoilt

CONTEXTS = [Lock(locked, knocks) for locked in (False, True) for knocks in (0, 1)]
EVERYTHING = [
    (state, context, event)
    for state, context in itertools.product(Door, CONTEXTS)
    for kind in DOOR.events
    for event in shapes(kind)
]


def test_step_decides_everything() -> None:
    assert len(EVERYTHING) == 3 * 4 * 5
    for state, context, event in EVERYTHING:
        outcome = step(DOOR, state, context, event)
        assert outcome.arm in DOOR.cells[state][type(event)]
        assert outcome.state in Door


def test_step_changes_nothing_and_always_says_the_same() -> None:
    for state, context, event in EVERYTHING:
        before = attrs.evolve(context)
        assert step(DOOR, state, context, event) == step(DOOR, state, context, event)
        assert context == before


def test_step_reads_the_table_as_it_is_written() -> None:
    assert step(DOOR, Door.SHUT, Lock(locked=True), Push()).effects == (Ring(2),)
    assert step(DOOR, Door.SHUT, Lock(locked=True), Push(Force.ROUGH)).effects == (Ring(2),)
    broken = step(DOOR, Door.SHUT, Lock(), Push(Force.ROUGH))
    assert (broken.state, broken.effects) == (Door.BROKEN, (Report(),))
    opened = step(DOOR, Door.SHUT, Lock(), Push())
    assert (opened.state, opened.context, opened.effects) == (Door.OPEN, Lock(), (Creak(),))
    knocked = step(DOOR, Door.SHUT, Lock(), Knock())
    assert (knocked.state, knocked.context, knocked.effects) == (Door.SHUT, Lock(knocks=1), (Ring(),))
    shut = step(DOOR, Door.OPEN, Lock(knocks=1), TimerElapsed())
    assert (shut.state, shut.context, shut.effects) == (Door.SHUT, Lock(), (Creak(),))
    refused = step(DOOR, Door.OPEN, Lock(), Turn())
    assert (refused.arm.kind, refused.state, refused.effects) == (Kind.REFUSE, Door.OPEN, ())


def test_the_engine_does_what_step_says_everywhere() -> None:
    engine = Engine(DOOR)
    for state, context, event in EVERYTHING:
        instance = Instance(DOOR, "front", context)
        instance.state = state
        arm = engine.dispatch(instance, event)
        assert Outcome(arm, instance.state, instance.context, arm.effects) == step(DOOR, state, context, event)


def test_a_different_engine_is_noticed() -> None:
    """The comparison above can fail: the engine of a machine with one other cell differs, there and nowhere else."""
    other = door(table=spoilt(Door.SHUT, Turn, stay(Creak)))
    engine, different = Engine(other), []
    for state, context, event in EVERYTHING:
        instance = Instance(other, "front", context)
        instance.state = state
        effects = engine.dispatch(instance, event).effects
        meant = step(DOOR, state, context, event)
        if (instance.state, instance.context, effects) != (meant.state, meant.context, meant.effects):
            different.append((state, context, type(event)))
    assert different == [(Door.SHUT, context, Turn) for context in CONTEXTS]


def test_an_unknown_event_changes_nothing() -> None:
    @attrs.frozen
    class Flood(Event):
        pass

    instance = Instance(DOOR, "front", Lock())
    for attempt in (
        lambda: step(DOOR, Door.SHUT, Lock(), Flood()),
        lambda: engine_for(DOOR).dispatch(instance, Flood()),
    ):
        with pytest.raises(UnknownEventError, match="machine 'door' has no column for Flood; it knows Knock, Push, Ti"):
            attempt()
    assert (instance.state, instance.context) == (Door.SHUT, Lock())


def test_a_subclass_of_an_event_is_another_event() -> None:
    @attrs.frozen
    class Bang(Knock):
        pass

    with pytest.raises(UnknownEventError, match="no column for Bang"):
        step(DOOR, Door.SHUT, Lock(), Bang())


def test_one_engine_serves_all_instances() -> None:
    engine = engine_for(DOOR)
    assert engine_for(DOOR) is engine
    front, back = Instance(DOOR, "front", Lock()), Instance(DOOR, "back", Lock())
    engine.dispatch(front, Push())
    assert (front.state, back.state) == (Door.OPEN, Door.SHUT)
    assert engine.compiled.models == []


def test_no_move_is_logged_by_the_package_underneath(caplog: pytest.LogCaptureFixture) -> None:
    """A voice session moves many times a second; a root logger at INFO must stay readable."""
    level = logging.getLogger("transitions").level
    instance = Instance(DOOR, "front", Lock())
    with caplog.at_level(logging.INFO):
        for event in (Knock(), Push(), Knock(), Turn(), TimerElapsed(), Push(Force.ROUGH), Knock()):
            Engine(DOOR).dispatch(instance, event)
    assert instance.state is Door.BROKEN
    assert caplog.records == []
    assert logging.getLogger("transitions").level == level == logging.NOTSET
