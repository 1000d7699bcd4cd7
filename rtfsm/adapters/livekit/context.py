"""The mirror of what the provider was told and has said, under the ids that LiveKit knows."""

from __future__ import annotations

from typing import TypeGuard, cast

from livekit.agents import llm

from rtfsm.vocabulary.wire import ItemAdded

__all__ = ["ContextMirror", "is_wordless"]

KEPT_PLACES = 64


def is_wordless(item: llm.ChatItem) -> TypeGuard[llm.ChatMessage]:
    """Whether it is a message of which nothing but its place is known."""
    return isinstance(item, llm.ChatMessage) and not item.content


class ContextMirror:
    """A chat context that only this adapter writes. What it hands out are copies."""

    def __init__(self) -> None:
        self._ctx = llm.ChatContext.empty()
        self.recorded = 0
        """Grows with everything that is recorded here, and not with what LiveKit pushes."""
        self._places: dict[str, str | None] = {}
        """Item -> the item before it, for what the provider holds and nothing else is known of yet."""
        self._heard: dict[str, str] = {}
        """Item -> what was heard of it, for the messages that were corrected; nothing for those that were removed."""

    @property
    def items(self) -> list[llm.ChatItem]:
        """What is remembered, in order. To be looked at alone."""
        return self._ctx.items

    def get(self, item_id: str) -> llm.ChatItem | None:
        return self._ctx.get_by_id(item_id)

    def put(self, item: llm.ChatItem, after: str | None = None, *, first: bool = False) -> None:
        """Put an item behind another one, or first of all; at the end, where that one is not known."""
        index = self._ctx.index_by_id(after) if after is not None else None
        place = 0 if first else len(self._ctx.items) if index is None else index + 1
        self._ctx.items.insert(place, item)

    def placed(self, added: ItemAdded) -> None:
        """The provider has put an item into its conversation: a message is remembered, with or without words yet; of
        anything else, where it stands."""
        if self.get(added.item) is not None:
            return
        if added.role in ("user", "assistant", "system"):
            role = cast(llm.ChatRole, added.role)
            self.put(llm.ChatMessage(id=added.item, role=role, content=[added.text] if added.text else []), added.after)
            return
        self._places[added.item] = added.after
        if len(self._places) > KEPT_PLACES:
            self._places.pop(next(iter(self._places)))

    def remove(self, item_id: str) -> bool:
        """Forget an item; whether it was remembered."""
        index = self._ctx.index_by_id(item_id)
        if index is None:
            return False
        del self._ctx.items[index]
        return True

    def drop_wordless(self) -> None:
        """Forget the messages of which only the sound was known: no other conversation can be told of them."""
        self._ctx.items[:] = [item for item in self._ctx.items if not is_wordless(item)]

    def unanswered(self, call: str) -> bool:
        """A call with this id is remembered, and no output of it."""
        of_call = [item.type for item in self._ctx.items if getattr(item, "call_id", None) == call]
        return "function_call" in of_call and "function_call_output" not in of_call

    def copy(self) -> llm.ChatContext:
        return self._ctx.copy()

    def replace(self, ctx: llm.ChatContext) -> list[llm.ChatItem]:
        """Become equal to ``ctx``, but for what is known to be wrong in it; returns the new items, in its order.

        LiveKit writes what it believes was said when it cuts; what the provider says was heard comes later, so that a
        push may still hold the longer text. It brings nothing back that nobody heard.
        """
        ctx = ctx.copy()
        ctx.items[:] = [item for item in map(self.corrected, ctx.items) if item is not None]
        changes = llm.utils.compute_chat_ctx_diff(self._ctx, ctx)
        created = {item_id for _, item_id in changes.to_create}
        self._ctx = ctx
        return [item for item in self._ctx.items if item.id in created]

    def corrected(self, item: llm.ChatItem) -> llm.ChatItem | None:
        """An item that the host pushes, less what nobody heard of it; None where nobody heard any of it."""
        heard = self._heard.get(item.id)
        if heard is None or not isinstance(item, llm.ChatMessage) or len(item.raw_text_content or "") <= len(heard):
            return item
        return item.model_copy(update={"content": [heard], "interrupted": True}) if heard else None

    def assistant_said(self, item_id: str, text: str, *, began: float, interrupted: bool) -> None:
        """Record a message of the assistant. began: time.time() at its first content."""
        self._said(
            llm.ChatMessage(id=item_id, role="assistant", content=[text], interrupted=interrupted, created_at=began)
        )

    def user_said(self, item_id: str, text: str, *, began: float) -> None:
        """Record what the user said. began: time.time() at the onset of the speech."""
        self._said(llm.ChatMessage(id=item_id, role="user", content=[text], created_at=began))

    def _said(self, message: llm.ChatMessage) -> None:
        """Record a message in its place, where the provider has told it, else by the time at which it began."""
        self.recorded += 1
        index = self._ctx.index_by_id(message.id)
        if index is None:
            self._ctx.insert(message)
        else:
            self._ctx.items[index] = message

    def called(self, call: llm.FunctionCall) -> None:
        """Record a tool call."""
        self._record(call.model_copy())

    def answered(self, output: llm.FunctionCallOutput) -> None:
        """Record an output that LiveKit has not pushed."""
        self._record(output)

    def _record(self, item: llm.ChatItem) -> None:
        self.recorded += 1
        if item.id in self._places:
            self.put(item, self._places.pop(item.id))
        else:
            self._ctx.insert(item)

    def heard(self, item_id: str, text: str, *, kept: bool = False) -> None:
        """Correct a message of the assistant to what was heard of it; nothing heard removes it, unless it is kept for
        the sound that the provider still holds."""
        index = self._ctx.index_by_id(item_id)
        if index is None:
            return
        item = self._ctx.items[index]
        if not isinstance(item, llm.ChatMessage):
            return
        self._heard[item_id] = text if text.strip() else ""
        if text.strip() or kept:
            content = [text] if text.strip() else []
            self._ctx.items[index] = item.model_copy(update={"content": content, "interrupted": True})
        else:
            del self._ctx.items[index]
