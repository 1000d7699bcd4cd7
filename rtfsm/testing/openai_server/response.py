"""One response of the service: how it begins, what it says and calls, how it ends."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rtfsm.testing.openai_server import messages
from rtfsm.testing.openai_server.client_fields import AUDIO_FORMATS
from rtfsm.testing.openai_server.conversation import Conversation, Item
from rtfsm.testing.openai_server.output import Output, OutputCall, OutputMessage
from rtfsm.testing.openai_server.voice import speak
from rtfsm.testing.server.judging import Message

if TYPE_CHECKING:
    from rtfsm.testing.openai_server.service import Service

AHEAD_SPEED = 8.0
"""How much faster than real time a voice is sent by default."""

WRITING_MS = 60.0
"""What a written letter takes, in milliseconds of real time."""


class Response:
    """A response, from response.created to response.done.

    It may end at any moment, by the user's voice or the client's cancel. Its verbs do nothing then and return False,
    so that a scenario need not ask before each step. What a script wants to send for it afterwards, it sends by
    `Call.send`.
    """

    def __init__(self, service: Service, response_id: str, request: Mapping[str, Any], origin: str) -> None:
        self.id = response_id
        self.request = request
        """The `response` object of the client's response.create; empty without one."""
        self.origin = origin
        """What began it: "client", "vad" or "script"."""
        self.conversation: Conversation | None = None
        """The conversation that it writes to; None out of band."""
        if request.get("conversation") != "none":
            self.conversation = service.conversation
        self.status = "in_progress"
        self.output: list[Item] = []
        self.known_at: float | None = None
        """Loop time at which the client was seen to have received response.created."""
        self._service = service
        self._outputs: list[Output] = []
        config = service.session.config
        asked = {**config, **{name: value for name, value in request.items() if value is not None}}
        self.modalities: list[str] = asked["output_modalities"]
        self.tools: list[Message] = asked["tools"]
        self.tool_choice: Any = asked["tool_choice"]
        self._max_output_tokens = asked["max_output_tokens"]
        self._audio = {name: config["audio"]["output"][name] for name in ("format", "voice")}
        wanted = (request.get("audio") or {}).get("output") or {}
        self._audio.update({name: value for name, value in wanted.items() if value is not None})
        self._format: str = self._audio["format"]["type"]

    def __repr__(self) -> str:
        where = "out of band" if self.conversation is None else "in the conversation"
        return f"<Response {self.id} {self.status} {where}, {len(self.output)} items>"

    @property
    def over(self) -> bool:
        """Whether response.done was sent."""
        return self.status != "in_progress"

    @property
    def speaks(self) -> bool:
        """Whether its messages are spoken; they are written otherwise."""
        return "audio" in self.modalities

    @property
    def metadata(self) -> Mapping[str, str] | None:
        """The client's metadata, echoed in the response."""
        return self.request.get("metadata")

    async def say(self, text: str, *, speed: float = AHEAD_SPEED, chunk_ms: int = 100) -> bool:
        """Send a whole message: each word, with its sound behind it where the response speaks.

        `speed` is relative to real time; infinity sends all at once. Returns whether it was sent to its end.
        """
        message = await self.open_message()
        if message is None:
            return False
        rate, width = AUDIO_FORMATS[self._format]
        size = rate * chunk_ms // 1000 * width
        began = asyncio.get_running_loop().time()
        for word, sound in speak(text, self._format):
            await message.text(word)
            for offset in range(0, len(sound), size):
                if message.is_spoken:
                    await message.audio(sound[offset : offset + size])
                if not math.isinf(speed):
                    # Against the beginning, so that the pace does not drift.
                    sent_ms = message.item.audio_ms if message.is_spoken else WRITING_MS * len(message.words)
                    await asyncio.sleep(max(0.0, began + sent_ms / 1000 / speed - asyncio.get_running_loop().time()))
        return await message.close()

    async def call_tool(
        self, name: str, arguments: Mapping[str, Any] | str, *, call_id: str | None = None
    ) -> str | None:
        """Send a whole function call, its arguments in two pieces. Returns its call id; None if it was not sent."""
        call = await self.open_call(name, call_id=call_id)
        if call is None:
            return None
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        for piece in (text[: len(text) // 2], text[len(text) // 2 :]):
            if piece:
                await call.arguments(piece)
        return call.call_id if await call.close() else None

    async def open_message(self, *, item_id: str | None = None) -> OutputMessage | None:
        """Begin a message, for a script that sends its pieces itself. None once the response is over."""
        if self.over:
            return None
        body = {"type": "message", "status": "in_progress", "role": "assistant", "content": []}
        message = OutputMessage(self, self._service.new_item(body, item_id), len(self.output))
        self._outputs.append(message)
        await self.flush()
        return message

    async def open_call(
        self, name: str, *, call_id: str | None = None, item_id: str | None = None
    ) -> OutputCall | None:
        """Begin a function call, for a script that sends its pieces itself. None once the response is over."""
        if self.over:
            return None
        body = {
            "type": "function_call",
            "status": "in_progress",
            "name": name,
            "call_id": call_id or self._service.new_id("call"),
            "arguments": "",
        }
        call = OutputCall(self, self._service.new_item(body, item_id), len(self.output))
        self._outputs.append(call)
        await self.flush()
        return call

    async def done(
        self,
        status: str = "completed",
        *,
        reason: str | None = None,
        error: Mapping[str, str] | None = None,
        usage: Mapping[str, Any] | None = None,
    ) -> bool:
        """End the response. What is still open is closed first, as incomplete unless the status is completed.

        Args:
            status: completed, cancelled, incomplete or failed.
            reason: of a cancelled one turn_detected or client_cancelled, of an incomplete one max_output_tokens or
                content_filter.
            error: of a failed one its type, code and message.
            usage: in place of the usage that the server makes up.
        """
        if self.over:
            return False
        self.end(status, reason=reason, error=error, usage=usage)
        await self.flush()
        return True

    def end(
        self,
        status: str,
        *,
        reason: str | None = None,
        error: Mapping[str, str] | None = None,
        usage: Mapping[str, Any] | None = None,
    ) -> None:
        """Put the closing events in line; `done` tells what the arguments are."""
        if self.over:
            return
        for output in self._outputs:
            output.end("completed" if status == "completed" else "incomplete")
        self.status = status
        details = {"type": status, "reason": reason, "error": error}
        given = {name: value for name, value in details.items() if value is not None}
        self.post(messages.response_done(self.shown(given if len(given) > 1 else None, usage or self._usage())))
        self._service.response_over(self)

    def shown(self, status_details: Mapping[str, Any] | None = None, usage: Mapping[str, Any] | None = None) -> Message:
        """The response object, as response.created and response.done have it."""
        return messages.response(
            self.id,
            self.status,
            status_details=status_details,
            output=[item.body for item in self.output],
            conversation_id=None if self.conversation is None else self.conversation.id,
            metadata=self.metadata,
            modalities=self.modalities,
            max_output_tokens=self._max_output_tokens,
            audio={"output": self._audio},
            usage=usage,
        )

    def post(self, *events: Message) -> None:
        """Put events in line."""
        self._service.post(*events)

    async def flush(self) -> None:
        """Write what is in line."""
        await self._service.flush()

    def heard(self, item: Item, sound: bytes) -> None:
        """A piece of the voice is about to be sent for an item."""
        self._service.keep_sound(item, sound, self._format)

    def _usage(self) -> Message:
        """Plausible numbers: a token for each word and for each 50 ms of sound."""
        conversation = self._service.conversation
        earlier = [item for item in conversation.items if item not in self.output]
        read, heard = _tokens(earlier)
        wrote, spoke = _tokens(self.output)
        cached = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
        details = {"text_tokens": read, "audio_tokens": heard, "image_tokens": 0, "cached_tokens": 0}
        return {
            "total_tokens": read + heard + wrote + spoke,
            "input_tokens": read + heard,
            "output_tokens": wrote + spoke,
            "input_token_details": {**details, "cached_tokens_details": cached},
            "output_token_details": {"text_tokens": wrote, "audio_tokens": spoke},
        }


def _tokens(items: list[Item]) -> tuple[int, int]:
    text = sum(
        len(f"{item.text} {item.body.get('arguments') or item.body.get('output') or ''}".split()) for item in items
    )
    return text, math.ceil(sum(item.audio_ms for item in items) / 50)
