"""The ids that our messages bear, so that an error says which of them it is about.

An error of the Realtime API repeats the ``event_id`` of the message that it answers. So the id says what the message
was and of what; nothing has to be remembered.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["Cause", "cause_of", "named"]

MARK = "rtfsm."


class Cause(Enum):
    CONFIG = "config"
    REPLY = "reply"
    CANCEL = "cancel"
    CREATE = "create"
    DELETE = "delete"
    TRUNCATE = "truncate"
    OUTPUT = "output"
    COMMIT = "commit"
    CLEAR = "clear"


def named(cause: Cause, id: str = "", *, number: int | str = "") -> str:
    """The ``event_id`` of a message of this kind, about this. number: tells it from others like it."""
    return f"{MARK}{cause.value}.{number}.{id}"


def cause_of(event_id: str | None) -> tuple[Cause | None, str]:
    """What a message was, and about what; (None, "") for one that is not ours."""
    if event_id is None or not event_id.startswith(MARK):
        return None, ""
    kind, _, rest = event_id[len(MARK) :].partition(".")
    try:
        return Cause(kind), rest.partition(".")[2]
    except ValueError:
        return None, ""
