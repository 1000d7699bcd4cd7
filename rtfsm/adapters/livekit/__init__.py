"""The LiveKit side, written once for all providers."""

from .ending import close_when_ended
from .ephemeral import reply_ephemeral
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
from .reports import OutOfBandUnsupported, ProviderError
from .session import RealtimeSession
from .turn import Turn

__all__ = [
    "Cancel",
    "Codec",
    "Command",
    "Frame",
    "InputAudio",
    "OutOfBandUnsupported",
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
    "close_when_ended",
    "reply_ephemeral",
]
