"""What every host of a fuzzed conversation keeps for the laws, and what the player wants of it."""

from __future__ import annotations

from typing import Protocol

from rtfsm.testing.contract.witness import Witness

from .moves import Move

__all__ = ["Host"]


class Host(Protocol):
    """Who calls the sessions of one model."""

    witnesses: list[Witness]
    """One for each session, in order."""
    personas: list[list[str]]
    """Of each session, the personas that it was given, in order; empty where the host does not say which went where."""
    options: list[str]
    """Values that the model's options were set to, as text."""
    given: dict[str, int]
    """Tool calls whose output was given, with the session that they belong to."""
    over: set[int]
    """Sessions that said their conversation has ended, as rtfsm's do."""
    failures: list[str]
    """Methods that raised where the witness does not look: their name and the type of the error."""

    @property
    def closed(self) -> set[int]:
        """Sessions that the host has closed."""

    async def begins(self) -> None:
        """Open the first session."""

    async def do(self, move: Move) -> None:
        """Make the call that a move says. Nothing of it is awaited: other things happen meanwhile."""

    def reads_all(self) -> None:
        """Take what nobody has taken from the streams so far."""

    async def ends(self) -> None:
        """Close what is open, and give up the calls that have not returned."""

    async def leaves(self) -> None:
        """The provider is gone too: look what is left, and stop looking."""
