"""The pytest plugin: a marker that fuzzes, its report, its errors, and the fixtures for voice agents."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from rtfsm.fuzz.store import load

from .wrong import SWITCH

pytest_plugins = ["pytester"]

INSTALLED = any(one.value == "rtfsm.testing.pytest_plugin" for one in entry_points(group="pytest11"))
PLUGIN = [] if INSTALLED else ["-p", "rtfsm.testing.pytest_plugin"]
GUIDE = Path(__file__).parents[2] / "docs" / "fuzz.md"
PLUGIN_OF_MINE = "from rtfsm.adapters.phonic import RealtimeModel\n"


def run(pytester: pytest.Pytester, source: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(source)
    return pytester.runpytest_inprocess("--strict-markers", "-p", "no:cacheprovider", *PLUGIN, *options)


def marked(target: str = "tests.fuzz.wrong:Wrong", body: str = "pass", takes: str = "", **options: Any) -> str:
    given = "".join(f", {name}={value!r}" for name, value in {"seed": 3, "max_examples": 60, **options}.items())
    return (
        "import pytest\n\n"
        f"@pytest.mark.rtfsm_fuzz({target!r}, provider='phonic'{given})\n"
        f"def test_any_order({takes}):\n    {body}\n"
    )


def stored(pytester: pytest.Pytester) -> list[Path]:
    return sorted((pytester.path / ".rtfsm").glob("*.json"))


# -- the marker ----------------------------------------------------------------------------------------------------


def test_a_model_that_is_wrong_fails_with_the_shortest_ordering_and_the_command(pytester: pytest.Pytester) -> None:
    result = run(pytester, marked(body="raise RuntimeError('the body is not run')"))
    result.assert_outcomes(failed=1)
    (path,) = stored(pytester)
    assert load(path).target == "tests.fuzz.wrong:Wrong"
    result.stdout.fnmatch_lines(
        [
            "tests.fuzz.wrong:Wrong: 1 failure; * orderings of *; seed 3",
            "1. asking-never-raises (clause 6 of LiveKit's contract)",
            "   generate_reply() and say() return a future in every state and never raise.",
            "   expected *",
            "   shortest ordering: 1 move",
            "      1  host   asks",
            f"   Reproduce with: rtfsm replay .rtfsm/{path.name}",
        ]
    )
    result.stdout.no_fnmatch_line("*Captured log*")
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin_fuzz.py*")


def test_saved_failures_are_played_first_and_forgotten_when_they_are_mended(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(pytester, marked()).assert_outcomes(failed=1)
    (path,) = stored(pytester)
    again = run(pytester, marked())
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["tests.fuzz.wrong:Wrong: 1 failure, 1 of them known; 60 orderings of *"])
    assert stored(pytester) == [path]
    monkeypatch.setenv(SWITCH, "1")
    mended = run(pytester, marked(seed=1, max_examples=1), "-rP")
    mended.assert_outcomes(passed=1)
    mended.stdout.fnmatch_lines([f"healed: {path.stem}"])
    assert stored(pytester) == []


def test_a_model_that_is_right_passes_and_the_body_is_run(pytester: pytest.Pytester) -> None:
    source = marked("tests.fuzz.wrong:Fine", body="print('the body', word)", takes="word")
    result = run(pytester, source + "\n\n@pytest.fixture\ndef word():\n    return 'ran'\n", "-rP")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["tests.fuzz.wrong:Fine: nothing found; 60 orderings of *; seed 3", "the body ran"])
    assert not (pytester.path / ".rtfsm").exists()


def test_a_test_that_takes_the_report_judges_for_itself(pytester: pytest.Pytester) -> None:
    body = "assert fuzz_report.laws == ('asking-never-raises',) and fuzz_report.path(fuzz_report.failures[0]).exists()"
    run(pytester, marked(body=body, takes="fuzz_report")).assert_outcomes(passed=1)
    assert len(stored(pytester)) == 1


def test_a_unittest_is_fuzzed_too(pytester: pytest.Pytester) -> None:
    source = marked(takes="self").replace("import pytest\n\n", "").replace("\n", "\n    ")
    source = f"import pytest, unittest\n\nclass Test(unittest.TestCase):\n    {source}"
    result = run(pytester, source)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["1. asking-never-raises (clause 6 of LiveKit's contract)"])


def test_a_file_that_is_no_failure_is_named(pytester: pytest.Pytester) -> None:
    (pytester.path / ".rtfsm").mkdir()
    (pytester.path / ".rtfsm" / "notes.json").write_text("{}")
    result = run(pytester, marked("tests.fuzz.wrong:Fine", max_examples=1), "-rP")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["left alone: *notes.json holds no ordering; *"])


def test_the_report_needs_a_marker(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_it(fuzz_report): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*needs a marker at the test: write @pytest.mark.rtfsm_fuzz(*"])


def test_options_overrule_the_marker(pytester: pytest.Pytester) -> None:
    options = ("--rtfsm-fuzz-seed=4", "--rtfsm-fuzz-store=kept", "--junitxml=out.xml")
    result = run(pytester, marked(seed=3, max_examples=60), *options)
    result.stdout.fnmatch_lines(["tests.fuzz.wrong:Wrong: 1 failure; *; seed 4"])
    assert [one.name for one in (pytester.path / "kept").iterdir()] != []
    assert stored(pytester) == []
    assert '<property name="rtfsm_fuzz_seed" value="4"' in (pytester.path / "out.xml").read_text()


def test_the_marker_is_told_by_pytest(pytester: pytest.Pytester) -> None:
    run(pytester, "", "--markers").stdout.fnmatch_lines(["@pytest.mark.rtfsm_fuzz(target, *, provider=None, *"])


@pytest.mark.parametrize(
    ("marker", "complaint"),
    [
        ("()", "takes the name of one target"),
        ("('no_colon')", "takes the name of one target"),
        ("('m:F', 'phonic')", "takes the name of one target"),
        ("('m:F', second=3)", "has no 'second'; it takes provider, host, seed, seconds, max_examples"),
        ("('m:F', seconds=0)", "seconds is 0; expected a number above 0"),
        ("('m:F', seconds=float('nan'))", "seconds is nan; expected a number above 0"),
        ("('m:F', max_examples=1.5)", "max_examples is 1.5; expected a whole number"),
        ("('m:F', max_examples=0)", "max_examples is 0; expected a number from 1 on"),
        ("('m:F', seed='7')", "seed is '7'; expected a whole number"),
        ("('m:F', provider=7)", "provider is 7; expected a text"),
    ],
)
def test_a_wrong_marker_is_told_before_any_test_runs(pytester: pytest.Pytester, marker: str, complaint: str) -> None:
    source = f"import pytest\n\n@pytest.mark.rtfsm_fuzz{marker}\ndef test_it(): pass\n\ndef test_other(): pass\n"
    result = run(pytester, source)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    told = "\n".join(result.outlines + result.errlines)
    assert complaint in told
    assert "::test_it: rtfsm_fuzz" in told
    assert "passed" not in told


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (marked("no_such_module:Model"), "*rtfsm_fuzz: *no_such_module*"),
        (marked("tests.fuzz.wrong:Raises"), "*rtfsm_fuzz: *raised RuntimeError: no licence"),
        (marked("tests.fuzz.wrong:TakesNoAddress"), "*rtfsm_fuzz: *has no keyword base_url*"),
        (marked(host="nobody"), "*rtfsm_fuzz: host is 'nobody'; expected one of direct*"),
        (marked().replace("'phonic'", "'nobody'"), "*rtfsm_fuzz: there is no provider 'nobody'*"),
        (marked().replace("'phonic'", "None"), "*rtfsm_fuzz: nobody knows which provider*"),
    ],
)
def test_what_cannot_be_fuzzed_fails_in_one_line(pytester: pytest.Pytester, source: str, complaint: str) -> None:
    result = run(pytester, source)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([complaint])
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize("seconds", ["0", "-1", "many", "inf"])
def test_a_wrong_budget_on_the_command_line_is_refused(pytester: pytest.Pytester, seconds: str) -> None:
    result = run(pytester, "", f"--rtfsm-fuzz-seconds={seconds}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"{seconds!r} is no number of seconds above 0" in "\n".join(result.errlines)


def test_a_run_that_uses_none_of_it_loads_none_of_it(tmp_path: Path) -> None:
    heavy = ("livekit", "rtfsm.fuzz", "rtfsm.testing.fuzzing", "rtfsm.testing.headless", "numpy", "websockets")
    source = f"import sys\ndef test_it():\n    assert [name for name in {heavy!r} if name in sys.modules] == []\n"
    (tmp_path / "test_it.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PLUGIN]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


# -- fixtures, and the guide's tests -------------------------------------------------------------------------------

TALK = """
import asyncio
import logging
from rtfsm.adapters.phonic import RealtimeModel

def test_a_call(virtual_time, phonic_server, headless_agent):
    async def scenario(call):
        await call.handshake()
        SCENARIO

    async def story():
        async with phonic_server(scenario) as server:
            model = RealtimeModel(api_key="any", base_url=server.url)
            async with headless_agent(model) as call:
                await asyncio.sleep(1)
                STORY
        return "told"

    assert virtual_time(story()) == "told"
"""


def talk(scenario: str = "pass", story: str = "pass") -> str:
    return TALK.replace("SCENARIO", scenario).replace("STORY", story)


def test_a_call_in_virtual_time_needs_three_fixtures(pytester: pytest.Pytester) -> None:
    run(pytester, talk(story="await asyncio.sleep(1000)")).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (talk(scenario="raise RuntimeError('lost the thread')"), "*its scenario failed with RuntimeError: lost the*"),
        (talk(story="server.connections[0].protocol.receive('{}')"), "*1 things went wrong*"),
        (talk(story="logging.getLogger('livekit.agents').error('a bad line')"), "*a bad line*"),
        (talk(story="assert call.history() == 'something'"), "*assert [[][]] == 'something'*"),
        (talk(story="await asyncio.Event().wait()"), "*Virtual*"),
    ],
    ids=["scenario", "client", "log", "story", "endless"],
)
def test_what_goes_wrong_in_a_call_fails_the_test(pytester: pytest.Pytester, source: str, complaint: str) -> None:
    result = run(pytester, source)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([complaint])


def of_the_guide(word: str) -> Iterator[str]:
    found = [block for block in re.findall(r"```python\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL) if word in block]
    assert found
    yield from found


@pytest.mark.parametrize("word", ["def test_the_plugin", "fuzz_report", "@given", "virtual_time", "ORDERING"])
def test_the_guides_tests_are_tests(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in ("my_plugin", "wrong_plugin")]:
        monkeypatch.delitem(sys.modules, name)
    pytester.mkpydir("my_plugin")
    (pytester.path / "my_plugin" / "realtime.py").write_text(PLUGIN_OF_MINE)
    (pytester.path / "wrong_plugin.py").write_text(PLUGIN_OF_MINE)
    (source,) = of_the_guide(word)
    run(pytester, source, "--rtfsm-fuzz-seconds=0.3").assert_outcomes(passed=1)
