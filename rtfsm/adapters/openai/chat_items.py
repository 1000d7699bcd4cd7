"""LiveKit's chat items as items of the Realtime API, and what the API's items say to us."""

from __future__ import annotations

import base64
import hashlib
import logging
from typing import Any

from livekit import rtc
from livekit.agents import llm
from livekit.agents.llm.chat_context import Instructions

__all__ = ["call_id_of", "item_of", "tellable", "text_of"]

logger = logging.getLogger("rtfsm")

LONGEST_CALL_ID = 32
"""Characters that the API allows in a call's id; those of other providers, in a history, may be longer."""
_TEXT = {"assistant": "output_text", "user": "input_text", "system": "input_text", "developer": "input_text"}


def call_id_of(call: str) -> str:
    """A call's id as the API takes it: the same for the call and its output."""
    return call if len(call) <= LONGEST_CALL_ID else hashlib.sha256(call.encode()).hexdigest()[:LONGEST_CALL_ID]


def tellable(item: llm.ChatItem) -> bool:
    """Whether the API has a form for an item, and the item has something to say."""
    if isinstance(item, llm.ChatMessage):
        return bool(_content(item))
    return isinstance(item, (llm.FunctionCall, llm.FunctionCallOutput))


def item_of(item: llm.ChatItem, *, beta: bool = False) -> dict[str, Any]:
    """An item for ``conversation.item.create``. beta: in the words that Azure's dated API versions use.

    Raises ValueError for an item that the API has no form for.
    """
    if isinstance(item, llm.FunctionCall):
        call: dict[str, Any] = {"type": "function_call", "name": item.name, "arguments": item.arguments or "{}"}
        return {"id": item.id, **call, "call_id": call_id_of(item.call_id)}
    if isinstance(item, llm.FunctionCallOutput):
        return {
            "id": item.id,
            "type": "function_call_output",
            "call_id": call_id_of(item.call_id),
            "output": str(item.output),
        }
    if isinstance(item, llm.ChatMessage):
        role = "system" if item.role == "developer" else item.role
        content = _content(item)
        if beta and role == "assistant":
            content = [{**part, "type": "text"} for part in content]
        return {"id": item.id, "type": "message", "role": role, "content": content}
    raise ValueError(f"the Realtime API has no item like {type(item).__name__}")


def _content(message: llm.ChatMessage) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for part in message.content:
        if isinstance(part, (str, Instructions)):
            if str(part):
                parts.append({"type": _TEXT[message.role], "text": str(part)})
        elif message.role != "user":
            continue  # the API takes pictures and sound from the user alone
        elif isinstance(part, llm.ImageContent):
            picture = _picture(part)
            if picture is not None:
                parts.append({"type": "input_image", "image_url": picture})
        elif isinstance(part, llm.AudioContent):
            sound = base64.b64encode(rtc.combine_audio_frames(part.frame).data).decode()
            parts.append({"type": "input_audio", "audio": sound, "transcript": part.transcript})
    return parts


def _picture(part: llm.ImageContent) -> str | None:
    image = llm.utils.serialize_image(part)
    if image.data_bytes is None:
        logger.warning("a picture at an external address was left out: the Realtime API takes its bytes alone")
        return None
    return f"data:{image.mime_type};base64,{base64.b64encode(image.data_bytes).decode()}"


def text_of(content: Any) -> str:
    """The words in an item's content, as far as it has any; whatever else stands there is passed over."""
    if not isinstance(content, list):
        return ""
    parts = [part for part in content if isinstance(part, dict)]
    words = [part.get("text") or part.get("transcript") for part in parts]
    return "".join(word for word in words if isinstance(word, str))
