"""`rtfsm check`: ask everything of machines, alone and put together, and print numbers and findings."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any, TextIO

import attrs

from rtfsm.language import Composition, Kind, Machine, RtfsmError
from rtfsm.machines import INVARIANTS, BargeIn, Capabilities, Floor, compose
from rtfsm.profiles import PROFILES
from rtfsm.targets import ALL, Target, UsageError, births_of, find_targets, load

from .composition import CompositionModel
from .conversation import ConversationModel
from .environment import Bounds
from .explore import ExplorationLimit, shown
from .machine import Finding, Phase, Result, check_machine
from .messages import Apart, look_apart
from .plan import Plan
from .report import NoSuchStepError, Told, command, labels_of, narrate, numbered, retold, sequence
from .search import Found, Violated, search
from .world import World

__all__ = ["CONVERSATION", "FLOORS", "Progress", "run"]

CONVERSATION = "conversation"
DEFAULT = "phonic"
SPEECH = "speech"
FLOORS = {SPEECH: Floor(), "provider": Floor(BargeIn.PROVIDER), "mixed": Floor(welcome=False, say=False)}
"""Whose voice yields to whose: the user's cuts; the provider alone cuts; it alone cuts a welcome and words to say."""
BESIDES = {"provider": {"calls": 1, "requests": 1}, "mixed": {"calls": 0, "requests": 1}}
"""What is searched besides where nothing special is asked for: with these bounds."""
EVERY = 5.0
"""Seconds between two lines of progress where no terminal is watched."""


@attrs.frozen
class Whole:
    """Machines put together. name, options: what a command calls it. bounds: in words. asked: how many invariants.
    limit: states. processes: how many share the search; one where a state might not travel between them. apart: looks
    at what stands outside the search, where anything does."""

    title: str
    name: str
    options: tuple[str, ...]
    bounds: str
    asked: int
    limit: int
    processes: int
    make: Callable[[], Any]
    apart: Callable[[], Apart] | None = None


def run(
    name: str = ALL,
    profile: str | None = None,
    *,
    verbose: bool = False,
    calls: int | None = None,
    requests: int | None = None,
    generations: int | None = None,
    barge_in: str | None = None,
    messages_apart: bool = False,
    replay: str | None = None,
) -> int:
    """Check what ``name`` and ``profile`` choose: machines alone, then machines together.

    verbose: list the arms that are never taken. calls, requests, generations: how many may be alive at once in the
    conversation, None for the default. barge_in: the name of one of ``FLOORS``. messages_apart: ask the rules of
    messages of one generation by itself, and search the conversation without them. replay: an ordering, or the file
    that holds one, to be shown step by step.

    Returns the exit status: 0 where all is well, 1 with findings, 2 where what was asked for is not there.
    """
    begun = perf_counter()
    given = {"calls": calls, "requests": requests, "generations": generations}
    given = {key: value for key, value in given.items() if value is not None}
    try:
        targets, wholes = _chosen(name, profile, given, barge_in, messages_apart)
        if replay is not None:
            return _replayed(name, wholes[0] if wholes else None, replay)
    except UsageError as error:
        print(f"rtfsm check: {error}", file=sys.stderr)
        return 2
    except RtfsmError as error:
        print(f"{name}: declaration: {error}")
        return 1
    findings: list[Finding] = []
    for target in targets:
        findings += _checked(target, verbose)
    for finding in findings:
        print(finding)
    count = len(findings) + sum(_searched(whole) for whole in wholes)
    parts = [_many(len(wholes), CONVERSATION if wholes[0].name == CONVERSATION else "composition")] if wholes else []
    parts += [_many(len(targets), "machine")] if targets else []
    said = _many(count, "finding") if count else "no findings"
    print(f"{' and '.join(parts)}, {said}, {perf_counter() - begun:.2f} s")
    return 1 if count else 0


# -- what is meant -----------------------------------------------------------------------------------------------------


def _chosen(
    name: str, profile: str | None, given: dict[str, Any], barge_in: str | None, apart: bool
) -> tuple[list[Target], list[Whole]]:
    if name in (ALL, CONVERSATION):
        wholes = [_conversation(profile or DEFAULT, given, barge_in or SPEECH, apart)]
        if name == ALL and profile in (None, DEFAULT) and not given and barge_in is None:
            wholes += [_conversation(DEFAULT, bounds, floor, apart) for floor, bounds in BESIDES.items()]
        return (find_targets(name, profile) if name == ALL else []), wholes
    about = [*given, *(["barge-in"] if barge_in is not None else []), *(["messages-apart"] if apart else [])]
    if about:
        raise UsageError(f"--{about[0]} is about the conversation; give it with conversation or all")
    if ":" not in name or profile is not None:
        return find_targets(name, profile), []
    own = load(name)
    if isinstance(own, Machine):
        return [Target(own)], []
    if isinstance(own, Composition):
        own = Plan(own)
    if not isinstance(own, Plan):
        raise UsageError(
            f"{name} is a {type(own).__name__}, not an rtfsm.Machine, an rtfsm.Composition or an rtfsm.check.Plan"
        )
    targets = [Target(machine, None, own.births.get(machine.name, ())) for machine in own.composition.machines]
    return targets, [_own(name, own)]


def _conversation(profile: str, given: dict[str, Any], barge_in: str, messages_apart: bool) -> Whole:
    bounds, floor = Bounds(**given), FLOORS[barge_in]
    options = ["--profile", profile]
    options += ["--barge-in", barge_in] if barge_in != SPEECH else []
    for key, value in given.items():
        options += [f"--{key}", str(value)]
    options += ["--messages-apart"] if messages_apart else []
    capabilities = PROFILES[profile]
    responses = 1 if capabilities.minted else bounds.generations
    said = f"with at most {_many(bounds.calls, 'call')}, {_many(bounds.requests, 'request')} and "
    said += f"{_many(responses, 'response')} at once"
    return Whole(
        f"{CONVERSATION} ({profile}{f', barge-in by {barge_in}' if barge_in != SPEECH else ''})",
        CONVERSATION,
        tuple(options),
        said,
        len(INVARIANTS),
        50_000_000,
        os.cpu_count() or 1,
        lambda: ConversationModel(
            capabilities,
            bounds,
            world=World(capabilities, merged=True, messages_apart=messages_apart, floor=floor),
        ),
        (lambda: _messages(capabilities)) if messages_apart else None,
    )


def _messages(capabilities: Capabilities) -> Apart:
    (generation,) = (machine for machine in compose(capabilities).machines if machine.name == "generation")
    return look_apart(generation, births_of(capabilities))


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _own(name: str, plan: Plan) -> Whole:
    names = ", ".join(machine.name for machine in plan.composition.machines)
    said = f"with at most {plan.most} live instances of each machine that routes give birth to"
    asked = len(plan.invariants)
    return Whole(f"{name} ({names})", name, (), said, asked, plan.limit, 1, lambda: CompositionModel(plan))


# -- machines alone ----------------------------------------------------------------------------------------------------


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


# -- machines together -------------------------------------------------------------------------------------------------


class Progress:
    """How far a search is: one line that changes on a terminal, elsewhere a line every few seconds."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = perf_counter) -> None:
        self._out = out
        self._clock = clock
        self._begun = self._said = clock()
        self._live = out.isatty()

    def __call__(self, states: int, edges: int) -> None:
        now = self._clock()
        if not self._live and now - self._said < EVERY:
            return
        self._said = now
        took = max(now - self._begun, 1e-9)
        line = f"  searching     {states:,} states, {edges:,} edges so far, {states / took:,.0f} states a second"
        self._out.write(f"\r{line}\x1b[K" if self._live else f"{line}\n")
        self._out.flush()

    def end(self) -> None:
        """Take the changing line away."""
        if self._live:
            self._out.write("\r\x1b[K")
            self._out.flush()


def _searched(whole: Whole) -> int:
    """Search a whole and print what was found; the number of violations."""
    print(f"{whole.title}: every event in every order, {whole.bounds}", flush=True)
    wrong = 0
    if whole.apart is not None:
        apart = whole.apart()
        wrong = int(apart.wrong is not None)
        said = f"of one response, looked at apart: {apart.states} states, {apart.edges} edges; nothing else reads them"
        print(f"  {'messages':<13} {'FOUND' if wrong else 'ok':<8} {apart.wrong or said}", flush=True)
    progress = Progress(sys.stdout)
    model = whole.make()
    with _no_log():
        try:
            found = search(model, limit=whole.limit, processes=whole.processes, progress=progress)
        finally:
            progress.end()
    broken = found.violations[0] if found.violations else None
    _tell_search(found, broken, whole.asked)
    if broken is not None:
        _tell_violation(whole, broken)
    return wrong + len(found.violations)


def _tell_search(found: Found, broken: Violated | None, asked: int) -> None:
    took = max(found.seconds, 1e-9)
    stopped = broken is not None and broken.name != "TIME-2"
    numbers = f"{found.states:,} states, {found.edges:,} edges, {found.states / took:,.0f} states a second"
    rows = [("states", "stopped" if stopped else "ok", f"{numbers} [{found.seconds:.2f} s]")]
    if stopped and broken is not None:
        rows.append(("invariants", "FOUND", broken.what))
    else:
        rows.append(("invariants", "ok", f"{asked} asked after every event; no refused cell is reached"))
        ends = "timers alone end in rest, at most " + f"{found.chain} one after another"
        rows.append(("time", "ok", ends) if broken is None else ("time", "FOUND", broken.what))
    rows.append(("instances", "ok", f"at most {found.alive} alive at once"))
    for name, mark, text in rows:
        print(f"  {name:<13} {mark:<8} {text}", flush=True)


def _tell_violation(whole: Whole, broken: Violated) -> None:
    model = whole.make()
    with _no_log():
        steps = list(narrate(model, broken.ordering))
    print(f"\nVIOLATION {broken.what}\n  one of the shortest orders that lead to it:\n{numbered(steps)}")
    print(f"\n```mermaid\n{sequence(steps, model.driver, broken.what)}\n```")
    print(f"\n  to see each step again:\n  {command(whole.name, whole.options, broken.ordering)}\n", flush=True)


def _replayed(name: str, whole: Whole | None, replay: str) -> int:
    if whole is None or name == ALL:
        raise UsageError(f"an order is replayed on a conversation or on machines put together, not on {name}")
    text = replay
    with contextlib.suppress(OSError, ValueError):  # an order can be too long for the name of a file
        if Path(replay).is_file():
            text = Path(replay).read_text(encoding="utf-8")
    model = whole.make()
    last: Told | None = None
    print(f"{whole.title}: an order of events, replayed", flush=True)
    with _no_log():
        told = narrate(model, labels_of(text))
        for number in range(1, sys.maxsize):
            try:
                last = next(told)
            except StopIteration:
                break
            except NoSuchStepError as error:
                raise UsageError(f"step {number}: {error}") from error
            print(retold(number, last, model.driver), flush=True)
    wrong = last.wrong if last is not None else None
    beyond = number - 1 - len(labels_of(text))
    if wrong is None and beyond > 0:
        wrong = f"TIME-2: the last {beyond} steps are timers alone, and come back to where they were"
    print(f"VIOLATION {wrong}" if wrong is not None else "nothing is wrong after this order")
    return 1 if wrong is not None else 0


@contextlib.contextmanager
def _no_log() -> Iterator[None]:
    """What is found is told once, here; the same line from the log would only double it."""
    logger, silent = logging.getLogger("rtfsm"), logging.NullHandler()
    logger.addHandler(silent)
    try:
        yield
    finally:
        logger.removeHandler(silent)
