"""The wire's side: what the machines order of the provider, its connection and its configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from rtfsm.language import Effect, Event, Instance
from rtfsm.machines import Conversation, Session
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary import local

from . import provider as do
from .host import Handler, HostSide

__all__ = ["WireSide"]


class WireSide:
    """Carries out wire effects for one session. settings: what the host wants now. accepted: what was sent last."""

    def __init__(
        self, provider: do.Provider, conversation: Conversation, host: HostSide, sink: do.Sink, options: Any
    ) -> None:
        self._provider = provider
        self._conversation = conversation
        self._host = host
        self._sink = sink
        self.settings = do.Settings(options=options)
        self.accepted = self.settings
        self._codec = provider.codec
        self._codec_state = self._codec.initial
        self._transport: do.Transport | None = None
        self._transports: list[do.Transport] = []
        self._until_ready: list[do.Command] = []
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
        }

    def decode(self, frame: do.Frame) -> Sequence[Event]:
        """What a frame of the present connection says."""
        self._codec_state, events = self._codec.decode(self._codec_state, frame)
        return events

    def ready(self) -> None:
        """The provider may be told things: what waited goes out."""
        waiting, self._until_ready = self._until_ready, []
        for command in waiting:
            self._send(command)

    @property
    def dropped(self) -> int:
        """Chunks of the user's sound that the present connection was too slow for."""
        return 0 if self._transport is None else self._transport.dropped

    async def wait_closed(self) -> None:
        """Return once no connection is left."""
        for transport in self._transports:
            await transport.wait_closed()

    def tell(self, command: do.Command) -> None:
        """Tell the provider once the conversation runs. What no connection was told is in the next one's history."""
        if self._conversation.runs:
            self._send(command)
        elif not isinstance(command, do.InputAudio) and self._conversation.session.state is Session.STARTING:
            self._until_ready.append(command)

    def _send(self, command: do.Command) -> None:
        self._codec_state, frames = self._codec.encode(self._codec_state, command)
        self._put(frames, droppable=isinstance(command, do.InputAudio))

    def _put(self, frames: Any, *, droppable: bool = False) -> None:
        if self._transport is not None:
            for frame in frames:
                self._transport.send(frame, droppable=droppable)

    def _open_transport(self, _: Effect, __: Instance, ___: Event) -> None:
        self._codec_state = self._codec.initial
        self._until_ready.clear()
        self._transport = self._provider.connect(self.settings, self._conversation.epoch, self._sink)
        self._transports = [one for one in self._transports if one.alive]
        self._transports.append(self._transport)

    def _close_transport(self, effect: order.CloseTransport, _: Instance, __: Event) -> None:
        if self._transport is not None:
            self._transport.close(abort=effect.abort)

    def _send_config(self, _: Effect, instance: Instance, __: Event) -> None:
        self.accepted = attrs.evolve(self._now(), continued=instance.context.ran)
        self._put(self._provider.configure(self.accepted))

    def _now(self) -> do.Settings:
        return attrs.evolve(self.settings, history=self._host.context.copy(), continued=self.accepted.continued)

    def _send_update(self, _: Effect, __: Instance, ___: Event) -> None:
        before, self.accepted = self.accepted, self._now()
        self._put(self._provider.update(before, self.accepted))

    def _send_reset(self, _: Effect, __: Instance, ___: Event) -> None:
        self.accepted = self._now()
        self._put(self._provider.reset(self.accepted))

    def _send_cancel(self, _: Effect, instance: Instance, __: Event) -> None:
        self._send(do.Cancel(instance.id))

    def _send_tool_output(self, _: Effect, instance: Instance, event: local.ToolOutputGiven) -> None:
        self._send(do.ToolOutput(instance.id, event.output))

    def _send_tool_error(self, _: Effect, instance: Instance, __: Event) -> None:
        self._send(do.ToolOutput(instance.id, "the tool was not run, or did not answer in time", is_error=True))

    def _restore_config(self, _: Effect, __: Instance, ___: Event) -> None:
        self.settings = self.accepted

    def _send_reply_request(self, _: Effect, instance: Instance, __: Event) -> None:
        self._send(self._host.requests[instance.id].command)
