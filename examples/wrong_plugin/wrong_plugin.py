"""A realtime plugin for Phonic's wire as a first draft looks. It talks, and it is wrong: see docs/fuzz.md."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from typing import Any, Literal

import attrs
from livekit import rtc
from livekit.agents import llm
from livekit.agents.types import NOT_GIVEN, NotGivenOr
from livekit.agents.utils import aio, is_given
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

RATE = 24_000
CAPABILITIES = llm.RealtimeCapabilities(
    message_truncation=False, turn_detection=True, user_transcription=True, auto_tool_reply_generation=True,
    audio_output=True, manual_function_calls=False, mutable_chat_context=True,
)  # fmt: skip


class RealtimeModel(llm.RealtimeModel):
    def __init__(self, *, base_url: str = "wss://api.phonic.ai", api_key: str) -> None:
        super().__init__(capabilities=CAPABILITIES)
        self.url, self.headers = f"{base_url}/v1/sts/ws", {"Authorization": f"Bearer {api_key}"}

    def session(self, *, turn_detection_disabled: bool = False) -> RealtimeSession:
        return RealtimeSession(self)

    async def aclose(self) -> None: ...


@attrs.define(eq=False)
class Generation:
    """One turn of the agent's, as LiveKit takes it."""

    messages: aio.Chan[llm.MessageGeneration] = attrs.field(factory=aio.Chan)
    calls: aio.Chan[llm.FunctionCall] = attrs.field(factory=aio.Chan)
    text: aio.Chan[str] = attrs.field(factory=aio.Chan)
    audio: aio.Chan[rtc.AudioFrame] = attrs.field(factory=aio.Chan)

    def end(self) -> None:
        for stream in (self.text, self.audio, self.messages, self.calls):
            stream.close()


class RealtimeSession(llm.RealtimeSession[Any]):
    def __init__(self, model: RealtimeModel) -> None:
        super().__init__(model)
        self._model = model
        self._ctx = llm.ChatContext.empty()
        self._tools = llm.ToolContext.empty()
        self._instructions = ""
        self._outbox: aio.Chan[dict[str, Any]] = aio.Chan()
        self._configured = asyncio.Event()
        self._ready = False
        self._generation: Generation | None = None
        self._requests: list[asyncio.Future[llm.GenerationCreatedEvent]] = []
        self._main = asyncio.create_task(self._run())

    # -- the connection --------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        await self._configured.wait()
        try:
            async with connect(self._model.url, additional_headers=self._model.headers) as socket:
                await socket.send(json.dumps(self._config()))
                writing = asyncio.create_task(self._write(socket))
                try:
                    async for frame in socket:
                        self._receive(frame)
                finally:
                    writing.cancel()
        except (OSError, WebSocketException):
            pass
        self._end_generation()

    async def _write(self, socket: ClientConnection) -> None:
        async for message in self._outbox:
            await socket.send(json.dumps(message))

    def _receive(self, frame: str | bytes) -> None:
        message = json.loads(frame)
        getattr(self, f"_on_{message['type']}")(message)

    def _send(self, kind: str, **fields: Any) -> None:
        if not self._outbox.closed:
            self._outbox.send_nowait({"type": kind, **fields})

    def _config(self) -> dict[str, Any]:
        formats = {"input_format": "pcm_24000", "output_format": "pcm_24000"}
        return {"type": "config", "system_prompt": self._instructions, **formats}

    def _tell_lost(self) -> None:
        error = llm.RealtimeModelError(
            timestamp=asyncio.get_running_loop().time(), label=self._model.label, recoverable=False,
            error=llm.RealtimeError("the connection is lost"),
        )  # fmt: skip
        self.emit("error", error)

    # -- what Phonic says ------------------------------------------------------------------------------------------

    def _on_conversation_created(self, message: dict[str, Any]) -> None:
        """Nothing to do: it is ready when it says so."""

    def _on_ready_to_start_conversation(self, message: dict[str, Any]) -> None:
        self._ready = True

    def _on_user_started_speaking(self, message: dict[str, Any]) -> None:
        self.emit("input_speech_started", llm.InputSpeechStartedEvent())

    def _on_user_finished_speaking(self, message: dict[str, Any]) -> None:
        self.emit("input_speech_stopped", llm.InputSpeechStoppedEvent(user_transcription_enabled=True))

    def _on_input_text(self, message: dict[str, Any]) -> None:
        heard = llm.InputTranscriptionCompleted(f"item_{uuid.uuid4()}", message["text"], is_final=True)
        self.emit("input_audio_transcription_completed", heard)

    def _on_assistant_started_speaking(self, message: dict[str, Any]) -> None:
        self._begin_generation()

    def _on_audio_chunk(self, message: dict[str, Any]) -> None:
        generation = self._generation
        if generation is None:
            generation = self._begin_generation()
        sound = base64.b64decode(message["audio"])
        generation.text.send_nowait(message["text"])
        generation.audio.send_nowait(rtc.AudioFrame(sound, RATE, 1, len(sound) // 2))

    def _on_assistant_finished_speaking(self, message: dict[str, Any]) -> None:
        self._end_generation()

    def _on_tool_call(self, message: dict[str, Any]) -> None:
        call = llm.FunctionCall(
            call_id=message["tool_call_id"], name=message["tool_name"], arguments=json.dumps(message["parameters"])
        )
        generation = self._generation or self._begin_generation()
        generation.calls.send_nowait(call)
        self._end_generation()

    def _on_error(self, message: dict[str, Any]) -> None:
        self._tell_lost()

    # -- generations -----------------------------------------------------------------------------------------------

    def _begin_generation(self) -> Generation:
        generation = self._generation = Generation()
        modalities: asyncio.Future[list[Literal["text", "audio"]]] = asyncio.get_running_loop().create_future()
        modalities.set_result(["text", "audio"])
        generation.messages.send_nowait(
            llm.MessageGeneration(f"msg_{uuid.uuid4()}", generation.text, generation.audio, modalities)
        )
        request = self._requests.pop(0) if self._requests else None
        created = llm.GenerationCreatedEvent(generation.messages, generation.calls, user_initiated=request is not None)
        if request is not None:
            request.set_result(created)
        self.emit("generation_created", created)
        return generation

    def _end_generation(self) -> None:
        if self._generation is not None:
            self._generation.end()
            self._generation = None

    # -- what LiveKit asks -----------------------------------------------------------------------------------------

    @property
    def chat_ctx(self) -> llm.ChatContext:
        return self._ctx.copy()

    @property
    def tools(self) -> llm.ToolContext:
        return self._tools.copy()

    async def update_instructions(self, instructions: str) -> None:
        self._instructions = instructions

    async def update_tools(self, tools: list[llm.Tool]) -> None:
        self._tools = llm.ToolContext(tools)
        self._configured.set()

    async def update_chat_ctx(self, chat_ctx: llm.ChatContext) -> None:
        known = {item.id for item in self._ctx.items}
        self._ctx = chat_ctx.copy()
        for item in chat_ctx.items:
            if item.id not in known and item.type == "function_call_output":
                self._send("tool_call_output", tool_call_id=item.call_id, output=item.output)

    def generate_reply(
        self,
        *,
        instructions: NotGivenOr[str] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        tools: NotGivenOr[list[llm.Tool]] = NOT_GIVEN,
    ) -> asyncio.Future[llm.GenerationCreatedEvent]:
        request: asyncio.Future[llm.GenerationCreatedEvent] = asyncio.get_running_loop().create_future()
        self._requests.append(request)
        self._send("generate_reply", **({"system_message": instructions} if is_given(instructions) else {}))
        return request

    def push_audio(self, frame: rtc.AudioFrame) -> None:
        if self._ready:
            self._send("audio_chunk", audio=base64.b64encode(bytes(frame.data)).decode())

    def interrupt(self) -> None:
        self._end_generation()

    async def aclose(self) -> None:
        self._outbox.close()
        self._main.cancel()
        await asyncio.wait([self._main])
        self._end_generation()

    def update_options(self, *, tool_choice: NotGivenOr[llm.ToolChoice | None] = NOT_GIVEN) -> None: ...

    def push_video(self, frame: rtc.VideoFrame) -> None: ...

    def commit_audio(self) -> None: ...

    def clear_audio(self) -> None: ...

    def truncate(self, **_: Any) -> None: ...
