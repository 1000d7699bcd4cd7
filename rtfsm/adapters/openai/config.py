"""The ``session.update`` of a conversation: all of it at the start, and later what has changed."""

from __future__ import annotations

from typing import Any

from rtfsm.adapters.livekit.provider import Settings

from .codec import RATE
from .options import Options
from .tools import tool_choice_of, tool_definitions

__all__ = ["patch", "session_of"]


def session_of(settings: Settings) -> dict[str, Any]:
    """The session object for these settings, all of it."""
    options: Options = settings.options
    session = _beta(options) if options.beta else _ga(options)
    tools = settings.tools
    session["tools"] = tool_definitions(tools.flatten()) if tools is not None else []
    session["tool_choice"] = tool_choice_of(options.tool_choice)
    if settings.instructions is not None:
        session["instructions"] = settings.instructions
    return session


def _ga(options: Options) -> dict[str, Any]:
    sound = {"type": "audio/pcm", "rate": RATE}
    session: dict[str, Any] = {
        "type": "realtime",
        "model": options.model,
        # The API has answers in sound, whose words come along, or answers in writing; not both.
        "output_modalities": ["audio" if options.speaks else "text"],
        "audio": {
            "input": {
                "format": sound,
                "noise_reduction": options.input_audio_noise_reduction,
                "transcription": options.input_audio_transcription,
                "turn_detection": options.turn_detection,
            },
            "output": {"format": sound, "speed": options.speed, "voice": options.voice},
        },
        "max_output_tokens": options.max_response_output_tokens,
        "tracing": options.tracing,
    }
    for name in ("truncation", "reasoning"):
        if getattr(options, name) is not None:
            session[name] = getattr(options, name)
    return session


def _beta(options: Options) -> dict[str, Any]:
    """The same in the flat form from before GA."""
    session: dict[str, Any] = {
        "model": options.model,
        "modalities": ["audio", "text"] if options.speaks else ["text"],
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16",
        "input_audio_noise_reduction": options.input_audio_noise_reduction,
        "input_audio_transcription": options.input_audio_transcription,
        "turn_detection": options.turn_detection,
        "voice": options.voice,
        "speed": options.speed,
        "max_response_output_tokens": options.max_response_output_tokens,
        "tracing": options.tracing,
    }
    return session


def patch(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """What changed, as an object of the same form; empty where nothing did."""
    changes: dict[str, Any] = {}
    for name in {**before, **now}:
        had, has = before.get(name), now.get(name)
        if had == has:
            continue
        within = patch(had, has) if name in _PARTS and isinstance(had, dict) and isinstance(has, dict) else has
        changes[name] = within
    return changes


_PARTS = ("audio", "input", "output")
"""Objects that the API merges; any other is replaced as a whole."""
