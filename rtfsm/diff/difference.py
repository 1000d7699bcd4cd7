"""Two sides, paired by profile and machine: what came, what went, what differs."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import attrs

from .compare import Change, compare, compare_couplings
from .sheet import DiffError, Sheet
from .sources import Side

__all__ = ["Difference", "Section", "Status", "difference"]


class Status(Enum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@attrs.frozen
class Section:
    """One machine, in every profile in which it changed in the same way; or, where old and new are both None, what
    couples the machines of these profiles."""

    name: str
    profiles: tuple[str, ...]
    status: Status
    changes: tuple[Change, ...]
    old: Sheet | None = None
    new: Sheet | None = None

    @property
    def title(self) -> str:
        profiles = [profile for profile in self.profiles if profile]
        return f"{self.name} ({', '.join(profiles)})" if profiles else self.name


@attrs.frozen
class Difference:
    """old, new: names of the sides. same: how many machines are the same in both. notes: what was not compared."""

    old: str
    new: str
    sections: tuple[Section, ...]
    same: int
    notes: tuple[str, ...] = ()


def difference(old: Side, new: Side, profile: str | None = None) -> Difference:
    """Compare two sides. profile: of the machines to compare, every one if None.

    Where one side is a single machine, it is compared with the one of its name. Raises DiffError where there is none.
    """
    old, new = _chosen(old, profile), _chosen(new, profile)
    if not (old.whole and new.whole):
        old, new = _of_one_name(old, new)
    sections: list[Section] = []
    same = 0
    for key in sorted({*old.machines, *new.machines}, key=lambda key: (key[1], key[0])):
        before, after = old.machines.get(key), new.machines.get(key)
        if before is not None and after is not None:
            changes = compare(before, after)
            if not changes:
                same += 1
                continue
            section = Section(key[1], (key[0],), Status.CHANGED, changes, before, after)
        else:
            section = Section(key[1], (key[0],), Status.ADDED if after else Status.REMOVED, (), before, after)
        _joined(sections, section)
    for section in _couplings(old, new):
        _joined(sections, section)
    return Difference(old.name, new.name, tuple(sections), same, tuple(_notes(old, new)))


def _chosen(side: Side, profile: str | None) -> Side:
    if profile is None or not side.whole:
        return side
    machines = {key: one for key, one in side.machines.items() if key[0] == profile}
    if not machines:
        there = ", ".join(sorted({key[0] or "none" for key in side.machines}))
        raise DiffError(f"{side.name} has no machine of profile {profile}; its profiles: {there}")
    couplings = {key: one for key, one in side.couplings.items() if key == profile}
    return attrs.evolve(side, machines=machines, couplings=couplings)


def _of_one_name(old: Side, new: Side) -> tuple[Side, Side]:
    """Both sides with one machine each, under the same key."""
    single, other = (old, new) if not old.whole else (new, old)
    ((_, name),) = single.machines
    found = {key: one for key, one in other.machines.items() if key[1] == name}
    if not found:
        names = ", ".join(sorted({key[1] for key in other.machines}))
        raise DiffError(f"{single.name} is the machine {name}, and {other.name} has none of that name, but: {names}")
    if len(found) > 1:
        profiles = ", ".join(sorted(key[0] for key in found))
        raise DiffError(f"{other.name} has several machines named {name}; choose one with --profile: {profiles}")
    (key,) = found
    one = Side(single.name, {key: single.machines["", name]}, {}, False)
    two = Side(other.name, found, {}, False)
    return (one, two) if single is old else (two, one)


def _couplings(old: Side, new: Side) -> Iterator[Section]:
    for profile in sorted(set(old.couplings) & set(new.couplings)):
        changes = compare_couplings(old.couplings[profile], new.couplings[profile])
        if changes:
            yield Section("composition", (profile,), Status.CHANGED, changes)


def _joined(sections: list[Section], section: Section) -> None:
    """Add a section, or its profile to one that tells the same."""
    for number, one in enumerate(sections):
        alike = (one.name, one.status, one.changes) == (section.name, section.status, section.changes)
        if alike and (one.status is Status.CHANGED or (one.old, one.new) == (section.old, section.new)):
            sections[number] = attrs.evolve(one, profiles=(*one.profiles, *section.profiles))
            return
    sections.append(section)


def _notes(old: Side, new: Side) -> Iterator[str]:
    for side, other in ((old, new), (new, old)):
        if not side.couplings and other.couplings:
            yield f"what couples the machines was not compared: {side.name} does not say it"
        lacking = [one for key, one in side.machines.items() if one.guards is None and key in other.machines]
        if lacking and any(one.guards is not None for one in other.machines.values()):
            yield f"what guards ask was not compared: {side.name} has their names only"
