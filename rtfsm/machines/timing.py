"""Every duration of the machines, in seconds."""

from __future__ import annotations

import attrs

__all__ = ["Timing"]


@attrs.frozen
class Timing:
    """How long each wait lasts, in seconds.

    connect: opening the socket. resume: after a loss, for which the provider remembers the conversation. config:
    the host's configuration. ready: the provider's consent. backoff: before the next attempt. roll: for a quiet
    moment before a connection is cut. end: hearing the goodbye. close: the closing handshake. stall: an open turn
    without content. implicit: a turn without brackets, without words. drain: speech in flight when a tool is
    called. tail: content of an ended turn. tail_cap: the same, at most. cancel: the acknowledgement of a cancel.
    reply: the answer to a request. discard: the late answer to an ended request. answer: a tool's output. taken:
    the provider's note that it took it. speech: one stretch of user speech. transcript: its words. playout: the
    start of an announced message. stopped: the host's word on how far a message was heard that it was told to stop.
    unheard: the first sound of such a message, where there was none before.
    """

    connect: float = 10.0
    resume: float = 30.0
    config: float = 30.0
    ready: float = 10.0
    backoff: float = 2.0
    roll: float = 30.0
    end: float = 30.0
    close: float = 2.0
    stall: float = 30.0
    implicit: float = 2.0
    drain: float = 0.5
    tail: float = 1.0
    tail_cap: float = 30.0
    cancel: float = 3.0
    reply: float = 10.0
    discard: float = 5.0
    answer: float = 59.0
    taken: float = 10.0
    speech: float = 60.0
    transcript: float = 5.0
    playout: float = 300.0
    stopped: float = 6.0
    unheard: float = 0.5
