"""The session's configuration: what it is at first, and what an update makes of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from rtfsm.testing.openai_server.client_fields import AUDIO_FORMATS
from rtfsm.testing.openai_server.refusals import Refusal
from rtfsm.testing.server.judging import Message

SECTIONS = ("audio", "input", "output")
"""The objects of a session whose fields are updated one by one. Every other value is replaced as a whole."""

_PCM = {"type": "audio/pcm", "rate": 24000}
_VAD: Mapping[str, Mapping[str, Any]] = {
    "server_vad": {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    },
    "semantic_vad": {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    },
}


class Session:
    """One session's configuration in force."""

    def __init__(self, session_id: str, model: str, expires_at: int) -> None:
        self.config: Message = {
            "type": "realtime",
            "object": "realtime.session",
            "id": session_id,
            "model": model,
            "expires_at": expires_at,
            "output_modalities": ["audio"],
            "instructions": "You are a helpful assistant.",
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "tracing": None,
            "truncation": "auto",
            "prompt": None,
            "include": None,
            "audio": {
                "input": {
                    "format": dict(_PCM),
                    "transcription": None,
                    "noise_reduction": None,
                    "turn_detection": dict(_VAD["server_vad"]),
                },
                "output": {"format": dict(_PCM), "voice": "marin", "speed": 1.0},
            },
        }

    @property
    def shown(self) -> Message:
        """A copy of the configuration, for an event."""
        return copy.deepcopy(self.config)

    @property
    def model(self) -> str:
        """The model of the connection."""
        return str(self.config["model"])

    @property
    def turn_detection(self) -> Mapping[str, Any] | None:
        """The turn detection in force; None where the client commits."""
        value: Mapping[str, Any] | None = self.config["audio"]["input"]["turn_detection"]
        return value

    @property
    def transcribes(self) -> bool:
        """Whether what the user says is transcribed."""
        return self.config["audio"]["input"]["transcription"] is not None

    @property
    def input_format(self) -> str:
        """The format that the client sends in, for example "audio/pcm"."""
        return str(self.config["audio"]["input"]["format"]["type"])

    @property
    def output_format(self) -> str:
        """The format that the client hears in."""
        return str(self.config["audio"]["output"]["format"]["type"])

    def update(self, change: Mapping[str, Any], *, has_spoken: bool) -> Refusal | None:
        """Take over the fields that are present. A refused update changes nothing."""
        model = change.get("model")
        if model is not None and model != self.model:
            return Refusal("The model of a session cannot be changed.", "invalid_value", "session.model")
        output = (change.get("audio") or {}).get("output") or {}
        voice = output.get("voice")
        if has_spoken and voice is not None and voice != self.config["audio"]["output"]["voice"]:
            message = "Cannot update a conversation's voice if assistant audio is present."
            return Refusal(message, "cannot_update_voice", "session.audio.output.voice")
        _merge(self.config, change)
        return None


def duration_ms(size: int, audio_format: str) -> float:
    """How long so many bytes of sound are."""
    rate, width = AUDIO_FORMATS[audio_format]
    return size / width / rate * 1000


def _merge(into: dict[str, Any], change: Mapping[str, Any]) -> None:
    for name, value in change.items():
        if name in SECTIONS:
            _merge(into[name], value or {})
        elif name == "turn_detection" and value is not None:
            set_fields = {field: given for field, given in value.items() if given is not None}
            into[name] = {**_VAD[value["type"]], **set_fields}
        elif value is not None or name in ("turn_detection", "transcription", "noise_reduction", "tracing", "prompt"):
            # Null clears these; elsewhere it stands for a field that the client did not set.
            into[name] = copy.deepcopy(value)
