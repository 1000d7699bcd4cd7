"""What the guide for reviewers shows is so."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import rtfsm
from rtfsm.cli import main
from rtfsm.diff import What
from rtfsm.diff.markdown import MARK
from tests.diff.doors import door, edited
from tests.diff.test_command import git

ROOT = Path(rtfsm.__file__).parent.parent
GUIDE = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")
(ACTION,) = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
OLD = edited(lambda data: data["cells"]["OPEN"]["Pull"][0].update(target="GONE"))


def script(step: str) -> str:
    """What a step of the action runs."""
    (found,) = re.findall(rf"- name: {step}\n.*?        run: \|\n((?:          [^\n]*\n)+)", ACTION, flags=re.DOTALL)
    return textwrap.dedent(found)


def test_the_difference_that_is_shown_is_the_one_that_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.json").write_text(json.dumps(OLD), encoding="utf-8")
    assert main(["diff", "old.json", "tests.draw.door:DOOR"]) == 0
    (shown,) = re.findall(r"```text\n(.*?)```", GUIDE, flags=re.DOTALL)
    assert shown == capsys.readouterr().out.replace("tests.draw.door", "door")


def test_the_kinds_that_are_explained_are_those_that_a_report_has() -> None:
    titles = {what.value for what in What}
    for said in (
        "cells retargeted",
        "guards changed",
        "what a guard asks changed",
        "effects changed",
        "timers changed",
    ):
        assert said in titles
        assert f"**{said}**" in GUIDE.replace("**What", "**what")


@pytest.mark.parametrize("step", ["Compare", "Comment"])
def test_the_scripts_of_the_action_are_shell(step: str) -> None:
    done = subprocess.run(["bash", "-n"], input=script(step), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_action_can_do_no_more_than_comment() -> None:
    assert "permissions: {}\n" in ACTION
    assert re.findall(r"^      ([\w-]+): (read|write)$", ACTION, flags=re.MULTILINE) == [
        ("contents", "read"),
        ("pull-requests", "write"),
    ]
    assert "ref:" not in ACTION, "the code of the pull request is never checked out"
    # What a stranger can choose reaches a shell as a variable only.
    assert "${{" not in script("Compare") + script("Comment")
    assert f'startswith("{MARK}")' in script("Comment")


def test_the_action_compares_a_pull_request_with_where_it_branched_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    origin, clone, program = tmp_path / "origin", tmp_path / "clone", tmp_path / "bin"
    kept = origin / "diagrams" / "door.json"
    kept.parent.mkdir(parents=True)
    git(origin, "init", "--quiet", "--initial-branch", "main")
    kept.write_text(json.dumps(OLD), encoding="utf-8")
    git(origin, "add", ".")
    git(origin, "commit", "--quiet", "--message", "a door")
    git(origin, "checkout", "--quiet", "-b", "theirs")
    kept.write_text(json.dumps(door()), encoding="utf-8")
    git(origin, "commit", "--quiet", "--all", "--message", "a pull request")
    git(origin, "update-ref", "refs/pull/7/head", "theirs")
    git(origin, "checkout", "--quiet", "main")
    kept.write_text(json.dumps(edited(lambda data: data["rests"].update(SHUT="meanwhile"))), encoding="utf-8")
    git(origin, "commit", "--quiet", "--all", "--message", "main goes on")
    git(tmp_path, "clone", "--quiet", "--single-branch", str(origin), str(clone))
    program.mkdir()
    (program / "rtfsm").write_text(f'#!/bin/sh\nexec {sys.executable} -c "{RUN}" "$@"\n', encoding="utf-8")
    (program / "rtfsm").chmod(0o755)
    surroundings = {
        **os.environ,
        "PATH": f"{program}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "BASE": git(clone, "rev-parse", "HEAD"),
        "PULL": "7",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }
    # As GitHub runs a step.
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script("Compare")]
    done = subprocess.run(shell, cwd=clone, env=surroundings, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    comment = (clone / "comment.md").read_text(encoding="utf-8")
    assert comment.startswith(f"{MARK}\n")
    assert "| ✏️ | `OPEN × Pull` | `→ GONE` | `→ SHUT` |" in comment
    assert "meanwhile" not in comment, "what main did since is not the pull request's"
    assert (clone / "differs").read_text() == "1\n"
    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == comment


RUN = "import sys; from rtfsm.cli import main; sys.exit(main(sys.argv[1:]))"
