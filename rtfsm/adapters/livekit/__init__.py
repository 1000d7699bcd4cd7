"""The LiveKit side, written once for all providers."""

from .ending import close_when_ended
from .ephemeral import reply_ephemeral
from .provider import (
    Cancel,
    ClearInput,
    Codec,
    Command,
    CommitInput,
    CreateItem,
    DeleteItem,
    Features,
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
    TruncateItem,
)
from .reports import OutOfBandUnsupported, ProviderError, SayUnsupported
from .session import RealtimeSession
from .turn import Turn

__all__ = [
    "Cancel",
    "ClearInput",
    "Codec",
    "Command",
    "CommitInput",
    "CreateItem",
    "DeleteItem",
    "Features",
    "Frame",
    "InputAudio",
    "OutOfBandUnsupported",
    "Provider",
    "ProviderError",
    "RealtimeSession",
    "Reply",
    "Say",
    "SayUnsupported",
    "Settings",
    "Sink",
    "SystemMessage",
    "ToolOutput",
    "Transport",
    "TruncateItem",
    "Turn",
    "close_when_ended",
    "reply_ephemeral",
]
