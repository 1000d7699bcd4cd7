"""What can be chosen about a conversation over the Realtime API: names, defaults and legal values.

Option names and defaults are those of livekit-plugins-openai 1.8.9, ranges those of the API reference (openai 3.52).
A value may be a plain dict or one of the openai package's own types, which is not imported for it.
"""

# ruff: noqa: RUF009  A default here is an attrs.field, made by a helper; it is not shared.

from __future__ import annotations

import copy
import functools
import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import aiohttp
import attrs
from livekit.agents import llm
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr
from livekit.agents.utils import is_given

__all__ = ["AZURE_TRANSCRIPTION", "AZURE_TURN_DETECTION", "Modality", "Options", "warn_without_effect"]

logger = logging.getLogger("rtfsm")

Modality = Literal["text", "audio"]
MODEL, VOICE = "gpt-realtime", "marin"
MAX_SESSION_DURATION = 20 * 60.0
"""Seconds after which a connection makes room for the next one. The API cuts every connection after 60 minutes."""
LIMIT = 60 * 60.0

TURN_DETECTION = {
    "type": "semantic_vad",
    "create_response": True,
    "eagerness": "medium",
    "interrupt_response": True,
}
TRANSCRIPTION = {"model": "gpt-4o-mini-transcribe"}
AZURE_TURN_DETECTION = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 200,
    "create_response": True,
}
AZURE_TRANSCRIPTION = {"model": "whisper-1"}


def plain(value: Any) -> Any:
    """A value as what JSON has: the openai package's types become dicts of what was set, the rest is copied."""
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(by_alias=True, exclude_unset=True, mode="json")
    return copy.deepcopy(value)


def _object(default: Mapping[str, Any] | None, *, kind: bool = False) -> Any:
    """An option that is an object of the API's, or None. kind: a bare string stands for {"type": it}."""

    def convert(value: Any) -> Any:
        if not is_given(value):
            return copy.deepcopy(default)
        return {"type": value} if kind and isinstance(value, str) else plain(value)

    def validate(_: Options, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value is not None and not isinstance(value, dict):
            raise ValueError(f"{attribute.name} must be an object or None, not a value of type {type(value).__name__}")

    return attrs.field(default=NOT_GIVEN, converter=convert, validator=validate)


def _or(default: Any, **more: Any) -> Any:
    """An option with a default, which stands for NOT_GIVEN too."""
    return attrs.field(default=default, converter=lambda value: plain(value) if is_given(value) else default, **more)


def _text(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{attribute.name} must be a string that is not blank")


def _seconds(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and not (_is_number(value) and value > 0):
        raise ValueError(f"{attribute.name} must be a number of seconds above 0, or None, not {value!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _modalities(value: NotGivenOr[Any]) -> Any:
    if not is_given(value):
        return ("text", "audio")
    return tuple(value) if isinstance(value, (list, tuple)) else value


@attrs.frozen(kw_only=True)
class Options:
    """The options of one session, or of a model for the sessions to come. Frozen, and it owns copies of all values.

    Raises ValueError for a value that the API does not take. No secret is in the repr.
    """

    api_key: str | None = attrs.field(repr=False)
    base_url: str
    model: str = attrs.field(default=MODEL, validator=_text)
    voice: Any = attrs.field(default=VOICE, converter=plain)
    modalities: tuple[Modality, ...] = attrs.field(default=("text", "audio"), converter=_modalities)
    tool_choice: llm.ToolChoice | None = _or(None)
    input_audio_transcription: dict[str, Any] | None = _object(TRANSCRIPTION)
    input_audio_noise_reduction: dict[str, Any] | None = _object(None, kind=True)
    turn_detection: dict[str, Any] | None = _object(TURN_DETECTION)
    max_response_output_tokens: int | Literal["inf"] | None = "inf"
    speed: float = _or(1.0)
    tracing: Any = _or(None)
    truncation: Any = _or(None)
    reasoning: dict[str, Any] | None = _object(None)
    azure_deployment: str | None = None
    entra_token: str | None = attrs.field(default=None, repr=False)
    api_version: str | None = None
    azure: bool = False
    max_session_duration: float | None = _or(MAX_SESSION_DURATION, validator=_seconds)
    conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    http_session: aiohttp.ClientSession | None = attrs.field(default=None, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if not self.modalities or not set(self.modalities) <= {"text", "audio"}:
            raise ValueError(f'modalities is {list(self.modalities)}, but must hold "audio", "text" or both')
        if not _is_number(self.speed) or not 0.25 <= self.speed <= 1.5:
            raise ValueError(f"speed is {self.speed!r}, but must be a number from 0.25 to 1.5")
        if not isinstance(self.voice, (str, dict)) or not self.voice:
            raise ValueError("voice must be the name of a voice, or an object with its id")
        tokens = self.max_response_output_tokens
        whole = isinstance(tokens, int) and not isinstance(tokens, bool) and tokens > 0
        if tokens not in ("inf", None) and not whole:
            raise ValueError(f"max_response_output_tokens is {tokens!r}, but must be a whole number above 0 or 'inf'")
        if not isinstance(self.conn_options, APIConnectOptions):
            raise ValueError(
                "conn_options must be a livekit.agents.APIConnectOptions, not a value of type "
                f"{type(self.conn_options).__name__}"
            )

    @property
    def speaks(self) -> bool:
        """The model answers with sound."""
        return "audio" in self.modalities

    @property
    def takes_turns(self) -> bool:
        """The server finds out when the user's turn ends, and answers it."""
        return self.turn_detection is not None and self.turn_detection.get("create_response") is not False

    @property
    def beta(self) -> bool:
        """The server speaks as the API did before GA: Azure's dated versions."""
        return self.azure and self.api_version is not None

    def changed(self, **changes: Any) -> Options:
        """These options with ``changes``, of which those NOT_GIVEN change nothing; the same object if nothing does.

        Raises ValueError as the constructor does, and TypeError for a name that is no option.
        """
        given = {name: value for name, value in changes.items() if is_given(value)}
        result = attrs.evolve(self, **given) if given else self
        return self if result == self else result


def warn_half_disabled(turn_detection: Mapping[str, Any] | None) -> None:
    """Say so where turns are handed to the client, and interruptions are not."""
    if turn_detection is None or turn_detection.get("create_response") is not False:
        return
    if turn_detection.get("interrupt_response") is not False:
        logger.warning(
            "with create_response=False the client ends the user's turns, but the server still cuts its responses when "
            "the user speaks; pass interrupt_response=False too"
        )


@functools.cache
def warn_without_effect(name: str, why: str) -> None:
    """Log, once in a process, that an option has no effect any more, or soon will have none."""
    logger.warning("%s %s", name, why)


def warn_about(keywords: Sequence[str]) -> None:
    """Say which of the keywords that were given the API does not honour any more."""
    for name in keywords:
        if name in _OBSOLETE:
            warn_without_effect(name, _OBSOLETE[name])


_OBSOLETE = {
    "temperature": "has no effect: the Realtime API has had no temperature since GA",
    "api_version": "selects Azure's protocol from before GA, which Azure has retired; leave it out",
}
