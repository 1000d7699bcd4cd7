"""How interruptions, the user's turns and the context go wrong."""

from __future__ import annotations

import asyncio
from typing import Any

from livekit.agents import llm

from tests.contract.broken.book import breaks
from tests.contract.minimal import MinimalSession
from tests.contract.minimal_parts import Message

# -- interruptions and turns -------------------------------------------------------------------------------------------


@breaks("interrupt-never-raises")
class CannotBeInterruptedIdle(MinimalSession):
    def interrupt(self) -> None:
        if self.out is None:
            raise llm.RealtimeError("nothing to interrupt")
        super().interrupt()


@breaks("an-idle-interrupt-swallows-nothing", "an-interrupt-before-a-tool-reply-drops-nothing")
class SwallowsTheNextTurn(MinimalSession):
    swallows = False

    def interrupt(self) -> None:
        super().interrupt()
        self.swallows = True

    def on_started(self, asked: bool) -> None:
        if not self.swallows:
            super().on_started(asked)
        self.swallows = False


@breaks("what-was-said-stays-readable")
class EmptiesItsStreams(MinimalSession):
    def barge_in(self) -> None:
        if self.out is not None and self.out.message is not None:
            message = self.out.message
            while not message.text.empty():
                message.text.recv_nowait()
        super().barge_in()


@breaks("truncate-is-remembered")
class CannotTruncate(MinimalSession):
    def truncate(self, **_: Any) -> None: ...


@breaks("streams-end-before-the-fatal-error")
class TellsTheErrorFirst(MinimalSession):
    def on_lost(self, for_good: bool) -> None:
        self.ready = False
        self.dead = True
        self.report(recoverable=False)
        self.later(3.0, self.let_go)


@breaks("a-fatal-loss-closes-at-once")
class HoldsOnToALostConnection(TellsTheErrorFirst):
    def interrupt(self) -> None: ...


@breaks("the-user-falls-silent", "the-user-state-follows")
class LeavesTheUserSpeaking(MinimalSession):
    def on_lost(self, for_good: bool) -> None:
        self.speaking_since = None
        super().on_lost(for_good)


@breaks("interim-transcripts-accumulate")
class TellsDeltas(MinimalSession):
    def on_heard(self, delta: str, final: bool) -> None:
        self.item = self.item or self.new_id()
        self.tell_transcript(delta, final=final)


@breaks("one-final-transcript-an-item")
class TellsEmptyFinals(MinimalSession):
    def finish_item(self) -> None:
        self.item = self.item or self.new_id()
        self.tell_transcript(self.heard, final=True)
        self.heard, self.item = "", None


@breaks("a-late-transcript-knows-its-turn", "the-question-stands-before-its-answer")
class ForgetsWhenTheTurnBegan(MinimalSession):
    def tell_transcript(self, text: str, *, final: bool) -> None:
        self.began = None
        super().tell_transcript(text, final=final)


@breaks("committing-asks-for-nothing")
class AnswersCommits(MinimalSession):
    def commit_audio(self) -> None:
        self.request("reply")


@breaks("user-activity-is-cheap")
class StopsOnActivity(MinimalSession):
    def start_user_activity(self) -> None:
        self.interrupt()


@breaks("clearing-audio-costs-no-more")
class ClearsForEver(MinimalSession):
    def clear_audio(self) -> None:
        self.ready = False


# -- context -----------------------------------------------------------------------------------------------------------


@breaks("an-emptied-message-is-kept")
class TakesPlaceholders(MinimalSession):
    def merged(self, old: Any, new: Any) -> Any:
        return new


@breaks("remote-items-are-appended")
class InventsItems(MinimalSession):
    def tell_item(self, part: Message) -> None:
        self.last_item = "unheard of"
        super().tell_item(part)


@breaks("the-context-has-the-told-ids")
class HasItsOwnIds(MinimalSession):
    def user_said(self, item: str, text: str) -> None:
        super().user_said(self.new_id(), text)


@breaks("any-item-can-be-pushed")
class KnowsMessagesOnly(MinimalSession):
    async def update_chat_ctx(self, chat_ctx: llm.ChatContext) -> None:
        for item in chat_ctx.items:
            if item.type not in ("message", "function_call", "function_call_output"):
                raise ValueError(item.type)
        await super().update_chat_ctx(chat_ctx)


@breaks("the-context-becomes-what-is-pushed")
class OnlyAdds(MinimalSession):
    async def update_chat_ctx(self, chat_ctx: llm.ChatContext) -> None:
        before = list(self.ctx.items)
        await super().update_chat_ctx(chat_ctx)
        self.ctx.items = before + [item for item in chat_ctx.items if item not in before]


@breaks("updates-are-bounded", "configuring-waits-for-nobody", "the-start-waits-for-nobody")
class WaitsForTheProvider(MinimalSession):
    async def update_instructions(self, instructions: str) -> None:
        await super().update_instructions(instructions)
        if self.wire.mode == "silent":
            await self.closing.wait()


@breaks("updates-raise-only-realtime-error")
class FailsToUpdate(MinimalSession):
    async def update_tools(self, tools: list[llm.Tool]) -> None:
        if self.closed:
            raise ConnectionError("closed")
        await super().update_tools(tools)


@breaks("updates-do-not-mix")
class MixesUpdates(MinimalSession):
    async def update_chat_ctx(self, chat_ctx: llm.ChatContext) -> None:
        self.ctx = llm.ChatContext.empty()
        for item in chat_ctx.items:
            await asyncio.sleep(0)
            self.ctx.items.append(item)


@breaks("typed-words-reach-the-provider", "typed-words-are-answered")
class DropsTypedWords(MinimalSession):
    async def update_chat_ctx(self, chat_ctx: llm.ChatContext) -> None:
        await super().update_chat_ctx(chat_ctx)
        self.typed = None
