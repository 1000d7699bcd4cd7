"""What the host and the wire have been told, rebuilt from effects alone.

A table cannot vouch for itself, so the invariants do not ask the machines what they think they did: they ask this
mirror, which knows no table.
"""

from __future__ import annotations

from typing import Any

import attrs

from rtfsm.language import Emission, Event
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary.local import ReplyAbandoned, ReplyRequested
from rtfsm.vocabulary.wire import ToolCallCancelled

__all__ = ["HostGeneration", "Mirror"]

KEPT = 256


def _shorten(group: dict[str, Any], over: list[str]) -> None:
    for id in over[: KEPT // 2]:
        del group[id]


@attrs.define
class HostGeneration:
    """One announced generation: whether its streams have ended, and whether a message of it is open."""

    sealed: bool = False
    message: bool = False


@attrs.define
class Mirror:
    """The host's streams, futures and what it was told; the wire's configuration and calls."""

    generations: dict[str, HostGeneration] = attrs.field(factory=dict)
    open_generations: dict[str, HostGeneration] = attrs.field(factory=dict)
    """Those of them whose streams have not ended."""
    futures: dict[str, bool] = attrs.field(factory=dict)
    """request -> it has ended"""
    pending_futures: dict[str, None] = attrs.field(factory=dict)
    """Those of them that have not."""
    calls: dict[str, str] = attrs.field(factory=dict)
    """call -> open, answered, withdrawn or gone"""
    told_speaking: bool = False
    configs_sent: int = 0
    ready: bool = False
    ends_reported: int = 0

    def host_said(self, event: Event | None) -> None:
        """Take note of what the host asked or gave up, and of what the provider withdrew, before its effects."""
        if isinstance(event, ReplyRequested):
            self.futures[event.request] = False
            self.pending_futures[event.request] = None
        elif isinstance(event, ReplyAbandoned) and event.request in self.futures:
            self.futures[event.request] = True
            self.pending_futures.pop(event.request, None)
        elif isinstance(event, ToolCallCancelled) and event.call in self.calls:
            self.calls[event.call] = "withdrawn"

    def take(self, emission: Emission) -> None:
        """Take note of one effect."""
        effect, id = emission.effect, emission.instance.id
        host = self.generations.get(id)
        if isinstance(effect, order.OpenGeneration):
            host = self.generations.setdefault(id, HostGeneration())
            self.open_generations[id] = host
        elif isinstance(effect, order.OpenMessage) and host is not None:
            host.message = True
        elif isinstance(effect, order.CloseMessage) and host is not None:
            host.message = False
        elif isinstance(effect, order.Seal) and host is not None:
            host.sealed = True
            self.open_generations.pop(id, None)
        elif isinstance(effect, (order.ResolveReply, order.FailReply)):
            self.futures[id] = True
            self.pending_futures.pop(id, None)
        elif isinstance(effect, (order.SpeechStarted, order.SpeechStopped)):
            self.told_speaking = isinstance(effect, order.SpeechStarted)
        elif isinstance(effect, order.DeliverCall):
            self.calls[id] = "open"
        elif isinstance(effect, (order.SendToolOutput, order.SendToolError)):
            self.calls[id] = "answered"
        else:
            self._take_session(effect)
        self._forget()

    def _take_session(self, effect: object) -> None:
        if isinstance(effect, order.OpenTransport):
            # A conversation that goes on has its configuration.
            self.configs_sent, self.ready = int(effect.resume), False
            self._lose_calls()
        elif isinstance(effect, order.SendReset):
            self._lose_calls()
        elif isinstance(effect, order.SendConfig):
            self.configs_sent += 1
        elif isinstance(effect, order.ReportReady):
            self.ready = True
        elif isinstance(effect, (order.ReportFatal, order.ReportEnded)):
            self.ends_reported += 1

    def _lose_calls(self) -> None:
        for call, state in self.calls.items():
            if state == "open":
                self.calls[call] = "gone"

    def _forget(self) -> None:
        """Keep what is over only for a while: a long conversation must not grow."""
        if len(self.generations) > KEPT:
            _shorten(self.generations, [id for id, host in self.generations.items() if host.sealed])
        if len(self.futures) > KEPT:
            _shorten(self.futures, [id for id, ended in self.futures.items() if ended])
        if len(self.calls) > KEPT:
            _shorten(self.calls, [id for id, state in self.calls.items() if state != "open"])
