"""Errors of the language. Each says what is wrong, where, and what to do about it."""

from __future__ import annotations

__all__ = ["CompositionError", "DeclarationError", "GuardError", "RtfsmError", "UnknownEventError"]


class RtfsmError(Exception):
    """Base of every error that rtfsm raises on purpose."""


class DeclarationError(RtfsmError):
    """A machine is declared wrongly. Raised when the declaration is made, never while a machine runs."""


class CompositionError(RtfsmError):
    """Machines are put together wrongly: a route that leads nowhere, or in a circle."""


class GuardError(RtfsmError):
    """A guard raised, or answered with something that is not a bool. No state and no context has changed."""


class UnknownEventError(RtfsmError):
    """An event reached a machine whose table does not know it. Nothing has changed."""
