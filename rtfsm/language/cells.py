"""The words that a table is written in: to, stay, ignore, refuse, when; guards and updates."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar, Union

import attrs

from .errors import DeclarationError, GuardError
from .events import Effect, Event, view

__all__ = [
    "Arm",
    "Guard",
    "Kind",
    "Reason",
    "Update",
    "assign",
    "guard",
    "ignore",
    "refuse",
    "stay",
    "to",
    "update",
    "when",
]

C = TypeVar("C")


class Reason(Enum):
    """Why an event is ignored. Ignored events are counted by reason, so that nothing vanishes unseen."""

    LATE = "it belongs to something that has ended"
    STALE = "it belongs to another connection, or to a time before this one was ready"
    DUPLICATE = "it was said before"
    TERMINAL = "the machine has reached its end"
    NOISE = "it carries nothing that anyone could hear or use"
    NO_OP = "there is nothing that it could be done to"


class Kind(Enum):
    """What an arm does with the state."""

    TO = "moves to another state"
    STAY = "acts and stays"
    IGNORE = "counts the event and does nothing"
    REFUSE = "can be reached by a defect of our own only"


@attrs.frozen
class Guard:
    """A named question about the context, or about the context and the shape of the event. See :func:`guard`."""

    name: str
    function: Callable[..., bool] = attrs.field(repr=False)
    reads_event: bool = False

    def __call__(self, context: Any, event: Event) -> bool:
        """The answer. Raises GuardError where the function raises or does not answer with a bool."""
        try:
            answer = self.function(context, view(event)) if self.reads_event else self.function(context)
        except Exception as error:
            raise GuardError(
                f"guard {self.name} raised {type(error).__name__} on {type(event).__name__} with context {context!r}: "
                f"{error}; a guard must answer for every context and event, and nothing was changed"
            ) from error
        if answer is not True and answer is not False:
            raise GuardError(
                f"guard {self.name} answered {answer!r} on {type(event).__name__}; "
                "a guard must return True or False (write bool(...) if that is meant), and nothing was changed"
            )
        return answer


def guard(function: Callable[..., bool]) -> Guard:
    """Make a guard of ``f(context)`` or of ``f(context, event)``; its name is what diagrams show."""
    count = len(inspect.signature(function).parameters)
    if count not in (1, 2):
        raise DeclarationError(
            f"guard {function.__name__} takes {count} parameters; write f(context) or f(context, event)"
        )
    return Guard(function.__name__, function, count == 2)


@attrs.frozen
class Update:
    """A named, pure change of the context. See :func:`update` and :func:`assign`."""

    name: str
    function: Callable[[Any], Any] = attrs.field(repr=False)

    def __call__(self, context: Any) -> Any:
        return self.function(context)


def update(function: Callable[[C], C]) -> Update:
    """Make an update of ``f(context) -> context``; its name is what diagrams show."""
    return Update(function.__name__, function)


def assign(**changes: Any) -> Update:
    """An update that sets fields of the context: ``assign(dirty=True)``."""
    shown = ", ".join(f"{k}={v.name if isinstance(v, Enum) else v}" for k, v in changes.items())
    return Update(shown, lambda context: attrs.evolve(context, **changes))


@attrs.frozen
class Arm:
    """One decision of a cell. The first arm of a cell whose guard holds is taken."""

    kind: Kind
    target: Enum | None = None
    effects: tuple[Effect, ...] = ()
    updates: tuple[Update, ...] = ()
    rearm: bool = False
    reason: Reason | None = None
    why: str = ""
    guard: Guard | None = None
    index: int = -1
    """Number of the arm in its machine, in the order of declaration; -1 until the machine is declared."""

    def next_context(self, context: Any) -> Any:
        for change in self.updates:
            context = change(context)
        return context


CellLike = Union[Arm, "tuple[Arm, ...]"]


def _sorted(word: str, items: tuple[Any, ...]) -> tuple[tuple[Effect, ...], tuple[Update, ...]]:
    effects: list[Effect] = []
    updates: list[Update] = []
    for item in items:
        if isinstance(item, Update):
            updates.append(item)
        elif isinstance(item, Effect):
            effects.append(item)
        elif inspect.isclass(item) and issubclass(item, Effect):
            try:
                effects.append(item())
            except TypeError as error:
                raise DeclarationError(
                    f"{word}(...): {item.__name__} needs arguments, write {item.__name__}(...)"
                ) from error
        else:
            raise DeclarationError(f"{word}(...): {item!r} is no Effect and no update; subclass Effect, or use @update")
    return tuple(effects), tuple(updates)


def to(target: Enum, *items: Effect | type[Effect] | Update) -> Arm:
    """Move to ``target``, then do the effects in order."""
    effects, updates = _sorted("to", items)
    return Arm(Kind.TO, target=target, effects=effects, updates=updates)


def stay(*items: Effect | type[Effect] | Update, rearm: bool = False) -> Arm:
    """Remain in the state and do the effects in order; ``rearm`` starts the state's timer anew."""
    effects, updates = _sorted("stay", items)
    return Arm(Kind.STAY, effects=effects, updates=updates, rearm=rearm)


def ignore(reason: Reason, why: str, *, rearm: bool = False) -> Arm:
    """Count the event under ``reason`` and do nothing; ``why`` is read by reviewers, in tables and logs."""
    if not isinstance(reason, Reason):
        raise DeclarationError(f"ignore({reason!r}, ...): the reason must be a Reason, such as Reason.LATE")
    if not why:
        raise DeclarationError(
            f"ignore({reason.name}, ...): say why in a few words; it is the documentation of the cell"
        )
    return Arm(Kind.IGNORE, reason=reason, why=why, rearm=rearm)


def refuse(why: str) -> Arm:
    """Only a defect of our own can bring this event here; counted and logged, never raised into the host."""
    if not why:
        raise DeclarationError("refuse(...): say why the event cannot come here; it is the documentation of the cell")
    return Arm(Kind.REFUSE, why=why)


def when(condition: Guard, arm: Arm) -> Arm:
    """Take ``arm`` if ``condition`` holds. The last arm of a cell has no condition."""
    if not isinstance(condition, Guard):
        raise DeclarationError(f"when({condition!r}, ...): decorate the function with @guard")
    if arm.guard is not None:
        raise DeclarationError(
            f"when({condition.name}, when({arm.guard.name}, ...)): one guard an arm; write one guard that asks both"
        )
    return attrs.evolve(arm, guard=condition)
