"""Clauses 30 and 43 to 49: what the session and its provider remember."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

from livekit.agents import llm

from .generation import conversation
from .probe import Book, Broken, NotApplicable, NotExercised, demand
from .scene import Scene, weather
from .witness import Witness

__all__ = ["book"]

book = Book()
UPDATE_LIMIT = 30.0
"""Seconds within which an update must have returned, whatever the provider does."""


@book.drill(
    30,
    "an-emptied-message-is-kept",
    "A known message that comes back without content, as a placeholder, keeps what it said.",
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    await scene.agent("Words to keep.")
    if not scene.witness.named("remote_item_added"):
        raise NotApplicable("it never emits remote_item_added, so no placeholder comes back")
    id = scene.last.messages[0].id
    context = session.chat_ctx
    item = context.get_by_id(id)
    if not isinstance(item, llm.ChatMessage):
        raise Broken("expected the announced message in chat_ctx; it is missing")
    context.items[context.items.index(item)] = llm.ChatMessage(id=id, role="assistant", content=[])
    await session.update_chat_ctx(context)
    kept = session.chat_ctx.get_by_id(id)
    words = kept.text_content if isinstance(kept, llm.ChatMessage) else None
    demand(words == "Words to keep.", "expected an empty placeholder to change nothing; the words are gone")


@book.watch(
    43,
    "remote-items-are-appended",
    "remote_item_added names the item before, as told last, or none; and its type stays the same.",
    story=conversation,
)
def _appended(seen: Witness) -> Iterator[str]:
    told = [one.event for one in seen.named("remote_item_added")]
    if not seen.generations:
        raise NotExercised("there was nothing to remember")
    if not told:
        raise NotApplicable("it never emits remote_item_added, which is optional")
    known: set[str] = {message.id for message in seen.messages} | {call.id for call in seen.calls}
    transcripts = {one.event.item_id for one in seen.named("input_audio_transcription_completed")}
    before: str | None = None
    for event in told:
        if (
            event.previous_item_id is not None
            and event.previous_item_id != before
            and event.previous_item_id not in known | transcripts
        ):
            yield "expected previous_item_id to name the item told before; it names none"
        before = event.item.id
        is_message = before in {message.id for message in seen.messages} | transcripts
        if is_message and event.item.type != "message":
            yield f"expected a message under a message's id; remote_item_added told {event.item.type}"


@book.drill(
    44, "the-context-has-the-told-ids", "chat_ctx holds what was said and called, under the ids that events gave."
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    await scene.user("A question.")
    await scene.agent("An answer.")
    call = await scene.calls()
    await scene.stage.settle()
    context = session.chat_ctx
    answers = [message.id for one in scene.generations for message in one.messages if message.words.strip()]
    demand(answers, "expected the answer to be announced as a message; it was not")
    demand(
        context.get_by_id(answers[0]) is not None, "expected the answer in chat_ctx under its message_id; it is missing"
    )
    finals = [one.event for one in scene.witness.named("input_audio_transcription_completed") if one.event.is_final]
    if session.capabilities.user_transcription:
        demand(finals, "expected a final transcript; saw none")
        demand(
            context.get_by_id(finals[-1].item_id) is not None,
            "expected the user's words in chat_ctx under their item_id; they are missing",
        )
    held = [item for item in context.items if isinstance(item, llm.FunctionCall) and item.call_id == call.call_id]
    demand(held, "expected the tool call in chat_ctx; it is missing")
    demand(
        held[0].id == call.id, "expected the tool call in chat_ctx under the id that was handed over; it has another"
    )
    order = [context.index_by_id(id) or 0 for id in ([finals[-1].item_id] if finals else []) + answers[:1]]
    demand(order == sorted(order), "expected the question before the answer in chat_ctx; it is after")


@book.drill(
    45, "any-item-can-be-pushed", "update_chat_ctx() takes items of every type, the framework's own among them."
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    context = session.chat_ctx
    context.items.append(llm.AgentHandoff(new_agent_id="another"))
    context.items.append(llm.AgentConfigUpdate(instructions="Be brief."))
    context.add_message(role="system", content="A remark.")
    context.add_message(role="user", content=[])
    context.items.append(llm.FunctionCallOutput(call_id="nobody", name="weather", output="sunny", is_error=False))
    try:
        await session.update_chat_ctx(context)
    except Exception as error:
        demand(False, f"expected items of any type to be taken; update_chat_ctx() raised {type(error).__name__}")
    await scene.stage.settle()
    await scene.still_works()


@book.drill(
    45,
    "the-context-becomes-what-is-pushed",
    "After update_chat_ctx() the session holds the messages that were pushed, and no others.",
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    await scene.agent("To be removed.")
    context = session.chat_ctx
    context.items.clear()
    added = context.add_message(role="user", content="Added.")
    await session.update_chat_ctx(context)
    held = [item.id for item in session.chat_ctx.items if isinstance(item, llm.ChatMessage)]
    demand(added.id in held, "expected the pushed message in chat_ctx; it is missing")
    demand(held == [added.id], f"expected the 1 pushed message in chat_ctx; it holds {len(held)}")


async def _bounded(scene: Scene, what: str, update: Callable[[], Awaitable[Any]]) -> None:
    try:
        await asyncio.wait_for(update(), UPDATE_LIMIT)
    except llm.RealtimeError:
        pass
    except asyncio.TimeoutError:
        demand(False, f"expected {what}() to return or to raise RealtimeError within {UPDATE_LIMIT:g} s; it hangs")


@book.drill(
    46,
    "updates-are-bounded",
    "Every update_*() returns, or raises RealtimeError, also when the provider never answers.",
)
async def _(scene: Scene) -> None:
    scene.stage.keeps_silent()
    session = scene.opens()
    await scene.stage.settle(1.0)
    context = llm.ChatContext.empty()
    context.add_message(role="user", content="Words.")
    context.items.append(llm.FunctionCallOutput(call_id="lost", name="weather", output="sunny", is_error=False))
    for _ in range(2):
        await _bounded(scene, "update_instructions", lambda: session.update_instructions("Be brief."))
        await _bounded(scene, "update_chat_ctx", lambda: session.update_chat_ctx(context))
        await _bounded(scene, "update_tools", lambda: session.update_tools([weather]))
        await _bounded(
            scene, "_update_session", lambda: session._update_session(instructions="Be another.", chat_ctx=context)
        )


async def _updating_in_every_state(scene: Scene) -> None:
    count = 0

    async def update() -> None:
        nonlocal count
        count += 1
        context = scene.session.chat_ctx
        context.add_message(role="user", content=f"Words {count}.")
        for one in (
            scene.session.update_instructions(f"Be brief, {count} times."),
            scene.session.update_chat_ctx(context),
            scene.session.update_tools([weather] if count % 2 else []),
        ):
            with suppress(Exception):  # the witness has noted it
                await asyncio.wait_for(one, UPDATE_LIMIT)

    scene.opens()
    await update()
    await scene.configures()
    await update()
    await scene.runs()
    await update()
    await scene.agent("Words.", finishes=False)
    await update()
    await scene.stage.user_starts()
    await update()
    await scene.stage.drops(for_good=False)
    await update()
    await scene.stage.settle()
    await update()
    await scene.stage.drops(for_good=True)
    await scene.stage.settle()
    await update()
    await scene.witness.close()
    await update()


@book.watch(
    47,
    "updates-raise-only-realtime-error",
    "An update_*() that fails raises llm.RealtimeError and nothing else, in every state.",
    story=_updating_in_every_state,
)
def _only_realtime_errors(seen: Witness) -> Iterator[str]:
    calls = seen.calls_of("update_instructions", "update_chat_ctx", "update_tools")
    if not calls:
        raise NotExercised("nothing was updated")
    for called in calls:
        if called.raised is not None and not isinstance(called.raised, (llm.RealtimeError, asyncio.CancelledError)):
            yield f"expected {called.name}() to raise RealtimeError or nothing; it raised {called.failure}"


@book.drill(
    48, "updates-do-not-mix", "Updates that run at the same time all end, and what is held is what was pushed last."
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    pushes = []
    for number in range(4):
        context = llm.ChatContext.empty()
        context.add_message(role="system", content=f"Remark {number}.")
        pushes.append(context)
    results = await asyncio.wait_for(
        asyncio.gather(
            *(session.update_chat_ctx(context) for context in pushes),
            session.update_tools([weather]),
            session.update_instructions("Be brief."),
            return_exceptions=True,
        ),
        UPDATE_LIMIT,
    )
    failed = [type(one).__name__ for one in results if isinstance(one, BaseException)]
    demand(not failed, f"expected updates to run at the same time; {len(failed)} raised {failed[:1]}")
    held = [item.id for item in session.chat_ctx.items if isinstance(item, llm.ChatMessage)]
    demand(held == [pushes[-1].items[0].id], "expected chat_ctx to be what was pushed last; it is something else")


@book.drill(
    49,
    "typed-words-reach-the-provider",
    "What the user typed is told to the provider once, with the request that follows.",
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    context = session.chat_ctx
    context.add_message(role="user", content="Typed by the user.")
    await session.update_chat_ctx(context)
    request = scene.asks()
    await scene.provider_got(1)
    await scene.stage.settle()
    told = scene.stage.received("Typed by the user.")
    demand(told == 1, f"expected the provider to be told the typed words once; it was told {told} times")
    await scene.agent("An answer.", asked=True)
    demand(request.answer is not None, "expected the typed words to be answered; the request failed")
