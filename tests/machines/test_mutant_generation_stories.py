"""Stories of what one wrong decision about a response would do: a word lost, a ghost heard, a stream held open."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rtfsm.language import Effect, Event, Instance
from rtfsm.profiles import OPENAI, PHONIC
from rtfsm.vocabulary.effects import (
    CloseMessage,
    CorrectContext,
    DeliverCall,
    FailReply,
    Failure,
    OpenGeneration,
    OpenMessage,
    PushAudio,
    PushText,
    ReleaseHost,
    ReportCallEnded,
    ResolveReply,
    Seal,
    SendCancel,
    SendReplyRequest,
    SendReset,
    SendToolError,
    SpeechStarted,
    SpeechStopped,
    TakeBack,
)
from rtfsm.vocabulary.local import ConfigGiven, ConfigKind, InterruptRequested, ReplyRequested, ToolOutputGiven
from rtfsm.vocabulary.wire import (
    AudioDelta,
    ConversationEnded,
    GenerationCreated,
    GenerationDone,
    GenerationInterrupted,
    GenerationStatus,
    Loss,
    MessageDone,
    TextDelta,
    ToolCallReady,
    TransportLost,
    UserSpeechStarted,
)

from .talk import Talk, ready

CUT: list[Effect] = [CloseMessage(cut=True), Seal()]
FINISHED: list[Effect] = [CloseMessage(), Seal()]
UNASKED: list[Effect] = [OpenGeneration()]
ANSWERED: list[Effect] = [OpenGeneration(user_initiated=True), ResolveReply()]
WORDS: list[Effect] = [OpenMessage(), PushText()]
HANDED: list[Effect] = [DeliverCall(), Seal()]
PAIR: list[Effect] = [SpeechStarted(), SpeechStopped()]
TEXT, SOUND = TextDelta("more", "g"), AudioDelta(b"\0\0", "g")
CALL, OTHER = ToolCallReady("c", "look_up", "{}", "g"), ToolCallReady("d", "look_up", "{}", "g")
START, DONE = GenerationCreated("g"), GenerationDone(generation="g")
CANCELLED = GenerationDone(GenerationStatus.CANCELLED, "g")
INTERRUPTED = GenerationInterrupted("g")
RESET = ConfigGiven(ConfigKind.RESET)


def states(talk: Talk) -> list[str]:
    return [one.state.name for one in talk.conversation.generations]


def unmoved(talk: Talk, one: Instance, *events: Event, told: list[Effect] | None = None) -> None:
    """Each event does what was ``told`` and neither moves the instance nor prolongs its wait."""
    for event in events:
        before = (one.state, one.deadline)
        talk.waits(0.1)
        assert talk.asks(event) == (told or []), event
        assert (one.state, one.deadline) == before, event


def fed(talk: Talk, event: Event, told: list[Effect], seconds: float) -> None:
    """The event does what was ``told``, and the wait of the same state begins anew."""
    one = talk.generation
    state = one.state
    talk.waits(0.1)
    assert talk.asks(event) == told, event
    assert one.state is state
    assert one.deadline == talk.now + seconds, event


def silent() -> Talk:
    """Announced, and nothing was said yet."""
    talk = ready(PHONIC)
    assert talk.hears(START) == UNASKED
    return talk


def speaking() -> Talk:
    talk = silent()
    assert talk.hears(TEXT) == WORDS
    return talk


def calling() -> Talk:
    talk = speaking()
    assert talk.hears(CALL) == [DeliverCall()]
    assert states(talk) == ["TOOL_PENDING"]
    return talk


def sealed() -> Talk:
    """Handed over for its call; the provider's bracket is open."""
    talk = calling()
    assert talk.waits(0.5) == FINISHED
    talk.asks(ToolOutputGiven("c", "42"))
    talk.waits(11.0)
    assert (states(talk), talk.conversation.calls, talk.conversation.replies) == (["SEALED"], [], [])
    return talk


def cut() -> Talk:
    talk = speaking()
    assert talk.asks(InterruptRequested()) == CUT
    assert states(talk) == ["INTERRUPTED"]
    return talk


def unheard() -> Talk:
    """The late answer to a request that has ended."""
    talk = ready(PHONIC)
    talk.asks(ReplyRequested("q"))
    talk.waits(10.0)
    assert talk.hears(START) == []
    assert states(talk) == ["INTERRUPTED"]
    return talk


def ended() -> Talk:
    talk = speaking()
    assert talk.hears(DONE) == FINISHED
    assert states(talk) == ["TAIL"]
    return talk


# -- how one begins ------------------------------------------------------------------------------------------------

BEGINNINGS: dict[str, tuple[Event, list[Effect], list[str]]] = {
    "start": (START, [], ["SPEAKING"]),
    "words": (TEXT, WORDS, ["SPEAKING"]),
    "call": (CALL, HANDED, []),
}


@pytest.mark.parametrize("how", BEGINNINGS)
def test_whatever_begins_a_turn_answers_whoever_waits(how: str) -> None:
    event, then, after = BEGINNINGS[how]
    talk = ready(PHONIC)
    assert talk.hears(event) == [*UNASKED, *then]
    assert states(talk) == after
    talk = ready(PHONIC)
    talk.asks(ReplyRequested("q"), ReplyRequested("r"))
    assert talk.hears(event)[:4] == [*ANSWERED, *then][:4]
    assert states(talk) == after
    talk = ready(PHONIC)
    talk.hears(START, ToolCallReady("x", "look_up", "{}"), DONE)
    talk.asks(ToolOutputGiven("x", "42"))
    talk.waits(1.0)
    assert [one.state.name for one in talk.conversation.replies] == ["EXPECTED"]
    assert talk.hears(event) == [*UNASKED, *then]
    assert (states(talk), talk.conversation.replies) == (after, [])
    assert ReleaseHost() not in talk.waits(60.0)


@pytest.mark.parametrize("how", BEGINNINGS)
def test_the_late_answer_to_a_request_is_swallowed_whole(how: str) -> None:
    event = BEGINNINGS[how][0]
    talk = ready(PHONIC)
    talk.asks(ReplyRequested("q"))
    assert talk.waits(10.0) == [FailReply(Failure.EXPIRED)]
    if how == "call":
        assert talk.hears(event) == [SendToolError()]
        assert states(talk) == []
    else:
        assert talk.hears(event, TEXT, SOUND) == []
        assert states(talk) == ["INTERRUPTED"]
        assert talk.hears(OTHER) == [SendToolError()]
    assert (talk.conversation.replies, talk.conversation.calls) == ([], [])
    assert talk.asks(ReplyRequested("r")) == [SendReplyRequest()]


@pytest.mark.parametrize("requests", [(), ("q",)])
def test_a_turn_with_a_bracket_is_held_open_and_one_without_is_not(requests: tuple[str, ...]) -> None:
    for event, seconds in ((START, 30.0), (TEXT, 2.0)):
        talk = ready(PHONIC)
        talk.asks(*(ReplyRequested(one) for one in requests))
        talk.hears(event, TEXT)
        assert talk.waits(seconds - 0.1) == []
        assert talk.waits(0.1) == FINISHED
        assert states(talk) == ["SEALED"]


@pytest.mark.parametrize("requests", [(), ("q",)])
def test_a_call_after_the_cut_of_a_turn_that_was_heard_may_run(requests: tuple[str, ...]) -> None:
    for event in (START, TEXT):
        talk = ready(PHONIC)
        talk.asks(*(ReplyRequested(one) for one in requests))
        talk.hears(event)
        talk.asks(InterruptRequested())
        assert talk.hears(CALL) == [*UNASKED, *HANDED]
        assert states(talk) == ["INTERRUPTED"]


def test_a_call_before_any_word_hands_the_turn_over_at_once() -> None:
    talk = silent()
    assert talk.hears(CALL) == HANDED
    assert states(talk) == ["SEALED"]
    talk = silent()
    talk.hears(TEXT, MessageDone())
    assert talk.hears(CALL) == HANDED
    assert states(talk) == ["SEALED"]


def test_what_comes_between_turns_begins_none() -> None:
    talk = ready(PHONIC)
    assert talk.hears(SOUND, MessageDone(), DONE, CANCELLED) == []
    assert talk.hears(INTERRUPTED) == [CorrectContext()]
    assert states(talk) == []


# -- how one goes on -----------------------------------------------------------------------------------------------


def test_every_word_and_sound_keeps_a_turn_open() -> None:
    for state, seconds in ((silent, 30.0), (calling, 0.5)):
        talk = state()
        if state is calling:
            talk.hears(MessageDone())
        fed(talk, SOUND, [OpenMessage(), PushAudio()], seconds)
        fed(talk, SOUND, [PushAudio()], seconds)
        fed(talk, TEXT, [PushText()], seconds)
        fed(talk, TEXT, [PushText()], seconds)
        fed(talk, SOUND, [PushAudio()], seconds)
        unmoved(talk, talk.generation, MessageDone(), told=[CloseMessage()])
        unmoved(talk, talk.generation, MessageDone())
        fed(talk, TEXT, WORDS, seconds)
        fed(talk, TEXT, [PushText()], seconds)


def test_sound_alone_does_not_keep_a_turn_without_a_bracket_open() -> None:
    talk = ready(PHONIC)
    talk.hears(TEXT)
    unmoved(talk, talk.generation, SOUND, told=[PushAudio()])
    fed(talk, TEXT, [PushText()], 2.0)
    unmoved(talk, talk.generation, MessageDone(), told=[CloseMessage()])
    fed(talk, SOUND, [OpenMessage(), PushAudio()], 2.0)
    unmoved(talk, talk.generation, SOUND, told=[PushAudio()])
    fed(talk, TEXT, [PushText()], 2.0)
    assert talk.hears(CALL) == [DeliverCall()]
    unmoved(talk, talk.generation, SOUND, told=[PushAudio()])
    fed(talk, TEXT, [PushText()], 0.5)


def test_a_start_that_is_repeated_prolongs_nothing_and_one_after_words_begins_another() -> None:
    talk = silent()
    unmoved(talk, talk.generation, START)
    talk.hears(SOUND)
    assert talk.hears(START) == [*FINISHED, *UNASKED]
    assert states(talk) == ["SPEAKING"]
    talk = calling()
    assert talk.hears(START) == [*FINISHED, *UNASKED]
    assert states(talk) == ["SPEAKING"]


def test_the_turn_after_a_greeting_answers_the_request_that_was_made_before() -> None:
    for more in ((), (CALL,)):
        talk = ready(PHONIC)
        assert talk.asks(ReplyRequested("q")) == [SendReplyRequest()]
        assert talk.hears(GenerationCreated(greeting=True)) == UNASKED
        talk.hears(TEXT, *more)
        assert talk.hears(START) == [*FINISHED, *ANSWERED]
        assert states(talk) == ["SPEAKING"]


def test_a_second_call_drains_anew() -> None:
    talk = calling()
    fed(talk, OTHER, [DeliverCall()], 0.5)
    assert talk.conversation.generations[0].state.name == "TOOL_PENDING"


# -- how one ends --------------------------------------------------------------------------------------------------

WAYS: dict[str, tuple[Event, list[Effect], list[Effect], list[str]]] = {
    "its bracket": (DONE, FINISHED, [], ["TAIL"]),
    "a bracket that says it was cut": (CANCELLED, CUT, [], ["TAIL"]),
    "the provider was cut": (INTERRUPTED, CUT, [CorrectContext(), *PAIR], ["INTERRUPTED"]),
    "the user": (UserSpeechStarted(), CUT, [SpeechStarted()], ["INTERRUPTED"]),
    "the host": (InterruptRequested(), CUT, [], ["INTERRUPTED"]),
    "a reset": (RESET, CUT, [SendReset()], ["INTERRUPTED"]),
    "a loss": (TransportLost(Loss.RETRYABLE), CUT, [], []),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("scene", [speaking, calling])
def test_a_turn_that_ends_is_ended_for_everyone(scene: Callable[[], Talk], way: str) -> None:
    event, streams, then, after = WAYS[way]
    talk = scene()
    over = [ReportCallEnded()] if scene is calling and way in ("a reset", "a loss") else []
    assert talk.asks(event) == [*streams, *over, *then]
    assert states(talk) == after
    if after:
        assert talk.hears(TEXT, SOUND, MessageDone()) == []
        assert states(talk) == after


@pytest.mark.parametrize("scene", [speaking, calling])
def test_what_was_said_when_the_goodbye_loses_its_connection_is_heard(scene: Callable[[], Talk]) -> None:
    talk = scene()
    talk.hears(ConversationEnded())
    assert talk.hears(TransportLost(Loss.NORMAL)) == FINISHED
    assert states(talk) == []


def after_the_cut() -> list[Talk]:
    return [cut(), unheard()]


def test_a_cut_turn_that_talks_on_stays_swallowed() -> None:
    for talk in after_the_cut():
        for event in (TEXT, SOUND):
            fed(talk, event, [], 1.0)
        unmoved(talk, talk.generation, MessageDone(), InterruptRequested())
        unmoved(talk, talk.generation, INTERRUPTED, told=[CorrectContext()])
        fed(talk, RESET, [SendReset()], 1.0)
        talk.waits(0.1)
        assert talk.hears(UserSpeechStarted()) == [SpeechStarted()]
        assert talk.generation.deadline == talk.now + 0.9
        assert talk.waits(0.9) == []
        assert states(talk) == []


def test_a_cut_turn_ends_by_its_bracket_by_the_next_and_with_its_connection() -> None:
    for talk in after_the_cut():
        assert talk.hears(DONE) == []
        assert states(talk) == ["TAIL"]
    for talk in after_the_cut():
        assert talk.hears(START) == UNASKED
        assert states(talk) == ["SPEAKING"]
    for talk in after_the_cut():
        assert talk.hears(TransportLost(Loss.RETRYABLE)) == []
        assert states(talk) == []
    talk = cut()
    assert talk.asks(ReplyRequested("q")) == [SendReplyRequest()]
    assert talk.hears(START) == ANSWERED
    talk = speaking()
    assert talk.asks(RESET) == [*CUT, SendReset()]  # what was handed over before is still played
    talk.hears(ConversationEnded(), TransportLost(Loss.NORMAL))
    assert (talk.conversation.session.state.name, states(talk)) == ("ENDING", [])


def test_calls_of_a_cut_turn_run_and_do_not_prolong_it() -> None:
    talk = cut()
    unmoved(talk, talk.generation, CALL, told=[*UNASKED, *HANDED])
    talk = unheard()
    unmoved(talk, talk.generation, CALL, told=[SendToolError()])


def test_stragglers_of_an_ended_turn_prolong_nothing() -> None:
    talk = ended()
    unmoved(talk, talk.generation, TEXT, SOUND, MessageDone(), DONE, CANCELLED, InterruptRequested())
    talk = ended()
    unmoved(talk, talk.generation, CALL, told=[*UNASKED, *HANDED])
    unmoved(talk, talk.generation, INTERRUPTED, told=[CorrectContext(), *PAIR])
    unmoved(talk, talk.generation, UserSpeechStarted(), told=[SpeechStarted()])
    fed(talk, RESET, [ReportCallEnded(), SendReset()], 1.0)
    assert talk.waits(1.0) == []
    assert states(talk) == []


def test_an_ended_turn_makes_way_for_the_next_and_goes_with_its_connection() -> None:
    talk = ended()
    assert talk.hears(START) == UNASKED
    assert states(talk) == ["SPEAKING"]
    talk = ended()
    assert talk.hears(TransportLost(Loss.RETRYABLE)) == []
    assert states(talk) == []
    talk = ended()
    talk.hears(ConversationEnded(), TransportLost(Loss.NORMAL))
    assert states(talk) == []


def test_words_after_the_tool_took_over_go_on_and_answer_no_later_request() -> None:
    talk = sealed()
    assert talk.asks(ReplyRequested("q")) == [SendReplyRequest()]
    unmoved(talk, talk.generation, OTHER, told=[*UNASKED, *HANDED])
    unmoved(talk, talk.generation, SOUND, MessageDone())
    assert talk.hears(TEXT) == [*UNASKED, *WORDS]
    assert (states(talk), [one.state.name for one in talk.conversation.replies]) == (["SPEAKING"], ["SENT"])
    talk = sealed()
    talk.asks(ReplyRequested("q"))
    assert talk.hears(START) == ANSWERED
    assert states(talk) == ["SPEAKING"]


SEALED_WAYS: dict[str, tuple[Event, list[Effect], list[str]]] = {
    "its bracket": (DONE, [], ["TAIL"]),
    "the provider was cut": (INTERRUPTED, [CorrectContext(), *PAIR], ["INTERRUPTED"]),
    "the user": (UserSpeechStarted(), [SpeechStarted()], ["INTERRUPTED"]),
    "the host": (InterruptRequested(), [], ["INTERRUPTED"]),
    "a reset": (RESET, [SendReset()], ["INTERRUPTED"]),
    "a loss": (TransportLost(Loss.RETRYABLE), [], []),
}


@pytest.mark.parametrize("way", SEALED_WAYS)
def test_a_turn_that_was_handed_over_still_ends_as_it_is_told(way: str) -> None:
    event, told, after = SEALED_WAYS[way]
    talk = sealed()
    assert talk.asks(event) == told
    assert states(talk) == after
    if after:
        assert talk.hears(TEXT) == []


def test_a_turn_that_was_handed_over_is_not_awaited_for_ever() -> None:
    talk = sealed()
    deadline = talk.generation.deadline
    assert deadline is not None
    assert talk.waits(deadline - talk.now) == []
    assert states(talk) == []
    talk = sealed()
    talk.hears(ConversationEnded(), TransportLost(Loss.NORMAL))
    assert states(talk) == []


# -- where responses have ids --------------------------------------------------------------------------------------


def named(*events: Event) -> Talk:
    talk = ready(OPENAI)
    assert talk.hears(START) == UNASKED
    talk.hears(*events)
    return talk


NAMED_WAYS: dict[str, tuple[Event, list[Effect], list[Effect], list[str]]] = {
    "its bracket": (DONE, FINISHED, [], []),
    "a bracket that says it was cut": (CANCELLED, CUT, [], []),
    "the provider was cut": (
        INTERRUPTED,
        CUT,
        [CorrectContext(), SpeechStarted(), TakeBack(), SpeechStopped()],
        ["INTERRUPTED"],
    ),
    "the user": (UserSpeechStarted(), CUT, [SendCancel(), SpeechStarted(), TakeBack()], ["INTERRUPTED"]),
    "the host": (InterruptRequested(), CUT, [SendCancel()], ["INTERRUPTED"]),
    "a loss": (TransportLost(Loss.RETRYABLE), CUT, [], []),
    "the next": (GenerationCreated("h"), CUT, UNASKED, ["SPEAKING"]),
}


@pytest.mark.parametrize("way", NAMED_WAYS)
@pytest.mark.parametrize("held", [False, True])
def test_a_named_turn_that_ends_decides_its_calls_and_ends_its_streams(way: str, held: bool) -> None:
    event, streams, then, after = NAMED_WAYS[way]
    talk = named(TEXT, *([CALL] if held else []))
    assert states(talk) == ["TOOL_PENDING" if held else "SPEAKING"]
    if held and streams == FINISHED:
        streams = [CloseMessage(), DeliverCall(), Seal()]
    assert talk.asks(event) == [*streams, *then]
    assert states(talk) == after
    assert [one.state.name for one in talk.conversation.calls] == (["PENDING"] if DeliverCall() in streams else [])
    assert talk.hears(TEXT, SOUND) == []


@pytest.mark.parametrize("held", [False, True])
def test_a_named_turn_that_stalls_is_cancelled(held: bool) -> None:
    talk = named(TEXT, *([CALL] if held else []))
    assert talk.waits(29.9) == []
    told = talk.waits(0.1)
    assert told == [CloseMessage(), *([DeliverCall()] if held else []), Seal(), SendCancel()]
    assert states(talk) == ["INTERRUPTED"]
    assert talk.waits(3.0) == []
    assert states(talk) == []


@pytest.mark.parametrize("held", [False, True])
def test_a_named_turn_is_kept_open_by_what_it_says_and_by_nothing_else(held: bool) -> None:
    talk = named(*([CALL] if held else []))
    fed(talk, SOUND, [OpenMessage(), PushAudio()], 30.0)
    fed(talk, SOUND, [PushAudio()], 30.0)
    fed(talk, TEXT, [PushText()], 30.0)
    fed(talk, TEXT, [PushText()], 30.0)
    unmoved(talk, talk.generation, START)
    unmoved(talk, talk.generation, MessageDone("g"), told=[CloseMessage()])
    unmoved(talk, talk.generation, MessageDone("g"))
    fed(talk, TEXT, WORDS, 30.0)
    fed(talk, TEXT, [PushText()], 30.0)
    if held:
        fed(talk, OTHER, [], 30.0)
        assert [one.state.name for one in talk.conversation.calls] == ["HELD", "HELD"]


def test_a_named_turn_that_was_cut_is_awaited_while_it_talks_on() -> None:
    talk = named(TEXT)
    assert talk.asks(InterruptRequested()) == [*CUT, SendCancel()]
    fed(talk, TEXT, [], 3.0)
    fed(talk, SOUND, [], 3.0)
    unmoved(talk, talk.generation, MessageDone("g"), START, InterruptRequested())
    unmoved(talk, talk.generation, INTERRUPTED, told=[CorrectContext()])
    unmoved(talk, talk.generation, CALL, told=[SendToolError()])
    assert talk.hears(UserSpeechStarted()) == [SpeechStarted()]
    old = talk.generation
    deadline = old.deadline
    assert talk.hears(GenerationCreated("h")) == UNASKED
    assert (states(talk), old.deadline) == (["INTERRUPTED", "SPEAKING"], deadline)
    assert talk.hears(DONE) == []
    assert states(talk) == ["SPEAKING"]
    talk = named(TEXT)
    talk.asks(InterruptRequested())
    assert talk.hears(TransportLost(Loss.RETRYABLE)) == []
    assert states(talk) == []
    talk = named(TEXT)
    talk.asks(InterruptRequested())
    talk.hears(ConversationEnded(), TransportLost(Loss.NORMAL))
    assert states(talk) == []


def test_a_named_late_answer_is_cancelled_and_never_heard() -> None:
    talk = ready(OPENAI)
    talk.asks(ReplyRequested("q"))
    assert talk.waits(10.0) == [FailReply(Failure.EXPIRED)]
    assert talk.hears(GenerationCreated("g", "q"), TEXT, SOUND) == [SendCancel()]
    assert (states(talk), talk.conversation.replies) == (["INTERRUPTED"], [])
    assert talk.hears(CALL) == [SendToolError()]
    talk = ready(OPENAI)
    talk.asks(ReplyRequested("q"))
    assert talk.hears(GenerationCreated("g", "q"), TEXT) == [*ANSWERED, *WORDS]
    assert (states(talk), talk.conversation.replies) == (["SPEAKING"], [])
    assert talk.hears(INTERRUPTED)[:2] == CUT
