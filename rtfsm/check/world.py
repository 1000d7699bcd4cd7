"""A conversation that can be taken up in any state: what the exploration of the whole moves through.

A state of the whole is a tuple of small integers: the situations of the live instances, what the mirror knows of them,
and what the environment remembers. Ids are gone from it: instances are named by their places, and tool calls, which are
symmetric, stand in sorted order, so that symmetric states are one. The router, the gate, the routes and the standing
conditions are the real ones; only the engine is replaced, by a table of what ``step`` answers.

Playout is a sink: its table orders nothing of another machine, and of all playouts the others read two bits: whether
one sounds, or will, that yields the floor, and one that keeps it. So two stand for all of them here, and the playout
machine is checked alone. :func:`is_sink` verifies the first half.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rtfsm.language import (
    Arm,
    Effect,
    Emission,
    Event,
    Instance,
    Machine,
    Timer,
    TimerElapsed,
    finite_fields,
    shape,
    step,
)
from rtfsm.machines import Capabilities, Conversation, Match, Monitor, Reply, Timing
from rtfsm.machines.mirror import HostGeneration, Mirror
from rtfsm.machines.playout import Playout, PlayoutContext
from rtfsm.targets import births_of
from rtfsm.vocabulary import local, wire

from .explore import explore
from .merge import forget, merge
from .messages import MESSAGES, is_sink, require_apart

__all__ = ["Situations", "State", "World"]

State = tuple[Any, ...]
NOTED = (local.ReplyRequested, local.ReplyAbandoned, wire.ToolCallCancelled)
"""What the mirror takes note of, whatever the machines make of it."""
READ = {
    "session": ("gone", "resuming"),
    "generation": ("lane", "keeps_floor"),
    "reply": ("kind",),
    "playout": ("keeps_floor",),
}
"""What is read of a context from outside its machine: by the router, the routes and the standing conditions."""
CALL_STATES = ("open", "answered", "withdrawn", "gone", "unknown")


class Situations:
    """The (state, context) pairs of a machine, numbered, and what each does with each shape of an event."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.pairs: list[tuple[Any, Any]] = []
        self.shown: list[Any] = []
        """The context that others see in each: of merged pairs what they have in common."""
        self.timers: list[Timer | None] = []
        """The timer that runs in each."""
        self._numbers: dict[tuple[Any, Any], int] = {}
        self._taken: dict[tuple[int, object], tuple[Arm, int]] = {}

    def number_all(
        self, births: Iterable[Any], *, merged: bool = False, unheard: tuple[type[Effect], ...] = ()
    ) -> None:
        """Number every pair that can be reached, so that every process has the same numbers.

        merged: give one number to those that nobody can tell apart, but for effects that are ``unheard``.
        """
        explored = explore(self.machine, births)
        groups = [[pair] for pair in explored.reached]
        if merged:
            groups = merge(explored, READ.get(self.machine.name, ()), unheard)
        for group in groups:
            self._add(group)

    def number(self, state: Any, context: Any) -> int:
        """The number of a pair, a new one if it was not seen before."""
        found = self._numbers.get((state, context))
        return self._add([(state, context)]) if found is None else found

    def _add(self, group: list[tuple[Any, Any]]) -> int:
        number = len(self.pairs)
        self._numbers.update(dict.fromkeys(group, number))
        state, context = group[0]
        self.pairs.append(group[0])
        self.shown.append(forget(self.machine, group))
        timer = self.machine.timers.get(state)
        self.timers.append(None if timer is None else timer.effective(context))
        return number

    def take(self, situation: int, event: Event) -> tuple[Arm, int]:
        """What ``step`` answers, computed once."""
        seen: object = type(event)
        if finite_fields(type(event)):
            seen = id(shape(event))
        known = self._taken.get((situation, seen))
        if known is None:
            outcome = step(self.machine, *self.pairs[situation], event)
            known = outcome.arm, self.number(outcome.state, outcome.context)
            self._taken[situation, seen] = known
        return known


class World(Conversation):
    """A conversation whose state is read and set as a whole. Time stands still: timers run out when they are told.

    merged: situations that nobody can tell apart are one. Right where effects are judged, wrong where arms are counted.
    messages_apart: so are those that differ in nothing but an open message (:mod:`rtfsm.check.messages`). Raises
    ValueError where playout orders anything of another machine, for then it may not stand outside the product.
    """

    def __init__(
        self,
        capabilities: Capabilities,
        *,
        retries: int = 1,
        merged: bool = False,
        messages_apart: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(capabilities, Timing(), retries=retries, monitor=Monitor(), **more)
        for machine in self.composition.machines:
            if machine.name == "playout" and not is_sink(machine, self.composition):
                raise ValueError("playout orders something, so it may not be left out of the product")
        if messages_apart:
            require_apart(self.composition)
        self.situations = {machine.name: Situations(machine) for machine in self.composition.machines}
        for machine in self.composition.machines:
            births = births_of(capabilities) if machine.name == "generation" else ()
            self.situations[machine.name].number_all(
                births, merged=merged or messages_apart, unheard=MESSAGES if messages_apart else ()
            )
        self._messages_apart = messages_apart
        self._machines = {machine.name: machine for machine in self.composition.machines}
        self.touched = True
        """Whether anything has changed since the last thaw; where nothing has, there is nothing to judge."""
        self._virtual = False
        self._named = not capabilities.minted and capabilities.match is Match.ECHO
        """Whether the wire says by ids which response is meant and which request it answers."""

    def take(self, instance: Instance, event: Event) -> Arm:
        table = self.situations[instance.machine.name]
        before = self.situation(instance)
        arm, after = table.take(before, event)
        if after != before:
            instance.state, instance.context = table.pairs[after][0], table.shown[after]
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
        """Effects are judged here, and states by whoever asks: each once, however often it is reached."""
        self.touched = self.touched or isinstance(event, NOTED)
        if self.touched:
            self.monitor.judge_effects(event, emissions)
        return emissions

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
        replies = self._ordered_replies()
        reply_places = {one.id: place for place, one in enumerate(replies)}
        rows = {
            one.id: (self.situation(one), reply_places.get(one.link or "", -1), self._heard_of(one.id))
            for one in self.generations
        }
        places = self._ordered_generations(rows)
        held = "HELD"
        return (
            self.situation(self.session),
            self.situation(self.user_turn),
            tuple([rows[id] for id in places]),
            tuple([(self.situation(one), one.id in mirror.pending_futures) for one in replies]),
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
            tuple(sorted({one.context.keeps_floor for one in self.sounding})),
            (mirror.told_speaking, mirror.ready, min(mirror.configs_sent, 2), min(mirror.ends_reported, 2)),
        ), places

    def _heard_of(self, id: str) -> int:
        """What the mirror knows of a generation, as a number: 0 if its streams have ended, or never will be opened, for
        a generation is announced when it begins or not at all."""
        host = self.monitor.mirror.generations.get(id)
        if host is None or host.sealed:
            return 0
        return 1 + (host.message and not self._messages_apart)

    def _ordered_replies(self) -> list[Instance]:
        """The live replies. Where the wire names the request that it answers, only those that wait to be sent have an
        order, so the others stand sorted."""
        replies = self.replies
        if len(replies) > 1 and self._named:
            pending = self.monitor.mirror.pending_futures
            replies.sort(
                key=lambda one: (
                    (0, 0, False) if one.state is Reply.QUEUED else (1, self.situation(one), one.id in pending)
                )
            )
        return replies

    def _ordered_generations(self, rows: dict[str, tuple[int, int, int]]) -> dict[str, int]:
        """The place of each generation. Where the wire names them, only the youngest of the main lane is set apart, so
        it stands last and the others sorted."""
        ids = list(rows)
        if len(ids) > 1 and self._named:
            main = self.main
            ids.sort(key=lambda id: (main is not None and id == main.id, rows[id]))
        return {id: place for place, id in enumerate(ids)}

    def thaw(self, state: State) -> None:
        """Be in a state. Instances are named by their places: g0, r0, c0."""
        session, user, generations, replies, calls, heard, told = state
        mirror = Mirror()
        mirror.told_speaking, mirror.ready, mirror.configs_sent, mirror.ends_reported = told
        live: dict[str, dict[str, Instance]] = {name: {} for name in self._machines}
        live["session"]["session"] = self._instance("session", "session", session)
        live["user_turn"]["user_turn"] = self._instance("user_turn", "user_turn", user)
        for place, (situation, link, host) in enumerate(generations):
            id = f"g{place}"
            one = self._instance("generation", id, situation, f"r{link}" if link >= 0 else "ended")
            live["generation"][id] = one
            known = mirror.generations[id] = HostGeneration(sealed=host == 0, message=host == 2)
            if known.message:
                one.part = "m"
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
        for keeps in heard:
            id = "kept" if keeps else "m"
            playing = Instance(self._machines["playout"], id, PlayoutContext(keeps))
            playing.state, playing.alive = Playout.QUEUED, True
            self._arm_timer(playing)
            live["playout"][id] = playing
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
        one = Instance(self._machines[machine], id, table.shown[situation], link)
        one.state, one.situation, one.alive = table.pairs[situation][0], situation, True
        one.timer = table.timers[situation]
        return one
