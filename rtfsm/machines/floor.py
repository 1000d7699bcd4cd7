"""Whose voice yields to whose: what a conversation is told of barge-in, and of speech that may not be interrupted."""

from __future__ import annotations

from enum import Enum

import attrs

__all__ = ["BargeIn", "Floor"]


class BargeIn(Enum):
    """What takes the floor from the agent."""

    SPEECH = "the user starting to speak"
    PROVIDER = "the provider saying that it was interrupted"


@attrs.frozen
class Floor:
    """barge_in: what takes the floor from the agent. welcome, say: whether the user's voice alone takes it from a
    welcome, and from speech that was asked for word by word; where not, the provider decides there too."""

    barge_in: BargeIn = BargeIn.SPEECH
    welcome: bool = True
    say: bool = True

    def is_kept(self, *, greets: bool, says: bool) -> bool:
        """Whether a turn keeps the floor while the user speaks. greets: it is a welcome. says: it answers a say."""
        yields = (self.welcome or not greets) and (self.say or not says)
        return self.barge_in is BargeIn.PROVIDER or not yields
