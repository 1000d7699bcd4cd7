"""How instances of a conversation begin: their ids, what they are told at birth, and whom a generation answers."""

from __future__ import annotations

from collections import OrderedDict

from rtfsm.language import Composition, Event, Instance, Machine
from rtfsm.vocabulary import local, wire

from .capabilities import Capabilities, Match
from .derived import Derived
from .floor import Floor
from .generation_context import Answers, GenerationContext, Lane
from .playout import PlayoutContext
from .reply import Reply
from .user_turn import UserTurn

__all__ = ["Births"]

SEEN_CALLS = 1024
"""Ids of ended calls that are remembered, so that a repeated frame does not run a tool again."""


class Births(Derived):
    """Begins generations, calls and messages for the router."""

    def __init__(self, composition: Composition, capabilities: Capabilities, floor: Floor) -> None:
        super().__init__(composition, capabilities)
        self.floor = floor
        """Whose voice yields to whose. May be set anew; it holds for turns that begin from then on."""
        self.seen_calls: OrderedDict[str, None] = OrderedDict()
        self._minted = 0

    def mint(self, kind: str) -> str:
        """A new id. Never used twice in a session."""
        self._minted += 1
        return f"{kind}-{self._minted}"

    def begin_generation(self, event: Event, *, after: Instance | None = None) -> Instance:
        """A generation that ``event`` may begin, whom it answers, and whether it keeps the floor. after: the one with
        whose turn it goes on."""
        id: str | None = None if self.capabilities.minted else getattr(event, "generation", None)
        stored = not isinstance(event, wire.GenerationCreated) or event.stored
        lane = Lane.MAIN if stored else Lane.OUT_OF_BAND
        if after is not None:
            answers, request, keeps = Answers.EARLIER, None, after.context.keeps_floor
        else:
            answers, request = self._attribute(event)
            keeps = self._keeps_floor(event, request)
        talks = self.capabilities.minted and self.user_turn.state in (UserTurn.OVERLAPPING, UserTurn.SPEAKING)
        context = GenerationContext(answers=answers, lane=lane, keeps_floor=keeps, user_talks=talks)
        return self.born(self._generation, id or self.mint("generation"), context, link=request)

    def _keeps_floor(self, event: Event, request: str | None) -> bool:
        greets = isinstance(event, wire.GenerationCreated) and event.greeting
        answered = self._live(self._reply, request)
        says = answered is not None and answered.context.kind is local.ReplyKind.SAY
        return self.floor.is_kept(greets=greets, says=says)

    def begin_call(self, call: str, generation: str) -> Instance:
        """A call that a generation made."""
        self.seen_calls[call] = None
        if len(self.seen_calls) > SEEN_CALLS:
            self.seen_calls.popitem(last=False)
        return self.born(self._call, call, link=generation)

    def begin_message(self, generation: Instance, event: Event) -> Instance:
        """The playout of a message that a generation opens."""
        generation.part = getattr(event, "message", None) or self.mint("message")
        return self.born(self._playout, generation.part, PlayoutContext(generation.context.keeps_floor))

    def _attribute(self, event: Event) -> tuple[Answers, str | None]:
        created = event if isinstance(event, wire.GenerationCreated) else None
        if created is not None and created.request is not None:
            named = self._live(self._reply, created.request)
            if named is None or named.state is Reply.DISCARDING:
                return Answers.ENDED, created.request
            if named.state is not Reply.SENT:  # the wire cannot answer what it was never asked
                return Answers.NOBODY, None
            return Answers.REQUEST, created.request
        if created is not None and (created.greeting or not created.stored):
            return Answers.NOBODY, None
        oldest = self.awaiting_answer()
        if oldest is None:
            return Answers.NOBODY, None
        answers = {Reply.SENT: Answers.REQUEST, Reply.DISCARDING: Answers.ENDED}
        return answers.get(oldest.state, Answers.NOBODY), oldest.id

    def awaiting_answer(self) -> Instance | None:
        """The oldest reply that an unnamed answer is taken for."""
        states = {Reply.EXPECTED}
        if self.capabilities.match is Match.NEXT:
            states |= {Reply.SENT, Reply.DISCARDING}
        return next((one for one in self.instances(self._reply) if one.state in states), None)

    def _live(self, machine: Machine, id: str | None) -> Instance | None:
        return None if id is None else self.live[machine.name].get(id)
