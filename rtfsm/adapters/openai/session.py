"""A conversation over the Realtime API for a LiveKit AgentSession."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import attrs
import msgspec
from livekit.agents import llm
from livekit.agents.types import NOT_GIVEN, NotGivenOr

from rtfsm.adapters import livekit
from rtfsm.adapters.livekit.provider import Frame
from rtfsm.machines import Conversation, Timing
from rtfsm.vocabulary.local import ConfigKind

from .commands import SendEvent
from .endpoint import is_trusted
from .options import LIMIT, Options, plain
from .provider import OpenAIProvider

if TYPE_CHECKING:
    from .model import RealtimeModel

__all__ = ["RealtimeSession"]

logger = logging.getLogger("rtfsm")

SHORTEST = 0.001
"""Seconds that stand for a timeout of 0."""
TOOL_LIMIT = 100.0
"""Seconds after which a call that nobody has answered is told as such. The API waits for no tool, so an output that
comes later still takes the place of that."""
SILENCE = 60.0
"""Seconds for which a response may say nothing: some models think before they speak."""
ROLL_AT_LEAST, ROLL_AT_MOST, MARGIN = 10.0, 300.0, 60.0
RECEIVED, QUEUED = "openai_server_event_received", "openai_client_event_queued"


def provider_of(options: Options) -> OpenAIProvider:
    """The provider that these options name."""
    return OpenAIProvider(is_trusted(options), options.beta)


def timing_of(options: Options) -> Timing:
    """The machines' durations, as the connection options want them. A due connection waits for a quiet moment, but is
    made well before the API cuts the old one."""
    connect, lasts = options.conn_options, options.max_session_duration
    room = ROLL_AT_MOST if lasts is None else LIMIT - MARGIN - lasts
    return Timing(
        connect=max(connect.timeout, SHORTEST),
        backoff=max(connect.retry_interval, SHORTEST),
        roll=max(ROLL_AT_LEAST, min(ROLL_AT_MOST, room)),
        answer=TOOL_LIMIT,
        stall=SILENCE,
    )


def capabilities_of(options: Options, known: llm.RealtimeCapabilities) -> llm.RealtimeCapabilities:
    """What LiveKit may expect under these options."""
    return dataclasses.replace(
        known,
        turn_detection=options.takes_turns,
        user_transcription=options.input_audio_transcription is not None,
        audio_output=options.speaks,
    )


@attrs.frozen
class RawEvents:
    """Shows an application every message as it is, while it listens."""

    session: livekit.RealtimeSession
    emit: Callable[..., None]

    def received(self, frame: Frame) -> None:
        self._show(RECEIVED, frame)

    def sent(self, frame: str) -> None:
        self._show(QUEUED, frame)

    def _show(self, name: str, frame: Frame) -> None:
        if not self.session.has_listeners(name):
            return
        try:
            message = msgspec.json.decode(frame)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return  # the codec counts it
        self.emit(name, message)


class RealtimeSession(livekit.RealtimeSession):
    """One conversation. See the neutral session for its events; from the Realtime API come besides:
    ``openai_server_event_received`` and ``openai_client_event_queued`` (each message as a dict, while somebody
    listens), ``rate_limits_updated`` (the API's list)."""

    def __init__(self, model: RealtimeModel, options: Options, provider: OpenAIProvider | None = None) -> None:
        provider = provider or provider_of(options)
        conversation = Conversation(provider.capabilities, timing_of(options), retries=options.conn_options.max_retry)
        super().__init__(model, provider, conversation, options)
        raw = RawEvents(self, self._shell.host.emit)
        self._shell.tap, self._shell.line.tap = raw, raw.sent
        self._shell.host.transcriber = self._transcriber

    def _transcriber(self) -> str | None:
        heard = self._options.input_audio_transcription
        model = None if heard is None else heard.get("model")
        return model if isinstance(model, str) else None

    @property
    def _options(self) -> Options:
        options: Options = self._shell.line.settings.options
        return options

    @property
    def has_active_generation(self) -> bool:
        """A response is alive, or one was asked for."""
        return bool(self.conversation.generations or self.conversation.replies)

    @property
    def capabilities(self) -> llm.RealtimeCapabilities:
        """This session's own: turn detection may be off here and on for the model."""
        return capabilities_of(self._options, self.realtime_model.capabilities)

    if TYPE_CHECKING:  # the neutral session knows no names of a provider's own

        def on(self, event: Any, callback: Any = None) -> Any: ...

        def once(self, event: Any, callback: Any = None) -> Any: ...

    def send_event(self, event: Any) -> None:
        """Send a client event of your own: a dict, or one of the openai package's types.

        It is sent as it is, on this connection alone: while there is none, but for the first, it is dropped and said.
        What it changes of the configuration or the context is not known here. A response that it asks for outside the
        conversation is not played; read it from the raw events.
        """
        message = plain(event)
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise ValueError("send_event takes a client event: a dict with a type, or a type of the openai package")
        self._begin_by_default()
        if not self._shell.line.tell_here(SendEvent(message)):
            self._note_not_honoured("send_event while there is no connection", "is not told of the past: it")

    def update_options(
        self,
        *,
        tool_choice: NotGivenOr[llm.ToolChoice | None] = NOT_GIVEN,
        voice: NotGivenOr[str] = NOT_GIVEN,
        turn_detection: NotGivenOr[Any] = NOT_GIVEN,
        max_response_output_tokens: NotGivenOr[int | Literal["inf"] | None] = NOT_GIVEN,
        input_audio_transcription: NotGivenOr[Any] = NOT_GIVEN,
        input_audio_noise_reduction: NotGivenOr[Any] = NOT_GIVEN,
        speed: NotGivenOr[float] = NOT_GIVEN,
        tracing: NotGivenOr[Any] = NOT_GIVEN,
        truncation: NotGivenOr[Any] = NOT_GIVEN,
        reasoning: NotGivenOr[Any] = NOT_GIVEN,
    ) -> None:
        """Change the options given, for this session; the server is told at once. What it refuses is taken back, and
        told by an ``error`` event. Raises ValueError for a value that the API does not take."""
        before = self._options
        now = before.changed(
            tool_choice=tool_choice,
            voice=voice,
            turn_detection=turn_detection,
            max_response_output_tokens=max_response_output_tokens,
            input_audio_transcription=input_audio_transcription,
            input_audio_noise_reduction=input_audio_noise_reduction,
            speed=speed,
            tracing=tracing,
            truncation=truncation,
            reasoning=reasoning,
        )
        if now is not before:
            self._configure(ConfigKind.UPDATE, options=now)


def own_copy(options: Options, *, turn_detection_disabled: bool) -> Options:
    """Options for one session, which share nothing with the model's."""
    return attrs.evolve(options, turn_detection=None if turn_detection_disabled else options.turn_detection)
