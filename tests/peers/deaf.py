"""A plugin that connects, sends its configuration and does nothing else, whatever is asked of it or comes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from livekit import rtc
from livekit.agents import llm
from livekit.agents.types import NOT_GIVEN, NotGivenOr
from websockets.asyncio.client import connect

from rtfsm.adapters.phonic.endpoint import SOCKET_PATH
from rtfsm.adapters.phonic.model import CAPABILITIES

__all__ = ["DeafModel"]


class DeafModel(llm.RealtimeModel):
    """url: the server's address. key: the API key."""

    def __init__(self, url: str, key: str) -> None:
        super().__init__(capabilities=CAPABILITIES)
        self.url, self.key = url, key

    @property
    def model(self) -> str:
        return "deaf"

    @property
    def provider(self) -> str:
        return "deaf"

    def session(self, *, turn_detection_disabled: bool = False) -> DeafSession:
        return DeafSession(self)

    def update_options(self, **_: Any) -> None:
        pass

    async def aclose(self) -> None:
        pass


class DeafSession(llm.RealtimeSession[str]):
    """One connection, and nothing that comes of it."""

    def __init__(self, model: DeafModel) -> None:
        super().__init__(model)
        self._deaf = model
        self._task = asyncio.create_task(self._run(), name="deaf")
        self._asked: list[asyncio.Future[llm.GenerationCreatedEvent]] = []

    async def _run(self) -> None:
        headers = {"Authorization": f"Bearer {self._deaf.key}"}
        try:
            url = self._deaf.url + SOCKET_PATH
            async with connect(url, additional_headers=headers, ping_interval=None, compression=None) as socket:
                await socket.send(json.dumps({"type": "config", "system_prompt": "Listen."}))
                async for _ in socket:
                    pass
        except OSError:
            pass
        except Exception:
            return

    @property
    def chat_ctx(self) -> llm.ChatContext:
        return llm.ChatContext.empty()

    @property
    def tools(self) -> llm.ToolContext:
        return llm.ToolContext.empty()

    async def update_instructions(self, instructions: str) -> None:
        pass

    async def update_chat_ctx(self, chat_ctx: llm.ChatContext) -> None:
        pass

    async def update_tools(self, tools: list[llm.Tool]) -> None:
        pass

    def update_options(self, **_: Any) -> None:
        pass

    def push_audio(self, frame: rtc.AudioFrame) -> None:
        pass

    def push_video(self, frame: rtc.VideoFrame) -> None:
        pass

    def generate_reply(
        self,
        *,
        instructions: NotGivenOr[str] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        tools: NotGivenOr[list[llm.Tool]] = NOT_GIVEN,
    ) -> asyncio.Future[llm.GenerationCreatedEvent]:
        self._asked.append(asyncio.Future())
        return self._asked[-1]

    def say(self, text: Any) -> asyncio.Future[llm.GenerationCreatedEvent]:
        return self.generate_reply()

    def commit_audio(self) -> None:
        pass

    def clear_audio(self) -> None:
        pass

    def interrupt(self) -> None:
        pass

    def truncate(self, **_: Any) -> None:
        pass

    async def aclose(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        for future in self._asked:
            future.cancel()
