"""Each kind of change is told in its own words, and none is missed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from rtfsm.diff import Difference, DiffError, Side, What, as_json, compare, difference, markdown, sheet, text
from rtfsm.diff.compare import compare_couplings
from rtfsm.diff.sheet import coupling
from tests.diff.doors import Data, Edit, compared, door, edited, side


def lines(found: Difference) -> list[str]:
    """What a report says of the one machine that changed."""
    head, empty, title, *rest = text(found).splitlines()
    assert (head, empty, title) == ("old -> new: machines: 1 changed", "", "door")
    return [line.strip() for line in rest]


def arm(cell: str, position: int = 0) -> tuple[str, str, int]:
    state, event = cell.split(" × ")
    return state, event, position


def change_arm(cell: str, position: int, **values: Any) -> Edit:
    def edit(data: Data) -> None:
        state, event, number = arm(cell, position)
        data["cells"][state][event][number].update(values)

    return edit


def add_state(data: Data) -> None:
    data["states"].append({"name": "AJAR", "meaning": "neither open nor shut"})
    data["rests"]["AJAR"] = "a door may be ajar"
    known = {"kind": "REFUSE", "why": "nobody leaves it ajar"}
    data["cells"]["AJAR"] = {event: [known] for event in data["events"]}
    data["cells"]["AJAR"]["Saw"] = [{"kind": "TO", "target": "GONE", "effects": [{"name": "Ring"}]}]


def remove_state(data: Data) -> None:
    data["states"] = [state for state in data["states"] if state["name"] != "GONE"]
    del data["cells"]["GONE"]
    data["final"] = []
    for state in ("SHUT", "OPEN"):
        data["cells"][state]["Saw"] = [{"kind": "REFUSE", "why": "nobody saws"}]


def add_event(data: Data) -> None:
    data["events"]["Knock"] = {"loud": [False, True]}
    for state in ("SHUT", "OPEN"):
        data["cells"][state]["Knock"] = [{"kind": "STAY", "effects": [{"name": "Ring"}]}]
    data["cells"]["GONE"]["Knock"] = [{"kind": "IGNORE", "reason": "TERMINAL", "why": "no door"}]


def remove_event(data: Data) -> None:
    del data["events"]["Pull"]
    for row in data["cells"].values():
        del row["Pull"]


def add_guard(data: Data) -> None:
    cell = data["cells"]["SHUT"]["Saw"]
    cell.insert(
        0, {"kind": "IGNORE", "reason": "NOISE", "why": "blunt", "guard": {"name": "blunt", "reads": ["event"]}}
    )


def rename_guard(data: Data) -> None:
    data["cells"]["SHUT"]["Push"][1]["guard"]["name"] = "strong"


def swap_guards(data: Data) -> None:
    cell = data["cells"]["SHUT"]["Push"]
    cell[0], cell[1] = cell[1], cell[0]


def drop_timer(data: Data) -> None:
    del data["timers"]["OPEN"]
    data["rests"]["OPEN"] = "it may stay open"
    data["cells"]["OPEN"]["TimerElapsed"] = data["cells"]["SHUT"]["TimerElapsed"]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        pytest.param(
            add_state,
            [
                "states added",
                "+ AJAR  neither open nor shut",
                "cells added",
                "+ AJAR × Pull, Push  refused: nobody leaves it ajar",
                "+ AJAR × Saw  → GONE / Ring",
            ],
            id="a state more",
        ),
        pytest.param(
            remove_state,
            [
                "states removed",
                "- GONE  gone | taken away",
                "ends changed",
                "~ it ends in",
                "was  GONE",
                "now  nowhere",
                "cells removed",
                "- GONE × Pull, Push  ignored TERMINAL: no door",
                "- GONE × Saw  refused: nothing to saw",
                "cells retargeted",
                "~ SHUT, OPEN × Saw",
                "was  → GONE",
                "now  refused: nobody saws",
            ],
            id="a state less",
        ),
        pytest.param(
            add_event,
            [
                "events added",
                "+ Knock  guards may read loud: false or true",
                "cells added",
                "+ SHUT, OPEN × Knock  stays / Ring",
                "+ GONE × Knock  ignored TERMINAL: no door",
            ],
            id="an event more",
        ),
        pytest.param(
            remove_event,
            [
                "events removed",
                "- Pull  guards could read nothing",
                "cells removed",
                "- SHUT × Pull  stays / Ring; remembers locked=True, once_more",
                "- OPEN × Pull  → SHUT / Creak(side=IN)",
                "- GONE × Pull  ignored TERMINAL: no door",
            ],
            id="an event less",
        ),
        pytest.param(
            change_arm("OPEN × Pull", 0, target="GONE"),
            ["cells retargeted", "~ OPEN × Pull", "was  → SHUT", "now  → GONE"],
            id="a cell leads elsewhere",
        ),
        pytest.param(
            change_arm("GONE × Saw", 0, kind="IGNORE", reason="TERMINAL"),
            [
                "cells retargeted",
                "~ GONE × Saw",
                "was  refused: nothing to saw",
                "now  ignored TERMINAL: nothing to saw",
            ],
            id="what was refused is ignored",
        ),
        pytest.param(
            add_guard,
            ["guards changed", "+ SHUT × Saw  [blunt] ignored NOISE: blunt"],
            id="a guard more",
        ),
        pytest.param(
            lambda data: data["cells"]["SHUT"]["Push"].pop(0),
            ["guards changed", "- SHUT × Push  [locked] ignored NO_OP: it is | locked"],
            id="a guard less",
        ),
        pytest.param(
            rename_guard,
            [
                "guards changed",
                "~ SHUT × Push [strong]",
                "was  [hard] of context and event",
                "now  [strong] of context and event",
            ],
            id="another guard before the same",
        ),
        pytest.param(
            swap_guards,
            ["guards changed", "~ SHUT × Push, asked in order", "was  locked, hard, else", "now  hard, locked, else"],
            id="guards in another order",
        ),
        pytest.param(
            lambda data: data["guards"].update(locked=["return not context.locked"]),
            ["what a guard asks changed", "~ locked", "was  return context.locked", "now  return not context.locked"],
            id="a guard of the same name asks something else",
        ),
        pytest.param(
            change_arm("OPEN × Pull", 0, effects=[{"name": "Ring"}]),
            ["effects changed", "~ OPEN × Pull", "was  Creak(side=IN)", "now  Ring"],
            id="another effect",
        ),
        pytest.param(
            change_arm("OPEN × Pull", 0, effects=[{"name": "Creak", "arguments": {"side": "IN"}}]),
            ["effects changed", "~ OPEN × Pull", "was  Creak(loud=false, side=IN)", "now  Creak(side=IN)"],
            id="an argument that is false goes",
        ),
        pytest.param(
            change_arm("SHUT × Pull", 0, updates=["locked=True"]),
            ["what is remembered changed", "~ SHUT × Pull", "was  locked=True, once_more", "now  locked=True"],
            id="an update less",
        ),
        pytest.param(
            lambda data: data["timers"]["OPEN"].update(seconds=3, cap=None),
            [
                "timers changed",
                "~ OPEN",
                "was  draught 2.5 s (at most 9 s), if locked wedge 60 s",
                "now  draught 3 s, if locked wedge 60 s",
            ],
            id="a timer lasts longer",
        ),
        pytest.param(
            drop_timer,
            [
                "cells removed",
                "- OPEN × TimerElapsed  → SHUT / Creak(side=IN)",
                "timers changed",
                "- OPEN  draught 2.5 s (at most 9 s), if locked wedge 60 s",
                "reasons changed",
                "+ OPEN rests  it may stay open",
            ],
            id="a timer less",
        ),
        pytest.param(
            change_arm("OPEN × Push", 0, rearm=False),
            ["timers changed", "~ OPEN × Push", "was  the timer starts anew", "now  the timer runs on"],
            id="a timer runs on",
        ),
        pytest.param(
            change_arm("GONE × Saw", 0, why="no door, nothing to saw"),
            [
                "reasons changed",
                "~ GONE × Saw",
                "was  refused: nothing to saw",
                "now  refused: no door, nothing to saw",
            ],
            id="another why",
        ),
        pytest.param(
            lambda data: data["rests"].update(SHUT="why not"),
            ["reasons changed", "~ SHUT rests", "was  doors may stay shut", "now  why not"],
            id="another why of a rest",
        ),
        pytest.param(
            lambda data: data["states"].reverse(),
            ["states in another order", "~ the order", "was  SHUT, OPEN, GONE", "now  GONE, OPEN, SHUT"],
            id="states in another order",
        ),
        pytest.param(
            lambda data: data.update(begin=[]),
            ["effects of the beginning changed", "~ it begins with", "was  Ring", "now  nothing"],
            id="it begins with less",
        ),
    ],
)
def test_a_change_is_told_in_its_own_words(edit: Edit, said: list[str]) -> None:
    assert lines(compared(door(), edited(edit))) == said


def test_what_is_equal_has_no_difference() -> None:
    found = compared(door(), door())
    assert found.sections == ()
    assert text(found) == "old -> new: no difference in 1 machine\n"


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from leaves(value, (*path, number))
    else:
        yield path


def unlike(value: Any) -> Any:
    if value is None:
        return 7
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    kinds = {"TO": "STAY", "STAY": "TO", "IGNORE": "REFUSE", "REFUSE": "IGNORE"}
    states = {"SHUT": "OPEN", "OPEN": "SHUT", "GONE": "OPEN"}
    return {**kinds, **states}.get(value, f"{value}x")


def test_no_change_of_any_value_is_missed() -> None:
    before = sheet("old", door())
    seen = 0
    for path in leaves(door()):
        if path[:1] in (("name",), ("states",)) and path[-1] == "name":
            continue  # another machine; states are renamed together with their cells
        if path[0] == "cells" and path[2] == "TimerElapsed" and path[1] != "OPEN":
            continue  # in a state without a timer nobody decided it
        if path[:2] == ("timers", "OPEN") and ("reads" in path or path[-1] == "unless"):
            continue  # a timer's guard reads the context and nothing else; and 7 is no timer
        data = door()
        place: Any = data
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = unlike(place[path[-1]])
        if place[path[-1]] == "TO":
            place["target"] = "OPEN"
        assert compare(before, sheet("new", data)) != (), path
        assert compare(sheet("new", data), before) != (), path
        seen += 1
    assert seen > 60


def test_each_kind_of_change_can_come() -> None:
    """The golden cases, and those of every value, leave out none."""
    edits: list[Edit] = [add_state, remove_state, add_event, remove_event, add_guard, drop_timer, swap_guards]
    edits += [
        lambda data: data["states"].reverse(),
        lambda data: data["states"][0].update(meaning="else"),
        lambda data: data.update(initial="OPEN", begin=[]),
        lambda data: data["events"].update(Push={}),
        lambda data: data["context"].pop("times"),
        lambda data: data["guards"].update(hard=["return True"]),
        lambda data: data["updates"].update(once_more=["return context"]),
        change_arm("OPEN × Pull", 0, target="GONE"),
        change_arm("OPEN × Pull", 0, effects=[], updates=["locked=True"]),
    ]
    before = sheet("old", door())
    came = {change.what for edit in edits for change in compare(before, sheet("new", edited(edit)))}
    couplings = {What.ROUTE_ADDED, What.ROUTE_REMOVED, What.ROUTES_ORDERED}
    assert came == set(What) - couplings


def test_couplings_that_come_go_and_change_places_are_told() -> None:
    one = {"effect": "Ring", "event": "Push", "target": "door", "births": False}
    two = {"effect": "Creak", "event": "Saw", "target": "door", "births": True}
    standing = {"name": "wind", "event": "Pull", "target": "door"}
    before = coupling("old", {"machines": ["door"], "routes": [one, two], "standing": []})
    after = coupling("new", {"machines": ["door"], "routes": [two], "standing": [standing]})
    assert [(one.what, one.place, one.old, one.new) for one in compare_couplings(before, after)] == [
        (What.ROUTE_ADDED, "where it holds: wind", None, "→ Pull of door"),
        (What.ROUTE_REMOVED, "Ring", "→ Push of door", None),
    ]
    turned = coupling("new", {"machines": ["door"], "routes": [two, one], "standing": []})
    (change,) = compare_couplings(before, turned)
    assert (change.what, change.old) == (
        What.ROUTES_ORDERED,
        "Ring → Push of door; Creak → Saw of door, for one just born",
    )
    assert compare_couplings(before, before) == ()


def test_a_file_of_an_older_version_is_compared_in_what_it_has() -> None:
    def older(data: Data) -> None:
        del data["guards"]
        del data["updates"]

    found = compared(edited(older), door())
    assert found.sections == ()
    assert found.notes == ("what guards ask was not compared: old has their names only",)


def test_profiles_that_changed_alike_are_told_together() -> None:
    def of_two(name: str, one: Data, other: Data) -> Side:
        return Side(name, {("a", "door"): sheet(name, one), ("b", "door"): sheet(name, other)}, {})

    dropped = edited(drop_timer)
    alike = difference(of_two("old", door(), door()), of_two("new", dropped, copy.deepcopy(dropped)))
    assert [section.title for section in alike.sections] == ["door (a, b)"]
    unlike_ = difference(of_two("old", door(), door()), of_two("new", dropped, edited(rename_guard)))
    assert [section.title for section in unlike_.sections] == ["door (a)", "door (b)"]
    gone = difference(of_two("old", door(), door()), Side("new", {("a", "door"): sheet("new", door())}, {}))
    assert text(gone).splitlines()[2:] == ["- door (b): removed; 3 states, 12 arms"]
    assert side("x", door()).whole


def test_a_file_whose_arms_lead_nowhere_is_refused() -> None:
    with pytest.raises(
        DiffError, match=r"new is no machine's canonical JSON \(ValueError: AJAR is none of its states\)"
    ):
        sheet("new", edited(change_arm("OPEN × Pull", 0, target="AJAR")))


def nodes(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(data, (dict, list)):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from nodes(value, (*path, key))


@pytest.mark.parametrize(
    "junk",
    [None, 10**400, "x", [1], {"name": 1}, [{"kind": "TO"}]],
    ids=["null", "huge", "text", "list", "object", "arm"],
)
def test_a_file_with_anything_anywhere_is_refused_or_compared(junk: Any) -> None:
    before = sheet("old", door())
    refused = 0
    for path in list(nodes(door()))[1:]:
        data = door()
        place: Any = data
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = junk
        try:
            after = sheet("new", data)
        except DiffError:
            refused += 1
            continue
        found = difference(Side("old", {("", "door"): before}, {}), Side("new", {("", after.name): after}, {}))
        assert text(found)
        assert markdown(found)
        assert as_json(found)
    assert refused > 40
