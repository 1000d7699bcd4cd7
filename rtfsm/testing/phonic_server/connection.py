"""One connection of a client of Phonic: what came in, what went out, and whether it was right."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from websockets.asyncio.server import ServerConnection

from rtfsm.testing.phonic_server.client_protocol import ClientProtocol
from rtfsm.testing.phonic_server.messages import Message
from rtfsm.testing.server import connection
from rtfsm.testing.server.connection import CallEnded, Observe, Record, Transform

__all__ = ["CallEnded", "Connection", "Observe", "Record", "Transform"]


class Connection(connection.Connection):
    """A client's connection, as the server sees it. Stays readable after it has closed."""

    audio_in = "audio_chunk"
    audio_out = "audio_chunk"

    def __init__(
        self,
        socket: ServerConnection,
        number: int,
        *,
        query: Mapping[str, str],
        protocol: ClientProtocol,
        **options: Any,
    ) -> None:
        super().__init__(socket, number, query=query, judge=protocol, **options)
        self.protocol = protocol
        self.conversation_id: str | None = None
        self._ended_call: str | None = None

    def _leaving(self, message: Message) -> None:
        self._ended_call = self.protocol.sent(message)

    async def _written(self, message: Message) -> None:
        # An output that comes before the client knows of the end of its call has crossed it.
        ended, self._ended_call = self._ended_call, None
        if ended is not None:
            await self._when_known(functools.partial(self.protocol.client_knows, ended))
