"""Phonic's model with one defect each, planted where such defects sit: in a table, in the codec, in the LiveKit shell.

Each is of a kind that users of realtime models have reported. All of it is in the planted model's own sessions; the
library beside it is as it is.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from rtfsm.adapters import livekit
from rtfsm.adapters.livekit import provider as do
from rtfsm.adapters.livekit.streams import HostMessage
from rtfsm.adapters.phonic import RealtimeModel, RealtimeSession
from rtfsm.adapters.phonic import session as phonic
from rtfsm.adapters.phonic.codec import CodecState, PhonicCodec
from rtfsm.demo.plants import amended, cell
from rtfsm.language import Arm, Composition, Effect, Event, Instance, stay, to
from rtfsm.machines import Capabilities, Conversation, Reply, Timing, UserTurn, compose
from rtfsm.machines.generation import Generation
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary import local, wire

__all__ = ["PLANTS"]


Change = Callable[[Composition], Composition]


class Session(RealtimeSession):
    """A session with a defect. line, host: the two sides of its shell, for defects of theirs."""

    def __init__(self, model: Planted, provider: Any) -> None:
        options = model._options.copy()
        timing, retries = phonic.timing_of(options), options.conn_options.max_retry
        tables = _composed(type(model).tables, provider.capabilities, timing, retries)
        conversation = Conversation(provider.capabilities, timing, retries=retries, composition=tables)
        livekit.RealtimeSession.__init__(self, model, provider, conversation, options)
        self.line, self.host = self._shell.line, self._shell.host
        model.spoil(self)

    def carries_out(self, effect: type[Effect], handler: Callable[[Any, Instance, Any], None]) -> None:
        """From now on the order is carried out in this way."""
        self._shell._handlers[effect] = handler


@functools.cache
def _composed(change: Change, wire: Capabilities, timing: Timing, retries: int) -> Composition:
    return change(compose(wire, timing, retries))


class Planted(RealtimeModel):
    """tables: what becomes of the machines. spoil: what becomes of a session that was just made."""

    @staticmethod
    def tables(composition: Composition) -> Composition:
        return composition

    def spoil(self, session: Session) -> None:
        pass

    def session(self, *, turn_detection_disabled: bool = False) -> RealtimeSession:
        session = Session(self, phonic.PROVIDER if self._make_provider is None else self._make_provider())
        self._sessions.add(session)
        return session


def _amended(composition: Composition, change: Change) -> Composition:
    return change(composition)


# -- in the tables -----------------------------------------------------------------------------------------------------


class GhostAfterCut(Planted):
    """Words that are still coming when the agent has been cut open another generation, over the user's speech."""

    @staticmethod
    def tables(composition: Composition) -> Composition:
        opens_next = to(Generation.DONE, order.BeginNext(continued=True))
        return _amended(composition, cell("generation", "INTERRUPTED", wire.TextDelta, opens_next))


class UserNeverSilent(Planted):
    """Where the provider takes the user's speech back, the host is not told that it is over."""

    @staticmethod
    def tables(composition: Composition) -> Composition:
        return _amended(composition, cell("user_turn", "SPEAKING", wire.UserTurnCancelled, to(UserTurn.SILENT)))


class ForgottenRequest(Planted):
    """A request that was sent is forgotten with the connection that it was sent on, and its future pends for ever."""

    @staticmethod
    def tables(composition: Composition) -> Composition:
        def change(at: Any, on: type[Any], arm: Arm) -> Arm:
            lost = at is Reply.SENT and on is local.Release and order.FailReply(order.Failure.LOST) in arm.effects
            return attrs.evolve(arm, effects=()) if lost else arm

        return _amended(composition, amended("reply", change))


class OutputOfWithdrawnCall(Planted):
    """The provider withdraws a call while its tool runs, and the output is sent all the same."""

    @staticmethod
    def tables(composition: Composition) -> Composition:
        return _amended(composition, cell("tool_call", "PENDING", wire.ToolCallCancelled, stay()))


# -- in the codec ------------------------------------------------------------------------------------------------------


class Codec(PhonicCodec):
    """A codec whose events are looked through."""

    def __init__(self, change: Callable[[Event], Sequence[Event]]) -> None:
        self._change = change

    def decode(self, state: CodecState, frame: do.Frame) -> tuple[CodecState, Sequence[Event]]:
        state, events = super().decode(state, frame)
        return state, [changed for event in events for changed in self._change(event)]


class LostBlank(Planted):
    """The blank that comes in a chunk of its own is no word, and is dropped: two words become one."""

    def spoil(self, session: Session) -> None:
        class Blankless(PhonicCodec):
            def decode(self, state: CodecState, frame: do.Frame) -> tuple[CodecState, Sequence[Event]]:
                state, events = super().decode(state, frame)
                return attrs.evolve(state, blank=""), events

        session.line._codec = Blankless()


class FirstArguments(Planted):
    """The arguments of a call are kept under the tool's name: the second call of a tool has those of the first."""

    def spoil(self, session: Session) -> None:
        known: dict[str, str] = {}

        def change(event: Event) -> Sequence[Event]:
            if isinstance(event, wire.ToolCallReady):
                event = attrs.evolve(event, arguments=known.setdefault(event.name, event.arguments))
            return (event,)

        session.line._codec = Codec(change)


class FatalComplaint(Planted):
    """Each error that the provider reports counts as the end of the session."""

    def spoil(self, session: Session) -> None:
        session.line._codec = Codec(
            lambda event: (attrs.evolve(event, fatal=True) if isinstance(event, wire.Fault) else event,)
        )


class CutReadAsEnd(Planted):
    """That a response was interrupted is read as its end: what nobody heard of it stays in the history."""

    def spoil(self, session: Session) -> None:
        session.line._codec = Codec(
            lambda event: (wire.GenerationDone() if isinstance(event, wire.GenerationInterrupted) else event,)
        )


# -- in the LiveKit shell ----------------------------------------------------------------------------------------------


class Wordless(HostMessage):
    """A message that ends without the blank that stands for its words where it has none."""

    def close(self) -> int:
        self.text.close()
        self.audio.close()
        return self.chunks


class Behind(HostMessage):
    """A message whose words are handed over one chunk behind, to have the sound that belongs to them."""

    held: tuple[str, float | None, float | None] | None = None

    def push_text(self, text: str, seconds: float | None, at: float | None = None) -> None:
        if self.held is not None:
            super().push_text(*self.held)
        self.held = text, seconds, at

    def close(self) -> int:
        if self.held is not None:
            super().push_text(*self.held)
        return super().close()


def _made_of(kind: type[HostMessage], session: Session) -> None:
    """Have the messages of this session made of another class."""
    opens = session._shell._handlers[order.OpenMessage]

    def opened(effect: Effect, instance: Instance, event: Event) -> None:
        opens(effect, instance, event)
        message = session.host._generations[instance.id].message
        assert message is not None
        message.__class__ = kind

    session.carries_out(order.OpenMessage, opened)


class WordlessClose(Planted):
    """A message with sound and no words is closed without the chunk of text that LiveKit waits for."""

    def spoil(self, session: Session) -> None:
        _made_of(Wordless, session)


class WordsBehind(Planted):
    """Each word waits for the chunk after its own."""

    def spoil(self, session: Session) -> None:
        _made_of(Behind, session)


class RepeatedWordsDropped(Planted):
    """A transcript that equals the one before it is taken for a repetition, and not told."""

    def spoil(self, session: Session) -> None:
        emits = session._shell._handlers[order.EmitTranscript]
        said: list[str] = []

        def emit(effect: Effect, instance: Instance, event: wire.UserTranscript) -> None:
            if said[-1:] != [event.text]:
                emits(effect, instance, event)
            said.append(event.text)

        session.carries_out(order.EmitTranscript, emit)


class TwoDrivers(Planted):
    """The provider answers a tool's output by itself, and is asked to besides."""

    def spoil(self, session: Session) -> None:
        sends = session._shell._handlers[order.SendToolOutput]

        def send(effect: Effect, instance: Instance, event: Event) -> None:
            sends(effect, instance, event)
            session.line._send(do.Reply(instance.id))

        session.carries_out(order.SendToolOutput, send)


class KeyInError(Planted):
    """An error of the provider's is told as it came, with the key that it quotes."""

    def spoil(self, session: Session) -> None:
        session.host.secrets = tuple


class WordsInLog(Planted):
    """What the user said is logged."""

    def spoil(self, session: Session) -> None:
        emits = session._shell._handlers[order.EmitTranscript]

        def emit(effect: Effect, instance: Instance, event: wire.UserTranscript) -> None:
            logging.getLogger("rtfsm").info("heard %r", event.text)
            emits(effect, instance, event)

        session.carries_out(order.EmitTranscript, emit)


PLANTS: dict[type[Planted], str] = {
    GhostAfterCut: "what-was-cut-stays-cut",
    UserNeverSilent: "the-user-falls-silent",
    ForgottenRequest: "the-close-leaves-nothing",
    OutputOfWithdrawnCall: "the-client-keeps-the-protocol",
    LostBlank: "what-is-said-is-heard-whole",
    FirstArguments: "a-call-has-its-arguments",
    FatalComplaint: "only-a-lost-connection-ends-a-session",
    CutReadAsEnd: "the-context-is-what-was-spoken",
    WordlessClose: "a-sounding-message-has-text",
    WordsBehind: "what-is-said-is-heard-whole",
    RepeatedWordsDropped: "the-user-is-told-once",
    TwoDrivers: "asked-once",
    KeyInError: "no-secret-shows",
    WordsInLog: "no-word-shows",
}
"""Every plant, and the law that it breaks."""
