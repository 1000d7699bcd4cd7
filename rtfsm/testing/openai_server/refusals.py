"""Why the service refuses a client's event: what becomes an `error` event, and whose fault it is."""

from __future__ import annotations

from attrs import frozen

from rtfsm.testing.openai_server import messages
from rtfsm.testing.server.checks import Complaint, Kind
from rtfsm.testing.server.judging import Message

_CODES = {
    Kind.UNKNOWN: "unknown_parameter",
    Kind.MISSING: "missing_required_parameter",
    Kind.TYPE: "invalid_type",
    Kind.VALUE: "invalid_value",
    Kind.TOO_LONG: "string_above_max_length",
}


@frozen
class Refusal:
    """An event that is not obeyed."""

    message: str
    code: str
    param: str | None = None
    fault: bool = True
    """Whether a correct client never does this. False where it may have crossed an event on the wire."""

    def event(self, event_id: object) -> Message:
        """The `error` event that answers the client's event."""
        client_event = event_id if isinstance(event_id, str) else None
        return messages.error(self.message, code=self.code, param=self.param, event_id=client_event)


def malformed(complaint: Complaint) -> Refusal:
    """A field that is wrong."""
    return Refusal(f"Invalid request: {complaint}.", _CODES[complaint.kind], complaint.path or None)


def unknown_item(doing: str, item_id: str) -> Refusal:
    """An event about an item that the conversation does not hold. `doing` is truncate, delete or retrieve."""
    message = f"Error: cannot {doing} the item with id '{item_id[:48]}', it does not exist."
    return Refusal(message, f"item_{doing}_invalid_item_id", "item_id")
