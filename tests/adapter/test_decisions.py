"""Nothing in the adapters decides by the state of a machine: what follows from a state stands in the tables."""

from __future__ import annotations

import ast
from pathlib import Path

import rtfsm.adapters

ROOT = Path(rtfsm.adapters.__file__).parent
MACHINES = {"Session", "Generation", "Reply", "ToolCall", "UserTurn", "Playout"}


def asked_of_states(source: str) -> list[int]:
    """Lines on which a state of a machine is compared with another, or looked for among others."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare)
        and any(isinstance(part, ast.Attribute) and part.attr == "state" for part in (node.left, *node.comparators))
    ]


def named(source: str) -> set[str]:
    """Machines of which a state is named."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]
    return {node.value.id for node in nodes if isinstance(node.value, ast.Name)} & MACHINES


def test_a_question_about_a_state_is_found() -> None:
    source = "if a.session.state is Session.READY:\n    pass\nif b.state in (Reply.SENT,):\n    pass\n"
    assert asked_of_states(source) == [1, 3]
    assert named(source) == {"Session", "Reply"}


def test_the_adapters_ask_of_one_state_alone_whether_the_session_is_over() -> None:
    """The shell ends its tasks then. Whoever shows states, in a snapshot or an event, compares them with nothing."""
    modules = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py")}
    assert {name: len(lines) for name, source in modules.items() if (lines := asked_of_states(source))} == {
        "livekit/shell.py": 2
    }
    assert {name: found for name, source in modules.items() if (found := named(source))} == {
        "livekit/shell.py": {"Session"}
    }
