"""A conversation on a stage: the tests play its provider, its host and its clock."""

from __future__ import annotations

from rtfsm.language import Composition, Effect, Emission, Event, Instance
from rtfsm.machines import BargeIn, Capabilities, Conversation, Floor, Session, Timing
from rtfsm.vocabulary.effects import CloseMessage, OpenMessage, PushText, RoutedEffect
from rtfsm.vocabulary.local import CloseRequested, ConfigGiven
from rtfsm.vocabulary.wire import ProviderReady, TextDelta, TransportOpened

WORLD = 1e-9
"""Clocks are sums of floats; a deadline this close is reached."""


class Talk:
    """Drives a conversation and answers with the effects that leave it, in order; those between machines are left out.

    After every event it demands that no invariant is violated and that no machine refused.
    """

    def __init__(
        self,
        capabilities: Capabilities,
        *,
        timing: Timing | None = None,
        retries: int = 3,
        floor: Floor | None = None,
        composition: Composition | None = None,
    ) -> None:
        self.conversation = Conversation(capabilities, timing, retries=retries, floor=floor, composition=composition)
        self.now = 0.0
        self.emissions: list[Emission] = []
        self.words: dict[str, str] = {}
        """generation -> what the host was given to say"""
        self.messages: list[str] = []
        """Every message that was announced."""
        self.first = self._took(self.conversation.start(self.now))

    def hears(self, *events: Event, epoch: int | None = None) -> list[Effect]:
        """The wire brings events; epoch: of the connection that does, the present one by default."""
        conversation = self.conversation
        return [
            effect
            for event in events
            for effect in self._took(
                conversation.receive(event, conversation.epoch if epoch is None else epoch, self.now)
            )
        ]

    def asks(self, *events: Event) -> list[Effect]:
        """The host, or our own shell, says something."""
        return [effect for event in events for effect in self._took(self.conversation.handle(event, self.now))]

    def waits(self, seconds: float) -> list[Effect]:
        """Time passes; every timer runs out when it is due."""
        until, told = self.now + seconds, list[Effect]()
        while (due := self.conversation.next_deadline()) is not None and due <= until + WORLD:
            self.now = max(self.now, due)
            told += self._took(self.conversation.elapse(self.now))
        self.now = until
        return told

    def closes(self) -> list[Effect]:
        """The host closes, nobody answers, and nothing is left."""
        told = self.asks(CloseRequested()) + self.waits(2.0)
        assert self.conversation.session.state is Session.CLOSED
        assert self.conversation.live_objects == 0
        assert not self.conversation.monitor.mirror.open_generations
        assert not self.conversation.monitor.mirror.pending_futures
        return told

    @property
    def generation(self) -> Instance:
        """The one live generation."""
        (only,) = self.conversation.generations
        return only

    @property
    def states(self) -> list[str]:
        """Names of the states of the live generations, replies and calls."""
        conversation = self.conversation
        return [one.state.name for one in (*conversation.generations, *conversation.replies, *conversation.calls)]

    def _took(self, emissions: list[Emission]) -> list[Effect]:
        self.emissions += emissions
        for emission in emissions:
            if isinstance(emission.effect, PushText) and isinstance(emission.event, TextDelta):
                id = emission.instance.id
                self.words[id] = self.words.get(id, "") + emission.event.text
            elif isinstance(emission.effect, OpenMessage):
                self.messages.append(str(emission.instance.part))
            elif isinstance(emission.effect, CloseMessage):
                self.conversation.monitor.text_closed(1)  # whoever runs streams adds a chunk where there was none
        assert self.conversation.monitor.violations == []
        assert self.conversation.refused == 0
        return [emission.effect for emission in emissions if not isinstance(emission.effect, RoutedEffect)]


def ready(
    capabilities: Capabilities, *, barge_in: BargeIn = BargeIn.SPEECH, floor: Floor | None = None, retries: int = 3
) -> Talk:
    """A conversation that runs: configured, connected, accepted."""
    talk = Talk(capabilities, floor=floor or Floor(barge_in), retries=retries)
    talk.asks(ConfigGiven())
    talk.hears(TransportOpened(), ProviderReady())
    assert talk.conversation.session.state is Session.READY
    return talk
