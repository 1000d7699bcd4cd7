"""Timers: a property of a state, not a column that every state must answer."""

from __future__ import annotations

from typing import Any

import attrs

from .cells import Guard
from .errors import DeclarationError

__all__ = ["Timer"]


def _positive(_: Any, field: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not value > 0:
        raise DeclarationError(f"Timer {field.name}={value!r}: give a number of seconds above 0")


def _of_the_context(_: Any, field: attrs.Attribute[Any], value: tuple[Guard, Timer] | None) -> None:
    if value is not None and value[0].reads_event:
        raise DeclarationError(
            f"Timer {field.name}: guard {value[0].name} reads the event, and a timer has none; write f(context)"
        )


@attrs.frozen
class Timer:
    """How long a state waits.

    name: shown in diagrams. seconds: from entry, or from the last arm marked ``rearm``. cap: seconds, from entry or
    from when this timer took the place of another, that no re-arming exceeds; None for no cap. unless: (guard on
    the context, other timer) that holds instead, e.g. a shorter wait for a turn without a closing bracket.
    """

    name: str
    seconds: float = attrs.field(validator=_positive)
    cap: float | None = attrs.field(default=None, validator=_positive)
    unless: tuple[Guard, Timer] | None = attrs.field(default=None, validator=_of_the_context)

    def effective(self, context: Any) -> Timer:
        """This timer, or the other one where its guard holds."""
        if self.unless is None:
            return self
        condition, other = self.unless
        return other.effective(context) if condition.function(context) else self
