"""Legal orderings of a wire whose responses have ids, which break those who assume more than it says."""

from __future__ import annotations

import base64
from typing import Any

from rtfsm.language import Effect, Reason
from rtfsm.profiles import OPENAI
from rtfsm.vocabulary.effects import (
    CloseMessage,
    CloseTransport,
    DeliverCall,
    EmitTranscript,
    FailReply,
    Failure,
    OpenGeneration,
    OpenMessage,
    OpenTransport,
    PushAudio,
    PushText,
    ReportOutputDropped,
    ReportReady,
    ReportRecoverable,
    ResolveReply,
    Seal,
    SendCancel,
    SendConfig,
    SendReplyRequest,
    SendToolOutput,
    SpeechStarted,
    SpeechStopped,
    TakeBack,
)
from rtfsm.vocabulary.local import (
    ConfigGiven,
    InterruptRequested,
    ReplyKind,
    ReplyRequested,
    ToolOutputGiven,
)
from rtfsm.vocabulary.wire import ProviderReady

from .foreign import CREATE, OpenAIState, Wire, openai, strict_object
from .talk import Talk

SOUND = base64.b64encode(b"\0\0").decode()
CUT: list[Effect] = [CloseMessage(cut=True), Seal()]
FINISHED: list[Effect] = [CloseMessage(), Seal()]
OPENS: list[Effect] = [OpenGeneration(), OpenMessage(), PushText()]
SOUNDS: list[Effect] = [OpenGeneration(), OpenMessage(), PushAudio()]


def with_ids() -> Wire:
    wire = Wire(Talk(OPENAI), openai, OpenAIState())
    wire.talk.asks(ConfigGiven())
    assert wire.brings({"type": "session.created"}) == [SendConfig()]
    assert wire.brings({"type": "session.updated"}) == [ReportReady()]
    assert wire.brings({"type": "session.updated"}) == []
    return wire


def created(id: str, *, request: str | None = None, conversation: str | None = "conv") -> dict[str, Any]:
    metadata = {"request": request} if request else None
    return {"type": "response.created", "response": {"id": id, "metadata": metadata, "conversation_id": conversation}}


def words(response: str, item: str, text: str) -> dict[str, Any]:
    kind = "response.output_audio_transcript.delta"
    return {"type": kind, "response_id": response, "item_id": item, "delta": text}


def sound(response: str, item: str) -> dict[str, Any]:
    return {"type": "response.output_audio.delta", "response_id": response, "item_id": item, "delta": SOUND}


def message_done(response: str, item: str, status: str = "completed") -> dict[str, Any]:
    shown = {"id": item, "type": "message", "status": status}
    return {"type": "response.output_item.done", "response_id": response, "item": shown}


def function_done(response: str, call: str, arguments: str = "{}", status: str = "completed") -> dict[str, Any]:
    shown = {"id": f"item-{call}", "type": "function_call", "status": status, "call_id": call, "name": "transfer"}
    return {"type": "response.output_item.done", "response_id": response, "item": {**shown, "arguments": arguments}}


def done(response: str, status: str = "completed") -> dict[str, Any]:
    return {"type": "response.done", "response": {"id": response, "status": status}}


def test_o4_a_response_out_of_band_overlaps_a_normal_one() -> None:
    wire = with_ids()
    assert wire.talk.asks(ReplyRequested("aside", ReplyKind.OUT_OF_BAND)) == [SendReplyRequest()]
    assert wire.brings(created("main"), words("main", "m", "hello")) == OPENS
    told = wire.brings(created("side", request="aside", conversation=None), words("side", "s", "a note"))
    assert told == [OpenGeneration(user_initiated=True), ResolveReply(), OpenMessage(), PushText()]
    assert wire.brings(words("main", "m", " you"), sound("main", "m"), sound("side", "s")) == [
        PushText(), PushAudio(), PushAudio(),
    ]  # fmt: skip
    assert wire.brings(message_done("side", "s"), done("side")) == [CloseMessage(), *FINISHED]
    assert wire.brings(words("main", "m", " there"), done("main")) == [PushText(), *FINISHED]
    assert wire.talk.words == {"main": "hello you there", "side": "a note"}
    wire.talk.closes()


def test_o4_two_responses_of_the_conversation_in_parallel() -> None:
    wire = with_ids()
    wire.brings(created("first"), words("first", "m", "hello"))
    assert wire.brings(created("second"), words("second", "n", "again")) == [*CUT, *OPENS]
    assert wire.brings(words("first", "m", " late"), sound("first", "m"), done("first")) == []
    assert wire.brings(done("second")) == FINISHED
    assert wire.talk.words == {"first": "hello", "second": "again"}
    wire.talk.closes()


def test_o5_a_call_that_was_cut_in_its_arguments_is_never_run() -> None:
    wire = with_ids()
    half = '{"to":"alice","amount":1'
    assert not strict_object(half)
    assert wire.brings(created("r"), words("r", "m", "one moment")) == OPENS
    assert wire.brings(function_done("r", "c", half, "incomplete"), done("r", "incomplete")) == CUT
    assert wire.talk.conversation.calls == []
    wire.talk.closes()


def test_o5_a_call_that_claims_to_be_complete_with_half_its_json_is_never_run() -> None:
    wire = with_ids()
    wire.brings(created("r"))
    assert wire.brings(function_done("r", "c", '{"to":"alice","amount":1'), function_done("r", "d", "[1]")) == []
    assert wire.brings(done("r")) == FINISHED
    wire.talk.closes()


def test_o5_a_complete_call_of_a_response_that_is_not_is_never_run() -> None:
    """Some servers call every item completed; the response's own status has the last word."""
    wire = with_ids()
    wire.brings(created("r"))
    assert wire.brings(function_done("r", "c", '{"to":"alice","amount":1}')) == []
    assert wire.talk.states == ["TOOL_PENDING", "HELD"]
    assert wire.brings(done("r", "incomplete")) == CUT
    assert wire.talk.states == []
    assert wire.talk.asks(ToolOutputGiven("c", "done")) == [ReportOutputDropped()]
    wire.talk.closes()


def test_complete_calls_run_once_their_response_is_done() -> None:
    wire = with_ids()
    wire.brings(created("r"), function_done("r", "c"), function_done("r", "d"))
    assert wire.brings(done("r")) == [CloseMessage(), DeliverCall(), DeliverCall(), Seal()]
    outputs = wire.talk.asks(ToolOutputGiven("d", "1"), ToolOutputGiven("c", "2"), ReplyRequested("q"))
    assert outputs == [SendToolOutput(), SendToolOutput(), SendReplyRequest()]
    wire.talk.closes()


def test_an_answer_is_known_by_the_request_it_echoes() -> None:
    wire = with_ids()
    assert wire.talk.asks(ReplyRequested("q")) == [SendReplyRequest()]
    assert wire.brings(created("unasked"), done("unasked")) == [OpenGeneration(), *FINISHED]
    assert wire.brings(created("r", request="q")) == [OpenGeneration(user_initiated=True), ResolveReply()]
    wire.talk.closes()


def test_the_answer_to_a_request_that_expired_is_cancelled_and_not_heard() -> None:
    wire = with_ids()
    wire.talk.asks(ReplyRequested("q"))
    assert wire.talk.waits(10.0) == [FailReply(Failure.EXPIRED)]
    assert wire.brings(created("r", request="q"), words("r", "m", "late"), sound("r", "m")) == [SendCancel()]
    assert wire.brings(done("r", "cancelled")) == []
    wire.talk.closes()


def test_a_rejected_create_fails_its_request_alone() -> None:
    wire = with_ids()
    wire.talk.asks(ReplyRequested("q"), ReplyRequested("aside", ReplyKind.OUT_OF_BAND))
    code = "conversation_already_has_active_response"
    error = {"type": "error", "error": {"event_id": f"{CREATE}q", "code": code}}
    assert wire.brings(error) == [FailReply(Failure.REJECTED)]
    assert wire.talk.states == ["SENT"]
    assert wire.brings(error) == []
    wire.talk.closes()


def test_a_client_cancel_and_its_acknowledgement() -> None:
    wire = with_ids()
    wire.brings(created("r"), words("r", "m", "hello"))
    assert wire.talk.asks(InterruptRequested(), ReplyRequested("q")) == [*CUT, SendCancel()]
    in_flight = [words("r", "m", " there"), sound("r", "m"), message_done("r", "m", "incomplete")]
    assert wire.brings(*in_flight) == []
    assert wire.brings(done("r", "cancelled")) == [SendReplyRequest()], "a create goes only after the cancel is done"
    wire.talk.closes()


def test_a_cancel_that_came_too_late_is_survived() -> None:
    wire = with_ids()
    wire.brings(created("r"), words("r", "m", "hello"))
    wire.talk.asks(InterruptRequested())
    assert wire.brings(done("r")) == []
    error = {"type": "error", "error": {"event_id": "cancel", "code": "response_cancel_not_active"}}
    assert wire.brings(error) == [ReportRecoverable()]
    wire.talk.closes()


def test_a_user_who_cuts_a_response() -> None:
    wire = with_ids()
    wire.brings(created("r"), words("r", "m", "hello"))
    started = {"type": "input_audio_buffer.speech_started", "item_id": "u"}
    assert wire.brings(started) == [*CUT, SendCancel(), SpeechStarted(), TakeBack()]
    assert wire.brings(sound("r", "m"), function_done("r", "c", "{", "incomplete"), done("r", "cancelled")) == []
    stopped = {"type": "input_audio_buffer.speech_stopped", "item_id": "u"}
    assert wire.brings(stopped, created("s"), words("s", "n", "yes?")) == [SpeechStopped(), *OPENS]
    text = {"type": "conversation.item.input_audio_transcription.completed", "item_id": "u", "transcript": "wait"}
    assert wire.brings(text, words("s", "n", " go on")) == [EmitTranscript(), PushText()]
    wire.talk.closes()


def test_two_messages_in_one_response() -> None:
    wire = with_ids()
    told = wire.brings(
        created("r"), words("r", "m", "a preamble"), message_done("r", "m"), words("r", "n", "an answer"),
        message_done("r", "n"), done("r"),
    )  # fmt: skip
    assert told == [*OPENS, CloseMessage(), OpenMessage(), PushText(), CloseMessage(), *FINISHED]
    assert wire.talk.messages == ["m", "n"]
    wire.talk.closes()


def test_content_after_done_is_late() -> None:
    wire = with_ids()
    wire.brings(created("r"), words("r", "m", "hello"), done("r"))
    assert wire.brings(words("r", "m", " late"), sound("r", "m"), message_done("r", "m"), done("r"), created("r")) == []
    assert wire.talk.conversation.dropped == {Reason.LATE: 4, Reason.DUPLICATE: 1}
    wire.talk.closes()


def test_an_expired_session_is_renewed() -> None:
    wire = with_ids()
    told = wire.brings({"type": "error", "error": {"code": "session_expired"}})
    assert told == [CloseTransport(), OpenTransport()]
    wire.state = OpenAIState()
    assert wire.brings({"type": "session.created"}, {"type": "session.updated"}) == [SendConfig(), ReportReady()]
    wire.talk.closes()


def test_the_fold_is_pure() -> None:
    said = {"type": "session.updated"}
    assert openai(OpenAIState(), said) == openai(OpenAIState(), said) == (OpenAIState(True), [ProviderReady()])
