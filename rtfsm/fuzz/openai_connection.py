"""A client's connection to the scripted service, as the laws want to see it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rtfsm.testing.openai_server import Connection

from .openai_service import OpenAIService

__all__ = ["OpenAIConnection"]

_NAMES = re.compile(r"'[^']*'|\"[^\"]*\"|\b(resp|item|call|event)_\w+")
"""What a complaint quotes of the client's: it differs from run to run."""


class OpenAIConnection:
    """See the protocol :class:`rtfsm.fuzz.dialect.Connection`. service: None until the connection has been taken up."""

    def __init__(self, real: Connection, service: OpenAIService | None = None) -> None:
        self.real = real
        self.service = service

    @property
    def open(self) -> bool:
        raise NotImplementedError

    @property
    def running(self) -> bool:
        return self.service is not None and self.service.running

    @property
    def errors(self) -> Sequence[str]:
        return [_NAMES.sub("...", f"{error.type}: {error.problem}") for error in self.real.protocol.errors]

    @property
    def early_sound(self) -> bool:
        return False  # the input buffer takes sound from the first moment

    @property
    def outputs(self) -> Sequence[str]:
        items = [one["item"] for one in self._messages() if one.get("type") == "conversation.item.create"]
        return [str(item.get("call_id")) for item in items if item.get("type") == "function_call_output"]

    @property
    def asked(self) -> int:
        return list(self.frames).count("response.create")

    def told(self, text: str) -> bool:
        return any(text in json.dumps(one) for one in self._messages())

    @property
    def frames(self) -> Sequence[str]:
        return [record.type for record in self.real.received]

    def _messages(self) -> Sequence[Mapping[str, Any]]:
        return [record.message for record in self.real.received if record.message is not None]
