"""Adapters: a provider's wire on one side, LiveKit's realtime contract on the other."""

from ._requirements import require_livekit

require_livekit()
