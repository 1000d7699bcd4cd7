"""What checks the documents can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from .commands import check_command, is_cheap, same
from .pages import Block
from .test_blocks import Page, commands_of


@pytest.mark.parametrize(
    "command",
    [
        "rtfsm draw session --level overview",
        "rtfsm fuzz my:Model --seconds 5  # a remark",
        "rtfsm demo --help",
        "make demo ARGS='--plant late-words'",
        "pip install 'rtfsm[phonic,test]'",
        "pytest --rtfsm-coverage --rtfsm-coverage-min 95",
        "python -m benchmarks.search_bounds",
        "PHONIC_API_KEY=any python examples/phonic_agent.py console",
    ],
)
def test_a_command_that_is_there_passes(command: str, request: pytest.FixtureRequest) -> None:
    check_command(command, request.config)


@pytest.mark.parametrize(
    "command",
    [
        "rtfsm draw session --level galore",
        "rtfsm paint session",
        "rtfsm fuzz --loud my:Model",
        "make coffee",
        "make demo ARGS='--plant no-such-plant --loud'",
        "pip install 'rtfsm[coffee]'",
        "python -m benchmarks.coffee",
        "python examples/coffee.py",
        "coffee --black",
    ],
)
def test_a_command_that_is_not_fails(command: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(AssertionError):
        check_command(command, request.config)


def test_an_option_of_pytest_that_is_not_there_fails(request: pytest.FixtureRequest) -> None:
    with pytest.raises(ValueError, match="rtfsm-coffee"):
        check_command("pytest --rtfsm-coffee", request.config)


def test_output_is_the_same_but_for_times_and_what_is_left_out() -> None:
    assert same("one\n...\nfour 0.01 s", "one\ntwo\nthree\nfour 12.3 s\n")
    assert same("one\n...", "one\n")
    assert not same("one\nthree", "one\ntwo\nthree\n")
    assert not same("one", "one\ntwo\n")
    assert not same("after 45 states", "after 46 states\n")


def test_commands_are_found_in_a_workflow() -> None:
    steps = {"jobs": {"a": {"steps": [{"run": "make test\necho $X\nrtfsm check a:B"}, {"uses": "rtfsm"}]}}}
    assert commands_of(steps) == ["make test", "rtfsm check a:B"]


def block(language: str, source: str, title: str | None = None) -> Block:
    return Block(page="docs/page.md", line=1, language=language, title=title, source=source, not_run=None)


@pytest.mark.parametrize(
    "blocks",
    [
        [block("python", "print(1)\n"), block("text", "2\n", "Output")],
        [block("python", "assert False\n")],
        [block("console", "$ rtfsm draw user_turn --level overview\nnothing of the kind\n")],
        [block("console", "$ rtfsm check conversation\nno findings\n")],
        [block("console", "rtfsm check\n")],
        [block("yaml", "steps:\n  - run: rtfsm paint all\n")],
        [block("cobol", "STOP RUN.\n")],
    ],
)
def test_a_page_that_shows_what_is_not_so_fails(
    blocks: list[Block], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    page = Page(tmp_path, request.config)
    *before, wrong = blocks
    for one in before:
        page.read(one)
    with pytest.raises(AssertionError):
        page.read(wrong)


def test_a_module_of_the_page_is_there_for_the_blocks_and_commands_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    page = Page(tmp_path, request.config)
    page.read(block("python", "one = 1\n", "shown_module.py"))
    page.read(block("python", "two = one + 1\n", "shown_module.py, continued"))
    page.read(block("python", "from shown_module import two\nprint(two)\n"))
    page.read(block("text", "2\n", "Output"))
    assert (tmp_path / "shown_module.py").read_text() == "one = 1\ntwo = one + 1\n"
    assert is_cheap("rtfsm check shown_module:two", tmp_path)
    assert not is_cheap("rtfsm check another:two", tmp_path)
    page.close()
