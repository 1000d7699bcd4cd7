"""Phonic's realtime model for LiveKit agents: a replacement for livekit.plugins.phonic.realtime."""

from rtfsm.adapters._requirements import require_phonic

require_phonic()

from .model import RealtimeModel  # noqa: E402
from .notices import ProcessedToolCall  # noqa: E402
from .options import (  # noqa: E402
    ConfigurationEndpoint,
    IntelligenceLevel,
    ObservabilityIntegration,
    PhonicModel,
    PronunciationEntry,
)
from .session import RealtimeSession  # noqa: E402
from .tools import PhonicToolConfig, to_phonic_tool_definitions  # noqa: E402

__all__ = [
    "ConfigurationEndpoint",
    "IntelligenceLevel",
    "ObservabilityIntegration",
    "PhonicModel",
    "PhonicToolConfig",
    "ProcessedToolCall",
    "PronunciationEntry",
    "RealtimeModel",
    "RealtimeSession",
    "to_phonic_tool_definitions",
]
