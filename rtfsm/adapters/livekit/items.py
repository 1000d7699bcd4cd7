"""The provider's conversation, item by item: what the host pushes becomes changes, and each is waited for.

Only for providers whose wire has items (``Features.items``). What of a push answers a tool call, or removes a message
that the host was to play, is for the machines to order; the rest is told as it is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from livekit.agents import llm
from livekit.agents.voice.generation import INSTRUCTIONS_MESSAGE_ID

from rtfsm.language import Event
from rtfsm.machines import Conversation, Delivery
from rtfsm.vocabulary import local
from rtfsm.vocabulary.wire import ItemAdded, ItemChange, ItemDeleted, ItemRejected

from . import provider as do
from .context import ContextMirror, is_wordless

if TYPE_CHECKING:
    from .line import WireSide

__all__ = ["Items"]

logger = logging.getLogger("rtfsm")

LIMIT = 5.0
"""Seconds that a change of the conversation may take."""
TOLD = ("message", "function_call", "function_call_output")
"""The types of items that a provider knows; LiveKit has others, for itself."""

Key = tuple[ItemChange, str]


class Items:
    """Tells the provider what the host pushes, and waits until it has taken it."""

    def __init__(
        self, context: ContextMirror, line: WireSide, conversation: Conversation, submit: Callable[[Event], None]
    ) -> None:
        self._context = context
        self._line = line
        self._conversation = conversation
        self._submit = submit
        self._lock = asyncio.Lock()
        self._waits: dict[Key, asyncio.Future[str | None]] = {}
        """What was told and not answered; ends with why it was refused, or None."""
        self.refused = 0
        """Changes that the provider refused."""

    # -- what the host pushes --------------------------------------------------------------------------------------

    async def update(self, ctx: llm.ChatContext) -> None:
        """Make the provider's conversation equal to ``ctx``.

        Raises RealtimeError where it does not say in time that it is; what it refuses is logged and left out.
        """
        async with self._lock:
            keys = self._change(ctx)
            waits = [self._waits[key] for key in keys if key in self._waits]
            if not waits:
                return
            _, pending = await asyncio.wait(waits, timeout=LIMIT)
            for key in keys:
                self._waits.pop(key, None)
            if pending:
                raise llm.RealtimeError(
                    f"the provider did not say within {LIMIT:g} s that it took {len(pending)} of {len(waits)} changes "
                    "of its conversation"
                )

    def _change(self, ctx: llm.ChatContext) -> list[Key]:
        pushed = [item for item in ctx.items if item.type in TOLD and item.id != INSTRUCTIONS_MESSAGE_ID]
        known = {item.id: item for item in self._context.items}
        corrected = [item for item in map(self._context.corrected, pushed) if item is not None]
        wanted = [item for item in corrected if item.id in known or not is_wordless(item)]
        ids = {item.id for item in wanted}
        # What LiveKit pushes is the copy that it took here, with changes, or else its own record, which it begins with
        # items of its own and in which it has not written down what is still to be heard.
        meant = all(item.type in TOLD for item in ctx.items)
        keys = [key for item in known.values() if item.id not in ids for key in self._removed(item, meant=meant)]
        before: str | None = None
        left = sum(item.id in known for item in wanted)
        for item in wanted:
            old = known.get(item.id)
            left -= old is not None
            # What nothing known follows goes to the end, behind items that the host has never been told of.
            place = do.CreateItem(item, after=before if left else None, first=bool(left) and before is None)
            if old is None:
                keys += self._created(place)
            elif self._differs(old, item):
                keys += [self._delete(item.id), self._create(place)]
            before = item.id
        return keys

    @staticmethod
    def _differs(old: llm.ChatItem, new: llm.ChatItem) -> bool:
        if not isinstance(old, llm.ChatMessage) or not isinstance(new, llm.ChatMessage):
            return False
        before, now = (old.raw_text_content or "").strip(), (new.raw_text_content or "").strip()
        # Where one of them has no words, the provider holds sound that nobody has written down: it stays.
        return bool(before and now) and before != now

    def _removed(self, item: llm.ChatItem, *, meant: bool) -> list[Key]:
        """The host has this item not, or no more. Its own record never had those without words; and a call that is yet
        to be answered stays in any case."""
        if item.type == "function_call" and self._conversation.knows_call(item.call_id):
            return []
        if is_wordless(item) and not meant:
            return []
        if self._conversation.awaits_playout(item.id):
            key = self._expect(ItemChange.DELETE, item.id)
            self._submit(local.MessageRemoved(item.id, meant))
            if self._context.get(item.id) is not None:  # the machines keep it
                self._waits.pop(key, None)
            return [key]
        return [self._delete(item.id)]

    def _created(self, place: do.CreateItem) -> list[Key]:
        item = place.item
        if not isinstance(item, llm.FunctionCallOutput):
            return [self._create(place)]
        if self._conversation.knows_call(item.call_id):
            self._context.put(item, place.after, first=place.first)
            key = self._expect(ItemChange.CREATE, item.id)
            wanted = local.ToolReply.WANTED if item.reply_required else local.ToolReply.NOT_WANTED
            self._submit(local.ToolOutputGiven(item.call_id, str(item.output), wanted))
            return [key]
        if self._context.unanswered(item.call_id):  # of a call that was made elsewhere, or on an earlier connection
            return [self._create(place)]
        self._submit(local.ToolOutputGiven(item.call_id, str(item.output), local.ToolReply.NOT_WANTED))
        return []

    def _create(self, place: do.CreateItem) -> Key:
        self._context.put(place.item, place.after, first=place.first)
        key = self._expect(ItemChange.CREATE, place.item.id)
        if not self._line.tell(place):
            self._waits.pop(key, None)  # it waits itself, or the provider has no form for it
        return key

    def _delete(self, item: str) -> Key:
        self._context.remove(item)
        key = self._expect(ItemChange.DELETE, item)
        self._line.tell(do.DeleteItem(item))
        return key

    def _expect(self, change: ItemChange, item: str) -> Key:
        """Wait for the provider's answer, where it is told now; else the next configuration tells it."""
        if self._conversation.delivery is Delivery.NOW:
            self._waits[change, item] = asyncio.get_running_loop().create_future()
        return change, item

    def rewrite(self, item_id: str, text: str) -> None:
        """Put other words into a message that the host has cut."""
        old = self._context.get(item_id)
        if not isinstance(old, llm.ChatMessage):
            return
        if not text.strip():
            self._delete(item_id)
            return
        index = self._context.items.index(old)
        before = self._context.items[index - 1].id if index else None
        new = old.model_copy(update={"content": [text], "interrupted": True})
        self._delete(item_id)
        self._create(do.CreateItem(new, after=before, first=before is None))

    # -- what the provider says ------------------------------------------------------------------------------------

    def told(self, event: ItemAdded | ItemDeleted | ItemRejected) -> None:
        """Take note of what the provider's conversation holds."""
        if isinstance(event, ItemAdded):
            self._context.placed(event)
            self._answer((ItemChange.CREATE, event.item))
        elif isinstance(event, ItemDeleted):
            if (ItemChange.CREATE, event.item) not in self._waits:  # else it is put in anew, with other words
                self._context.remove(event.item)
            self._answer((ItemChange.DELETE, event.item))
        else:
            self._rejected(event)

    def _rejected(self, event: ItemRejected) -> None:
        key = event.change, event.item
        if event.known:
            self._answer(key)
            return
        self.refused += 1
        logger.warning("the provider refused that an item be %s (%s)", event.change.value, event.code or "no code")
        if event.change is ItemChange.CREATE:
            self._context.remove(event.item)
        self._answer(key, event.code or "refused")

    def _answer(self, key: Key, refused: str | None = None) -> None:
        waiting = self._waits.pop(key, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(refused)

    def lost(self) -> None:
        """The connection is gone, and with it all answers. The next one is told the conversation as a whole."""
        for key in list(self._waits):
            self._answer(key)
