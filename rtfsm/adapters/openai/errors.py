"""What the errors of the Realtime API mean, and what the end of a response says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rtfsm.language import Event
from rtfsm.vocabulary import wire

from .causes import Cause, cause_of
from .incoming import ErrorBody, Response

__all__ = ["FATAL_CODES", "STATUS", "ended", "events_of_error"]

FATAL_CODES = frozenset(
    {
        "account_deactivated",
        "billing_hard_limit_reached",
        "credit_balance_exhausted",
        "insufficient_quota",
        "invalid_api_key",
    }
)
"""Codes or types of errors after which no other connection would fare better (API reference, and those that
livekit-agents 1.8.9 knows)."""

EXPIRED = "session_expired"
NOT_ACTIVE = "response_cancel_not_active"
NOTHING_TO_COMMIT = "input_audio_buffer_commit_empty"
THERE_ALREADY = "item_create_duplicate_item_id"
NOT_THERE = "item_delete_invalid_item_id"

STATUS = {
    "completed": wire.GenerationStatus.COMPLETED,
    "cancelled": wire.GenerationStatus.CANCELLED,
    "incomplete": wire.GenerationStatus.INCOMPLETE,
    "failed": wire.GenerationStatus.FAILED,
}

_CHANGES = {
    Cause.CREATE: wire.ItemChange.CREATE,
    Cause.OUTPUT: wire.ItemChange.CREATE,
    Cause.DELETE: wire.ItemChange.DELETE,
    Cause.TRUNCATE: wire.ItemChange.TRUNCATE,
}


def events_of_error(error: ErrorBody) -> Sequence[Event]:
    """An error, told to whom it is about: a request of ours, a change of the conversation, or the session."""
    cause, id = cause_of(error.event_id)
    code = error.code or error.type
    fault = wire.Fault(_is_fatal(error.code, error.type), code, error.message)
    if cause is Cause.REPLY:
        rejected = wire.RequestRejected(id, code)
        return (rejected, fault) if fault.fatal else (rejected,)
    if fault.fatal:
        return (fault,)
    if cause is Cause.CONFIG:
        return (wire.ConfigRejected(error.message, code, id),)
    if cause in _CHANGES:
        as_wanted = error.code in (THERE_ALREADY, NOT_THERE)
        return (wire.ItemRejected(id, _CHANGES[cause], code, error.message, as_wanted),)
    if cause is Cause.CANCEL or error.code == NOT_ACTIVE or error.message.startswith("Cancellation failed"):
        return ()  # it had ended by itself
    if cause is Cause.COMMIT and error.code == NOTHING_TO_COMMIT:
        return ()  # the server's own turn detection was first
    if error.code == EXPIRED:
        return (wire.GoingAway(0.0),)
    return (fault,)


def _is_fatal(code: Any, kind: Any) -> bool:
    return code in FATAL_CODES or kind in FATAL_CODES


def ended(response: Response) -> list[Event]:
    """The end of a response: how, what it cost, and what went wrong."""
    details = response.status_details if isinstance(response.status_details, dict) else {}
    events: list[Event] = []
    if response.status == "cancelled" and details.get("reason") == "turn_detected":
        events.append(wire.GenerationInterrupted(response.id))
    if response.status == "failed":
        error = details.get("error")
        error = error if isinstance(error, dict) else {}
        code, kind = _text(error.get("code")), _text(error.get("type"))
        # Before the end: that may be what a new connection waits for, and then nothing of this one counts any more.
        events.append(wire.Fault(_is_fatal(code, kind), code or kind, _text(error.get("message")) or "it failed"))
    events.append(wire.GenerationDone(STATUS.get(response.status or "", STATUS["completed"]), response.id))
    events.append(wire.Usage(response.id, counts=counts_of(response.usage)))
    return events


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def counts_of(usage: Any) -> dict[str, float]:
    """Tokens and seconds, under the names that the shell's measurements have; what makes no sense is left out."""
    if not isinstance(usage, dict):
        return {}
    counts: dict[str, Any] = {
        "input": usage.get("input_tokens"),
        "output": usage.get("output_tokens"),
        "total": usage.get("total_tokens"),
        "seconds": usage.get("seconds"),
    }
    for name, details in (("input", usage.get("input_token_details")), ("output", usage.get("output_token_details"))):
        if isinstance(details, dict):
            counts.update({f"{name}.{what}": details.get(f"{what}_tokens") for what in _KINDS})
            cached = details.get("cached_tokens_details")
            if isinstance(cached, dict):
                counts.update({f"cached.{what}": cached.get(f"{what}_tokens") for what in _KINDS})
    return {name: count for name, count in counts.items() if isinstance(count, (int, float)) and count >= 0}


_KINDS = ("audio", "text", "image", "cached")
