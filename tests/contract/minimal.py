"""A realtime session that keeps the contract with as little as possible, on a wire of plain calls.

The wire names no response: answers come in the order of the requests. Each method does one thing, so that a broken
variant overrides one method.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import Any, Literal

from livekit import rtc
from livekit.agents import llm
from livekit.agents.types import NOT_GIVEN, NotGivenOr
from livekit.agents.utils import is_given

from tests.contract.minimal_parts import Request, Wire
from tests.contract.minimal_provider import ProviderSide

__all__ = ["CAPABILITIES", "MinimalModel", "MinimalSession"]

CAPABILITIES = llm.RealtimeCapabilities(
    message_truncation=True,
    turn_detection=True,
    user_transcription=True,
    auto_tool_reply_generation=True,
    audio_output=True,
    manual_function_calls=False,
    mutable_chat_context=True,
    mutable_instructions=True,
    mutable_tools=True,
    per_response_tool_choice=False,
    supports_say=True,
)
REQUEST_LIMIT = 10.0


class MinimalSession(ProviderSide):
    # -- what the host asks ----------------------------------------------------------------------------------------

    @property
    def chat_ctx(self) -> llm.ChatContext:
        return self.ctx.copy()

    @property
    def tools(self) -> llm.ToolContext:
        return self.tool_ctx.copy()

    async def _update_session(self, **given: Any) -> None:
        await super()._update_session(**given)
        if not self.configured:
            self.configured = True
            self.send_config()
            self.loop.call_soon(self.catch_up)
        elif self.ready:
            self.send_config()

    def catch_up(self) -> None:
        early, self.early = self.early, []
        for name, fields in early:
            self.receive(name, **fields)

    async def update_instructions(self, instructions: str) -> None:
        self.instructions = instructions

    async def update_tools(self, tools: list[llm.Tool]) -> None:
        try:
            self.tool_ctx = llm.ToolContext(tools)
        except ValueError as error:
            raise llm.RealtimeError("two tools have one name") from error

    async def update_chat_ctx(self, chat_ctx: llm.ChatContext) -> None:
        if self.closed:
            return
        known = {item.id: item for item in self.ctx.items}
        new = [item for item in chat_ctx.items if item.id not in known]
        made_up = {item.call_id for item in new if isinstance(item, llm.FunctionCall)}
        self.ctx = llm.ChatContext([self.merged(known.get(item.id), item) for item in chat_ctx.items])
        for item in new:
            if isinstance(item, llm.FunctionCallOutput):
                self.give_output(item, made_up)
            elif isinstance(item, llm.ChatMessage) and item.role == "user" and item is chat_ctx.items[-1]:
                self.typed = item.text_content
            elif isinstance(item, llm.ChatMessage) and item.role == "system":
                self.wire.send(self, "message", text=item.text_content)

    def merged(self, old: Any, new: Any) -> Any:
        is_placeholder = isinstance(old, llm.ChatMessage) and not new.content
        return old if is_placeholder else new

    def give_output(self, item: llm.FunctionCallOutput, made_up: set[str]) -> None:
        if self.calls.get(item.call_id) == "open":
            self.output(item.call_id, str(item.output))
            if item.reply_required and self.capabilities.auto_tool_reply_generation:
                self.expect_answer()
        elif item.call_id in made_up:
            self.wire.send(self, "message", text=str(item.output))
        elif item.reply_required and self.capabilities.auto_tool_reply_generation:
            self.release()

    def update_options(self, *, tool_choice: NotGivenOr[llm.ToolChoice | None] = NOT_GIVEN) -> None: ...

    def push_audio(self, frame: rtc.AudioFrame) -> None:
        if self.ready and not self.closed:
            self.wire.send(self, "audio", seconds=frame.samples_per_channel / frame.sample_rate)

    def push_video(self, frame: rtc.VideoFrame) -> None: ...

    def commit_audio(self) -> None:
        self.wire.send(self, "commit")

    def clear_audio(self) -> None:
        self.wire.send(self, "clear")

    def generate_reply(
        self,
        *,
        instructions: NotGivenOr[str] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        tools: NotGivenOr[list[llm.Tool]] = NOT_GIVEN,
    ) -> asyncio.Future[llm.GenerationCreatedEvent]:
        typed, self.typed = self.typed, None
        return self.request("reply", instructions=instructions if is_given(instructions) else None, user=typed)

    def say(self, text: str | AsyncIterable[str]) -> asyncio.Future[llm.GenerationCreatedEvent]:
        return self.request("say", text=str(text))

    def request(self, kind: str, **fields: Any) -> asyncio.Future[llm.GenerationCreatedEvent]:
        request = Request(kind, self.loop.create_future(), fields)
        if self.closed or self.dead:
            self.fail(request, "the session is over")
            return request.future
        self.requests.append(request)
        self.later(REQUEST_LIMIT, lambda: self.fail(request, "nobody answered"))
        if self.ready:
            self.ask(request)
        return request.future

    def interrupt(self) -> None:
        if self.out is not None:
            self.wire.send(self, "cancel")
            self.seal(cut=True)
        for request in list(self.requests):
            if request.kind == "say":
                self.fail(request, "interrupted")

    def truncate(
        self,
        *,
        message_id: str,
        modalities: list[Literal["text", "audio"]],
        audio_end_ms: int,
        audio_transcript: NotGivenOr[str] = NOT_GIVEN,
    ) -> None:
        item = self.ctx.get_by_id(message_id)
        if isinstance(item, llm.ChatMessage) and is_given(audio_transcript):
            item.content = [audio_transcript]

    async def aclose(self) -> None:
        if not self.closed:
            self.let_go()
            self.closed = True
            self.wire.disconnect(self)
            for timer in self.timers:
                timer.cancel()
            self.closing.set()
        await asyncio.wait([self.main])


class MinimalModel(llm.RealtimeModel):
    def __init__(
        self, session_class: type[MinimalSession], capabilities: llm.RealtimeCapabilities = CAPABILITIES
    ) -> None:
        super().__init__(capabilities=capabilities)
        self.wire = Wire()
        self._session_class = session_class

    @property
    def model(self) -> str:
        return "minimal"

    @property
    def provider(self) -> str:
        return "nobody"

    def session(self, *, turn_detection_disabled: bool = False) -> MinimalSession:
        return self._session_class(self, self.wire)

    async def aclose(self) -> None: ...
