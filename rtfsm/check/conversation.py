"""The conversation as something to search: the real router and routes, in every state, under everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rtfsm.language import Driver, Emission
from rtfsm.machines import Capabilities, Session, UserTurn

from .environment import Bounds, Memory, Move, judge, moves, remember
from .search import Step
from .world import State, World

__all__ = ["ConversationModel", "Place"]

Place = tuple[State, Memory]
"""The state of the machines with what the mirror knows, and the environment's memory."""


class ConversationModel:
    """All that can happen to a conversation over a wire, within bounds. world: another one to search, such as one with
    a planted defect.
    """

    def __init__(self, capabilities: Capabilities, bounds: Bounds | None = None, *, world: World | None = None) -> None:
        self.bounds = bounds or Bounds()
        self.world = world or World(capabilities, merged=True)
        self.alive = 0
        """The largest number of live instances seen."""
        responses = 1 if capabilities.minted else self.bounds.generations
        self.most = self.bounds.calls + self.bounds.requests + responses + 1
        """How many may be alive: what the bounds let begin, and one reply that is expected unasked."""
        self.sound: set[tuple[State, int, int]] = set()
        """States that violate nothing, with how many generations and futures are open at the host."""
        self.emissions: list[Emission] = []
        """What the last step ordered."""
        self._first: Place | None = None

    @property
    def driver(self) -> Driver:
        return self.world

    def first(self) -> Place:
        if self._first is None:
            self.world.start(0.0)
            self._first = self.world.freeze()[0], Memory()
        return self._first

    def steps(self, place: Place) -> Iterator[Step[Place]]:
        state, memory = place
        self.world.thaw(state)
        for move in list(moves(self.world, memory, self.bounds)):
            if self.world.touched:
                self.world.thaw(state)
            wrong, target = self._make(place, move)
            yield Step(move.label, target, move.timer is not None, wrong)

    def rests(self, place: Place) -> bool:
        world = self.world
        world.thaw(place[0])
        at_rest = world.session.state in (Session.READY, Session.CLOSED)
        silent = world.user_turn.state is UserTurn.SILENT
        return at_rest and silent and not (world.generations or world.replies or world.calls)

    def _make(self, place: Place, move: Move) -> tuple[str | None, Place]:
        world, timed = self.world, ""
        state, memory = place
        if move.timer is not None:
            machine, id = move.timer
            timed = world.live[machine][id].state.name if machine == "generation" else ""
            emissions = world.run_out(machine, id)
        else:
            assert move.event is not None
            emissions = world.handle(move.event, 0.0)
        self.emissions = emissions
        wrong = judge(world, move, memory, emissions)
        if world.refused:
            wrong = "REFUSED: a cell was reached that only a defect can reach"
        if not world.touched:
            places = {f"g{place}": place for place in range(len(state[2]))}
            return wrong, (state, remember(world, memory, move, emissions, places, timed))
        state, places = world.freeze()
        mirror = world.monitor.mirror
        # What the mirror knows of instances that are gone is no part of the state, and must be as good as forgotten.
        judged = state, len(mirror.open_generations), len(mirror.pending_futures)
        if judged not in self.sound:
            world.monitor.judge_states(world)
        alive = len(state[2]) + len(state[3]) + len(state[4])
        self.alive = max(self.alive, alive)
        if alive > self.most:
            wrong = f"BOUND: {alive} instances are alive at once where at most {self.most} have a reason to be"
        if world.monitor.violations:
            violation = world.monitor.violations[0]
            wrong = f"{violation.invariant}: {violation.detail}"
        else:
            self.sound.add(judged)
        return wrong, (state, remember(world, memory, move, emissions, places, timed))

    def describe(self, place: Place) -> str:
        """The states of all live instances, for people."""
        self.world.thaw(place[0])
        shown = [f"session {self.world.session.state.name}", f"user {self.world.user_turn.state.name}"]
        live: list[Any] = [*self.world.generations, *self.world.replies, *self.world.calls]
        return ", ".join([*shown, *(f"{one.id} {one.state.name}" for one in live)])
