"""The service behind one connection: it answers the client's events, as far as no model is needed for that.

What a model does (which words, which calls, when) is the scenario's. Nothing here waits: an event is answered by
putting the answer in line, so that a state and the events that tell of it cannot come apart.
"""

from __future__ import annotations

import asyncio
import base64
import copy
from collections.abc import Callable, Mapping
from typing import Any

from rtfsm.testing.openai_server import messages
from rtfsm.testing.openai_server.connection import Connection
from rtfsm.testing.openai_server.conversation import Conversation, Item
from rtfsm.testing.openai_server.input_buffer import InputBuffer
from rtfsm.testing.openai_server.refusals import Refusal, unknown_item
from rtfsm.testing.openai_server.response import Response
from rtfsm.testing.openai_server.session import Session, duration_ms
from rtfsm.testing.server.judging import Arrival, Message, decode

REACTION_S = 0.02
"""For so long after the client has received an event, what it sends may still have crossed it."""


class Service:
    """Session, conversation, input buffer and responses of one connection."""

    def __init__(self, connection: Connection, model: str, expires_at: int, *, keep_audio: bool) -> None:
        self.connection = connection
        self._counts: dict[str, int] = {}
        self.session = Session(self.new_id("sess"), model, expires_at)
        self.conversation = Conversation(self.new_id("conv"))
        self.buffer = InputBuffer(keep_audio=keep_audio)
        self.responses: dict[str, Response] = {}
        """Every response so far, by its id."""
        self.active: Response | None = None
        """The response that writes to the conversation now."""
        self.created: asyncio.Queue[Response] = asyncio.Queue()
        """Responses that wait for a scenario to say something in them."""
        self.commits: list[str] = []
        """The user's messages that came of the input buffer, in order."""
        self.held: set[str] = set()
        """Types of client events that are not answered by themselves."""
        self.has_spoken = False
        """Whether any voice was sent, which freezes the session's voice."""
        self._keep_audio = keep_audio

    def new_id(self, kind: str) -> str:
        """An id that is unique within the server."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return f"{kind}_{self.connection.number}_{self._counts[kind]}"

    def new_item(self, body: Mapping[str, Any], item_id: str | None = None) -> Item:
        """An item that is in no conversation yet."""
        item_id = item_id or self.new_id("item")
        return Item(item_id, {"id": item_id, "object": "realtime.item", **body})

    def post(self, *events: Message) -> None:
        """Put events in line."""
        self.connection.post(*events)

    async def flush(self) -> None:
        """Write what is in line."""
        await self.connection.flush()

    def keep_sound(self, item: Item, sound: bytes, audio_format: str) -> None:
        """A piece of the assistant's voice is about to be sent for an item."""
        self.has_spoken = True
        item.audio_ms += duration_ms(len(sound), audio_format)
        if self._keep_audio:
            item.audio += sound

    def greet(self) -> None:
        """Put the first event of a session in line."""
        self.post(messages.session_created(self.session.shown))

    def obey(self, message: Message) -> None:
        """Do what a well-formed client event asks, and answer it."""
        refusal = self._ACTIONS[message["type"]](self, message)
        if refusal is not None:
            self.connection.protocol.refuse(refusal)
            self.post(refusal.event(message.get("event_id")))

    def respond(self, request: Mapping[str, Any], origin: str) -> Response:
        """Begin a response. One that writes to the conversation becomes the active one."""
        response = Response(self, self.new_id("resp"), request, origin)
        self.post(messages.response_created(response.shown()), messages.rate_limits_updated())
        self.responses[response.id] = response
        if response.conversation is not None:
            self.active = response
        if origin != "script":
            self.created.put_nowait(response)
        return response

    def response_over(self, response: Response) -> None:
        """A response has ended."""
        if self.active is response:
            self.active = None

    def user_starts(self, item_id: str | None = None) -> str:
        """The voice of the user is detected. Returns the id of the message that will come of it."""
        item_id = self.buffer.speech_begins(item_id or self.new_id("item"))
        detection = self.session.turn_detection or {}
        self.post(messages.speech_started(item_id, self.buffer.speech_from_ms(detection.get("prefix_padding_ms", 0))))
        if self.active is not None and detection.get("interrupt_response"):
            self.active.end("cancelled", reason="turn_detected")
        return item_id

    def user_stops(self) -> str | None:
        """The user falls silent: the speech is committed, and answered as the session's turn detection says.

        Returns the id of the user's message; None if a client's commit came first, which leaves nothing to tell.
        """
        item_id = self.buffer.speech_ends()
        if item_id is None:
            return None
        self.post(messages.speech_stopped(item_id, round(self.buffer.total_ms)))
        self.commit(item_id)
        detection = self.session.turn_detection or {}
        if detection.get("create_response") and self.active is None:
            self.respond({}, "vad")
        return item_id

    def commit(self, item_id: str | None = None) -> str:
        """Make the buffer the user's next message. Returns its id."""
        part = {"type": "input_audio", "transcript": None}
        item = self.new_item({"type": "message", "status": "completed", "role": "user", "content": [part]}, item_id)
        item.audio_ms, item.audio = self.buffer.take()
        self.post(messages.committed(item.id, self.conversation.last_id))
        self._enter(item, None)
        self.commits.append(item.id)
        return item.id

    def arrived(self, arrival: Arrival) -> None:
        """Answer a frame of the client's, unless its type is held."""
        refusal = self.connection.protocol.refusal
        if refusal is not None:
            self.post(refusal.event(self.connection.protocol.event_id))
        elif arrival.type in self.held or arrival.message is None:
            return
        elif arrival.type == self.connection.audio_in:
            self._append(arrival.audio)
        else:
            self.obey(arrival.message)

    def client_knows(self, response_id: str) -> None:
        """The client has received the beginning of a response."""
        response = self.responses.get(response_id)
        if response is not None and response.known_at is None:
            response.known_at = asyncio.get_running_loop().time()

    def expire(self, seconds: float) -> str:
        """Put the error of a session in line that has lasted too long. Returns the reason for the close."""
        reason = f"Your session hit the maximum duration of {seconds / 60:g} minutes."
        self.post(messages.error(reason, code="session_expired"))
        return reason

    def _update(self, message: Message) -> Refusal | None:
        refusal = self.session.update(message["session"], has_spoken=self.has_spoken)
        if refusal is None:
            self.connection.protocol.input_format = self.session.input_format
            self.post(messages.session_updated(self.session.shown))
        return refusal

    def _append(self, sound: bytes) -> None:
        self.buffer.append(sound, self.session.input_format, self.session.turn_detection)

    def _commit(self, message: Message) -> Refusal | None:
        if self.buffer.ms < 100:
            held = f"Expected at least 100ms of audio, but buffer only has {self.buffer.ms:.2f}ms of audio."
            # With turn detection the server may just have committed the same sound.
            fault = self.session.turn_detection is None
            return Refusal(
                f"Error committing input audio buffer: buffer too small. {held}",
                "input_audio_buffer_commit_empty",
                fault=fault,
            )
        self.commit(self.buffer.speech_ends())
        return None

    def _clear(self, message: Message) -> None:
        self.buffer.take()
        self.post(messages.cleared())

    def _clear_output(self, message: Message) -> Refusal:
        return Refusal("output_audio_buffer.clear is for WebRTC and SIP only.", "invalid_value", "type")

    def _create_item(self, message: Message) -> Refusal | None:
        body = {name: value for name, value in copy.deepcopy(message["item"]).items() if value is not None}
        item_id = body.pop("id", None)
        body["status"] = "completed"
        if body["type"] == "function_call":
            body.setdefault("call_id", self.new_id("call"))
        item = self.new_item(body, item_id)
        previous = message.get("previous_item_id")
        refusal = self.conversation.refuse(item, previous)
        if refusal is not None:
            return refusal
        for part in body.get("content", ()):
            if part["type"] == "input_audio":
                item.audio += decode(part.pop("audio")) or b""
                item.audio_ms = duration_ms(len(item.audio), self.session.input_format)
        if item.kind == "function_call_output" and self.conversation.answered(body["call_id"]):
            self.connection.protocol.blame("the call has an output already")
        self._enter(item, previous)
        return None

    def _delete_item(self, message: Message) -> Refusal | None:
        refusal = self.conversation.delete(message["item_id"])
        if refusal is None:
            self.post(messages.item_deleted(message["item_id"]))
        return refusal

    def _truncate_item(self, message: Message) -> Refusal | None:
        item_id, index, end_ms = message["item_id"], message["content_index"], message["audio_end_ms"]
        refusal = self.conversation.truncate(item_id, index, end_ms)
        if refusal is None:
            self.post(messages.item_truncated(item_id, end_ms, index))
        return refusal

    def _retrieve_item(self, message: Message) -> Refusal | None:
        item = self.conversation.get(message["item_id"])
        if item is None:
            return unknown_item("retrieve", message["item_id"])
        body = copy.deepcopy(item.body)
        for part in body.get("content", ()):
            if part["type"] in ("input_audio", "output_audio"):
                part["audio"] = base64.b64encode(item.audio).decode("ascii")
        self.post(messages.item_retrieved(body))
        return None

    def _create_response(self, message: Message) -> Refusal | None:
        request = message.get("response") or {}
        for entry in request.get("input") or ():
            if entry["type"] == "item_reference" and self.conversation.get(entry["id"]) is None:
                return Refusal(f"Item with id '{entry['id'][:48]}' not found.", "invalid_value", "response.input")
        if request.get("conversation") != "none" and self.active is not None:
            known_at = self.active.known_at
            crossed = known_at is None or asyncio.get_running_loop().time() - known_at < REACTION_S
            return Refusal(
                f"Conversation already has an active response in progress: {self.active.id}. "
                "Wait until the response is finished before creating a new one.",
                "conversation_already_has_active_response",
                fault=not crossed,
            )
        self.respond(request, "client")
        return None

    def _cancel_response(self, message: Message) -> Refusal | None:
        response_id = message.get("response_id")
        response = self.active if response_id is None else self.responses.get(response_id)
        if response is None or response.over:
            # The reference: it is safe to cancel when nothing is in progress.
            unknown = response_id is not None and response is None
            return Refusal(
                "Cancellation failed: no active response found",
                "response_cancel_not_active",
                "response_id" if unknown else None,
                fault=unknown,
            )
        response.end("cancelled", reason="client_cancelled")
        return None

    def _enter(self, item: Item, previous_item_id: str | None) -> None:
        before = self.conversation.add(item, previous_item_id)
        self.post(messages.item_added(item.body, before), messages.item_done(item.body, before))

    _ACTIONS: Mapping[str, Callable[[Service, Message], Refusal | None]] = {
        "session.update": _update,
        "input_audio_buffer.append": lambda self, message: self._append(decode(message["audio"]) or b""),
        "input_audio_buffer.commit": _commit,
        "input_audio_buffer.clear": _clear,
        "output_audio_buffer.clear": _clear_output,
        "conversation.item.create": _create_item,
        "conversation.item.delete": _delete_item,
        "conversation.item.truncate": _truncate_item,
        "conversation.item.retrieve": _retrieve_item,
        "response.create": _create_response,
        "response.cancel": _cancel_response,
    }
