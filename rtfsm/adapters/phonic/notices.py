"""What Phonic tells the application alone, in a form that it can rely on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from rtfsm.language import Event
from rtfsm.vocabulary import wire

from .incoming import ToolCallOutputProcessed

__all__ = ["ProcessedToolCall", "processed", "timings"]


@attrs.frozen
class ProcessedToolCall:
    """A tool call that Phonic is done with: one of ours, or one that Phonic made itself.

    call: its id. tool: the tool's name, None where Phonic does not say. timed_out: the output did not come in time.
    duration: seconds that the call took, None where Phonic does not say. error: what went wrong, or None. role: "user"
    for a call made while the user was speaking, else "assistant". details: the other fields of
    `tool_call_output_processed` that have a value, under Phonic's names and as they came (Phonic SDK 0.32): parameters,
    output, and what a webhook was asked and answered.
    """

    call: str
    tool: str | None
    timed_out: bool
    duration: float | None
    error: str | None = attrs.field(repr=False)
    role: str | None
    details: Mapping[str, Any] = attrs.field(repr=False)


_DETAILS = ToolCallOutputProcessed.__struct_fields__[6:]


def processed(message: ToolCallOutputProcessed) -> ProcessedToolCall:
    """The message, as far as it makes sense."""
    tool = message.tool.get("name") if isinstance(message.tool, dict) else None
    took = message.duration_ms
    details = {name: getattr(message, name) for name in _DETAILS}
    return ProcessedToolCall(
        message.tool_call_id,
        tool=tool if isinstance(tool, str) else None,
        timed_out=bool(message.timed_out),
        duration=took / 1000 if _is_number(took) else None,
        error=message.error_message if isinstance(message.error_message, str) else None,
        role=message.conversation_item_role if isinstance(message.conversation_item_role, str) else None,
        details={name: value for name, value in details.items() if value is not None},
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def timings(named: Any) -> Sequence[Event]:
    """Phonic's latencies in milliseconds. What they measure, their names say; the SDK 0.32 lists none."""
    if not isinstance(named, dict):
        return (wire.Malformed("bad timings"),)
    return (wire.Notice("timings", {name: value for name, value in named.items() if _is_number(value)}),)
