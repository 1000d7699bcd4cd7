"""Every cell and every arm that Phonic's wire can reach, through the real codec, shell and channels.

The orderings come from the tables; what the host must have been told comes from an account that knows none.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import attrs
import pytest

from rtfsm.language import Kind
from rtfsm.machines import BargeIn
from rtfsm.testing.generated.goals import Taken
from rtfsm.testing.generated.orderings import Ordering
from rtfsm.testing.generated.play import Played, play
from rtfsm.testing.generated.schedule import Schedule
from rtfsm.testing.generated.stage import Entry
from rtfsm.testing.generated.suite import Suite, build
from rtfsm.testing.virtual_time import run
from tests.generated.account import Account
from tests.generated.judge import judge

HERE = Path(__file__).parent
UNSAID = {
    "ConfigRejected": "test_a_configuration_refused_while_starting_ends_everything_first",
    "Fault [fatal]": "test_a_fatal_fault_is_told_after_everything_ended",
    "MessageDone": "test_two_messages_of_one_response",
    "MessageDone [no_message]": "test_two_messages_of_one_response",
    "GenerationDone [was_cut]": "test_a_turn_that_ends_before_its_end_is_cut",
    "TextDelta [no_message]": "test_no_ordering_breaks_an_invariant",
    "AudioDelta [no_message]": "test_no_ordering_breaks_an_invariant",
}
"""What Phonic's wire cannot say, and in TOOL_PENDING what can come only after a MessageDone; with the test of the
machines that plays it on a wire that can."""
NEVER = {
    "reply QUEUED x NextCall": "a call tells the expected answers alone",
    "reply SENT x NextCall": "a call tells the expected answers alone",
    "reply DISCARDING x NextCall": "a call tells the expected answers alone",
    "reply DISCARDING x ReplyAbandoned": "a future that has ended is not cancelled",
    "playout PLAYING x PlayoutStarted": "a stream tells of its first frame once",
}
"""Cells that are decided because every cell is, and that nothing in a whole conversation brings about."""

Play = tuple[Ordering, Schedule, Played]


@cache
def everything() -> tuple[Suite, tuple[Play, ...]]:
    """The suite, played once for all tests."""
    suite = build()

    async def main() -> tuple[Play, ...]:
        return tuple([(ordering, plan, await play(ordering, plan)) for ordering, plan in suite.orderings])

    return suite, run(main(), limit=1e9)


def plays() -> tuple[Play, ...]:
    return everything()[1]


def account_of(ordering: Ordering, plan: Schedule, played: Played) -> Account:
    floor = ordering.graph.floor
    firm = {"all": floor.barge_in is BargeIn.PROVIDER, "welcome": not floor.welcome, "say": not floor.say}
    names = frozenset(name for name, so in firm.items() if so)
    return Account(attrs.asdict(plan.timing), firm=names, began=played.log[0].at)


def told(ordering: Ordering, played: Played, wrong: list[str]) -> str:
    """An ordering and all that came of it, for people."""
    log = "\n".join(f"{'>' if place in played.acts else ' '} {entry}"[:200] for place, entry in enumerate(played.log))
    return "\n".join([f"{' / '.join(ordering.labels)}", *wrong, log])


def test_the_real_machines_take_the_arms_that_the_ordering_was_made_for() -> None:
    wrong = [told(o, played, played.differences) for o, _, played in plays() if played.differences]
    assert not wrong, f"{len(wrong)} of {len(plays())} orderings; the first:\n{wrong[0]}"


def test_no_invariant_breaks_nothing_is_refused_and_the_server_has_no_complaint() -> None:
    wrong = [told(o, played, played.faults) for o, _, played in plays() if played.faults]
    assert not wrong, f"{len(wrong)} of {len(plays())} orderings; the first:\n{wrong[0]}"


def test_the_host_and_the_server_are_told_what_an_account_without_tables_expects() -> None:
    wrong = []
    for ordering, plan, played in plays():
        found = judge(played.log, played.acts, played.said, account_of(ordering, plan, played))
        if found:
            wrong.append(told(ordering, played, found))
    assert not wrong, f"{len(wrong)} of {len(plays())} orderings; the first:\n{wrong[0]}"


def named(suite: Suite) -> dict[Taken, str]:
    """Every arm of the profile that is not refused and not of an instance that is dropped, by its name."""
    names = {}
    for machine in suite.graphs[0].world.composition.machines:
        standing = machine.name in ("session", "user_turn")
        for state, event, arm in machine.arms:
            if arm.kind is not Kind.REFUSE and (standing or state not in machine.final):
                guard = f" [{arm.guard.name}]" if arm.guard is not None else ""
                names[machine.name, arm.index] = f"{machine.name} {state.name} x {event.__name__}{guard}"
    return names


def test_every_arm_is_reached_or_of_another_wire(capsys: pytest.CaptureFixture[str]) -> None:
    suite, played = everything()
    taken = {arm for _, _, one in played for arm in one.arms}
    names = named(suite)
    assert suite.arms <= taken, sorted(names[arm] for arm in suite.arms - taken)
    missed = {names[arm] for arm in names.keys() - taken}
    foreign = {name for name in missed if name.split(" x ")[1] in UNSAID}
    assert missed - foreign == set(NEVER), "an arm is neither reached nor known to be out of reach"
    pending = {name for name in foreign if name.split(" x ")[1].startswith(("TextDelta", "AudioDelta"))}
    assert all(name.startswith("generation TOOL_PENDING") for name in pending)
    moves = sum(len(ordering.acts) for ordering, _, _ in played)
    with capsys.disabled():
        print(  # noqa: T201  the numbers are what the test is read for
            f"\n{suite.nodes} places, {suite.edges} moves searched; {len(played)} orderings, {moves} moves played; "
            f"{len(names.keys() & taken)} of {len(names)} arms ({len(foreign)} not of this wire, {len(NEVER)} never)"
        )


def test_every_pair_of_consecutive_arms_is_reached(capsys: pytest.CaptureFixture[str]) -> None:
    suite, played = everything()
    taken = {pair for _, _, one in played for pair in one.pairs}
    names = named(suite)
    missed = suite.pairs - taken
    assert not missed, [f"{names[pair[0], pair[1]]}, then {names[pair[0], pair[2]]}" for pair in sorted(missed)]
    with capsys.disabled():
        print(  # noqa: T201  the same
            f"\n{len(suite.pairs)} of {len(suite.pairs)} feasible pairs of consecutive arms; "
            f"{len(suite.nexts)} moves that come next after a change"
        )


def test_every_move_comes_next_after_every_change_of_what_a_session_holds() -> None:
    suite, _ = everything()
    names = named(suite)
    missed = suite.nexts - suite.covered.nexts
    assert not missed, [f"{names[one[0], one[1]]}, then {one[2]}" for one in sorted(missed)]


def test_every_arm_and_pair_of_a_message_that_is_heard_is_reached() -> None:
    """The playout machine orders nothing, so it is no part of the search; what it can come to is short."""
    suite, played = everything()
    names = {arm: name for arm, name in named(suite).items() if arm[0] == "playout" and name not in NEVER}
    state_of = {arm: name.split()[1] for arm, name in names.items()}
    births = [arm for arm in names if state_of[arm] == "NEW"]
    starts = [arm for arm, name in names.items() if name.endswith("QUEUED x PlayoutStarted")]
    pairs = {("playout", birth[1], arm[1]) for birth in births for arm in names if state_of[arm] == "QUEUED"}
    pairs |= {("playout", start[1], arm[1]) for start in starts for arm in names if state_of[arm] == "PLAYING"}
    taken = {pair for _, _, one in played for pair in one.pairs}
    assert len(pairs) == 10
    assert pairs <= taken, [names["playout", pair[2]] for pair in sorted(pairs - taken)]


# -- the checks can fail -----------------------------------------------------------------------------------------------


def without(log: list[Entry], place: int) -> list[Entry]:
    """A log in which one thing was never told; the places of all others stay."""
    return [*log[:place], Entry(log[place].at, "nobody", "nothing", {}), *log[place + 1 :]]


def test_the_account_misses_whatever_is_not_told() -> None:
    """Of each kind of thing that is told or sent, the first is taken away: the account must notice every time."""
    seen: set[str] = set()
    for ordering, plan, played in plays():
        for place in range(played.acts[0], played.acts[-1]):
            entry = played.log[place]
            if entry.who in ("told", "client") and entry.what not in seen:
                seen.add(entry.what)
                found = judge(without(played.log, place), played.acts, played.said, account_of(ordering, plan, played))
                assert found, f"nobody misses {entry}"
    assert len(seen) >= 20


def test_the_account_knows_no_table() -> None:
    for name in ("account.py", "books.py", "debts.py", "judge.py"):
        tree = ast.parse((HERE / name).read_text())
        imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not any(module.startswith(("rtfsm.machines", "rtfsm.language", "rtfsm.check")) for module in imported)


def test_what_this_wire_cannot_say_is_played_elsewhere() -> None:
    texts = "\n".join(path.read_text() for path in (HERE.parent / "machines").glob("test_*.py"))
    defined = set(re.findall(r"^def (test_\w+)", texts, re.MULTILINE))
    assert set(UNSAID.values()) <= defined
