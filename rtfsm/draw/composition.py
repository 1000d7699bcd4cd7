"""How machines are coupled: which effect of one is which event of another."""

from __future__ import annotations

import json
from typing import Any

from rtfsm.language import Composition, Effect, Machine

from .flowchart import flowchart
from .picture import Arrow, Box, Form, Picture, Stroke

__all__ = [
    "canonical_composition",
    "composition_json",
    "composition_picture",
    "couplings",
    "markdown_couplings",
    "mermaid_composition",
]

Couplings = dict[tuple[str, str], list[tuple[str, str]]]


def couplings(composition: Composition) -> Couplings:
    """(machine that orders, machine that is told) -> (effect, event) pairs, in the order of the routes.

    Only what can happen: a route counts where some arm, or the beginning, of a machine orders its effect.
    """
    found: Couplings = {}
    for machine in composition.machines:
        ordered = _orders(machine)
        for route in composition.routes:
            if route.effect in ordered:
                pairs = found.setdefault((machine.name, route.target.name), [])
                pair = (route.effect.__name__, route.event.__name__)
                if pair not in pairs:
                    pairs.append(pair)
    return found


def composition_picture(composition: Composition, name: str = "composition") -> Picture:
    """Machines as boxes; a solid arrow is an effect that becomes an event, a dotted one a standing condition.

    What a machine's effects are for its own instances stands in its box.
    """
    told = couplings(composition)
    boxes = [
        Box(one.name, one.name, Form.MACHINE, tuple(_joined(told.get((one.name, one.name), []))))
        for one in composition.machines
    ]
    arrows = [
        Arrow(source, target, Stroke.EFFECT, tuple(_joined(pairs)))
        for (source, target), pairs in told.items()
        if source != target
    ]
    for standing in composition.standing:
        id = f"{standing.name} -> {standing.target.name}"
        boxes.append(Box(id, standing.name, Form.CONDITION))
        arrows.append(Arrow(id, standing.target.name, Stroke.STANDING, (standing.event.__name__,)))
    about = (
        f"Composition {name}: {len(composition.machines)} machines, "
        f"{len(arrows) - len(composition.standing)} arrows for effects of one that are events of another, "
        f"{len(composition.standing)} standing conditions."
    )
    return Picture(name, about, tuple(boxes), tuple(arrows))


def mermaid_composition(composition: Composition) -> str:
    """:func:`composition_picture` as a Mermaid flowchart."""
    return flowchart(composition_picture(composition))


def markdown_couplings(composition: Composition) -> str:
    """Every coupling as a row of a Markdown table."""
    lines = ["# composition: who tells whom", "", "| from | effect or condition | event | of |", "|---|---|---|---|"]
    for (source, target), pairs in couplings(composition).items():
        lines += [f"| {source} | `{effect}` | `{event}` | {target} |" for effect, event in pairs]
    for one in composition.standing:
        lines.append(f"| | where it holds: {one.name} | `{one.event.__name__}` | {one.target.name} |")
    return "\n".join(lines) + "\n"


def canonical_composition(composition: Composition) -> dict[str, Any]:
    """What couples the machines, as plain data.

    routes are in the order of declaration, in which an effect with several targets reaches them.
    """
    return {
        "machines": [machine.name for machine in composition.machines],
        "routes": [
            {
                "effect": route.effect.__name__,
                "target": route.target.name,
                "event": route.event.__name__,
                "births": route.births,
            }
            for route in composition.routes
        ],
        "standing": [
            {"name": one.name, "target": one.target.name, "event": one.event.__name__} for one in composition.standing
        ],
    }


def composition_json(composition: Composition) -> str:
    """:func:`canonical_composition` as JSON with sorted keys, two spaces of indentation and a newline at the end."""
    return json.dumps(canonical_composition(composition), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


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
