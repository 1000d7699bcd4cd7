"""What a fuzzer has to know of a provider: what it may say, how its frames look, and how to be its server.

A provider of your own becomes fuzzable with these four: a ``Dialect``, its ``Talk``, a ``Wire`` and its connections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from livekit.agents import llm

from .meaning import Meaning
from .moves import Move, Pick
from .target import Target

__all__ = ["KEY", "Connection", "Dialect", "Talk", "Wire"]

KEY = "sk-fuzz-5ecret-1dent1fier"
"""The API key that a target is given. It opens nothing; where it shows, a real one would."""


class Talk(Protocol):
    """One conversation as the provider means it: what it has said, and so what it may say next."""

    def next(self) -> Sequence[tuple[int, str]]:
        """The kinds of messages that may come now, each with a weight from 1 on. Never empty."""

    def make(self, kind: str, pick: Pick) -> Move:
        """A message of this kind, whether or not it may come now, about things that are there as far as there are."""

    def stale(self, kind: str, pick: Pick) -> Move | None:
        """The same about something that has ended or never was; None where the kind is about nothing."""

    def said(self, move: Move) -> None:
        """Take note that this was said. Must survive every move of the provider's."""

    def exchange(self, pick: Pick) -> Sequence[Move]:
        """A whole turn of the agent's, or of the user's, from beginning to end; empty where none can begin now."""

    def last_words(self) -> Sequence[Move]:
        """What ends all that is open, so that nothing more is to come."""

    def whole_turn(self, words: str) -> Sequence[Move]:
        """A turn of the agent's with these words, from beginning to end."""

    def withdrawn_words(self) -> Sequence[str]:
        """Words that were sent and then said to have been cut before they were spoken."""

    @property
    def ended(self) -> bool:
        """The provider has said that the conversation is over."""


class Connection(Protocol):
    """A client's connection, as the server sees it."""

    @property
    def open(self) -> bool:
        """Frames can be sent on it."""

    @property
    def running(self) -> bool:
        """The client was let in: from here on the provider speaks."""

    @property
    def errors(self) -> Sequence[str]:
        """What the client did that no correct client does, without numbers, ids and words."""

    @property
    def early_sound(self) -> bool:
        """Whether the client sent sound before the provider takes any."""

    @property
    def outputs(self) -> Sequence[str]:
        """Ids of the tool calls whose outputs came, in order."""

    @property
    def asked(self) -> int:
        """How often the client asked the provider to speak."""

    def told(self, text: str) -> bool:
        """Whether any message of the client's, sound apart, holds this text."""

    @property
    def frames(self) -> Sequence[str]:
        """The types of the client's messages, in order, sound included."""


class Wire(Protocol):
    """The provider's end, and the model under test that is pointed at it."""

    @property
    def model(self) -> llm.RealtimeModel:
        """The model under test."""

    @property
    def connections(self) -> Sequence[Connection]:
        """Every connection so far, in order."""

    async def deliver(self, connection: Connection, move: Move) -> None:
        """Send what a move of the server's says. Does nothing on a connection that is over."""

    async def befall(self, connection: Connection | None, move: Move) -> None:
        """Let a move of the wire's happen; None where there is no connection it could happen to."""

    async def settle(self) -> None:
        """Let the client take note."""


class Dialect(Protocol):
    """A provider's language. All frames that are sent are made here, out of a move's ``what`` and ``args``."""

    @property
    def name(self) -> str:
        """What the command calls it."""

    @property
    def kinds(self) -> Sequence[str]:
        """All kinds of messages that a talk can make."""

    @property
    def garbage(self) -> Mapping[str, str | bytes]:
        """Frames that mean nothing, by name."""

    @property
    def faults(self) -> Sequence[tuple[int, Move]]:
        """What can befall a connection, each with a weight from 1 on."""

    @property
    def abilities(self) -> Sequence[str]:
        """What a host can do with this provider's sessions and not with everyone's: ``truncation``, ``tool choice`` of
        a single reply, ``turns by hand`` (a session without turn detection)."""

    def talk(self, *, begun: bool, number: int = 0) -> Talk:
        """A new conversation; ``begun``: the handshake is over. number: how many there were before it, for a provider
        whose ids are unique beyond a conversation."""

    def option(self, number: int) -> Mapping[str, Any]:
        """Keywords for the model's ``update_options`` that set something to a value of that number, as text.

        Empty where there is no such option.
        """

    def means(self, move: Move) -> Meaning:
        """What a message of the provider's means to the laws; of one that is odd, what it would mean otherwise."""

    def fields(self, move: Move) -> Sequence[str]:
        """The fields of the message that a move says, its type left out."""

    def open(self, target: Target, *, handshake: bool, memory: bool) -> AbstractAsyncContextManager[Wire]:
        """Be the provider, with a new model. handshake: let clients in by itself. memory: without sockets, if the
        target can. Raises UsageError where the target cannot be pointed here."""
