"""What a response puts out: messages and function calls, each from its first event to its last."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from rtfsm.testing.openai_server import messages
from rtfsm.testing.openai_server.conversation import Item
from rtfsm.testing.server.judging import Message

if TYPE_CHECKING:
    from rtfsm.testing.openai_server.response import Response


class Output(abc.ABC):
    """One output item of a response. Once it is closed its verbs do nothing and return False."""

    def __init__(self, response: Response, item: Item, index: int) -> None:
        self.response = response
        self.item = item
        self.index = index
        """Position among the response's output items, from 0."""
        self.is_open = True
        response.output.append(item)
        begun = {**item.body, **self._empty()}
        self._post(messages.output_item_added(response.id, index, begun))
        if response.conversation is not None:
            response.conversation.add(item)
            self._post(messages.item_added(begun, response.conversation.before(item.id)))

    @property
    def item_id(self) -> str:
        """The item's id."""
        return self.item.id

    async def close(self, status: str = "completed") -> bool:
        """Send the closing events. `status` is completed or incomplete."""
        if not self.is_open:
            return False
        self.end(status)
        await self.response.flush()
        return True

    def end(self, status: str) -> None:
        """Put the closing events in line."""
        if not self.is_open:
            return
        self.is_open = False
        self._finish()
        self.item.body["status"] = status
        self._post(messages.output_item_done(self.response.id, self.index, self.item.body))
        conversation = self.response.conversation
        # The client may have deleted it meanwhile.
        if conversation is not None and conversation.get(self.item_id) is not None:
            self._post(messages.item_done(self.item.body, conversation.before(self.item_id)))

    @abc.abstractmethod
    def _empty(self) -> Message:
        """What the item holds at its beginning, in place of its content."""

    @abc.abstractmethod
    def _finish(self) -> None:
        """Put in line what ends the content."""

    def _post(self, message: Message) -> None:
        self.response.post(message)


class OutputMessage(Output):
    """An assistant's message: spoken words, or written ones where the response has no audio."""

    def __init__(self, response: Response, item: Item, index: int) -> None:
        self.is_spoken = response.speaks
        self._words = ""
        part = {"type": "output_audio", "transcript": ""} if self.is_spoken else {"type": "output_text", "text": ""}
        item.body["content"] = [part]
        super().__init__(response, item, index)
        self._post(messages.content_part_added(response.id, item.id, index, self._part))

    @property
    def words(self) -> str:
        """The words sent so far."""
        return self._words

    async def text(self, delta: str) -> bool:
        """Send a piece of the words."""
        if not self.is_open:
            return False
        build = messages.audio_transcript_delta if self.is_spoken else messages.text_delta
        self._words += delta
        self._post(build(self.response.id, self.item_id, self.index, delta))
        await self.response.flush()
        return True

    async def audio(self, sound: bytes) -> bool:
        """Send a piece of the voice: raw bytes in the session's output format."""
        if not self.is_open:
            return False
        self.response.heard(self.item, sound)
        self._post(messages.audio_delta(self.response.id, self.item_id, self.index, sound))
        await self.response.flush()
        return True

    @property
    def _part(self) -> Message:
        """The part as the events of a response name it."""
        if self.is_spoken:
            return {"type": "audio", "transcript": self._words}
        return {"type": "text", "text": self._words}

    def _empty(self) -> Message:
        return {"content": []}

    def _finish(self) -> None:
        where = (self.response.id, self.item_id, self.index)
        part = self.item.body["content"][0]
        if self.is_spoken:
            self._post(messages.audio_done(*where))
            self._post(messages.audio_transcript_done(*where, self._words))
            # A truncation that came first has removed the transcript, and it stays removed.
            if part["transcript"] is not None:
                part["transcript"] = self._words
        else:
            self._post(messages.text_done(*where, self._words))
            part["text"] = self._words
        self._post(messages.content_part_done(*where, self._part))


class OutputCall(Output):
    """A function call that the client is asked to run."""

    @property
    def call_id(self) -> str:
        """The call's id."""
        return str(self.item.body["call_id"])

    async def arguments(self, delta: str) -> bool:
        """Send a piece of the arguments, which are one JSON text in all."""
        if not self.is_open:
            return False
        self.item.body["arguments"] += delta
        self._post(messages.arguments_delta(self.response.id, self.item_id, self.index, self.call_id, delta))
        await self.response.flush()
        return True

    def _empty(self) -> Message:
        return {"arguments": ""}

    def _finish(self) -> None:
        body = self.item.body
        self._post(
            messages.arguments_done(
                self.response.id, self.item_id, self.index, self.call_id, body["name"], body["arguments"]
            )
        )
