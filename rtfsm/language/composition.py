"""Several machines put together: which effect of one is which event of another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from .cells import Kind
from .errors import CompositionError
from .events import Effect, Event
from .instance import Emission, Instance
from .machine import Machine

__all__ = ["Composition", "Route", "Standing"]

Deliveries = Iterable[tuple[Instance, Event]]


@attrs.frozen
class Route:
    """``effect`` of any machine is ``event`` for instances of ``target``.

    deliver: (driver, the effect with its cause) -> (instance, event) pairs, in order; by default every live instance
    of the target gets ``event()``. births: the deliveries go to instances made for them, still in their first state.
    """

    effect: type[Effect]
    target: Machine
    event: type[Event]
    deliver: Callable[[Any, Emission], Deliveries] | None = None
    births: bool = False


@attrs.frozen
class Standing:
    """A condition over the whole that, where it holds after an event, sends ``event`` to an instance of ``target``.

    find: driver -> (instance, event), or None where it does not hold. The event must make the condition false.
    """

    name: str
    target: Machine
    event: type[Event]
    find: Callable[[Any], tuple[Instance, Event] | None]


@attrs.frozen(eq=False)
class Composition:
    """Machines, routes and standing conditions. Raises CompositionError where a route leads to a machine or an event
    that is not there, where an event would be routed in a circle, or where two machines share a name.
    """

    machines: tuple[Machine, ...]
    routes: tuple[Route, ...] = ()
    standing: tuple[Standing, ...] = ()
    routes_of: Mapping[type[Effect], tuple[Route, ...]] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        names = [machine.name for machine in self.machines]
        for name in names:
            if names.count(name) > 1:
                raise CompositionError(f"two machines are named {name!r}; rename one of them")
        links: list[Route | Standing] = [*self.routes, *self.standing]
        for link in links:
            what = link.effect.__name__ if isinstance(link, Route) else f"standing condition {link.name!r}"
            if link.target not in self.machines:
                raise CompositionError(
                    f"{what} leads to machine {link.target.name!r}, which is not part of this composition"
                )
            if link.event not in link.target.events:
                raise CompositionError(
                    f"{what} leads to {link.event.__name__}, which the table of machine {link.target.name!r} does not "
                    "know; add it to every row, or route another event"
                )
        by_effect: dict[type[Effect], tuple[Route, ...]] = {}
        for route in self.routes:
            by_effect[route.effect] = (*by_effect.get(route.effect, ()), route)
        object.__setattr__(self, "routes_of", by_effect)
        _check_acyclic(self)


def _successors(
    composition: Composition, machine: Machine, state: Any, event: type[Event]
) -> set[tuple[Machine, Any, type[Event]]]:
    found = set()
    for arm in machine.cells[state][event]:
        for effect in arm.effects if arm.kind in (Kind.TO, Kind.STAY) else ():
            for route in composition.routes_of.get(type(effect), ()):
                states = [route.target.initial] if route.births else list(route.target.states)
                found |= {(route.target, target_state, route.event) for target_state in states}
    return found


def _check_acyclic(composition: Composition) -> None:
    """Every cascade ends: no (machine, state, event) can lead to itself. A birth is met in the first state only."""
    done: set[Any] = set()
    for machine in composition.machines:
        for state, event, _ in machine.arms:
            path: list[Any] = []
            _visit(composition, (machine, state, event), path, done)


def _visit(composition: Composition, node: tuple[Machine, Any, type[Event]], path: list[Any], done: set[Any]) -> None:
    if node in done:
        return
    if node in path:
        circle = " -> ".join(f"{m.name}.{s.name} x {e.__name__}" for m, s, e in [*path[path.index(node) :], node])
        raise CompositionError(f"routed events can run in a circle: {circle}; break it at one of these cells")
    path.append(node)
    for successor in sorted(_successors(composition, *node), key=lambda n: (n[0].name, n[1].name, n[2].__name__)):
        _visit(composition, successor, path, done)
    path.pop()
    done.add(node)
