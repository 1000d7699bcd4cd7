"""Plays any ordering to a conversation and judges it by a memory that knows no table."""

from __future__ import annotations

from collections.abc import Iterable

from rtfsm.language import Composition, Effect, Event
from rtfsm.machines import BargeIn, Capabilities, Floor, Session
from rtfsm.machines.playout import Playout
from rtfsm.vocabulary import local, wire
from rtfsm.vocabulary.effects import (
    CloseMessage,
    CloseTransport,
    FailReply,
    Failure,
    OpenGeneration,
    PushText,
    ReportOutputDropped,
    ResolveReply,
    SendReset,
)

from .cast import Move, PlayedOut, PlayNext, Wait
from .talk import WORLD, Talk

DOWN = (Session.CLOSING, Session.CLOSED)
AT_THE_END = {CloseTransport(abort=True), FailReply(Failure.OVER), ReportOutputDropped()}
"""All that an event may do in a session that is down."""
TAIL = 1.0
"""How long after a turn's end, or its last content, its stragglers are known for what they are."""


class Stage(Talk):
    """A talk whose wire may do what a socket can do: bring frames late, twice, in another order, or not at all.

    What cannot be is left out: no frame comes after the loss of its connection, no request id is used twice, and no
    output is given for a call that was never handed over.

    The memory: words belong to a turn, which they name. Once the host was told that a turn is cut, or the wire closed
    it, words of that turn must not be handed over any more; on a wire without response ids, until a new turn begins or
    the tail is over, or on another connection.
    """

    def __init__(
        self, profile: Capabilities, barge_in: BargeIn = BargeIn.SPEECH, composition: Composition | None = None
    ) -> None:
        super().__init__(profile, floor=Floor(barge_in), composition=composition)
        self.lost = 0
        self.closed_by_host = False
        self.requests: set[str] = set()
        self.dead: dict[str, tuple[float, int]] = {}
        """words -> when they were last known to be over, on which connection"""
        self.given: dict[str, str] = {}
        """words of a turn -> the generation that they were handed to"""

    def play(self, moves: Iterable[Move]) -> None:
        for move in moves:
            if isinstance(move, Wait):
                self.waits(move.seconds)
            elif isinstance(move, (PlayNext, PlayedOut)):
                self.asks(self._playing(move))
            elif isinstance(move, wire.WireEvent):
                self._from_the_wire(move)
            elif self._possible(move):
                self._take(move)

    def _possible(self, event: Event) -> bool:
        if isinstance(event, local.CloseRequested) and self.conversation.session.state not in DOWN:
            self.closed_by_host = True
        if isinstance(event, local.ToolOutputGiven):
            return event.call in self.conversation.monitor.mirror.calls
        if isinstance(event, local.ReplyRequested):
            known, self.requests = event.request in self.requests, self.requests | {event.request}
            return not known
        return True

    def _playing(self, move: Move) -> Event:
        playouts = self.conversation.playouts
        if isinstance(move, PlayedOut):
            return local.PlayoutFinished(playouts[0].id if playouts else "gone")
        waiting = [one.id for one in playouts if one.state is Playout.QUEUED]
        return local.PlayoutStarted(waiting[0] if waiting else "gone")

    def _from_the_wire(self, event: wire.WireEvent) -> None:
        epoch = self.conversation.epoch
        if self.lost == epoch:
            return
        if isinstance(event, wire.TransportLost):
            self.lost = epoch
        self._take(event, epoch)

    def _take(self, event: Event, epoch: int | None = None) -> None:
        conversation, minted = self.conversation, self.conversation.capabilities.minted
        over = conversation.session.state in DOWN
        alive, connection = {one.id for one in conversation.generations}, conversation.epoch
        futures = conversation.monitor.mirror.futures
        ended = isinstance(event, wire.GenerationCreated) and futures.get(event.request or "", False)
        first = len(self.emissions)
        told = self.asks(event) if epoch is None else self.hears(event, epoch=epoch)

        opened = [one for one in told if isinstance(one, OpenGeneration)]
        assert not (over and set(told) - AT_THE_END), f"{type(event).__name__} did something after the close"
        assert not (ended and opened), f"the late answer to an ended request was announced: {event}"
        assert sum(one.user_initiated for one in opened) == told.count(ResolveReply()), f"{event} misattributed: {told}"
        if isinstance(event, wire.TextDelta) and self._is_dead(event.text):
            assert PushText() not in told, f"words of a dead turn were handed over: {event}"
            assert not opened, f"words of a dead turn began another: {event}"
            if self.states[:1] == ["INTERRUPTED"]:
                self.dead[event.text] = (self.now, conversation.epoch)
        for emission in self.emissions[first:]:
            if isinstance(emission.effect, PushText) and isinstance(emission.event, wire.TextDelta):
                self.given[emission.event.text] = emission.instance.id
        if minted and isinstance(event, wire.GenerationCreated):
            self.dead.clear()
        if isinstance(event, wire.GenerationDone) or CloseMessage(cut=True) in told or SendReset() in told:
            self._bury(alive, connection)

    def _is_dead(self, words: str) -> bool:
        """Whether words are known to be of a turn that is over."""
        if words not in self.dead:
            return False
        time, epoch = self.dead[words]
        same = epoch == self.conversation.epoch and self.now - time < TAIL - WORLD
        return same or not self.conversation.capabilities.minted

    def _bury(self, alive: set[str], epoch: int) -> None:
        """What has just ended took its words with it."""
        hosts = self.conversation.monitor.mirror.generations
        for words, generation in self.given.items():
            if generation in alive and hosts[generation].sealed:
                self.dead.setdefault(words, (self.now, epoch))

    def closes(self) -> list[Effect]:
        session, mirror = self.conversation.session, self.conversation.monitor.mirror
        if session.state in DOWN and not self.closed_by_host:
            assert mirror.ends_reported == 1, "the session ended and nobody was told"
        return super().closes()
