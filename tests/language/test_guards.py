"""A guard that cannot answer stops the event before anything has changed, in the meaning and in the engine alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from rtfsm import Driver, GuardError, Machine, decide, guard, step, to, when
from rtfsm.language import Event, Guard, Instance, engine_for, finite_fields, shape, shapes
from rtfsm.language.events import view

from .toys import Creak, Door, Force, Knock, Lock, Push, Ring, Turn, door, spoilt


def asking(function: Callable[..., Any]) -> Machine:
    """The toy, in which a push at the shut door asks this function."""
    return door(table=spoilt(Door.SHUT, Push, (when(guard(function), to(Door.OPEN, Ring)), to(Door.OPEN, Creak))))


def refused(function: Callable[..., Any], event: Event | None = None) -> str:
    """What is said when the guard is asked; the same by step, by the engine and by a driver, and nothing changes."""
    machine, event = asking(function), event or Push(Force.ROUGH, "let me in")
    context = Lock(knocks=2)
    instance = Instance(machine, "front", context)
    driver = Driver(machine)
    driver.start()
    running = driver.instances()[0]
    attempts: list[Callable[[], Any]] = [
        lambda: step(machine, Door.SHUT, context, event),
        lambda: decide(machine, Door.SHUT, context, event),
        lambda: engine_for(machine).dispatch(instance, event),
        lambda: driver.handle(event, 1.0),
    ]
    messages = set()
    for attempt in attempts:
        with pytest.raises(GuardError) as raised:
            attempt()
        messages.add(str(raised.value).replace(repr(machine.context), repr(context)))
    assert (instance.state, instance.context) == (Door.SHUT, context)
    assert (running.state, running.context, driver.taken) == (Door.SHUT, Lock(), {})
    (message,) = messages
    assert message.startswith("machine 'door', state SHUT, event Push: guard ")
    assert "nothing was changed" in message
    assert "let me in" not in message
    return message


@pytest.mark.parametrize("answer", ["yes", "", 1, 0, None, []])
def test_a_guard_that_answers_with_something_else_than_a_bool(answer: object) -> None:
    def vague(_: Lock) -> Any:
        return answer

    message = refused(vague)
    assert f"guard vague answered {answer!r} on Push" in message
    assert "write bool(...)" in message


def test_a_guard_that_raises() -> None:
    def clumsy(context: Lock) -> bool:
        return 1 / (context.knocks - context.knocks) > 0

    message = refused(clumsy)
    assert "guard clumsy raised ZeroDivisionError on Push" in message
    assert "must answer for every context and event" in message


def test_a_guard_that_reads_words() -> None:
    def nosy(_: Lock, event: Push) -> bool:
        return event.words == "please"

    message = refused(nosy)
    assert "a guard reads Push.words, which can take any value" in message
    assert "put the answer into a field" in message


def test_a_guard_that_asks_whether_there_are_words() -> None:
    def subtle(_: Lock, event: Push) -> bool:
        return event.words is not None

    assert "a guard reads Push.words" in refused(subtle)


@pytest.mark.parametrize(
    "question",
    [
        bool,
        len,
        str,
        int,
        hash,
        list,
        lambda words: words + "",
        lambda words: "p" in words,
        lambda words: words.upper(),
    ],
)
def test_a_guard_that_reads_words_in_another_way(question: Callable[[Any], object]) -> None:
    def nosy(_: Lock, event: Push) -> bool:
        return bool(question(event.words))

    assert "a guard reads Push.words" in refused(nosy)


def test_a_guard_may_read_what_has_few_values() -> None:
    def rough(context: Lock, event: Push) -> bool:
        return event.force is Force.ROUGH and not context.locked

    machine = asking(rough)
    assert step(machine, Door.SHUT, Lock(), Push(Force.ROUGH)).effects == (Ring(),)
    assert step(machine, Door.SHUT, Lock(), Push(Force.GENTLE)).effects == (Creak(),)
    assert step(machine, Door.SHUT, Lock(locked=True), Push(Force.ROUGH)).effects == (Creak(),)


def test_a_guard_error_loses_nothing_that_was_ordered_before() -> None:
    def fussy(_: Lock, event: Push) -> bool:
        if event.force is Force.ROUGH:
            raise ValueError
        return False

    driver = Driver(asking(fussy))
    with pytest.raises(GuardError):
        driver.handle(Push(Force.ROUGH), 1.0)
    assert [emission.effect for emission in driver.handle(Push(Force.GENTLE), 2.0)] == [Creak()]


def test_a_guard_knows_its_name_and_what_it_reads() -> None:
    def ajar(_: Lock, __: Push) -> bool:
        return False

    made = guard(ajar)
    assert (made.name, made.reads_event) == ("ajar", True)
    assert isinstance(made, Guard)
    assert "function" not in repr(made)


def test_the_shape_of_an_event_keeps_what_guards_may_read() -> None:
    assert finite_fields(Push) == ("force",)
    assert finite_fields(Knock) == ()
    assert shape(Push(Force.ROUGH, "a")) is shape(Push(Force.ROUGH, "b"))
    assert shape(Push(Force.ROUGH, "a")) is not shape(Push(Force.GENTLE, "a"))
    assert shape(shape(Push(Force.ROUGH, "a"))) is shape(Push(Force.ROUGH))
    assert [getattr(one, "force") for one in shapes(Push)] == list(Force)  # noqa: B009
    assert len(list(shapes(Turn))) == 1
    assert "secret" not in repr(shape(Push(words="secret")))
    assert "Push.words: not for guards" in repr(shape(Push()))


def test_every_combination_of_finite_fields_is_a_shape() -> None:
    @attrs.frozen
    class Storm(Event):
        force: Force
        wet: bool
        name: str

    found = list(shapes(Storm))
    assert len(found) == 4
    assert all(shape(one) is one for one in found)


def test_a_view_is_the_event_with_its_words_out_of_reach() -> None:
    seen = view(Push(Force.ROUGH, "secret"))
    assert isinstance(seen, Push)
    assert not hasattr(seen, "colour")
    assert seen.force is Force.ROUGH
    assert seen is view(shape(Push(Force.ROUGH, "another")))
    with pytest.raises(GuardError, match=r"a guard reads Push\.words"):
        _ = seen.words
