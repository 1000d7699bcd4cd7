"""Makes up orderings: a legal conversation goes on, and one rule after another bends it.

One rule for each kind of event. A rule is given the draft so far and makes up to two moves; the weights follow what the
bugs of this field are made of, where interruptions come first, then tool calls, late events, connections and timers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from .dialect import Dialect, Talk
from .host_moves import HOST_MOVES, HostRule
from .moves import ODD_VALUES, Move, Ordering, Pick

__all__ = ["RULES", "Draft", "drafted"]

WAITS = (0.3, 1.2, 4.0, 12.0, 70.0)
"""Seconds that pass: within a turn, past a short timer, past a reader's patience, past a request, past a tool call."""
TOOLS = (0.0, 1.0, 3.0)
"""Seconds that a tool takes: none, some, and longer than the pauses of a conversation."""


class Draft:
    """An ordering in the making.

    host: who calls the session, ``direct`` or ``agent``. handshake: whether the provider takes part by itself.
    """

    def __init__(self, dialect: Dialect, *, host: str, handshake: bool) -> None:
        self.dialect = dialect
        self.host = host
        self.handshake = handshake
        self.moves: list[Move] = []
        self.held: list[Move] = []
        """Messages that are late: held back since their time."""
        self.sessions = 1
        self.numbers = 0
        self._begun = 0
        self._talks: list[Talk] = [self._new()]

    def _new(self) -> Talk:
        self._begun += 1
        return self.dialect.talk(begun=self.handshake, number=self._begun - 1)

    def talk(self, on: int) -> Talk:
        """The provider's conversation on one connection."""
        return self._talks[min(on, len(self._talks) - 1)]

    def anew(self, on: int) -> None:
        """The conversation on this connection is over; another one begins."""
        self._talks[min(on, len(self._talks) - 1)] = self._new()

    def another(self) -> None:
        """A session more."""
        self.sessions += 1
        self._talks.append(self._new())

    def number(self) -> int:
        """A number that was not used yet."""
        self.numbers += 1
        return self.numbers

    def place(self, pick: Pick) -> int:
        """One of the sessions."""
        return pick.below(self.sessions) if self.sessions > 1 else 0

    def legal(self, pick: Pick, on: int) -> Move:
        """What the provider may say next on this connection; it counts as said."""
        talk = self.talk(on)
        move = _at(talk.make(pick.weighted(talk.next()), pick), on)
        talk.said(move)
        return move


Rule = Callable[[Draft, Pick], list[Move]]


def _at(move: Move, on: int) -> Move:
    return attrs.evolve(move, on=on) if on else move


def _hurried(move: Move) -> Move:
    return move if move.at_once else attrs.evolve(move, at_once=True)


def _says(draft: Draft, pick: Pick) -> list[Move]:
    move = draft.legal(pick, draft.place(pick))
    return [_hurried(move) if pick.chance(5) else move]


def _whole_turn(draft: Draft, pick: Pick) -> list[Move]:
    """Somebody takes a turn, and nothing happens meanwhile: what is expected of that is known best."""
    on = draft.place(pick)
    moves = [_at(move, on) for move in draft.talk(on).exchange(pick)]
    for move in moves:
        if move.who == "server":
            draft.talk(on).said(move)
    return moves or _says(draft, pick)


def _skips(draft: Draft, pick: Pick) -> list[Move]:
    draft.legal(pick, draft.place(pick))
    return []


def _repeats(draft: Draft, pick: Pick) -> list[Move]:
    said = [move for move in draft.moves if move.who == "server"]
    if not said:
        return []
    move = said[-1 - pick.below(min(len(said), 3))]
    return [_hurried(move) if pick.chance(3) else attrs.evolve(move, at_once=False)]


def _holds_back(draft: Draft, pick: Pick) -> list[Move]:
    draft.held.append(draft.legal(pick, draft.place(pick)))
    return []


def _is_late(draft: Draft, pick: Pick) -> list[Move]:
    return [draft.held.pop(pick.below(len(draft.held)))] if draft.held else []


def _swaps(draft: Draft, pick: Pick) -> list[Move]:
    on = draft.place(pick)
    first, second = draft.legal(pick, on), draft.legal(pick, on)
    return [_hurried(second) if pick.chance(2) else second, first]


def _out_of_place(draft: Draft, pick: Pick) -> list[Move]:
    on = draft.place(pick)
    move = _at(draft.talk(on).make(pick.of(draft.dialect.kinds), pick), on)
    draft.talk(on).said(move)
    return [move]


def _stale(draft: Draft, pick: Pick) -> list[Move]:
    on = draft.place(pick)
    move = draft.talk(on).stale(pick.of(draft.dialect.kinds), pick)
    return [] if move is None else [_at(move, on)]


def _truncated(draft: Draft, pick: Pick) -> list[Move]:
    move = draft.legal(pick, draft.place(pick))
    return [attrs.evolve(move, args={**move.args, "cut": pick.of((0.5, 0.9, 0.1))})]


def _bent(draft: Draft, pick: Pick) -> list[Move]:
    """A field of the wrong type, or missing."""
    on = draft.place(pick)
    move = _at(draft.talk(on).make(pick.of(draft.dialect.kinds), pick), on)
    fields = draft.dialect.fields(move)
    if not fields:
        return []
    field = pick.of(fields)
    bend: Mapping[str, Any] = {"without": field} if pick.chance(4) else {"bent": {field: pick.of(ODD_VALUES)}}
    return [attrs.evolve(move, args={**move.args, **bend})]


def _garbage(draft: Draft, pick: Pick) -> list[Move]:
    return [Move("server", "garbage", {"name": pick.of(tuple(draft.dialect.garbage))}, on=draft.place(pick))]


def _befalls(draft: Draft, pick: Pick) -> list[Move]:
    on = draft.place(pick)
    move = pick.weighted(draft.dialect.faults)
    if move.what != "refuse":
        draft.anew(on)
    return [_at(move, on)]


def _passes(draft: Draft, pick: Pick) -> list[Move]:
    return [Move("time", "passes", {"seconds": pick.of(WAITS)})]


def _hosts(rule: HostRule) -> Rule:
    def make(draft: Draft, pick: Pick) -> list[Move]:
        if draft.host not in rule.hosts:
            return []
        on = draft.place(pick)
        move = Move("host", rule.name, rule.args(pick, draft.number, draft.dialect), on=on)
        if rule.name.startswith("opens"):
            if draft.sessions == 2:
                return []
            draft.another()
        return [move]

    return make


RULES: tuple[tuple[int, str, Rule], ...] = (
    (56, "the provider goes on", _says),
    (5, "somebody takes a turn", _whole_turn),
    (3, "a message is lost", _skips),
    (4, "a message comes twice", _repeats),
    (4, "a message is held back", _holds_back),
    (5, "a message is late", _is_late),
    (2, "two messages change places", _swaps),
    (6, "a message is out of place", _out_of_place),
    (3, "a message is about what is over", _stale),
    (1, "a frame is cut", _truncated),
    (3, "a field is odd", _bent),
    (3, "a frame is garbage", _garbage),
    (4, "the connection fails", _befalls),
    (9, "time passes", _passes),
    *((rule.weight, f"the host: {rule.name}", _hosts(rule)) for rule in HOST_MOVES if not rule.needs),
)
_BY_WEIGHT = tuple((weight, rule) for weight, _, rule in RULES)
_ABLE = {rule.name: (rule.weight, _hosts(rule)) for rule in HOST_MOVES if rule.needs}


def _rules(dialect: Dialect) -> Sequence[tuple[int, Rule]]:
    """The rules that make sense for a provider, each with its weight."""
    return (*_BY_WEIGHT, *(_ABLE[rule.name] for rule in HOST_MOVES if rule.needs and rule.needs in dialect.abilities))


def drafted(dialect: Dialect, numbers: list[int], *, host: str = "direct") -> Ordering:
    """The ordering that these numbers make: the first one its circumstances, each other one a rule and its choices."""
    about = Pick(numbers[0])
    handshake, reads, obeys = not about.chance(6), not about.chance(8), not about.chance(6)
    draft = Draft(dialect, host=host, handshake=handshake)
    rules = _rules(dialect)
    for number in numbers[1:]:
        pick = Pick(number)
        draft.moves += pick.weighted(rules)(draft, pick)
    moves = tuple(draft.moves)
    if host == "agent":  # it reads and obeys by itself
        return Ordering(moves, handshake=handshake, tool=about.of(TOOLS), synced=about.chance(3))
    return Ordering(moves, handshake=handshake, reads=reads, obeys=obeys)
