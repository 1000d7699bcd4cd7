"""How machines are coupled, as a Mermaid flowchart: which effect of one is which event of another."""

from __future__ import annotations

from rtfsm.language import Composition, Effect, Machine

from .mermaid import BREAK, escaped

HEAD = ["---", "config:", "  flowchart:", "    nodeSpacing: 90", "    rankSpacing: 100", "    curve: linear"]

__all__ = ["couplings", "mermaid_composition"]


def couplings(composition: Composition) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """(machine that orders, machine that is told) -> (effect, event) pairs, in the order of the routes.

    Only what can happen: a route counts where some arm, or the beginning, of a machine orders its effect.
    """
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for machine in composition.machines:
        ordered = _orders(machine)
        for route in composition.routes:
            if route.effect in ordered:
                pairs = found.setdefault((machine.name, route.target.name), [])
                pair = (route.effect.__name__, route.event.__name__)
                if pair not in pairs:
                    pairs.append(pair)
    return found


def mermaid_composition(composition: Composition) -> str:
    """Machines as boxes; a solid arrow is an effect that becomes an event, a dotted one a standing condition.

    What a machine's effects are for its own instances stands in its box.
    """
    ids = {machine.name: f"m{number}" for number, machine in enumerate(composition.machines)}
    told = couplings(composition)
    lines = [*HEAD, "---", "flowchart LR"]
    for name, id in ids.items():
        inside = [name, *_joined(told.get((name, name), []))]
        lines.append(f'    {id}["{BREAK.join(escaped(line) for line in inside)}"]')
    for (source, target), pairs in told.items():
        if source != target:
            label = BREAK.join(escaped(line) for line in _joined(pairs))
            lines.append(f'    {ids[source]} -->|"{label}"| {ids[target]}')
    for number, standing in enumerate(composition.standing):
        lines.append(f'    s{number}(["{escaped(standing.name)}"])')
        lines.append(f'    s{number} -.->|"{escaped(standing.event.__name__)}"| {ids[standing.target.name]}')
    return "\n".join(lines) + "\n"


def _joined(pairs: list[tuple[str, str]]) -> list[str]:
    """``ReleaseAll, FailRequests → Release``: one line for each event, or for each effect where that is fewer."""
    by_event: dict[str, list[str]] = {}
    by_effect: dict[str, list[str]] = {}
    for effect, event in pairs:
        by_event.setdefault(event, []).append(effect)
        by_effect.setdefault(effect, []).append(event)
    if len(by_effect) < len(by_event):
        return [f"{effect} → {', '.join(events)}" for effect, events in by_effect.items()]
    return [f"{', '.join(effects)} → {event}" for event, effects in by_event.items()]


def _orders(machine: Machine) -> set[type[Effect]]:
    ordered = {type(effect) for effect in machine.begin}
    return ordered | {type(effect) for _, _, arm in machine.arms for effect in arm.effects}
