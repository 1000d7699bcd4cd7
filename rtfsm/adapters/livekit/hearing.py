"""What the provider hears of the user: the microphone's sound, and where the host says that a turn ends."""

from __future__ import annotations

from livekit import rtc

from rtfsm.machines import Conversation

from . import provider as do
from .line import WireSide
from .microphone import Microphone

__all__ = ["Hearing"]

SHORTEST_TURN = 0.1
"""Seconds of sound below which a user's turn is none; providers refuse a shorter one."""


class Hearing:
    """The user's sound on its way out. It waits while the conversation does not run, and for a while only."""

    def __init__(self, provider: do.Provider, line: WireSide, conversation: Conversation) -> None:
        self._rate = provider.input_rate
        self._takes_turns = provider.features.commits
        self._line = line
        self._conversation = conversation
        self._microphone = Microphone(provider.input_rate, provider.features.chunk)
        self._uncommitted = 0.0
        """Seconds of sound since the host last ended or cleared a turn."""

    @property
    def dropped(self) -> int:
        """Chunks that waited too long for the conversation to run."""
        return self._microphone.dropped

    def push(self, frame: rtc.AudioFrame) -> None:
        """A frame of the microphone."""
        chunks = self._microphone.convert(frame)
        if self._conversation.runs:
            self._tell(chunks)
        else:
            self._microphone.keep(chunks)

    def open(self) -> None:
        """The conversation runs: what was said meanwhile goes out first."""
        self._uncommitted = 0.0
        self._tell(self._microphone.waiting())

    def commit(self) -> None:
        """The user's turn ends here, with what does not yet fill a chunk."""
        if not self._conversation.runs:
            return
        self._tell(self._microphone.rest())
        if self._uncommitted >= SHORTEST_TURN:
            self._uncommitted = 0.0
            self._line.tell(do.CommitInput())

    def clear(self) -> None:
        """What was heard of the turn is not to count."""
        self._microphone.clear()
        self._uncommitted = 0.0
        if self._takes_turns and self._conversation.runs:
            self._line.tell(do.ClearInput())

    def _tell(self, chunks: list[bytes]) -> None:
        for chunk in chunks:
            self._line.hear(chunk)
            self._uncommitted += len(chunk) / 2 / self._rate
