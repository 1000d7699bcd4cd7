"""Commands as client events of the Realtime API (openai 3.52)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rtfsm.adapters.livekit import provider as do

from .causes import Cause, named
from .chat_items import call_id_of, item_of, tellable
from .commands import SendEvent
from .tools import tool_choice_of, tool_definitions

__all__ = ["BESIDE", "LANE", "REQUEST", "messages_of"]

REQUEST, LANE, BESIDE = "rtfsm_request", "rtfsm_lane", "out_of_band"
"""In the metadata of a response, which the server repeats: which request it answers, and that it is no part of the
conversation."""

Message = dict[str, Any]


def messages_of(command: do.Command, number: int | str, *, beta: bool = False) -> list[Message]:
    """A command as client events; none where the API has none. number: tells their ids from those of others. beta: in
    the words from before GA."""
    if isinstance(command, SendEvent):
        return [command.event]
    if isinstance(command, do.CreateItem):
        return _created(command, named(Cause.CREATE, command.item.id, number=number), beta=beta)
    make = _MESSAGES.get(type(command))
    if make is None:
        return []
    cause, id, message = make(command)
    return [{**message, "event_id": named(cause, id, number=number)}]


def _created(command: do.CreateItem, event_id: str, *, beta: bool) -> list[Message]:
    if not tellable(command.item):
        return []
    created = {**_create(item_of(command.item, beta=beta)), "event_id": event_id}
    before = "root" if command.first else command.after
    return [{**created, "previous_item_id": before} if before is not None else created]


def _create(item: Message) -> Message:
    return {"type": "conversation.item.create", "item": item}


def _ask(command: do.Reply) -> tuple[Cause, str, Message]:
    response: Message = {"metadata": {REQUEST: command.request}}
    if command.instructions:
        # Instructions of a response stand in the place of the conversation's own.
        response["instructions"] = "\n".join(filter(None, (command.standing, command.instructions)))
    if command.out_of_band:
        response["conversation"] = "none"
        response["tool_choice"] = "none"
        response["metadata"][LANE] = BESIDE
    elif command.tool_choice is not None:
        response["tool_choice"] = tool_choice_of(command.tool_choice)
    if command.tools is not None:
        response["tools"] = tool_definitions(command.tools)
    return Cause.REPLY, command.request, {"type": "response.create", "response": response}


def _cancel(command: do.Cancel) -> tuple[Cause, str, Message]:
    id = command.generation
    return Cause.CANCEL, id, {"type": "response.cancel", "response_id": id}


def _output(command: do.ToolOutput) -> tuple[Cause, str, Message]:
    output = {"type": "function_call_output", "call_id": call_id_of(command.call), "output": command.output}
    item = {"id": command.item, **output} if command.item else output
    return Cause.OUTPUT, command.item or "", _create(item)


def _remark(command: do.SystemMessage) -> tuple[Cause, str, Message]:
    content = [{"type": "input_text", "text": command.text}]
    return Cause.CREATE, "", _create({"type": "message", "role": "system", "content": content})


def _delete(command: do.DeleteItem) -> tuple[Cause, str, Message]:
    return Cause.DELETE, command.item, {"type": "conversation.item.delete", "item_id": command.item}


def _truncate(command: do.TruncateItem) -> tuple[Cause, str, Message]:
    cut = {"item_id": command.item, "content_index": 0, "audio_end_ms": command.ms}
    return Cause.TRUNCATE, command.item, {"type": "conversation.item.truncate", **cut}


_MESSAGES: dict[type[do.Command], Callable[[Any], tuple[Cause, str, Message]]] = {
    do.Reply: _ask,
    do.Cancel: _cancel,
    do.ToolOutput: _output,
    do.SystemMessage: _remark,
    do.DeleteItem: _delete,
    do.TruncateItem: _truncate,
    do.CommitInput: lambda _: (Cause.COMMIT, "", {"type": "input_audio_buffer.commit"}),
    do.ClearInput: lambda _: (Cause.CLEAR, "", {"type": "input_audio_buffer.clear"}),
}
