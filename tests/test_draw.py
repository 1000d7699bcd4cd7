"""Drawings say what the declarations say, and those that are kept are up to date."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rtfsm import Composition, Kind, Machine, Reason, Route, ignore, to
from rtfsm.draw import canonical, canonical_json, markdown_table, mermaid, mermaid_composition, stale, write
from rtfsm.draw.composition import couplings
from rtfsm.language import Engine
from rtfsm.machines import compose
from rtfsm.profiles import PROFILES
from tests.draw.door import DOOR, Creak, Door, Pull, Ring

DIAGRAMS = Path(__file__).parent.parent / "diagrams"

Edges = set[tuple[str, str, str]]

SHIPPED = [
    pytest.param(machine, id=f"{profile}-{machine.name}")
    for profile, wire in PROFILES.items()
    for machine in compose(wire).machines
]


def edges_of_engine(machine: Machine) -> Edges:
    """As the compiled engine has them, by the names of the package that it is made of."""
    return {
        (edge.source, name, edge.dest)
        for name, event in Engine(machine).compiled.events.items()
        for edges in list(event.transitions.values())
        for edge in edges
        if edge.dest
    }


def edges_of_canonical(machine: Machine) -> Edges:
    cells = canonical(machine)["cells"]
    return {
        (state, event, arm["target"])
        for state, row in cells.items()
        for event, cell in row.items()
        for arm in cell
        if arm["kind"] == "TO"
    }


def edges_of_mermaid(text: str) -> Edges:
    """Read back from the text alone."""
    found = set()
    for source, target, label in re.findall(r"^ +(\w+) --> (\w+)(?: : (.*))?$", text, re.MULTILINE):
        plain = re.sub(r"#(\w+);", r"&#\1;", label).replace("&#quot;", '"').replace("<br/>", " ").replace("\xa0", " ")
        for reason in html.unescape(plain).split("•"):
            events = re.sub(r"\[[^]]*\]", "", reason.split("/")[0])
            for event in filter(None, (one.strip() for one in events.split(","))):
                found.add((source, "TimerElapsed" if event.startswith("after ") else event, target))
    return found


@pytest.mark.parametrize("machine", [pytest.param(DOOR, id="door"), *SHIPPED])
def test_the_edges_drawn_are_the_edges_that_run(machine: Machine) -> None:
    run = edges_of_engine(machine)
    assert run
    assert edges_of_canonical(machine) == run
    assert edges_of_mermaid(mermaid(machine)) == run


@pytest.mark.parametrize("machine", SHIPPED)
def test_a_pair_of_states_has_one_arrow_and_every_state_a_box(machine: Machine) -> None:
    text = mermaid(machine)
    arrows = re.findall(r"^    (\w+) --> (\w+)", text, re.MULTILINE)
    assert len(arrows) == len(set(arrows))
    for state in machine.states:
        assert f'state "{state.name}" as {state.name}\n' in text
    assert f"[*] --> {machine.initial.name}" in text
    assert set(re.findall(r"^    (\w+) --> \[\*\]$", text, re.MULTILINE)) == {state.name for state in machine.final}


def test_the_whole_of_a_small_picture() -> None:
    assert mermaid(DOOR) == (
        "---\nconfig:\n  state:\n    nodeSpacing: 60\n    rankSpacing: 60\n"
        'title: "door"\n---\nstateDiagram-v2\n'
        "    accTitle: door\n"
        "    accDescr: State machine door: 3 states, 4 arrows. It begins in SHUT and ends in GONE.\n"
        '    state "SHUT" as SHUT\n'
        "    SHUT : shut#59; #quot;locked#quot; or not#58; 100 #37;\n"
        "    SHUT : rests#58; doors may stay shut\n"
        "    SHUT : • Pull / Ring\n"
        '    state "OPEN" as OPEN\n'
        "    OPEN : open #lt;wide#gt; #35;1\n"
        "    OPEN : waits draught 2.5 s (at most 9 s), if locked<br/>wedge 60 s\n"
        '    state "GONE" as GONE\n'
        "    GONE : gone | taken away\n"
        "    [*] --> SHUT : / Ring\n"
        "    SHUT --> OPEN : • Push [hard]<br/>/ Creak(OUT, loud)<br/>• Push [else]<br/>/ Creak\n"
        "    SHUT --> GONE : Saw\n"
        "    OPEN --> SHUT : Pull, after draught 2.5 s<br/>or wedge 60 s<br/>/ Creak\n"
        "    OPEN --> GONE : Saw\n"
        "    GONE --> [*]\n"
        '    state "how to read" as legend\n'
        "    legend : solid border#58; may wait for ever\n"
        "    legend : dashed border#58; a timer ends the wait\n"
        "    legend : double or thick border#58; the end\n"
        "    classDef rests fill:#dbeafe,stroke:#1d4ed8,color:#111827\n"
        "    class SHUT rests\n"
        "    classDef waits fill:#fef3c7,stroke:#b45309,color:#111827,stroke-dasharray:6 4\n"
        "    class OPEN waits\n"
        "    classDef final fill:#e5e7eb,stroke:#374151,color:#111827,stroke-width:4px\n"
        "    class GONE final\n"
        "    classDef legend fill:#ffffff,stroke:#9ca3af,color:#111827\n"
        "    class legend legend\n"
    )


def test_the_table_has_every_cell_with_its_why() -> None:
    table = markdown_table(DOOR)
    for line in (
        "| `Push` | `locked` | ignored, NO_OP | it is \\| locked |",
        "|  | `hard` | → **OPEN**: `Creak(OUT, loud)` |  |",
        "|  | `else` | → **OPEN**: `Creak` |  |",
        "| `Pull` |  | stays: `Ring`; remembers `locked=True, once_more` |  |",
        "| `Push` |  | ignored, DUPLICATE; the timer starts anew | it is open |",
        "| `Push`, `Pull` |  | ignored, TERMINAL | no door |",
        "| `Saw` |  | refused | nothing to saw |",
        "Waits: draught 2.5 s (at most 9 s), if locked wedge 60 s.",
        "Rests: doors may stay shut.",
    ):
        assert line in table.splitlines(), line


@pytest.mark.parametrize("machine", SHIPPED)
def test_no_cell_is_missing_from_the_table(machine: Machine) -> None:
    sections = markdown_table(machine).split("\n## ")[1:]
    assert [section.split("\n", 1)[0] for section in sections] == [state.name for state in machine.states]
    for section, state in zip(sections, machine.states, strict=True):
        rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
        named = [name for row in rows for name in re.findall(r"`(\w+)`", row[0])]
        assert sorted(named) == sorted(event.__name__ for event in machine.events)
        for arm in (arm for cell in machine.cells[state].values() for arm in cell if arm.why):
            assert arm.why in section


def test_the_canonical_form_is_complete() -> None:
    found = canonical(DOOR)
    assert found["name"] == "door"
    assert found["states"][1] == {"name": "OPEN", "meaning": "open <wide> #1"}
    assert (found["initial"], found["final"], found["begin"]) == ("SHUT", ["GONE"], [{"name": "Ring"}])
    assert found["context"]["times"] == {"type": "int", "initial": 0}
    assert found["guards"] == {"hard": ["return event.hard"], "locked": ["return context.locked"]}
    assert found["updates"] == {"once_more": ["return attrs.evolve(context, times=min(context.times + 1, 3))"]}
    assert found["rests"] == {"SHUT": "doors may stay shut"}
    assert found["timers"]["OPEN"] == {
        "name": "draught",
        "seconds": 2.5,
        "cap": 9,
        "unless": {
            "guard": {"name": "locked", "reads": ["context"]},
            "timer": {"name": "wedge", "seconds": 60, "cap": None, "unless": None},
        },
    }
    assert found["events"]["Push"] == {"hard": [False, True]}
    assert found["cells"]["SHUT"]["Push"][:2] == [
        {
            "kind": "IGNORE",
            "guard": {"name": "locked", "reads": ["context"]},
            "reason": "NO_OP",
            "why": "it is | locked",
        },
        {
            "kind": "TO",
            "guard": {"name": "hard", "reads": ["context", "event"]},
            "target": "OPEN",
            "effects": [{"name": "Creak", "arguments": {"side": "OUT", "loud": True}}],
        },
    ]
    assert found["cells"]["SHUT"]["Pull"][0]["updates"] == ["locked=True", "once_more"]
    assert found["cells"]["OPEN"]["Push"][0]["rearm"] is True
    assert sum(len(cell) for row in found["cells"].values() for cell in row.values()) == len(DOOR.arms)


@pytest.mark.parametrize("machine", SHIPPED)
def test_the_canonical_form_has_no_address_and_survives_json(machine: Machine) -> None:
    text = canonical_json(machine)
    assert " at 0x" not in text
    assert json.loads(text) == canonical(machine)


def test_the_canonical_form_is_the_same_in_another_process() -> None:
    code = (
        "from rtfsm.draw import canonical_json, mermaid, markdown_table\n"
        "from rtfsm.machines import compose\n"
        "from rtfsm.profiles import WIDEST\n"
        "import hashlib\n"
        "text = ''.join(f(m) for m in compose(WIDEST).machines for f in (canonical_json, mermaid, markdown_table))\n"
        "print(hashlib.sha256(text.encode()).hexdigest())\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(DIAGRAMS.parent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_a_coupling_is_drawn_where_some_arm_orders_its_effect() -> None:
    bell = Machine(
        "bell",
        states=(Door.SHUT, Door.OPEN),
        initial=Door.SHUT,
        rests={Door.SHUT: "quiet", Door.OPEN: "loud"},
        table={Door.SHUT: {Pull: to(Door.OPEN)}, Door.OPEN: {Pull: ignore(Reason.DUPLICATE, "rings")}},
    )
    both = Composition((DOOR, bell), (Route(Ring, bell, Pull), Route(Creak, bell, Pull)))
    assert couplings(both) == {("door", "bell"): [("Ring", "Pull"), ("Creak", "Pull")]}
    assert 'm0 -->|"Ring, Creak → Pull"| m1' in mermaid_composition(both)
    assert couplings(Composition((bell,), (Route(Ring, bell, Pull),))) == {}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_picture_of_a_composition_has_every_coupling_and_standing_condition(profile: str) -> None:
    composition = compose(PROFILES[profile])
    text = mermaid_composition(composition)
    for pairs in couplings(composition).values():
        for effect, event in pairs:
            assert effect in text
            assert event in text
    for standing in composition.standing:
        assert f'(["{standing.name}"])' in text


def test_the_kept_drawings_are_up_to_date() -> None:
    assert stale(DIAGRAMS) == [], "run: rtfsm draw --write diagrams"


def test_a_drawing_that_is_changed_missing_or_left_over_is_stale(tmp_path: Path) -> None:
    assert len(write(tmp_path)) == len(write(tmp_path / "again"))
    assert stale(tmp_path) == []
    (tmp_path / "phonic" / "session.mmd").write_text("stateDiagram-v2\n")
    (tmp_path / "widest" / "reply.json").unlink()
    (tmp_path / "phonic" / "gone.md").write_text("a machine that is no more")
    assert stale(tmp_path) == ["phonic/gone.md", "phonic/session.mmd", "widest/reply.json"]
    assert write(tmp_path) == ["phonic/gone.md", "phonic/session.mmd", "widest/reply.json"]
    assert stale(tmp_path) == []


def test_the_page_includes_the_prose_beside_it(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "reply.md").write_text("**A to B.** Because.\n", encoding="utf-8")
    assert "README.md" in write(tmp_path)
    assert "\n**A to B.** Because.\n" in (tmp_path / "README.md").read_text(encoding="utf-8")
    (notes / "reply.md").write_text("Otherwise.\n", encoding="utf-8")
    assert stale(tmp_path) == ["README.md"]


@pytest.mark.parametrize("name", [machine.name for machine in compose(PROFILES["widest"]).machines])
def test_the_prose_on_a_machine_names_only_what_is_there(name: str) -> None:
    versions = [one for wire in PROFILES.values() for one in compose(wire).machines if one.name == name]
    prose = (DIAGRAMS / "notes" / f"{name}.md").read_text(encoding="utf-8")
    states = {state.name for one in versions for state in one.states}
    effects = {type(effect).__name__ for one in versions for _, _, arm in one.arms for effect in arm.effects}
    guards = {arm.guard.name for one in versions for _, _, arm in one.arms if arm.guard}
    events = {event.__name__ for one in versions for event in one.events}
    capitals = set(re.findall(r"\b[A-Z][A-Z_]{3,}\b", prose))
    assert capitals
    assert capitals <= states
    coded = set(re.findall(r"`([A-Z]\w+)`", prose))
    allowed = effects | guards | events
    # user_turn orders what playout is told of.
    assert coded <= allowed | {"SpeechStarted"}
    odd_arrows = re.findall(r"([A-Z][A-Z_]{3,}) to ([A-Z][A-Z_]{3,})", prose)
    drawn = {
        (state.name, arm.target.name)
        for one in versions
        for state, _, arm in one.arms
        if arm.kind is Kind.TO and arm.target is not None
    }
    assert set(odd_arrows) <= drawn
