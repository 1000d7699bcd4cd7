"""The marker ``rtfsm_fuzz``: a test that fuzzes a realtime model, and fails with the shortest orderings.

    @pytest.mark.rtfsm_fuzz("my_plugin.realtime:RealtimeModel", provider="phonic", seconds=10)
    def test_it_survives_any_order_of_events():
        pass

Failures are kept, and played first from then on. With the fixture ``fuzz_report`` the test judges for itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

if TYPE_CHECKING:
    from .fuzzing import FuzzReport

__all__ = ["MARKER", "add_options", "fail_where_it_fails", "fuzz_report", "look_over"]

MARKER = (
    "rtfsm_fuzz(target, *, provider=None, host='direct', seed=0, seconds=None, max_examples=None): fuzz the order of "
    "events against the realtime model module:Factory; fails with the shortest orderings that it does not survive"
)
USAGE = "write @pytest.mark.rtfsm_fuzz('module:Factory', provider='phonic', seconds=10)"
FOLDER = ".rtfsm"


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "a text"


def _whole(value: Any) -> str | None:
    return None if isinstance(value, int) and not isinstance(value, bool) else "a whole number"


def _above_zero(value: Any) -> str | None:
    a_number = isinstance(value, int | float) and not isinstance(value, bool)
    return None if a_number and 0 < value < math.inf else "a number above 0"


def _count(value: Any) -> str | None:
    return _whole(value) or (None if value > 0 else "a number from 1 on")


CHECKS = {"provider": _text, "host": _text, "seed": _whole, "seconds": _above_zero, "max_examples": _count}


@attrs.frozen
class _Wanted:
    """What a test's marker asks for."""

    target: str
    options: dict[str, Any]


WANTED = pytest.StashKey[_Wanted]()


def add_options(group: pytest.OptionGroup) -> None:
    """The options ``--rtfsm-fuzz...``; they win over the markers."""
    group.addoption("--rtfsm-fuzz-seed", metavar="N", type=int, default=None, help="seed of every rtfsm_fuzz test")
    group.addoption(
        "--rtfsm-fuzz-seconds", metavar="S", type=_seconds, default=None, help="how long each rtfsm_fuzz test searches"
    )
    group.addoption(
        "--rtfsm-fuzz-store", metavar="DIR", default=None, help=f"where failures are kept; {FOLDER} in the root"
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if _above_zero(value):
        raise pytest.UsageError(f"--rtfsm-fuzz-seconds: {text!r} is no number of seconds above 0")
    return value


def look_over(items: Iterable[pytest.Item]) -> None:
    """Read every marker, so that a wrong one is told before any test runs. Raises UsageError that names the test."""
    for item in items:
        marker = item.get_closest_marker("rtfsm_fuzz")
        if marker is not None:
            item.stash[WANTED] = _read(item.nodeid, marker)


def _read(where: str, marker: pytest.Mark) -> _Wanted:
    if len(marker.args) != 1 or not isinstance(marker.args[0], str) or ":" not in marker.args[0]:
        raise pytest.UsageError(f"{where}: rtfsm_fuzz takes the name of one target; {USAGE}")
    for name, value in marker.kwargs.items():
        if name not in CHECKS:
            raise pytest.UsageError(f"{where}: rtfsm_fuzz has no {name!r}; it takes {', '.join(CHECKS)}")
        expected = None if value is None else CHECKS[name](value)
        if expected:
            raise pytest.UsageError(f"{where}: rtfsm_fuzz: {name} is {value!r}; expected {expected}")
    return _Wanted(marker.args[0], {name: value for name, value in marker.kwargs.items() if value is not None})


@pytest.fixture
def fuzz_report(request: pytest.FixtureRequest) -> FuzzReport:
    """What came of the search that the test's marker ``rtfsm_fuzz`` asks for; the test judges."""
    node = request.node
    if WANTED not in node.stash:
        pytest.fail(f"the fixture fuzz_report needs a marker at the test: {USAGE}", pytrace=False)
    return _fuzzed(node)


def fail_where_it_fails(item: pytest.Item) -> None:
    """Fuzz before the body of a marked test, and fail it, unless it asks for the report."""
    if WANTED in item.stash and "fuzz_report" not in getattr(item, "fixturenames", ()):
        report = _fuzzed(item)
        if report.failures:
            pytest.fail(str(report), pytrace=False)


def _fuzzed(item: pytest.Item) -> FuzzReport:
    from rtfsm.targets import UsageError

    from .fuzzing import fuzz

    wanted, config = item.stash[WANTED], item.config
    options = dict(wanted.options)
    for name in ("seed", "seconds"):
        given = config.getoption(f"--rtfsm-fuzz-{name}")
        if given is not None:
            options[name] = given
    store = config.getoption("--rtfsm-fuzz-store")
    folder = config.rootpath / FOLDER if store is None else config.invocation_params.dir / Path(store)
    try:
        report = fuzz(wanted.target, store=folder, **options)
    except UsageError as error:
        pytest.fail(f"rtfsm_fuzz: {error}", pytrace=False)
    item.user_properties.append(("rtfsm_fuzz_seed", report.seed))
    item.add_report_section("call", "rtfsm_fuzz", str(report))
    return report
