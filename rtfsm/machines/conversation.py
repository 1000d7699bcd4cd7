"""The conversation: the machines together, addressed, gated and derived.

Theory. Six machines, each small; what they know of each other goes through the routing table, and through the
fields that this router fills in. The router owns four things, and decides none that a table could:

- the *epoch*: the number of the connection. What another connection brought is dropped;
- the *gate*: content is let in while the conversation runs. Content that overtakes the provider's consent waits for it;
- *addresses*: who an event is for. A wire with ids names the response; on one without, there is at most one live
  generation, and whether an event belongs to it or begins the next one is decided by that generation's own table;
- *attribution*, once, where a generation begins: which request it answers. Where the wire does not say, the oldest
  one is assumed.

Everything else that can be asked (whose turn is it, is anything audible, may this request be sent) is derived from the
states when asked, and stored nowhere: derived.py.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from functools import cache

import attrs

from rtfsm.language import Composition, Driver, Effect, Emission, Event, Instance, Machine, Reason, Step
from rtfsm.vocabulary import local, wire
from rtfsm.vocabulary.effects import OpenTransport, SendReset

from .births import Births
from .capabilities import Capabilities
from .derived import RUNNING
from .floor import Floor
from .generation_context import Lane
from .monitor import Monitor
from .playout import Playout
from .reply import Reply
from .routing import compose
from .session import Session
from .session_context import RETRIES
from .timing import Timing
from .user_turn import UserTurn

__all__ = ["Conversation"]

HELD_EVENTS = 512
"""Content that may wait for the provider's consent; more is dropped, and counted."""
SEEN = 1024
"""Ids of responses, and of user turns with a transcript, that are remembered, so that a repeated frame does not
announce one again."""

OVER = frozenset({Session.ENDING, Session.CLOSING, Session.CLOSED})

TO_SESSION = (
    wire.TransportOpened, wire.ProviderReady, wire.ConfigRejected, wire.TransportLost, wire.GoingAway,
    wire.ConversationEnded, wire.Fault, local.ConfigGiven, local.CloseRequested, local.WindowOver,
)  # fmt: skip
TO_USER = (wire.UserSpeechStarted, wire.UserSpeechStopped, wire.UserTurnCancelled, wire.UserTranscript)
TO_CALL = (wire.ToolCallCancelled, wire.ToolResultTaken, local.ToolOutputGiven)
CONTENT = (wire.TextDelta, wire.AudioDelta, wire.MessageDone)
OF_PLAYOUT = (local.PlayoutStarted, local.PlayoutFinished, local.TruncateAsked, local.MessageRemoved)
OF_GENERATION = (*CONTENT, wire.GenerationCreated, wire.GenerationInterrupted, wire.GenerationDone, wire.ToolCallReady)
GATED = (
    *OF_GENERATION,
    *TO_USER,
    wire.ToolCallCancelled,
    wire.ToolResultTaken,
    wire.ReplyDeclined,
    wire.RequestRejected,
)


_composed = cache(compose)


class Conversation(Births):
    """Runs the machines of one realtime session. Pure: no clock, no socket, no asyncio.

    capabilities: what the provider's protocol can do. Hand events of the wire to :meth:`receive` with the epoch of the
    connection that brought them, events of the host to :meth:`handle`; call :meth:`elapse` at :meth:`next_deadline`;
    each returns the effects to carry out, in order. ``epoch`` grows with each connection ordered. floor: whose voice
    yields to whose; may be set anew with a new configuration, and holds for turns that begin from then on.
    composition: the machines to run in place of those that :func:`compose` makes of the other arguments, under the
    same names and in the same order.
    """

    def __init__(
        self,
        capabilities: Capabilities,
        timing: Timing | None = None,
        *,
        retries: int = RETRIES,
        floor: Floor | None = None,
        monitor: Monitor | None = None,
        composition: Composition | None = None,
    ) -> None:
        composed = composition or _composed(capabilities, timing or Timing(), retries)
        super().__init__(composed, capabilities, floor or Floor())
        self.monitor = monitor or Monitor()
        self.epoch = 0
        self.seen_generations: OrderedDict[str, None] = OrderedDict()
        self.seen_transcripts: OrderedDict[str, None] = OrderedDict()
        self._wire_has_ids = not capabilities.minted
        self._held: deque[Event] = deque()
        self._timing = timing or Timing()
        self._window: float | None = None
        """When the provider forgets the conversation that the session tries to go on with. No timer of a state can tell
        it: the session waits, opens, and waits again meanwhile."""

    # -- the outside -----------------------------------------------------------------------------------------------

    def receive(self, event: Event, epoch: int, now: float) -> list[Emission]:
        """Take one event of the connection with this epoch."""
        if epoch != self.epoch:
            self.drop(Reason.STALE)
            return []
        return self.handle(event, now)

    def start(self, now: float = 0.0) -> list[Emission]:
        return self._judged(None, super().start(now))

    def handle(self, event: Event, now: float) -> list[Emission]:
        emissions = self._judged(event, super().handle(event, now))
        if self._held and any(type(emission.effect) is SendReset for emission in emissions):
            self._drop_held()
        return emissions + self._replayed(now)

    def _drop_held(self) -> None:
        """What waited for the consent is of a conversation that begins anew with it."""
        for _ in self._held:
            self.drop(Reason.STALE)
        self._held.clear()

    def elapse(self, now: float) -> list[Emission]:
        emissions = []
        if self._window is not None and self._window <= now:
            self._window = None  # it is told once, whatever comes of it
            emissions = self.handle(local.WindowOver(), now)
        return emissions + self._judged(None, super().elapse(now)) + self._replayed(now)

    def next_deadline(self) -> float | None:
        deadline = super().next_deadline()
        if self._window is None:
            return deadline
        return self._window if deadline is None else min(deadline, self._window)

    def _replayed(self, now: float) -> list[Emission]:
        """What waited for the provider's consent: let in with it, or dropped with the connection that brought it."""
        emissions: list[Emission] = []
        while self._held and self.session.state is not Session.STARTING:
            held = self._held.popleft()
            emissions += self._judged(held, super().handle(held, now))
        return emissions

    def _judged(self, event: Event | None, emissions: list[Emission]) -> list[Emission]:
        self.epoch += sum(type(emission.effect) is OpenTransport for emission in emissions)
        if not self.resuming:
            self._window = None
        elif self._window is None:
            self._window = self.now + self._timing.resume
        self.monitor.judge(self, event, emissions)
        return emissions

    def lookup(self, event: Event, epoch: int, now: float) -> tuple[Instance, tuple[Effect, ...]] | None:
        """What a content event orders, where that was decided before and nothing has changed since; else None.

        The audio path: no machine is dispatched, no invariant can change its answer. Take None as "hand it to receive".
        """
        if epoch != self.epoch:
            return None
        group = self.live["generation"]
        if not self._wire_has_ids:
            if len(group) != 1:
                return None
            (instance,) = group.values()
        else:
            named = group.get(getattr(event, "generation", None) or "")
            if named is None or getattr(event, "message", None) not in (None, named.part):
                return None
            instance = named
        steady = instance.steady.get(type(event))
        if steady is None:
            return None
        effects, arm = steady
        self.taken["generation", arm.index] += 1
        if arm.reason is not None:
            self.passed[arm.reason] += 1
        if arm.rearm:
            instance.armed_at = now
        if Driver.witness is not None:
            Driver.witness(self, Step(now, instance, event, arm, instance.state, instance.state))
        return instance, effects

    # -- addresses -------------------------------------------------------------------------------------------------

    def is_singleton(self, machine: Machine) -> bool:
        return machine.name in ("session", "user_turn")

    def resolve(self, event: Event) -> Iterable[tuple[Instance, Event]]:
        """Who gets an event. One that this wire was not said to have is dropped, and counted."""
        for instance, addressed in self._address(event):
            if type(addressed) in instance.machine.events:
                yield instance, addressed
            else:
                self.drop(Reason.NO_OP)

    def _address(self, event: Event) -> Iterable[tuple[Instance, Event]]:
        if isinstance(event, GATED) and not self._admitted(event):
            return ()
        if isinstance(event, OF_GENERATION):
            return self._to_generation(event)
        if isinstance(event, TO_SESSION):
            return ((self.session, event),)
        if isinstance(event, TO_USER):
            return self._to_user(event)
        if isinstance(event, TO_CALL):
            return self._to_call(event)
        if isinstance(event, OF_PLAYOUT):
            return self._to_playout(event)
        return self._to_reply(event)

    def _admitted(self, event: Event) -> bool:
        if self.session.state in RUNNING and not self.session.context.gone:
            return True
        if self.session.state is Session.STARTING and len(self._held) < HELD_EVENTS:
            self._held.append(event)
        else:
            self.drop(Reason.STALE)
        return False

    def _to_generation(self, event: Event) -> Iterable[tuple[Instance, Event]]:
        if isinstance(event, wire.ToolCallReady):
            known = self._live(self._call, event.call)
            if known is not None:
                return ((known, event),)
            if event.call in self.seen_calls:
                return self._dropped(Reason.STALE)
        if self.capabilities.minted:
            main = self.main
            return ((main if main is not None else self.begin_generation(event), event),)
        return self._to_named_generation(event)

    def _to_named_generation(self, event: Event) -> Iterable[tuple[Instance, Event]]:
        id: str | None = getattr(event, "generation", None)
        known = self._live(self._generation, id)
        if known is not None:
            return self._to_message(known, event) if isinstance(event, CONTENT) else ((known, event),)
        if isinstance(event, wire.GenerationCreated) and id is not None:
            if id in self.seen_generations:
                return self._dropped(Reason.DUPLICATE)
            self._remember(self.seen_generations, id)
            earlier = [one for one in self.instances(self._generation) if one.context.lane is Lane.MAIN]
            superseded = [(one, local.Superseded()) for one in earlier if event.stored]
            return (*superseded, (self.begin_generation(event), event))
        if isinstance(event, wire.GenerationInterrupted) and id is None:
            main = self.main
            return ((main if main is not None else self.begin_generation(event), event),)
        return self._dropped(Reason.LATE)

    def _to_message(self, generation: Instance, event: Event) -> Iterable[tuple[Instance, Event]]:
        """A message that the wire names: it ends when the next one begins, and what comes after its end is late."""
        message: str | None = getattr(event, "message", None)
        if message is None:
            return ((generation, event),)
        if message in generation.past:
            return self._dropped(Reason.LATE)
        earlier, done = generation.part, isinstance(event, wire.MessageDone)
        if done or (earlier is not None and earlier != message):
            generation.past.add(message if done else str(earlier))
        if done and earlier != message:
            if not self.capabilities.takes_back:
                return self._dropped(Reason.NO_OP)
            return ((generation, local.MessageUnheard(generation.id, message)),)
        if done or earlier is None or earlier == message:
            return ((generation, event),)
        return ((generation, wire.MessageDone(generation.id, earlier)), (generation, event))

    def _to_call(self, event: Event) -> Iterable[tuple[Instance, Event]]:
        id: str = getattr(event, "call", "")
        known = self._live(self._call, id)
        if isinstance(event, local.ToolOutputGiven):
            waits = event.reply is not local.ToolReply.NOT_WANTED and self.session.state not in OVER
            event = attrs.evolve(event, in_vain=waits and not self.expects_answer)
            known = known if known is not None else self.born(self._call, id)
        if known is not None:
            return ((known, event),)
        return self._dropped(Reason.STALE if id in self.seen_calls else Reason.NO_OP)

    def _to_user(self, event: Event) -> Iterable[tuple[Instance, Event]]:
        if isinstance(event, wire.UserSpeechStarted):
            event = attrs.evolve(event, floor_held=self.floor_held)
        elif isinstance(event, wire.UserTranscript) and event.turn is not None:
            if event.turn in self.seen_transcripts:
                return self._dropped(Reason.DUPLICATE)  # what was said once is told once
            self._remember(self.seen_transcripts, event.turn)
        return ((self.user_turn, event),)

    def _to_playout(self, event: Event) -> Iterable[tuple[Instance, Event]]:
        known = self._live(self._playout, getattr(event, "message", None))
        if known is None:
            return self._dropped(Reason.LATE)
        if not isinstance(event, local.PlayoutStarted):
            return ((known, event),)
        earlier = [one for one in self.playouts if one.state is Playout.PLAYING and one is not known]
        return (*((one, local.PlayoutFinished(one.id)) for one in earlier), (known, event))

    def _to_reply(self, event: Event) -> Iterable[tuple[Instance, Event]]:
        if isinstance(event, local.ReplyRequested):
            over = self.session.state in OVER
            return ((self.born(self._reply, event.request), attrs.evolve(event, over=over)),)
        if isinstance(event, local.InterruptRequested):
            everyone = (self._generation, self._reply, self._playout)
            event = attrs.evolve(event, user_has_floor=self._user_has_floor)
            return [(one, event) for machine in everyone for one in self.instances(machine)]
        if isinstance(event, wire.ReplyDeclined):
            oldest = self.awaiting_answer()
            return ((oldest, event),) if oldest is not None else self._dropped(Reason.NO_OP)
        known = self._live(self._reply, getattr(event, "request", None))
        if isinstance(event, local.ReplyAbandoned):
            event = attrs.evolve(event, user_has_floor=self._user_has_floor)
        elif not isinstance(event, wire.RequestRejected):
            return super().resolve(event)  # says that no table knows it
        elif known is not None and known.state not in (Reply.SENT, Reply.DISCARDING):
            return self._dropped(Reason.NO_OP)  # the wire cannot refuse what it was never asked
        return ((known, event),) if known is not None else self._dropped(Reason.LATE)

    @property
    def _user_has_floor(self) -> bool:
        """The user took the floor, so the provider answers the user rather than an earlier request."""
        return self.user_turn.state not in (UserTurn.SILENT, UserTurn.OVERLAPPING)

    @staticmethod
    def _remember(seen: OrderedDict[str, None], id: str) -> None:
        seen[id] = None
        if len(seen) > SEEN:
            seen.popitem(last=False)

    def _dropped(self, reason: Reason) -> Iterable[tuple[Instance, Event]]:
        self.drop(reason)
        return ()
