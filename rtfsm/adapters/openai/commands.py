"""What only a server of the Realtime API can be told."""

from __future__ import annotations

from typing import Any

import attrs

from rtfsm.adapters.livekit.provider import Command

__all__ = ["SendEvent"]


@attrs.frozen
class SendEvent(Command):
    """A client event of the application's own, as it is."""

    event: dict[str, Any] = attrs.field(repr=False)
