"""The model that an AgentSession is given: options for sessions to come, and the sessions that are alive."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from livekit.agents import llm
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr

from .options import (
    BargeIn,
    ConfigurationEndpoint,
    IntelligenceLevel,
    MultilingualMode,
    ObservabilityIntegration,
    PhonicModel,
    PronunciationEntry,
    keywords_to,
    options_from,
)
from .tools import PhonicToolConfig

if TYPE_CHECKING:
    from .provider import PhonicProvider
    from .session import RealtimeSession

CAPABILITIES = llm.RealtimeCapabilities(
    message_truncation=False,
    turn_detection=True,
    user_transcription=True,
    auto_tool_reply_generation=True,
    audio_output=True,
    manual_function_calls=False,
    mutable_chat_context=True,
    mutable_instructions=True,
    mutable_tools=True,
    per_response_tool_choice=False,
    supports_say=True,
)
"""What LiveKit may expect of Phonic; the same as of livekit-plugins-phonic 1.8.9."""


class RealtimeModel(llm.RealtimeModel):
    """Phonic's speech-to-speech model for a LiveKit AgentSession.

    Takes the place of livekit.plugins.phonic.realtime.RealtimeModel: the keywords are the same, with `base_url` added.
    One model serves any number of sessions, at the same time too; none of them shares options with another.
    """

    def _begin(self, keywords: dict[str, Any]) -> None:
        super().__init__(capabilities=dataclasses.replace(CAPABILITIES))
        self._options = options_from(keywords)
        self._sessions: weakref.WeakSet[RealtimeSession] = weakref.WeakSet()
        self._make_provider: Callable[[], PhonicProvider] | None = None
        """Makes the provider of each session, for tests that are the wire themselves; None for the real one."""

    @keywords_to(_begin)
    def __init__(
        self,
        *,
        api_key: NotGivenOr[str] = NOT_GIVEN,
        phonic_agent: NotGivenOr[str] = NOT_GIVEN,
        voice: NotGivenOr[str] = NOT_GIVEN,
        welcome_message: NotGivenOr[str | None] = NOT_GIVEN,
        generate_welcome_message: NotGivenOr[bool] = NOT_GIVEN,
        project: NotGivenOr[str | None] = NOT_GIVEN,
        default_language: NotGivenOr[str] = NOT_GIVEN,
        additional_languages: NotGivenOr[list[str]] = NOT_GIVEN,
        multilingual_mode: NotGivenOr[MultilingualMode] = NOT_GIVEN,
        languages: NotGivenOr[list[str]] = NOT_GIVEN,
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
        external_id: NotGivenOr[str] = NOT_GIVEN,
        configs_for_tools: NotGivenOr[list[PhonicToolConfig]] = NOT_GIVEN,
        forbid_speech_after_tool_call: NotGivenOr[list[str]] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        base_url: NotGivenOr[str] = NOT_GIVEN,
        barge_in: BargeIn = "speech",
        say_interruptible: bool = True,
    ) -> None:
        """Take the options for all sessions of this model. What is not given is left to Phonic, or to the agent there.

        Raises ValueError for a value that Phonic does not take, and when there is no API key.

        Args:
            api_key: Phonic's API key; by default from the environment variable PHONIC_API_KEY.
            phonic_agent: Name of an agent configured at Phonic. Options given here win over the agent's.
            voice: Id of the voice that speaks.
            welcome_message: What the assistant says first; None for nothing. Without effect beside
                generate_welcome_message=True.
            generate_welcome_message: Let the model make up what it says first.
            project: Name of the project that the conversation belongs to.
            default_language: Language that is heard and spoken at first, an ISO 639-1 code.
            additional_languages: Other languages that may be heard and spoken, without the default one; two at most
                where multilingual_mode is "auto".
            multilingual_mode: "auto" follows the language of each utterance, "request" changes it when the user asks
                for it, "initial" keeps to the language of the user's first utterance.
            languages: Deprecated: default_language and additional_languages in one list.
            audio_speed: How fast the voice speaks, 0.5 to 1.5.
            phonic_tools: Names of tools at Phonic that the assistant may use, its built-in ones among them.
            boosted_keywords: Words that speech recognition should expect.
            min_words_to_interrupt: How many words of the user interrupt the assistant, 1 to 10.
            generate_no_input_poke_text: Let the model make up what it says to a silent user.
            no_input_poke_sec: Whole seconds of silence after which it says so; None for never.
            no_input_poke_text: What it says to a silent user. Without effect beside generate_no_input_poke_text=True.
            no_input_end_conversation_sec: Whole seconds of silence after which Phonic ends the conversation.
            websocket_timeout_sec: Whole seconds without any message after which Phonic closes the socket, 1 to 300.
            intelligence_level: "standard" answers sooner, "high" thinks harder.
            phonic_model: Model to use: "phonic-0.5", "phonic-1" or "phonic-1.1", or the names that LiveKit's plugin
                has for these: "phonic_v0_5", "phonic_v1" or "phonic_v1_1".
            is_welcome_message_interruptible: Whether the user can interrupt the welcome.
            vad_prebuffer_duration_ms: Milliseconds of audio kept from before speech is detected, 0 to 2000.
            vad_min_speech_duration_ms: Milliseconds of sound that count as speech, 0 to 1500.
            vad_min_silence_duration_ms: Milliseconds of silence that end the user's speech, 0 to 1500.
            vad_threshold: How certain detection must be that it hears speech, 0.2 to 0.8.
            enable_assistant_backchannel: Let the assistant murmur ("mm-hmm") while the user speaks.
            assistant_backchannel_aggressiveness: How readily it does so.
            pronunciation_dictionary: How to speak certain words, each listed once.
            template_variables: What is put into the instructions and the welcome for `{{name}}`.
            enable_redaction: Remove personal data from transcripts and recordings after the conversation.
            enable_watermarking: Mark the generated audio inaudibly.
            mcp_servers: Names of MCP servers configured at Phonic, each listed once.
            observability_integrations: Where Phonic sends traces; "braintrust" is the only place there is.
            configuration_endpoint: Where Phonic asks for this conversation's configuration; None for nowhere.
            additional_params: Further parameters, passed on as they are.
            external_id: Your own id of the conversation, to find it again at Phonic.
            configs_for_tools: How single tools behave around speech, one PhonicToolConfig each.
            forbid_speech_after_tool_call: Deprecated: names of tools after which the assistant stays silent. Use
                configs_for_tools; an entry there wins.
            conn_options: Timeouts and retries of connecting.
            base_url: Where Phonic is, ws(s):// or http(s)://; by default from the environment variable
                PHONIC_BASE_URL, else the SDK's.
            barge_in: What cuts the assistant: "speech", the user beginning to speak, or "provider", Phonic saying that
                it was interrupted. A welcome that is not interruptible, speech that say_interruptible excludes, and all
                speech where min_words_to_interrupt is above 1, are cut by the latter alone, whatever is chosen here.
            say_interruptible: Whether the user can interrupt what say() has spoken.
        """

    @property
    def model(self) -> str:
        return "phonic"

    @property
    def provider(self) -> str:
        return "phonic"

    def session(self, *, turn_detection_disabled: bool = False) -> RealtimeSession:
        """A new session with a copy of the options as they are now.

        `turn_detection_disabled` has no effect: turns are detected at Phonic, as the capabilities say.
        """
        # Imported here, since a model that only holds options needs nothing of what a session is built from.
        from .session import PROVIDER, RealtimeSession

        provider = PROVIDER if self._make_provider is None else self._make_provider()
        session = RealtimeSession(self, self._options.copy(), provider)
        self._sessions.add(session)
        return session

    def _change(self, changes: dict[str, Any]) -> None:
        # First the model's own: if it refuses a value, no session has been told.
        self._options = self._options.changed(**changes)
        for session in list(self._sessions):
            session.update_options(**changes)

    @keywords_to(_change)
    def update_options(
        self,
        *,
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
        """Change the options given, for every live session and for sessions to come; see `__init__` for each.

        A live session of which something changes tells Phonic at once. A new `default_language` without
        `additional_languages` leaves the set of languages as it is: the former default becomes an additional one.
        Raises ValueError for a value that Phonic does not take.
        """

    async def aclose(self) -> None:
        """Nothing to do: a model holds no connection. Each session is closed by whoever asked for it."""
