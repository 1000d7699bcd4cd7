"""What can be ordered: of the host, of the wire, and of the other machines."""

from __future__ import annotations

from enum import Enum

import attrs

from rtfsm.language import Effect

from .local import ReleaseReason


@attrs.frozen
class HostEffect(Effect):
    """Carried out against the host: its streams, futures and events."""


@attrs.frozen
class WireEffect(Effect):
    """Carried out on the connection of the epoch in which it was ordered; dropped if that one is gone."""


@attrs.frozen
class RoutedEffect(Effect):
    """An order to other machines; the routing table says which event it becomes there."""


# -- the host: a generation -----------------------------------------------------------------------------


@attrs.frozen
class OpenGeneration(HostEffect):
    """Announce a generation. user_initiated: it answers a request that the host still waits for."""

    user_initiated: bool = False


@attrs.frozen
class OpenMessage(HostEffect):
    """Announce a message of the generation, at its first content."""


@attrs.frozen
class PushText(HostEffect):
    """Hand over words."""


@attrs.frozen
class PushAudio(HostEffect):
    """Hand over sound."""


@attrs.frozen
class CloseMessage(HostEffect):
    """Close the open message, if there is one: its text ends with at least one non-empty chunk, its words are recorded
    in the context mirror. cut: it was not said to its end."""

    cut: bool = False


@attrs.frozen
class Seal(HostEffect):
    """End the generation's message stream and function stream."""


@attrs.frozen
class DeliverCall(HostEffect):
    """Hand a tool call to the host."""


@attrs.frozen
class CorrectContext(HostEffect):
    """Set the context mirror to what the provider says was heard."""


# -- the host: requests, the user, reports --------------------------------------------------------------


class Failure(Enum):
    """Why a request ended without an answer."""

    OVER = "the conversation has ended"
    EXPIRED = "no answer came in time"
    REJECTED = "the provider refused it"
    DECLINED = "the assistant chose not to respond"
    INTERRUPTED = "it was interrupted"
    RESET = "the conversation was reset"
    LOST = "the connection was lost"


@attrs.frozen
class ResolveReply(HostEffect):
    """End the request's future with the generation that answers it."""


@attrs.frozen
class FailReply(HostEffect):
    """End the request's future with an error."""

    failure: Failure


@attrs.frozen
class ReleaseHost(HostEffect):
    """Open and end an empty generation: the host waits for an answer to a tool output, and none will come.

    Not while another generation is open: the host takes one at a time, and what is said in that one releases it."""


@attrs.frozen
class SpeechStarted(HostEffect):
    """Tell the host that the user speaks; this also stops what it plays."""


@attrs.frozen
class SpeechStopped(HostEffect):
    """Tell the host that the user stopped."""


@attrs.frozen
class EmitTranscript(HostEffect):
    """Tell the host what the user said."""


@attrs.frozen
class ReportReady(HostEffect):
    """The conversation runs; on any connection but the first it runs again."""


@attrs.frozen
class ReportRecoverable(HostEffect):
    """Tell the application of an error that the session survives."""


@attrs.frozen
class ReportFatal(HostEffect):
    """Tell the host of the error that ends the session."""


@attrs.frozen
class ReportEnded(HostEffect):
    """Tell the application that the conversation ended as intended."""


@attrs.frozen
class ReportCallEnded(HostEffect):
    """Tell the application that a tool call ended without its output being used."""


@attrs.frozen
class ReportOutputDropped(HostEffect):
    """Tell the application that a tool's output came when nobody waited for it any more."""


@attrs.frozen
class RestoreConfig(HostEffect):
    """Return to the configuration that the provider last accepted."""


# -- the wire -------------------------------------------------------------------------------------------


@attrs.frozen
class OpenTransport(WireEffect):
    """Open a connection: a new epoch. resume: to go on with the conversation of the one before."""

    resume: bool = False


@attrs.frozen
class CloseTransport(WireEffect):
    """Close the connection. abort: without waiting for the other side."""

    abort: bool = False


@attrs.frozen
class SendConfig(WireEffect):
    """Send the configuration that begins a conversation."""


@attrs.frozen
class SendUpdate(WireEffect):
    """Send what changed in the configuration."""


@attrs.frozen
class SendReset(WireEffect):
    """Begin the conversation anew on this connection."""


@attrs.frozen
class SendReplyRequest(WireEffect):
    """Ask for speech."""


@attrs.frozen
class SendCancel(WireEffect):
    """Ask the provider to end a response; nothing is sent where the protocol has no such message."""


@attrs.frozen
class SendToolOutput(WireEffect):
    """Send what a tool returned."""


@attrs.frozen
class SendToolError(WireEffect):
    """Send an error in place of an output: an unanswered call can block a provider for good."""


@attrs.frozen
class TakeBack(WireEffect):
    """Take a message that nobody heard out of the provider's conversation, and out of the context mirror."""


@attrs.frozen
class Truncate(WireEffect):
    """Cut a message, in the provider's conversation, to what was heard of it."""


# -- other machines -------------------------------------------------------------------------------------


@attrs.frozen
class ReleaseAll(RoutedEffect):
    """End everything: generations, replies, calls, then the user's speech (not at a reset)."""

    reason: ReleaseReason


@attrs.frozen
class FailRequests(RoutedEffect):
    """Nobody will answer any more: end requests and calls."""


@attrs.frozen
class FinishSpeech(RoutedEffect):
    """The connection went while the goodbye is heard: end what depends on it, let the rest be heard."""


@attrs.frozen
class CutAgent(RoutedEffect):
    """The user takes the floor from every live generation."""


@attrs.frozen
class TellReplies(RoutedEffect):
    """The next turn answers the user, not an earlier request."""


@attrs.frozen
class TellTalking(RoutedEffect):
    """The user speaks, whether the host is told or not."""


@attrs.frozen
class TellSilent(RoutedEffect):
    """The user speaks no more."""


@attrs.frozen
class NoticeInterruption(RoutedEffect):
    """The provider was cut: the host's playing must end too."""


@attrs.frozen
class BeginNext(RoutedEffect):
    """The same event begins the next generation. continued: it goes on with a turn that had begun before, so it answers
    no later request."""

    continued: bool = False


@attrs.frozen
class ClaimReply(RoutedEffect):
    """This generation answers the request it is linked to, if it is linked to one."""


@attrs.frozen
class PassCall(RoutedEffect):
    """The call may run now."""


@attrs.frozen
class HoldCall(RoutedEffect):
    """The call waits until its generation is done."""


@attrs.frozen
class RejectCall(RoutedEffect):
    """The call must not run."""


@attrs.frozen
class ReleaseHeld(RoutedEffect):
    """The generation is done: its held calls may run."""


@attrs.frozen
class DropHeld(RoutedEffect):
    """The generation was cut: its held calls never run."""


@attrs.frozen
class ExpectReply(RoutedEffect):
    """The provider answers this output by itself."""


@attrs.frozen
class CancelExpectation(RoutedEffect):
    """The call whose output was to be answered is withdrawn."""
