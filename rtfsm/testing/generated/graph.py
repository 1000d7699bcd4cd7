"""Everything that a wire and a host can really do to a conversation, as a graph that remembers who took which arm.

The states are those of the exploration (:mod:`rtfsm.check`), without what its environment remembers, and with three
bits that decide what a real wire says and when a real message is over:

- *fresh*: nobody has spoken in this conversation, so a turn that begins now greets;
- *sounds*: the open message has sound. One without is over for the host as soon as it is closed;
- *earlier*: messages that were closed before are still to be heard.

A host plays what it was given to its end only once the message is closed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import attrs

from rtfsm.check.environment import Bounds, Memory, Move, moves
from rtfsm.check.world import CALL_STATES, State, World
from rtfsm.language import Arm, Emission, Event, Instance, Kind
from rtfsm.machines import Capabilities, Delivery, Floor
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary import local, wire

__all__ = ["Edge", "Graph", "Node", "Slot", "Touch"]

Node = tuple[State, bool, bool, bool]
Slot = tuple[str, int]
"""A machine's name and the place of an instance among its live ones."""
ANYBODY = Memory()
SPOKEN = (wire.GenerationCreated, wire.TextDelta, wire.UserSpeechStarted, wire.ToolCallReady)


def unsaid(event: Event) -> bool:
    """Whether Phonic's wire has no message that says this."""
    if isinstance(event, (wire.ConfigRejected, wire.MessageDone, wire.RequestRejected, wire.GoingAway)):
        return True
    if isinstance(event, wire.GenerationDone):
        return event.status is not wire.GenerationStatus.COMPLETED
    return isinstance(event, wire.Fault) and event.fatal


@attrs.frozen
class Touch:
    """What an edge did to one instance of a machine. before: its slot, None if it was born. after: its slot, None if it
    ended. arms: the numbers of the arms it took, in order."""

    machine: str
    before: Slot | None
    after: Slot | None
    arms: tuple[int, ...]


@attrs.frozen
class Edge:
    """label: the move's. touches: what it did to every instance. target: number of the node it leads to."""

    label: str
    touches: tuple[Touch, ...]
    target: int


class _Recorder(World):
    """Writes down which instance took which arm."""

    def __init__(self, capabilities: Capabilities, **more: Any) -> None:
        super().__init__(capabilities, **more)
        self.log: list[tuple[Instance, int]] = []

    def take(self, instance: Instance, event: Event) -> Arm:
        arm = super().take(instance, event)
        if instance.machine.name != "playout":
            self.log.append((instance, arm.index))
        return arm


class Graph:
    """Everything that can be reached within bounds. nodes: in the order of their discovery, so the first way that leads
    to one is a shortest."""

    def __init__(self, capabilities: Capabilities, bounds: Bounds, *, floor: Floor | None = None) -> None:
        self.capabilities, self.bounds, self.floor = capabilities, bounds, floor or Floor()
        self.world = _Recorder(capabilities, floor=self.floor)
        self.moving = frozenset(
            (machine.name, arm.index)
            for machine in self.world.composition.machines
            for _, _, arm in machine.arms
            if arm.kind is Kind.TO and machine.name != "session"
        )
        """The arms that change the state of what a session holds."""
        self.nodes: list[Node] = []
        self.edges: list[list[Edge]] = []
        self._numbers: dict[Node, int] = {}
        self._touches: dict[tuple[Touch, ...], tuple[Touch, ...]] = {}
        self.world.start(0.0)
        self.begun: tuple[tuple[str, int], ...] = tuple((one.machine.name, arm) for one, arm in self.world.log)
        self._number((self.world.freeze()[0], True, False, False))
        place = 0
        while place < len(self.nodes):
            self.edges.append(list(self._expand(self.nodes[place])))
            place += 1

    def _number(self, node: Node) -> int:
        found = self._numbers.get(node)
        if found is None:
            found = self._numbers[node] = len(self.nodes)
            self.nodes.append(node)
        return found

    # -- what can happen -------------------------------------------------------------------------------------------

    def _expand(self, node: Node) -> Iterator[Edge]:
        self.world.thaw(node[0])
        fresh = True
        # Time last: of two ways of one length the one with fewer timers is easier to come by.
        for move in sorted(self.moves(node), key=lambda move: move.timer is not None):
            if self.world.touched or not fresh:
                self.world.thaw(node[0])
            fresh = False
            edge = self._make(node, move)
            if edge.touches or self.nodes[edge.target] is not node:
                yield edge

    def moves(self, node: Node) -> Iterator[Move]:
        """What can really happen in a node. The world is in it."""
        fresh, configured = node[1], self.world.session.context.configured
        opened = self._opened()
        for move in moves(self.world, ANYBODY, self.bounds):
            event = move.event
            if isinstance(event, local.PlayoutFinished):
                move = attrs.evolve(move, label="PlayoutFinished")
            if event is not None and unsaid(event):
                continue
            if isinstance(event, wire.GenerationCreated) and event.greeting is not fresh:
                continue
            if isinstance(event, local.ConfigGiven) and event.kind is local.ConfigKind.RESET and not configured:
                continue  # what is reset was given before
            if isinstance(event, local.PlayoutFinished) and (opened or event.message != self.world.playouts[0].id):
                continue  # whoever hears one to its end hears all
            if isinstance(event, local.ToolOutputGiven):
                if self.world.delivery is Delivery.AT_START:
                    continue  # it is of a history
            elif getattr(event, "call", None) == "seen":
                continue  # dropped before any machine sees it
            yield move

    def _opened(self) -> bool:
        return any(host.message for host in self.world.monitor.mirror.open_generations.values())

    def _make(self, node: Node, move: Move) -> Edge:
        world = self.world
        _, fresh, sounds, earlier = node
        before, opened = self._slots(), self._opened()
        world.log.clear()
        if move.timer is not None:
            emissions = world.run_out(*move.timer)
        else:
            assert move.event is not None
            emissions = world.handle(move.event, 0.0)
            while isinstance(move.event, local.PlayoutFinished) and world.playouts:
                emissions += world.handle(local.PlayoutFinished(world.playouts[0].id), 0.0)
        fresh = (fresh and not isinstance(move.event, SPOKEN)) or _has(emissions, order.OpenTransport)
        fresh = fresh and not _has(emissions, order.SendReplyRequest, order.SendReset)
        fresh = fresh and order.OpenTransport(resume=True) not in [emission.effect for emission in emissions]
        fresh = fresh and not (_has(emissions, order.SendConfig) and world.session.context.ran)
        sounds, earlier = self._playouts(emissions, opened, sounds, earlier)
        log = list(world.log)
        if not world.touched and not world._virtual:
            target = (node[0], fresh, sounds, earlier)
        else:
            target = (world.freeze()[0], fresh, sounds, earlier)
        after = self._slots()
        return Edge(sys.intern(move.label), self._touched(before, after, log), self._number(target))

    def _playouts(self, emissions: list[Emission], opened: bool, sounds: bool, earlier: bool) -> tuple[bool, bool]:
        """Which messages are still to be heard. One without sound is over with its closing. opened: whether a message
        was open before."""
        world = self.world
        for emission in emissions:
            if isinstance(emission.effect, order.OpenMessage):
                opened, sounds = True, False
            elif isinstance(emission.effect, order.PushAudio):
                sounds = True
            elif isinstance(emission.effect, order.CloseMessage):
                opened, sounds, earlier = False, False, earlier or (opened and sounds)
        if not world.audible:
            return False, False
        if not opened and not earlier:
            for one in world.playouts:
                world.handle(local.PlayoutFinished(one.id), 0.0)
            return False, False
        return sounds, earlier

    # -- who is who ------------------------------------------------------------------------------------------------

    def _slots(self) -> dict[int, tuple[Slot, Instance]]:
        """The slot of every live instance, by the object that it is."""
        world = self.world
        slots: dict[int, tuple[Slot, Instance]] = {}
        for name in ("session", "user_turn", "generation", "reply"):
            for place, one in enumerate(one for one in world.live[name].values() if one.alive):
                slots[id(one)] = ((name, place), one)
        calls = sorted(world.calls, key=self.call_order)
        for place, one in enumerate(calls):
            slots[id(one)] = (("tool_call", place), one)
        return slots

    def call_order(self, one: Instance) -> tuple[int, int]:
        """The order in which a frozen world has its calls."""
        known = self.world.monitor.mirror.calls.get(one.id, "unknown")
        return self.world.situation(one), CALL_STATES.index(known)

    def _touched(
        self,
        before: dict[int, tuple[Slot, Instance]],
        after: dict[int, tuple[Slot, Instance]],
        log: list[tuple[Instance, int]],
    ) -> tuple[Touch, ...]:
        arms: dict[int, list[int]] = {}
        for one, arm in log:
            arms.setdefault(id(one), []).append(arm)
        touches = []
        everyone = {who: one for who, (_, one) in before.items()}
        everyone.update((id(one), one) for one, _ in log)
        for who, one in everyone.items():
            was, is_ = before.get(who), after.get(who)
            place, now = was[0] if was else None, is_[0] if is_ else None
            taken = tuple(arms.get(who, ()))
            if taken or place != now:
                touches.append(Touch(one.machine.name, place, now, taken))
        found = tuple(touches)
        return self._touches.setdefault(found, found)


def _has(emissions: list[Emission], *kinds: type) -> bool:
    return any(isinstance(emission.effect, kinds) for emission in emissions)
