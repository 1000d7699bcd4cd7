"""The wire's side: what the machines order of the provider, its connection and its configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import attrs
from livekit.agents import llm

from rtfsm.language import Effect, Event, Instance
from rtfsm.machines import Conversation, Delivery
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary import local
from rtfsm.vocabulary.wire import Loss

from . import provider as do
from .host import Handler, HostSide

__all__ = ["WireSide"]


KEPT_UPDATES = 16
NOT_RUN = "the tool was not run, or did not answer in time"


def undone(now: Any, before: Any, after: Any) -> Any:
    """What holds now, less what changed from ``before`` to ``after`` and has not changed since; field by field."""
    restored = {}
    for field in attrs.fields(type(now)):
        if field.name in KEPT_AS_THEY_ARE:
            continue
        had, told, has = (getattr(one, field.name) for one in (before, after, now))
        if has == told and had != told:
            restored[field.name] = had
        elif type(has) is type(had) is type(told) and attrs.has(type(has)) and has != had:
            restored[field.name] = undone(has, had, told)
    return attrs.evolve(now, **restored) if restored else now


KEPT_AS_THEY_ARE = ("history", "continued", "resumes", "config")
"""What a configuration carries along and the host did not choose with it."""


class WireSide:
    """Carries out wire effects for one session. settings: what the host wants now. accepted: what was sent last."""

    def __init__(
        self, provider: do.Provider, conversation: Conversation, host: HostSide, sink: do.Sink, options: Any
    ) -> None:
        self._provider = provider
        self._conversation = conversation
        self._host = host
        self._sink = sink
        self.tap: Callable[[str], None] | None = None
        """Shown every frame that is sent."""
        self.settings = do.Settings(options=options)
        self.accepted = self.settings
        self._codec = provider.codec
        self._codec_state = self._codec.initial
        self._transport: do.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._ordered = 0.0
        self._transports: list[do.Transport] = []
        self._until_ready: list[tuple[do.Command, bool]] = []
        """Commands that wait, and whether the history tells the same."""
        self._standing: dict[type[do.Command], do.Command] = {}
        """What holds until it is changed, on every connection."""
        self._told: frozenset[str] = frozenset()
        """Items that the last configuration or reset told of."""
        self._sent: dict[str, tuple[do.Settings, do.Settings]] = {}
        """Our id of an update -> what held before it and what it said, of the last ones."""
        self._updates = 0
        self.cuts: dict[str, int] = {}
        """Message -> the millisecond at which the host wants it cut; until it is."""
        self.handlers: dict[type[Effect], Handler] = {
            order.OpenTransport: self._open_transport,
            order.CloseTransport: self._close_transport,
            order.SendConfig: self._send_config,
            order.SendUpdate: self._send_update,
            order.SendReset: self._send_reset,
            order.RestoreConfig: self._restore_config,
            order.SendReplyRequest: self._send_reply_request,
            order.SendCancel: self._send_cancel,
            order.SendToolOutput: self._send_tool_output,
            order.SendToolError: self._send_tool_error,
            order.TakeBack: self._take_back,
            order.Truncate: self._truncate,
        }

    def decode(self, frame: do.Frame) -> Sequence[Event]:
        """What a frame of the present connection says."""
        self._codec_state, events = self._codec.decode(self._codec_state, frame)
        return events

    def ready(self) -> None:
        """The provider may be told things: what waited goes out."""
        for command in self._standing.values():
            self._send(command)
        waiting, self._until_ready = self._until_ready, []
        for command, _ in waiting:
            self._send(command)

    @property
    def connecting(self) -> float:
        """Seconds since the present connection was ordered."""
        return self._loop.time() - self._ordered

    @property
    def dropped(self) -> int:
        """Chunks of the user's sound that the present connection was too slow for."""
        return 0 if self._transport is None else self._transport.dropped

    async def wait_closed(self) -> None:
        """Return once no connection is left."""
        for transport in self._transports:
            await transport.wait_closed()

    def tell(self, command: do.Command, *, in_history: bool = True) -> bool:
        """Tell the provider, when the machines say; whether it was told now. in_history: a configuration that comes
        before tells it as well."""
        delivery = self._conversation.delivery
        if delivery is Delivery.NOW:
            return self._send(command)
        if delivery is Delivery.LATER:
            self._until_ready.append((command, in_history))
        return False

    def tell_here(self, command: do.Command) -> bool:
        """Tell the provider on this connection, or on the first one, and on no later one; whether that can be."""
        delivery = self._conversation.delivery
        if delivery is Delivery.NOW:
            self._send(command)
        elif delivery is Delivery.AT_START:
            self._until_ready.append((command, False))
        return delivery in (Delivery.NOW, Delivery.AT_START)

    def tell_always(self, command: do.Command, replaces: type[do.Command] | None = None) -> None:
        """Tell the provider now and on every connection to come, in place of an earlier one of ``replaces``."""
        self._standing[replaces or type(command)] = command
        if self._conversation.delivery is Delivery.NOW:
            self._send(command)

    def hear(self, chunk: bytes) -> None:
        """The user's sound, which is told while the conversation runs or never."""
        if self._conversation.delivery is Delivery.NOW:
            self._send(do.InputAudio(chunk))

    def _send(self, command: do.Command) -> bool:
        """Send what the codec makes of a command; whether it makes anything of it."""
        self._codec_state, frames = self._codec.encode(self._codec_state, command)
        self._put(frames, droppable=isinstance(command, do.InputAudio))
        return bool(frames)

    def _put(self, frames: Any, *, droppable: bool = False) -> None:
        if self._transport is not None:
            for frame in frames:
                if self.tap is not None:
                    self.tap(frame)
                self._transport.send(frame, droppable=droppable)

    def meaning(self, outcome: Loss) -> Loss:
        """What a loss means, given what the provider has said: without an id nothing can be gone on with."""
        _, known = self._codec.resumed(self._codec_state)
        return Loss.RETRYABLE if outcome is Loss.RESUMABLE and known is None else outcome

    def _open_transport(self, effect: order.OpenTransport, _: Instance, __: Event) -> None:
        settings = self.settings
        if effect.resume:
            self._codec_state, resumes = self._codec.resumed(self._codec_state)
            settings = attrs.evolve(settings, resumes=resumes)
            self.accepted = attrs.evolve(self.accepted, continued=True)
        else:
            self._codec_state = self._codec.initial
        self._ordered = self._loop.time()
        self._transport = self._provider.connect(settings, self._conversation.epoch, self._sink)
        self._transports = [one for one in self._transports if one.alive]
        self._transports.append(self._transport)

    def _close_transport(self, effect: order.CloseTransport, _: Instance, __: Event) -> None:
        if self._transport is not None:
            self._transport.close(abort=effect.abort)

    def _send_config(self, _: Effect, instance: Instance, __: Event) -> None:
        if self._provider.features.items:
            self._host.context.drop_wordless()
        self._sent.clear()
        self.accepted = attrs.evolve(self._now(), continued=instance.context.ran)
        self._put(self._provider.configure(self.accepted))
        self._configured(anew=False)

    def _now(self) -> do.Settings:
        self._updates += 1
        return attrs.evolve(
            self.settings,
            history=self._host.context.copy(),
            continued=self.accepted.continued,
            config=str(self._updates),
        )

    def _send_update(self, _: Effect, __: Instance, ___: Event) -> None:
        before, self.accepted = self.accepted, self._now()
        self._sent[self.accepted.config] = before, self.accepted
        if len(self._sent) > KEPT_UPDATES:
            del self._sent[next(iter(self._sent))]
        self._put(self._provider.update(before, self.accepted))

    def _send_reset(self, _: Effect, __: Instance, ___: Event) -> None:
        self.accepted = self._now()
        self._put(self._provider.reset(self.accepted))
        self._configured(anew=True)

    def _configured(self, *, anew: bool) -> None:
        self._until_ready = [(command, known) for command, known in self._until_ready if not known]
        history = self.accepted.history
        self._told = frozenset(item.id for item in history.items) if history is not None else frozenset()
        self._codec_state = self._provider.configured(self._codec_state, self.accepted, anew=anew)
        self._take_floor()

    def _take_floor(self) -> None:
        self._conversation.floor = self._provider.floor(self.accepted)

    def _send_cancel(self, _: Effect, instance: Instance, __: Event) -> None:
        self._send(do.Cancel(instance.id))

    def _send_tool_output(self, _: Effect, instance: Instance, event: local.ToolOutputGiven) -> None:
        told = [one for one in self._host.context.items if isinstance(one, llm.FunctionCallOutput)]
        item = next((one.id for one in reversed(told) if one.call_id == instance.id), None)
        self._send(do.ToolOutput(instance.id, event.output, item=item))

    def _send_tool_error(self, _: Effect, instance: Instance, __: Event) -> None:
        failed = llm.FunctionCallOutput(call_id=instance.id, output=NOT_RUN, is_error=True)
        if self._provider.features.items and self._host.context.unanswered(instance.id):
            self._host.context.answered(failed)
        self._send(do.ToolOutput(instance.id, NOT_RUN, is_error=True, item=failed.id))

    def _take_back(self, _: Effect, instance: Instance, event: Event) -> None:
        message = event.message if isinstance(event, local.MessageUnheard) else instance.id
        if self._host.context.remove(message):
            self.tell(do.DeleteItem(message))

    def _truncate(self, _: Effect, instance: Instance, __: Event) -> None:
        self.cut(instance.id)

    def cut(self, message: str) -> None:
        """Cut a message at the moment that the host has named, but not beyond its end."""
        ms, seconds = self.cuts.pop(message, 0), self._host.seconds_of(message)
        if seconds is not None:
            ms = min(ms, int(seconds * 1000))
        if ms > 0:
            self.tell(do.TruncateItem(message, ms))
        elif self._host.context.remove(message):
            self.tell(do.DeleteItem(message))

    def _restore_config(self, _: Effect, __: Instance, event: Event) -> None:
        refused = self._sent.pop(getattr(event, "config", None) or "", None)
        if refused is not None:
            self.settings = undone(self.settings, *refused)
            self.accepted = undone(self.accepted, *refused)
            self._take_floor()

    def _send_reply_request(self, _: Effect, instance: Instance, __: Event) -> None:
        asked = self._host.requests.get(instance.id)
        if asked is None:
            return  # LiveKit has given it up, and the machines are about to hear of it
        command = asked.command
        if isinstance(command, do.Reply) and command.item in self._told:
            command = attrs.evolve(command, user_text=None)  # the history that was sent since has it
        if isinstance(command, do.Reply):
            command = attrs.evolve(command, standing=self.settings.instructions)
        if isinstance(command, do.Say):
            command = attrs.evolve(command, interruptible=self._conversation.floor.say)
        self._send(command)
