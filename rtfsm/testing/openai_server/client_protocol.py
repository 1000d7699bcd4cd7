"""Judges the form of what a client sends. What an event means is the service's to judge."""

from __future__ import annotations

from rtfsm.testing.openai_server.client_fields import AUDIO_FORMATS, LONGEST_APPEND, MESSAGES
from rtfsm.testing.openai_server.refusals import Refusal, malformed
from rtfsm.testing.server.checks import kind, shown
from rtfsm.testing.server.judging import Arrival, ClientError, ClientNote, decode, parse


class ClientProtocol:
    """What one connection's client has sent: its errors and notes, in order."""

    def __init__(self) -> None:
        self.errors: list[ClientError] = []
        self.notes: list[ClientNote] = []
        self.input_format = "audio/pcm"
        """The format of the client's sound; the service keeps it up to date."""
        self.refusal: Refusal | None = None
        """Why the last frame cannot be obeyed."""
        self.event_id: object = None
        """What the client calls the last frame."""
        self._index = -1
        self._type = ""
        self._event_ids: set[str] = set()

    def receive(self, frame: str | bytes) -> Arrival:
        """Judge the client's next frame."""
        self._index += 1
        self.refusal = None
        self.event_id = None
        problem, message = parse(frame)
        if message is None:
            self._type = problem
            self.refuse(Refusal("Every event must be a text frame with a JSON object.", "invalid_json"))
            return Arrival(problem, None)
        self.event_id = message.get("event_id")
        type_name = message.get("type")
        if not isinstance(type_name, str) or type_name not in MESSAGES:
            named = isinstance(type_name, str)
            self._type = shown(type_name) if named else "no type"
            why = "no client event has this type" if named else f"'type' must be a string, not {kind(type_name)}"
            self.refuse(Refusal(f"Invalid value for 'type': {why}.", "invalid_value", "type"))
            return Arrival(self._type, None)
        self._type = type_name
        for complaint in MESSAGES[type_name]({n: v for n, v in message.items() if n != "type"}, ""):
            self.refuse(malformed(complaint), str(complaint))
        self._check_event_id(self.event_id)
        audio = message.get("audio")
        sound = self._decode(audio) if type_name == "input_audio_buffer.append" and isinstance(audio, str) else b""
        return Arrival(type_name, message, sound)

    def refuse(self, refusal: Refusal, problem: str | None = None) -> None:
        """The event cannot be obeyed; the first reason is the one that the client is told."""
        self.refusal = self.refusal or refusal
        if refusal.fault:
            self.blame(problem or refusal.message)
        else:
            self.note(problem or refusal.message)

    def blame(self, problem: str) -> None:
        """Record an error of the client's in the last frame."""
        self.errors.append(ClientError(self._index, self._type, problem))

    def note(self, note: str) -> None:
        """Record what is worth knowing of the last frame."""
        self.notes.append(ClientNote(self._index, self._type, note))

    def _check_event_id(self, event_id: object) -> None:
        if not isinstance(event_id, str):
            return
        # The reference asks for no unique ids, but an error could then not be told whose it is.
        if event_id in self._event_ids:
            self.blame(f"event_id {shown(event_id)} was used before")
        self._event_ids.add(event_id)

    def _decode(self, text: str) -> bytes:
        audio = decode(text)
        if audio is None:
            self.refuse(Refusal("Invalid 'audio': it is not valid base64.", "invalid_value", "audio"))
            return b""
        if len(audio) % AUDIO_FORMATS[self.input_format][1]:
            message = f"Invalid 'audio': {len(audio)} bytes are no whole number of samples."
            self.refuse(Refusal(message, "invalid_value", "audio"))
            return b""
        if len(audio) > LONGEST_APPEND:
            message = f"Invalid 'audio': {len(audio)} bytes, where 15 MiB are allowed."
            self.refuse(Refusal(message, "invalid_value", "audio"))
            return b""
        if not audio:
            self.note("the event holds no audio")
        return audio
