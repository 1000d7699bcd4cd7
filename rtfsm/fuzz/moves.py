"""What an ordering is made of: one move for each thing that happens, as plain data that can be stored and replayed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import attrs

__all__ = ["ODD", "ODD_VALUES", "USUAL", "Move", "Ordering", "Pick"]

T = TypeVar("T")

ODD = ("cut", "bent", "without")
"""Arguments that make a message of the server's one that it should not send."""
ODD_VALUES: tuple[Any, ...] = (None, 7, [], {}, True, "?")
"""What may take the place of a field's value."""
WHO = ("server", "wire", "host", "time")
USUAL: Mapping[str, Any] = {"handshake": True, "reads": True, "obeys": True, "tool": 0.0, "synced": False}
"""What holds from the beginning to the end where an ordering does not say otherwise."""


def _whole(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{attribute.name} is {value!r}; expected a whole number from 0 on")


@attrs.frozen
class Move:
    """One thing that happens.

    who: ``server`` (the provider sends a message), ``wire`` (the connection does something), ``host`` (a method of the
    session is called) or ``time`` (seconds pass). what: which. args: what belongs to it, as JSON has it. on: which of
    the open connections, or of the sessions, counted from 0; one that is not there means the latest. at_once: the next
    move follows before anybody has taken note of this one.

    Raises ValueError for a ``who`` that is none, and for an ``on`` that is no place.
    """

    who: str = attrs.field(validator=attrs.validators.in_(WHO))
    what: str = attrs.field(validator=attrs.validators.instance_of(str))
    args: dict[str, Any] = attrs.field(factory=dict, validator=attrs.validators.instance_of(dict))
    on: int = attrs.field(default=0, validator=_whole)
    at_once: bool = False

    @property
    def is_odd(self) -> bool:
        """Whether it is a message that should not be sent as it is."""
        return any(odd in self.args for odd in ODD)

    @property
    def kind(self) -> str:
        """What sort of move it is, whatever belongs to it: the same for moves that mean the same to a session."""
        if self.is_odd:
            return f"{self.who} {self.what} (odd)"
        return f"{self.who} {self.what} {self.args['code']}" if "code" in self.args else f"{self.who} {self.what}"

    def __str__(self) -> str:
        shown = "".join(f" {name}={_short(value)}" for name, value in self.args.items())
        place = f" on={self.on}" if self.on else ""
        return f"{self.who:6} {self.what}{shown}{place}{' (at once)' if self.at_once else ''}"

    def simpler(self) -> Iterator[Move]:
        """The same move with less about it."""
        if self.at_once:
            yield attrs.evolve(self, at_once=False)
        if self.on:
            yield attrs.evolve(self, on=0)
        if self.kind == "host asks" and self.args:
            yield attrs.evolve(self, args={})

    def to_json(self) -> dict[str, Any]:
        """As JSON has it; what is usual is left out."""
        found: dict[str, Any] = {"who": self.who, "what": self.what}
        if self.args:
            found["args"] = dict(self.args)
        if self.on:
            found["on"] = self.on
        if self.at_once:
            found["at_once"] = True
        return found


@attrs.frozen
class Ordering:
    """A conversation that can be played.

    handshake: the provider takes part by itself; without it, nobody answers unless a move does. reads: the host reads
    the streams as they come. obeys: the host interrupts when it is told that the user speaks, as LiveKit does. tool:
    seconds that a tool of an AgentSession takes. synced: an AgentSession shows words as they are spoken.
    """

    moves: tuple[Move, ...]
    handshake: bool = True
    reads: bool = True
    obeys: bool = True
    tool: float = 0.0
    synced: bool = False

    @property
    def circumstances(self) -> dict[str, Any]:
        """What holds from the beginning to the end; ``USUAL`` says what is usual."""
        return {name: getattr(self, name) for name in USUAL}

    @property
    def shape(self) -> tuple[str, ...]:
        """The kinds of its moves, in order."""
        return tuple(move.kind for move in self.moves)

    def without(self, first: int, count: int = 1) -> Ordering:
        """The same ordering with ``count`` moves left out."""
        return attrs.evolve(self, moves=self.moves[:first] + self.moves[first + count :])

    def to_json(self) -> dict[str, Any]:
        """As JSON has it; what is usual is left out."""
        odd = {name: value for name, value in self.circumstances.items() if value != USUAL[name]}
        return {**odd, "moves": [move.to_json() for move in self.moves]}

    @staticmethod
    def from_json(data: Any) -> Ordering:
        """Raises ValueError that names what is wrong with it."""
        if not isinstance(data, Mapping) or not isinstance(data.get("moves"), Sequence):
            raise ValueError("an ordering is an object with a list of moves")
        held = {name: data.get(name, usual) for name, usual in USUAL.items()}
        for name, value in held.items():
            if name != "tool" and not isinstance(value, bool):
                raise ValueError(f"{name} is {value!r}; expected true or false")
        seconds = held["tool"]
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < 60:
            raise ValueError(f"tool is {seconds!r}; expected seconds, from 0 to 60")
        return Ordering(tuple(_move(number, one) for number, one in enumerate(data["moves"], 1)), **held)

    @property
    def key(self) -> str:
        """The same for equal orderings, and for no others."""
        return json.dumps(self.to_json(), sort_keys=True)


def _move(number: int, data: Any) -> Move:
    if not isinstance(data, Mapping):
        raise ValueError(f"move {number} is no object")
    unknown = set(data) - {"who", "what", "args", "on", "at_once"}
    if unknown:
        raise ValueError(f"move {number} has {sorted(map(str, unknown))}, which no move has")
    try:
        return Move(**data)
    except (TypeError, ValueError) as error:
        raise ValueError(f"move {number}: {error.args[0] if error.args else 'cannot be read'}") from None


class Pick:
    """Choices made out of one number: the same number makes the same ones, and 0 makes the first each time."""

    def __init__(self, number: int) -> None:
        self._rest = number

    def below(self, count: int) -> int:
        """A number from 0 to ``count`` - 1."""
        self._rest, chosen = divmod(self._rest, count)
        return chosen

    def of(self, options: Sequence[T]) -> T:
        """One of these."""
        return options[self.below(len(options))]

    def chance(self, one_in: int) -> bool:
        """True once in so many times."""
        return self.below(one_in) == one_in - 1

    def weighted(self, options: Sequence[tuple[int, T]]) -> T:
        """One of these, as often as its weight says."""
        place = self.below(sum(weight for weight, _ in options))
        for weight, option in options:
            place -= weight
            if place < 0:
                return option
        raise AssertionError("the place is below the sum of the weights")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:50]}... ({len(text)} characters)"
