"""The realtime session as LiveKit calls it: every call becomes an event, or data for one."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterable
from typing import Any, Literal

import attrs
from livekit import rtc
from livekit.agents import llm, utils
from livekit.agents.types import NOT_GIVEN, NotGivenOr
from livekit.agents.utils import is_given

from rtfsm.machines import Conversation, Delivery
from rtfsm.vocabulary import local

from . import provider as do
from .hearing import Hearing
from .host import Request
from .reports import OutOfBandUnsupported, SayUnsupported
from .shell import Shell
from .turn import Turn, snapshot

__all__ = ["RealtimeSession"]

logger = logging.getLogger("rtfsm")

EventNames = Literal[
    "turn_changed", "conversation_ended", "conversation_created", "tool_call_ended", "tool_call_timed_out",
    "tool_call_output_processed", "tool_output_dropped", "assistant_chose_not_to_respond", "dtmf", "timings", "warning",
    "input_language",
]  # fmt: skip

CLOSE_LIMIT = 5.0
"""Seconds after which closing gives up on a peer; the machine's own limit is shorter."""


class RealtimeSession(llm.RealtimeSession[EventNames]):
    """A provider's conversation for a LiveKit AgentSession, run by declared machines.

    Events beside LiveKit's own: ``turn_changed`` (a :class:`Turn`), ``conversation_ended`` (the close code or None),
    ``tool_call_ended`` (call id, the name of its last state), ``tool_output_dropped`` (call id), and what the provider
    says that LiveKit has no name for, under the names that its adapter documents.
    """

    def __init__(
        self, model: llm.RealtimeModel, provider: do.Provider, conversation: Conversation, options: Any = None
    ) -> None:
        super().__init__(model)
        self._provider = provider
        self._shell = Shell(self, provider, conversation, options)
        self._typed: tuple[str, str, int] | None = None
        """What the user typed last, for the request that follows: its item, its words, and how much had been recorded
        then."""
        self._saying: dict[asyncio.Task[None], asyncio.Future[llm.GenerationCreatedEvent]] = {}
        self._not_honoured: Counter[str] = Counter()
        self.hearing = Hearing(provider, self._shell.line, conversation)
        self._shell.start()

    # -- what is so ------------------------------------------------------------------------------------------------

    @property
    def conversation(self) -> Conversation:
        """The machines. Look, and observe; do not hand them events."""
        return self._shell.conversation

    @property
    def turn(self) -> Turn:
        """A snapshot of whose turn it is."""
        shell = self._shell
        dropped = self.hearing.dropped + shell.line.dropped
        return snapshot(self.conversation, shell.malformed, shell.failed_effects, dropped, self._not_honoured)

    def has_listeners(self, name: str) -> bool:
        """Whether anybody listens to this event; also true where LiveKit's emitter does not say."""
        listeners: Any = getattr(self, "_events", None)
        return bool(listeners.get(name)) if isinstance(listeners, dict) else True

    @property
    def over(self) -> bool:
        """The conversation has ended or is about to: nobody can be told anything any more."""
        return self.conversation.delivery is Delivery.NEVER

    @property
    def chat_ctx(self) -> llm.ChatContext:
        return self._shell.host.context.copy()

    @property
    def tools(self) -> llm.ToolContext:
        tools = self._shell.line.settings.tools
        return tools.copy() if tools is not None else llm.ToolContext.empty()

    # -- configuration ---------------------------------------------------------------------------------------------

    async def update_instructions(self, instructions: str) -> None:
        self._configure(local.ConfigKind.UPDATE, instructions=instructions)

    async def update_tools(self, tools: list[llm.Tool]) -> None:
        self._configure(local.ConfigKind.UPDATE, tools=llm.ToolContext(tools))

    async def _update_session(
        self,
        *,
        instructions: NotGivenOr[str] = NOT_GIVEN,
        chat_ctx: NotGivenOr[llm.ChatContext] = NOT_GIVEN,
        tools: NotGivenOr[list[llm.Tool]] = NOT_GIVEN,
    ) -> None:
        changes: dict[str, Any] = {}
        if is_given(instructions):
            changes["instructions"] = instructions
        if is_given(tools):
            changes["tools"] = llm.ToolContext(tools)
        kind = local.ConfigKind.UPDATE
        if self._provider.features.items:
            begins = self.conversation.delivery is Delivery.AT_START
            if begins and is_given(chat_ctx):
                await self._push(chat_ctx)  # the first configuration tells it
            self._configure(kind, **changes)
            if not begins and is_given(chat_ctx):
                await self._push(chat_ctx)
            return
        if is_given(chat_ctx) and (self._shell.host.context.replace(chat_ctx) or self.conversation.runs):
            kind = local.ConfigKind.RESET  # a handoff: another agent takes over, with what it shall know
        self._configure(kind, **changes)
        self._shell.host.waiting.handed_over()

    def _configure(self, kind: local.ConfigKind, **changes: Any) -> None:
        self._shell.line.settings = attrs.evolve(self._shell.line.settings, **changes)
        if self._shell.line.settings.complete or self._provider.features.defaults:
            self._shell.submit(local.ConfigGiven(kind))

    def _begin_by_default(self) -> None:
        """Something is wanted of a provider that needs no configuration of the host's."""
        if self._provider.features.defaults and self.conversation.delivery is Delivery.AT_START:
            self._shell.submit(local.ConfigGiven())

    async def _push(self, chat_ctx: llm.ChatContext) -> None:
        try:
            await self._shell.items.update(chat_ctx)
        except llm.RealtimeError:
            logger.exception("the conversation could not be changed")

    async def update_chat_ctx(self, chat_ctx: llm.ChatContext) -> None:
        if self._provider.features.items:
            await self._shell.items.update(chat_ctx)
            return
        created = self._shell.host.context.replace(chat_ctx)
        if self.conversation.delivery is Delivery.AT_START:
            return
        made_up = {item.call_id: item.name for item in created if isinstance(item, llm.FunctionCall)}
        for item in created:
            if isinstance(item, llm.FunctionCallOutput):
                self._output_given(item, made_up)
            elif isinstance(item, llm.ChatMessage) and (text := item.raw_text_content):
                if item.role in ("system", "developer"):
                    self._shell.line.tell(do.SystemMessage(text))
                elif item.role == "user" and item.id == chat_ctx.items[-1].id:
                    self._typed = item.id, text, self._shell.host.context.recorded

    def _output_given(self, item: llm.FunctionCallOutput, made_up: dict[str, str]) -> None:
        owed = self.conversation.knows_call(item.call_id)
        if item.call_id in made_up and not owed and self.conversation.delivery is not Delivery.NEVER:
            # LiveKit reports a tool that went on in the background as a call that the provider never made. A history
            # holds messages alone, so no configuration tells of it.
            remark = do.SystemMessage(f"The tool {made_up[item.call_id]} reports: {item.output}")
            self._shell.line.tell(remark, in_history=False)
            return
        wanted = local.ToolReply.NOT_WANTED
        if item.reply_required:
            answers = self._provider.answers_output(self._shell.line.settings, item.name)
            wanted = local.ToolReply.WANTED if answers else local.ToolReply.WITHHELD
            self._shell.host.waiting.output_given()
        self._shell.submit(local.ToolOutputGiven(item.call_id, str(item.output), wanted))

    def update_options(self, *, tool_choice: NotGivenOr[llm.ToolChoice | None] = NOT_GIVEN) -> None:
        """tool_choice is taken and has no effect where the provider has no such choice."""

    # -- sound -----------------------------------------------------------------------------------------------------

    def push_audio(self, frame: rtc.AudioFrame) -> None:
        if self._shell.closed.is_set():
            return
        self.hearing.push(frame)

    def push_video(self, frame: rtc.VideoFrame) -> None:
        if not self._provider.features.video:
            self._note_not_honoured("push_video", "takes no video")
            return
        seen = llm.ChatMessage(role="user", content=[llm.ImageContent(image=frame)])
        if self.conversation.runs:
            self._shell.line.tell(do.CreateItem(seen))

    def commit_audio(self) -> None:
        if not self._provider.features.commits:
            self._note_not_honoured("commit_audio", "decides by itself when the user's turn ends")
            return
        self.hearing.commit()

    def clear_audio(self) -> None:
        self.hearing.clear()

    # -- speech ----------------------------------------------------------------------------------------------------

    def generate_reply(
        self,
        *,
        instructions: NotGivenOr[str] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        tools: NotGivenOr[list[llm.Tool]] = NOT_GIVEN,
    ) -> asyncio.Future[llm.GenerationCreatedEvent]:
        features = self._provider.features
        if is_given(tools) and not features.tools:
            self._note_not_honoured("generate_reply(tools=...)", "takes no tools for a single reply")
        id, typed = utils.shortuuid("request_"), self._typed
        self._typed = None
        # Typed words that something followed are part of the past.
        item, text = typed[:2] if typed is not None and typed[2] == self._shell.host.context.recorded else (None, None)
        asked = do.Reply(
            id,
            instructions=instructions if is_given(instructions) else None,
            user_text=text,
            item=item,
            tool_choice=tool_choice if is_given(tool_choice) and features.tool_choice else None,
            tools=tuple(tools) if is_given(tools) and features.tools else None,
        )
        return self._ask(local.ReplyKind.GENERATE, id, asked)

    def reply_out_of_band(self, *, instructions: str | None = None) -> asyncio.Future[llm.GenerationCreatedEvent]:
        """Ask for an answer that becomes part of no context; see :func:`reply_ephemeral`, which also has it played.

        Raises OutOfBandUnsupported where the provider's wire has no such replies.
        """
        if not self._provider.capabilities.out_of_band:
            raise OutOfBandUnsupported(self.realtime_model.provider)
        id = utils.shortuuid("request_")
        return self._ask(local.ReplyKind.OUT_OF_BAND, id, do.Reply(id, instructions=instructions, out_of_band=True))

    def say(self, text: str | AsyncIterable[str]) -> asyncio.Future[llm.GenerationCreatedEvent]:
        id = utils.shortuuid("request_")
        future: asyncio.Future[llm.GenerationCreatedEvent] = asyncio.Future()
        if not self._provider.capabilities.say:
            self._not_honoured["say"] += 1
            future.set_exception(SayUnsupported(self.realtime_model.provider))
            future.exception()
            return future
        if isinstance(text, str):
            return self._say(id, text, future)
        task = asyncio.create_task(self._say_collected(id, text, future), name="rtfsm-say")
        future.add_done_callback(lambda f: f.cancelled() or f.exception())
        self._saying[task] = future
        task.add_done_callback(lambda done: self._saying.pop(done, None))
        return future

    async def _say_collected(
        self, id: str, text: AsyncIterable[str], future: asyncio.Future[llm.GenerationCreatedEvent]
    ) -> None:
        parts: list[str] = []

        async def collect() -> None:
            async for part in text:
                parts.append(part)

        try:
            await asyncio.wait_for(collect(), timeout=10.0)
        except Exception as error:
            if not future.done():
                future.set_exception(
                    llm.RealtimeError(f"no reply: the text to say did not come ({type(error).__name__})")
                )
            return
        if not future.done():
            self._say(id, "".join(parts), future)

    def _say(
        self, id: str, text: str, future: asyncio.Future[llm.GenerationCreatedEvent]
    ) -> asyncio.Future[llm.GenerationCreatedEvent]:
        if text.strip():
            return self._ask(local.ReplyKind.SAY, id, do.Say(id, text), future)
        future.add_done_callback(lambda f: f.exception())
        future.set_exception(llm.RealtimeError("no reply: the text to say is empty"))
        return future

    def _ask(
        self,
        kind: local.ReplyKind,
        id: str,
        command: do.Command,
        future: asyncio.Future[llm.GenerationCreatedEvent] | None = None,
    ) -> asyncio.Future[llm.GenerationCreatedEvent]:
        self._begin_by_default()
        future = future if future is not None else asyncio.Future()
        # A failure that nobody awaits any more is no defect of the loop's: mark it as seen.
        future.add_done_callback(lambda f: f.cancelled() or f.exception())
        self._shell.host.request(kind, id, Request(future, command))
        return future

    def _give_up_saying(self) -> list[asyncio.Task[None]]:
        """End what is to be said and has not come yet. The futures end here: a task may never have run."""
        given_up = dict(self._saying)
        for task, future in given_up.items():
            if not future.done():
                future.set_exception(llm.RealtimeError("no reply: interrupted before the text to say had come"))
            task.cancel()
        return list(given_up)

    def interrupt(self) -> None:
        self._give_up_saying()
        self._shell.submit(local.InterruptRequested())
        self._shell.host.waiting.interrupted()

    def truncate(
        self,
        *,
        message_id: str,
        modalities: list[Literal["text", "audio"]],
        audio_end_ms: int,
        audio_transcript: NotGivenOr[str] = NOT_GIVEN,
    ) -> None:
        context = self._shell.host.context
        if not self._provider.features.items:
            if is_given(audio_transcript):
                context.heard(message_id, audio_transcript)
            return
        spoken = "audio" in modalities
        if spoken and audio_end_ms > 0:
            self._shell.line.cuts[message_id] = audio_end_ms
        if self.conversation.awaits_playout(message_id):
            self._shell.submit(local.TruncateAsked(message_id))
        elif spoken:  # the host knows better than an estimate of the end
            self._shell.line.cut(message_id)
        if is_given(audio_transcript):
            if spoken:
                context.heard(message_id, audio_transcript, kept=audio_end_ms > 0)
            else:
                self._shell.items.rewrite(message_id, audio_transcript)

    # -- the end ---------------------------------------------------------------------------------------------------

    async def aclose(self) -> None:
        self._shell.submit(local.CloseRequested())
        saying = self._give_up_saying()
        if saying:
            await asyncio.wait(saying)
        try:
            await asyncio.wait_for(self._shell.wait_closed(), timeout=CLOSE_LIMIT)
        except asyncio.TimeoutError:
            logger.warning("the provider's connection did not close in %s s; it was left to itself", CLOSE_LIMIT)

    def _note_not_honoured(self, what: str, why: str) -> None:
        """Count a call of the host that the provider has nothing for, and say so once."""
        self._not_honoured[what] += 1
        if self._not_honoured[what] == 1:
            logger.warning("%s has no effect: %s %s", what, self.realtime_model.provider, why)
