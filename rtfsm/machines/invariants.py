"""The named invariants of a conversation, one line each. The monitor, the tests and every checker use these objects.

An invariant over effects is asked before the mirror takes note of the effect; one over states is asked after the whole
cascade of an event. Each answers with what is wrong, in words that hold no speech, or with None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from rtfsm.language import Effect, Emission
from rtfsm.vocabulary import effects as order

from .generation import Generation
from .mirror import Mirror
from .reply import Reply
from .session import Session
from .user_turn import UserTurn

if TYPE_CHECKING:
    from .conversation import Conversation

__all__ = [
    "EFFECT_INVARIANTS",
    "INVARIANTS",
    "STATE_INVARIANTS",
    "TEXT_HAS_CHUNK",
    "EffectInvariant",
    "StateInvariant",
    "StreamInvariant",
]


@attrs.frozen
class EffectInvariant:
    """name and text: stable, shown in reports. effects: the types that it judges. check: (mirror, effect with its
    cause) -> what is wrong."""

    name: str
    text: str
    effects: tuple[type[Effect], ...]
    check: Callable[[Mirror, Emission], str | None] = attrs.field(repr=False)


@attrs.frozen
class StateInvariant:
    """name and text: stable, shown in reports. check: (conversation, mirror) -> what is wrong."""

    name: str
    text: str
    check: Callable[[Conversation, Mirror], str | None] = attrs.field(repr=False)


@attrs.frozen
class StreamInvariant:
    """name and text: stable, shown in reports. check: non-empty chunks that a text stream had -> what is wrong."""

    name: str
    text: str
    check: Callable[[int], str | None] = attrs.field(repr=False)


EffectCheck = Callable[[Mirror, Emission], str | None]
StateCheck = Callable[["Conversation", Mirror], str | None]

EFFECT_INVARIANTS: list[EffectInvariant] = []
STATE_INVARIANTS: list[StateInvariant] = []


def _on_effect(name: str, text: str, *effects: type[Effect]) -> Callable[[EffectCheck], EffectCheck]:
    def keep(check: EffectCheck) -> EffectCheck:
        def limited(mirror: Mirror, emission: Emission) -> str | None:
            return check(mirror, emission) if isinstance(emission.effect, effects) else None

        EFFECT_INVARIANTS.append(EffectInvariant(name, text, effects, limited))
        return check

    return keep


def _on_state(name: str, text: str) -> Callable[[StateCheck], StateCheck]:
    def keep(check: StateCheck) -> StateCheck:
        STATE_INVARIANTS.append(StateInvariant(name, text, check))
        return check

    return keep


# -- on the effect stream ------------------------------------------------------------------------------------------


@_on_effect("GEN-1", "a generation is announced once", order.OpenGeneration)
def announced_once(mirror: Mirror, emission: Emission) -> str | None:
    return "announced again" if emission.instance.id in mirror.generations else None


@_on_effect(
    "GEN-2",
    "messages and content go to an open generation, one open message at a time",
    order.OpenMessage,
    order.PushText,
    order.PushAudio,
    order.CloseMessage,
)
def content_into_open_generation(mirror: Mirror, emission: Emission) -> str | None:
    host = mirror.generations.get(emission.instance.id)
    if host is None or host.sealed:
        return f"{type(emission.effect).__name__} to a generation that is not open"
    if isinstance(emission.effect, order.OpenMessage) and host.message:
        return "a second message is opened beside the first"
    if isinstance(emission.effect, (order.PushText, order.PushAudio)) and not host.message:
        return "content without an open message"
    return None


@_on_effect("GEN-4", "streams end once, with no message open", order.Seal)
def sealed_once(mirror: Mirror, emission: Emission) -> str | None:
    host = mirror.generations.get(emission.instance.id)
    if host is None or host.sealed:
        return "streams of a generation that is not open are ended"
    return "streams end with a message open" if host.message else None


@_on_effect("GEN-6", "no generation is open when the host is told that the user speaks", order.SpeechStarted)
def cut_before_told(mirror: Mirror, _: Emission) -> str | None:
    return f"{len(mirror.open_generations)} still open" if mirror.open_generations else None


@_on_effect("TOOL-1", "a call is handed over once, into streams that have not ended", order.DeliverCall)
def delivered_once(mirror: Mirror, emission: Emission) -> str | None:
    if emission.instance.id in mirror.calls:
        return "handed over again"
    host = mirror.generations.get(str(emission.instance.link))
    return "its generation is not open" if host is None or host.sealed else None


@_on_effect(
    "TOOL-2",
    "one output a call, on the connection and in the conversation that made it, none once withdrawn",
    order.SendToolOutput,
    order.SendToolError,
)
def answered_once(mirror: Mirror, emission: Emission) -> str | None:
    state = mirror.calls.get(emission.instance.id, "rejected")
    return None if state in ("open", "rejected") else f"an output for a call that is {state}"


@_on_effect("REPLY-1", "a future ends once", order.ResolveReply, order.FailReply)
def future_ends_once(mirror: Mirror, emission: Emission) -> str | None:
    return "it has ended" if mirror.futures.get(emission.instance.id, False) else None


@_on_effect("REPLY-2", "nothing is asked of the provider for a future that has ended", order.SendReplyRequest)
def asked_for_pending(mirror: Mirror, emission: Emission) -> str | None:
    return "asked for an ended future" if mirror.futures.get(emission.instance.id, True) else None


@_on_effect(
    "SESSION-1",
    "the configuration is sent once per new conversation, before it runs, and none to one that goes on",
    order.SendConfig,
    order.ReportReady,
)
def configured_once(mirror: Mirror, emission: Emission) -> str | None:
    if isinstance(emission.effect, order.SendConfig):
        return "sent again" if mirror.configs_sent else None
    return None if mirror.configs_sent else "the conversation runs without one"


@_on_effect(
    "SESSION-2",
    "nothing but the configuration is sent before the provider is ready",
    order.SendUpdate,
    order.SendReset,
    order.SendReplyRequest,
    order.SendCancel,
    order.SendToolOutput,
    order.SendToolError,
)
def ready_before_all(mirror: Mirror, emission: Emission) -> str | None:
    return None if mirror.ready else f"{type(emission.effect).__name__} before ready"


@_on_effect(
    "SESSION-3",
    "the end is reported once, when no stream is open and no future pending",
    order.ReportFatal,
    order.ReportEnded,
)
def end_reported_once(mirror: Mirror, _: Emission) -> str | None:
    if mirror.ends_reported:
        return "reported again"
    if mirror.open_generations:
        return f"{len(mirror.open_generations)} generations are open"
    return f"{len(mirror.pending_futures)} futures are pending" if mirror.pending_futures else None


@_on_effect("USER-1", "started and stopped alternate", order.SpeechStarted, order.SpeechStopped)
def speech_alternates(mirror: Mirror, emission: Emission) -> str | None:
    started = isinstance(emission.effect, order.SpeechStarted)
    return f"{'started' if started else 'stopped'} twice" if started is mirror.told_speaking else None


# -- on states ----------------------------------------------------------------------------------------------------


@_on_state("S-1", "a generation that is over for the host has ended its streams")
def over_is_sealed(conversation: Conversation, mirror: Mirror) -> str | None:
    open_here = {
        one.id for one in conversation.generations if one.state in (Generation.SPEAKING, Generation.TOOL_PENDING)
    }
    stray = [id for id in mirror.open_generations if id not in open_here]
    return f"{stray[0]} is open at the host and over here" if stray else None


@_on_state("S-2", "a future is pending exactly while its request is queued or sent")
def pending_is_waiting(conversation: Conversation, mirror: Mirror) -> str | None:
    waiting = {one.id for one in conversation.replies if one.state in (Reply.QUEUED, Reply.SENT)}
    if waiting == mirror.pending_futures.keys():
        return None
    stray = [id for id in mirror.pending_futures if id not in waiting]
    return f"{stray[0]} waits for nobody" if stray else "a request goes on whose future has ended"


@_on_state("S-3", "before the provider is ready nothing has begun but requests that wait")
def nothing_before_ready(conversation: Conversation, _: Mirror) -> str | None:
    before = (Session.CONNECTING, Session.AWAITING_CONFIG, Session.STARTING, Session.RECONNECTING)
    if conversation.session.state not in before:
        return None
    begun = [*conversation.generations, *conversation.calls]
    begun += [one for one in conversation.replies if one.state is not Reply.QUEUED]
    if conversation.user_turn.state is not UserTurn.SILENT:
        begun.append(conversation.user_turn)
    return f"{begun[0]!r} before ready" if begun else None


@_on_state("S-4", "nothing is alive in a session that closes")
def nothing_after_close(conversation: Conversation, _: Mirror) -> str | None:
    if conversation.session.state not in (Session.CLOSING, Session.CLOSED):
        return None
    alive = conversation.live_objects
    return f"{alive} instances are alive" if alive else None


@_on_state("S-5", "the host was told that the user speaks exactly while the user turn is SPEAKING")
def told_is_speaking(conversation: Conversation, mirror: Mirror) -> str | None:
    speaking = conversation.user_turn.state is UserTurn.SPEAKING
    return None if speaking is mirror.told_speaking else f"told {mirror.told_speaking}, is {speaking}"


@_on_state("BOUND", "on a wire without response ids one generation is alive at most")
def bounded(conversation: Conversation, _: Mirror) -> str | None:
    alive = len(conversation.generations)
    return f"{alive} are alive" if conversation.capabilities.minted and alive > 1 else None


@_on_state("TIME-1", "every state that does not rest has its timer running")
def every_wait_ends(conversation: Conversation, _: Mirror) -> str | None:
    for one in conversation.instances():
        if one.timer is None and one.state not in one.machine.rests and one.state not in one.machine.final:
            return f"{one!r} waits without a timer"
    return None


# -- on streams, told by whoever closes them ----------------------------------------------------------------------

TEXT_HAS_CHUNK = StreamInvariant(
    "GEN-3",
    "a message's text stream closes with at least one chunk",
    lambda chunks: None if chunks else "closed with no chunk",
)

_all: list[EffectInvariant | StateInvariant | StreamInvariant] = [*EFFECT_INVARIANTS, *STATE_INVARIANTS, TEXT_HAS_CHUNK]
INVARIANTS = {one.name: one for one in _all}
"""Every invariant by name."""
