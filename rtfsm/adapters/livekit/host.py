"""The host's side: what the machines order of LiveKit, its streams, its futures, its events."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs
from livekit.agents import llm, utils

from rtfsm.language import Effect, Event, Instance
from rtfsm.machines import Conversation, Lane
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary import local, wire

from . import provider as do
from .context import ContextMirror
from .reports import error_of, failure_of, metrics_of, transcription_metrics
from .streams import HostGeneration, HostMessage
from .waiting import Waiting

if TYPE_CHECKING:
    from .session import RealtimeSession

__all__ = ["Handler", "HostSide", "Request"]

logger = logging.getLogger("rtfsm")

K = TypeVar("K")
V = TypeVar("V")
Handler = Callable[[Any, Instance, Any], None]


MOST_SPENT = 16
KEPT = 64


def _remember(group: dict[K, V], key: K, value: V) -> None:
    """Keep a value for a while: the oldest goes where there are too many."""
    group.pop(key, None)
    group[key] = value
    if len(group) > KEPT:
        del group[next(iter(group))]


@attrs.define
class Request:
    """A reply that LiveKit waits for: its future, and what to ask of the provider."""

    future: asyncio.Future[llm.GenerationCreatedEvent]
    command: do.Command


class HostSide:
    """Carries out host effects for one session. submit: where events go."""

    def __init__(
        self,
        session: RealtimeSession,
        conversation: Conversation,
        provider: do.Provider,
        submit: Callable[[Event], None],
    ) -> None:
        self._session = session
        self._conversation = conversation
        self._features = provider.features
        self._rate = provider.output_rate
        self._submit = submit
        self._loop = asyncio.get_running_loop()
        self.context = ContextMirror()
        self.secrets: Callable[[], Sequence[str]] = tuple
        """What must not be shown in an error."""
        self.transcriber: Callable[[], str | None] = lambda: None
        """Which model writes down what the user says, for its measurements."""
        self.requests: dict[str, Request] = {}
        self._raised: set[str] = set()
        self._generations: dict[str, HostGeneration] = {}
        self._sounding: set[asyncio.TimerHandle] = set()
        self.waiting = Waiting(
            self._announce,
            busy=lambda: bool(self._generations),
            asked=lambda: bool(self.requests),
            over=lambda: session.over,
        )
        self._user_began: dict[str | None, float] = {}
        """User turn -> time.time() at its onset, until its words have come."""
        self._interim: dict[str | None, str] = {}
        """User turn -> its words so far, until all have come."""
        self._held: dict[str, wire.ToolCallReady] = {}
        """Calls that wait for the end of their generation."""
        self._spent: dict[str, HostGeneration] = {}
        """Generations that were cut, and whose cost is still to be told."""
        self._seconds: dict[str, float] = {}
        """Message -> length of its sound, of those that were closed last."""
        self._told_items: dict[str, None] = {}
        self._last_said: str | None = None
        """Item of the message that was closed last, if it had words."""
        self.handlers: dict[type[Effect], Handler] = {
            order.OpenGeneration: self._open_generation,
            order.OpenMessage: self._open_message,
            order.PushText: self._push_text,
            order.PushAudio: self._push_audio,
            order.CloseMessage: self._close_message,
            order.Seal: self._seal,
            order.HoldCall: self._hold_call,
            order.DeliverCall: self._deliver_call,
            order.CorrectContext: self._correct_context,
            order.ResolveReply: self._resolve_reply,
            order.FailReply: self._fail_reply,
            order.ReleaseHost: self._release_host,
            order.SpeechStarted: self._speech_started,
            order.SpeechStopped: self._speech_stopped,
            order.EmitTranscript: self._emit_transcript,
            order.ReportRecoverable: self._report_recoverable,
            order.ReportFatal: self._report_fatal,
            order.ReportEnded: self._report_ended,
            order.ReportCallEnded: self._report_call_ended,
            order.ReportOutputDropped: self._report_output_dropped,
        }

    def emit(self, name: str, *payload: object) -> None:
        """Tell the host. A handler of the application that raises must not leave anything half done."""
        try:
            self._session.emit(cast(Any, name), *payload)
        except Exception as error:
            if name not in self._raised:
                self._raised.add(name)
                logger.exception("a handler of %r raised; further ones are logged without their trace", name)
            else:
                logger.error("a handler of %r raised %s", name, type(error).__name__)

    def end(self) -> None:
        """Wait for no sound any more, nor for what it has cost."""
        self.forget_costs()
        for handle in self._sounding:
            handle.cancel()
        self._sounding.clear()
        self.waiting.end()

    # -- generations -----------------------------------------------------------------------------------------------

    def _open_generation(self, effect: order.OpenGeneration, instance: Instance, event: Event) -> None:
        named = getattr(event, "generation", None)
        host = HostGeneration(instance.id, user_initiated=effect.user_initiated, response=named)
        self._generations[instance.id] = host
        self.waiting.announced(host, asked=effect.user_initiated)
        self._announce(host)

    def _announce(self, host: HostGeneration) -> None:
        self.emit("generation_created", host.event)

    def _open_message(self, _: Effect, instance: Instance, event: Event) -> None:
        host, named = self._generations[instance.id], getattr(event, "message", None)
        # Not the instance's part where the wire has a name: what waited for the consent is taken in at once, and by now
        # a later message may be the open one.
        message = HostMessage(
            named or str(instance.part),
            lambda: self._sound_began(message),
            item=self._item_of(named),
            written=getattr(event, "form", "spoken") == "written",
            timed=self._features.timed,
        )
        host.message, self._last_said = message, None
        host.began = host.began or message.began
        host.messages.send_nowait(message.announced)

    def _item_of(self, message: str | None) -> str | None:
        """The wire's id of a message, as the host's. LiveKit wants each id once; a wire may repeat itself."""
        if message is None or message in self._told_items:
            return None
        _remember(self._told_items, message, None)
        return message

    def seconds_of(self, message: str) -> float | None:
        """Length of the sound of a message that was closed of late, in seconds."""
        return self._seconds.get(message)

    def _push_text(self, _: Effect, instance: Instance, event: wire.TextDelta) -> None:
        message = self._generations[instance.id].message
        assert message is not None
        message.push_text(event.text, event.seconds, event.at)

    def _push_audio(self, _: Effect, instance: Instance, event: wire.AudioDelta) -> None:
        message = self._generations[instance.id].message
        assert message is not None
        message.push_audio(event.audio, self._rate)

    def _close_message(self, effect: order.CloseMessage, instance: Instance, _: Event) -> None:
        host = self._generations[instance.id]
        host.cut = host.cut or effect.cut
        message, host.message = host.message, None
        if message is None:
            return
        self._conversation.monitor.text_closed(message.close())
        _remember(self._seconds, message.item_id, message.seconds)
        self._sound_ends(message)
        # What is said beside the conversation is no part of it; a message without words is none of a context.
        if message.said.strip() and instance.context.lane is Lane.MAIN:
            self.context.assistant_said(message.item_id, message.said, began=message.began, interrupted=effect.cut)
            self._last_said = message.item_id

    def _seal(self, _: Effect, instance: Instance, __: Event) -> None:
        host = self._generations.pop(instance.id)
        host.seal()
        self.waiting.ended(cut=host.cut)
        self._held = {id: call for id, call in self._held.items() if call.generation != instance.id}
        if not self._features.usage:
            self._measure(host)
            return
        _remember(self._spent, host.id, host)
        while len(self._spent) > MOST_SPENT:
            self._measure(self._spent.pop(next(iter(self._spent))))

    def _measure(self, host: HostGeneration, counts: Mapping[str, float] | None = None) -> None:
        self.emit("metrics_collected", metrics_of(host, self._session.realtime_model, counts))

    def cost(self, told: wire.Usage) -> None:
        """What a response, or a transcription, has cost."""
        host = self._spent.pop(told.generation or "", None)
        if host is not None:
            self._measure(host, told.counts)
        elif told.turn is not None and told.counts:
            model = self._session.realtime_model
            self.emit("metrics_collected", transcription_metrics(told.turn, told.counts, model, self.transcriber()))

    def forget_costs(self) -> None:
        """Nobody will tell any more what the responses so far have cost."""
        spent, self._spent = self._spent, {}
        for host in spent.values():
            self._measure(host)

    def _sound_began(self, message: HostMessage) -> None:
        """LiveKit took the first frame: that is the moment at which it begins to play the message."""
        message.started_playing = self._loop.time()
        self.waiting.heard()
        self._submit(local.PlayoutStarted(message.id))
        self._sound_ends(message)

    def _sound_ends(self, message: HostMessage) -> None:
        """A message that gets no more sound is heard once its length has passed since it began."""
        if not message.text.closed:
            return
        if message.written or not message.seconds:
            self._submit(local.PlayoutFinished(message.id))
        elif message.started_playing is not None and self._conversation.awaits_playout(message.id):

            def finished() -> None:
                self._sounding.discard(handle)
                self._submit(local.PlayoutFinished(message.id))

            handle = self._loop.call_at(message.started_playing + message.seconds, finished)
            self._sounding.add(handle)

    def _hold_call(self, _: Effect, __: Instance, event: wire.ToolCallReady) -> None:
        self._held[event.call] = event

    def _deliver_call(self, _: Effect, instance: Instance, event: local.CallDelivered) -> None:
        host = self._generations[str(instance.link)]
        made = self._held.pop(event.call, event)
        call = llm.FunctionCall(call_id=made.call, name=made.name, arguments=made.arguments)
        if (item := self._item_of(made.item)) is not None:
            call.id = item
        self.context.called(call)
        host.functions.send_nowait(call)

    def _correct_context(self, _: Effect, instance: Instance, event: wire.GenerationInterrupted) -> None:
        # Which message is meant, the machines know; that there is one and that its words came is no decision.
        last = self._last_said if self._conversation.was_heard_of_the_last(instance) else None
        if event.heard is not None and last is not None:
            self.context.heard(last, event.heard)

    # -- requests --------------------------------------------------------------------------------------------------

    def request(self, kind: local.ReplyKind, id: str, request: Request) -> None:
        """Ask for speech; the machines decide when, and how the future ends."""

        self.requests[id] = request
        request.future.add_done_callback(lambda _: self.tell_given_up())
        self._submit(local.ReplyRequested(id, kind))

    def tell_given_up(self) -> None:
        """Tell of the requests that LiveKit has cancelled, before anything that came later."""
        for id in [id for id, request in self.requests.items() if request.future.cancelled()]:
            del self.requests[id]
            self._submit(local.ReplyAbandoned(id))

    def _resolve_reply(self, _: Effect, instance: Instance, event: local.Matched) -> None:
        request = self.requests.pop(instance.id, None)  # none where LiveKit has given it up meanwhile
        host = self._generations[event.generation]
        if request is not None and not request.future.done():
            request.future.set_result(host.event)

    def _fail_reply(self, effect: order.FailReply, instance: Instance, event: Event) -> None:
        request = self.requests.pop(instance.id, None)
        if request is not None and not request.future.done():
            request.future.set_exception(failure_of(effect.failure, event))

    def _release_host(self, _: Effect, instance: Instance, event: Event) -> None:
        if isinstance(event, local.Release) and event.reason is local.ReleaseReason.RESET:
            self.waiting.let_go_soon()
        else:
            self.waiting.let_go()

    # -- the user --------------------------------------------------------------------------------------------------

    def _speech_started(self, _: Effect, __: Instance, event: Event) -> None:
        _remember(self._user_began, getattr(event, "turn", None), time.time())
        self.emit("input_speech_started", llm.InputSpeechStartedEvent())

    def _speech_stopped(self, _: Effect, __: Instance, ___: Event) -> None:
        transcribed = self._session.capabilities.user_transcription
        self.emit("input_speech_stopped", llm.InputSpeechStoppedEvent(user_transcription_enabled=transcribed))

    def _emit_transcript(self, _: Effect, __: Instance, event: wire.UserTranscript) -> None:
        self._tell_transcript(event)

    def _tell_transcript(self, event: wire.UserTranscript) -> None:
        self._interim.pop(event.turn, None)
        began = self._user_began.pop(event.turn, None)
        item_id = event.turn or utils.shortuuid("item_")
        self.context.user_said(item_id, event.text, began=began or time.time())
        self.emit(
            "input_audio_transcription_completed",
            llm.InputTranscriptionCompleted(
                item_id=item_id,
                transcript=event.text,
                is_final=True,
                confidence=event.confidence,
                turn_started_at=began,
            ),
        )

    def interim(self, said: wire.Interim) -> None:
        """The user's words so far."""
        _remember(self._interim, said.turn, said.text)
        heard = llm.InputTranscriptionCompleted(item_id=said.turn or "", transcript=said.text, is_final=False)
        self.emit("input_audio_transcription_completed", heard)

    def settle_transcripts(self) -> None:
        """No more words of the user's will come of what was begun: what has come is all."""
        for turn, text in [(turn, text) for turn, text in self._interim.items() if text.strip()]:
            self._tell_transcript(wire.UserTranscript(text, turn))
        self._interim.clear()

    # -- reports ---------------------------------------------------------------------------------------------------

    def _report_recoverable(self, _: Effect, __: Instance, event: Event) -> None:
        self._report(event, recoverable=True)

    def _report_fatal(self, _: Effect, instance: Instance, event: Event) -> None:
        self._report(event, recoverable=False)

    def _report(self, event: Event, *, recoverable: bool) -> None:
        model, secrets = self._session.realtime_model, self.secrets()
        self.emit("error", error_of(event, model, recoverable=recoverable, secrets=secrets))

    def _report_ended(self, _: Effect, __: Instance, event: Event) -> None:
        self.emit("conversation_ended", getattr(event, "code", None))

    def _report_call_ended(self, _: Effect, instance: Instance, __: Event) -> None:
        self.emit("tool_call_ended", instance.id, instance.state.name)

    def _report_output_dropped(self, _: Effect, instance: Instance, __: Event) -> None:
        self.emit("tool_output_dropped", instance.id)
