"""What can be chosen about a Phonic conversation: names, defaults and legal values.

An option that is not given is not sent, so that Phonic, or the agent configured there, decides. An option that is
given as None is sent as null. Option names are those of livekit-plugins-phonic 1.8.9, ranges those of Phonic's agent
API and SDK 0.32.
"""

# ruff: noqa: RUF009  A default here is an attrs.field, made by a helper; it is not shared.

from __future__ import annotations

import copy
import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, Literal, ParamSpec, TypedDict, TypeVar

import attrs
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr
from livekit.agents.utils import is_given

from . import checks
from .endpoint import resolve_api_key, resolve_base_url
from .tools import PhonicToolConfig, check_configs

logger = logging.getLogger("rtfsm")

IntelligenceLevel = Literal["standard", "high"]
ObservabilityIntegration = Literal["braintrust"]
MultilingualMode = Literal["auto", "request", "initial"]
PhonicModel = Literal["phonic_v0_5", "phonic_v1", "phonic_v1_1", "phonic-0.5", "phonic-1", "phonic-1.1"]
"""Phonic's model. The names with a "v" are those of LiveKit's plugin, the others the API's own, which are sent."""

_API_MODEL = {"phonic_v0_5": "phonic-0.5", "phonic_v1": "phonic-1", "phonic_v1_1": "phonic-1.1"}

BargeIn = Literal["speech", "provider"]
"""What cuts the assistant: the user beginning to speak, or Phonic saying that the assistant was interrupted."""

MAX_AUTO_LANGUAGES = 2
"""How many additional languages Phonic allows while it detects the language by itself (SDK 0.32)."""
LONGEST_WAIT = 10**9


class PronunciationEntry(TypedDict):
    """How a word is to be spoken; an entry of `pronunciation_dictionary`."""

    word: str
    pronunciation: str


class ConfigurationEndpoint(TypedDict, total=False):
    """Where Phonic asks for a conversation's configuration. Only `url` must be there."""

    url: str
    headers: dict[str, str]
    timeout_ms: int


def _option(check: checks.Check, *, convert: Callable[[Any], Any] | None = None, private: bool = False) -> Any:
    """An option: copied on the way in, checked unless it is None, and, where private, not in the repr."""

    def own(value: Any) -> Any:
        if not is_given(value):
            return NOT_GIVEN
        if isinstance(value, tuple):
            value = list(value)
        return copy.deepcopy(convert(value) if convert else value)

    def validate(_options: Options, attribute: attrs.Attribute[Any], value: Any) -> None:
        if is_given(value) and value is not None:
            check(attribute.name, value)

    return attrs.field(default=NOT_GIVEN, converter=own, validator=validate, repr=not private)


def _api_model(value: Any) -> Any:
    return _API_MODEL.get(value, value) if isinstance(value, str) else value


def _must(check: checks.Check) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    """For an option of ours, which has a default and is never sent."""
    return lambda _options, attribute, value: check(attribute.name, value)


_LOOKED_UP: Any = NOT_GIVEN  # what the converter makes of it is the default


def _whole(low: int | None = None, high: int | None = None) -> Any:
    return _option(checks.whole(low, high), convert=checks.as_whole)


@attrs.frozen(kw_only=True)
class Options:
    """The options of one session, or of a model for the sessions to come. Frozen, and it owns copies of all values.

    `api_key` and `base_url` are looked up in the environment where they are not given. Raises ValueError for a value
    that Phonic does not take. Whatever may hold a secret or a caller's words is left out of the repr.
    """

    api_key: str = attrs.field(default=_LOOKED_UP, converter=resolve_api_key, repr=False)
    base_url: str = attrs.field(default=_LOOKED_UP, converter=resolve_base_url)
    phonic_agent: NotGivenOr[str | None] = _option(checks.text)
    voice: NotGivenOr[str | None] = _option(checks.text)
    welcome_message: NotGivenOr[str | None] = _option(checks.text, private=True)
    generate_welcome_message: NotGivenOr[bool | None] = _option(checks.flag)
    project: NotGivenOr[str | None] = _option(checks.text)
    default_language: NotGivenOr[str | None] = _option(checks.text)
    additional_languages: NotGivenOr[list[str] | None] = _option(checks.texts)
    multilingual_mode: NotGivenOr[MultilingualMode | None] = _option(checks.one_of("auto", "request", "initial"))
    audio_speed: NotGivenOr[float | None] = _option(checks.number(0.5, 1.5))
    phonic_tools: NotGivenOr[list[str] | None] = _option(checks.texts)
    boosted_keywords: NotGivenOr[list[str] | None] = _option(checks.texts, private=True)
    min_words_to_interrupt: NotGivenOr[int | None] = _whole(1, 10)
    generate_no_input_poke_text: NotGivenOr[bool | None] = _option(checks.flag)
    no_input_poke_sec: NotGivenOr[float | None] = _whole(0, LONGEST_WAIT)
    no_input_poke_text: NotGivenOr[str | None] = _option(checks.text, private=True)
    no_input_end_conversation_sec: NotGivenOr[float | None] = _whole(0, LONGEST_WAIT)
    websocket_timeout_sec: NotGivenOr[int | None] = _whole(1, 300)
    intelligence_level: NotGivenOr[IntelligenceLevel | None] = _option(checks.one_of("standard", "high"))
    phonic_model: NotGivenOr[PhonicModel | None] = _option(checks.one_of(*_API_MODEL.values()), convert=_api_model)
    is_welcome_message_interruptible: NotGivenOr[bool | None] = _option(checks.flag)
    vad_prebuffer_duration_ms: NotGivenOr[int | None] = _whole(0, 2000)
    vad_min_speech_duration_ms: NotGivenOr[int | None] = _whole(0, 1500)
    vad_min_silence_duration_ms: NotGivenOr[int | None] = _whole(0, 1500)
    vad_threshold: NotGivenOr[float | None] = _option(checks.number(0.2, 0.8))
    enable_assistant_backchannel: NotGivenOr[bool | None] = _option(checks.flag)
    assistant_backchannel_aggressiveness: NotGivenOr[float | None] = _option(checks.number())
    pronunciation_dictionary: NotGivenOr[list[PronunciationEntry] | None] = _option(checks.pronunciations, private=True)
    template_variables: NotGivenOr[dict[str, str] | None] = _option(checks.text_mapping, private=True)
    enable_redaction: NotGivenOr[bool | None] = _option(checks.flag)
    enable_watermarking: NotGivenOr[bool | None] = _option(checks.flag)
    mcp_servers: NotGivenOr[list[str] | None] = _option(checks.distinct_texts)
    observability_integrations: NotGivenOr[list[ObservabilityIntegration] | None] = _option(
        checks.list_of(["braintrust"])
    )
    configuration_endpoint: NotGivenOr[ConfigurationEndpoint | None] = _option(checks.endpoint, private=True)
    additional_params: NotGivenOr[dict[str, Any] | None] = _option(checks.json_mapping, private=True)
    external_id: NotGivenOr[str | None] = _option(checks.filled_text)
    configs_for_tools: NotGivenOr[list[PhonicToolConfig] | None] = _option(check_configs)
    forbid_speech_after_tool_call: NotGivenOr[list[str] | None] = _option(checks.texts)
    barge_in: BargeIn = attrs.field(default="speech", validator=_must(checks.one_of("speech", "provider")))
    say_interruptible: bool = attrs.field(default=True, validator=_must(checks.flag))
    conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.conn_options, APIConnectOptions):
            raise ValueError(
                "conn_options must be a livekit.agents.APIConnectOptions, not a value of type "
                f"{type(self.conn_options).__name__}"
            )
        additional = self.additional_languages or []
        if self.default_language and self.default_language in additional:
            raise ValueError(
                f"additional_languages is {additional}, but must not hold default_language, {self.default_language!r}"
            )
        if self.multilingual_mode == "auto" and len(additional) > MAX_AUTO_LANGUAGES:
            raise ValueError(
                f"additional_languages is {additional}, but must hold {MAX_AUTO_LANGUAGES} at most "
                "while multilingual_mode is 'auto'"
            )

    def changed(self, **changes: Any) -> Options:
        """These options with `changes`, of which those NOT_GIVEN change nothing; the same object if all stays as it is.

        When `default_language` changes and `additional_languages` is not given, the former default becomes the first of
        the additional languages and the new one leaves them, so that the caller can still be understood in all of them.
        Raises ValueError as the constructor does, and TypeError for a name that is no option.
        """
        given = {name: value for name, value in changes.items() if is_given(value)}
        if not given:
            return self
        language = given.get("default_language")
        if language is not None and language != self.default_language and "additional_languages" not in given:
            given["additional_languages"] = self._languages_besides(language)
        if "forbid_speech_after_tool_call" in given:
            warn_deprecated("forbid_speech_after_tool_call")
        result = attrs.evolve(self, **given)
        return self if result == self else result

    def copy(self) -> Options:
        """Equal options that share no list and no dict with these."""
        result = copy.copy(self)
        for name in _NAMES:
            value = getattr(self, name)
            if isinstance(value, (list, dict)):
                object.__setattr__(result, name, copy.deepcopy(value))
        return result

    def _languages_besides(self, language: str) -> list[str]:
        known = [self.default_language] if is_given(self.default_language) and self.default_language else []
        known += self.additional_languages or []
        return [other for other in dict.fromkeys(known) if other != language]


_NAMES = tuple(field.name for field in attrs.fields(Options))


def options_from(keywords: Mapping[str, Any]) -> Options:
    """The options that the keywords of RealtimeModel(...) stand for, the deprecated `languages` among them.

    `languages` counts only where neither `default_language` nor `additional_languages` is given: its first entry is
    the default and the rest are additional. Raises ValueError for an option that is not legal.
    """
    options = dict(keywords)
    languages = options.pop("languages", NOT_GIVEN)
    if is_given(languages) and languages is not None:
        warn_deprecated("languages")
        checks.texts("languages", languages)
        if not is_given(options.get("default_language", NOT_GIVEN)) and not is_given(
            options.get("additional_languages", NOT_GIVEN)
        ):
            options["default_language"] = languages[0] if languages else NOT_GIVEN
            options["additional_languages"] = languages[1:] or NOT_GIVEN
    if is_given(options.get("forbid_speech_after_tool_call", NOT_GIVEN)):
        warn_deprecated("forbid_speech_after_tool_call")
    return Options(**options)


_INSTEAD = {
    "languages": "default_language for its first entry and additional_languages for the rest",
    "forbid_speech_after_tool_call": "configs_for_tools, with forbid_speech_after_tool_call=True in the tool's entry",
}


@functools.cache
def warn_deprecated(name: str) -> None:
    """Log, once in a process, that the option `name` is deprecated and what to use for it."""
    logger.warning("The option %s is deprecated: use %s", name, _INSTEAD[name])


_Owner = TypeVar("_Owner")
_Keywords = ParamSpec("_Keywords")


def keywords_to(
    receive: Callable[[_Owner, dict[str, Any]], None],
) -> Callable[[Callable[Concatenate[_Owner, _Keywords], None]], Callable[Concatenate[_Owner, _Keywords], None]]:
    """Decorate a method that exists for its long signature: `receive` gets the keywords of a call as one dict.

    The signature is then the only list of the keywords. The decorated method itself is called first: it is where
    Python refuses a keyword that the signature does not have. Keywords that the caller left out are not in the dict.
    """

    def decorate(
        declared: Callable[Concatenate[_Owner, _Keywords], None],
    ) -> Callable[Concatenate[_Owner, _Keywords], None]:
        @functools.wraps(declared)
        def call(self: _Owner, /, *args: _Keywords.args, **kwargs: _Keywords.kwargs) -> None:
            declared(self, *args, **kwargs)
            receive(self, dict(kwargs))

        return call

    return decorate
