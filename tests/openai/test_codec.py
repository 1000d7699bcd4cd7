"""Frames to events and commands to frames: a pure fold that survives anything."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from livekit.agents import llm

from rtfsm.adapters.livekit import provider as do
from rtfsm.adapters.openai.causes import Cause, cause_of, named
from rtfsm.adapters.openai.codec import CodecState, OpenAICodec
from rtfsm.adapters.openai.commands import SendEvent
from rtfsm.adapters.openai.errors import FATAL_CODES
from rtfsm.adapters.openai.incoming import IGNORED
from rtfsm.language import Event
from rtfsm.testing.openai_server import ClientProtocol, messages
from rtfsm.vocabulary import wire

CODEC = OpenAICodec()
SOUND = b"\1\0" * 240
AUDIO = base64.b64encode(SOUND).decode()


def events(*sent: dict[str, Any] | str | bytes, state: CodecState | None = None) -> list[Event]:
    """What the messages say, one after another."""
    state, told = state or CodecState(), list[Event]()
    for one in sent:
        state, new = CODEC.decode(state, json.dumps(one) if isinstance(one, dict) else one)
        told += new
    return told


SAYS: list[tuple[dict[str, Any], list[Event]]] = [
    (messages.session_updated({}), [wire.ProviderReady()]),
    (messages.speech_started("u"), [wire.UserSpeechStarted("u")]),
    (messages.speech_stopped("u"), [wire.UserSpeechStopped("u")]),
    (messages.cleared(), [wire.UserTurnCancelled()]),
    (messages.transcription_delta("u", "Hel"), [wire.Interim("Hel", "u")]),
    (messages.item_deleted("i"), [wire.ItemDeleted("i")]),
    (
        messages.item_added({"id": "i", "type": "message", "role": "user", "content": []}, "h"),
        [wire.ItemAdded("i", "h", "user")],
    ),
    (messages.item_added({"id": "f", "type": "function_call"}), [wire.ItemAdded("f")]),
    (messages.audio_delta("r", "m", 0, SOUND), [wire.AudioDelta(SOUND, "r", "m")]),
    (messages.audio_delta("r", "m", 0, b""), []),
    (messages.audio_delta("r", "m", 0, b"odd"), [wire.Malformed("half a sample")]),
    (messages.audio_transcript_delta("r", "m", 0, "Hi"), [wire.TextDelta("Hi", "r", "m")]),
    (messages.audio_transcript_delta("r", "m", 0, ""), []),
    (messages.text_delta("r", "m", 0, "Hi"), [wire.TextDelta("Hi", "r", "m", form="written")]),
    (
        {"type": "response.audio.delta", "response_id": "r", "item_id": "m", "delta": AUDIO},
        [wire.AudioDelta(SOUND, "r", "m")],
    ),
    (
        messages.output_item_done("r", 0, {"id": "m", "type": "message", "status": "completed"}),
        [wire.MessageDone("r", "m")],
    ),
    (messages.error("no", code="session_expired"), [wire.GoingAway(0.0)]),
    (messages.error("no", code="response_cancel_not_active"), []),
    (messages.error("no", event_id=named(Cause.CANCEL, "r")), []),
    (
        messages.error("no", code="busy", event_id=named(Cause.REPLY, "q", number=3)),
        [wire.RequestRejected("q", "busy")],
    ),
    (messages.error("no", code="bad", event_id=named(Cause.CONFIG, "2")), [wire.ConfigRejected("no", "bad", "2")]),
    (
        messages.error("no", code="bad", event_id=named(Cause.CREATE, "i.j", number="replay1")),
        [wire.ItemRejected("i.j", wire.ItemChange.CREATE, "bad", "no")],
    ),
    (
        messages.error("no", code="item_create_duplicate_item_id", event_id=named(Cause.CREATE, "i")),
        [wire.ItemRejected("i", wire.ItemChange.CREATE, "item_create_duplicate_item_id", "no", known=True)],
    ),
    (
        messages.error("no", code="bad", event_id=named(Cause.TRUNCATE, "i")),
        [wire.ItemRejected("i", wire.ItemChange.TRUNCATE, "bad", "no")],
    ),
    (messages.error("no", code="input_audio_buffer_commit_empty", event_id=named(Cause.COMMIT)), []),
    (messages.error("no", code="bad", event_id="the application's own"), [wire.Fault(False, "bad", "no")]),
    (messages.error("no", code="insufficient_quota"), [wire.Fault(True, "insufficient_quota", "no")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "expected"), SAYS, ids=lambda value: value.get("type") if isinstance(value, dict) else ""
)
def test_what_a_message_says(message: dict[str, Any], expected: list[Event]) -> None:
    assert events(message) == expected


def test_only_the_first_acceptance_makes_ready() -> None:
    updated = messages.session_updated({})
    assert events(updated, updated, updated) == [wire.ProviderReady()]


@pytest.mark.parametrize("code", sorted(FATAL_CODES))
def test_what_no_other_connection_would_cure_is_fatal_whatever_it_is_about(code: str) -> None:
    for error in (messages.error("no", code=code), messages.error("no", type=code)):
        (fault,) = events(error)
        assert isinstance(fault, wire.Fault)
        assert fault.fatal
    rejected, fault = events(messages.error("no", code=code, event_id=named(Cause.REPLY, "q")))
    assert (rejected, fault) == (wire.RequestRejected("q", code), wire.Fault(True, code, "no"))


def created(metadata: Any, **more: Any) -> list[Event]:
    return events({"type": "response.created", "response": {"id": "r", "metadata": metadata, **more}})


def test_a_response_names_the_request_and_the_lane() -> None:
    ours = {"rtfsm_request": "q"}
    assert created(ours, conversation_id="c") == [wire.GenerationCreated("r", "q")]
    assert created(ours, conversation_id=None) == [wire.GenerationCreated("r", "q", stored=False)]
    assert created({**ours, "rtfsm_lane": "out_of_band"}) == [wire.GenerationCreated("r", "q", stored=False)]
    assert created(None) == created({"topic": "x"}) == created(["?"]) == [wire.GenerationCreated("r")]
    assert created({"topic": "x"}, conversation_id=None) == []  # the application's own


def test_the_end_of_a_response_says_how_it_ended_what_it_cost_and_what_was_wrong() -> None:
    usage = {"input_tokens": 3, "output_tokens": 4, "output_token_details": {"audio_tokens": 2}, "total_tokens": "?"}
    done = messages.response_done(messages.response("r", "completed", usage=usage))
    counts = {"input": 3, "output": 4, "output.audio": 2}
    assert events(done) == [wire.GenerationDone(generation="r"), wire.Usage("r", counts=counts)]
    cut = messages.response("r", "cancelled", status_details={"reason": "turn_detected"})
    interrupted, ended, _ = events(messages.response_done(cut))
    assert interrupted == wire.GenerationInterrupted("r")
    assert ended == wire.GenerationDone(wire.GenerationStatus.CANCELLED, "r")
    failed = messages.response("r", "failed", status_details={"error": {"code": "busy", "message": "later"}})
    assert events(messages.response_done(failed))[0] == wire.Fault(False, "busy", "later")


@pytest.mark.parametrize(
    ("status", "arguments", "ready"),
    [
        ("completed", '{"a": 1}', True),
        ("completed", "", True),
        (None, "{}", True),
        ("incomplete", '{"a": 1}', False),
        ("in_progress", "{}", False),
        ("completed", '{"a": 1', False),
        ("completed", "[1]", False),
        ("completed", '{"a": NaN}', False),
    ],
)
def test_a_call_is_believed_by_its_status_and_its_json(status: str | None, arguments: str, ready: bool) -> None:
    item = {"id": "i", "type": "function_call", "status": status, "call_id": "c", "name": "pay", "arguments": arguments}
    told = events({"type": "response.output_item.done", "response_id": "r", "item": item})
    assert [type(one) for one in told if not isinstance(one, wire.Malformed)] == [wire.ToolCallReady] * ready


def test_words_that_come_in_pieces_are_told_whole_and_by_part() -> None:
    pieces = [messages.transcription_delta("u", text, index) for text, index in (("two", 1), ("one ", 0), ("!", 1))]
    assert [one.text for one in events(*pieces) if isinstance(one, wire.Interim)] == ["two", "one two", "one two!"]
    many = [messages.transcription_delta(f"u{number}", "x") for number in range(100)]
    state = CodecState()
    for one in many:
        state, _ = CODEC.decode(state, json.dumps(one))
    assert len(state.pieces) < 20


def test_a_transcript_is_as_sure_as_its_pieces() -> None:
    message = {**messages.transcription_completed("u", "Hello."), "usage": None}
    pieces = [{"token": "Hel", "logprob": math.log(0.9)}, {"token": "lo.", "logprob": math.log(0.4)}]
    for logprobs, sure in ((pieces, 0.6), ([], None), ("?", None), ([{"logprob": "?"}, 3], None)):
        (said,) = events({**message, "logprobs": logprobs})
        assert isinstance(said, wire.UserTranscript)
        assert said.confidence == (None if sure is None else pytest.approx(sure))


def test_a_whole_that_is_empty_is_what_came_in_pieces() -> None:
    empty = {**messages.transcription_completed("u", ""), "usage": None}
    told = events(messages.transcription_delta("u", "What "), messages.transcription_delta("u", "time?"), empty)
    assert told[-1] == wire.UserTranscript("What time?", "u")
    assert events(empty) == []


def test_a_transcript_that_is_repeated_while_it_grows_is_interim() -> None:
    growing = {**messages.transcription_completed("u", "Hel"), "status": "in_progress", "usage": None}
    assert events(growing) == [wire.Interim("Hel", "u")]


@pytest.mark.parametrize("kind", sorted(IGNORED))
def test_what_moves_nothing_says_nothing(kind: str) -> None:
    assert events({"type": kind, "anything": [1, 2]}) == []


BROKEN: list[tuple[str | bytes, str]] = [
    (b"\0\1", "binary frame"),
    ("{", "not JSON"),
    ("[]", "not an object"),
    ("{}", "no type"),
    ('{"type": 1}', "no type"),
    ('{"type": "something.new"}', "unknown type"),
    ('{"type": "response.created"}', "bad response.created"),
    ('{"type": "response.output_audio.delta", "response_id": "r", "item_id": "m", "delta": "%"}',
     "bad response.output_audio.delta"),
    ("[" * 100_000, "not JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "what"), BROKEN, ids=[what for _, what in BROKEN])
def test_what_cannot_be_read_is_counted_by_kind(frame: str | bytes, what: str) -> None:
    assert events(frame) == [wire.Malformed(what)]


def test_an_error_that_cannot_be_read_is_an_error_all_the_same() -> None:
    fault, malformed = events({"type": "error", "error": 3})
    assert (fault, malformed) == (
        wire.Fault(False, None, "the provider reported an error without saying which"),
        wire.Malformed("bad error"),
    )


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    "delta",
    "item_id",
    "response_id",
    "item",
    "response",
    "error",
    "transcript",
    "rate_limits",
    "previous_item_id",
)
TYPES = [message["type"] for message, _ in SAYS] + ["response.created", "response.done", "rate_limits.updated"]


@settings(max_examples=400, derandomize=True, deadline=None, database=None)
@given(st.sampled_from(TYPES), st.dictionaries(st.sampled_from(FIELDS), ANY, max_size=5))
def test_whatever_a_message_holds_is_survived(kind: str, fields: dict[str, Any]) -> None:
    state, told = CODEC.decode(CodecState(), json.dumps({"type": kind, **fields}))
    assert isinstance(state, CodecState)
    assert all(isinstance(one, Event) for one in told)


@pytest.mark.parametrize("cause", Cause)
def test_an_id_says_what_the_message_was(cause: Cause) -> None:
    assert cause_of(named(cause, "item_1.x", number=7)) == (cause, "item_1.x")
    assert cause_of(named(cause)) == (cause, "")
    assert cause_of("other") == cause_of(None) == cause_of("rtfsm.unknown..x") == (None, "")


MESSAGE = llm.ChatMessage(id="item_1", role="user", content=["Hi"])
COMMANDS: list[tuple[do.Command, list[str]]] = [
    (do.InputAudio(SOUND), ["input_audio_buffer.append"]),
    (do.Reply("q", instructions="Go on."), ["response.create"]),
    (do.Reply("q", out_of_band=True, tool_choice="auto", tools=()), ["response.create"]),
    (do.Say("q", "These words."), []),
    (do.Cancel("r"), ["response.cancel"]),
    (do.ToolOutput("c", "sunny", item="item_2"), ["conversation.item.create"]),
    (do.SystemMessage("A remark."), ["conversation.item.create"]),
    (do.CreateItem(MESSAGE), ["conversation.item.create"]),
    (do.CreateItem(MESSAGE, first=True), ["conversation.item.create"]),
    (do.CreateItem(llm.ChatMessage(role="user", content=[])), []),
    (do.DeleteItem("item_1"), ["conversation.item.delete"]),
    (do.TruncateItem("item_1", 120), ["conversation.item.truncate"]),
    (do.CommitInput(), ["input_audio_buffer.commit"]),
    (do.ClearInput(), ["input_audio_buffer.clear"]),
    (SendEvent({"type": "response.create"}), ["response.create"]),
]


@pytest.mark.parametrize(("command", "types"), COMMANDS, ids=lambda value: type(value).__name__)
def test_every_command_is_a_message_that_the_service_takes(command: do.Command, types: list[str]) -> None:
    judge = ClientProtocol()
    _, frames = CODEC.encode(CodecState(), command)
    sent = [judge.receive(frame).message or {} for frame in frames]
    assert judge.errors == []
    assert [message["type"] for message in sent] == types


def test_every_kind_of_command_is_encoded_above() -> None:
    known = [kind for kind in do.Command.__subclasses__() if kind.__module__ in (do.__name__, SendEvent.__module__)]
    assert {type(command) for command, _ in COMMANDS} == set(known)


def test_no_two_messages_have_one_id() -> None:
    state, ids = CodecState(), list[str]()
    for _ in range(3):
        state, (frame,) = CODEC.encode(state, do.CreateItem(MESSAGE))
        ids.append(json.loads(frame)["event_id"])
    assert len(set(ids)) == 3


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(st.text(st.characters()))
def test_any_text_can_be_sent(text: str) -> None:
    item = llm.ChatMessage(role="user", content=[text or "x"])
    for command in (do.Reply("q", instructions=text), do.ToolOutput("c", text), do.CreateItem(item)):
        for frame in CODEC.encode(CodecState(), command)[1]:
            frame.encode()
            json.loads(frame)
