"""Defects to plant, so that anybody can see the demo notice them.

Each one is a change of what really runs: an arm of a declared table, a function of the adapter, or what the scripted
server sends. Nothing is told to the monitor: it has to find out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager as ContextManager
from contextlib import contextmanager, nullcontext
from typing import Any

import attrs

from rtfsm.adapters.livekit.streams import HostMessage
from rtfsm.language import Arm, Composition, Effect, Kind, Machine, TimerElapsed, stay
from rtfsm.testing.phonic_server import messages
from rtfsm.testing.phonic_server.messages import Message
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary import local, wire

from .script import Transform

__all__ = ["PLANTS", "Plant"]

Amend = Callable[[Machine], Machine]


def _as_it_is(composition: Composition) -> Composition:
    return composition


def _untouched() -> Transform:
    return lambda message: [message]


@attrs.frozen
class Plant:
    """name, what: for the help. shows: the invariant, or the expectation, that has to notice it. tables: changes the
    machines. server: makes a transform of what the server sends. code: in force while the demo runs."""

    name: str
    what: str
    shows: str
    tables: Callable[[Composition], Composition] = _as_it_is
    server: Callable[[], Transform] = _untouched
    code: Callable[[], ContextManager[Any]] = nullcontext


# -- tables ------------------------------------------------------------------------------------------------------------


def amended(machine_name: str, change: Callable[[Any, type[Any], Arm], Arm]) -> Callable[[Composition], Composition]:
    """A composition with one machine declared anew, every arm (state, event, arm) passed through ``change``."""

    def compose(composition: Composition) -> Composition:
        (old,) = (machine for machine in composition.machines if machine.name == machine_name)
        table = {
            state: {
                event: tuple(change(state, event, arm) for arm in cell)
                for event, cell in row.items()
                if event is not TimerElapsed or state in old.timers
            }
            for state, row in old.cells.items()
        }
        new = attrs.evolve(old, table=table)

        def swapped(machine: Machine) -> Machine:
            return new if machine is old else machine

        return Composition(
            tuple(map(swapped, composition.machines)),
            tuple(attrs.evolve(route, target=swapped(route.target)) for route in composition.routes),
            tuple(attrs.evolve(standing, target=swapped(standing.target)) for standing in composition.standing),
        )

    return compose


def without_effect(machine: str, effect: type[Effect], state: str = "", event: type[Any] | None = None) -> Any:
    """Arms that order no such effect: in one cell, or everywhere."""

    def change(at: Any, on: type[Any], arm: Arm) -> Arm:
        if state not in ("", at.name) or event not in (None, on):
            return arm
        return attrs.evolve(arm, effects=tuple(one for one in arm.effects if type(one) is not effect))

    return amended(machine, change)


def cell(machine: str, state: str, event: type[Any], decision: Arm) -> Any:
    """A cell that decides otherwise, whatever its guards ask."""
    return amended(
        machine,
        lambda at, on, arm: attrs.evolve(decision, guard=arm.guard) if at.name == state and on is event else arm,
    )


def _late_words(at: Any, on: type[Any], arm: Arm) -> Arm:
    pushes = {wire.TextDelta: order.PushText, wire.AudioDelta: order.PushAudio}
    if at.name == "INTERRUPTED" and on in pushes and arm.kind is Kind.IGNORE:
        return stay(pushes[on], rearm=True)
    return arm


# -- the server and the adapter ----------------------------------------------------------------------------------------


def _withdraws() -> Transform:
    """A call is withdrawn while the tool runs."""

    def transform(message: Message) -> list[Message]:
        if message.get("type") != "tool_call":
            return [message]
        return [message, messages.tool_call_interrupted(str(message["tool_call_id"]), str(message["tool_name"]))]

    return transform


def _says_nothing_after_tool() -> Transform:
    """The server takes the tool's output and falls silent until the caller speaks again."""
    silent = False

    def transform(message: Message) -> list[Message]:
        nonlocal silent
        kind = message.get("type")
        if kind in ("tool_call_output_processed", "user_started_speaking"):
            silent = kind == "tool_call_output_processed"
            return [message]
        return [] if silent else [message]

    return transform


def _deaf() -> Transform:
    """The server answers, and never says that it hears the caller begin."""
    return lambda message: [] if message.get("type") == "user_started_speaking" else [message]


@contextmanager
def _without_blank() -> Iterator[None]:
    def close(self: HostMessage) -> int:
        self.text.close()
        self.audio.close()
        return self.chunks

    original = HostMessage.close
    HostMessage.close = close  # type: ignore[method-assign]  # that is the plant
    try:
        yield
    finally:
        HostMessage.close = original  # type: ignore[method-assign]  # that was the plant


_ALL = (
    Plant(
        "wordless-close",
        "a message without words is closed without the blank that LiveKit waits for",
        "GEN-3",
        code=_without_blank,
    ),
    Plant(
        "late-words",
        "words that arrive after the cut are pushed into the streams that the cut has closed",
        "GEN-2",
        tables=amended("generation", _late_words),
    ),
    Plant(
        "uncut-agent",
        "LiveKit is told that the caller speaks while the agent's streams stay open",
        "GEN-6",
        tables=without_effect("user_turn", order.CutAgent),
    ),
    Plant(
        "open-streams",
        "a generation ends, and its streams do not",
        "S-1",
        tables=without_effect("generation", order.Seal),
    ),
    Plant(
        "speech-twice",
        "a repeated start of the caller's speech is told again",
        "USER-1",
        tables=cell("user_turn", "SPEAKING", wire.UserSpeechStarted, stay(order.SpeechStarted)),
    ),
    Plant(
        "forgotten-stop",
        "LiveKit is not told that the caller has stopped",
        "S-5",
        tables=without_effect("user_turn", order.SpeechStopped, "SPEAKING", wire.UserSpeechStopped),
    ),
    Plant(
        "output-after-withdrawal",
        "the provider withdraws the call, and the tool's output is sent all the same",
        "TOOL-2",
        tables=cell("tool_call", "PENDING", wire.ToolCallCancelled, stay()),
        server=_withdraws,
    ),
    Plant(
        "forgotten-future",
        "the answer to a request arrives, and its future stays pending",
        "S-2",
        tables=without_effect("reply", order.ResolveReply, "SENT", local.Matched),
    ),
    Plant(
        "silent-tool",
        "the server takes the tool's output and never speaks it",
        "its result is spoken",
        server=_says_nothing_after_tool,
    ),
    Plant(
        "deaf-server",
        "the server does not notice that the caller barges in",
        "the caller cuts the agent short",
        server=_deaf,
    ),
)

PLANTS = {plant.name: plant for plant in _ALL}
"""Every defect by name."""
