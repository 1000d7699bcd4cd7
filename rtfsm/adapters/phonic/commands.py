"""What only Phonic can be told (messages of the Phonic SDK 0.32)."""

from __future__ import annotations

import attrs

from rtfsm.adapters.livekit.provider import Command

__all__ = ["Mute", "SetExternalId", "Unmute"]


@attrs.frozen
class Mute(Command):
    """Do not listen to the user."""


@attrs.frozen
class Unmute(Command):
    """Listen to the user again, or with push_to_talk for the first time."""


@attrs.frozen
class SetExternalId(Command):
    """The application's own id of the conversation."""

    external_id: str
