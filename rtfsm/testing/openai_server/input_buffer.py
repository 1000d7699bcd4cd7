"""The input audio buffer: what the client has sent since the last commit, and where speech lies in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtfsm.testing.openai_server.session import duration_ms


class InputBuffer:
    """Times are milliseconds of all audio that was ever written, as the protocol counts them."""

    def __init__(self, *, keep_audio: bool) -> None:
        self.ms = 0.0
        """Sound in the buffer."""
        self.total_ms = 0.0
        """Sound that was ever written."""
        self.speech_item_id: str | None = None
        """The message that the speech will become; None while nobody speaks."""
        self._sound = bytearray()
        self._keep_audio = keep_audio

    def append(self, sound: bytes, audio_format: str, turn_detection: Mapping[str, Any] | None) -> None:
        """Write sound. With turn detection silence is forgotten, but for the padding before speech."""
        added = duration_ms(len(sound), audio_format)
        self.ms += added
        self.total_ms += added
        if self._keep_audio:
            self._sound += sound
        if turn_detection is not None and self.speech_item_id is None:
            padding_ms = float(turn_detection.get("prefix_padding_ms") or 300)
            if self.ms > padding_ms:
                per_ms = len(sound) / added if added else 0.0
                self.ms = padding_ms
                del self._sound[: max(0, len(self._sound) - round(padding_ms * per_ms))]

    def speech_begins(self, item_id: str) -> str:
        """The user speaks. Returns the id of the message to be; that of earlier speech which has not ended yet."""
        self.speech_item_id = self.speech_item_id or item_id
        return self.speech_item_id

    def speech_from_ms(self, padding_ms: float) -> int:
        """Where speech that was noticed now begins."""
        return round(max(0.0, self.total_ms - padding_ms))

    def speech_ends(self) -> str | None:
        """The user is silent, or the client has committed. Returns the id of the message to be."""
        item_id, self.speech_item_id = self.speech_item_id, None
        return item_id

    def take(self) -> tuple[float, bytearray]:
        """Empty the buffer: how long its sound is, and the sound where it is kept."""
        taken = self.ms, self._sound
        self.ms, self._sound = 0.0, bytearray()
        return taken
