"""`rtfsm diff`: where versions come from, what it returns, and one line for each thing that can be wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from rtfsm.cli import main
from rtfsm.diff import markdown
from rtfsm.draw import canonical_json, write
from rtfsm.machines import compose
from rtfsm.profiles import PHONIC
from tests.diff.doors import compared, door, edited
from tests.draw.door import DOOR

OLD_DOOR = edited(lambda data: data["cells"]["OPEN"]["Pull"][0].update(target="GONE"))


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=directory, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits: no drawings, then a door in another version; in the working tree the door as it is now."""
    assert shutil.which("git"), "these tests need git"
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    root = tmp_path / "project"
    kept = root / "diagrams" / "own"
    kept.mkdir(parents=True)
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "nothing yet")
    (kept / "door.json").write_text(json.dumps(OLD_DOOR), encoding="utf-8")
    (kept / "door.mmd").write_text("stateDiagram-v2\n", encoding="utf-8")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "a door")
    (kept / "door.json").write_text(canonical_json(DOOR), encoding="utf-8")
    monkeypatch.chdir(root)
    return root


RETARGETED = """\
{old} -> {new}: machines: 1 changed

door{profile}
  cells retargeted
    ~ OPEN × Pull
        was  → GONE
        now  → SHUT
"""


def test_a_revision_is_compared_with_the_working_tree(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "main"]) == 0
    assert capsys.readouterr().out == RETARGETED.format(old="main", new="diagrams", profile=" (own)")
    assert main(["diff", "HEAD", "diagrams", "--exit-code"]) == 1
    assert main(["diff", "HEAD", "main", "--exit-code"]) == 0
    assert "no difference in 1 machine" in capsys.readouterr().out


def test_a_revision_is_read_from_below_the_top_too(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git(repository, "commit", "--quiet", "--all", "--message", "as it is now")
    monkeypatch.chdir(repository / "diagrams")
    assert main(["diff", "HEAD~1", "HEAD"]) == 0
    assert capsys.readouterr().out == RETARGETED.format(old="HEAD~1", new="HEAD", profile=" (own)")


def test_nothing_of_an_old_revision_is_run(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "door.py").write_text("raise SystemExit('it was run')\n", encoding="utf-8")
    (repository / ".gitattributes").write_text("*.json diff=evil\n", encoding="utf-8")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "a trap")
    git(repository, "config", "diff.evil.textconv", "touch ran; cat")
    assert main(["diff", "HEAD~1", "HEAD"]) == 0
    assert "door (own)" in capsys.readouterr().out
    assert not (repository / "ran").exists()


def test_a_machine_of_ones_own_is_compared_with_a_file(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "old.json").write_text(json.dumps(OLD_DOOR), encoding="utf-8")
    assert main(["diff", "old.json", "tests.draw.door:DOOR"]) == 0
    assert capsys.readouterr().out == RETARGETED.format(old="old.json", new="tests.draw.door:DOOR", profile="")
    assert main(["diff", "tests.draw.door:DOOR", "diagrams/own/door.json", "--exit-code"]) == 0
    assert main(["diff", "tests.draw.door:DOOR", "diagrams", "--exit-code"]) == 0


def test_markdown_and_data_tell_the_same(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "old.json").write_text(json.dumps(OLD_DOOR), encoding="utf-8")
    (repository / "new.json").write_text(canonical_json(DOOR), encoding="utf-8")
    assert main(["diff", "old.json", "new.json", "--markdown"]) == 0
    said = capsys.readouterr().out.replace("old.json", "old").replace("new.json", "new")
    assert said == markdown(compared(OLD_DOOR, door()))
    assert main(["diff", "old.json", "new.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "old": "old.json",
        "new": "new.json",
        "same": 0,
        "notes": [],
        "sections": [
            {
                "name": "door",
                "profiles": [],
                "status": "changed",
                "changes": [
                    {
                        "what": "retargeted",
                        "place": "OPEN × Pull",
                        "old": "→ GONE",
                        "new": "→ SHUT",
                        "state": "OPEN",
                        "event": "Pull",
                    }
                ],
            }
        ],
    }


def test_what_the_shipped_machines_keep_can_be_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write("old")
    shutil.copytree("old", "new")
    path = Path("new/phonic/composition.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    data["standing"].pop()
    path.write_text(json.dumps(data), encoding="utf-8")
    Path("new/widest/reply.json").unlink()
    assert main(["diff", "old", "new"]) == 0
    assert capsys.readouterr().out == (
        "old -> new: machines: 1 removed, 11 the same, couplings changed\n\n"
        "- reply (widest): removed; 6 states, 80 arms\n\n"
        "composition (phonic)\n"
        "  couplings removed\n"
        "    - where it holds: floor free  → FloorFree of user_turn\n"
    )
    assert main(["diff", "old", "new", "--profile", "phonic", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["same"] == len(compose(PHONIC).machines)


def test_what_a_terminal_would_obey_is_not_printed(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loud = edited(lambda data: data["rests"].update(SHUT="\x1b[31mred\x07"))
    (repository / "loud.json").write_text(json.dumps(loud), encoding="utf-8")
    assert main(["diff", "diagrams/own/door.json", "loud.json"]) == 0
    out = capsys.readouterr().out
    assert "red" in out
    assert "\x1b" not in out
    assert "\x07" not in out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["v9", "main"], "'v9' is neither a path nor a revision that this repository has; a shallow clone has few"),
        (["--", "--since=2020-01-01", "main"], "'--since=2020-01-01' is neither a path nor a revision"),
        (["main~1", "main"], "revision main~1 has no canonical JSON below diagrams/; name another --directory"),
        (["main", "--directory", "drawings"], "revision main has no canonical JSON below drawings/"),
        (["main", "gone.json"], "there is no gone.json"),
        (["main", "empty"], "no canonical JSON below empty; run: rtfsm draw --write empty"),
        (["main", "broken.json"], "broken.json is broken: Expecting property name"),
        (["main", "binary.json"], "binary.json is broken: 'utf-8' codec can't decode"),
        (["main", "list.json"], "list.json, number 1 is no machine's canonical JSON: it has no cells"),
        (["main", "half.json"], "half.json is no machine's canonical JSON (KeyError: 'states'); write it anew"),
        (["main", "odd.json"], "odd.json is no machine's canonical JSON (ValueError: the cells are of"),
        (["main", "couplings.json"], "couplings.json says what couples machines; compare the directory that it is in"),
        (["gate.json", "diagrams"], "gate.json is the machine gate, and diagrams has none of that name, but: door"),
        (["gate.json", "diagrams/own/door.json"], "gate.json is the machine gate, and diagrams/own/door.json has none"),
        (["diagrams/own/door.json", "two"], "two has several machines named door; choose one with --profile: a, b"),
        (["main", "--profile", "phonic"], "main has no machine of profile phonic; its profiles: own"),
        (["main", "nosuchmodule:DOOR"], "there is no module 'nosuchmodule'"),
        (["main", "tests.draw.door:locked"], "tests.draw.door:locked is a Guard, not an rtfsm.Machine"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(
    repository: Path, capsys: pytest.CaptureFixture[str], given: list[str], said: str
) -> None:
    (repository / "empty").mkdir()
    for profile in ("a", "b"):
        (repository / "two" / profile).mkdir(parents=True)
        (repository / "two" / profile / "door.json").write_text(canonical_json(DOOR), encoding="utf-8")
    files = {
        "broken.json": b"{",
        "binary.json": b"\xff\xfe\x00",
        "list.json": b"[1]",
        "half.json": b'{"cells": {}}',
        "odd.json": json.dumps(edited(lambda data: data["cells"].pop("GONE"))).encode(),
        "couplings.json": b'{"routes": [], "standing": [], "machines": []}',
        "gate.json": json.dumps(edited(lambda data: data.update(name="gate"))).encode(),
    }
    for name, text in files.items():
        (repository / name).write_bytes(text)
    assert main(["diff", *given]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("rtfsm diff: ")
    assert said in captured.err
    assert len(captured.err.splitlines()) == 1


def test_outside_a_repository_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert main(["diff", "HEAD~1", "HEAD"]) == 2
    assert f"{tmp_path} is in no git repository" in capsys.readouterr().err


def test_without_git_a_revision_cannot_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["diff", "HEAD~1", "HEAD"]) == 2
    assert "git is needed on the PATH" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["diff"], ["diff", "a", "b", "c"], ["diff", "a", "b", "--json", "--markdown"]])
def test_bad_usage_prints_the_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    assert capsys.readouterr().err.startswith("usage: rtfsm")
