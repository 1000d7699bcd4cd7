"""The minimal session's speech: how responses of the provider become generations, and requests end."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from livekit import rtc
from livekit.agents import llm, utils
from livekit.agents.metrics import RealtimeModelMetrics
from livekit.agents.metrics.base import Metadata
from livekit.agents.types import TimedString

from tests.contract.minimal_parts import Message, Request, Response, Wire

__all__ = ["RATE", "Speech"]

RATE = 24_000


class Speech(llm.RealtimeSession[Any]):
    def __init__(self, model: llm.RealtimeModel, wire: Wire) -> None:
        super().__init__(model)
        self.wire = wire
        self.loop = asyncio.get_running_loop()
        self.ctx, self.tool_ctx, self.instructions = llm.ChatContext.empty(), llm.ToolContext.empty(), ""
        self.out: Response | None = None
        self.requests: deque[Request] = deque()
        self.calls: dict[str, str] = {}
        self.pieces: dict[str, str] = {}
        self.early: list[tuple[str, dict[str, Any]]] = []
        self.configured = self.ready = self.closed = self.dead = self.ran = False
        self.speaking_since: float | None = None
        self.began: float | None = None
        self.item: str | None = None
        self.heard = ""
        self.typed: str | None = None
        self.last_item: str | None = None
        self.timers: set[asyncio.TimerHandle] = set()
        self.closing = asyncio.Event()
        self.main = self.loop.create_task(self.run(), name="minimal-session")
        self.wire.connect(self)

    async def run(self) -> None:
        await self.closing.wait()

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        self.timers.add(self.loop.call_later(seconds, what))

    def tell(self, name: str, event: Any) -> None:
        with suppress(Exception):  # of the application's handlers
            self.emit(name, event)

    # -- what the provider says ------------------------------------------------------------------------------------

    def receive(self, name: str, **fields: Any) -> None:
        if self.closed or self.dead:
            return
        if not self.configured and name not in ("ready", "lost"):
            self.early.append((name, fields))
        else:
            getattr(self, f"on_{name}")(**fields)

    def on_ready(self) -> None:
        self.ready = True
        for request in list(self.requests):
            self.ask(request)
        if self.ran:
            self.tell("session_reconnected", llm.RealtimeSessionReconnectedEvent())
        self.ran = True

    def on_started(self, asked: bool) -> None:
        self.supersede()
        request = self.take_request() if asked else None
        if request is not None and request.future.done():
            return  # nobody waits for this answer any more
        self.out = Response(request is not None)
        if request is not None:
            self.resolve(request)
        self.announce(self.out)

    def supersede(self) -> None:
        self.seal(cut=True)

    def take_request(self) -> Request | None:
        return self.requests.popleft() if self.requests else None

    def resolve(self, request: Request) -> None:
        assert self.out is not None
        if not request.future.done():
            request.future.set_result(self.out.event)

    def announce(self, out: Response) -> None:
        self.tell("generation_created", out.event)

    def on_words(self, text: str, ms: int) -> None:
        if self.out is None:
            return
        message = self.out.message or self.open_message()
        self.push_text(message, text, ms)
        self.push_sound(message, ms)

    def on_sound(self, ms: int) -> None:
        if self.out is not None and ms:
            self.push_sound(self.out.message or self.open_message(), ms)

    def new_id(self) -> str:
        return utils.shortuuid("item_")

    def open_message(self) -> Message:
        assert self.out is not None
        self.out.message = message = Message(self.new_id())
        self.out.parts.append(message)
        self.out.messages.send_nowait(message.announced)
        return message

    def push_text(self, message: Message, text: str, ms: int) -> None:
        message.words.append(text)
        message.text.send_nowait(TimedString(text, start_time=message.seconds, end_time=message.seconds + ms / 1000))

    def push_sound(self, message: Message, ms: int) -> None:
        samples = RATE * ms // 1000
        message.sound.send_nowait(rtc.AudioFrame(bytes(2 * samples), RATE, 1, samples))
        message.seconds += ms / 1000

    def on_message_started(self) -> None:
        if self.out is not None:
            self.end_message(self.out)

    def on_finished(self) -> None:
        self.seal(cut=False)

    def on_failed(self) -> None:
        self.seal(cut=True)

    def on_declined(self) -> None:
        request = self.take_request()
        if request is not None:
            self.fail(request, "declined")

    def end_message(self, out: Response) -> None:
        message, out.message = out.message, None
        if message is not None:
            if not message.words:
                message.text.send_nowait(" ")
            message.text.close()
            message.sound.close()

    def seal(self, *, cut: bool) -> None:
        out, self.out = self.out, None
        if out is not None:
            self.end_message(out)
            self.close_streams(out)
            self.remember(out, cut)
            self.tell("metrics_collected", self.metrics(out, cut))

    def close_streams(self, out: Response) -> None:
        out.functions.close()
        out.messages.close()

    def remember(self, out: Response, cut: bool) -> None:
        for part in out.parts:
            if part.words and (part.sound.taken or not cut):
                self.ctx.items.append(
                    llm.ChatMessage(id=part.id, role="assistant", content=["".join(part.words)], interrupted=cut)
                )
                self.tell_item(part)

    def tell_item(self, part: Message) -> None:
        item = llm.ChatMessage(id=part.id, role="assistant", content=[])
        self.tell("remote_item_added", llm.RemoteItemAddedEvent(self.last_item, item))
        self.last_item = part.id

    def metrics(self, out: Response, cut: bool) -> Any:
        return RealtimeModelMetrics(
            request_id=out.event.response_id or "",
            timestamp=out.created,
            duration=time.time() - out.created,
            ttft=-1,
            cancelled=cut,
            label=self.realtime_model.label,
            input_token_details=RealtimeModelMetrics.InputTokenDetails(),
            output_token_details=RealtimeModelMetrics.OutputTokenDetails(),
            metadata=Metadata(model_name=self.realtime_model.model, model_provider=self.realtime_model.provider),
        )

    def ask(self, request: Request) -> None:
        if not request.sent and not request.future.done():
            request.sent = True
            self.wire.send(self, request.kind, **request.fields)

    def fail(self, request: Request, why: str) -> None:
        if not request.sent and request in self.requests:
            self.requests.remove(request)
        if not request.future.done():
            request.future.set_exception(llm.RealtimeError(f"no reply: {why}"))
