"""How requests, generations and streams go wrong."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from livekit import rtc
from livekit.agents import llm
from livekit.agents.types import TimedString
from livekit.agents.utils import aio

from tests.contract.broken.book import breaks
from tests.contract.minimal import MinimalSession
from tests.contract.minimal_parts import Message, Request, Response

# -- requests ----------------------------------------------------------------------------------------------------------


@breaks("asked-means-asked")
class SaysAllIsAsked(MinimalSession):
    def announce(self, out: Response) -> None:
        out.event.user_initiated = True
        super().announce(out)


@breaks(
    "an-answer-resolves-its-request",
    "an-unanswered-request-ends",
    "a-lost-connection-ends-requests",
    "an-unanswered-request-frees-the-queue",
)
class ForgetsRequests(MinimalSession):
    def resolve(self, request: Request) -> None: ...

    def fail(self, request: Request, why: str) -> None: ...


@breaks("the-close-ends-requests")
class ClosesWithoutLettingGo(MinimalSession):
    def let_go(self) -> None:
        self.seal(cut=True)


@breaks("requests-fail-only-with-realtime-error")
class CancelsRequests(MinimalSession):
    def fail(self, request: Request, why: str) -> None:
        request.future.cancel()


@breaks("asking-never-raises")
class RefusesAtOnce(MinimalSession):
    def request(self, kind: str, **fields: Any) -> asyncio.Future[llm.GenerationCreatedEvent]:
        if not self.ready:
            raise llm.RealtimeError("not ready")
        return super().request(kind, **fields)


@breaks("a-cancelled-request-makes-no-ghost", "a-late-answer-is-not-heard")
class SpeaksLateAnswers(MinimalSession):
    def take_request(self) -> Request | None:
        request = super().take_request()
        return None if request is not None and request.future.done() else request


@breaks("an-unread-answer-blocks-nothing", "generations-end")
class LeavesFunctionsOpen(MinimalSession):
    def close_streams(self, out: Response) -> None:
        out.messages.close()


@breaks("an-interrupt-ends-a-pending-say")
class LetsSayWait(MinimalSession):
    def interrupt(self) -> None:
        self.seal(cut=True)


@breaks("a-cancelled-request-keeps-its-answer")
class GivesTheNextOneTheAnswer(MinimalSession):
    def take_request(self) -> Request | None:
        request = super().take_request()
        while request is not None and request.future.done():
            request = super().take_request()
        return request


# -- generations -------------------------------------------------------------------------------------------------------


@breaks("one-announcement-a-response")
class AnnouncesTwice(MinimalSession):
    def announce(self, out: Response) -> None:
        super().announce(out)
        super().announce(Response(False))


@breaks("announced-once-and-from-the-loop")
class AnnouncesFromAThread(MinimalSession):
    def announce(self, out: Response) -> None:
        thread = threading.Thread(target=super().announce, args=(out,))
        thread.start()
        thread.join()
        super().announce(out)


@breaks(
    "an-interrupt-ends-generations",
    "late-words-do-no-harm",
    "the-safety-net-is-never-needed",
    "an-interrupted-agent-is-free",
)
class IgnoresInterrupts(MinimalSession):
    def interrupt(self) -> None: ...

    def barge_in(self) -> None: ...


@breaks("a-barge-in-leaves-no-task")
class ForgetsWhatWasCut(MinimalSession):
    def barge_in(self) -> None:
        self.out = None


@breaks("a-barge-in-ends-generations-at-once", "the-response-after-a-barge-in-is-heard")
class EndsALittleLater(MinimalSession):
    def barge_in(self) -> None:
        out, self.out = self.out, None
        if out is not None:
            self.end_message(out)
            self.later(0.1, lambda: self.close_streams(out))


class WithModalities(MinimalSession):
    def modalities(self) -> Any: ...

    def open_message(self) -> Message:
        assert self.out is not None
        self.out.message = message = Message(self.new_id())
        message.modalities = self.modalities()
        self.out.parts.append(message)
        self.out.messages.send_nowait(message.announced)
        return message


@breaks("modalities-are-known")
class NeverKnowsModalities(WithModalities):
    def modalities(self) -> Any:
        return self.loop.create_future()


@breaks("modalities-can-be-awaited-again")
class ModalitiesOnce(WithModalities):
    def modalities(self) -> Any:
        async def once() -> list[str]:
            return ["audio", "text"]

        return once()


@breaks("both-streams-of-a-message-end")
class LeavesTextOpen(MinimalSession):
    def end_message(self, out: Response) -> None:
        message, out.message = out.message, None
        if message is not None:
            message.sound.close()


@breaks("one-generation-at-a-time", "a-new-response-is-not-kept-waiting")
class LetsTheOldOneRun(MinimalSession):
    def supersede(self) -> None:
        self.out = None


@breaks("nothing-before-the-configuration", "an-early-welcome-is-heard")
class CannotWait(MinimalSession):
    def receive(self, name: str, **fields: Any) -> None:
        # The first words come inside the constructor; they are spoken as soon as somebody listens.
        self.loop.call_soon(lambda: getattr(self, f"on_{name}")(**fields))

    async def update_instructions(self, instructions: str) -> None:
        await asyncio.sleep(0.01)
        await super().update_instructions(instructions)


@breaks("a-turn-told-to-nobody-blocks-nothing", "unread-streams-block-nobody")
class BoundsItsStreams(MinimalSession):
    def push_text(self, message: Message, text: str, ms: int) -> None:
        if message.text.qsize() < 1:
            super().push_text(message, text, ms)

    def close_streams(self, out: Response) -> None:
        if out.messages.empty():
            super().close_streams(out)


@breaks("ids-are-unique")
class CountsFromOne(MinimalSession):
    def new_id(self) -> str:
        return "item_1"


@breaks("a-call-alone-says-nothing")
class OpensAMessageForACall(MinimalSession):
    def deliver_call(self, out: Response, call: llm.FunctionCall) -> None:
        self.open_message()
        super().deliver_call(out, call)


@breaks("unheard-messages-are-forgotten")
class RemembersAll(MinimalSession):
    def remember(self, out: Response, cut: bool) -> None:
        super().remember(out, False)


# -- streams -----------------------------------------------------------------------------------------------------------


@breaks("a-sounding-message-has-text")
class SaysNothingAtTheEnd(MinimalSession):
    def end_message(self, out: Response) -> None:
        message, out.message = out.message, None
        if message is not None:
            message.text.close()
            message.sound.close()


@breaks("text-ends-before-the-sound-is-over")
class EndsTextLate(MinimalSession):
    def end_message(self, out: Response) -> None:
        message, out.message = out.message, None
        if message is not None:
            message.sound.close()
            self.later(message.seconds + 2.0, message.text.close)


@breaks("no-empty-words")
class EndsWithAnEmptyChunk(MinimalSession):
    def end_message(self, out: Response) -> None:
        if out.message is not None:
            out.message.text.send_nowait("")
        super().end_message(out)


@breaks("streams-never-raise")
class RaisesInItsStreams(MinimalSession):
    def open_message(self) -> Message:
        message = super().open_message()
        message.text = Raising()
        assert self.out is not None
        self.out.messages.recv_nowait()
        self.out.messages.send_nowait(message.announced)
        return message


class Raising(aio.Chan[str]):
    async def __anext__(self) -> str:
        raise RuntimeError("broken")


@breaks("one-format-a-message")
class ChangesItsRate(MinimalSession):
    def push_sound(self, message: Message, ms: int) -> None:
        super().push_sound(message, ms)
        message.sound.send_nowait(rtc.AudioFrame(bytes(320), 16_000, 1, 160))


@breaks("no-frame-without-samples")
class SendsEmptyFrames(MinimalSession):
    def on_sound(self, ms: int) -> None:
        if self.out is not None:
            self.push_sound(self.out.message or self.open_message(), ms)


@breaks("times-are-those-of-the-message", "a-cut-transcript-keeps-what-was-heard")
class HasOneClock(MinimalSession):
    spoken = 0.0

    def push_text(self, message: Message, text: str, ms: int) -> None:
        message.words.append(text)
        message.text.send_nowait(TimedString(text, start_time=self.spoken))
        self.spoken += ms / 1000


@breaks("one-segment-a-message")
class AMessageAWord(MinimalSession):
    def on_words(self, text: str, ms: int) -> None:
        super().on_words(text[: len(text) // 2], ms // 2)
        self.on_message_started()
        super().on_words(text[len(text) // 2 :], ms // 2)
