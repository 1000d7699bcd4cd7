"""What happened, as a Mermaid sequence diagram: who told which machine what, how it moved, what it ordered of whom.

It takes the steps of a recording, or those that a driver's observer was told. Names, numbers and times are drawn; a
step has nothing else, so no word that anybody said can get into a picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import attrs

from rtfsm.language import Composition, Step
from rtfsm.machines import compose
from rtfsm.profiles import PROFILES
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary import local, wire

from .mermaid import escaped

__all__ = ["Happening", "Moment", "Routes", "moment", "routes_of", "sequence_diagram"]

HOST, WIRE, USER, TIME, OUTSIDE = "Host", "Wire", "User", "Time", "Outside"

OF_USER = frozenset({"UserSpeechStarted", "UserSpeechStopped", "UserTurnCancelled", "UserTranscript"})

MOST = 300
"""Arrows in one picture; Mermaid refuses a text of more than 50,000 characters, and nobody reads so long a picture."""

LONGEST = 48
"""Characters of a name; those of instances come from a provider."""

Routes = frozenset[tuple[str, str, str]]
"""(effect, machine that is told, event): which effect of any machine is which event of which other. For the effect of a
standing condition, which has none, stands "": its event comes to the machine of itself."""


class Happening(Protocol):
    """One event taken by one instance, by names. A :class:`rtfsm.trace.Record` is one.

    time: seconds. before, after: states. effects: in order. reason: why the event was ignored, or None.
    """

    @property
    def time(self) -> float: ...
    @property
    def machine(self) -> str: ...
    @property
    def instance(self) -> str: ...
    @property
    def event(self) -> str: ...
    @property
    def before(self) -> str: ...
    @property
    def after(self) -> str: ...
    @property
    def effects(self) -> tuple[str, ...]: ...
    @property
    def reason(self) -> str | None: ...


@attrs.frozen
class Moment:
    """A :class:`Happening` of one's own making."""

    time: float
    machine: str
    instance: str
    event: str
    before: str
    after: str
    effects: tuple[str, ...] = ()
    reason: str | None = None


def moment(step: Step) -> Moment:
    """What a driver's observer is told, by names."""
    return Moment(
        step.time,
        step.instance.machine.name,
        step.instance.id,
        type(step.event).__name__,
        step.before.name,
        step.after.name,
        tuple(type(effect).__name__ for effect in step.arm.effects),
        step.arm.reason.name if step.arm.reason is not None else None,
    )


def routes_of(composition: Composition) -> Routes:
    """What couples the machines of a composition, by names."""
    routed = {(one.effect.__name__, one.target.name, one.event.__name__) for one in composition.routes}
    return frozenset(routed | {("", one.target.name, one.event.__name__) for one in composition.standing})


def sequence_diagram(steps: Iterable[Happening], *, routes: Routes | None = None, wrong: str = "") -> str:
    """The steps, in their order, as a ``sequenceDiagram``.

    Equal steps that change nothing, such as a chunk of audio after the other, are one arrow with their number, told
    before the next change. After 300 arrows the picture ends, and says so.

    routes: those of the shipped machines, if none are given. wrong: what the steps led to, said at the end.
    """
    drawing = _Drawing(_shipped() if routes is None else routes)
    left = 0
    for step, count in _folded(steps):
        if drawing.arrows < MOST:
            drawing.tell(step, count)
        else:
            left += count
    return drawing.text(left, wrong)


def _shipped() -> Routes:
    return frozenset().union(*(routes_of(compose(wire)) for wire in PROFILES.values()))


def _folded(steps: Iterable[Happening]) -> Iterator[tuple[Happening, int]]:
    """Each change, and between two of them each kind of step that changes nothing, with its number."""
    quiet: dict[tuple[object, ...], tuple[Happening, int]] = {}
    for step in steps:
        if step.before == step.after:
            key = (step.machine, step.instance, step.event, step.effects, step.reason)
            first, count = quiet.get(key, (step, 0))
            quiet[key] = (first, count + 1)
            continue
        yield from quiet.values()
        quiet.clear()
        yield step, 1
    yield from quiet.values()


class _Drawing:
    """A diagram while it grows. Participants have ids of our own, since names may be words of Mermaid's."""

    def __init__(self, routes: Routes) -> None:
        self.arrows = 0
        self._routes = routes
        self._lines: list[str] = []
        self._machines: dict[str, None] = {}
        self._around: dict[str, None] = {}
        self._ids: dict[str, str] = {}
        self._ordered: list[tuple[float, str, str]] = []
        """(time, machine, effect), the latest last."""

    def tell(self, step: Happening, count: int) -> None:
        machine = self._machine(step.machine)
        times = f" × {count}" if count > 1 else ""
        which = "" if step.instance == step.machine else f" [{_name(step.instance)}]"
        source = self._source(step)
        head = "-x" if step.reason is not None else "->>"
        ignored = f" is ignored, {_name(step.reason)}" if step.reason is not None else ""
        when = "" if source in self._ids.values() else f"{step.time:.2f} s "
        self._arrow(source, head, machine, f"{when}{_name(step.event)}{which}{ignored}{times}")
        if step.before != step.after:
            self._lines.append(f"    Note over {machine}: {_said(f'{_name(step.before)} to {_name(step.after)}')}")
        outward: dict[str, list[str]] = {}
        for effect in step.effects:
            self._ordered.append((step.time, step.machine, effect))
            whom = self._whom(effect)
            if whom is not None:
                outward.setdefault(whom, []).append(_name(effect))
        for whom, effects in outward.items():
            self._arrow(machine, "-->>", self._other(whom), f"{', '.join(effects)}{which}{times}")

    def text(self, left: int, wrong: str) -> str:
        if not self._machines:
            return "sequenceDiagram\n    participant n as Nothing\n    Note over n: nothing happened\n"
        first = [HOST] if HOST in self._around else []
        last = [one for one in (USER, WIRE, OUTSIDE, TIME) if one in self._around]
        named = [*((one, _around(one)) for one in first), *((one, self._ids[one]) for one in self._machines)]
        named += [(one, _around(one)) for one in last]
        lines = ["sequenceDiagram", *(f"    participant {id} as {_said(_name(name))}" for name, id in named)]
        ends = named[0][1] if len(named) == 1 else f"{named[0][1]},{named[-1][1]}"
        notes = [f"{left} further events are left out"] if left else []
        notes += [wrong] if wrong else []
        return "\n".join([*lines, *self._lines, *(f"    Note over {ends}: {_said(note)}" for note in notes)]) + "\n"

    def _arrow(self, source: str, head: str, target: str, label: str) -> None:
        self.arrows += 1
        self._lines.append(f"    {source}{head}{target}: {_said(label)}")

    def _machine(self, name: str) -> str:
        self._machines[name] = None
        return self._ids.setdefault(name, f"m{len(self._ids)}")

    def _other(self, name: str) -> str:
        self._around[name] = None
        return _around(name)

    def _source(self, step: Happening) -> str:
        """The machine whose effect this event is, the latest one at that time that a route leads here from; else who
        says such things."""
        for time, machine, effect in reversed(self._ordered):
            if time != step.time:
                break
            if (effect, step.machine, step.event) in self._routes:
                return self._machine(machine)
        if ("", step.machine, step.event) in self._routes:
            return self._machine(step.machine)
        return self._other(_who(step.event))

    def _whom(self, effect: str) -> str | None:
        """Who carries an effect out; None where that is left to other machines."""
        kind = getattr(order, effect, None)
        if isinstance(kind, type) and issubclass(kind, order.HostEffect):
            return HOST
        if isinstance(kind, type) and issubclass(kind, order.WireEffect):
            return WIRE
        return None if any(effect == routed for routed, _, _ in self._routes) else OUTSIDE


def _who(event: str) -> str:
    if event == "TimerElapsed":
        return TIME
    if event in OF_USER:
        return USER
    if hasattr(wire, event):
        return WIRE
    return HOST if hasattr(local, event) else OUTSIDE


def _around(name: str) -> str:
    return f"x{name}"


def _name(text: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"


def _said(text: str) -> str:
    return escaped(" ".join(text.split()))
