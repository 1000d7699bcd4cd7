"""Messages looked at apart: what a generation does with its open message, without all the rest.

A message is opened by its first content and closed by the wire, by the next message or with its generation. Nobody
else cares: its effects lead to the host and to playout, which orders nothing of another machine, and no guard, route or
standing condition reads the field that remembers it. So a search of the whole may count generations that differ in it
once, and the rules of messages are asked of one generation by itself, under every event in every order.

That nobody cares is not believed but verified: where the effects lead by :func:`require_apart`, and what is read by the
marks that merged situations bear (:mod:`rtfsm.check.merge`).

In the merged search content always opens a message, so the host may always have something to hear: it sees whatever the
finer search sees, and more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from rtfsm.language import Composition, Effect, Emission, Event, Instance, Machine
from rtfsm.machines.invariants import INVARIANTS, EffectInvariant
from rtfsm.machines.mirror import HostGeneration, Mirror
from rtfsm.vocabulary import effects as order

from .explore import Reached, explore, shown

__all__ = ["MESSAGES", "Apart", "is_sink", "look_apart", "require_apart"]

MESSAGES: tuple[type[Effect], ...] = (order.OpenMessage, order.CloseMessage)
"""The effects by which generations that differ only in their message differ."""
STREAMS = tuple(one for name in ("GEN-1", "GEN-2", "GEN-4") if isinstance(one := INVARIANTS[name], EffectInvariant))


JUDGED = {effect for one in INVARIANTS.values() if isinstance(one, EffectInvariant) for effect in one.effects}


def is_sink(machine: Machine, composition: Composition) -> bool:
    """Whether no arm of the machine orders anything of another machine, nor anything that an invariant judges, so that
    its state can matter to nobody but those who read it."""
    ordered = {type(effect) for _, _, arm in machine.arms for effect in arm.effects}
    return not machine.begin and not ordered & JUDGED and not any(effect in composition.routes_of for effect in ordered)


def require_apart(composition: Composition) -> None:
    """Raises ValueError where an effect of messages leads to a machine that orders something in its turn."""
    for effect in MESSAGES:
        for route in composition.routes_of.get(effect, ()):
            if not is_sink(route.target, composition):
                raise ValueError(
                    f"{effect.__name__} leads to {route.target.name}, which orders something, "
                    "so messages may not be looked at apart"
                )


@attrs.frozen
class Apart:
    """states, edges: how many were seen. wrong: what is violated, and after which events; None if nothing is."""

    states: int
    edges: int
    wrong: str | None = None


def look_apart(machine: Machine, births: Iterable[Any] = ()) -> Apart:
    """Ask the rules of streams of one generation by itself, in every state that any events lead to."""
    explored = explore(machine, births)
    first: list[tuple[Reached, int]] = [
        (pair, 0) for pair, witness in explored.reached.items() if not witness
    ]  # the mirror has not heard of it
    ways: dict[tuple[Reached, int], tuple[Event, ...]] = dict.fromkeys(first, ())
    edges = 0
    for place in (waiting := list(first)):
        pair, known = place
        for edge in explored.edges[pair]:
            edges += 1
            wrong, after = _hear(machine, edge.event, machine.arms[edge.arm][2].effects, known)
            way = (*ways[place], edge.event)
            if wrong is not None:
                return Apart(len(ways), edges, f"{wrong}, after {'; '.join(shown(event) for event in way)}")
            if (edge.target, after) not in ways:
                ways[edge.target, after] = way
                waiting.append((edge.target, after))
    return Apart(len(ways), edges)


def _hear(machine: Machine, event: Event, effects: Iterable[Effect], known: int) -> tuple[str | None, int]:
    """What the host makes of effects. known: 0 if it never heard of the generation, else 1 + sealed + 2 * message."""
    mirror, instance = Mirror(), Instance(machine, "g", None)
    if known:
        mirror.generations["g"] = HostGeneration(sealed=bool((known - 1) & 1), message=bool((known - 1) & 2))
    for effect in effects:
        emission = Emission(effect, instance, event)
        for rule in STREAMS:
            if isinstance(effect, rule.effects) and (wrong := rule.check(mirror, emission)) is not None:
                return f"{rule.name}: {wrong}", known
        mirror.take(emission)
    host = mirror.generations.get("g")
    return None, 0 if host is None else 1 + host.sealed + 2 * host.message
