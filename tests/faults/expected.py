"""What is expected of every fault at every point, stated before anything is played.

Rows are stretches of a conversation, columns are kinds of faults; a cell that is missing is a pair that does not exist.
The wire's rules behind the table: a connection that goes without a close frame (1006), or with 1012, or with 1001 and
the reason "restarting", leaves the conversation alive for ``GRACE`` seconds, in which a connection that names it takes
it up; no other close does (the close codes are those that Phonic's SDK 0.32 lists in its tests). A connection that the
client ends because its peer breaks the protocol, or sends no pong, counts as one that went without a close frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

__all__ = ["CLOSE_LIMIT", "GRACE", "SECONDS", "TABLE", "End", "Kind", "Stretch"]

GRACE = 30.0
"""Seconds after a loss for which a conversation can be taken up again."""
BACKOFF = 2.0
"""Seconds between two attempts, unless the model is told otherwise."""
READY_LIMIT = 10.0
"""Seconds for which the opening of a socket, or the consent to a configuration, is waited for."""
PING_LIMIT = 40.0
"""Seconds after which a peer that sends no pong is given up at the latest: 20 between pings, 20 for the pong."""
CLOSE_LIMIT = 2.0
"""Seconds for which the peer's answer to a close is waited for."""


class End(Enum):
    RESUMED = "resumed"
    """The same conversation on another connection: no configuration, ready again, told as session_reconnected."""
    AGAIN = "again"
    """A new conversation with the configuration and, if the first one ran, with what was said in it."""
    ENDED = "ended"
    """Told once as conversation_ended; no error."""
    FAILED = "failed"
    """Told once as an error that is not recoverable."""
    GOES_ON = "goes on"
    """Counted and survived, on the same connection."""
    CLOSED = "closed"
    """The host's own close: in bounded time, and nothing is told."""


class Stretch(Enum):
    """Where in a conversation."""

    DOOR = "before the handshake is answered"
    OPENING = "the socket is open, no consent yet"
    RUNNING = "the conversation runs"
    ENDING = "the assistant hung up, its goodbye is being heard"
    RESUMING_DOOR = "lost and tried again, before that handshake is answered"
    RESUMING = "lost and connected again, not taken up yet"
    LATE_DOOR = "lost, and still away when the time to take it up is over"
    EVERY_DOOR = "before every handshake is answered"
    EVERY_OPENING = "on every socket, before the consent"
    GONE = "lost, and the server never answers a handshake again"
    CLOSING = "the host's close is on its way"


class Kind(Enum):
    """What goes wrong."""

    LOSS = "the TCP connection ends or is reset"
    RESTART = "closed with 1012, or with 1001 and the reason restarting"
    PASSING = "closed with a code of trouble that may pass"
    NORMAL = "closed with a code of an intended end"
    REFUSAL = "closed with a code that no attempt would cure"
    BROKEN = "bytes that are no WebSocket frame, or one that nobody takes"
    GARBAGE = "frames that are no message"
    SILENCE = "no message any more, but pongs"
    STALL = "nothing any more, not even pongs"
    HTTP_PASSING = "an HTTP status of trouble that may pass"
    HTTP_REFUSAL = "an HTTP status that no attempt would cure"
    NO_SERVER = "refused, or answered by something that is no WebSocket server"


_OVER = {Kind.NORMAL: End.ENDED, Kind.REFUSAL: End.FAILED}
_FRAMES = (
    Kind.LOSS, Kind.RESTART, Kind.PASSING, Kind.NORMAL, Kind.REFUSAL, Kind.BROKEN, Kind.GARBAGE, Kind.SILENCE,
    Kind.STALL,
)  # fmt: skip
_DOORS = (Kind.LOSS, Kind.STALL, Kind.HTTP_PASSING, Kind.NO_SERVER)

TABLE: Mapping[Stretch, Mapping[Kind, End]] = {
    Stretch.DOOR: {**dict.fromkeys(_DOORS, End.AGAIN), Kind.HTTP_REFUSAL: End.FAILED},
    Stretch.OPENING: {
        **_OVER,
        Kind.LOSS: End.AGAIN,
        Kind.RESTART: End.AGAIN,
        Kind.PASSING: End.AGAIN,
        Kind.BROKEN: End.AGAIN,
        Kind.GARBAGE: End.GOES_ON,
        Kind.SILENCE: End.AGAIN,
        Kind.STALL: End.AGAIN,
    },
    Stretch.RUNNING: {
        **_OVER,
        Kind.LOSS: End.RESUMED,
        Kind.RESTART: End.RESUMED,
        Kind.PASSING: End.AGAIN,
        Kind.BROKEN: End.RESUMED,
        Kind.GARBAGE: End.GOES_ON,
        Kind.SILENCE: End.GOES_ON,
        Kind.STALL: End.RESUMED,
    },
    Stretch.ENDING: dict.fromkeys(_FRAMES, End.ENDED),
    # A refusal may mean the old conversation alone.
    Stretch.RESUMING_DOOR: {**dict.fromkeys(_DOORS, End.RESUMED), Kind.HTTP_REFUSAL: End.AGAIN},
    Stretch.RESUMING: {
        **_OVER,
        Kind.LOSS: End.RESUMED,
        Kind.RESTART: End.RESUMED,
        Kind.PASSING: End.AGAIN,
        Kind.BROKEN: End.RESUMED,
        Kind.GARBAGE: End.RESUMED,
        # Asked to take it up, the peer did not answer: it may never.
        Kind.SILENCE: End.AGAIN,
        Kind.STALL: End.AGAIN,
    },
    Stretch.LATE_DOOR: dict.fromkeys(_DOORS, End.AGAIN),
    Stretch.EVERY_DOOR: dict.fromkeys(_DOORS, End.FAILED),
    Stretch.EVERY_OPENING: dict.fromkeys(
        (Kind.LOSS, Kind.RESTART, Kind.PASSING, Kind.BROKEN, Kind.SILENCE, Kind.STALL), End.FAILED
    ),
    Stretch.GONE: {**dict.fromkeys(_DOORS, End.FAILED), Kind.HTTP_REFUSAL: End.FAILED},
    Stretch.CLOSING: dict.fromkeys(_FRAMES, End.CLOSED),
}

_AT_ONCE = 1.0
_ATTEMPT = BACKOFF + _AT_ONCE
_UNANSWERED = READY_LIMIT + _ATTEMPT
_GOODBYE = 2.5
_LATE = GRACE + 2.0

SECONDS: Mapping[Stretch, tuple[float, Mapping[Kind, float]]] = {
    Stretch.DOOR: (_ATTEMPT, {Kind.STALL: _UNANSWERED}),
    Stretch.OPENING: (_ATTEMPT, {Kind.STALL: _UNANSWERED, Kind.SILENCE: _UNANSWERED}),
    Stretch.RUNNING: (_ATTEMPT, {Kind.STALL: PING_LIMIT + CLOSE_LIMIT + _ATTEMPT}),
    Stretch.ENDING: (_GOODBYE, {Kind.STALL: _GOODBYE + CLOSE_LIMIT}),
    Stretch.RESUMING_DOOR: (2 * _ATTEMPT, {Kind.STALL: 2 * _ATTEMPT + READY_LIMIT}),
    Stretch.RESUMING: (_ATTEMPT, {Kind.STALL: _UNANSWERED, Kind.SILENCE: _UNANSWERED}),
    Stretch.LATE_DOOR: (_LATE + _AT_ONCE, {Kind.STALL: _LATE + READY_LIMIT + _AT_ONCE}),
    Stretch.EVERY_DOOR: (4 * _ATTEMPT, {Kind.STALL: 4 * _UNANSWERED}),
    Stretch.EVERY_OPENING: (4 * _ATTEMPT, {Kind.STALL: 4 * _UNANSWERED, Kind.SILENCE: 4 * _UNANSWERED}),
    Stretch.GONE: (5 * _ATTEMPT, {Kind.STALL: 5 * _UNANSWERED}),
    Stretch.CLOSING: (_AT_ONCE, {Kind.STALL: CLOSE_LIMIT + _AT_ONCE, Kind.SILENCE: _AT_ONCE}),
}
"""Seconds from the fault to its end, at most: in general, and for kinds that have to be waited for."""
