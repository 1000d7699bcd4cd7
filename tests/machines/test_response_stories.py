"""Stories of responses with ids: late content is known by its id, lanes and messages are kept apart."""

from __future__ import annotations

from rtfsm.language import Effect, Reason
from rtfsm.profiles import OPENAI, WIDEST
from rtfsm.vocabulary.effects import (
    CloseMessage,
    CorrectContext,
    OpenGeneration,
    OpenMessage,
    PushAudio,
    PushText,
    Seal,
    SendCancel,
    SpeechStarted,
    TakeBack,
)
from rtfsm.vocabulary.local import (
    InterruptRequested,
    ReplyKind,
    ReplyRequested,
)
from rtfsm.vocabulary.wire import (
    AudioDelta,
    GenerationCreated,
    GenerationDone,
    GenerationInterrupted,
    GenerationStatus,
    MessageDone,
    TextDelta,
    ToolCallReady,
    UserSpeechStarted,
)

from .talk import ready

OPENS: list[Effect] = [OpenGeneration(), OpenMessage(), PushText()]
CUT: list[Effect] = [CloseMessage(cut=True), Seal()]
FINISHED: list[Effect] = [CloseMessage(), Seal()]
CALL = ToolCallReady("c", "look_up", "{}")
CANCELLED = GenerationStatus.CANCELLED


def test_a_host_that_interrupts_while_nothing_runs_is_not_remembered() -> None:
    talk = ready(OPENAI)
    assert talk.asks(InterruptRequested()) == []
    assert talk.hears(GenerationCreated("r"), TextDelta("one", "r", "m")) == OPENS
    talk.closes()


def test_a_host_that_interrupts_cancels_where_the_wire_can() -> None:
    talk = ready(OPENAI)
    talk.hears(GenerationCreated("r"), TextDelta("one", "r", "m"))
    assert talk.asks(InterruptRequested()) == [*CUT, SendCancel()]
    assert talk.asks(InterruptRequested()) == []
    assert talk.hears(TextDelta("two", "r", "m"), GenerationDone(CANCELLED, "r")) == []
    assert talk.states == []
    talk.closes()


def test_a_cancel_that_is_never_acknowledged_is_forgotten_in_time() -> None:
    talk = ready(OPENAI)
    talk.hears(GenerationCreated("r"), TextDelta("one", "r", "m"))
    talk.asks(InterruptRequested())
    assert talk.waits(0.5) == [TakeBack()]  # nobody has heard its message
    assert talk.waits(2.4) + talk.hears(AudioDelta(b"", "r", "m")) == []
    assert talk.waits(2.9) == []
    assert talk.states == ["INTERRUPTED"]
    assert talk.waits(0.1) == []
    assert talk.states == []
    talk.closes()


def test_content_of_a_response_that_is_done_is_late() -> None:
    talk = ready(OPENAI)
    talk.hears(GenerationCreated("r"), TextDelta("one", "r", "m"), GenerationDone(generation="r"))
    late = [
        TextDelta("two", "r", "m"),
        AudioDelta(b"", "r", "m"),
        MessageDone("r", "m"),
        GenerationDone(generation="r"),
    ]
    assert talk.hears(*late) == []
    assert talk.conversation.dropped == {Reason.LATE: 4}
    talk.closes()


def test_a_response_that_is_done_is_not_announced_again() -> None:
    talk = ready(OPENAI)
    talk.hears(GenerationCreated("r"), TextDelta("one", "r", "m"), GenerationDone(generation="r"))
    assert talk.hears(GenerationCreated("r"), TextDelta("one", "r", "m")) == []
    assert talk.conversation.dropped == {Reason.DUPLICATE: 1, Reason.LATE: 1}
    talk.closes()


def test_a_second_response_of_the_conversation_closes_the_first() -> None:
    talk = ready(OPENAI)
    talk.hears(GenerationCreated("r"), TextDelta("one", "r", "m"))
    assert talk.hears(GenerationCreated("s"), TextDelta("two", "s", "n")) == [*CUT, *OPENS]
    assert talk.hears(TextDelta("late", "r", "m")) == []
    assert talk.words == {"r": "one", "s": "two"}
    talk.closes()


def test_two_messages_of_one_response() -> None:
    talk = ready(OPENAI)
    told = talk.hears(
        GenerationCreated("r"),
        TextDelta("one", "r", "m"),
        MessageDone("r", "m"),
        TextDelta("two", "r", "n"),
        GenerationDone(generation="r"),
    )
    assert told == [*OPENS, CloseMessage(), OpenMessage(), PushText(), *FINISHED]
    assert talk.messages == ["m", "n"]
    talk.closes()


def test_a_message_ends_where_the_next_begins() -> None:
    talk = ready(OPENAI)
    talk.hears(GenerationCreated("r"), TextDelta("one", "r", "m"))
    assert talk.hears(AudioDelta(b"", "r", "n")) == [CloseMessage(), OpenMessage(), PushAudio()]
    assert talk.hears(TextDelta("late", "r", "m"), MessageDone("r", "m")) == []
    talk.closes()


def test_a_response_out_of_band_lives_beside_the_conversation() -> None:
    talk = ready(OPENAI)
    talk.hears(GenerationCreated("r"), TextDelta("one", "r", "m"))
    talk.asks(ReplyRequested("q", ReplyKind.OUT_OF_BAND))
    talk.hears(GenerationCreated("o", request="q", stored=False), TextDelta("aside", "o", "n"))
    assert talk.hears(TextDelta(" two", "r", "m"), GenerationDone(generation="o")) == [PushText(), *FINISHED]
    assert talk.hears(GenerationDone(generation="r")) == FINISHED
    assert talk.words == {"r": "one two", "o": "aside"}
    talk.closes()


def test_the_end_of_one_out_of_band_takes_the_floor_from_nobody() -> None:
    talk = ready(WIDEST)
    talk.hears(GenerationCreated("r"), TextDelta("one", "r", "m"))
    talk.hears(GenerationCreated("o", stored=False), TextDelta("aside", "o", "n"))
    assert talk.hears(GenerationInterrupted("o")) == [*CUT, CorrectContext()]
    assert talk.hears(TextDelta(" two", "r", "m")) == [PushText()]
    talk.closes()


def test_a_user_who_speaks_cuts_every_lane() -> None:
    talk = ready(WIDEST)
    talk.hears(GenerationCreated("r"), TextDelta("one", "r", "m"))
    talk.hears(GenerationCreated("o", stored=False), TextDelta("aside", "o", "n"))
    cut = [*CUT, SendCancel()]
    assert talk.hears(UserSpeechStarted()) == [*cut, *cut, SpeechStarted(), TakeBack(), TakeBack()]
    talk.closes()
