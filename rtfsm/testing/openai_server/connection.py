"""One connection of a client of the Realtime API: what came in, what went out, and whether it was right."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from websockets.asyncio.server import ServerConnection

from rtfsm.testing.openai_server.client_protocol import ClientProtocol
from rtfsm.testing.server import connection
from rtfsm.testing.server.connection import Observe, Transform
from rtfsm.testing.server.judging import Arrival, Message

if TYPE_CHECKING:
    from rtfsm.testing.openai_server.service import Service


class Connection(connection.Connection):
    """A client's connection, as the server sees it. Stays readable after it has closed."""

    audio_in = "input_audio_buffer.append"
    audio_out = "response.output_audio.delta"

    service: Service
    """What the connection's client has made of its session: configuration, conversation, responses."""

    def __init__(
        self,
        socket: ServerConnection,
        number: int,
        *,
        path: str,
        query: Mapping[str, str],
        transform: Transform | None,
        observe: Observe | None,
        keep_audio: bool,
    ) -> None:
        self.protocol = ClientProtocol()
        super().__init__(
            socket,
            number,
            query=query,
            judge=self.protocol,
            transform=transform,
            observe=observe,
            keep_audio=keep_audio,
        )
        self.path = path
        """Path of the URL."""
        self._events = 0

    def post(self, *messages: Message) -> None:
        """Put events in line, each with an id of its own where it has none."""
        for message in messages:
            self._events += 1
            # A copy, since what an event shows (an item, the session) goes on changing.
            super().post({"event_id": f"event_{self.number}_{self._events}", **copy.deepcopy(message)})

    async def _arrived(self, arrival: Arrival) -> None:
        self.service.arrived(arrival)
        await self.flush()

    async def _written(self, message: Message) -> None:
        response = message.get("response")
        response_id = response.get("id") if isinstance(response, dict) else None
        if message.get("type") == "response.created" and isinstance(response_id, str):
            await self._when_known(functools.partial(self.service.client_knows, response_id))
