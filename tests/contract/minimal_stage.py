"""The provider's end of the minimal session."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from livekit.agents import llm

from rtfsm.testing.contract import Stage
from tests.contract.minimal import CAPABILITIES, MinimalModel, MinimalSession
from tests.contract.minimal_parts import Wire

__all__ = ["PROFILES", "minimal"]

PROFILES = (
    CAPABILITIES,
    dataclasses.replace(CAPABILITIES, turn_detection=False, auto_tool_reply_generation=False),
)
"""Capabilities under which, together, every probe applies."""


def minimal(
    session_class: type[MinimalSession] = MinimalSession, capabilities: llm.RealtimeCapabilities = CAPABILITIES
) -> Callable[[], AbstractAsyncContextManager[Stage]]:
    """Opens stages for sessions of this class."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Stage]:
        yield MinimalStage(MinimalModel(session_class, capabilities))

    return opened


class MinimalStage:
    def __init__(self, model: MinimalModel) -> None:
        self._model = model
        self._heard = ""

    @property
    def model(self) -> llm.RealtimeModel:
        return self._model

    @property
    def wire(self) -> Wire:
        return self._model.wire

    def keeps_silent(self) -> None:
        self.wire.mode = "silent"

    def speaks_first(self) -> None:
        self.wire.mode = "first"

    async def is_ready(self) -> None:
        for _ in range(6000):
            if self.wire.ready:
                return
            await asyncio.sleep(0.01)
        raise TimeoutError("the session was not configured")

    async def agent_starts(self, *, asked: bool = False) -> None:
        self.wire.deliver("started", asked=asked)

    async def agent_says(self, text: str, ms: int = 200) -> None:
        self.wire.deliver("words", text=text, ms=ms)

    async def agent_sounds(self, ms: int) -> None:
        self.wire.deliver("sound", ms=ms)

    async def agent_starts_message(self) -> None:
        self.wire.deliver("message_started")

    async def agent_finishes(self) -> None:
        self.wire.deliver("finished")

    async def agent_declines(self) -> None:
        self.wire.deliver("declined")

    async def agent_fails(self) -> None:
        self.wire.deliver("failed")

    async def user_starts(self) -> None:
        self._heard = ""
        self.wire.deliver("user_started")

    async def user_stops(self) -> None:
        self.wire.deliver("user_stopped")

    async def user_takes_it_back(self) -> None:
        self.wire.deliver("user_stopped")

    async def user_says(self, text: str, *, final: bool = True) -> None:
        delta = text[len(self._heard) :]
        self._heard = "" if final else text
        self.wire.deliver("heard", delta=delta, final=final)

    async def calls_tool(self, call_id: str, name: str, arguments: str, *, in_pieces: bool = False) -> None:
        half = len(arguments) // 2 if in_pieces else 0
        if in_pieces:
            self.wire.deliver("piece", call_id=call_id, tool=name, piece=arguments[:half], last=False)
            await self.settle()
        self.wire.deliver("piece", call_id=call_id, tool=name, piece=arguments[half:], last=True)

    async def withdraws_tool(self, call_id: str) -> None:
        self.wire.deliver("withdrawn", call_id=call_id)

    async def complains(self) -> None:
        self.wire.deliver("complaint")

    async def drops(self, *, for_good: bool) -> None:
        client, self.wire.client, self.wire.ready = self.wire.client, None, False
        if client is not None:
            client.receive("lost", for_good=for_good)

    async def settle(self, seconds: float = 0.05) -> None:
        await asyncio.sleep(seconds)

    @property
    def connections(self) -> int:
        return self.wire.connections

    @property
    def resumed(self) -> bool:
        return False

    @property
    def connected(self) -> bool:
        return self.wire.client is not None

    def _sent(self, *kinds: str) -> list[dict[str, Any]]:
        return [fields for _, kind, fields in self.wire.sent if kind in kinds]

    @property
    def requests(self) -> int:
        return len(self._sent("reply", "say"))

    @property
    def outputs(self) -> list[str]:
        return [fields["call_id"] for fields in self._sent("output")]

    @property
    def heard(self) -> float:
        return float(sum(fields["seconds"] for fields in self._sent("audio")))

    def received(self, text: str, *, connection: int | None = None) -> int:
        wanted = None if connection is None else range(self.connections)[connection]
        return sum(text in repr(fields) for number, _, fields in self.wire.sent if wanted is None or number == wanted)
