"""The default conversation: its items in order, what they hold, and which calls are open."""

from __future__ import annotations

import math
from typing import Any

from attrs import define, field

from rtfsm.testing.openai_server.refusals import Refusal, unknown_item
from rtfsm.testing.server.judging import Message

ROOT = "root"
"""What a client writes for the place before the first item."""


@define(eq=False)
class Item:
    """An item, of the conversation or of a response outside of it."""

    id: str
    body: Message = field(repr=False)
    """The item as the wire has it, without its sound."""
    audio: bytearray = field(factory=bytearray, repr=False)
    """Its sound, where the server keeps sound."""
    audio_ms: float = 0.0
    """How long its sound is."""

    @property
    def kind(self) -> str:
        """message, function_call, function_call_output, ..."""
        return str(self.body.get("type"))

    @property
    def role(self) -> str | None:
        """Whose message it is."""
        role = self.body.get("role")
        return role if isinstance(role, str) else None

    @property
    def text(self) -> str:
        """All its words, written or spoken."""
        content: list[Any] = self.body.get("content") or []
        return " ".join(part.get("text") or part.get("transcript") or "" for part in content)


class Conversation:
    """The items of one session."""

    def __init__(self, conversation_id: str) -> None:
        self.id = conversation_id
        self.items: list[Item] = []

    def get(self, item_id: str) -> Item | None:
        """The item of this id."""
        return next((item for item in self.items if item.id == item_id), None)

    def before(self, item_id: str) -> str | None:
        """The id of the item before this one; None for the first one."""
        position = self._position(item_id)
        return self.items[position - 1].id if position > 0 else None

    @property
    def last_id(self) -> str | None:
        """The id of the last item."""
        return self.items[-1].id if self.items else None

    def refuse(self, item: Item, previous_item_id: str | None) -> Refusal | None:
        """Why the item cannot be added behind `previous_item_id`."""
        if self.get(item.id) is not None:
            message = f"Error adding item: an item with id '{item.id}' already exists."
            return Refusal(message, "item_create_duplicate_item_id", "item.id")
        if previous_item_id not in (None, ROOT) and self.get(str(previous_item_id)) is None:
            message = f"Error adding item: the previous item with id '{str(previous_item_id)[:48]}' does not exist."
            return Refusal(message, "item_create_invalid_previous_item_id", "previous_item_id")
        call_id = item.body.get("call_id")
        if item.kind == "function_call_output" and self._of_call("function_call", call_id) is None:
            message = f"Tool call ID '{str(call_id)[:48]}' not found in conversation."
            return Refusal(message, "invalid_tool_call_id", "item.call_id")
        return None

    def add(self, item: Item, previous_item_id: str | None = None) -> str | None:
        """Put an item behind another, at the end by default. Returns the id of the item before it."""
        if previous_item_id is None:
            self.items.append(item)
        else:
            self.items.insert(0 if previous_item_id == ROOT else self._position(previous_item_id) + 1, item)
        return self.before(item.id)

    def delete(self, item_id: str) -> Refusal | None:
        """Take an item out."""
        item = self.get(item_id)
        if item is None:
            return unknown_item("delete", item_id)
        self.items.remove(item)
        return None

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> Refusal | None:
        """Cut an assistant's message to what was heard. Its transcript goes."""
        item = self.get(item_id)
        if item is None:
            return unknown_item("truncate", item_id)
        content = item.body.get("content") or []
        if (
            item.role != "assistant"
            or content_index >= len(content)
            or content[content_index]["type"] != "output_audio"
        ):
            message = "Only the audio of an assistant's message can be truncated."
            return Refusal(message, "invalid_value", "content_index" if item.role == "assistant" else "item_id")
        if audio_end_ms > math.ceil(item.audio_ms):
            message = f"Audio content of {item.audio_ms:.0f}ms is already shorter than {audio_end_ms}ms"
            return Refusal(message, "invalid_value", "audio_end_ms")
        # Two bytes a sample or one: cut by share, at a whole sample.
        share = audio_end_ms / item.audio_ms if item.audio_ms else 0.0
        del item.audio[round(len(item.audio) * share) // 2 * 2 :]
        item.audio_ms = float(audio_end_ms)
        content[content_index]["transcript"] = None
        return None

    def answered(self, call_id: object) -> bool:
        """Whether the conversation holds an output of this call."""
        return self._of_call("function_call_output", call_id) is not None

    @property
    def open_calls(self) -> list[str]:
        """The calls that have no output yet, in order."""
        calls = [str(item.body.get("call_id")) for item in self.items if item.kind == "function_call"]
        return [call_id for call_id in calls if not self.answered(call_id)]

    def _of_call(self, kind: str, call_id: object) -> Item | None:
        return next((item for item in self.items if item.kind == kind and item.body.get("call_id") == call_id), None)

    def _position(self, item_id: str) -> int:
        return next(position for position, item in enumerate(self.items) if item.id == item_id)
