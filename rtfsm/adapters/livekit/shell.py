"""The shell: takes events one at a time, and has the machines' orders carried out. It decides nothing.

An event that comes while effects are carried out (LiveKit calls back from inside its handlers) waits until they are
done. An effect that fails is logged and counted, and the next one is carried out.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, Protocol

from livekit.agents import llm

from rtfsm.language import Effect, Event, Instance, Reason
from rtfsm.machines import Conversation, Session
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary import wire

from . import provider as do
from .host import Handler, HostSide
from .items import Items
from .line import WireSide
from .reports import connection_metrics

if TYPE_CHECKING:
    from .session import RealtimeSession

__all__ = ["Shell"]

logger = logging.getLogger("rtfsm")

TIME = Event()
"""Stands in the queue for "a deadline has come": which timers are due is seen when its turn comes."""


class Tap(Protocol):
    """Shown every frame as it is. Raises nothing."""

    def received(self, frame: do.Frame) -> None: ...

    def sent(self, frame: str) -> None: ...


class Shell:
    """One conversation at work: the queue, the timer, and the two sides that effects are carried out on."""

    def __init__(
        self, session: RealtimeSession, provider: do.Provider, conversation: Conversation, options: Any
    ) -> None:
        self._session = session
        self.conversation = conversation
        self._provider = provider
        self.host = HostSide(session, conversation, provider, self.submit)
        self.line = WireSide(provider, conversation, self.host, self, options)
        self.items = Items(self.host.context, self.line, conversation, self.submit)
        self.tap: Tap | None = None
        self.host.secrets = lambda: provider.secrets(self.line.settings)
        self.malformed: Counter[str] = Counter()
        self.failed_effects = 0
        self.closed = asyncio.Event()
        """Set once the session machine is CLOSED."""
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[Event, int | None]] = deque()
        self._running = False
        self._timer: asyncio.TimerHandle | None = None
        self._lifetime: asyncio.TimerHandle | None = None
        self._due = 0.0
        """The deadline that came last, on the loop's clock."""
        self._version = -1
        self._handlers: dict[type[Effect], Handler] = {
            **self.host.handlers,
            **self.line.handlers,
            order.ReportReady: self._report_ready,
            order.OpenTransport: self._open_transport,
        }

    def start(self) -> None:
        """Begin: the machines order the first connection."""
        self._carry_out(self.conversation.start(self._loop.time()))
        self._run()

    def submit(self, event: Event, epoch: int | None = None) -> None:
        """Take an event of the host, or of the connection with this epoch."""
        self._queue.append((event, epoch))
        if not self._running:
            self._run()

    def opened(self, epoch: int) -> None:
        if epoch == self.conversation.epoch:
            self.host.emit("metrics_collected", connection_metrics(self.line.connecting, self._session.realtime_model))
        self.submit(wire.TransportOpened(), epoch)

    def lost(self, epoch: int, outcome: wire.Loss, code: int | None, detail: str) -> None:
        if epoch == self.conversation.epoch:
            self._forget_answers()
        self.submit(wire.TransportLost(self.line.meaning(outcome), code, detail), epoch)

    def received(self, epoch: int, frame: do.Frame) -> None:
        """Take a frame. What changes nothing in any machine (sound in an open message) is looked up, not dispatched."""
        if epoch != self.conversation.epoch:
            self.conversation.drop(Reason.STALE)  # not even decoded: the codec's state belongs to the connection of now
            return
        if self.tap is not None:
            self.tap.received(frame)
        for event in self.line.decode(frame):
            if not self._running and (steady := self.conversation.lookup(event, epoch, self._loop.time())):
                instance, effects = steady
                for effect in effects:
                    self._do(effect, instance, event)
            elif isinstance(event, wire.Remark):
                self._note(event)
            else:
                if self.host.requests:
                    self.host.tell_given_up()
                self.submit(event, epoch)

    def _run(self) -> None:
        self._running = True
        while self._queue:
            event, epoch = self._queue.popleft()
            now = self._loop.time()
            try:
                if event is TIME:
                    emissions = self.conversation.elapse(max(now, self._due))
                elif epoch is None:
                    emissions = self.conversation.handle(event, now)
                else:
                    emissions = self.conversation.receive(event, epoch, now)
            except Exception:  # a defect of ours: nothing of it may reach LiveKit or end the connection
                self.failed_effects += 1
                logger.exception("%s was not taken", type(event).__name__)
            else:
                self._carry_out(emissions)
        self._running = False
        self._settle()

    def _elapse(self) -> None:
        # A loop may call a hair before the time it was asked for; asking it again would only come as early again.
        if self._timer is not None:
            self._due = self._timer.when()
        self._timer = None
        self.submit(TIME)

    def _carry_out(self, emissions: list[Any]) -> None:
        for emission in emissions:
            if type(emission.effect) in self._handlers:  # the others are orders to machines, carried out by the driver
                self._do(emission.effect, emission.instance, emission.event)

    def _do(self, effect: Effect, instance: Instance, event: Event) -> None:
        try:
            self._handlers[type(effect)](effect, instance, event)
        except Exception:
            self.failed_effects += 1
            logger.exception("carrying out %s failed", type(effect).__name__)

    def _settle(self) -> None:
        """Set the timer to the next deadline and tell of a change."""
        deadline = self.conversation.next_deadline()
        if self._timer is not None and (deadline is None or self._timer.when() != deadline):
            self._timer.cancel()
            self._timer = None
        if deadline is not None and self._timer is None:
            self._timer = self._loop.call_at(deadline, self._elapse)
        if self.conversation.version != self._version:
            self._version = self.conversation.version
            if self.conversation.session.state is Session.CLOSED:
                self._end()
            if self._session.has_listeners("turn_changed"):
                self.host.emit("turn_changed", self._session.turn)

    def _end(self) -> None:
        for timer in (self._timer, self._lifetime):
            if timer is not None:
                timer.cancel()
        self._timer = self._lifetime = None
        self.items.lost()
        self.host.end()
        self.closed.set()

    def _note(self, event: wire.Remark) -> None:
        if self.conversation.session.state in (Session.CLOSING, Session.CLOSED):
            return
        if isinstance(event, wire.Malformed):
            self._note_malformed(event)
        elif isinstance(event, wire.Notice):
            self.host.emit(event.name, event.data)
        elif isinstance(event, wire.Interim):
            if event.turn not in self.conversation.seen_transcripts:  # it is behind the whole
                self.host.interim(event)
        elif isinstance(event, wire.Usage):
            self.host.cost(event)
        elif isinstance(event, (wire.ItemAdded, wire.ItemDeleted, wire.ItemRejected)):
            self.items.told(event)

    def _note_malformed(self, event: wire.Malformed) -> None:
        self.malformed[event.what] += 1
        if self.malformed[event.what] == 1:
            logger.warning("the provider sent something that cannot be read (%s); further ones are counted", event.what)

    def _open_transport(self, effect: Effect, instance: Instance, event: Event) -> None:
        self._forget_answers()  # also where the old connection was well, and made room
        self.line.handlers[order.OpenTransport](effect, instance, event)

    def _forget_answers(self) -> None:
        """Nothing that the old connection owes will come."""
        self.items.lost()
        self.host.forget_costs()
        self.host.settle_transcripts()

    def _report_ready(self, _: Effect, __: Instance, ___: Event) -> None:
        self.line.ready()
        self._limit_lifetime()
        self._session.hearing.open()
        if self.line.accepted.continued:
            self.host.emit("session_reconnected", llm.RealtimeSessionReconnectedEvent())

    def _limit_lifetime(self) -> None:
        if self._lifetime is not None:
            self._lifetime.cancel()
        seconds, epoch = self._provider.lifetime(self.line.settings), self.conversation.epoch
        self._lifetime = None
        if seconds is not None:
            self._lifetime = self._loop.call_later(seconds, lambda: self.submit(wire.GoingAway(), epoch))

    async def wait_closed(self) -> None:
        """Return once the session machine is CLOSED and no connection is left."""
        await self.closed.wait()
        await self.line.wait_closed()
