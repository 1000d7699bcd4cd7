"""A conversation that can be taken up in any state: what the exploration of the whole moves through.

A state of the whole is a tuple of small integers: the situations of the live instances, what the mirror knows of them,
and what the environment remembers. Ids are gone from it: instances are named by their places, and tool calls, which are
symmetric, stand in sorted order, so that symmetric states are one. The router, the gate, the routes and the standing
conditions are the real ones; only the engine is replaced, by a table of what ``step`` answers.

Playout is a sink: its table orders nothing, and of its states the others read one bit, ``audible``. So all playouts
stand for that bit here, and the playout machine is checked alone. :func:`is_sink` verifies the first half.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rtfsm.language import Arm, Emission, Event, Instance, Machine, Timer, TimerElapsed, shape, step
from rtfsm.machines import Capabilities, Conversation, Monitor, Timing
from rtfsm.machines.mirror import HostGeneration, Mirror
from rtfsm.machines.playout import Playout
from rtfsm.targets import births_of
from rtfsm.vocabulary import local, wire

from .explore import explore

__all__ = ["Situations", "State", "World", "is_sink"]

State = tuple[Any, ...]
NOTED = (local.ReplyRequested, local.ReplyAbandoned, wire.ToolCallCancelled)
"""What the mirror takes note of, whatever the machines make of it."""
CALL_STATES = ("open", "answered", "withdrawn", "gone", "unknown")


def is_sink(machine: Machine) -> bool:
    """Whether no arm of the machine orders anything, so that its state can matter to nobody but those who read it."""
    return not machine.begin and not any(arm.effects for _, _, arm in machine.arms)


class Situations:
    """The (state, context) pairs of a machine, numbered, and what each does with each shape of an event."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.pairs: list[tuple[Any, Any]] = []
        self.timers: list[Timer | None] = []
        """The timer that runs in each pair."""
        self._numbers: dict[tuple[Any, Any], int] = {}
        self._taken: dict[tuple[int, int], tuple[Arm, int]] = {}

    def number_all(self, births: Iterable[Any]) -> None:
        """Number every pair that can be reached, so that every process has the same numbers."""
        reached = explore(self.machine, births).reached
        for state, context in reached:
            self.number(state, context)

    def number(self, state: Any, context: Any) -> int:
        """The number of a pair, a new one if it was not seen before."""
        found = self._numbers.get((state, context))
        if found is None:
            found = self._numbers[state, context] = len(self.pairs)
            self.pairs.append((state, context))
            timer = self.machine.timers.get(state)
            self.timers.append(None if timer is None else timer.effective(context))
        return found

    def take(self, situation: int, event: Event) -> tuple[Arm, int]:
        """What ``step`` answers, computed once."""
        seen = shape(event)
        known = self._taken.get((situation, id(seen)))
        if known is None:
            outcome = step(self.machine, *self.pairs[situation], event)
            known = outcome.arm, self.number(outcome.state, outcome.context)
            self._taken[situation, id(seen)] = known
        return known


class World(Conversation):
    """A conversation whose state is read and set as a whole. Time stands still: timers run out when they are told."""

    def __init__(self, capabilities: Capabilities, *, retries: int = 1, **more: Any) -> None:
        super().__init__(capabilities, Timing(), retries=retries, monitor=Monitor(), **more)
        self.situations = {machine.name: Situations(machine) for machine in self.composition.machines}
        for machine in self.composition.machines:
            self.situations[machine.name].number_all(births_of(capabilities) if machine.name == "generation" else ())
        self._machines = {machine.name: machine for machine in self.composition.machines}
        self.touched = True
        """Whether anything has changed since the last thaw; where nothing has, there is nothing to judge."""
        self._virtual = False

    def take(self, instance: Instance, event: Event) -> Arm:
        table = self.situations[instance.machine.name]
        before = self.situation(instance)
        arm, after = table.take(before, event)
        if after != before:
            instance.state, instance.context = table.pairs[after]
            instance.situation = after
        self.touched = self.touched or after != before or bool(arm.effects)
        return arm

    def _arm_timer(self, instance: Instance) -> None:
        instance.timer = self.situations[instance.machine.name].timers[self.situation(instance)]

    def born(self, *arguments: Any, **more: Any) -> Instance:
        self._virtual = True
        return super().born(*arguments, **more)

    def _collect(self) -> list[Emission]:
        if self.touched:
            return super()._collect()
        if self._virtual:
            self._sweep()
        return []

    def _judged(self, event: Event | None, emissions: list[Emission]) -> list[Emission]:
        self.touched = self.touched or isinstance(event, NOTED)
        return super()._judged(event, emissions) if self.touched else emissions

    def situation(self, instance: Instance) -> int:
        """The number of the pair that an instance is in."""
        if instance.situation < 0:
            instance.situation = self.situations[instance.machine.name].number(instance.state, instance.context)
        return instance.situation

    def run_out(self, machine: str, id: str) -> list[Emission]:
        """Let the timer of an instance run out now."""
        self._dispatch(self.live[machine][id], TimerElapsed())
        return self._judged(None, self._collect())

    # -- the state as a whole --------------------------------------------------------------------------------------

    def freeze(self) -> tuple[State, dict[str, int]]:
        """The state, and the place of each live generation in it (by id)."""
        mirror = self.monitor.mirror
        replies = self.replies
        reply_places = {one.id: place for place, one in enumerate(replies)}
        generations = self.generations
        places = {one.id: place for place, one in enumerate(generations)}
        held = "HELD"
        return (
            self.situation(self.session),
            self.situation(self.user_turn),
            tuple(
                (
                    self.situation(one),
                    reply_places.get(one.link or "", -1),
                    _host_code(mirror.generations.get(one.id)),
                )
                for one in generations
            ),
            tuple((self.situation(one), one.id in mirror.pending_futures) for one in replies),
            tuple(
                sorted(
                    (
                        self.situation(one),
                        CALL_STATES.index(mirror.calls.get(one.id, "unknown")),
                        places.get(one.link or "", -1) if one.state.name == held else -1,
                    )
                    for one in self.calls
                )
            ),
            self.audible,
            (mirror.told_speaking, mirror.ready, min(mirror.configs_sent, 2), min(mirror.ends_reported, 2)),
        ), places

    def thaw(self, state: State) -> None:
        """Be in a state. Instances are named by their places: g0, r0, c0."""
        session, user, generations, replies, calls, audible, told = state
        mirror = Mirror()
        mirror.told_speaking, mirror.ready, mirror.configs_sent, mirror.ends_reported = told
        live: dict[str, dict[str, Instance]] = {name: {} for name in self._machines}
        live["session"]["session"] = self._instance("session", "session", session)
        live["user_turn"]["user_turn"] = self._instance("user_turn", "user_turn", user)
        for place, (situation, link, host) in enumerate(generations):
            id = f"g{place}"
            one = self._instance("generation", id, situation, f"r{link}" if link >= 0 else "ended")
            live["generation"][id] = one
            if host:
                mirror.generations[id] = known = _host(host, one)
                one.part = "m" if known.message else None
                if not known.sealed:
                    mirror.open_generations[id] = known
        for place, (situation, pending) in enumerate(replies):
            id = f"r{place}"
            live["reply"][id] = self._instance("reply", id, situation)
            mirror.futures[id] = not pending
            if pending:
                mirror.pending_futures[id] = None
        self.seen_generations.clear()
        self.seen_generations.update(dict.fromkeys(("old", *live["generation"])))
        self.seen_calls.clear()
        self.seen_calls["seen"] = None
        for place, (situation, known_as, generation) in enumerate(calls):
            id = f"c{place}"
            live["tool_call"][id] = self._instance("tool_call", id, situation, f"g{generation}")
            if CALL_STATES[known_as] != "unknown":
                mirror.calls[id] = CALL_STATES[known_as]
            self.seen_calls[id] = None
        if audible:
            playing = Instance(self._machines["playout"], "m", None)
            playing.state, playing.alive = Playout.QUEUED, True
            self._arm_timer(playing)
            live["playout"]["m"] = playing
        self.live = live
        self.touched = self._virtual = False
        self.monitor.mirror = mirror
        self.monitor.violations.clear()
        self.refused = 0
        self._held.clear()
        self._emitted = []
        self._started = True
        self._minted = 0

    def _instance(self, machine: str, id: str, situation: int, link: str | None = None) -> Instance:
        table = self.situations[machine]
        state, context = table.pairs[situation]
        one = Instance(self._machines[machine], id, context, link)
        one.state, one.situation, one.alive = state, situation, True
        one.timer = table.timers[situation]
        return one


def _host_code(host: HostGeneration | None) -> int:
    """What the mirror knows of a generation, as a number; 0 if the host never heard of it."""
    if host is None:
        return 0
    return 1 + host.sealed + 2 * host.message + 4 * min(host.chunks, 1)


def _host(code: int, instance: Instance) -> HostGeneration:
    bits = code - 1
    return HostGeneration(
        sealed=bool(bits & 1),
        message=bool(bits & 2),
        chunks=1 if bits & 4 else 0,
    )
