"""``rtfsm fuzz`` and ``rtfsm replay`` as a user calls them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

from rtfsm.cli import main
from rtfsm.fuzz.dialect import KEY

from .wrong import SWITCH

WRONG, FINE = "tests.fuzz.wrong:Wrong", "tests.fuzz.wrong:Fine"
FUZZ = ("--provider", "phonic", "--quiet", "--seed", "3", "--max-examples", "60")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fuzz(*arguments: str) -> int:
    return main(["fuzz", *arguments])


def test_nothing_wrong_is_exit_0_and_leaves_no_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz(FINE, *FUZZ) == 0
    out = capsys.readouterr().out
    assert f"fuzzing {FINE} on the scripted phonic, host direct, seed 3" in out
    assert "60 orderings of" in out
    assert " a second and core\nnothing found\n" in out
    assert list(here.iterdir()) == []


def test_a_finding_tells_the_law_the_ordering_and_how_to_see_it_again(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fuzz(WRONG, *FUZZ, "--json", "found.json", "--junit", "found.xml") == 1
    out = capsys.readouterr().out
    (path,) = (here / ".rtfsm").iterdir()
    assert "1. asking-never-raises (clause 6 of LiveKit's contract)" in out
    assert "shortest ordering: 1 move\n      1  host   asks\n" in out
    assert f"Reproduce with: rtfsm replay .rtfsm/{path.name}\n" in out
    assert "1 finding, kept in .rtfsm" in out

    written = json.loads((here / "found.json").read_text())
    assert written["seed"] == 3
    assert [one["id"] for one in written["findings"]] == [path.stem]
    assert written["findings"][0]["ordering"] == {"moves": [{"who": "host", "what": "asks"}]}

    suite = xml.parse(here / "found.xml").getroot()
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == [f"asking-never-raises [{path.stem}]"]
    assert (suite.get("failures"), suite.get("tests")) == ("1", str(len(suite)))


def test_a_saved_failure_is_played_first_and_heals_when_it_is_mended(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fuzz(WRONG, *FUZZ) == 1
    (path,) = (here / ".rtfsm").iterdir()
    capsys.readouterr()

    assert fuzz(WRONG, "--provider", "phonic", "--quiet", "--seed", "4", "--max-examples", "1") == 1
    assert "1. asking-never-raises" in capsys.readouterr().out

    monkeypatch.setenv(SWITCH, "1")
    assert main(["replay", str(path)]) == 0
    assert "what was found is healed\n" in capsys.readouterr().out
    assert fuzz(WRONG, *FUZZ) == 0
    assert f"healed: {path.stem}\n" in capsys.readouterr().out
    assert not path.exists()


def test_a_replay_shows_each_step_and_what_came_of_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fuzz(WRONG, *FUZZ)
    (path,) = (here / ".rtfsm").iterdir()
    capsys.readouterr()
    assert main(["replay", str(path)]) == 1
    out = capsys.readouterr().out
    assert f"{WRONG}, as found: asking-never-raises (clause 6): " in out
    assert "the client sends config\n" in out
    assert "   0.000   1  host   asks\n" in out
    assert "  at rest, two minutes later\n" in out
    assert "generation 0: 'last-0-' and 200 ms of sound; it has ended\n" in out
    assert out.rstrip().splitlines()[-1].startswith("asking-never-raises (clause 6): ")


def test_another_model_can_be_given_the_same_ordering(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fuzz(WRONG, *FUZZ)
    (path,) = (here / ".rtfsm").iterdir()
    assert main(["replay", str(path), "--target", FINE, "--provider", "phonic", "--sockets"]) == 0
    assert f"{FINE}, as found: " in capsys.readouterr().out


def test_a_failure_becomes_a_test_that_stands_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fuzz(WRONG, *FUZZ)
    (path,) = (here / ".rtfsm").iterdir()
    capsys.readouterr()
    assert main(["replay", str(path), "--pytest", "-"]) == 0
    source = capsys.readouterr().out
    path.unlink()
    assert 'Move("host", "asks"' in source.replace("'", '"')
    assert f"def test_{path.stem.replace('-', '_')}() -> None:" in source
    compile(source, "test_found.py", "exec")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["my_model"], "'my_model' names no target; expected module:Factory"),
        (["nowhere.at_all:Model"], "there is no module 'nowhere', neither installed nor in "),
        (["tests.fuzz.wrong:Missing", "--provider", "phonic"], "module 'tests.fuzz.wrong' has no 'Missing'"),
        (["tests.fuzz.wrong:SWITCH", "--provider", "phonic"], "tests.fuzz.wrong:SWITCH is a str; expected something"),
        ([WRONG], f"nobody knows which provider {WRONG} speaks to; say --provider, one of phonic"),
        ([WRONG, "--provider", "nobody"], "there is no provider 'nobody'; expected one of phonic"),
        (
            [WRONG, "--provider", "tests.fuzz.wrong:SWITCH"],
            "tests.fuzz.wrong:SWITCH is no provider's dialect: it lacks",
        ),
        (["tests.fuzz.wrong:Raises", "--provider", "phonic"], "raised RuntimeError: no licence"),
        (["tests.fuzz.wrong:NoModel", "--provider", "phonic"], "made a ABCMeta; expected an llm.RealtimeModel"),
        (
            ["tests.fuzz.wrong:TakesNoAddress", "--provider", "phonic"],
            "TakesNoAddress has no keyword base_url, so it cannot be pointed at the scripted provider;",
        ),
    ],
)
def test_a_target_that_cannot_be_used_is_exit_2_and_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert fuzz(*arguments, "--seconds", "1", "--quiet") == 2
    out, err = capsys.readouterr()
    assert says in err
    assert err.count("\n") == 1
    assert KEY not in out + err


@pytest.mark.parametrize("arguments", [["--seconds", "0"], ["--seconds", "nan"], ["--max-examples", "none"], []])
def test_a_bad_option_is_exit_2(here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert fuzz(*([FINE] if arguments else []), *arguments) == 2
    assert "usage: rtfsm fuzz" in capsys.readouterr().err


def test_a_file_that_is_no_failure_is_exit_2(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "other.json").write_text("{}")
    assert main(["replay", "other.json"]) == 2
    assert "other.json holds no ordering" in capsys.readouterr().err
    assert main(["replay", "gone.json"]) == 2
    assert "gone.json cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "move",
    [
        {"who": "server", "what": "sings"},
        {"who": "server", "what": "audio_chunk", "args": {"tune": 1}},
        {"who": "host", "what": "dances"},
        {"who": "host", "what": "says", "args": {"words": 1}},
        {"who": "wire", "what": "close"},
        {"who": "time", "what": "passes"},
    ],
)
def test_a_move_that_nobody_knows_is_exit_2_and_named(
    here: Path, capsys: pytest.CaptureFixture[str], move: dict[str, object]
) -> None:
    data = {
        "format": "rtfsm-ordering", "version": 1, "target": FINE, "provider": "phonic", "host": "direct",
        "memory": True, "ordering": {"moves": [move]}, "finding": {"law": "some-law", "detail": "seen"}, "also": [],
    }  # fmt: skip
    (here / "edited.json").write_text(json.dumps(data))
    assert main(["replay", "edited.json"]) == 2
    err = capsys.readouterr().err
    assert "move 1 cannot be made: nobody knows" in err
    assert err.count("\n") == 1

    (here / ".rtfsm").mkdir()
    (here / "edited.json").rename(here / ".rtfsm" / "edited.json")
    assert fuzz(FINE, "--provider", "phonic", "--quiet", "--max-examples", "1") == 0
    assert "rtfsm fuzz: left alone: some-law-" in capsys.readouterr().err


def test_files_that_cannot_be_read_are_left_alone_and_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / ".rtfsm").mkdir()
    (here / ".rtfsm" / "odd.json").write_text("not JSON")
    assert fuzz(FINE, "--provider", "phonic", "--quiet", "--max-examples", "1") == 0
    assert "left alone: .rtfsm/odd.json is no JSON" in capsys.readouterr().err
    assert (here / ".rtfsm" / "odd.json").exists()
