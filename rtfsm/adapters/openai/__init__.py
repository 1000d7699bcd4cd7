"""OpenAI's Realtime API for LiveKit agents: a replacement for livekit.plugins.openai.realtime."""

from rtfsm.adapters._requirements import require_openai

require_openai()

from .model import RealtimeModel  # noqa: E402
from .session import RealtimeSession  # noqa: E402

__all__ = ["RealtimeModel", "RealtimeSession"]
