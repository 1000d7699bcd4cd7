"""Legal orderings of a wire whose turns have no ids, which break those who assume more than it says."""

from __future__ import annotations

import base64
from typing import Any

from rtfsm.language import Effect
from rtfsm.profiles import GEMINI
from rtfsm.vocabulary.effects import (
    CloseMessage,
    CloseTransport,
    CorrectContext,
    DeliverCall,
    EmitTranscript,
    OpenGeneration,
    OpenMessage,
    OpenTransport,
    PushAudio,
    PushText,
    ReleaseHost,
    ReportCallEnded,
    ReportOutputDropped,
    ReportReady,
    ResolveReply,
    Seal,
    SendConfig,
    SendReplyRequest,
    SendToolOutput,
    SpeechStarted,
    SpeechStopped,
)
from rtfsm.vocabulary.local import (
    ConfigGiven,
    PlayoutFinished,
    PlayoutStarted,
    ReplyRequested,
    ToolOutputGiven,
)
from rtfsm.vocabulary.wire import ToolCallReady, TransportOpened

from .foreign import GeminiState, Wire, gemini
from .talk import Talk

SOUND = base64.b64encode(b"\0\0").decode()
CUT: list[Effect] = [CloseMessage(cut=True), Seal()]
FINISHED: list[Effect] = [CloseMessage(), Seal()]
OPENS: list[Effect] = [OpenGeneration(), OpenMessage(), PushText()]
SOUNDS: list[Effect] = [OpenGeneration(), OpenMessage(), PushAudio()]


def without_ids() -> Wire:
    wire = Wire(Talk(GEMINI), gemini, GeminiState())
    wire.talk.asks(ConfigGiven())
    assert wire.talk.hears(TransportOpened()) == [SendConfig()]
    assert wire.brings({"setupComplete": {}}) == [ReportReady()]
    return wire


AUDIO = {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"data": SOUND}}]}}}
INTERRUPTED = {"serverContent": {"interrupted": True}}
COMPLETE = {"serverContent": {"turnComplete": True}}
IN_PROGRESS = {"serverContent": {"turnComplete": True, "interactionStatus": "IN_PROGRESS"}}


def model_text(text: str) -> dict[str, Any]:
    return {"serverContent": {"outputTranscription": {"text": text}}}


def user_text(text: str) -> dict[str, Any]:
    return {"serverContent": {"inputTranscription": {"text": text}}}


def tool_call(*ids: str) -> dict[str, Any]:
    return {"toolCall": {"functionCalls": [{"id": id, "name": "look_up", "args": {"id": id}} for id in ids]}}


def test_g11_a_transcript_of_the_user_after_the_turn_opens_no_ghost() -> None:
    wire = without_ids()
    assert wire.brings(AUDIO, model_text("hello")) == [*SOUNDS, PushText()]
    wire.talk.asks(PlayoutStarted(wire.talk.messages[0]))
    assert wire.brings(COMPLETE) == FINISHED
    assert wire.brings(user_text("what is"), user_text("the time")) == [EmitTranscript(), EmitTranscript()]
    assert wire.talk.conversation.audible, "the answer is still heard"
    assert wire.talk.states == ["TAIL"]
    assert wire.talk.waits(3.0) + wire.brings(user_text("?")) == [EmitTranscript()]
    assert wire.talk.states == []
    wire.talk.closes()


def test_g11_a_transcript_of_the_model_after_the_turn_opens_no_ghost() -> None:
    wire = without_ids()
    wire.brings(AUDIO, COMPLETE)
    assert wire.brings(model_text("hello"), {"serverContent": {"generationComplete": True}}) == []
    assert wire.brings(AUDIO) == SOUNDS
    assert wire.talk.words == {}
    wire.talk.closes()


def test_g2_a_late_transcript_answers_no_request() -> None:
    wire = without_ids()
    wire.brings(AUDIO, COMPLETE)
    assert wire.talk.asks(ReplyRequested("q")) == [SendReplyRequest()]
    assert wire.brings(user_text("late"), model_text("late")) == [EmitTranscript()]
    assert wire.brings(AUDIO)[:2] == [OpenGeneration(user_initiated=True), ResolveReply()]
    wire.talk.closes()


def test_g8_two_tool_calls_back_to_back_are_both_run_and_answered() -> None:
    wire = without_ids()
    told = wire.brings(AUDIO, tool_call("c"), tool_call("d"))
    assert told == [*SOUNDS, DeliverCall(), DeliverCall()]
    assert SpeechStarted() not in told
    assert wire.talk.waits(0.5) == FINISHED
    outputs = wire.talk.asks(ToolOutputGiven("c", "1"), ToolOutputGiven("d", "2"))
    assert outputs == [SendToolOutput(), SendToolOutput()]
    assert wire.brings(COMPLETE, AUDIO) == SOUNDS
    wire.talk.closes()


def test_g8_two_tool_calls_without_a_word() -> None:
    wire = without_ids()
    alone: list[Effect] = [OpenGeneration(), DeliverCall(), Seal()]
    assert wire.brings(tool_call("c"), tool_call("d", "e")) == [*alone, *alone, *alone]
    assert wire.talk.states == ["PENDING", "PENDING", "PENDING"]
    wire.talk.closes()


def test_g10_a_call_withdrawn_after_an_interruption_is_never_answered() -> None:
    wire = without_ids()
    wire.brings(AUDIO, tool_call("c", "d"))
    assert wire.brings(INTERRUPTED) == [*CUT, CorrectContext(), SpeechStarted(), SpeechStopped()]
    assert wire.brings({"toolCallCancellation": {"ids": ["c", "d"]}}) == [ReportCallEnded(), ReportCallEnded()]
    dropped = [ReportOutputDropped(), ReleaseHost()]
    assert wire.talk.asks(ToolOutputGiven("c", "1"), ToolOutputGiven("d", "2")) == [*dropped, *dropped]
    assert wire.brings(COMPLETE) == []
    wire.talk.closes()


def test_g10_interrupted_then_complete_ends_the_turn_once() -> None:
    wire = without_ids()
    wire.brings(AUDIO, model_text("hello"), INTERRUPTED)
    assert wire.brings(model_text(" late"), COMPLETE, COMPLETE) == []
    assert wire.brings(AUDIO) == SOUNDS
    wire.talk.closes()


def test_an_interruption_after_the_turn_stops_what_is_still_played() -> None:
    wire = without_ids()
    wire.brings(AUDIO, COMPLETE)
    wire.talk.asks(PlayoutStarted(wire.talk.messages[0]))
    wire.talk.waits(2.0)
    assert wire.brings(INTERRUPTED) == [CorrectContext(), SpeechStarted(), SpeechStopped()]
    assert wire.brings(COMPLETE) == []
    assert not wire.talk.conversation.audible
    wire.talk.closes()


def test_g12_a_second_utterance_does_not_interrupt_the_first() -> None:
    wire = without_ids()
    wire.brings(AUDIO)
    wire.talk.asks(PlayoutStarted(wire.talk.messages[0]))
    assert wire.brings(IN_PROGRESS) == FINISHED
    assert wire.brings(AUDIO, model_text("and more")) == [*SOUNDS, PushText()]
    assert len(wire.talk.conversation.playouts) == 2, "the first is still heard, the second waits"
    assert wire.brings(COMPLETE) == FINISHED
    wire.talk.closes()


def test_g9_a_model_that_talks_on_while_its_tool_runs_is_not_cut() -> None:
    wire = without_ids()
    assert wire.brings(AUDIO, model_text("one moment"), tool_call("c")) == [*SOUNDS, PushText(), DeliverCall()]
    assert wire.brings(AUDIO, AUDIO) == [PushAudio(), PushAudio()]
    assert wire.talk.waits(0.5) == FINISHED
    assert wire.brings(model_text(" still looking")) == OPENS
    assert wire.talk.conversation.audible
    assert list(wire.talk.words.values()) == ["one moment", " still looking"]
    wire.talk.closes()


def test_g5_a_connection_that_goes_away_lets_the_speech_be_heard() -> None:
    wire = without_ids()
    wire.brings(AUDIO)
    message = wire.talk.messages[0]
    wire.talk.asks(PlayoutStarted(message))
    assert wire.brings({"goAway": {"timeLeft": "9s"}}, AUDIO, COMPLETE) == [PushAudio(), *FINISHED]
    assert wire.talk.waits(3.0) == []
    assert wire.talk.asks(PlayoutFinished(message)) == [CloseTransport(), OpenTransport()]
    wire.state = GeminiState()
    assert wire.talk.hears(TransportOpened()) == [SendConfig()]
    assert wire.brings({"setupComplete": {}}) == [ReportReady()]
    wire.talk.closes()


def test_the_fold_is_pure() -> None:
    called = tool_call("c")
    assert gemini(GeminiState(), called) == gemini(GeminiState(), called)
    assert gemini(GeminiState(), called)[1] == [ToolCallReady("c", "look_up", '{"id": "c"}')]
