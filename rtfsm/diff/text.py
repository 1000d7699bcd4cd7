"""A difference for a terminal, and as data for other programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .difference import Difference, Section, Status
from .grouped import grouped

__all__ = ["as_json", "heading", "text"]

SIGNS = {Status.ADDED: "+", Status.REMOVED: "-", Status.CHANGED: "~"}


def text(found: Difference) -> str:
    """One section a machine; ``+`` came, ``-`` went, ``~`` differs."""
    lines = [f"{found.old} -> {found.new}: {heading(found)}"]
    lines += [f"note: {note}" for note in found.notes]
    for section in found.sections:
        lines += ["", *_section(section)]
    return "\n".join(_plain(line) for line in lines) + "\n"


def heading(found: Difference) -> str:
    """``2 machines changed, 1 added, 9 are the same``."""
    if not found.sections:
        return f"no difference in {found.same} machine{'' if found.same == 1 else 's'}"
    # What couples machines is no machine.
    machines = [one for one in found.sections if one.old is not None or one.new is not None]
    counts = {
        status: sum(len(one.profiles) for one in machines if one.status is status)
        for status in (Status.CHANGED, Status.ADDED, Status.REMOVED)
    }
    said = [f"{number} {status.value}" for status, number in counts.items() if number]
    said += [f"{found.same} the same"] if found.same else []
    said += ["couplings changed"] if len(machines) < len(found.sections) else []
    return f"machines: {', '.join(said)}" if machines or found.same else ", ".join(said)


def as_json(found: Difference) -> str:
    """The same as data, two spaces of indentation and a newline at the end.

    Keys: old, new, same, notes, and sections: name, profiles, status (added, removed, changed), and changes, each with
    what, place, old, new, and for a cell state and event.
    """
    shown: dict[str, Any] = {
        "old": found.old,
        "new": found.new,
        "same": found.same,
        "notes": list(found.notes),
        "sections": [
            {
                "name": section.name,
                "profiles": [profile for profile in section.profiles if profile],
                "status": section.status.value,
                "changes": [
                    {
                        "what": change.what.name.lower(),
                        "place": change.place,
                        "old": change.old,
                        "new": change.new,
                        "state": change.state,
                        "event": change.event,
                    }
                    for change in section.changes
                ],
            }
            for section in found.sections
        ],
    }
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


def _section(section: Section) -> Iterator[str]:
    one = section.new or section.old
    if section.status is not Status.CHANGED and one is not None:
        arms = sum(len(cell) for row in one.cells.values() for cell in row.values())
        yield f"{SIGNS[section.status]} {section.title}: {section.status.value}; {len(one.states)} states, {arms} arms"
        return
    yield section.title
    for what, lines in grouped(section.changes).items():
        yield f"  {what.value}"
        for line in lines:
            if line.sign == "~":
                yield f"    ~ {line.place}"
                yield f"        was  {line.old}"
                yield f"        now  {line.new}"
            else:
                yield f"    {line.sign} {line.place}  {line.new or line.old or ''}".rstrip()


def _plain(line: str) -> str:
    """Files may come from anybody: no escape sequence of theirs reaches a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in line)
