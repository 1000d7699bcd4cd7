"""Every block of code that the documents show is run, parsed or compared; see `pages` for the marks."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import types
from pathlib import Path

import pytest
import yaml

from .commands import check_command, is_cheap, run_rtfsm, same
from .pages import PAGES, ROOT, Block, blocks
from .stand_ins import MODULES, STAND_INS

NOT_RUN: dict[str, int] = {}
"""Page -> how many of its blocks are left out. Each says why on the page; a further one is a decision."""

SHOWN_ONLY = ("mermaid", "text", "diff", "")
"""Languages of blocks that are no code: what a program prints, drawings, what to change."""


class Page:
    """A page that is being read from the top, in a directory of its own."""

    def __init__(self, directory: Path, config: pytest.Config) -> None:
        self.directory = directory
        self.config = config
        self.names: dict[str, object] = {"__name__": "page"}
        self.printed = io.StringIO()
        self.modules: dict[str, types.ModuleType] = {}

    def read(self, block: Block) -> None:
        if block.language == "python":
            self.run(block)
        elif block.language in ("console", "shell", "bash", "sh"):
            self.type(block)
        elif block.language in ("yaml", "yml"):
            self.parse(block)
        elif block.title == "Output":
            printed, self.printed = self.printed.getvalue(), io.StringIO()
            assert same(block.source, printed), f"{block}: this was printed:\n{printed}"
        else:
            assert block.language in SHOWN_ONLY, f"{block}: nobody checks a block of {block.language}"

    def run(self, block: Block) -> None:
        names = self.names
        if block.title is not None:
            name, _, continued = block.title.partition(", ")
            with open(self.directory / name, "a" if continued else "w", encoding="utf-8") as file:
                file.write(block.source)
            names = vars(self.module(name))
        lines = "\n" * block.line
        with contextlib.redirect_stdout(self.printed):
            exec(compile(f"{lines}{block.source}", str(ROOT / block.page), "exec"), names)
        self.names.update({name: one for name, one in names.items() if not name.startswith("__")})

    def module(self, file: str) -> types.ModuleType:
        """What stands in this file of the page."""
        name = Path(file).stem
        if name not in self.modules:
            self.modules[name] = types.ModuleType(name)
            assert name not in sys.modules, f"{name} is a module already; call the file something else"
            sys.modules[name] = self.modules[name]
        return self.modules[name]

    def close(self) -> None:
        for name in self.modules:
            del sys.modules[name]

    def type(self, block: Block) -> None:
        shown: dict[str, list[str]] = {}
        for line in block.source.splitlines():
            if line.startswith("$ "):
                shown[line[2:]] = []
            elif line.strip():
                assert shown, f"{block}: a console block begins with a command, after '$ '"
                list(shown.values())[-1].append(line)
        for command, lines in shown.items():
            check_command(command, self.config)
            if not is_cheap(command, self.directory):
                assert not lines, f"{block}: nobody knows whether {command!r} prints that"
                continue
            status, printed = run_rtfsm(command)
            assert status == (1 if "VIOLATION" in printed else 0), f"{block}: {command} ended with {status}: {printed}"
            if lines:
                assert same("\n".join(lines), printed), f"{block}: {command} printed\n{printed}"

    def parse(self, block: Block) -> None:
        for command in commands_of(yaml.safe_load(block.source)):
            check_command(command, self.config)


def commands_of(node: object) -> list[str]:
    """Commands of ours and of make's in the steps of a workflow."""
    if isinstance(node, dict):
        run = re.sub(r"\$\{\{.*?\}\}", "1", str(node.get("run", "")))
        lines = [line.strip() for line in run.splitlines()]
        found = [line for line in lines if line.split(" ")[0] in ("rtfsm", "make", "pytest") and "$" not in line]
        return found + [command for value in node.values() for command in commands_of(value)]
    return [command for one in node for command in commands_of(one)] if isinstance(node, list) else []


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_shows_is_so(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PHONIC_API_KEY", "no-key")
    (tmp_path / "diagrams").symlink_to(ROOT / "diagrams")
    page = Page(tmp_path, request.config)
    page.names.update(STAND_INS.get(name, {}))
    for module in MODULES.get(name, ()):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    with contextlib.closing(page):
        for block in blocks(name):
            if block.not_run is None:
                page.read(block)


def test_few_blocks_are_left_out() -> None:
    left_out: dict[str, int] = {}
    for page in PAGES:
        for block in blocks(page):
            if block.not_run is not None:
                left_out[page] = left_out.get(page, 0) + 1
    assert left_out == NOT_RUN
