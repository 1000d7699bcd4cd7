"""The LiveKit side, written once for all providers."""

from .provider import (
    Cancel,
    Codec,
    Command,
    Frame,
    InputAudio,
    Provider,
    Reply,
    Say,
    Settings,
    Sink,
    SystemMessage,
    ToolOutput,
    Transport,
)
from .reports import ProviderError
from .session import RealtimeSession
from .turn import Turn

__all__ = [
    "Cancel",
    "Codec",
    "Command",
    "Frame",
    "InputAudio",
    "Provider",
    "ProviderError",
    "RealtimeSession",
    "Reply",
    "Say",
    "Settings",
    "Sink",
    "SystemMessage",
    "ToolOutput",
    "Transport",
    "Turn",
]
