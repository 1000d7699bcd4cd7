"""What the assistant says in one turn, and how much of it has been played by a given moment."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, field, frozen

from rtfsm.testing.phonic_server.client_fields import AUDIO_FORMATS
from rtfsm.testing.phonic_server.voice import speak_in_format


@frozen
class SpokenWord:
    """A word with the blanks before it, its sound, and its place in the turn in seconds from the turn's first sound."""

    text: str = field(repr=False)
    sound: bytes = field(repr=False)
    start: float
    end: float


@define
class AssistantTurn:
    """One assistant turn. Made by `Call.turn`, sent by `Call.speak`."""

    words: tuple[SpokenWord, ...] = field(repr=False)
    audio_format: str
    interruptible: bool = True
    began_at: float | None = None
    """Loop time at which a listener hears the turn's first sound; None until it is sent."""

    @classmethod
    def of(cls, text: str, audio_format: str, *, interruptible: bool = True) -> AssistantTurn:
        """Synthesise a text in one of Phonic's output formats."""
        rate, width = AUDIO_FORMATS[audio_format]
        words: list[SpokenWord] = []
        at = 0.0
        for word, sound in speak_in_format(text, audio_format):
            end = at + len(sound) / width / rate
            words.append(SpokenWord(word, sound, at, end))
            at = end
        return cls(tuple(words), audio_format, interruptible)

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(word.text for word in self.words)

    @property
    def duration(self) -> float:
        """Seconds of sound."""
        return self.words[-1].end if self.words else 0.0

    @property
    def ends_at(self) -> float:
        """Loop time at which its last sound has been played; infinity while it has not begun."""
        return float("inf") if self.began_at is None else self.began_at + self.duration

    def playing(self, now: float) -> bool:
        """Whether a listener hears this turn at loop time `now`."""
        return self.began_at is not None and now < self.ends_at

    def heard(self, now: float) -> str:
        """The words that a listener has heard the beginning of by loop time `now`."""
        if self.began_at is None:
            return ""
        return "".join(word.text for word in self.words if self.began_at + word.start < now)

    def chunks(self, chunk_ms: int) -> Iterator[tuple[bytes, str]]:
        """The sound in pieces of `chunk_ms` milliseconds, each with the word that begins in it, or ""."""
        rate, width = AUDIO_FORMATS[self.audio_format]
        size = rate * chunk_ms // 1000 * width
        for word in self.words:
            for offset in range(0, len(word.sound), size):
                yield word.sound[offset : offset + size], word.text if offset == 0 else ""
