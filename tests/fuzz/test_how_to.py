"""docs/fuzz.md: what it says of the wrong plugin is so, its fixes heal, its commands and recipes are real."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rtfsm.fuzz.cli import add_fuzz_arguments, add_replay_arguments
from rtfsm.fuzz.findings import Finding
from rtfsm.fuzz.laws import LAWS
from rtfsm.fuzz.pytest_file import as_pytest
from rtfsm.fuzz.report import TEXTS, lines_of, ordering_lines
from rtfsm.fuzz.search import Defect
from rtfsm.fuzz.store import Saved, Store
from rtfsm.testing import Move, Ordering, fuzz, play_ordering
from rtfsm.testing.contract import WATCHES

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "fuzz.md").read_text(encoding="utf-8")
SOURCE = (ROOT / "examples" / "wrong_plugin" / "wrong_plugin.py").read_text(encoding="utf-8")


def server(what: str, **args: Any) -> Move:
    return Move("server", what, args)


STARTED, TALKED = server("assistant_started_speaking"), server("user_started_speaking")
WARNED = server("warning", message="take care", code="careful")
MISTAKES: tuple[tuple[str, Ordering], ...] = (
    ("a-lost-session-says-so", Ordering((WARNED,))),
    ("a-lost-session-says-so", Ordering((Move("wire", "close", {"code": 1011, "reason": ""}),))),
    (
        "only-a-lost-connection-ends-a-session",
        Ordering((server("error", message="something was wrong", code="careful"),)),
    ),
    ("a-barge-in-ends-generations-at-once", Ordering((STARTED, TALKED), obeys=False)),
    ("generations-end", Ordering((STARTED, STARTED))),
    ("no-empty-words", Ordering((server("audio_chunk", text="", ms=20),))),
    ("generations-end", Ordering((server("audio_chunk", text="w1 ", ms=20),))),
    ("a-lost-session-says-so", Ordering((Move("host", "asks"), Move("host", "cancels"), STARTED))),
    ("the-close-leaves-nothing", Ordering((Move("host", "asks"), Move("host", "closes")))),
)
"""The guide's nine, in its order: the law, and the shortest ordering that breaks it."""


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", GUIDE, flags=re.DOTALL)


def mended(count: int) -> str:
    """The example with so many of the guide's fixes."""
    source = SOURCE
    for fix in blocks("diff")[:count]:
        old, new = ("".join(f"{line[1:]}\n" for line in fix.splitlines() if line[0] == sign) for sign in "-+")
        assert source.count(old) == 1, f"the fix does not fit the example:\n{fix}"
        source = source.replace(old, new)
    return source


def broken(source: str, ordering: Ordering) -> set[str]:
    """Laws that this plugin breaks under this ordering."""
    module = types.ModuleType("wrong_plugin")
    exec(compile(source, "wrong_plugin.py", "exec", dont_inherit=True), vars(module))
    return {finding.law for finding in play_ordering(module.RealtimeModel, ordering, provider="phonic")}


def test_the_guide_names_every_law() -> None:
    own = [name for name in TEXTS if name not in {watch.name for watch in WATCHES}]
    assert {law.name for law in LAWS} <= set(own)
    table = "\n".join(f"| `{name}` | {TEXTS[name]} |" for name in own)
    assert f"| law | |\n|---|---|\n{table}\n\n" in GUIDE, f"the guide's table of laws should be\n{table}"
    paragraph = GUIDE.partition("clause by clause:\n")[2].partition(".\n")[0]
    assert re.findall(r"`([^`]+)`", paragraph) == [watch.name for watch in WATCHES]


def test_the_guide_has_a_fix_for_each_mistake() -> None:
    assert len(blocks("diff")) == len(MISTAKES)
    assert mended(len(MISTAKES)).count("\n") < 250


@pytest.mark.parametrize("number", range(len(MISTAKES)), ids=lambda number: f"mistake {number + 1}")
def test_a_mistake_is_found_by_what_the_guide_says_and_healed_by_its_fix(number: int) -> None:
    law, ordering = MISTAKES[number]
    shown = "\n".join(ordering_lines(ordering))
    sections = GUIDE.partition("## Nine mistakes")[2].split("\n**")[1:]
    assert f"```text\n{shown}\n```" in sections[number]
    assert law in broken(mended(number), ordering)
    assert law not in broken(mended(number + 1), ordering)


def test_the_fuzzer_finds_the_mistakes_and_what_is_mended_is_healed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    plugin, store = tmp_path / "a_draft_of_a_plugin.py", tmp_path / ".rtfsm"
    plugin.write_text(SOURCE, encoding="utf-8")
    target = "a_draft_of_a_plugin:RealtimeModel"
    found = fuzz(target, provider="phonic", seed=1, max_examples=300, store=store)
    assert caplog.records == []  # of hundreds of conversations
    laws = {"a-lost-session-says-so", "only-a-lost-connection-ends-a-session", "generations-end"}
    assert laws <= set(found.laws)
    warned = next(one for one in found.failures if [move.what for move in one.defect.ordering.moves] == ["warning"])
    assert f"Reproduce with: rtfsm replay {found.path(warned)}" in str(found)

    plugin.write_text(mended(len(MISTAKES)), encoding="utf-8")
    importlib.reload(sys.modules["a_draft_of_a_plugin"])
    again = fuzz(target, provider="phonic", seed=1, max_examples=1, store=store)
    healed = {one.id for one in again.healed}
    assert warned.id in healed
    assert {one.id for one in found.failures if one.defect.finding.law in laws - {"a-lost-session-says-so"}} <= healed
    assert again.known == len(found.failures) - len(healed)
    assert not healed & {path.stem for path in store.iterdir()}


def the_first_finding() -> Saved:
    """The one that the guide explains."""
    finding = next(
        line.strip() for line in GUIDE.splitlines() if line.startswith("   expected a session without a running")
    )
    defect = Defect(Finding("a-lost-session-says-so", finding), Ordering((WARNED,)))
    return Saved("wrong_plugin:RealtimeModel", "phonic", "direct", True, defect)


def test_the_finding_that_the_guide_explains_is_told_so() -> None:
    saved = the_first_finding()
    assert "\n".join(lines_of(saved, 1, Store(".rtfsm").path(saved))) + "\n" in blocks("text")
    (module,) = (block for block in blocks("python") if "ORDERING" in block)
    assert as_pytest(saved).partition("\n\n")[2] == module


def commands() -> Iterator[list[str]]:
    """The guide's, in its consoles, its prose and its workflow."""
    for console in blocks("console"):
        yield from (shlex.split(line[2:]) for line in console.splitlines() if line.startswith("$ rtfsm"))
    yield from map(shlex.split, re.findall(r"`(rtfsm fuzz [^`]+)`", GUIDE))
    for step in the_workflow()["jobs"]["fuzz"]["steps"]:
        if "rtfsm fuzz" in step.get("run", ""):
            yield shlex.split(step["run"].replace("${{ github.run_id }}", "12345678901"))


def the_workflow() -> Any:
    (source,) = blocks("yaml")
    return yaml.safe_load(source)


def test_the_guides_commands_are_commands() -> None:
    import argparse

    given = list(commands())
    assert {command[1] for command in given} == {"fuzz", "replay"}
    assert len(given) >= 6
    for _, name, *rest in given:
        parser = argparse.ArgumentParser(exit_on_error=False)
        (add_fuzz_arguments if name == "fuzz" else add_replay_arguments)(parser)
        parser.parse_args(rest)


def test_the_workflow_keeps_its_failures() -> None:
    steps = the_workflow()["jobs"]["fuzz"]["steps"]
    cached = [step["with"] for step in steps if "cache" in step.get("uses", "")]
    assert [one["path"] for one in cached] == [".rtfsm", ".rtfsm"]
    prefixes = cached[0]["restore-keys"].split()
    assert any(cached[1]["key"].startswith(prefix) for prefix in prefixes)
    assert all(step["if"] == "always()" for step in steps[-2:])


def test_no_link_of_the_guide_is_broken() -> None:
    for target in re.findall(r"\]\(([^)#]+)", GUIDE):
        assert (ROOT / "docs" / target).exists(), target
