"""Every mistake of a client is recorded, and none stops the server."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from rtfsm.testing.phonic_server import Call, ClientProtocol, PhonicServer, messages
from rtfsm.testing.phonic_server.client_fields import MESSAGES
from rtfsm.testing.virtual_time import run
from tests.phonic_server.client import CONFIG, Client, connected, inline_tool


def _sound(size: int) -> str:
    return base64.b64encode(bytes(size)).decode()


def _config(**fields: Any) -> list[Any]:
    return [{**CONFIG, **fields}]


def _after_config(*frames: Any) -> list[Any]:
    return [CONFIG, *frames]


_TWO_ALIKE = [inline_tool("weather"), "weather"]
_UNSTRICT = inline_tool()
_UNSTRICT["tool_schema"]["function"]["strict"] = False
_LATE_TOOL = inline_tool(tool_call_output_timeout_ms=500)
_ODD_BUILT_IN = {"type": "built_in", "name": "keypad_input", "tool_config": {"speech_before_tool_call": "maybe"}}

WRONG: dict[str, tuple[list[Any], str]] = {
    "binary frame": ([b"\0"], "text frame with a JSON object"),
    "invalid JSON": (["{"], "text frame with a JSON object"),
    "NaN is no JSON": (['{"type": "config", "audio_speed": NaN}'], "text frame with a JSON object"),
    "an array": (["[]"], "text frame with a JSON object"),
    "no type": ([{}], "'type' must be a string, not null"),
    "unknown type": ([{"type": "cancel"}], "no client message has this type"),
    "audio before config": ([{"type": "audio_chunk", "audio": _sound(960)}, CONFIG], "may precede config"),
    "reset before config": ([{"type": "reset", "config": {}}], "may precede config"),
    "config twice": ([CONFIG, CONFIG], "already sent"),
    "unknown field": (_after_config({"type": "mute", "now": True}), "unknown field 'now'"),
    "missing field": (_after_config({"type": "say"}), "say lacks 'text'"),
    "wrong type of field": (_after_config({"type": "say", "text": 5}), "say.text must be a string, not a whole number"),
    "wrong type of flag": (
        _after_config({"type": "say", "text": "", "interruptible": "no"}),
        "say.interruptible must be a boolean, not a string",
    ),
    "unknown config field": (_config(voice="x"), "unknown field 'voice'"),
    "unknown model": (_config(phonic_model="phonic_v1"), "config.phonic_model must be one of phonic-0.5"),
    "unknown format": (_config(input_format="opus"), "config.input_format must be one of"),
    "speed too high": (_config(audio_speed=1.6), "between 0.5 and 1.5"),
    "speed between steps": (_config(audio_speed=1.25), "multiple of 0.1"),
    "fraction for a whole number": (_config(no_input_poke_sec=2.5), "must be a whole number, not 2.5"),
    "true for a whole number": (_config(min_words_to_interrupt=True), "must be a whole number, not a boolean"),
    "too many words": (_config(min_words_to_interrupt=11), "between 1 and 10"),
    "threshold too low": (_config(vad_threshold=0.1), "between 0.2 and 0.8"),
    "silence too long": (_config(vad_min_silence_duration_ms=1501), "between 0 and 1500"),
    "timeout too long": (_config(websocket_timeout_sec=301), "between 1 and 300"),
    "template variable that is no string": (_config(template_variables={"a": 1}), "must be a string"),
    "default language twice": (
        _config(default_language="en", additional_languages=["en"]),
        "must not include default_language",
    ),
    "three languages with auto": (
        _config(multilingual_mode="auto", additional_languages=["pt", "fr", "de"]),
        "2 languages",
    ),
    "voice twice": (_config(voice_id="a", additional_voice_ids=["a"]), "must not include voice_id"),
    "blank external id": (_config(external_id="  "), "must not be empty"),
    "retention with both": (
        _config(data_retention_policy={"zero_data_retention": True, "transcripts": {}}),
        "unknown field 'transcripts'",
    ),
    "two tools of one name": (_config(tools=_TWO_ALIKE), "config.tools must be unique"),
    "tool without a kind": (_config(tools=[{"name": "weather"}]), "config.tools[0].type must be"),
    "tool with a short timeout": (_config(tools=[_LATE_TOOL]), "between 1000 and 180000"),
    "tool that is not strict": (_config(tools=[_UNSTRICT]), "function.strict must be True"),
    "built-in tool's choice": (_config(tools=[_ODD_BUILT_IN]), "must be one of required, optional, suppressed"),
    "two tools of one name later": (
        _after_config({"type": "update_tools_subset", "tools": ["a", "a"]}),
        "update_tools_subset.tools must be unique",
    ),
    "error inside a reset": (
        _after_config({"type": "reset", "config": {"vad_threshold": 0.9}}),
        "reset.config.vad_threshold must be between",
    ),
    "template variable in a new prompt": (
        _after_config({"type": "update_system_prompt", "system_prompt": "Call me {{name}}."}),
        "must not contain template variables",
    ),
    "chunk over 40 ms": (_after_config({"type": "audio_chunk", "audio": _sound(1922)}), "at most 40 ms"),
    "mulaw chunk over 40 ms": (
        [{**CONFIG, "input_format": "mulaw_8000"}, {"type": "audio_chunk", "audio": _sound(321)}],
        "40.1 ms of mulaw_8000",
    ),
    "chunk over 40 ms of the default format": (
        [{"type": "config"}, {"type": "audio_chunk", "audio": _sound(3530)}],
        "pcm_44100",
    ),
    "bad base64": (_after_config({"type": "audio_chunk", "audio": "!!!!"}), "not valid base64"),
    "odd PCM": (_after_config({"type": "audio_chunk", "audio": _sound(961)}), "no whole number of samples"),
    "bad time": (
        _after_config({"type": "audio_chunk", "audio": _sound(960), "iso_date_time": "noon"}),
        "not an ISO 8601",
    ),
    "output for no call": (
        _after_config({"type": "tool_call_output", "tool_call_id": "call_9", "output": 1}),
        "no tool call has the id 'call_9'",
    ),
}

CORRECT: list[Any] = [
    {"type": "set_external_id", "external_id": "customer"},
    {
        **CONFIG,
        "agent": "a",
        "phonic_model": "phonic-1.1",
        "welcome_message": None,
        "audio_speed": 1.2,
        "vad_threshold": 0.38,
        "no_input_poke_sec": None,
        "default_language": "en",
        "additional_languages": ["pt", "fr"],
        "multilingual_mode": "auto",
        "template_variables": {"name": "x"},
        "additional_params": {"anything": [1, None]},
        "data_retention_policy": {"zero_data_retention": False, "transcripts": {}, "audio_recordings": {}},
        "pronunciation_dictionary": [{"word": "a", "pronunciation": "b"}],
        "tools": [
            inline_tool(execution_mode="sync", tool_call_output_timeout_ms=60000, allow_tool_chaining=False),
            "hang_up",
            {"type": "built_in", "name": "choose_not_to_respond", "tool_config": {"respond_after_sec": 2.5}},
        ],
    },
    {"type": "audio_chunk", "audio": _sound(1920), "iso_date_time": "2026-07-01T10:00:00Z"},
    {"type": "update_system_prompt", "system_prompt": "Use {braces} freely."},
    {"type": "add_system_message", "system_message": "m"},
    {"type": "update_tools_subset", "tools": ["weather"]},
    {"type": "mute"},
    {"type": "unmute"},
    {"type": "generate_reply"},
    {"type": "generate_reply", "system_message": None, "user_message": "hi"},
    {"type": "say", "text": "hi", "interruptible": False},
    {"type": "reset", "config": {"audio_speed": 0.7}},
]


@pytest.mark.parametrize("mistake", sorted(WRONG))
def test_a_mistake_is_recorded_once_and_says_what_was_wrong(mistake: str) -> None:
    frames, problem = WRONG[mistake]
    protocol = ClientProtocol()
    for frame in frames:
        protocol.receive(frame if isinstance(frame, (str, bytes)) else json.dumps(frame))
    assert len(protocol.errors) == 1, protocol.errors
    assert problem in protocol.errors[0].problem


def test_a_correct_client_of_every_message_is_not_blamed() -> None:
    protocol = ClientProtocol()
    for message in CORRECT:
        protocol.receive(json.dumps(message))
    assert protocol.errors == []
    assert {message["type"] for message in CORRECT} == set(MESSAGES) - {"tool_call_output"}


def test_an_error_never_repeats_what_somebody_said() -> None:
    protocol = ClientProtocol()
    protocol.receive(json.dumps({"type": "say", "text": ["my secret"], "interruptible": "my secret"}))
    protocol.receive(json.dumps({**CONFIG, "system_prompt": ["my secret"], "voice_id": 3}))
    assert len(protocol.errors) == 5
    assert "secret" not in "".join(str(error) for error in protocol.errors)


def test_audio_before_ready_is_noted_once_and_no_error() -> None:
    protocol = ClientProtocol()
    protocol.receive(json.dumps(CONFIG))
    for _ in range(3):
        protocol.receive(json.dumps({"type": "audio_chunk", "audio": _sound(960)}))
    assert protocol.errors == []
    assert [note.note for note in protocol.notes] == ["audio was sent before ready_to_start_conversation"]


def test_a_server_with_a_wrong_client_goes_on_and_lists_every_error() -> None:
    async def main() -> None:
        async with PhonicServer() as server:
            async with connected(server) as client:
                await client.socket.send("{")
                await client.send("config", colour="blue")
                await client.until("ready_to_start_conversation")
                await client.send("say", text="Still here.")
                await client.until("assistant_finished_speaking")
            with pytest.raises(AssertionError) as caught:
                server.assert_client_correct()
        lines = str(caught.value).splitlines()
        assert lines[0] == "2 things went wrong:"
        assert lines[1].startswith("connection 0, message 0 (invalid JSON)")
        assert lines[2] == "connection 0, message 1 (config): config has an unknown field 'colour'"

    run(main())


async def _call_a_tool(call: Call) -> str:
    await call.handshake()
    call_id = call.new_tool_call_id()
    await call.send(messages.tool_call(call_id, "weather", {"city": "Lisbon"}))
    return call_id


async def _answer(client: Client) -> str:
    await client.send("config", tools=[inline_tool()])
    call_id = str((await client.until("tool_call"))["tool_call_id"])
    await client.send("tool_call_output", tool_call_id=call_id, output="sunny")
    return call_id


def test_a_second_output_for_a_call_is_an_error() -> None:
    async def scenario(call: Call) -> None:
        await _call_a_tool(call)
        await call.expect("tool_call_output")
        await call.expect("tool_call_output")
        await call.close()

    async def main() -> None:
        async with PhonicServer(scenario) as server, connected(server) as client:
            call_id = await _answer(client)
            await client.send("tool_call_output", tool_call_id=call_id, output="sunny")
            await client.ended()
        assert [error.problem for error in server.connections[0].client_errors] == [
            f"tool call {call_id!r} is already answered"
        ]

    run(main())


def test_an_output_after_the_client_learned_of_the_interruption_is_an_error() -> None:
    async def scenario(call: Call) -> None:
        call_id = await _call_a_tool(call)
        await call.send(messages.tool_call_interrupted(call_id, "weather"))

    async def main() -> None:
        async with PhonicServer(scenario) as server, connected(server) as client:
            await client.send("config", tools=[inline_tool()])
            call_id = (await client.until("tool_call_interrupted"))["tool_call_id"]
            # A round trip of the client's own: by then the server has had its pong.
            await (await client.socket.ping())
            await client.send("tool_call_output", tool_call_id=call_id, output="sunny")
            await client.socket.close()
            await server.connections[0].closed.wait()
        assert [error.problem for error in server.connections[0].client_errors] == [
            f"tool call {call_id!r} is interrupted"
        ]

    run(main())


def test_an_output_that_crosses_the_interruption_is_noted_and_no_error() -> None:
    protocol = ClientProtocol()
    protocol.receive(json.dumps(CONFIG))
    protocol.sent(messages.tool_call("call_1", "weather"))
    assert protocol.sent(messages.tool_call_interrupted("call_1", "weather")) == "call_1"
    protocol.receive(json.dumps({"type": "tool_call_output", "tool_call_id": "call_1", "output": ""}))
    assert protocol.errors == []
    assert "crossed" in protocol.notes[0].note


def test_an_output_after_the_clients_own_reset_is_an_error() -> None:
    protocol = ClientProtocol()
    protocol.receive(json.dumps(CONFIG))
    protocol.sent(messages.tool_call("call_1", "weather"))
    protocol.receive(json.dumps({"type": "reset", "config": {}}))
    protocol.receive(json.dumps({"type": "tool_call_output", "tool_call_id": "call_1", "output": ""}))
    assert [error.problem for error in protocol.errors] == ["tool call 'call_1' is ended by a reset"]
    assert protocol.input_format == "pcm_24000"


def test_an_output_after_its_time_ran_out_is_an_error() -> None:
    protocol = ClientProtocol()
    protocol.receive(json.dumps(CONFIG))
    protocol.sent(messages.tool_call("call_1", "weather"))
    protocol.sent(messages.tool_call_output_processed("call_1", "weather", timed_out=True))
    protocol.client_knows("call_1")
    protocol.receive(json.dumps({"type": "tool_call_output", "tool_call_id": "call_1", "output": ""}))
    assert [error.problem for error in protocol.errors] == ["tool call 'call_1' is timed out"]
