"""What a mutant must get past: the language, the check of its machine, the search of the whole, the stories.

None of them compares with the tables as they are. That is done only with those who get past all of them, to prove of as
many as can be that nobody could tell: such a mutant says the same in other words, and is no survivor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from rtfsm.check import Bounds, ConversationModel, ExplorationLimit, check_machine, explore, search
from rtfsm.check.world import World
from rtfsm.language import Composition, Machine, RtfsmError
from rtfsm.machines import BargeIn, Capabilities, Floor, compose
from rtfsm.profiles import PROFILES
from rtfsm.targets import births_of

from .differences import Difference, difference
from .graph import Graph
from .mutants import Mutant, mutants_of
from .stories import Stories

__all__ = ["BOUNDS", "KILLERS", "MACHINES", "Judge", "Planned", "Verdict", "planned"]

KILLERS = ("declaration", "machine alone", "all together", "stories")
EQUIVALENT, SURVIVED = "equivalent", "survived"
MACHINES = ("session", "generation", "reply", "tool_call", "user_turn")
"""Playout orders nothing of the others and stands outside the product, so nothing could be proved of its mutants."""

ORDER = ("phonic", "openai", "gemini", "widest")
BOUNDS: Mapping[str, tuple[Bounds, ...]] = {
    "phonic": (Bounds(0, 0, 1), Bounds(1, 0, 1), Bounds(0, 1, 1)),
    "openai": (Bounds(0, 0, 1), Bounds(1, 0, 1), Bounds(0, 1, 1), Bounds(0, 0, 2)),
    "gemini": (Bounds(0, 0, 1), Bounds(1, 0, 1), Bounds(0, 1, 1)),
    "widest": (Bounds(0, 0, 1), Bounds(1, 0, 1), Bounds(0, 1, 1)),
}
"""How much is alive at once in the searches, for each profile. The first is quick, and for every mutant; the others are
for those whom the stories do not kill, and it is within them that a mutant is proved to be equivalent."""

BESIDES: Mapping[str, tuple[tuple[Bounds, Floor], ...]] = {
    "phonic": ((Bounds(0, 0, 1), Floor(BargeIn.PROVIDER)), (Bounds(0, 1, 1), Floor(welcome=False, say=False))),
    "openai": ((Bounds(0, 0, 1), Floor(BargeIn.PROVIDER)),),
}
"""What is searched besides, where the user's voice does not cut everything."""
GROWS = 1_000
"""Pairs of a state and a context, which are 200 at most in any of the tables, that only an endless count exceeds."""
FOR_TIME = {"tool_call": Bounds(1, 0, 1), "reply": Bounds(0, 1, 1)}
"""What must be alive at least for a timer of a machine to run."""


@attrs.frozen
class Planned:
    """A mutant, and the profiles whose machine has its cell; the first is the one that it is made of."""

    mutant: Mutant
    profiles: tuple[str, ...]


@attrs.frozen
class Verdict:
    """fate: a killer, equivalent or survived. by: the finding, the invariant, the story; bounds of a proof; what shows
    the change."""

    fate: str
    by: str = ""


def planned(machines: Iterable[str] = MACHINES, profile: str | None = None) -> list[Planned]:
    """Every mutant once, however many profiles have its cell."""
    chosen = ORDER if profile is None else (profile,)
    found: dict[object, tuple[Mutant, list[str]]] = {}
    for name in chosen:
        for machine in compose(PROFILES[name]).machines:
            for mutant in mutants_of(machine) if machine.name in machines else ():
                key = (mutant.machine, mutant.state, mutant.event, mutant.before, mutant.after)
                found.setdefault(key, (mutant, []))[1].append(name)
    return [Planned(mutant, tuple(profiles)) for mutant, profiles in found.values()]


class Judge:
    """Says what became of each mutant. The graphs and the stories are made once, before the work is shared."""

    def __init__(
        self,
        stories: Stories,
        bounds: Mapping[str, tuple[Bounds, ...]] = BOUNDS,
        besides: Mapping[str, tuple[tuple[Bounds, Floor], ...]] = BESIDES,
    ) -> None:
        self.stories = stories
        self.bounds = bounds
        self.besides = besides
        self._graphs: dict[str, list[Graph]] = {}

    def graphs(self, profile: str) -> list[Graph]:
        """Everything that can happen over the wire of a profile, within its bounds."""
        if profile not in self._graphs:
            wire, besides = PROFILES[profile], self.besides.get(profile, ())
            self._graphs[profile] = [Graph(wire, bounds) for bounds in self.bounds[profile]]
            self._graphs[profile] += [Graph(wire, bounds, floor) for bounds, floor in besides]
        return self._graphs[profile]

    def judge(self, plan: Planned) -> Verdict:
        """What became of a mutant."""
        mutant, first = plan.mutant, plan.profiles[0]
        try:
            composition = compose(PROFILES[first], exchange=mutant.apply)
        except RtfsmError as error:
            return Verdict("declaration", str(error).rpartition(": ")[2])
        alone = _alone(_machine(composition, mutant), PROFILES[first])
        if alone is not None:
            return Verdict("machine alone", alone)
        whole, _ = self._together(plan, slice(0, 1))
        if whole is not None:
            return Verdict("all together", whole)
        story = self.stories.against(mutant)
        if story is not None:
            return Verdict("stories", story)
        whole, shows = self._together(plan, slice(1, None))
        if whole is not None:
            return Verdict("all together", whole)
        return Verdict(SURVIVED, shows) if shows is not None else Verdict(EQUIVALENT, self._proof(plan))

    def _together(self, plan: Planned, stage: slice) -> tuple[str | None, str | None]:
        """What the search of the whole finds over any of its wires; else what shows the change, None if nothing can."""
        shows: str | None = None
        for profile in plan.profiles:
            try:
                composition = compose(PROFILES[profile], exchange=plan.mutant.apply)
            except RtfsmError:
                continue  # it cannot be declared for this wire
            for found in self._searched(plan.mutant, profile, composition, stage):
                if found.seen == "violation":
                    return found.what, None
                if found.seen != "same" and shows is None:
                    shows = f"{profile}: {found.what}"
        return None, shows

    def _searched(self, mutant: Mutant, profile: str, composition: Composition, stage: slice) -> Iterable[Difference]:
        if mutant.event is None:
            yield _without_timer(mutant, PROFILES[profile], composition)
            return
        machine = _machine(composition, mutant)
        for graph in self.graphs(profile)[stage]:
            yield difference(graph, machine, (mutant.machine, mutant.state, mutant.event))

    def _proof(self, plan: Planned) -> str:
        return "; ".join(
            f"{profile} to " + ", ".join(graph.shown for graph in self.graphs(profile)[1:]) for profile in plan.profiles
        )


def _machine(composition: Composition, mutant: Mutant) -> Machine:
    (machine,) = (one for one in composition.machines if one.name == mutant.machine)
    return machine


def _alone(machine: Machine, wire: Capabilities) -> str | None:
    births = births_of(wire) if machine.name == "generation" else ()
    try:
        explore(machine, births, limit=GROWS)
        result = check_machine(machine, births=births)
    except ExplorationLimit as error:
        return f"endless count: {error}"
    return f"{result.findings[0].kind}: {result.findings[0].text}" if result.findings else None


def _without_timer(mutant: Mutant, wire: Capabilities, composition: Composition) -> Difference:
    bounds = FOR_TIME.get(mutant.machine, Bounds(0, 0, 1))
    found = search(ConversationModel(wire, bounds, world=World(wire, composition=composition, merged=True)))
    if found.violations:
        return Difference("violation", found.violations[0].what)
    return Difference("other", "it waits for ever")
