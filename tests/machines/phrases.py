"""Legal conversations in phrases, and the ways in which a real wire bends them.

Every phrase is what a well-behaved provider and host do. Its events carry ids made from its number, so that an event
that is dropped, repeated, delayed or put elsewhere still says to whom it belongs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rtfsm.machines import Capabilities
from rtfsm.vocabulary import local, wire
from rtfsm.vocabulary.wire import GenerationStatus

from .cast import Cast, Move, PlayedOut, PlayNext, Wait
from .session_phrases import (
    broken,
    broken_and_refused,
    broken_and_reset,
    broken_for_long,
    close,
    end_by_the_wire,
    failure,
    fatal_fault,
    fault,
    goodbye,
    goodbye_with_a_call,
    goodbye_with_faults,
    lost_in_a_turn,
    never_ready,
    reconfigured,
    reconnect,
    reset,
    reset_in_a_sentence,
    reset_in_a_turn,
    roll,
    roll_in_a_turn,
    roll_that_cannot_wait,
    unheard_goodbye,
)

Phrase = Callable[[Cast], list[Move]]
COMPLETED, CANCELLED = GenerationStatus.COMPLETED, GenerationStatus.CANCELLED


def turn(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.audio(), cast.text(), wire.MessageDone(cast.id("r"), cast.id("m")),
            cast.done(), PlayNext(), PlayedOut()]  # fmt: skip


def turn_without_brackets(cast: Cast) -> list[Move]:
    opened: list[Move] = [] if cast.profile.minted else [cast.created()]
    return [*opened, cast.audio(), cast.text(), cast.audio(), PlayNext(), Wait(2.0), PlayedOut()]


def greeting(cast: Cast) -> list[Move]:
    return [cast.created(greeting=True), cast.text(), cast.done(), PlayNext(), PlayedOut()]


def two_messages(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), PlayNext(), cast.text(message="n"), cast.audio(message="n"), cast.done(),
            PlayedOut(), PlayNext(), PlayedOut()]  # fmt: skip


def wordless(cast: Cast) -> list[Move]:
    return [cast.created(), cast.audio(), cast.audio(), cast.done(), PlayNext()]


def barge_in(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.audio(), PlayNext(), wire.UserSpeechStarted("u"), cast.text(),
            wire.GenerationInterrupted(cast.id("r"), "<"), cast.done(CANCELLED), wire.UserSpeechStopped("u"),
            wire.UserTranscript("no", "u")]  # fmt: skip


def barge_in_told_late(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), PlayNext(), wire.UserSpeechStarted("u"), wire.UserSpeechStopped("u"),
            cast.text(), cast.done(CANCELLED), wire.UserTranscript("no", "u")]  # fmt: skip


def murmur(cast: Cast) -> list[Move]:
    said: list[Move] = [cast.text(), cast.audio()] if cast.profile.minted else []
    return [wire.UserSpeechStarted("u"), *said, wire.UserSpeechStopped("u"), wire.UserTranscript("and so", "u")]


def unannounced_interruption(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), PlayNext(), wire.GenerationInterrupted(cast.id("r")), cast.done(CANCELLED)]


def interruption_of_nobody(_: Cast) -> list[Move]:
    return [wire.GenerationInterrupted()]


def stragglers(cast: Cast) -> list[Move]:
    return [
        cast.created(),
        cast.text(),
        cast.done(),
        cast.text(),
        cast.audio(),
        wire.GenerationInterrupted(cast.id("r")),
    ]


def host_interrupts(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), PlayNext(), local.InterruptRequested(), cast.text(), cast.audio(),
            cast.done(CANCELLED)]  # fmt: skip


def user_turn(_: Cast) -> list[Move]:
    return [wire.UserSpeechStarted("u"), Wait(0.4), wire.UserSpeechStopped("u"), wire.UserTranscript("hello", "u")]


def no_user_turn(_: Cast) -> list[Move]:
    return [wire.UserSpeechStarted("u"), wire.UserTurnCancelled("u")]


def endless_user(_: Cast) -> list[Move]:
    return [wire.UserSpeechStarted("u"), Wait(60.0)]


def mute_user(_: Cast) -> list[Move]:
    return [wire.UserSpeechStarted("u"), wire.UserSpeechStopped("u"), Wait(5.0)]


def tool(cast: Cast) -> list[Move]:
    taken: list[Move] = [wire.ToolResultTaken(f"c{cast.number}")] if cast.profile.result_taken else []
    return [cast.created(), cast.text(), cast.call(), cast.text(), Wait(0.5), cast.done(),
            local.ToolOutputGiven(f"c{cast.number}", "42"), *taken, cast.created(part="s"),
            cast.text("s", "n"), cast.done(part="s")]  # fmt: skip


def tool_only(cast: Cast) -> list[Move]:
    return [cast.created(), cast.call(), cast.done(), local.ToolOutputGiven(f"c{cast.number}", "42"), Wait(11.0)]


def tool_without_start(cast: Cast) -> list[Move]:
    return [cast.call(), local.ToolOutputGiven(f"c{cast.number}", "42", local.ToolReply.NOT_WANTED)]


def two_tools(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.call(), cast.call("d"), cast.done(),
            local.ToolOutputGiven(f"d{cast.number}", ""), local.ToolOutputGiven(f"c{cast.number}", "42"),
            cast.created(part="s"), cast.text("s", "n"), cast.done(part="s")]  # fmt: skip


def tool_cancelled(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.call(), cast.done(), wire.ToolCallCancelled(f"c{cast.number}"),
            local.ToolOutputGiven(f"c{cast.number}", "42")]  # fmt: skip


def tool_cancelled_late(cast: Cast) -> list[Move]:
    return [cast.created(), cast.call(), cast.done(), local.ToolOutputGiven(f"c{cast.number}", "42"),
            wire.ToolCallCancelled(f"c{cast.number}")]  # fmt: skip


def tool_withheld(cast: Cast) -> list[Move]:
    return [cast.created(), cast.call(), cast.done(),
            local.ToolOutputGiven(f"c{cast.number}", "42", local.ToolReply.WITHHELD)]  # fmt: skip


def tool_never_answered(cast: Cast) -> list[Move]:
    return [cast.created(), cast.call(), cast.done(), Wait(60.0), local.ToolOutputGiven(f"c{cast.number}", "42")]


def tool_of_a_cut_turn(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.call(), wire.UserSpeechStarted("u"), cast.call("d"),
            cast.done(CANCELLED), wire.UserSpeechStopped("u"),
            local.ToolOutputGiven(f"c{cast.number}", "")]  # fmt: skip


def reply(cast: Cast) -> list[Move]:
    return [local.ReplyRequested(cast.request), cast.created(answers=True), cast.text(), cast.done(), PlayNext(),
            PlayedOut()]  # fmt: skip


def late_reply(cast: Cast) -> list[Move]:
    return [local.ReplyRequested(cast.request), Wait(10.0), cast.created(answers=True), cast.text(),
            cast.done(), Wait(1.0)]  # fmt: skip


def abandoned_reply(cast: Cast) -> list[Move]:
    return [local.ReplyRequested(cast.request), local.ReplyAbandoned(cast.request), cast.created(answers=True),
            cast.text(), cast.call(), cast.done()]  # fmt: skip


def reply_abandoned_for_the_user(cast: Cast) -> list[Move]:
    return [local.ReplyRequested(cast.request), wire.UserSpeechStarted("u"), local.ReplyAbandoned(cast.request),
            wire.UserSpeechStopped("u"), wire.UserTranscript("stop", "u"), cast.created(), cast.text(),
            cast.done()]  # fmt: skip


def declined_reply(cast: Cast) -> list[Move]:
    return [local.ReplyRequested(cast.request), wire.ReplyDeclined()]


def rejected_reply(cast: Cast) -> list[Move]:
    return [local.ReplyRequested(cast.request), wire.RequestRejected(cast.request)]


def queued_replies(cast: Cast) -> list[Move]:
    return [local.ReplyRequested(f"a{cast.number}"), local.ReplyRequested(f"b{cast.number}"), Wait(5.0), Wait(6.0)]


def say(cast: Cast) -> list[Move]:
    return [local.ReplyRequested(cast.request, local.ReplyKind.SAY), cast.created(answers=True), cast.text(),
            cast.done()]  # fmt: skip


def interrupted_say(cast: Cast) -> list[Move]:
    return [local.ReplyRequested(cast.request, local.ReplyKind.SAY), local.InterruptRequested(),
            cast.created(answers=True), cast.text(), cast.done()]  # fmt: skip


def out_of_band(cast: Cast) -> list[Move]:
    return [local.ReplyRequested(cast.request, local.ReplyKind.OUT_OF_BAND),
            cast.created(answers=True, stored=False), cast.text(), cast.done()]  # fmt: skip


def parallel(cast: Cast) -> list[Move]:
    return [local.ReplyRequested(cast.request, local.ReplyKind.OUT_OF_BAND), cast.created(part="s"),
            cast.created(answers=True, stored=False), cast.text("s", "n"), cast.text(), cast.done(),
            cast.text("s", "n"), cast.done(part="s")]  # fmt: skip


def superseded(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.call(), cast.created(part="s"), cast.text(), cast.text("s", "n"),
            cast.done(part="s"), cast.done()]  # fmt: skip


def stalled(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), Wait(30.0), cast.text(), cast.done()]


def sealed_then_more(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.call(), Wait(0.6), cast.text(), cast.done()]


def sealed_then_cut(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.call(), Wait(0.6), wire.UserSpeechStarted("u"), cast.text(),
            cast.done(CANCELLED), wire.UserTurnCancelled("u")]  # fmt: skip


def tool_among_messages(cast: Cast) -> list[Move]:
    end = wire.MessageDone(cast.id("r"), cast.id("m"))
    return [cast.created(), cast.text(), cast.call(), cast.audio(), end, end, cast.audio(message="n"),
            cast.text(message="n"), wire.MessageDone(cast.id("r"), cast.id("n")), cast.done()]  # fmt: skip


def tool_interrupted_by_the_host(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.call(), local.InterruptRequested(), cast.text(), cast.done(CANCELLED)]


def sealed_then_interrupted_by_the_host(cast: Cast) -> list[Move]:
    return [cast.text(), cast.call(), Wait(0.6), wire.MessageDone(cast.id("r"), cast.id("m")),
            local.InterruptRequested(), cast.text()]  # fmt: skip


def answer_interrupted_by_the_host(cast: Cast) -> list[Move]:
    return [cast.created(), cast.call(), cast.done(), local.ToolOutputGiven(f"c{cast.number}", "42"),
            local.InterruptRequested(), cast.created(part="s"), cast.text("s", "n"), cast.done(part="s")]  # fmt: skip


def calls_while_requests_wait(cast: Cast) -> list[Move]:
    return [*late_reply(cast)[:2], local.ReplyRequested(f"a{cast.number}"), cast.created(), cast.call(), cast.done(),
            cast.call("d")]  # fmt: skip


def user_over_speech(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.done(), PlayNext(), wire.UserSpeechStarted("u"),
            wire.UserSpeechStarted("u"), wire.UserTranscript("mhm", "u"), PlayedOut(), wire.UserSpeechStopped("u"),
            wire.UserSpeechStopped("u")]  # fmt: skip


def user_over_speech_until_cut(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), PlayNext(), wire.UserSpeechStarted("u"), wire.UserSpeechStopped("u"),
            wire.GenerationInterrupted(cast.id("r")), wire.UserSpeechStarted("u"),
            wire.UserTurnCancelled("u")]  # fmt: skip


def cut_to_what_was_heard(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.audio(), PlayNext(), wire.UserSpeechStarted(cast.id("u")),
            wire.UserSpeechStarted(cast.id("u")), cast.done(CANCELLED), local.TruncateAsked(str(cast.id("m"))),
            wire.UserSpeechStopped(cast.id("u")), wire.UserTranscript("no", cast.id("u"))]  # fmt: skip


def cut_by_the_host_where_it_was_heard(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.audio(), PlayNext(), local.InterruptRequested(),
            local.InterruptRequested(), local.PlayoutFinished(str(cast.id("m"))), cast.done(CANCELLED),
            local.TruncateAsked(str(cast.id("m")))]  # fmt: skip


def heard_after_all(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.audio(), cast.done(), local.InterruptRequested(),
            local.PlayoutStarted(str(cast.id("m"))), local.TruncateAsked(str(cast.id("m")))]  # fmt: skip


def stopped_and_forgotten(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.audio(), cast.done(), local.InterruptRequested(), Wait(6.0)]


def stopped_while_playing_and_forgotten(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.audio(), cast.done(), PlayNext(), local.InterruptRequested(), Wait(6.0)]


def stopped_twice(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.done(), local.InterruptRequested(), wire.UserSpeechStarted(cast.id("u")),
            wire.UserSpeechStopped(cast.id("u"))]  # fmt: skip


def removed_by_the_host(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.text(message="n"), cast.done(), PlayNext(),
            local.MessageRemoved(str(cast.id("m")), meant=False), local.MessageRemoved(str(cast.id("n"))),
            local.InterruptRequested(), local.MessageRemoved(str(cast.id("m")), meant=False)]  # fmt: skip


def removed_while_heard(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.text(message="n"), cast.done(), PlayNext(),
            local.MessageRemoved(str(cast.id("m"))), local.MessageRemoved(str(cast.id("n")), meant=False)]  # fmt: skip


def truncated_unasked(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.text(message="n"), cast.done(), PlayNext(),
            local.TruncateAsked(str(cast.id("m"))), local.TruncateAsked(str(cast.id("n")))]  # fmt: skip


def message_of_a_cut_turn(cast: Cast) -> list[Move]:
    end = wire.MessageDone(cast.id("r"), cast.id("n"))
    return [cast.created(), wire.MessageDone(cast.id("r"), cast.id("l")), cast.text(), cast.call(),
            wire.MessageDone(cast.id("r"), cast.id("k")), wire.UserSpeechStarted(cast.id("u")), cast.text(message="n"),
            end, cast.done(CANCELLED), wire.UserTurnCancelled(cast.id("u"))]  # fmt: skip


def pause(_: Cast) -> list[Move]:
    return [Wait(1.0)]


PEACEFUL: Sequence[Phrase] = (
    turn, greeting, two_messages, wordless, turn_without_brackets, user_turn, no_user_turn, tool, two_tools, tool_only,
    tool_without_start, tool_among_messages, sealed_then_more, reply, pause, fault, reconnect,
)  # fmt: skip
"""Nobody is cut and nothing is late: every word is to be heard."""

ENDS: Sequence[Phrase] = (
    goodbye, unheard_goodbye, goodbye_with_a_call, goodbye_with_faults, never_ready, end_by_the_wire, failure,
    fatal_fault, close,
)  # fmt: skip
"""How a session ends."""


def phrases(profile: Capabilities) -> Sequence[Phrase]:
    """What can be said over a wire: common things first, and what ends the session last."""
    common = [
        turn, turn_without_brackets, barge_in, barge_in_told_late, murmur, tool, reply, user_turn, host_interrupts,
        two_messages, wordless, greeting, unannounced_interruption, interruption_of_nobody, no_user_turn, mute_user,
        endless_user, tool_only, tool_without_start, two_tools, tool_never_answered, tool_of_a_cut_turn, late_reply,
        abandoned_reply, reply_abandoned_for_the_user, declined_reply, queued_replies, stalled, sealed_then_more,
        sealed_then_cut, tool_among_messages, tool_interrupted_by_the_host, sealed_then_interrupted_by_the_host,
        answer_interrupted_by_the_host, calls_while_requests_wait, user_over_speech, user_over_speech_until_cut,
        stragglers, reconfigured, fault, pause, reconnect, lost_in_a_turn,
    ]  # fmt: skip
    if profile.tool_cancel:
        common += [tool_cancelled, tool_cancelled_late]
    if profile.auto_reply:
        common.append(tool_withheld)
    if profile.request_errors:
        common.append(rejected_reply)
    if profile.say:
        common += [say, interrupted_say]
    if profile.out_of_band:
        common += [out_of_band, parallel]
    if not profile.minted:
        common.append(superseded)
    if profile.takes_back:
        common += [
            cut_to_what_was_heard, cut_by_the_host_where_it_was_heard, heard_after_all, stopped_and_forgotten,
            stopped_while_playing_and_forgotten, stopped_twice, removed_by_the_host, truncated_unasked,
            removed_while_heard,
            message_of_a_cut_turn,
        ]  # fmt: skip
    if profile.resettable:
        common += [reset, reset_in_a_sentence, reset_in_a_turn]
    if profile.resumable:
        common += [broken, broken_and_refused, broken_and_reset, broken_for_long]
    if profile.going_away:
        common += [roll, roll_in_a_turn, roll_that_cannot_wait]
    return [*common, *ENDS]


def beginning(profile: Capabilities) -> list[Move]:
    """How every conversation begins."""
    return [local.ConfigGiven(), wire.TransportOpened(), wire.ProviderReady()]
