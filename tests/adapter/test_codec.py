"""The codec: every message that Phonic has, everything that is none, and every command."""

from __future__ import annotations

import base64
import json
from typing import Any

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from livekit.agents import llm

from rtfsm.adapters.livekit import provider as do
from rtfsm.adapters.phonic.codec import CodecState, Greets, PhonicCodec
from rtfsm.adapters.phonic.commands import Mute, SetExternalId, Unmute
from rtfsm.adapters.phonic.notices import ProcessedToolCall
from rtfsm.language import Event
from rtfsm.testing.phonic_server import ClientProtocol, messages
from rtfsm.vocabulary import wire

CODEC = PhonicCodec()
LATER = CodecState(Greets.NOT)
SOUND = b"\1\0\2\0"
PROCESSED = ProcessedToolCall(
    "c1", tool="weather", timed_out=False, duration=0.25, error=None, role="assistant",
    details={"parameters": {}, "output": "sunny"},
)  # fmt: skip


def decoded(frame: Any, state: CodecState = LATER) -> tuple[CodecState, tuple[Event, ...]]:
    """The new state and the events of a frame; an object is made a text frame."""
    frame = frame if isinstance(frame, (str, bytes)) else json.dumps(frame)
    after, events = CODEC.decode(state, frame)
    return after, tuple(events)


def events_of(frame: Any, state: CodecState = LATER) -> tuple[Event, ...]:
    return decoded(frame, state)[1]


EVERY: list[tuple[messages.Message, tuple[Event, ...]]] = [
    (messages.ready_to_start_conversation(), (wire.ProviderReady(),)),
    (messages.conversation_created("conv_1"), (wire.Notice("conversation_created", "conv_1"),)),
    (messages.conversation_reconnected("conv_1"), (wire.ProviderReady(),)),
    (messages.input_text("Hi", language="en"), (wire.UserTranscript("Hi"), wire.Notice("input_language", "en"))),
    (messages.input_cancelled(), (wire.UserTurnCancelled(),)),
    (
        messages.audio_chunk(SOUND, "word", timings={"llm": 12.5}),
        (wire.TextDelta("word", seconds=2 / 24000), wire.AudioDelta(SOUND), wire.Notice("timings", {"llm": 12.5})),
    ),
    (messages.user_started_speaking(), (wire.UserSpeechStarted(),)),
    (messages.user_finished_speaking(), (wire.UserSpeechStopped(),)),
    (messages.assistant_started_speaking(), (wire.GenerationCreated(),)),
    (messages.assistant_finished_speaking(), (wire.GenerationDone(),)),
    (messages.interrupted_response("I wi"), (wire.GenerationInterrupted(heard="I wi"),)),
    (messages.dtmf("1#", timings={"x": 1.0}), (wire.Notice("dtmf", "1#"), wire.Notice("timings", {"x": 1.0}))),
    (
        messages.tool_call("c1", "weather", {"city": "Rome", "days": 3}),
        (wire.ToolCallReady("c1", "weather", '{"city":"Rome","days":3}'),),
    ),
    (
        messages.tool_call_output_processed("c1", "weather", output="sunny", duration_ms=250),
        (wire.ToolResultTaken("c1"), wire.Notice("tool_call_output_processed", PROCESSED)),
    ),
    (messages.tool_call_interrupted("c1", "weather"), (wire.ToolCallCancelled("c1"),)),
    (
        messages.assistant_chose_not_to_respond(),
        (wire.ReplyDeclined(), wire.Notice("assistant_chose_not_to_respond")),
    ),
    (messages.assistant_ended_conversation(), (wire.ConversationEnded(),)),
    (
        messages.error("bad voice", code="e1", param_errors={"voice_id": "unknown", "agent": "none"}),
        (wire.Fault(False, "e1", "bad voice", (("agent", "none"), ("voice_id", "unknown"))),),
    ),
    (messages.warning("slow", code="w1"), (wire.Notice("warning", "w1"),)),
]


@pytest.mark.parametrize(
    ("message", "events"), EVERY, ids=lambda value: dict(value).get("type", "") if isinstance(value, dict) else ""
)
def test_every_message_of_the_server_becomes_its_events(message: messages.Message, events: tuple[Event, ...]) -> None:
    assert events_of(message) == events


def test_the_table_above_knows_every_builder_of_the_server() -> None:
    public = {name for name, value in vars(messages).items() if callable(value) and not name.startswith("_")}
    builders = {name for name in public if getattr(messages, name).__module__ == messages.__name__}
    assert {message["type"] for message, _ in EVERY} == builders
    assert len(builders) == 19


def test_a_timed_out_call_is_taken_and_told() -> None:
    message = messages.tool_call_output_processed("c1", "weather", timed_out=True)
    taken, timed_out, told = events_of(message)
    assert (taken, timed_out) == (wire.ToolResultTaken("c1"), wire.Notice("tool_call_timed_out", "c1"))
    assert isinstance(told, wire.Notice)
    assert isinstance(told.data, ProcessedToolCall)
    assert told.data.timed_out


def test_a_call_is_over_whatever_else_is_said_of_it() -> None:
    taken, told = events_of(
        {"type": "tool_call_output_processed", "tool_call_id": "c1", "tool": 5, "duration_ms": "long", "output": 0}
    )
    assert taken == wire.ToolResultTaken("c1")
    assert isinstance(told, wire.Notice)
    assert told.data == ProcessedToolCall(
        "c1", tool=None, timed_out=False, duration=None, error=None, role=None, details={"output": 0}
    )
    assert "rainy" not in repr(
        ProcessedToolCall("c1", "weather", False, 0.1, "rainy", "assistant", {"output": "rainy"})
    )


def test_timings_that_are_none_cost_neither_the_sound_nor_the_words() -> None:
    for timings, told in (
        ({"llm": 1, "name": "x", "flag": True}, wire.Notice("timings", {"llm": 1})),
        ([1], wire.Malformed("bad timings")),
    ):
        events = events_of({**messages.audio_chunk(SOUND, "word"), "timings": timings})
        assert events == (wire.TextDelta("word", seconds=2 / 24000), wire.AudioDelta(SOUND), told)


def test_speech_without_a_word_is_no_transcript() -> None:
    for text in ("", "  ", "\n"):
        assert events_of(messages.input_text(text, language="en")) == (wire.Notice("input_language", "en"),)


def test_only_a_turn_before_any_word_and_any_request_is_a_greeting() -> None:
    started = messages.assistant_started_speaking()
    assert events_of(started, CODEC.initial) == (wire.GenerationCreated(greeting=True),)
    called = messages.tool_call("c", "weather", {})
    for first in (messages.user_started_speaking(), started, messages.audio_chunk(SOUND, "word"), called):
        after, _ = decoded(first, CODEC.initial)
        assert events_of(started, after) == (wire.GenerationCreated(greeting=False),)
    for asked in (do.Reply("r"), do.Say("r", "Hello")):
        after, _ = CODEC.encode(CODEC.initial, asked)
        assert events_of(started, after) == (wire.GenerationCreated(greeting=False),)
    for neutral in (messages.audio_chunk(SOUND), messages.conversation_created("c"), messages.warning("w")):
        after, _ = decoded(neutral, CODEC.initial)
        assert events_of(started, after) == (wire.GenerationCreated(greeting=True),)


def test_a_request_does_not_take_the_place_of_a_welcome_that_was_configured() -> None:
    started = messages.assistant_started_speaking()
    after, _ = CODEC.encode(CodecState(Greets.SURELY), do.Reply("r"))
    after, events = decoded(started, after)
    assert events == (wire.GenerationCreated(greeting=True),)
    assert events_of(started, after) == (wire.GenerationCreated(greeting=False),)


def test_speech_that_may_not_be_interrupted_is_asked_for_so() -> None:
    said = [CODEC.encode(CODEC.initial, do.Say("r", "Hello", interruptible=may))[1] for may in (True, False)]
    assert [json.loads(frames[0]) for frames in said] == [
        {"type": "say", "text": "Hello"},
        {"type": "say", "text": "Hello", "interruptible": False},
    ]


# -- what is no message --------------------------------------------------------------------------------------------

AUDIO = base64.b64encode(SOUND).decode()
NO_MESSAGE: list[tuple[Any, str]] = [
    ("", "not JSON"), ("{", "not JSON"), ("nonsense", "not JSON"), ("\0", "not JSON"), ("[" * 100_000, "not JSON"),
    ('{"type":"input_text","text":"\\ud800"}', "not JSON"), ("\ud800", "not JSON"), ('{"type":NaN}', "not JSON"),
    ("null", "not an object"), ("[]", "not an object"), ("[1]", "not an object"), ("5", "not an object"),
    ('"x"', "not an object"), ("true", "not an object"), ("-0.5e3", "not an object"),
    ("{}", "no type"), ('{"foo":1}', "no type"), ('{"conversation_id":"x"}', "no type"), ('{"type":null}', "no type"),
    ('{"type":5}', "no type"), ('{"type":["audio_chunk"]}', "no type"),
    ('{"type":"audio_finished"}', "unknown type"), ('{"type":""}', "unknown type"),
    ('{"type":"READY_TO_START_CONVERSATION"}', "unknown type"),
    (b"", "binary frame"), (b'{"type":"input_cancelled"}', "binary frame"),
    ('{"type":"input_text"}', "bad input_text"), ('{"type":"input_text","text":5}', "bad input_text"),
    ('{"type":"input_text","text":null}', "bad input_text"),
    ('{"type":"conversation_created"}', "bad conversation_created"),
    ('{"type":"tool_call","tool_call_id":"a","tool_name":"b"}', "bad tool_call"),
    ('{"type":"tool_call","tool_call_id":"a","tool_name":"b","parameters":"{}"}', "bad tool_call"),
    ('{"type":"tool_call","tool_call_id":"a","tool_name":"b","parameters":[]}', "bad tool_call"),
    ('{"type":"tool_call","tool_call_id":1,"tool_name":"b","parameters":{}}', "bad tool_call"),
    ('{"type":"tool_call_interrupted"}', "bad tool_call_interrupted"),
    ('{"type":"tool_call_output_processed","timed_out":true}', "bad tool_call_output_processed"),
    ('{"type":"dtmf","digits":12}', "bad dtmf"), ('{"type":"warning"}', "bad warning"),
    ('{"type":"warning","warning":{}}', "bad warning"), ('{"type":"interrupted_response","text":1}',
                                                         "bad interrupted_response"),
    ('{"type":"audio_chunk","audio":5}', "bad audio_chunk"),
    ('{"type":"audio_chunk","audio":"###"}', "bad audio_chunk"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "kind"), NO_MESSAGE, ids=range(len(NO_MESSAGE)))
def test_what_is_no_message_is_named_and_counted_and_changes_nothing(frame: Any, kind: str) -> None:
    for state in (CODEC.initial, CodecState(Greets.NOT, " ")):
        assert decoded(frame, state) == (state, (wire.Malformed(kind),))


def test_an_error_without_a_body_is_still_an_error() -> None:
    for body in ({}, {"error": None}, {"error": "boom"}, {"error": {"code": "x"}}, {"error": {"message": 5}}):
        events = events_of({"type": "error", **body})
        assert [type(event) for event in events] == [wire.Fault, wire.Malformed]


def test_unknown_fields_are_passed_over_and_of_two_equal_keys_the_last_counts() -> None:
    assert events_of({**messages.input_cancelled(), "new": {"deep": [1]}}) == (wire.UserTurnCancelled(),)
    assert events_of('{"type":"dtmf","digits":"1","digits":"2"}') == (wire.Notice("dtmf", "2"),)


def test_the_words_of_a_chunk_survive_its_broken_sound() -> None:
    broken: list[object] = ["###", "AQ", "AQAB", 5, None, [], "é", AUDIO + "="]
    for audio in broken:
        events = events_of({"type": "audio_chunk", "audio": audio, "text": "word"})
        assert events[0] == wire.TextDelta("word"), audio
        assert not any(isinstance(event, wire.AudioDelta) for event in events)
    assert events_of({"type": "audio_chunk", "text": "word"}) == (wire.TextDelta("word"),)


def test_the_sound_of_a_chunk_survives_its_broken_words() -> None:
    broken: list[object] = [5, [], {"a": 1}]
    for text in broken:
        events = events_of({"type": "audio_chunk", "audio": AUDIO, "text": text})
        assert events == (wire.AudioDelta(SOUND), wire.Malformed("bad audio_chunk"))
    assert events_of({"type": "audio_chunk", "audio": AUDIO, "text": None}) == (wire.AudioDelta(SOUND),)


def test_half_a_sample_is_no_sound() -> None:
    for size in (1, 3, 961):
        assert events_of(messages.audio_chunk(b"\1" * size)) == (wire.Malformed("half a sample"),)
        assert events_of(messages.audio_chunk(b"\1" * size, "word")) == (
            wire.TextDelta("word"), wire.Malformed("half a sample"),
        )  # fmt: skip


def test_a_chunk_with_nothing_in_it_is_nothing() -> None:
    assert events_of(messages.audio_chunk(b"")) == ()
    assert events_of({"type": "audio_chunk"}) == ()


def test_white_space_waits_for_the_next_word_and_does_not_cross_a_turn() -> None:
    state, events = decoded(messages.audio_chunk(SOUND, " "))
    assert events == (wire.AudioDelta(SOUND),)
    state, events = decoded(messages.audio_chunk(b"", "\n"), state)
    assert events == ()
    assert events_of(messages.audio_chunk(b"", "word"), state) == (wire.TextDelta(" \nword", seconds=0.0),)
    for edge in (messages.assistant_started_speaking(), messages.user_started_speaking()):
        after, _ = decoded(edge, state)
        assert events_of(messages.audio_chunk(b"", "word"), after) == (wire.TextDelta("word", seconds=0.0),)


def test_a_frame_of_ten_megabytes_is_one_piece_of_sound() -> None:
    sound = bytes(10_000_000)
    assert events_of(messages.audio_chunk(sound)) == (wire.AudioDelta(sound),)


def test_deep_arguments_of_a_tool_are_passed_on_or_refused_and_never_raise() -> None:
    for depth in (10, 500, 5_000, 100_000):
        deep = '{"a":' * depth + "1" + "}" * depth
        (event,) = events_of('{"type":"tool_call","tool_call_id":"c","tool_name":"t","parameters":' + deep + "}")
        assert isinstance(event, (wire.ToolCallReady, wire.Malformed))
        if isinstance(event, wire.ToolCallReady):
            assert event.arguments == deep


def test_arguments_come_through_as_they_were() -> None:
    arguments = {"text": 'naïve \u2028 \U0001f600 "quoted"', "big": 2**70, "n": None, "list": [1.5, True, {}]}
    (event,) = events_of(messages.tool_call("c", "t", arguments))
    assert isinstance(event, wire.ToolCallReady)
    assert json.loads(event.arguments) == arguments


# -- anything whatever ---------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = sorted({name for message, _ in EVERY for name in message})
BENT = st.builds(
    lambda message, changes, gone: {key: value for key, value in {**message, **changes}.items() if key not in gone},
    st.sampled_from([message for message, _ in EVERY]),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3),
    st.sets(st.sampled_from(FIELDS), max_size=2),
).map(json.dumps)
ANY_FRAME = st.text() | st.text(st.characters()) | st.binary() | JSON.map(json.dumps) | BENT
STATES = st.builds(CodecState, st.sampled_from(Greets), st.sampled_from(("", " ", "\n ")))


@settings(max_examples=600, derandomize=True, deadline=None, database=None)
@given(STATES, ANY_FRAME)
@example(CodecState(), '{"type":"audio_chunk","audio":"\\ud83d"}')
@example(CodecState(), '{"type":"tool_call","tool_call_id":"a","tool_name":"b","parameters":{"x":1e999}}')
@example(CodecState(), '{"type":"tool_call","tool_call_id":"a","tool_name":"b","parameters":{"x":' + "9" * 5000 + "}}")
def test_no_frame_makes_the_codec_raise_and_it_is_a_pure_fold(state: CodecState, frame: str | bytes) -> None:
    before = attrs.evolve(state)
    after, events = decoded(frame, state)
    assert state == before
    assert decoded(frame, attrs.evolve(state)) == (after, events)
    assert isinstance(after, CodecState)
    for event in events:
        assert isinstance(event, wire.WireEvent)
        if isinstance(event, wire.TextDelta):
            assert event.text.strip()
        if isinstance(event, wire.AudioDelta):
            assert event.audio
            assert len(event.audio) % 2 == 0
        if isinstance(event, wire.ToolCallReady):
            assert isinstance(json.loads(event.arguments), dict)
        if isinstance(event, wire.Malformed):
            assert len(event.what) < 40


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(st.lists(BENT, max_size=12))
def test_what_a_sequence_means_does_not_depend_on_who_read_it_before(frames: list[str]) -> None:
    def fold() -> list[tuple[Event, ...]]:
        state, told = CODEC.initial, []
        for frame in frames:
            state, events = decoded(frame, state)
            told.append(events)
        return told

    assert fold() == fold()


# -- commands ------------------------------------------------------------------------------------------------------


def _accepted(*frames: str) -> list[messages.Message]:
    """The frames as messages, after the strict rules of the scripted server have passed them."""
    judge = ClientProtocol()
    judge.receive('{"type":"config","input_format":"pcm_24000"}')
    judge.sent(messages.ready_to_start_conversation())
    judge.sent(messages.tool_call("c1", "weather"))
    arrived = [judge.receive(frame).message for frame in frames]
    assert judge.errors == []
    assert judge.notes == []
    return [message for message in arrived if message is not None]


COMMANDS: list[tuple[do.Command, list[messages.Message]]] = [
    (do.InputAudio(SOUND), [{"type": "audio_chunk", "audio": AUDIO}]),
    (do.Reply("r"), [{"type": "generate_reply"}]),
    (
        do.Reply("r", instructions="Be kind.", user_text="Hi"),
        [{"type": "generate_reply", "system_message": "Be kind.", "user_message": "Hi"}],
    ),
    (do.Say("r", "Hello"), [{"type": "say", "text": "Hello"}]),
    (do.SystemMessage("It rains."), [{"type": "add_system_message", "system_message": "It rains."}]),
    (do.ToolOutput("c1", "sunny"), [{"type": "tool_call_output", "tool_call_id": "c1", "output": "sunny"}]),
    (
        do.ToolOutput("c1", "it broke", is_error=True),
        [{"type": "tool_call_output", "tool_call_id": "c1", "output": {"error": "it broke"}}],
    ),
    (do.Cancel("g"), []),
    (do.CreateItem(llm.ChatMessage(role="user", content=["Hi"])), []),
    (do.DeleteItem("m"), []),
    (do.TruncateItem("m", 100), []),
    (do.CommitInput(), []),
    (do.ClearInput(), []),
    (Mute(), [{"type": "mute"}]),
    (Unmute(), [{"type": "unmute"}]),
    (SetExternalId("call-7"), [{"type": "set_external_id", "external_id": "call-7"}]),
]


@pytest.mark.parametrize(("command", "expected"), COMMANDS, ids=lambda value: type(value).__name__)
def test_every_command_is_a_message_that_the_server_accepts(
    command: do.Command, expected: list[messages.Message]
) -> None:
    _, frames = CODEC.encode(LATER, command)
    assert _accepted(*frames) == expected


def test_every_kind_of_command_is_encoded_above() -> None:
    known = [kind for kind in do.Command.__subclasses__() if kind.__module__ in (do.__name__, Mute.__module__)]
    assert {type(command) for command, _ in COMMANDS} == set(known)


@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(st.text(st.characters()))
@example("half a character \ud83d and a whole one \U0001f600")
def test_any_text_can_be_sent(text: str) -> None:
    commands: list[do.Command] = [
        do.Say("r", text), do.Reply("r", instructions=text, user_text=text), do.SystemMessage(text),
        do.ToolOutput("c1", text),
    ]  # fmt: skip
    frames = [frame for command in commands for frame in CODEC.encode(LATER, command)[1]]
    sent = _accepted(*(frame.encode().decode() for frame in frames))
    expected = text.encode("utf-8", "replace").decode()
    assert [sent[0]["text"], sent[1]["user_message"], sent[2]["system_message"], sent[3]["output"]] == [expected] * 4
