"""The provider's end of a session under test: what a probe can make a provider do, and ask what it was told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from livekit.agents import llm

from .probe import NotApplicable

__all__ = ["NotOffered", "OpenStage", "Stage"]


class NotOffered(NotApplicable):
    """The provider has nothing like this; the message says what. The probe does not apply then."""


class Stage(Protocol):
    """A provider that does what it is told. One conversation at a time: verbs act on the latest connection.

    A verb returns once the provider has sent; ``settle`` waits until the session has taken note. Every verb may raise
    NotOffered. Words are spoken with the sound that carries them.
    """

    @property
    def model(self) -> llm.RealtimeModel:
        """The model under test, pointed at this provider. Always the same object."""

    # -- before a session is made ----------------------------------------------------------------------------------

    def keeps_silent(self) -> None:
        """From now on, accept connections and never answer anything on them."""

    def speaks_first(self) -> None:
        """From now on, begin every conversation with a whole turn, as early as the wire allows."""

    # -- what the provider does ------------------------------------------------------------------------------------

    async def is_ready(self) -> None:
        """Return once the provider has accepted the configuration. Raises TimeoutError after a minute."""

    async def agent_starts(self, *, asked: bool = False) -> None:
        """A response begins; ``asked`` says that it answers the oldest unanswered request of the host."""

    async def agent_says(self, text: str, ms: int = 200) -> None:
        """The next words of the response, with so much sound."""

    async def agent_sounds(self, ms: int) -> None:
        """Sound of the response without words. 0 sends what the wire has for no sound at all."""

    async def agent_starts_message(self) -> None:
        """The response goes on in another message."""

    async def agent_finishes(self) -> None:
        """The response is complete."""

    async def agent_declines(self) -> None:
        """The provider will not answer what it was asked, or given."""

    async def agent_fails(self) -> None:
        """The response that is under way fails; the conversation goes on."""

    async def user_starts(self) -> None:
        """The user's voice is heard."""

    async def user_stops(self) -> None:
        """The user has fallen silent."""

    async def user_takes_it_back(self) -> None:
        """What was heard of the user was nothing: no transcript comes, and perhaps no word of silence either."""

    async def user_says(self, text: str, *, final: bool = True) -> None:
        """The transcript of the user's turn: all of it so far, or all of it."""

    async def calls_tool(self, call_id: str, name: str, arguments: str, *, in_pieces: bool = False) -> None:
        """A tool call with JSON arguments; in pieces, the arguments come in several parts."""

    async def withdraws_tool(self, call_id: str) -> None:
        """The call is no longer wanted."""

    async def complains(self) -> None:
        """The provider reports an error that ends nothing."""

    async def drops(self, *, for_good: bool) -> None:
        """The connection is lost. ``for_good``: in a way that makes another attempt pointless."""

    async def settle(self, seconds: float = 0.05) -> None:
        """Let the session take note of everything sent."""

    # -- what the provider was told --------------------------------------------------------------------------------

    @property
    def connections(self) -> int:
        """Connections so far."""

    @property
    def connected(self) -> bool:
        """A connection is open."""

    @property
    def resumed(self) -> bool:
        """The latest connection continues the conversation before it: the provider knows all that it was told."""

    @property
    def requests(self) -> int:
        """Responses that were asked for so far."""

    @property
    def outputs(self) -> list[str]:
        """Call ids of the tool outputs so far, in order."""

    @property
    def heard(self) -> float:
        """Seconds of the user's sound so far."""

    def received(self, text: str, *, connection: int | None = None) -> int:
        """How many messages of the session held this text: on one connection, counted from 0, or on all."""


OpenStage = Callable[[], AbstractAsyncContextManager[Stage]]
"""Opens a fresh stage, and closes it."""
