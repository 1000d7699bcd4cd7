"""What can happen on a stage, and who says it: events with ids, time, and the host's playing."""

from __future__ import annotations

import attrs

from rtfsm.language import Event
from rtfsm.machines import Capabilities, Match
from rtfsm.vocabulary import wire
from rtfsm.vocabulary.wire import GenerationStatus


@attrs.frozen
class Wait:
    """Time passes, in seconds."""

    seconds: float


@attrs.frozen
class PlayNext:
    """The host takes the first frame of the oldest message that it has not begun."""


@attrs.frozen
class PlayedOut:
    """The host has played the oldest message to its end."""


Move = Event | Wait | PlayNext | PlayedOut


@attrs.frozen
class Cast:
    """Who speaks in one phrase: the profile, and the number that its ids are made from."""

    profile: Capabilities
    number: int

    def id(self, kind: str) -> str | None:
        return None if self.profile.minted else f"{kind}{self.number}"

    @property
    def request(self) -> str:
        return f"q{self.number}"

    def created(self, *, answers: bool = False, stored: bool = True, greeting: bool = False, part: str = "r") -> Event:
        request = self.request if answers and self.profile.match is Match.ECHO else None
        return wire.GenerationCreated(self.id(part), request=request, stored=stored, greeting=greeting)

    def text(self, part: str = "r", message: str = "m") -> Event:
        return wire.TextDelta(f"<{self.number}{part}>", self.id(part), self.id(message))

    def audio(self, part: str = "r", message: str = "m") -> Event:
        return wire.AudioDelta(b"\0\0", self.id(part), self.id(message))

    def done(self, status: GenerationStatus = GenerationStatus.COMPLETED, part: str = "r") -> Event:
        return wire.GenerationDone(status, self.id(part))

    def call(self, kind: str = "c", part: str = "r") -> Event:
        return wire.ToolCallReady(f"{kind}{self.number}", "look_up", "{}", self.id(part))
