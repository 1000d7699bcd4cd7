"""The scripted service in the hands of an ordering: what the moves say is said, and the client is answered beside it.

The service itself keeps the session and the conversation and answers what the client changes. Responses are the moves':
one is begun by a move alone, and answers the oldest request that waits, where it says so. A response ends by a move,
by the user's voice, or when the client cancels it; in that last case nothing more that an ordering says of it is sent,
since no server would.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from typing import Any

from rtfsm.testing.openai_server import Call, CallEnded, Item, Response, messages
from rtfsm.testing.openai_server.messages import Message

from .moves import Move
from .openai_frames import bent, frame_of, item_of, message_of
from .openai_talk import HELD

__all__ = ["OpenAIService"]

ASKS, CANCELS = "response.create", "response.cancel"


class _Said(Response):
    """A response whose events moves say one by one. What is open when it is cut is ended as incomplete."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.open: dict[str, tuple[Item, int]] = {}
        self.cancelled = False

    def end(self, status: str, **details: Any) -> None:
        for item, index in self.open.values():
            item.body["status"] = "incomplete"
            self.post(messages.output_item_done(self.id, index, item.body))
            if self.conversation is not None and self.conversation.get(item.id) is not None:
                self.post(messages.item_done(item.body, self.conversation.before(item.id)))
        self.open.clear()
        self.cancelled = details.get("reason") == "client_cancelled"
        super().end(status, **details)


class OpenAIService:
    """One connection. handshake: the session is greeted and configured without a move."""

    def __init__(self, call: Call, *, handshake: bool) -> None:
        self._call = call
        self._service = call.service
        self._asked: list[Message] = []
        self._words: dict[str, str] = {}
        self._held_from = 0
        self.running = True
        call.hold(ASKS, CANCELS, *(() if handshake else ("session.update",)))

    async def run(self) -> None:
        """Answer what the client wants of responses, until it has gone."""
        while True:
            self.hears(await self._call.expect(ASKS, CANCELS, timeout=math.inf))
            await self._call.flush()

    def hears(self, message: Message) -> None:
        """Take note of what the client wants of a response."""
        active = self._service.active
        if message["type"] == ASKS and not (active is not None and _in_conversation(message)):
            self._asked.append(message)
        elif message["type"] in (ASKS, CANCELS):
            self._service.obey(message)

    async def expire(self) -> None:
        """The session has lasted too long."""
        with contextlib.suppress(CallEnded):
            await self._call.expire()

    async def say(self, move: Move) -> None:
        """Send what a move says, and do what the service does at that. Raises CallEnded."""
        if move.what.startswith("answers."):
            await self._answer(move.what)
        elif move.what == "garbage" or "cut" in move.args:
            await self._call.raw(frame_of(move))
            self._cut(move)
            await self._call.flush()
        elif not self._is_unsayable(move):
            if move.what == "session.updated" and not move.is_odd and self._configures():
                await self._call.flush()
                return
            self._service.post(bent(self._message(move), move))
            self._follow(move)
            self._cut(move)
            await self._call.flush()

    def _is_unsayable(self, move: Move) -> bool:
        response = self._service.responses.get(move.args.get("response_id", ""))
        if isinstance(response, _Said) and response.cancelled:
            return True
        return "speech_st" in move.what and self._service.session.turn_detection is None

    def _message(self, move: Move) -> Message:
        """The message, with what only the server knows."""
        service, args = self._service, move.args
        message = message_of(move, self._words.get(args.get("item_id", ""), ""))
        assert message is not None
        if "session" in message:
            message["session"] = service.session.shown
        elif move.what == "response.created":
            message["response"] = self._begin(_as_sent(move)).shown()
        elif move.what == "response.done":
            response = service.responses.get(args["response_id"])
            known = {} if response is None else response.shown()
            stated = {name: message["response"][name] for name in ("status", "status_details")}
            message["response"] = {**message["response"], **known, **stated}
        elif "previous_item_id" in message:
            item = args["item_id"]
            last = service.conversation.last_id
            message["previous_item_id"] = service.conversation.before(item) if self._holds(item) else last
        elif args.get("about") == ASKS and self._asked:
            message["error"]["event_id"] = self._asked.pop(0).get("event_id")
        return message

    def _begin(self, args: Mapping[str, Any]) -> Response:
        if args["response_id"] in self._service.responses:
            return self._service.responses[args["response_id"]]  # said again; no response begins twice
        asked = self._asked.pop(0).get("response") or {} if args.get("asked") and self._asked else {}
        request = {**asked, "conversation": "none"} if args.get("aside") else asked
        response = _Said(self._service, args["response_id"], request, "script")
        self._service.responses[response.id] = response
        if response.conversation is not None:
            self._service.active = response
        return response

    def _follow(self, move: Move) -> None:
        """What the service takes note of when this is said."""
        service, args = self._service, _as_sent(move)
        item_id = args.get("item_id", "")
        response = service.responses.get(args.get("response_id", ""))
        said = response if isinstance(response, _Said) else None
        if move.what == "input_audio_buffer.speech_started":
            service.buffer.speech_item_id = item_id
        elif move.what == "input_audio_buffer.speech_stopped":
            service.buffer.speech_ends()
        elif move.what == "input_audio_buffer.committed":
            service.buffer.take()
        elif move.what == "conversation.item.added" and not self._holds(item_id):
            service.conversation.add(service.new_item(item_of(args, "completed"), item_id))
        if said is None or said.over:
            return
        if item_id and all(item.id != item_id for item in said.output):
            self._output(said, item_id, args)
        if move.what == "response.output_item.done":
            said.open.pop(item_id, None)
        elif move.what == "response.output_audio.delta" and item_id in said.open:
            service.keep_sound(said.open[item_id][0], b"\0\0" * (24 * args["ms"]), "audio/pcm")
        elif move.what.endswith(("transcript.delta", "text.delta")):
            self._words[item_id] = self._words.get(item_id, "") + args["text"]
        elif move.what == "response.done":
            said.status = args["status"]
            service.response_over(said)

    def _output(self, said: _Said, item_id: str, args: Mapping[str, Any]) -> None:
        """A response has another item, whichever of its events was the first that was not lost."""
        known = self._service.conversation.get(item_id)
        item = known or self._service.new_item(item_of({**args, "item_id": item_id}, "completed"), item_id)
        said.output.append(item)
        said.open[item_id] = (item, len(said.output) - 1)
        if known is None and said.conversation is not None:
            said.conversation.add(item)

    def _cut(self, move: Move) -> None:
        """The user's voice ends the response, in whatever form it was told."""
        active, detection = self._service.active, self._service.session.turn_detection or {}
        starts = move.what == "input_audio_buffer.speech_started"
        if starts and active is not None and detection.get("interrupt_response"):
            active.end("cancelled", reason="turn_detected")

    def _holds(self, item_id: str) -> bool:
        return self._service.conversation.get(item_id) is not None

    def _configures(self) -> bool:
        """Answer the updates that have waited since the beginning, and from now on each at once."""
        if "session.update" not in self._service.held:
            return False
        waiting = [one.message for one in self._call.received if one.type == "session.update"]
        self._call.release("session.update")
        for message in waiting:
            if message is not None:
                self._service.obey(message)
        return bool(waiting)

    async def _answer(self, how: str) -> None:
        held = set(HELD) & self._service.held == set(HELD)
        if how == "answers.held":
            if not held:
                self._held_from = len(self._call.received)
                self._call.hold(*HELD)
            return
        if not held:
            return
        self._call.release(*HELD)
        for record in self._call.received[self._held_from :]:
            if record.type in HELD and record.message is not None:
                answer = self._call.reject if how == "answers.refused" else self._call.obey
                await answer(record.message)


def _as_sent(move: Move) -> Mapping[str, Any]:
    """What belongs to a move, under the ids that the client is told."""
    told = {path: value for path, value in move.args.get("bent", {}).items() if isinstance(value, str)}
    item = next((value for path, value in told.items() if path in ("item_id", "item.id")), None)
    response = next((value for path, value in told.items() if path in ("response_id", "response.id")), None)
    given = {"item_id": item, "response_id": response}
    return {**move.args, **{name: value for name, value in given.items() if value is not None}}


def _in_conversation(message: Message) -> bool:
    return (message.get("response") or {}).get("conversation") != "none"
