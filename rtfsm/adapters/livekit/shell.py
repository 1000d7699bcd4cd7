"""The shell: carries out what the machines order, against LiveKit and the wire. It decides nothing.

One event at a time: an event that comes while effects are carried out (LiveKit calls back from inside its handlers)
waits until they are done. An effect that fails is logged and counted, and the next one is carried out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import attrs
from livekit import rtc
from livekit.agents import llm, utils

from rtfsm.language import Effect, Event, Instance, Reason
from rtfsm.machines import Conversation, Session
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary import local, wire

from . import provider as do
from .context import ContextMirror
from .reports import error_of, failure_of, metrics_of
from .streams import HostGeneration, HostMessage

if TYPE_CHECKING:
    from .session import RealtimeSession

__all__ = ["Request", "Shell"]

logger = logging.getLogger("rtfsm")

Handler = Callable[[Any, Instance, Any], None]


TIME = Event()
"""Stands in the queue for "a deadline has come": which timers are due is seen when its turn comes."""


@attrs.define
class Request:
    """A reply that LiveKit waits for: its future, and what to ask of the provider."""

    future: asyncio.Future[llm.GenerationCreatedEvent]
    command: do.Command


class Shell:
    """One conversation at work. Everything here is data of the effects: streams, futures, configuration, timers."""

    def __init__(
        self, session: RealtimeSession, provider: do.Provider, conversation: Conversation, options: Any
    ) -> None:
        self._session = session
        self._provider = provider
        self.conversation = conversation
        self.context = ContextMirror()
        self.settings = do.Settings(options=options)
        self.malformed: Counter[str] = Counter()
        self.failed_effects = 0
        self.closed = asyncio.Event()
        """Set once the session machine is CLOSED."""
        self.transport: do.Transport | None = None
        self._transports: list[do.Transport] = []
        self._loop = asyncio.get_running_loop()
        self._codec = provider.codec
        self._codec_state = self._codec.initial
        self._accepted = do.Settings()
        self._generations: dict[str, HostGeneration] = {}
        self._requests: dict[str, Request] = {}
        self._until_ready: list[do.Command] = []
        self._queue: deque[tuple[Event, int | None]] = deque()
        self._running = False
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        """The deadline that came last, on the loop's clock."""
        self._sounding: set[asyncio.TimerHandle] = set()
        self._user_began: float | None = None
        self._last_said: str | None = None
        """Item of the message that was closed last, if it had words."""
        self.reset_due = False
        """What was said before was replaced after the configuration had gone out, and no update can tell that."""
        self._has_run = False
        """The provider was ready once, so what follows a loss goes on with a conversation."""
        self._version = -1
        self._handlers: dict[type[Effect], Handler] = {
            order.OpenGeneration: self._open_generation,
            order.OpenMessage: self._open_message,
            order.PushText: self._push_text,
            order.PushAudio: self._push_audio,
            order.CloseMessage: self._close_message,
            order.Seal: self._seal,
            order.DeliverCall: self._deliver_call,
            order.CorrectContext: self._correct_context,
            order.ResolveReply: self._resolve_reply,
            order.FailReply: self._fail_reply,
            order.ReleaseHost: self._release_host,
            order.SpeechStarted: self._speech_started,
            order.SpeechStopped: self._speech_stopped,
            order.EmitTranscript: self._emit_transcript,
            order.ReportReady: self._report_ready,
            order.ReportRecoverable: self._report_recoverable,
            order.ReportFatal: self._report_fatal,
            order.ReportEnded: self._report_ended,
            order.ReportCallEnded: self._report_call_ended,
            order.RestoreConfig: self._restore_config,
            order.OpenTransport: self._open_transport,
            order.CloseTransport: self._close_transport,
            order.SendConfig: self._send_config,
            order.SendUpdate: self._send_update,
            order.SendReset: self._send_reset,
            order.SendReplyRequest: self._send_reply_request,
            order.SendCancel: self._send_cancel,
            order.SendToolOutput: self._send_tool_output,
            order.SendToolError: self._send_tool_error,
        }

    # -- events in -------------------------------------------------------------------------------------------------

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
        self.submit(wire.TransportOpened(), epoch)

    def lost(self, epoch: int, outcome: wire.Loss, code: int | None, detail: str) -> None:
        self.submit(wire.TransportLost(outcome, code, detail), epoch)

    def received(self, epoch: int, frame: do.Frame) -> None:
        """Take a frame. What changes nothing in any machine (sound in an open message) is looked up, not dispatched."""
        if epoch != self.conversation.epoch:
            self.conversation.drop(Reason.STALE)  # not even decoded: the codec's state belongs to the connection of now
            return
        self._codec_state, events = self._codec.decode(self._codec_state, frame)
        for event in events:
            if not self._running and (steady := self.conversation.lookup(event, epoch, self._loop.time())):
                instance, effects = steady
                for effect in effects:
                    self._handlers[type(effect)](effect, instance, event)
            elif isinstance(event, (wire.Notice, wire.Malformed)):
                self._note(event)
            else:
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
            handler = self._handlers.get(type(emission.effect))
            if handler is None:
                continue  # an order to other machines, carried out by the driver
            try:
                handler(emission.effect, emission.instance, emission.event)
            except Exception:
                self.failed_effects += 1
                logger.exception("carrying out %s failed", type(emission.effect).__name__)

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
            self._emit("turn_changed", self._session.turn)

    def _end(self) -> None:
        for handle in (self._timer, *self._sounding):
            if handle is not None:
                handle.cancel()
        self._timer = None
        self._sounding.clear()
        self.closed.set()

    def _emit(self, name: str, *payload: object) -> None:
        """Tell the host. A handler of the application that raises must not leave anything half done."""
        try:
            self._session.emit(cast(Any, name), *payload)
        except Exception:
            logger.exception("a handler of %r raised", name)

    def _note(self, event: wire.Notice | wire.Malformed) -> None:
        if self.conversation.session.state in (Session.CLOSING, Session.CLOSED):
            return
        if isinstance(event, wire.Notice):
            self._emit(event.name, event.data)
            return
        self.malformed[event.what] += 1
        if self.malformed[event.what] == 1:
            logger.warning("the provider sent something that cannot be read (%s); further ones are counted", event.what)

    # -- generations -----------------------------------------------------------------------------------------------

    def _open_generation(self, effect: order.OpenGeneration, instance: Instance, _: Event) -> None:
        host = HostGeneration(instance.id, user_initiated=effect.user_initiated)
        self._generations[instance.id] = host
        self._emit("generation_created", host.event)

    def _open_message(self, _: Effect, instance: Instance, __: Event) -> None:
        host, id = self._generations[instance.id], str(instance.part)
        message = HostMessage(id, lambda: self._sound_began(message))
        host.message, self._last_said = message, None
        host.began = host.began or message.began
        host.messages.send_nowait(message.announced)

    def _push_text(self, _: Effect, instance: Instance, event: wire.TextDelta) -> None:
        message = self._generations[instance.id].message
        assert message is not None
        message.push_text(event.text, event.seconds)

    def _push_audio(self, _: Effect, instance: Instance, event: wire.AudioDelta) -> None:
        message = self._generations[instance.id].message
        assert message is not None
        samples = len(event.audio) // 2
        rate = self._provider.output_rate
        message.audio.send_nowait(rtc.AudioFrame(event.audio, rate, 1, samples))
        message.seconds += samples / rate

    def _close_message(self, effect: order.CloseMessage, instance: Instance, _: Event) -> None:
        host = self._generations[instance.id]
        host.cut = host.cut or effect.cut
        message, host.message = host.message, None
        if message is None:
            return
        self.conversation.monitor.text_closed(message.close())
        self._sound_ends(message)
        if message.said.strip():
            self.context.assistant_said(message.item_id, message.said, began=message.began, interrupted=effect.cut)
            self._last_said = message.item_id

    def _seal(self, _: Effect, instance: Instance, __: Event) -> None:
        host = self._generations.pop(instance.id)
        host.seal()
        self._emit("metrics_collected", metrics_of(host, self._session.realtime_model))

    def _sound_began(self, message: HostMessage) -> None:
        """LiveKit took the first frame: that is the moment at which it begins to play the message."""
        message.started_playing = self._loop.time()
        self.submit(local.PlayoutStarted(message.id))
        self._sound_ends(message)

    def _sound_ends(self, message: HostMessage) -> None:
        """A message that gets no more sound is heard once its length has passed since it began."""
        if not message.audio.closed:
            return
        if not message.seconds:
            self.submit(local.PlayoutFinished(message.id))
        elif message.started_playing is not None:

            def finished() -> None:
                self._sounding.discard(handle)
                self.submit(local.PlayoutFinished(message.id))

            handle = self._loop.call_at(message.started_playing + message.seconds, finished)
            self._sounding.add(handle)

    def _deliver_call(self, _: Effect, instance: Instance, event: local.CallDelivered) -> None:
        host = self._generations[str(instance.link)]
        call = llm.FunctionCall(call_id=event.call, name=event.name, arguments=event.arguments)
        self.context.called(call)
        host.functions.send_nowait(call)

    def _correct_context(self, _: Effect, instance: Instance, event: wire.GenerationInterrupted) -> None:
        said_nothing = instance.context.opened and not instance.context.spoken
        if event.heard is not None and self._last_said is not None and not said_nothing:
            self.context.heard(self._last_said, event.heard)

    # -- requests --------------------------------------------------------------------------------------------------

    def request(self, kind: local.ReplyKind, id: str, request: Request) -> None:
        """Ask for speech; the machines decide when, and how the future ends."""

        def ended(future: asyncio.Future[Any]) -> None:
            if future.cancelled():
                self.submit(local.ReplyAbandoned(id))
                self._requests.pop(id, None)

        self._requests[id] = request
        request.future.add_done_callback(ended)
        self.submit(local.ReplyRequested(id, kind))

    def _resolve_reply(self, _: Effect, instance: Instance, event: local.Matched) -> None:
        request = self._requests.pop(instance.id)
        host = self._generations[event.generation]
        if not request.future.done():
            request.future.set_result(host.event)

    def _fail_reply(self, effect: order.FailReply, instance: Instance, event: Event) -> None:
        request = self._requests.pop(instance.id)
        if not request.future.done():
            request.future.set_exception(failure_of(effect.failure, event))

    def _release_host(self, _: Effect, instance: Instance, __: Event) -> None:
        empty = HostGeneration(f"empty-{instance.id}", user_initiated=False)
        empty.seal()
        self._emit("generation_created", empty.event)

    def _send_reply_request(self, _: Effect, instance: Instance, __: Event) -> None:
        self._send(self._requests[instance.id].command)

    # -- the user --------------------------------------------------------------------------------------------------

    def _speech_started(self, _: Effect, __: Instance, ___: Event) -> None:
        self._user_began = time.time()
        self._emit("input_speech_started", llm.InputSpeechStartedEvent())

    def _speech_stopped(self, _: Effect, __: Instance, ___: Event) -> None:
        self._emit("input_speech_stopped", llm.InputSpeechStoppedEvent(user_transcription_enabled=True))

    def _emit_transcript(self, _: Effect, __: Instance, event: wire.UserTranscript) -> None:
        began, self._user_began = self._user_began, None
        if not event.text.strip():
            return  # an empty final would add an empty user message to the host's history
        item_id = utils.shortuuid("item_")
        self.context.user_said(item_id, event.text, began=began or time.time())
        self._emit(
            "input_audio_transcription_completed",
            llm.InputTranscriptionCompleted(
                item_id=item_id, transcript=event.text, is_final=True, turn_started_at=began
            ),
        )

    # -- reports ---------------------------------------------------------------------------------------------------

    def _report_ready(self, _: Effect, __: Instance, ___: Event) -> None:
        waiting, self._until_ready = self._until_ready, []
        for command in waiting:
            self._send(command)
        self._session.microphone_open()
        again, self._has_run = self._has_run, True
        if again:
            self._emit("session_reconnected", llm.RealtimeSessionReconnectedEvent())

    def _report_recoverable(self, _: Effect, __: Instance, event: Event) -> None:
        self._emit("error", error_of(event, self._session.realtime_model, recoverable=True))

    def _report_fatal(self, _: Effect, instance: Instance, event: Event) -> None:
        self._emit("error", error_of(event, self._session.realtime_model, recoverable=False))

    def _report_ended(self, _: Effect, __: Instance, event: Event) -> None:
        self._emit("conversation_ended", getattr(event, "code", None))

    def _report_call_ended(self, _: Effect, instance: Instance, __: Event) -> None:
        self._emit("tool_call_ended", instance.id, instance.state.name)

    def _restore_config(self, _: Effect, __: Instance, ___: Event) -> None:
        self.settings = self._accepted

    # -- the wire --------------------------------------------------------------------------------------------------

    def tell(self, command: do.Command) -> None:
        """Tell the provider once the conversation runs. What no connection was told is in the next one's history."""
        if self.conversation.runs:
            self._send(command)
        elif not isinstance(command, do.InputAudio) and self.conversation.session.state is Session.STARTING:
            self._until_ready.append(command)

    def _send(self, command: do.Command) -> None:
        self._codec_state, frames = self._codec.encode(self._codec_state, command)
        self._put(frames, droppable=isinstance(command, do.InputAudio))

    def _put(self, frames: Any, *, droppable: bool = False) -> None:
        if self.transport is not None:
            for frame in frames:
                self.transport.send(frame, droppable=droppable)

    def _open_transport(self, _: Effect, __: Instance, ___: Event) -> None:
        self._codec_state = self._codec.initial
        self.reset_due = False
        self._until_ready.clear()
        self.transport = self._provider.connect(self.settings, self.conversation.epoch, self)
        self._transports = [one for one in self._transports if one.alive]
        self._transports.append(self.transport)

    def _close_transport(self, effect: order.CloseTransport, _: Instance, __: Event) -> None:
        if self.transport is not None:
            self.transport.close(abort=effect.abort)

    def _send_config(self, _: Effect, __: Instance, ___: Event) -> None:
        self._accepted = self._now()
        self._put(self._provider.configure(self._accepted, again=self._has_run))

    def _now(self) -> do.Settings:
        return attrs.evolve(self.settings, history=self.context.copy())

    def _send_update(self, _: Effect, __: Instance, ___: Event) -> None:
        before, self._accepted = self._accepted, self._now()
        due, self.reset_due = self.reset_due, False
        self._put(self._provider.reset(self._accepted) if due else self._provider.update(before, self._accepted))

    def _send_reset(self, _: Effect, __: Instance, ___: Event) -> None:
        self._accepted = self._now()
        self._put(self._provider.reset(self._accepted))

    def _send_cancel(self, _: Effect, instance: Instance, __: Event) -> None:
        self._send(do.Cancel(instance.id))

    def _send_tool_output(self, _: Effect, instance: Instance, event: local.ToolOutputGiven) -> None:
        self._send(do.ToolOutput(instance.id, event.output))

    def _send_tool_error(self, _: Effect, instance: Instance, __: Event) -> None:
        self._send(do.ToolOutput(instance.id, "the tool was not run, or did not answer in time", is_error=True))

    async def wait_closed(self) -> None:
        """Return once the session machine is CLOSED and no connection is left."""
        await self.closed.wait()
        for transport in self._transports:
            await transport.wait_closed()
