"""A violation, told: the ordering as a list, as a sequence diagram, and the command that shows it again.

An ordering is told by going through it once more with an observer at the driver, so what is shown is what happened.
Instances are named by their places (``g0`` is the oldest live generation); one just born still bears its first name.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import attrs

from rtfsm.language import Driver, Effect, Emission, Kind, RtfsmError
from rtfsm.language import Step as Taken
from rtfsm.machines import Conversation
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary import local, wire

from .search import Model, Step

__all__ = ["NoSuchStepError", "Told", "command", "labels_of", "narrate", "numbered", "retold", "sequence"]

OF_USER = frozenset({"UserSpeechStarted", "UserSpeechStopped", "UserTurnCancelled", "UserTranscript"})
OUTSIDE = "Outside"


class Narrated(Model[Any], Protocol):
    """A model that can be told: one that has a driver and says what its last step ordered."""

    emissions: list[Emission]

    @property
    def driver(self) -> Driver: ...

    def describe(self, place: Any) -> str: ...


class NoSuchStepError(RtfsmError):
    """An ordering names what cannot come there."""


@attrs.frozen
class Told:
    """One step of an ordering. who: what it came from. happenings: what each instance did and what was ordered, in the
    order in which it happened. before, after: the states of the whole."""

    label: str
    who: str
    happenings: tuple[Taken | Emission, ...]
    before: str
    after: str
    wrong: str | None


def labels_of(text: str) -> tuple[str, ...]:
    """The labels of an ordering that is written with semicolons, or one a line."""
    return tuple(label.strip() for line in text.splitlines() for label in line.split(";") if label.strip())


def narrate(model: Narrated, ordering: Iterable[str]) -> Iterator[Told]:
    """Go through an ordering again, up to its end or to what is wrong.

    Where nothing is wrong and the timers that are left run in a circle, that is told too. Raises NoSuchStepError where
    a label cannot come.
    """
    heard: list[tuple[int, Taken]] = []

    def listen(step: Taken) -> None:
        heard.append((len(model.driver._emitted), step))

    model.driver.observe(listen)
    try:
        place = model.first()
        for label in ordering:
            step, happenings = _step(model, place, label, heard)
            yield _told(model, step, happenings, place)
            if step.wrong is not None:
                return
            place = step.target
        for label in _circle(model, place):
            step, happenings = _step(model, place, label, heard)
            yield _told(model, step, happenings, place)
            place = step.target
    finally:
        model.driver.observers.remove(listen)


def _step(
    model: Narrated, place: Any, label: str, heard: list[tuple[int, Taken]]
) -> tuple[Step[Any], tuple[Taken | Emission, ...]]:
    """The step with this label. Steps are made one by one, so what was heard last belongs to the last one."""
    heard.clear()
    possible = []
    for step in model.steps(place):
        if step.label == label:
            return step, tuple(_in_order(heard, model.emissions))
        possible.append(step.label)
        heard.clear()
    there = model.describe(place)
    raise NoSuchStepError(f"{label!r} cannot come in ({there}); what can: {'; '.join(possible) or 'nothing'}")


def _in_order(heard: Iterable[tuple[int, Taken]], emissions: Sequence[Emission]) -> Iterator[Taken | Emission]:
    told = 0
    for ordered_before, step in heard:
        yield from emissions[told:ordered_before]
        told = max(told, ordered_before)
        yield step
    yield from emissions[told:]


def _told(model: Narrated, step: Step[Any], happenings: tuple[Taken | Emission, ...], place: Any) -> Told:
    own = not isinstance(model.driver, Conversation)
    name = step.label.split("(")[0]
    who = OUTSIDE
    if step.timed:
        who = "Time"
    elif not own and name in OF_USER:
        who = "User"
    elif not own and hasattr(wire, name):
        who = "Wire"
    elif not own and hasattr(local, name):
        who = "Host"
    return Told(step.label, who, happenings, model.describe(place), model.describe(step.target), step.wrong)


def _circle(model: Narrated, place: Any) -> tuple[str, ...]:
    """Timers that run out one after another from here and come back to a state that was; none if they come to rest."""
    path: list[tuple[Any, Iterator[Step[Any]]]] = []
    labels: list[str] = []
    done: set[Any] = set()

    def timers(of: Any) -> Iterator[Step[Any]]:
        return iter([step for step in model.steps(of) if step.timed])

    path.append((place, timers(place)))
    while path:
        step = next(path[-1][1], None)
        if step is None:
            done.add(path.pop()[0])
            if labels:
                labels.pop()
        elif any(step.target == seen for seen, _ in path):
            return (*labels, step.label)
        elif step.target not in done:
            path.append((step.target, timers(step.target)))
            labels.append(step.label)
    return ()


# -- as text -----------------------------------------------------------------------------------------------------------


def numbered(steps: Sequence[Told]) -> str:
    """The ordering as a numbered list, each step with the states that it leads to."""
    if not steps:
        return ""
    width = max(len(step.label) for step in steps)
    lines = [f"    0. {'it begins':<{width}}  {steps[0].before}"]
    lines += [f"   {number:>2}. {step.label:<{width}}  {step.after}" for number, step in enumerate(steps, start=1)]
    return "\n".join(lines)


def retold(number: int, step: Told, driver: Driver) -> str:
    """One step at length: what each instance did, what was ordered of whom, the states after."""
    lines = [f"{number:>3}. {step.label}    (from: {step.who})"]
    for one in step.happenings:
        if isinstance(one, Emission):
            whom = _whom(one.effect, driver) or "the machines"
            lines.append(f"       {_short(one.instance)} orders of {whom}: {_effect(one.effect)}")
        else:
            lines.append(f"       {_short(one.instance)} on {type(one.event).__name__}: {_done(one)}")
    if not step.happenings:
        lines.append("       it reaches no machine")
    lines.append(f"     = {step.after}")
    return "\n".join(lines)


def command(name: str, options: Sequence[str], ordering: Iterable[str]) -> str:
    """What to type to see an ordering again."""
    return " ".join(["rtfsm", "check", name, *options, "--replay", shlex.quote("; ".join(ordering))])


def _short(instance: Any) -> str:
    name: str = instance.machine.name
    return str(instance.id) if instance.id.startswith(name) else f"{name} {instance.id}"


def _done(step: Taken) -> str:
    if step.arm.kind is Kind.REFUSE:
        return f"REFUSED in {step.before.name}: {step.arm.why}"
    if step.arm.kind is Kind.IGNORE:
        reason = step.arm.reason.name if step.arm.reason is not None else ""
        return f"ignored in {step.before.name}, {reason}: {step.arm.why}"
    return f"{step.before.name} -> {step.after.name}" if step.arm.kind is Kind.TO else f"stays {step.before.name}"


def _whom(effect: Effect, driver: Driver) -> str | None:
    """Who carries an effect out; None where that is left to the other machines."""
    if isinstance(effect, order.HostEffect):
        return "Host"
    if isinstance(effect, order.WireEffect):
        return "Wire"
    routed = isinstance(effect, order.RoutedEffect) or type(effect) in driver.composition.routes_of
    return None if routed else OUTSIDE


def _effect(effect: Effect) -> str:
    fields = [(field.name, getattr(effect, field.name)) for field in attrs.fields(type(effect))]
    shown = [
        name if value is True else str(getattr(value, "name", value))
        for name, value in fields
        if value not in (None, False, "")
    ]
    return f"{type(effect).__name__}({', '.join(shown)})" if shown else type(effect).__name__


# -- as a sequence diagram ---------------------------------------------------------------------------------------------


def sequence(steps: Sequence[Told], driver: Driver, wrong: str) -> str:
    """The ordering as a Mermaid sequence diagram: who tells which machine what, and what is ordered of whom."""
    lines: list[str] = []
    used: dict[str, None] = {}

    def arrow(source: str, target: str, text: str, kind: str = "->>") -> None:
        used.update(dict.fromkeys((source, target)))
        lines.append(f"    {source}{kind}{target}: {_plain(text)}")

    for number, step in enumerate(steps, start=1):
        sent: list[Emission] = []
        begins: str | None = f"{number}. {step.label}"
        if not any(isinstance(one, Taken) for one in step.happenings):
            used[step.who] = None
            lines.append(f"    Note over {step.who}: {number}. {_plain(step.label)} reaches no machine")
        for one in step.happenings:
            machine = _id(one.instance.machine.name)
            if isinstance(one, Emission):
                sent.append(one)
                whom = _whom(one.effect, driver)
                if whom is not None:
                    arrow(machine, whom, _effect(one.effect) + _which(one), "-->>")
                continue
            arrow(_source(one, sent, driver, step.who), machine, _message(one, begins))
            begins = None
            if one.before is not one.after:
                lines.append(f"    Note right of {machine}: {one.before.name} to {one.after.name}")
    machines = [_id(machine.name) for machine in driver.composition.machines if _id(machine.name) in used]
    outside = [one for one in ("Host", "User", "Wire", OUTSIDE, "Time") if one in used]
    named = [*outside[:1], *machines, *outside[1:]]
    if not named:
        named = [OUTSIDE]
    over = named[0] if len(named) == 1 else f"{named[0]},{named[-1]}"
    head = ["sequenceDiagram", *(f"    participant {name}" for name in named)]
    return "\n".join([*head, *lines, f"    Note over {over}: {_plain(wrong)}"])


def _source(step: Taken, sent: Sequence[Emission], driver: Driver, who: str) -> str:
    """The machine whose effect this event is, the latest one that a route leads here from; else who began it all."""
    for emission in reversed(sent):
        for route in driver.composition.routes_of.get(type(emission.effect), ()):
            if route.target is step.instance.machine and route.event is type(step.event):
                return _id(emission.instance.machine.name)
    standing = any(
        one.target is step.instance.machine and one.event is type(step.event) for one in driver.composition.standing
    )
    return _id(step.instance.machine.name) if standing else who


def _message(step: Taken, begins: str | None) -> str:
    ignored = {Kind.IGNORE: " is ignored", Kind.REFUSE: " is REFUSED"}.get(step.arm.kind, "")
    return (begins or type(step.event).__name__) + _which(step) + ignored


def _which(one: Taken | Emission) -> str:
    """Which instance, where there are several."""
    return "" if one.instance.id == one.instance.machine.name else f" [{one.instance.id}]"


def _id(name: str) -> str:
    """A name that Mermaid takes for a participant; ``end`` is a word of its own."""
    plain = "".join(letter if letter.isalnum() else "_" for letter in name)
    return f"{plain}_" if plain.lower() in ("end", "host", "wire", "user", "outside", "time") else plain


def _plain(text: str) -> str:
    return text.replace(";", ",").replace("#", "no. ").replace("\n", " ")
