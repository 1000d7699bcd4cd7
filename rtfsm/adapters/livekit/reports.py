"""What LiveKit is told of errors, failures and measurements. Nothing here shows a secret, or what was said."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from livekit.agents import llm
from livekit.agents.metrics import RealtimeModelMetrics, STTMetrics
from livekit.agents.metrics.base import Metadata

from rtfsm.language import Event, TimerElapsed
from rtfsm.vocabulary.effects import Failure
from rtfsm.vocabulary.wire import ConfigRejected, Fault, RequestRejected, TransportLost

from .streams import HostGeneration

__all__ = [
    "OutOfBandUnsupported",
    "ProviderError",
    "SayUnsupported",
    "connection_metrics",
    "error_of",
    "failure_of",
    "metrics_of",
    "transcription_metrics",
]

LONGEST = 500


class ProviderError(llm.RealtimeError):
    """An error that the provider reported. code: its own code. parameters: which parameters it found wrong, and why."""

    def __init__(self, message: str, *, code: str | None = None, parameters: dict[str, str] | None = None) -> None:
        super().__init__(message, code=code)
        self.parameters = parameters or {}


class OutOfBandUnsupported(llm.RealtimeError):
    """The provider has no replies beside its conversation. provider: its name."""

    def __init__(self, provider: str) -> None:
        super().__init__(
            f"{provider} cannot reply out of band: all that it says becomes part of the conversation that it holds. "
            "Use generate_reply(), or session.say() with sound of your own and add_to_chat_ctx=False."
        )


class SayUnsupported(llm.RealtimeError):
    """The provider cannot speak given words. provider: its name."""

    def __init__(self, provider: str) -> None:
        super().__init__(
            f"{provider} cannot be told word by word what to say. Give the AgentSession a TTS, as in "
            "AgentSession(llm=model, tts=...): session.say() then speaks with it. Or have the model put it in its own "
            "words, with session.generate_reply(instructions=...)."
        )


def _describe(event: Event, secrets: Sequence[str]) -> llm.RealtimeError:
    if isinstance(event, Fault):
        return ProviderError(
            _shown(event.detail, secrets) or "the provider reported an error",
            code=None if event.code is None else _shown(event.code, secrets),
            parameters={_shown(name, secrets): _shown(what, secrets) for name, what in event.parameters},
        )
    if isinstance(event, TransportLost):
        code = None if event.code is None else str(event.code)
        return ProviderError(event.detail[:LONGEST] or "the connection was lost", code=code)
    if isinstance(event, ConfigRejected):
        code = None if event.code is None else _shown(event.code, secrets)
        return ProviderError(
            _shown(event.detail, secrets) or "the provider did not accept the configuration", code=code
        )
    if isinstance(event, TimerElapsed):
        return ProviderError("the provider, or the agent's configuration, did not come in time")
    return ProviderError(f"the session ended on {type(event).__name__}")


def _shown(text: str, secrets: Sequence[str]) -> str:
    """What a provider says, as far as it may be shown."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text[:LONGEST]


def error_of(
    event: Event, model: llm.RealtimeModel, *, recoverable: bool, secrets: Sequence[str] = ()
) -> llm.RealtimeModelError:
    """LiveKit's error event for what happened. LiveKit closes the session at the first one that is not recoverable.

    secrets: blanked in whatever the provider says.
    """
    return llm.RealtimeModelError(
        timestamp=time.time(), label=model.label, error=_describe(event, secrets), recoverable=recoverable
    )


def failure_of(failure: Failure, event: Event) -> llm.RealtimeError:
    """The error that a reply's future ends with."""
    code = event.code if isinstance(event, RequestRejected) else None
    return llm.RealtimeError(f"no reply: {failure.value}", code=code)


def metrics_of(
    host: HostGeneration, model: llm.RealtimeModel, counts: Mapping[str, float] | None = None
) -> RealtimeModelMetrics:
    """Measurements of a generation that ends, or has ended. ttft is -1 where it had no content. counts: tokens, where
    the provider tells them: input, output, total, and of the input and the output those of audio, text, image, cached,
    as "input.audio"."""
    ended = host.ended or time.time()
    known = counts or {}

    def tokens(name: str) -> int:
        return int(known.get(name, 0))

    return RealtimeModelMetrics(
        request_id=host.response_id,
        timestamp=host.created,
        duration=ended - host.created,
        ttft=-1 if host.began is None else host.began - host.created,
        cancelled=host.cut,
        label=model.label,
        input_tokens=tokens("input"),
        output_tokens=tokens("output"),
        total_tokens=tokens("total"),
        tokens_per_second=tokens("output") / (ended - host.created) if ended > host.created else 0.0,
        input_token_details=RealtimeModelMetrics.InputTokenDetails(
            audio_tokens=tokens("input.audio"),
            text_tokens=tokens("input.text"),
            image_tokens=tokens("input.image"),
            cached_tokens=tokens("input.cached"),
            cached_tokens_details=RealtimeModelMetrics.CachedTokenDetails(
                audio_tokens=tokens("cached.audio"),
                text_tokens=tokens("cached.text"),
                image_tokens=tokens("cached.image"),
            ),
        ),
        output_token_details=RealtimeModelMetrics.OutputTokenDetails(
            audio_tokens=tokens("output.audio"),
            text_tokens=tokens("output.text"),
            image_tokens=tokens("output.image"),
        ),
        metadata=Metadata(model_name=model.model, model_provider=model.provider),
    )


def transcription_metrics(
    turn: str, counts: Mapping[str, float], model: llm.RealtimeModel, transcriber: str | None
) -> STTMetrics:
    """What transcribing a user's turn cost, as LiveKit tells it."""
    return STTMetrics(
        request_id=turn,
        timestamp=time.time(),
        duration=0.0,
        label=model.label,
        audio_duration=float(counts.get("seconds", 0.0)),
        streamed=True,
        input_tokens=int(counts.get("input", 0)),
        output_tokens=int(counts.get("output", 0)),
        total_tokens=int(counts.get("total", 0)),
        input_audio_tokens=int(counts.get("input.audio", 0)),
        metadata=Metadata(model_name=transcriber, model_provider=model.provider),
    )


def connection_metrics(seconds: float, model: llm.RealtimeModel) -> RealtimeModelMetrics:
    """The time that opening a connection took, as LiveKit tells it: a measurement of no response."""
    return RealtimeModelMetrics(
        request_id="",
        timestamp=time.time(),
        label=model.label,
        acquire_time=seconds,
        input_token_details=RealtimeModelMetrics.InputTokenDetails(),
        output_token_details=RealtimeModelMetrics.OutputTokenDetails(),
        metadata=Metadata(model_name=model.model, model_provider=model.provider),
    )
