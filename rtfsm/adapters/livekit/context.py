"""The mirror of what the provider was told and has said, under the ids that LiveKit knows."""

from __future__ import annotations

from livekit.agents import llm

__all__ = ["ContextMirror"]


class ContextMirror:
    """A chat context that only this adapter writes. What it hands out are copies."""

    def __init__(self) -> None:
        self._ctx = llm.ChatContext.empty()
        self.recorded = 0
        """Grows with everything that is recorded here, and not with what LiveKit pushes."""
        self._heard: dict[str, str] = {}
        """Item -> what was heard of it, for the messages that were corrected; nothing for those that were removed."""

    def copy(self) -> llm.ChatContext:
        return self._ctx.copy()

    def replace(self, ctx: llm.ChatContext) -> list[llm.ChatItem]:
        """Become equal to ``ctx``, but for what is known to be wrong in it; returns the new items, in its order.

        LiveKit writes what it believes was said when it cuts; what the provider says was heard comes later, so that a
        push may still hold the longer text. It brings nothing back that nobody heard.
        """
        ctx = ctx.copy()
        ctx.items[:] = [item for item in map(self._corrected, ctx.items) if item is not None]
        changes = llm.utils.compute_chat_ctx_diff(self._ctx, ctx)
        created = {item_id for _, item_id in changes.to_create}
        self._ctx = ctx
        return [item for item in self._ctx.items if item.id in created]

    def _corrected(self, item: llm.ChatItem) -> llm.ChatItem | None:
        heard = self._heard.get(item.id)
        if heard is None or not isinstance(item, llm.ChatMessage) or len(item.raw_text_content or "") <= len(heard):
            return item
        return item.model_copy(update={"content": [heard], "interrupted": True}) if heard else None

    def assistant_said(self, item_id: str, text: str, *, began: float, interrupted: bool) -> None:
        """Record a message of the assistant. began: time.time() at its first content."""
        self.recorded += 1
        self._ctx.insert(
            llm.ChatMessage(id=item_id, role="assistant", content=[text], interrupted=interrupted, created_at=began)
        )

    def user_said(self, item_id: str, text: str, *, began: float) -> None:
        """Record what the user said. began: time.time() at the onset of the speech."""
        self.recorded += 1
        self._ctx.insert(llm.ChatMessage(id=item_id, role="user", content=[text], created_at=began))

    def called(self, call: llm.FunctionCall) -> None:
        """Record a tool call."""
        self.recorded += 1
        self._ctx.insert(call.model_copy())

    def heard(self, item_id: str, text: str) -> None:
        """Correct a message of the assistant to what was heard of it; nothing heard removes it."""
        index = self._ctx.index_by_id(item_id)
        if index is None:
            return
        item = self._ctx.items[index]
        if not isinstance(item, llm.ChatMessage):
            return
        self._heard[item_id] = text if text.strip() else ""
        if text.strip():
            self._ctx.items[index] = item.model_copy(update={"content": [text], "interrupted": True})
        else:
            del self._ctx.items[index]
