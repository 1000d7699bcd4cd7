"""A search told to people, to programs (JSON) and to CI (JUnit)."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rtfsm.testing.contract import WATCHES

from .agent_laws import AGENT_LAWS
from .laws import LAWS
from .moves import USUAL, Ordering
from .search import Progress
from .store import Saved

__all__ = ["TEXTS", "as_json", "as_junit", "lines_of", "rate"]

_NAMES = {one.name for one in LAWS}
TEXTS = {
    "the-run-ends": "Every ordering comes to its end: nothing waits for ever, and nothing spins.",
    **{one.name: one.text for one in WATCHES},
    **{one.name: one.text for one in (*LAWS, *AGENT_LAWS) if one in LAWS or one.name not in _NAMES},
}
"""What each law demands, by its name."""
ODDITIES = {
    "handshake": "the provider answers nothing by itself",
    "reads": "the host reads no stream until the end",
    "obeys": "the host does not interrupt when the user speaks",
    "tool": "the tool takes its time",
    "synced": "LiveKit's transcript synchronizer is between",
}


def lines_of(saved: Saved, number: int, path: Path) -> Iterator[str]:
    """One finding: what was demanded, what was seen, the shortest ordering, and how to see it again."""
    finding, ordering = saved.defect.finding, saved.defect.ordering
    clause = f" (clause {finding.clause} of LiveKit's contract)" if finding.clause else ""
    yield f"{number}. {finding.law}{clause}"
    yield f"   {TEXTS.get(finding.law, '')}"
    yield f"   {finding.detail}"
    yield from (f"   {line}" for line in ordering_lines(ordering))
    also = sorted({one.law for one in saved.defect.also} - {finding.law})
    if also:
        yield f"   also broken: {', '.join(also)}"
    yield f"   Reproduce with: rtfsm replay {path}"


def ordering_lines(ordering: Ordering) -> Iterator[str]:
    """An ordering, a line for each move."""
    count = len(ordering.moves)
    yield f"shortest ordering: {count} move{'' if count == 1 else 's'}" + ("" if count else "; connecting is enough")
    yield from (f"  {number:2}  {move}" for number, move in enumerate(ordering.moves, 1))
    odd = [words for name, words in ODDITIES.items() if getattr(ordering, name) != USUAL[name]]
    if odd:
        yield f"  while {', and '.join(odd)}"


def rate(progress: Progress) -> str:
    """How much was played, and how fast."""
    mean = progress.events / progress.orderings if progress.orderings else 0.0
    return (
        f"{progress.orderings:,} orderings of {mean:.1f} moves in {progress.seconds:.0f} s: "
        f"{progress.rate:.0f} a second and core"
    )


def as_json(found: list[Saved], healed: list[Saved], progress: Progress, seed: int) -> dict[str, Any]:
    """The whole search. Each finding is as in its file, with its id."""
    return {
        "seed": seed,
        "orderings": progress.orderings,
        "moves": progress.events,
        "seconds": round(progress.seconds, 3),
        "rate": round(progress.rate, 1),
        "findings": [{"id": one.id, **one.to_json()} for one in found],
        "healed": [one.id for one in healed],
    }


def as_junit(target: str, found: list[Saved], progress: Progress, paths: dict[str, Path]) -> str:
    """A test case for each law, failed once for each ordering that breaks it."""
    laws = sorted(TEXTS)
    suite = xml.Element("testsuite", name=f"rtfsm fuzz {target}", time=f"{progress.seconds:.3f}")
    failures = 0
    for law in laws:
        broken = [one for one in found if one.defect.finding.law == law]
        for one in broken:
            case = xml.SubElement(suite, "testcase", classname=target, name=f"{law} [{one.id}]")
            failure = xml.SubElement(case, "failure", message=one.defect.finding.detail)
            failure.text = "\n".join(lines_of(one, 1, paths[one.id]))
            failures += 1
        if not broken:
            xml.SubElement(suite, "testcase", classname=target, name=law)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failures))
    suite.set("errors", "0")
    return xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
