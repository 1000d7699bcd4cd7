"""What a session remembers besides its state, and the questions that its table asks of it."""

from __future__ import annotations

import attrs

from rtfsm.language import guard, update
from rtfsm.vocabulary.local import ConfigGiven, ConfigKind
from rtfsm.vocabulary.wire import Fault, Loss, TransportLost

__all__ = [
    "RETRIES",
    "SessionContext",
    "anew",
    "configured",
    "dirty",
    "ended_normally",
    "fatal",
    "gone",
    "is_reset",
    "lost_again_resuming",
    "refused_to_resume",
    "resets_what_goes_on",
    "restore_retry",
    "resumable",
    "resuming",
    "retries_left",
    "retryable",
    "spend_retry",
]


RETRIES = 3


@attrs.frozen
class SessionContext:
    """configured: the host gave a configuration. dirty: it changed after it was sent. anew: so much that the
    conversation must begin anew. ran: the conversation has run. gone: the socket is gone while the goodbye is heard.
    resuming: the next connection, or the one that is being opened, goes on with the conversation. retries: attempts
    left in this outage."""

    configured: bool = False
    dirty: bool = False
    anew: bool = False
    ran: bool = False
    gone: bool = False
    resuming: bool = False
    retries: int = RETRIES


@guard
def configured(context: SessionContext) -> bool:
    return context.configured


@guard
def dirty(context: SessionContext) -> bool:
    return context.dirty


@guard
def anew(context: SessionContext) -> bool:
    return context.anew


@guard
def gone(context: SessionContext) -> bool:
    return context.gone


@guard
def retries_left(context: SessionContext) -> bool:
    return context.retries > 0


@guard
def retryable(context: SessionContext, event: TransportLost) -> bool:
    return event.outcome in (Loss.RETRYABLE, Loss.RESUMABLE) and context.retries > 0


@guard
def resumable(context: SessionContext, event: TransportLost) -> bool:
    return event.outcome is Loss.RESUMABLE and context.retries > 0


@guard
def resuming(context: SessionContext) -> bool:
    return context.resuming


@guard
def refused_to_resume(context: SessionContext, event: TransportLost) -> bool:
    return context.resuming and event.outcome is Loss.FAILED


@guard
def resets_what_goes_on(context: SessionContext, event: ConfigGiven) -> bool:
    return context.resuming and event.kind is ConfigKind.RESET


@guard
def ended_normally(_: SessionContext, event: TransportLost) -> bool:
    return event.outcome is Loss.NORMAL


@guard
def fatal(_: SessionContext, event: Fault) -> bool:
    return event.fatal


@guard
def is_reset(_: SessionContext, event: ConfigGiven) -> bool:
    return event.kind is ConfigKind.RESET


@update
def spend_retry(context: SessionContext) -> SessionContext:
    return attrs.evolve(context, retries=context.retries - 1)


@guard
def lost_again_resuming(context: SessionContext, event: TransportLost) -> bool:
    return context.resuming and event.outcome is Loss.RESUMABLE and context.retries > 0


@update
def restore_retry(context: SessionContext) -> SessionContext:
    """The attempt reached the provider: should it refuse, the one to begin anew is still to be had."""
    return attrs.evolve(context, retries=context.retries + 1)
