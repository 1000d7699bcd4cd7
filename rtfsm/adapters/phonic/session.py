"""A Phonic conversation for a LiveKit AgentSession."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from livekit.agents import llm
from livekit.agents.types import NOT_GIVEN, NotGivenOr

from rtfsm.adapters import livekit
from rtfsm.machines import Conversation, Timing
from rtfsm.vocabulary.local import ConfigKind

from .checks import filled_text
from .commands import Mute, SetExternalId, Unmute
from .options import (
    ConfigurationEndpoint,
    IntelligenceLevel,
    MultilingualMode,
    ObservabilityIntegration,
    Options,
    PhonicModel,
    PronunciationEntry,
    keywords_to,
)
from .provider import PhonicProvider
from .tools import OUTPUT_TIMEOUT_MS, PhonicToolConfig

if TYPE_CHECKING:
    from .model import RealtimeModel

__all__ = ["RealtimeSession"]

PROVIDER = PhonicProvider()
SHORTEST = 0.001
"""Seconds that stand for a timeout of 0."""


def timing_of(options: Options) -> Timing:
    """The machines' durations, as the connection options want them; a tool answers 1 s before Phonic gives it up."""
    connect = options.conn_options
    return Timing(
        connect=max(connect.timeout, SHORTEST),
        backoff=max(connect.retry_interval, SHORTEST),
        answer=OUTPUT_TIMEOUT_MS / 1000 - 1,
    )


class RealtimeSession(livekit.RealtimeSession):
    """One conversation. See the neutral session for its events; from Phonic come besides: ``conversation_created``
    (Phonic's id of it), ``input_language`` (ISO 639-1 code of what the user said), ``assistant_chose_not_to_respond``
    (None), ``dtmf`` (digits that the assistant presses), ``tool_call_output_processed`` (a :class:`ProcessedToolCall`),
    ``tool_call_timed_out`` (call id), ``timings`` (name -> milliseconds), ``warning`` (Phonic's code or None)."""

    def __init__(self, model: RealtimeModel, options: Options, provider: PhonicProvider = PROVIDER) -> None:
        conversation = Conversation(provider.capabilities, timing_of(options), retries=options.conn_options.max_retry)
        super().__init__(model, provider, conversation, options)

    def mute(self) -> None:
        """Have Phonic not listen to the user until ``unmute``. Holds on a new connection too."""
        self._shell.line.tell_always(Mute(), replaces=Mute)

    def unmute(self) -> None:
        """Have Phonic listen again, or, with push-to-talk, for the first time. Holds on a new connection too."""
        self._shell.line.tell_always(Unmute(), replaces=Mute)

    def set_external_id(self, external_id: str) -> None:
        """Tell Phonic your own id of the conversation, to find it again there; on a new connection too.

        It wins over a later ``external_id`` of the options (SDK 0.32). Raises ValueError for one that is blank.
        """
        filled_text("external_id", external_id)
        self._shell.line.tell_always(SetExternalId(external_id))

    def _change(self, changes: dict[str, Any]) -> None:
        changes.pop("tool_choice", None)  # LiveKit says it around each reply; Phonic has no such choice
        before: Options = self._shell.line.settings.options
        now = before.changed(**changes)
        if now is not before:
            self._configure(ConfigKind.RESET, options=now)

    @keywords_to(_change)
    def update_options(
        self,
        *,
        tool_choice: NotGivenOr[llm.ToolChoice | None] = NOT_GIVEN,
        phonic_agent: NotGivenOr[str] = NOT_GIVEN,
        voice: NotGivenOr[str] = NOT_GIVEN,
        welcome_message: NotGivenOr[str | None] = NOT_GIVEN,
        generate_welcome_message: NotGivenOr[bool | None] = NOT_GIVEN,
        project: NotGivenOr[str | None] = NOT_GIVEN,
        default_language: NotGivenOr[str] = NOT_GIVEN,
        additional_languages: NotGivenOr[list[str]] = NOT_GIVEN,
        multilingual_mode: NotGivenOr[MultilingualMode] = NOT_GIVEN,
        audio_speed: NotGivenOr[float] = NOT_GIVEN,
        phonic_tools: NotGivenOr[list[str]] = NOT_GIVEN,
        boosted_keywords: NotGivenOr[list[str]] = NOT_GIVEN,
        min_words_to_interrupt: NotGivenOr[int] = NOT_GIVEN,
        generate_no_input_poke_text: NotGivenOr[bool] = NOT_GIVEN,
        no_input_poke_sec: NotGivenOr[float] = NOT_GIVEN,
        no_input_poke_text: NotGivenOr[str] = NOT_GIVEN,
        no_input_end_conversation_sec: NotGivenOr[float] = NOT_GIVEN,
        websocket_timeout_sec: NotGivenOr[int] = NOT_GIVEN,
        intelligence_level: NotGivenOr[IntelligenceLevel] = NOT_GIVEN,
        phonic_model: NotGivenOr[PhonicModel] = NOT_GIVEN,
        is_welcome_message_interruptible: NotGivenOr[bool] = NOT_GIVEN,
        vad_prebuffer_duration_ms: NotGivenOr[int] = NOT_GIVEN,
        vad_min_speech_duration_ms: NotGivenOr[int] = NOT_GIVEN,
        vad_min_silence_duration_ms: NotGivenOr[int] = NOT_GIVEN,
        vad_threshold: NotGivenOr[float] = NOT_GIVEN,
        enable_assistant_backchannel: NotGivenOr[bool] = NOT_GIVEN,
        assistant_backchannel_aggressiveness: NotGivenOr[float] = NOT_GIVEN,
        pronunciation_dictionary: NotGivenOr[list[PronunciationEntry]] = NOT_GIVEN,
        template_variables: NotGivenOr[dict[str, str]] = NOT_GIVEN,
        enable_redaction: NotGivenOr[bool] = NOT_GIVEN,
        enable_watermarking: NotGivenOr[bool] = NOT_GIVEN,
        mcp_servers: NotGivenOr[list[str]] = NOT_GIVEN,
        observability_integrations: NotGivenOr[list[ObservabilityIntegration]] = NOT_GIVEN,
        configuration_endpoint: NotGivenOr[ConfigurationEndpoint | None] = NOT_GIVEN,
        additional_params: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
        configs_for_tools: NotGivenOr[list[PhonicToolConfig]] = NOT_GIVEN,
        forbid_speech_after_tool_call: NotGivenOr[list[str]] = NOT_GIVEN,
    ) -> None:
        """Change the options given, for this session: Phonic is told at once, by a reset that keeps
        the history. ``tool_choice`` is taken and has no effect. Raises ValueError for a value Phonic does not take.
        """
