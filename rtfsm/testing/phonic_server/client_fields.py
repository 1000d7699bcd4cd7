"""What a Phonic client may send: every message and configuration field, its type and its range.

Sources: field names and types are those of the Phonic SDK 0.32, ranges those of Phonic's public agent schema. The
SDK's own models cannot do this work: they allow extra fields, and enforce neither closed sets of strings nor ranges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rtfsm.testing.server.checks import (
    Check,
    Complaint,
    Kind,
    anything,
    array,
    boolean,
    constant,
    fields,
    kind,
    mapping,
    moment,
    nullable,
    number,
    one_of,
    repeated,
    string,
)

AUDIO_FORMATS: Mapping[str, tuple[int, int]] = {
    "pcm_44100": (44100, 2),
    "pcm_24000": (24000, 2),
    "pcm_16000": (16000, 2),
    "pcm_8000": (8000, 2),
    "mulaw_8000": (8000, 1),
}
"""Audio format name -> (sample rate in Hz, bytes per sample). All are mono."""

DEFAULT_AUDIO_FORMAT = "pcm_44100"
"""The format where a configuration names none."""

MAX_CHUNK_MS = 40
"""Longest audio of one client chunk, in milliseconds (Phonic SDK 0.32: "longer chunks are rejected with an error")."""

_text = string()
_name = string(empty=False)
_format = one_of(*AUDIO_FORMATS)
_hours = fields({}, {"delete_after_hours": nullable(number(whole=True))})

_BUILT_IN = "built_in"
_INLINE = "custom_websocket"
_speech_before = fields({"speech_before_tool_call": one_of("required", "optional", "suppressed")})
_BUILT_IN_TOOLS: Mapping[str, Check] = {
    "keypad_input": _speech_before,
    "natural_conversation_ending": _speech_before,
    "web_search": fields(
        {"speech_before_tool_call": one_of("required", "optional", "suppressed")},
        {"can_run_during_user_speech": nullable(boolean)},
    ),
    "choose_not_to_respond": fields({}, {"respond_after_sec": nullable(number(0))}),
}

_inline_tool = fields(
    {
        "type": constant(_INLINE),
        "tool_schema": fields(
            {
                "type": constant("function"),
                # The SDK leaves a field at its default out of the message, so `strict` may be absent.
                "function": fields(
                    {"name": _name, "description": _text, "parameters": mapping(anything)}, {"strict": constant(True)}
                ),
            }
        ),
    },
    {
        "execution_mode": nullable(one_of("sync", "async")),
        "tool_call_output_timeout_ms": nullable(number(1000, 180000, whole=True)),
        **{
            flag: nullable(boolean)
            for flag in (
                "require_speech_before_tool_call",
                "wait_for_speech_before_tool_call",
                "forbid_speech_after_tool_call",
                "forbid_tool_call_after_speech",
                "allow_tool_chaining",
                "wait_for_response",
                "uninterruptible",
                "can_run_during_user_speech",
            )
        },
    },
)


def _built_in_tool(value: object, path: str) -> Iterator[Complaint]:
    name = value.get("name") if isinstance(value, dict) else None
    config = _BUILT_IN_TOOLS.get(name, anything) if isinstance(name, str) else anything
    yield from fields({"type": constant(_BUILT_IN), "name": one_of(*_BUILT_IN_TOOLS), "tool_config": config})(
        value, path
    )


def _tool(value: object, path: str) -> Iterator[Complaint]:
    if isinstance(value, str):
        yield from _name(value, path)
    elif not isinstance(value, dict):
        yield Complaint(path, Kind.TYPE, f"{path} must be a tool's name or a tool object, not {kind(value)}")
    elif value.get("type") == _BUILT_IN:
        yield from _built_in_tool(value, path)
    elif value.get("type") == _INLINE:
        yield from _inline_tool(value, path)
    else:
        yield Complaint(f"{path}.type", Kind.VALUE, f"{path}.type must be {_BUILT_IN!r} or {_INLINE!r}")


def tool_name(tool: object) -> str | None:
    """The name of a tool definition in any of its three shapes, or None where it has none."""
    if isinstance(tool, dict):
        schema = tool.get("tool_schema")
        function = schema.get("function") if isinstance(schema, dict) else None
        tool = function.get("name") if isinstance(function, dict) else tool.get("name")
    return tool if isinstance(tool, str) else None


def tools(value: object, path: str) -> Iterator[Complaint]:
    """An array of tool definitions with unique names."""
    yield from array(_tool)(value, path)
    if isinstance(value, list):
        yield from repeated([name for name in map(tool_name, value) if name is not None], path, "tool name")


def _retention(value: object, path: str) -> Iterator[Complaint]:
    if isinstance(value, dict) and value.get("zero_data_retention") is True:
        yield from fields({"zero_data_retention": constant(True)})(value, path)
    else:
        kept = {"zero_data_retention": constant(False), "transcripts": _hours, "audio_recordings": _hours}
        yield from fields(kept)(value, path)


def _pronunciations(value: object, path: str) -> Iterator[Complaint]:
    yield from array(fields({"word": _name, "pronunciation": _text}))(value, path)
    if isinstance(value, list):
        words = [entry["word"] for entry in value if isinstance(entry, dict) and isinstance(entry.get("word"), str)]
        yield from repeated(words, path, "word")


_CONFIG: Mapping[str, Check] = {
    "agent": _name,
    "project": _name,
    "model": one_of("merritt"),
    "system_prompt": _text,
    "audio_speed": number(0.5, 1.5, step=0.1),
    "background_noise_level": number(),
    "background_noise": one_of("office", "call-center", "coffee-shop"),
    "generate_welcome_message": boolean,
    "is_welcome_message_interruptible": boolean,
    "websocket_timeout_sec": number(1, 300, whole=True),
    "welcome_message": _text,
    "voice_id": _name,
    "additional_voice_ids": array(_name, unique=True),
    "input_format": _format,
    "output_format": _format,
    "vad_prebuffer_duration_ms": number(0, 2000, whole=True),
    "vad_min_speech_duration_ms": number(0, 1500, whole=True),
    "vad_min_silence_duration_ms": number(0, 1500, whole=True),
    "vad_threshold": number(0.2, 0.8),
    "min_words_to_interrupt": number(1, 10, whole=True),
    "generate_no_input_poke_text": boolean,
    "no_input_poke_sec": number(0, whole=True),
    "no_input_poke_text": _text,
    "no_input_end_conversation_sec": number(0, whole=True),
    "default_language": _name,
    "additional_languages": array(_name, unique=True),
    "multilingual_mode": one_of("auto", "request", "initial"),
    "push_to_talk": boolean,
    "stream_ahead_of_real_time": boolean,
    "intelligence_level": one_of("standard", "high"),
    "phonic_model": one_of(
        "phonic-0.5",
        "phonic-1",
        "phonic-1.1",
        hint="livekit-plugins-phonic 1.8.9 spells them phonic_v0_5, phonic_v1, phonic_v1_1 and sends that verbatim",
    ),
    "boosted_keywords": array(_text),
    "pronunciation_dictionary": _pronunciations,
    "tools": tools,
    "template_variables": mapping(_text),
    "enable_redaction": boolean,
    "enable_watermarking": boolean,
    "mcp_servers": array(_name, unique=True),
    "observability_integrations": array(one_of("braintrust")),
    "external_storage_policy": _name,
    "tasks": array(fields({"name": _name, "description": _text})),
    "outbound_number_pool": fields({"active": array(_name, unique=True), "blocked": array(_name)}),
    "enable_assistant_backchannel": boolean,
    "assistant_backchannel_aggressiveness": number(),
    "configuration_endpoint": fields(
        {"url": _name}, {"headers": nullable(mapping(_text)), "timeout_ms": nullable(number(0, whole=True))}
    ),
    "additional_params": mapping(anything),
    "data_retention_policy": _retention,
    "external_id": _name,
}

CONFIG_FIELDS: Mapping[str, Check] = {name: nullable(check) for name, check in _CONFIG.items()}
"""The fields of `config`, and of the configuration inside `reset`. All are optional, and null is always allowed."""

_config_shape = fields({}, CONFIG_FIELDS)


def config_options(value: object, path: str) -> Iterator[Complaint]:
    """One whole configuration: each field alone, then the rules between fields."""
    yield from _config_shape(value, path)
    if not isinstance(value, dict):
        return
    languages = value.get("additional_languages")
    if isinstance(languages, list):
        if value.get("default_language") in languages:
            where = f"{path}.additional_languages"
            yield Complaint(where, Kind.VALUE, f"{where} must not include default_language")
        if value.get("multilingual_mode") == "auto" and len(languages) > 2:
            where = f"{path}.additional_languages"
            sentence = f"{where} may hold 2 languages with multilingual_mode auto, not {len(languages)}"
            yield Complaint(where, Kind.VALUE, sentence)
    voices = value.get("additional_voice_ids")
    if isinstance(voices, list) and value.get("voice_id") in voices:
        where = f"{path}.additional_voice_ids"
        yield Complaint(where, Kind.VALUE, f"{where} must not include voice_id")


def _prompt_without_variables(value: object, path: str) -> Iterator[Complaint]:
    yield from _text(value, path)
    if isinstance(value, str) and "{{" in value and "}}" in value.split("{{", 1)[1]:
        yield Complaint(path, Kind.VALUE, f"{path} must not contain template variables")


MESSAGES: Mapping[str, Check] = {
    "config": config_options,
    "audio_chunk": fields({"audio": _text}, {"iso_date_time": nullable(moment)}),
    "update_system_prompt": fields({"system_prompt": _prompt_without_variables}),
    "add_system_message": fields({"system_message": _text}),
    "update_tools_subset": fields({"tools": tools}),
    "set_external_id": fields({"external_id": _name}),
    "tool_call_output": fields({"tool_call_id": _name, "output": anything}),
    "mute": fields({}),
    "unmute": fields({}),
    "generate_reply": fields({}, {"system_message": nullable(_text), "user_message": nullable(_text)}),
    "say": fields({"text": _text}, {"interruptible": nullable(boolean)}),
    "reset": fields({"config": config_options}),
}
"""Client message type -> check of the message without its `type` (Phonic SDK 0.32: 12 types)."""
