"""Imports only go down, and the core loads nothing heavy."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import rtfsm

ROOT = Path(rtfsm.__file__).parent
MODULES = sorted(path for path in ROOT.rglob("*.py"))
HEAVY = ("livekit", "phonic", "asyncio", "hypothesis", "msgspec", "websockets", "numpy")
LIGHT = ["rtfsm", "rtfsm.profiles", "rtfsm.machines", "rtfsm.check", "rtfsm.draw", "rtfsm.diff", "rtfsm.cli"]
PROVIDERS = ("phonic", "openai", "gemini", "nova", "ultravox", "xai", "personaplex")
OUTER = ("adapters", "testing", "demo", "fuzz")


def name_of(path: Path) -> str:
    parts = ("rtfsm", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer(path: Path) -> str:
    """The first part of a module's name below rtfsm."""
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imports(path: Path) -> Iterator[str]:
    """Full names of all modules that a module imports, wherever in it."""
    package = name_of(path) if path.name == "__init__.py" else name_of(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def offenders(layers: set[str], allowed: set[str]) -> list[str]:
    """Imports of rtfsm's own modules that these layers make and should not."""
    return [
        f"{name_of(path)} imports {imported}"
        for path in MODULES
        if layer(path) in layers
        for imported in imports(path)
        if imported.split(".")[0] == "rtfsm" and imported.split(".")[1] not in allowed
    ]


def test_the_modules_are_found() -> None:
    """The rules below speak of something."""
    assert {"language", "vocabulary", "machines"} <= {layer(path) for path in MODULES}
    assert "rtfsm.vocabulary.effects.ReleaseAll" in set(imports(ROOT / "machines" / "session.py"))
    assert "rtfsm.language.cells.Arm" in set(imports(ROOT / "language" / "engine.py"))


@pytest.mark.parametrize("module", [name for name in LIGHT if importlib.util.find_spec(name) is not None])
def test_the_core_loads_nothing_heavy(module: str) -> None:
    program = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert loaded.stdout.split() == []


def test_the_language_knows_nothing_but_itself() -> None:
    assert offenders({"language"}, {"language"}) == []


def test_the_vocabulary_knows_the_language_alone() -> None:
    assert offenders({"vocabulary"}, {"language", "vocabulary"}) == []


def test_the_machines_know_no_adapter_and_no_profile() -> None:
    assert offenders({"machines"}, {"language", "vocabulary", "machines"}) == []


def test_nothing_below_knows_what_is_derived_from_it() -> None:
    core = {"language", "vocabulary", "machines", "profiles"}
    assert offenders(core, core) == []


def test_only_the_outside_is_asynchronous_or_knows_the_host() -> None:
    wrong = [
        f"{name_of(path)} imports {imported}"
        for path in MODULES
        if layer(path) not in OUTER
        for imported in imports(path)
        if imported.split(".")[0] in ("asyncio", "livekit")
    ]
    assert wrong == []


def test_one_module_imports_transitions() -> None:
    using = {name_of(path) for path in MODULES for imported in imports(path) if imported.startswith("transitions")}
    assert using == {"rtfsm.language.engine"}


@pytest.mark.parametrize("part", ["language", "vocabulary", "machines"])
def test_the_core_names_no_provider(part: str) -> None:
    named = [
        f"{name_of(path)}: {provider}"
        for path in MODULES
        if layer(path) == part
        for provider in PROVIDERS
        if provider in path.read_text(encoding="utf-8").lower() or provider in path.name.lower()
    ]
    assert named == []


def assigned_attributes(path: Path) -> Iterator[tuple[str, int]]:
    """Names of the attributes that a module assigns, with their lines; setattr with a literal name too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("setattr"):
            yield from ((str(arg.value), node.lineno) for arg in node.args if isinstance(arg, ast.Constant))


def test_the_engine_alone_writes_states() -> None:
    """An instance has its first state from its machine. The checker's probes, which run nowhere, are put anywhere."""
    writers = {"rtfsm.language.instance", "rtfsm.language.engine"}
    wrong = [
        f"{name_of(path)}:{line} assigns .{attribute}"
        for path in MODULES
        if name_of(path) not in writers and layer(path) != "check"
        for attribute, line in assigned_attributes(path)
        if attribute == "state"
    ]
    assert wrong == []
    assert "state" in {attribute for attribute, _ in assigned_attributes(ROOT / "language" / "instance.py")}
