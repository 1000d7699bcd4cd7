"""The model that an AgentSession is given: options for sessions to come, and the sessions that are alive."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import aiohttp
from livekit.agents import llm
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr
from livekit.agents.utils import is_given

from .endpoint import resolve_base_url, resolve_key
from .options import (
    AZURE_TRANSCRIPTION,
    AZURE_TURN_DETECTION,
    MODEL,
    VOICE,
    Modality,
    Options,
    warn_about,
    warn_half_disabled,
)

if TYPE_CHECKING:
    from typing_extensions import Self

    from .provider import OpenAIProvider
    from .session import RealtimeSession

CAPABILITIES = llm.RealtimeCapabilities(
    message_truncation=True,
    turn_detection=True,
    user_transcription=True,
    auto_tool_reply_generation=False,
    audio_output=True,
    manual_function_calls=True,
    mutable_chat_context=True,
    mutable_instructions=True,
    mutable_tools=True,
    per_response_tool_choice=True,
    supports_say=False,
)
"""What LiveKit may expect of the Realtime API with the default options."""


class RealtimeModel(llm.RealtimeModel):
    """OpenAI's speech-to-speech model for a LiveKit AgentSession.

    Takes the place of livekit.plugins.openai.realtime.RealtimeModel: the keywords are the same. It speaks the Realtime
    API (GA) of OpenAI, of Azure, and of any server with the same protocol. One model serves any number of sessions, at
    the same time too; none of them shares options with another.
    """

    def __init__(
        self,
        *,
        model: str = MODEL,
        voice: str = VOICE,
        modalities: NotGivenOr[list[Modality]] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice | None] = NOT_GIVEN,
        base_url: NotGivenOr[str] = NOT_GIVEN,
        input_audio_transcription: NotGivenOr[Any] = NOT_GIVEN,
        input_audio_noise_reduction: NotGivenOr[Any] = NOT_GIVEN,
        turn_detection: NotGivenOr[Any] = NOT_GIVEN,
        speed: NotGivenOr[float] = NOT_GIVEN,
        tracing: NotGivenOr[Any] = NOT_GIVEN,
        truncation: NotGivenOr[Any] = NOT_GIVEN,
        reasoning: NotGivenOr[Any] = NOT_GIVEN,
        api_key: str | None = None,
        http_session: aiohttp.ClientSession | None = None,
        azure_deployment: str | None = None,
        entra_token: str | None = None,
        max_session_duration: NotGivenOr[float | None] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        temperature: NotGivenOr[float] = NOT_GIVEN,
        **kwargs: Any,
    ) -> None:
        """Take the options for all sessions of this model. An object may be a dict, or a type of the openai package.

        Raises ValueError for a value that the API does not take, and when there is no API key.

        Args:
            model: Name of the model.
            voice: Name of the voice; it is fixed once the model has spoken.
            modalities: ["text"] for answers in writing; with "audio" among them the model speaks, and says its words.
            tool_choice: Which tools the model may call; by default it chooses.
            base_url: Where the server is; by default from the environment variable OPENAI_BASE_URL, for Azure from
                AZURE_OPENAI_ENDPOINT. Where it is neither OpenAI's nor Azure's, a tool runs only once the response that
                calls it is done, since some servers call a cut item complete.
            input_audio_transcription: How the user's words are written down; None for not at all.
            input_audio_noise_reduction: "near_field" or "far_field", or an object with that as its type.
            turn_detection: How the server finds out when the user's turn ends; None leaves it to LiveKit.
            speed: How fast the voice speaks, 0.25 to 1.5.
            tracing: "auto", or an object that names the trace.
            truncation: What is left out when the conversation outgrows the model.
            reasoning: How hard a model that reasons thinks, such as {"effort": "low"}.
            api_key: By default from the environment variable OPENAI_API_KEY.
            http_session: An aiohttp session to connect with, which stays yours to close.
            azure_deployment: Name of a deployment at Azure; see with_azure.
            entra_token: A token of Azure's in place of the key.
            max_session_duration: Seconds after which a connection makes room for the next one, at the first quiet
                moment; None for never. The API cuts every connection after 60 minutes.
            conn_options: Timeouts and retries of connecting.
            temperature: Has no effect.
            kwargs: api_version alone: Azure's protocol from before GA.
        """
        api_version = kwargs.pop("api_version", None) or os.environ.get("OPENAI_API_VERSION") or None
        if kwargs:
            raise TypeError(f"RealtimeModel() got an unexpected keyword argument {next(iter(kwargs))!r}")
        warn_about([*(["temperature"] if is_given(temperature) else []), *(["api_version"] if api_version else [])])
        azure = api_version is not None or entra_token is not None or azure_deployment is not None
        options: dict[str, Any] = {
            "api_key": resolve_key(api_key, azure=azure),
            "base_url": resolve_base_url(base_url, azure=azure),
            "model": model,
            "voice": voice,
            "modalities": modalities,
            "tool_choice": tool_choice,
            "input_audio_transcription": input_audio_transcription,
            "input_audio_noise_reduction": input_audio_noise_reduction,
            "turn_detection": turn_detection,
            "speed": speed,
            "tracing": tracing,
            "truncation": truncation,
            "reasoning": reasoning,
            "azure_deployment": azure_deployment,
            "entra_token": entra_token,
            "api_version": api_version,
            "azure": azure,
            "max_session_duration": max_session_duration,
            "conn_options": conn_options,
            "http_session": http_session,
        }
        self._options = Options(**options)
        warn_half_disabled(self._options.turn_detection)
        super().__init__(capabilities=CAPABILITIES)
        self._take_capabilities()
        self._capabilities.can_disable_turn_detection = not is_given(turn_detection)
        self._sessions: weakref.WeakSet[RealtimeSession] = weakref.WeakSet()
        self._make_provider: Callable[[], OpenAIProvider] | None = None
        """Makes the provider of each session, for tests that are the wire themselves; None for the real one."""

    def _take_capabilities(self) -> None:
        from .session import capabilities_of

        self._capabilities = capabilities_of(self._options, self._capabilities)

    @classmethod
    def with_azure(
        cls,
        *,
        azure_deployment: str,
        azure_endpoint: str | None = None,
        api_key: str | None = None,
        entra_token: str | None = None,
        base_url: str | None = None,
        voice: str = VOICE,
        modalities: NotGivenOr[list[Modality]] = NOT_GIVEN,
        input_audio_transcription: NotGivenOr[Any] = NOT_GIVEN,
        input_audio_noise_reduction: Any = None,
        turn_detection: NotGivenOr[Any] = NOT_GIVEN,
        speed: NotGivenOr[float] = NOT_GIVEN,
        tracing: NotGivenOr[Any] = NOT_GIVEN,
        reasoning: NotGivenOr[Any] = NOT_GIVEN,
        http_session: aiohttp.ClientSession | None = None,
        max_session_duration: NotGivenOr[float | None] = NOT_GIVEN,
        temperature: NotGivenOr[float] = NOT_GIVEN,
        **kwargs: Any,
    ) -> Self:
        """A model at Azure. Where turn detection and transcription are not given, they are those that Azure has.

        Raises ValueError where neither key nor token is given or in AZURE_OPENAI_API_KEY, where the endpoint is neither
        given nor in AZURE_OPENAI_ENDPOINT, and where both base_url and azure_endpoint are given.
        """
        api_key = api_key or os.environ.get("AZURE_OPENAI_API_KEY") or None
        if api_key is None and entra_token is None:
            raise ValueError("Azure needs a key: pass api_key or entra_token, or set AZURE_OPENAI_API_KEY")
        if base_url is not None and azure_endpoint is not None:
            raise ValueError("pass base_url or azure_endpoint, not both")
        endpoint = azure_endpoint or os.environ.get("AZURE_OPENAI_ENDPOINT")
        if base_url is None:
            if not endpoint:
                raise ValueError("Azure needs an endpoint: pass azure_endpoint=... or set AZURE_OPENAI_ENDPOINT")
            base_url = f"{endpoint.rstrip('/')}/openai"
        heard = input_audio_transcription if is_given(input_audio_transcription) else AZURE_TRANSCRIPTION
        made = cls(
            azure_deployment=azure_deployment,
            api_key=api_key,
            entra_token=entra_token,
            base_url=base_url,
            voice=voice,
            modalities=modalities,
            input_audio_transcription=heard,
            input_audio_noise_reduction=input_audio_noise_reduction,
            turn_detection=turn_detection if is_given(turn_detection) else AZURE_TURN_DETECTION,
            speed=speed,
            tracing=tracing,
            reasoning=reasoning,
            http_session=http_session,
            max_session_duration=max_session_duration,
            temperature=temperature,
            **kwargs,
        )
        made._capabilities.can_disable_turn_detection = not is_given(turn_detection)
        return made

    @property
    def model(self) -> str:
        return self._options.model

    @property
    def provider(self) -> str:
        return urlsplit(self._options.base_url).netloc

    def session(self, *, turn_detection_disabled: bool = False) -> RealtimeSession:
        """A new session with a copy of the options as they are now; without turn detection where LiveKit does it."""
        # Imported here, since a model that only holds options needs nothing of what a session is built from.
        from .session import RealtimeSession, own_copy

        options = own_copy(self._options, turn_detection_disabled=turn_detection_disabled)
        session = RealtimeSession(self, options, None if self._make_provider is None else self._make_provider())
        self._sessions.add(session)
        return session

    def update_options(
        self,
        *,
        voice: NotGivenOr[str] = NOT_GIVEN,
        turn_detection: NotGivenOr[Any] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice | None] = NOT_GIVEN,
        input_audio_transcription: NotGivenOr[Any] = NOT_GIVEN,
        input_audio_noise_reduction: NotGivenOr[Any] = NOT_GIVEN,
        max_response_output_tokens: NotGivenOr[int | Literal["inf"] | None] = NOT_GIVEN,
        speed: NotGivenOr[float] = NOT_GIVEN,
        tracing: NotGivenOr[Any] = NOT_GIVEN,
        truncation: NotGivenOr[Any] = NOT_GIVEN,
        reasoning: NotGivenOr[Any] = NOT_GIVEN,
        temperature: NotGivenOr[float] = NOT_GIVEN,
    ) -> None:
        """Change the options given, for every live session and for sessions to come; see ``__init__`` for each.

        A live session of which something changes tells the server at once. Raises ValueError for a value that the API
        does not take.
        """
        warn_about(["temperature"] if is_given(temperature) else [])
        changes: dict[str, Any] = {
            "voice": voice,
            "turn_detection": turn_detection,
            "tool_choice": tool_choice,
            "input_audio_transcription": input_audio_transcription,
            "input_audio_noise_reduction": input_audio_noise_reduction,
            "max_response_output_tokens": max_response_output_tokens,
            "speed": speed,
            "tracing": tracing,
            "truncation": truncation,
            "reasoning": reasoning,
        }
        # First the model's own: if it refuses a value, no session has been told.
        self._options = self._options.changed(**changes)
        self._take_capabilities()
        if is_given(turn_detection):
            warn_half_disabled(self._options.turn_detection)
        for session in list(self._sessions):
            session.update_options(**changes)

    async def aclose(self) -> None:
        """Nothing to do: a model holds no connection. Each session is closed by whoever asked for it."""
