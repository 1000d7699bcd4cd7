"""What a judge of a client's frames takes and gives: frames in, errors and notes out."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Protocol

from attrs import field, frozen

from rtfsm.testing.server.checks import kind

Message = dict[str, Any]
"""One message of the wire: a JSON object with a `type`."""


@frozen
class ClientError:
    """Something that a correct client never sends."""

    index: int
    """Position among all frames of this connection, from 0."""
    type: str
    """The message's type, or what took its place ("binary frame", "invalid JSON", ...)."""
    problem: str
    """What was wrong, in one line, without spoken words."""

    def __str__(self) -> str:
        return f"message {self.index} ({self.type}): {self.problem}"


@frozen
class ClientNote:
    """Something worth knowing that is no error. Same fields as `ClientError`."""

    index: int
    type: str
    note: str


@frozen
class Arrival:
    """One judged frame: its type, and the message where there is one that a server could act on."""

    type: str
    message: Message | None = field(repr=False)
    audio: bytes = field(default=b"", repr=False)
    """The decoded sound of a message of audio; empty where it cannot be used."""


class Judge(Protocol):
    """Judges one connection's client. Knows no socket and no clock."""

    errors: list[ClientError]
    notes: list[ClientNote]

    def receive(self, frame: str | bytes) -> Arrival:
        """Judge the client's next frame."""
        ...


def parse(frame: str | bytes) -> tuple[str, Message | None]:
    """The JSON object of a frame, or what the frame is in place of one."""
    if isinstance(frame, bytes):
        return "binary frame", None
    try:
        value = json.loads(frame, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return "invalid JSON", None
    return ("", value) if isinstance(value, dict) else (kind(value), None)


def decode(text: str) -> bytes | None:
    """The bytes of a base64 text, or None where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
