"""Stories of messages on a wire whose conversation can be cut to what was heard: full, partial or skipped."""

from __future__ import annotations

import pytest

from rtfsm.language import Effect
from rtfsm.machines import Capabilities
from rtfsm.profiles import OPENAI, PHONIC, WIDEST
from rtfsm.vocabulary.effects import (
    CloseMessage,
    EmitTranscript,
    OpenGeneration,
    OpenMessage,
    PushText,
    Seal,
    SendCancel,
    SpeechStarted,
    TakeBack,
    Truncate,
)
from rtfsm.vocabulary.local import (
    InterruptRequested,
    MessageRemoved,
    PlayoutFinished,
    PlayoutStarted,
    ReplyAbandoned,
    ReplyRequested,
    TruncateAsked,
)
from rtfsm.vocabulary.wire import (
    GenerationCreated,
    GenerationDone,
    GenerationStatus,
    MessageDone,
    TextDelta,
    UserSpeechStarted,
    UserTranscript,
)

from .talk import Talk, ready

editable = pytest.mark.parametrize("wire", [OPENAI, WIDEST])
CUT: list[Effect] = [CloseMessage(cut=True), Seal(), SendCancel()]


def two_messages(wire: Capabilities) -> Talk:
    """A preamble that is being heard and an answer that waits its turn; the response is complete."""
    talk = ready(wire)
    talk.hears(GenerationCreated("r"), TextDelta("one", "r", "m"), MessageDone("r", "m"), TextDelta("two", "r", "n"))
    talk.hears(GenerationDone(GenerationStatus.COMPLETED, "r"))
    talk.asks(PlayoutStarted("m"))
    return talk


def playouts(talk: Talk) -> dict[str, str]:
    return {one.id: one.state.name for one in talk.conversation.playouts}


@editable
def test_a_message_that_waits_when_the_user_speaks_is_taken_back_though_nobody_pulled_it(wire: Capabilities) -> None:
    talk = two_messages(wire)
    assert talk.hears(UserSpeechStarted("u")) == [SpeechStarted(), TakeBack()]
    assert [one.instance.id for one in talk.emissions if one.effect == TakeBack()] == ["n"]
    assert playouts(talk) == {"m": "STOPPED"}
    assert not talk.conversation.audible
    assert talk.asks(TruncateAsked("m")) == [Truncate()]
    assert playouts(talk) == {}
    assert talk.asks(TruncateAsked("m"), TruncateAsked("n"), MessageRemoved("n")) == []
    talk.closes()


@editable
def test_a_message_whose_stop_is_not_explained_was_heard(wire: Capabilities) -> None:
    """The host interrupts before it asks for the answer to a tool, and nothing was cut by that."""
    talk = two_messages(wire)
    talk.asks(PlayoutStarted("n"))
    assert talk.asks(InterruptRequested()) == []
    assert talk.waits(5.9) == []
    assert playouts(talk) == {"n": "STOPPED"}
    assert talk.waits(0.1) == []
    assert playouts(talk) == {}
    talk.closes()


@editable
def test_a_message_that_the_host_plays_after_its_own_interruption_is_heard(wire: Capabilities) -> None:
    talk = two_messages(wire)
    talk.asks(InterruptRequested())
    assert talk.asks(PlayoutFinished("m"), InterruptRequested()) == []
    assert talk.asks(PlayoutStarted("n"), PlayoutFinished("n")) == []
    assert playouts(talk) == {"m": "STOPPED"}
    talk.closes()


@editable
def test_a_message_that_the_host_never_plays_after_its_interruption_is_taken_back(wire: Capabilities) -> None:
    talk = two_messages(wire)
    talk.asks(PlayoutFinished("m"), InterruptRequested())
    assert talk.waits(0.4) == []
    assert talk.waits(0.1) == [TakeBack()]
    assert playouts(talk) == {}
    talk.closes()


@editable
def test_the_user_settles_what_the_hosts_interruption_left_open(wire: Capabilities) -> None:
    talk = two_messages(wire)
    talk.asks(InterruptRequested())
    assert talk.hears(UserSpeechStarted("u")) == [SpeechStarted(), TakeBack()]
    assert playouts(talk) == {"m": "STOPPED"}
    talk.closes()


@editable
def test_a_message_that_the_host_does_not_write_down_after_its_interruption_is_taken_back_once(
    wire: Capabilities,
) -> None:
    talk = two_messages(wire)
    lacking = MessageRemoved("m", meant=False), MessageRemoved("n", meant=False)
    assert talk.asks(*lacking) == []  # it writes them down once they were heard
    assert talk.asks(InterruptRequested(), *lacking) == [TakeBack(), TakeBack()]
    assert talk.asks(*lacking) == []
    talk.closes()


@editable
def test_a_message_that_the_host_has_seen_and_removes_is_taken_back_while_it_is_heard(wire: Capabilities) -> None:
    talk = two_messages(wire)
    assert talk.asks(MessageRemoved("m"), MessageRemoved("n")) == [TakeBack(), TakeBack()]
    assert playouts(talk) == {}
    talk.closes()


@editable
def test_what_comes_of_a_response_after_it_was_cut_is_taken_back(wire: Capabilities) -> None:
    talk = ready(wire)
    talk.hears(GenerationCreated("r"), MessageDone("r", "empty"), TextDelta("one", "r", "m"))
    talk.asks(PlayoutStarted("m"))
    assert talk.hears(UserSpeechStarted("u")) == [*CUT, SpeechStarted()]
    assert talk.hears(TextDelta("two", "r", "n"), MessageDone("r", "m")) == []
    assert talk.hears(MessageDone("r", "n")) == [TakeBack()]
    assert talk.hears(MessageDone("r", "n"), GenerationDone(GenerationStatus.CANCELLED, "r")) == []
    talk.closes()


@editable
def test_the_late_answer_to_an_abandoned_request_is_taken_back(wire: Capabilities) -> None:
    talk = ready(wire)
    talk.asks(ReplyRequested("q"), ReplyAbandoned("q"))
    assert talk.hears(GenerationCreated("r", "q")) == [SendCancel()]
    assert talk.hears(TextDelta("late", "r", "m"), MessageDone("r", "m")) == [TakeBack()]
    talk.closes()


@editable
def test_an_end_leaves_no_message_in_doubt(wire: Capabilities) -> None:
    talk = two_messages(wire)
    talk.asks(InterruptRequested())
    talk.closes()
    assert playouts(talk) == {}


def test_a_wire_that_takes_nothing_back_is_asked_for_nothing() -> None:
    talk = ready(PHONIC)
    assert talk.hears(GenerationCreated(), TextDelta("one")) == [OpenGeneration(), OpenMessage(), PushText()]
    assert talk.hears(UserSpeechStarted()) == [CloseMessage(cut=True), Seal(), SpeechStarted()]
    (message,) = talk.messages
    assert talk.asks(TruncateAsked(message), MessageRemoved(message)) == []
    talk.closes()


def test_what_the_user_said_once_is_told_once() -> None:
    talk = ready(OPENAI)
    said = UserTranscript("hello", "u")
    assert talk.hears(said, said, UserTranscript("again", "v")) == [EmitTranscript(), EmitTranscript()]
    talk.closes()
