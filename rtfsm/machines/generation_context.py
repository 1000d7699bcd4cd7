"""What a generation remembers besides its state, and the questions that its table asks of it."""

from __future__ import annotations

from enum import Enum

import attrs

from rtfsm.language import guard
from rtfsm.vocabulary.local import Release, ReleaseReason
from rtfsm.vocabulary.wire import GenerationDone, GenerationStatus

__all__ = [
    "Answers",
    "GenerationContext",
    "Lane",
    "Message",
    "answers_ended_request",
    "answers_request",
    "is_reset",
    "murmurs",
    "never_opened",
    "no_message",
    "no_words_yet",
    "nothing_spoken",
    "user_talks",
    "was_cut",
    "without_bracket",
]


class Message(Enum):
    NONE = "no message is open"
    OPEN = "a message is open and has no words yet"
    WORDED = "a message is open and has words"


class Answers(Enum):
    NOBODY = "it answers no request that the host waits for"
    REQUEST = "it answers a request that the host waits for"
    ENDED = "it answers a request that has ended"
    EARLIER = "it goes on with a turn that had begun before, and answers nothing that came since"


class Lane(Enum):
    MAIN = "part of the conversation"
    OUT_OF_BAND = "beside the conversation"


@attrs.frozen
class GenerationContext:
    """message: its open message. spoken: anything was handed over. bracketed: it began with a bracket, so one will end
    it. opened: the host knows it. answers: set at birth by the router, spent when it begins. lane: set at birth.
    keeps_floor: the user's voice alone does not cut it; set at birth. user_talks: the user speaks; only on a wire
    without ids."""

    message: Message = Message.NONE
    spoken: bool = False
    bracketed: bool = False
    opened: bool = False
    answers: Answers = Answers.NOBODY
    lane: Lane = Lane.MAIN
    keeps_floor: bool = False
    user_talks: bool = False


@guard
def answers_ended_request(context: GenerationContext) -> bool:
    return context.answers is Answers.ENDED


@guard
def user_talks(context: GenerationContext) -> bool:
    return context.user_talks


@guard
def murmurs(context: GenerationContext) -> bool:
    return context.user_talks and context.answers is not Answers.EARLIER


@guard
def answers_request(context: GenerationContext) -> bool:
    return context.answers is Answers.REQUEST


@guard
def no_message(context: GenerationContext) -> bool:
    return context.message is Message.NONE


@guard
def no_words_yet(context: GenerationContext) -> bool:
    return context.message is Message.OPEN


@guard
def nothing_spoken(context: GenerationContext) -> bool:
    return not context.spoken


@guard
def never_opened(context: GenerationContext) -> bool:
    return not context.opened


@guard
def without_bracket(context: GenerationContext) -> bool:
    return not context.bracketed


@guard
def was_cut(_: GenerationContext, event: GenerationDone) -> bool:
    return event.status is not GenerationStatus.COMPLETED


@guard
def is_reset(_: GenerationContext, event: Release) -> bool:
    return event.reason is ReleaseReason.RESET
