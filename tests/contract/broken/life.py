"""How the start, errors, the connection and the close go wrong."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from livekit import rtc
from livekit.agents import llm

from tests.contract.broken.book import breaks
from tests.contract.minimal import MinimalSession
from tests.contract.minimal_parts import Response
from tests.contract.minimal_speech import RATE


@breaks("a-refused-configuration-leaves-nothing")
class LeavesWhenRefused(MinimalSession):
    async def update_tools(self, tools: list[llm.Tool]) -> None:
        self.tool_ctx = llm.ToolContext(tools)


@breaks("pushing-never-raises")
class RefusesSound(MinimalSession):
    def push_audio(self, frame: rtc.AudioFrame) -> None:
        if self.closed:
            raise RuntimeError("closed")
        super().push_audio(frame)


@breaks("the-user-is-heard")
class TakesAllSoundForItsOwn(MinimalSession):
    def push_audio(self, frame: rtc.AudioFrame) -> None:
        self.wire.send(self, "audio", seconds=frame.samples_per_channel / RATE)


@breaks("a-lost-connection-settles-everything", "a-lost-connection-costs-one-turn")
class KeepsTheGenerationOfALostConnection(MinimalSession):
    def on_lost(self, for_good: bool) -> None:
        self.out = None
        super().on_lost(for_good)


@breaks("a-reconnection-restores-the-session", "a-change-in-the-gap-arrives")
class ForgetsWhatItKnew(MinimalSession):
    def reconnect(self) -> None:
        self.ctx, self.instructions = llm.ChatContext.empty(), ""
        super().reconnect()


@breaks("errors-can-be-read")
class TellsBareErrors(MinimalSession):
    def report(self, *, recoverable: bool) -> None:
        self.tell("error", llm.RealtimeError("broken"))


@breaks("one-fatal-error")
class DiesTwice(MinimalSession):
    def report(self, *, recoverable: bool) -> None:
        super().report(recoverable=recoverable)
        super().report(recoverable=recoverable)


@breaks("a-complaint-ends-nothing", "a-declined-request-is-no-error", "a-failed-response-ends")
class DiesOfComplaints(MinimalSession):
    def on_complaint(self) -> None:
        self.report(recoverable=False)

    def on_declined(self) -> None:
        super().on_declined()
        self.report(recoverable=False)

    def on_failed(self) -> None:
        self.report(recoverable=False)


@breaks("a-loss-for-good-is-told")
class DiesQuietly(MinimalSession):
    def report(self, *, recoverable: bool) -> None: ...


@breaks("the-agent-session-closes")
class RaisesWhenItCloses(MinimalSession):
    async def aclose(self) -> None:
        await super().aclose()
        raise ConnectionError("already closed")


@breaks("the-close-is-bounded")
class WaitsForever(MinimalSession):
    async def aclose(self) -> None:
        await super().aclose()
        if not self.ran:
            await asyncio.sleep(3600)


@breaks("the-close-leaves-nothing")
class LeavesATask(MinimalSession):
    async def aclose(self) -> None:
        self.loop.create_task(asyncio.sleep(3600))
        await super().aclose()


@breaks("a-closed-session-is-silent")
class SpeaksAfterTheClose(MinimalSession):
    def interrupt(self) -> None:
        super().interrupt()
        if self.closed:
            self.report(recoverable=True)


@breaks("a-session-can-change-hands", "a-handoff-goes-through")
class KeepsItsInstructions(MinimalSession):
    async def update_instructions(self, instructions: str) -> None:
        self.instructions = self.instructions or instructions


@breaks("a-model-serves-many-sessions")
class SharesItsInstructions(MinimalSession):
    shared: ClassVar[dict[int, str]] = {}

    async def update_instructions(self, instructions: str) -> None:
        self.instructions = self.shared.setdefault(id(self.wire), instructions)


@breaks("a-failing-handler-costs-nothing")
class TrustsHandlers(MinimalSession):
    def tell(self, name: str, event: Any) -> None:
        self.emit(name, event)


@breaks("metrics-can-be-attributed")
class MeasuresWithoutNames(MinimalSession):
    def metrics(self, out: Response, cut: bool) -> Any:
        return super().metrics(out, cut).model_copy(update={"metadata": None})
