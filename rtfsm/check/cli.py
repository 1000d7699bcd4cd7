"""`rtfsm check`: ask everything of machines, and print numbers and findings."""

from __future__ import annotations

import sys
from time import perf_counter

from rtfsm.language import DeclarationError, Kind
from rtfsm.targets import ALL, Target, UsageError, find_targets

from .explore import ExplorationLimit, shown
from .machine import Finding, Phase, Result, check_machine

__all__ = ["run"]


def run(name: str = ALL, profile: str | None = None, *, verbose: bool = False) -> int:
    """Check the machines that ``name`` and ``profile`` choose. verbose: list the arms that are never taken.

    Returns the exit status: 0 where all is well, 1 with findings, 2 where there is no such machine.
    """
    begun = perf_counter()
    try:
        targets = find_targets(name, profile)
    except DeclarationError as error:
        print(f"{name}: declaration: {error}")
        return 1
    except UsageError as error:
        print(f"rtfsm check: {error}", file=sys.stderr)
        return 2
    findings: list[Finding] = []
    for target in targets:
        findings += _checked(target, verbose)
    for finding in findings:
        print(finding)
    said = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}" if findings else "no findings"
    machines = f"{len(targets)} machine{'' if len(targets) == 1 else 's'}"
    print(f"{machines}, {said}, {perf_counter() - begun:.2f} s")
    return 1 if findings else 0


def _checked(target: Target, verbose: bool) -> list[Finding]:
    machine = target.machine
    print(machine.name + (f" ({target.profile})" if target.profile else ""), flush=True)
    try:
        result = check_machine(machine, births=target.births, tell=_tell)
    except ExplorationLimit as error:
        print("  reachability  stopped", flush=True)
        return [Finding(machine.name, "unbounded", str(error))]
    if verbose:
        _list_never_taken(result)
    return list(result.findings)


def _tell(phase: Phase) -> None:
    mark = "ok" if not phase.findings else f"{len(phase.findings)} FOUND"
    print(f"  {phase.name:<13} {mark:<8} {phase.numbers} [{phase.seconds:.3f} s]", flush=True)


def _list_never_taken(result: Result) -> None:
    machine = result.machine
    for index in result.never_taken:
        state, event, arm = machine.arms[index]
        condition = f" [{arm.guard.name}]" if arm.guard else ""
        what = f"{arm.kind.name.lower()} {arm.target.name}" if arm.target is not None else arm.kind.name.lower()
        why = f": {arm.why}" if arm.kind is Kind.REFUSE else ""
        print(f"    never taken: {state.name} x {event.__name__}{condition} -> {what}{why}")
    longest = max(result.exploration.reached.values(), key=len)
    print(f"    farthest place: {' -> '.join(shown(event) for event in longest) or 'where it begins'}")
