"""Stories of tool calls: a call is a debt, answered once where it was made, or ended by name."""

from __future__ import annotations

import attrs
import pytest

from rtfsm.language import Effect, Reason
from rtfsm.machines import AgentState, Capabilities
from rtfsm.profiles import GEMINI, OPENAI, PHONIC, PROFILES
from rtfsm.vocabulary.effects import (
    CloseMessage,
    DeliverCall,
    OpenGeneration,
    OpenTransport,
    ReleaseHost,
    ReportCallEnded,
    ReportOutputDropped,
    ReportReady,
    Seal,
    SendCancel,
    SendConfig,
    SendReset,
    SendToolError,
    SendToolOutput,
    SpeechStarted,
)
from rtfsm.vocabulary.local import CloseRequested, ConfigGiven, ConfigKind, ToolOutputGiven, ToolReply
from rtfsm.vocabulary.wire import (
    ConversationEnded,
    GenerationCreated,
    GenerationDone,
    GenerationStatus,
    Loss,
    ProviderReady,
    TextDelta,
    ToolCallCancelled,
    ToolCallReady,
    ToolResultTaken,
    TransportLost,
    TransportOpened,
    UserSpeechStarted,
)

from .talk import Talk, ready

CALL, OTHER = ToolCallReady("c", "look_up", "{}"), ToolCallReady("d", "look_up", "{}")
OUTPUT, OTHER_OUTPUT = ToolOutputGiven("c", "42"), ToolOutputGiven("d", "")
UNWANTED = ToolOutputGiven("c", "42", ToolReply.NOT_WANTED)
IN_VAIN: list[Effect] = [ReportOutputDropped(), ReleaseHost()]
SENT: list[Effect] = [SendToolOutput()]
UNASKED: list[Effect] = [OpenGeneration()]
CUT: list[Effect] = [CloseMessage(cut=True), Seal()]


def called(talk: Talk) -> Talk:
    """A turn that only called a tool."""
    assert talk.hears(GenerationCreated(), CALL) == [*UNASKED, DeliverCall(), Seal()]
    assert talk.hears(GenerationDone()) == []
    assert talk.conversation.agent_state is AgentState.THINKING
    return talk


def answered() -> Talk:
    """A tool whose output was sent; its answer is expected."""
    talk = called(ready(PHONIC))
    assert talk.asks(OUTPUT) == SENT
    assert talk.states == ["TAIL", "EXPECTED", "ANSWERED"]
    return talk


def test_an_output_is_sent_once_and_answered_unasked() -> None:
    talk = answered()
    assert talk.asks(OUTPUT) == [ReportOutputDropped()]
    assert talk.hears(ToolResultTaken("c"), GenerationCreated()) == UNASKED
    assert talk.states == ["SPEAKING"]
    talk.closes()


def test_the_answer_may_come_before_the_output_is_taken() -> None:
    talk = answered()
    assert talk.hears(GenerationCreated(), ToolResultTaken("c")) == UNASKED
    assert talk.states == ["SPEAKING"]
    talk.closes()


def test_an_answer_that_never_comes_releases_the_host() -> None:
    talk = answered()
    assert talk.waits(9.9) == []
    assert talk.waits(0.1) == [ReleaseHost()]
    assert talk.states == []
    talk.closes()


def test_a_user_who_speaks_instead_releases_the_host() -> None:
    talk = answered()
    assert talk.hears(UserSpeechStarted()) == [SpeechStarted(), ReleaseHost()]
    talk.closes()


def test_an_output_that_wants_no_answer_waits_for_none() -> None:
    talk = called(ready(PHONIC))
    assert talk.asks(ToolOutputGiven("c", "42", ToolReply.NOT_WANTED)) == SENT
    assert talk.states == ["TAIL", "ANSWERED"]
    talk.closes()


def test_an_answer_that_the_provider_was_told_to_withhold_releases_the_host() -> None:
    talk = called(ready(PHONIC))
    assert talk.asks(ToolOutputGiven("c", "42", ToolReply.WITHHELD)) == [*SENT, ReleaseHost()]
    talk.closes()


def test_two_outputs_are_answered_together() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), CALL, OTHER)
    assert talk.asks(OTHER_OUTPUT, OUTPUT) == [*SENT, *SENT]
    assert talk.states.count("EXPECTED") == 1
    assert talk.hears(GenerationCreated()) == UNASKED
    assert talk.states == ["SPEAKING", "ANSWERED", "ANSWERED"]
    talk.closes()


def test_a_further_call_is_the_answer() -> None:
    talk = answered()
    assert talk.hears(OTHER) == [*UNASKED, DeliverCall(), Seal()]
    assert "EXPECTED" not in talk.states
    talk.closes()


def test_a_withdrawn_call_is_never_answered() -> None:
    talk = called(ready(PHONIC))
    assert talk.hears(ToolCallCancelled("c")) == [ReportCallEnded()]
    assert talk.asks(OUTPUT) == IN_VAIN
    talk.closes()


def test_a_call_withdrawn_after_its_output_releases_the_host() -> None:
    talk = answered()
    assert talk.hears(ToolCallCancelled("c")) == [ReleaseHost()]
    talk.closes()


def test_a_withdrawal_of_what_was_never_called_is_nothing() -> None:
    talk = ready(PHONIC)
    assert talk.hears(ToolCallCancelled("c"), ToolResultTaken("c")) == []
    assert talk.conversation.dropped == {Reason.NO_OP: 2}
    talk.closes()


def test_a_tool_that_never_returns_is_answered_with_an_error() -> None:
    talk = called(ready(PHONIC))
    assert talk.waits(58.9) == []
    assert talk.waits(0.1) == [SendToolError(), ReportCallEnded()]
    assert talk.asks(OUTPUT) == IN_VAIN
    talk.closes()


def test_a_call_that_the_provider_gave_up_is_not_answered() -> None:
    talk = called(ready(PHONIC))
    assert talk.hears(ToolResultTaken("c")) == [ReportCallEnded()]
    assert talk.asks(OUTPUT) == IN_VAIN
    talk.closes()


def test_an_output_that_the_provider_never_says_it_took() -> None:
    talk = called(ready(PHONIC))
    talk.asks(ToolOutputGiven("c", "42", ToolReply.NOT_WANTED))
    talk.waits(1.0)
    assert talk.states == ["ANSWERED"]
    assert talk.waits(9.0) == []
    assert talk.states == []
    talk.closes()


def test_a_call_told_twice_runs_once() -> None:
    talk = called(ready(PHONIC))
    assert talk.hears(CALL) == []
    talk.asks(OUTPUT)
    assert talk.hears(CALL) == []
    talk.hears(ToolResultTaken("c"))
    assert talk.hears(CALL) == []
    assert talk.conversation.ignored() == {Reason.DUPLICATE: 2, Reason.STALE: 1}
    talk.closes()


def test_cutting_a_turn_does_not_end_its_call() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), TextDelta("one"), CALL)
    assert talk.hears(UserSpeechStarted()) == [*CUT, SpeechStarted()]
    assert talk.states == ["INTERRUPTED", "PENDING"]
    assert talk.asks(OUTPUT) == SENT
    talk.closes()


def test_a_call_after_the_cut_may_be_the_next_thought() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), TextDelta("one"), UserSpeechStarted())
    assert talk.hears(CALL) == [*UNASKED, DeliverCall(), Seal()]
    talk.closes()


def test_an_output_after_a_reset_is_dropped() -> None:
    talk = called(ready(PHONIC))
    assert talk.asks(ConfigGiven(ConfigKind.RESET)) == [ReportCallEnded(), SendReset()]
    assert talk.asks(OUTPUT) == IN_VAIN
    talk.closes()


def test_an_output_after_a_reconnect_is_dropped() -> None:
    talk = called(ready(PHONIC))
    assert talk.hears(TransportLost(Loss.RETRYABLE)) == [ReportCallEnded()]
    assert talk.waits(2.0) == [OpenTransport()]
    assert talk.hears(TransportOpened(), ProviderReady()) == [SendConfig(), ReportReady()]
    assert talk.asks(OUTPUT) == IN_VAIN
    talk.closes()


def test_a_reset_while_an_answer_is_expected_releases_the_host() -> None:
    talk = answered()
    assert talk.asks(ConfigGiven(ConfigKind.RESET)) == [ReleaseHost(), SendReset()]
    talk.closes()


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_an_output_for_a_call_that_nobody_made_is_told_and_begins_nothing(profile: Capabilities) -> None:
    """A host that asks for the answer itself is not let go: it waits for nothing."""
    talk = ready(profile)
    one = ToolOutputGiven("c", "42")
    assert talk.asks(one) == (IN_VAIN if profile.auto_reply else [ReportOutputDropped()])
    assert (talk.states, talk.conversation.dropped) == ([], {})
    assert "c" not in talk.conversation.seen_calls
    told = talk.hears(GenerationCreated("r"), ToolCallReady("c", "look_up", "{}", "r"), GenerationDone(generation="r"))
    assert DeliverCall() in told
    talk.closes()


def test_a_dropped_output_that_wants_no_answer_lets_nobody_go() -> None:
    talk = called(ready(PHONIC))
    talk.hears(ToolCallCancelled("c"))
    assert talk.asks(UNWANTED) == [ReportOutputDropped()]
    assert talk.asks(ToolOutputGiven("c", "42", ToolReply.WITHHELD)) == IN_VAIN
    talk.closes()


def test_a_dropped_output_waits_for_the_answer_to_another_one() -> None:
    talk = ready(PHONIC)
    talk.hears(GenerationCreated(), CALL, OTHER, ToolCallCancelled("d"))
    assert talk.asks(OUTPUT) == SENT
    assert talk.asks(OTHER_OUTPUT) == [ReportOutputDropped()]
    assert talk.hears(GenerationCreated()) == UNASKED
    assert talk.asks(OTHER_OUTPUT) == IN_VAIN
    talk.closes()


def test_an_output_given_again_after_its_answer_lets_the_host_go() -> None:
    talk = answered()
    assert talk.hears(GenerationCreated()) == UNASKED
    assert talk.asks(UNWANTED) == [ReportOutputDropped()]
    assert talk.asks(OUTPUT) == IN_VAIN
    assert talk.states == ["SPEAKING", "ANSWERED"]
    talk.closes()


def test_an_output_given_again_where_the_host_asks_for_the_answer() -> None:
    talk = called(ready(attrs.evolve(PHONIC, auto_reply=False)))
    assert talk.asks(OUTPUT) == SENT
    assert talk.asks(OUTPUT, UNWANTED) == [ReportOutputDropped()] * 2
    assert talk.states == ["TAIL", "ANSWERED"]
    talk.closes()


def test_an_output_while_the_connection_opens_again_is_in_vain() -> None:
    talk = called(ready(PHONIC))
    talk.hears(TransportLost(Loss.RETRYABLE))
    assert talk.asks(OUTPUT) == IN_VAIN
    talk.waits(2.0)
    assert talk.asks(OUTPUT) == IN_VAIN
    talk.hears(TransportOpened())
    assert talk.asks(OUTPUT) == IN_VAIN
    talk.closes()


def test_an_output_for_a_conversation_that_is_over_is_told_and_lets_nobody_go() -> None:
    talk = called(ready(PHONIC))
    talk.hears(GenerationCreated(), TextDelta("Bye."), ConversationEnded())
    conversation, seen = talk.conversation, [talk.conversation.session.state.name]
    assert talk.asks(OUTPUT) == [ReportOutputDropped()]
    talk.asks(CloseRequested())
    seen.append(conversation.session.state.name)
    assert talk.asks(OUTPUT) == [ReportOutputDropped()]
    talk.waits(2.0)
    seen.append(conversation.session.state.name)
    assert talk.asks(OUTPUT) == [ReportOutputDropped()]
    assert seen == ["ENDING", "CLOSING", "CLOSED"]
    assert conversation.live_objects == 0


# -- a wire whose calls are trusted only once their response is done --------------------------------------------------


def held() -> Talk:
    talk = ready(OPENAI)
    told = talk.hears(
        GenerationCreated("r"), ToolCallReady("c", "pay", "{}", "r"), ToolCallReady("d", "pay", "{}", "r")
    )
    assert told == UNASKED
    assert talk.states == ["TOOL_PENDING", "HELD", "HELD"]
    return talk


def test_held_calls_run_when_their_response_is_done() -> None:
    talk = held()
    told = talk.hears(GenerationDone(generation="r"))
    assert told == [CloseMessage(), DeliverCall(), DeliverCall(), Seal()]
    assert talk.asks(OUTPUT, OTHER_OUTPUT) == [*SENT, *SENT]
    assert talk.states == []
    talk.closes()


@pytest.mark.parametrize("status", [one for one in GenerationStatus if one is not GenerationStatus.COMPLETED])
def test_held_calls_of_a_response_that_was_cut_never_run(status: GenerationStatus) -> None:
    talk = held()
    assert talk.hears(GenerationDone(status, "r")) == CUT
    assert talk.states == []
    talk.closes()


def test_held_calls_of_a_response_that_the_user_cuts_never_run() -> None:
    talk = held()
    assert talk.hears(UserSpeechStarted()) == [*CUT, SendCancel(), SpeechStarted()]
    assert talk.hears(GenerationDone(generation="r")) == []
    assert talk.states == []
    talk.closes()


def test_a_call_told_twice_is_held_once() -> None:
    talk = held()
    assert talk.hears(ToolCallReady("c", "pay", "{}", "r")) == []
    assert talk.hears(GenerationDone(generation="r")).count(DeliverCall()) == 2
    talk.closes()


def test_a_call_of_a_response_that_was_cut_is_refused() -> None:
    talk = ready(OPENAI)
    talk.hears(GenerationCreated("r"), TextDelta("one", "r", "m"), UserSpeechStarted())
    assert talk.hears(ToolCallReady("c", "pay", "{}", "r")) == [SendToolError()]
    talk.closes()


def test_a_wire_that_says_nothing_of_taken_outputs_forgets_the_call_at_once() -> None:
    talk = called(ready(GEMINI))
    assert talk.asks(OUTPUT) == SENT
    assert talk.states == ["TAIL", "EXPECTED"]
    talk.closes()
