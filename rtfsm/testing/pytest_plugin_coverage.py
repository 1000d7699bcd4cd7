"""``--rtfsm-coverage``: how much of the tables the suite walks through. Nothing is loaded unless it is asked for."""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .coverage import Recorder, Share

__all__ = ["add_options", "configure"]

NAME = "rtfsm-coverage-of-tables"


def add_options(group: pytest.OptionGroup) -> None:
    """The options ``--rtfsm-coverage...``."""
    group.addoption("--rtfsm-coverage", action="store_true", help="report which cells, arms and pairs the tests cover")
    group.addoption(
        "--rtfsm-coverage-machine",
        metavar="M",
        default="all",
        help="MODULE:NAME for a machine of your own, the name of a shipped one, or all (default)",
    )
    group.addoption(
        "--rtfsm-coverage-profile", metavar="P", default=None, help="tables of this profile; of every one by default"
    )
    group.addoption("--rtfsm-coverage-missing", action="store_true", help="name the arms that no test takes")
    group.addoption("--rtfsm-coverage-pairs", action="store_true", help="name the missing pairs of arms too")
    group.addoption(
        "--rtfsm-coverage-min",
        metavar="PCT",
        type=_percentage,
        default=None,
        help="fail where less than this share of the arms is covered",
    )


def _percentage(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise pytest.UsageError(f"--rtfsm-coverage-min: {text!r} is no percentage; give a number from 0 to 100")
    return value


def configure(config: pytest.Config) -> None:
    """Begin to record, where it is asked for."""
    wanted = config.getoption("--rtfsm-coverage") or config.getoption("--rtfsm-coverage-min") is not None
    if wanted:
        if config.getoption("numprocesses", None) or hasattr(config, "workerinput"):
            raise pytest.UsageError("--rtfsm-coverage: what is covered is counted in one process; run with -n 0")
        config.pluginmanager.register(_Coverage(config), NAME)


class _Coverage:
    """Records from here to the end of the run, and reports."""

    def __init__(self, config: pytest.Config) -> None:
        from rtfsm.language import Driver
        from rtfsm.targets import UsageError, find_targets

        from .coverage import Recorder

        self.machine: str = config.getoption("--rtfsm-coverage-machine")
        self.profile: str | None = config.getoption("--rtfsm-coverage-profile")
        self.minimum: float | None = config.getoption("--rtfsm-coverage-min")
        self.missing: bool = config.getoption("--rtfsm-coverage-missing")
        self.pairs: bool = config.getoption("--rtfsm-coverage-pairs")
        try:
            find_targets(self.machine, self.profile)
        except (UsageError, KeyError) as error:
            raise pytest.UsageError(f"--rtfsm-coverage: {error}") from error
        self.recorder: Recorder = Recorder()
        self.shares: list[Share] = []
        self._recording = ExitStack()
        self._recording.enter_context(Driver.witnessed(self.recorder))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        from .coverage import percent, report

        self._recording.close()
        self.shares = report(self.recorder, self.machine, self.profile)
        if exitstatus == pytest.ExitCode.OK and self.minimum is not None and percent(self.shares) < self.minimum:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_unconfigure(self) -> None:
        self._recording.close()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        from .coverage import percent

        tell = terminalreporter
        tell.section("coverage of tables")
        tell.write_line(f"{'':34}{'cells':>12}{'arms':>12}{'pairs':>14}")
        for title, group in itertools.groupby(self.shares, key=lambda share: (share.profile, share.machine)):
            shares = list(group)
            name = " ".join(part for part in title if part)
            self._row(tell, name, shares)
            for share in shares:
                self._row(tell, f"  {share.state}", [share])
                for words in (*(share.missing if self.missing else ()), *(share.missing_pairs if self.pairs else ())):
                    tell.write_line(f"      missing: {words}")
        reached = percent(self.shares)
        tell.write_line(f"{reached:.1f} % of the arms that can be taken are covered")
        if self.minimum is not None and reached < self.minimum:
            tell.write_line(f"FAILED: --rtfsm-coverage-min asks for {self.minimum:g} %", red=True)

    def _row(self, tell: Any, name: str, shares: list[Share]) -> None:
        counted = [_sum(share.cells for share in shares), _sum(share.arms for share in shares)]
        counted.append(_sum(share.pairs for share in shares))
        columns = [f"{taken}/{feasible}" for taken, feasible in counted]
        tell.write_line(f"{name:34}{columns[0]:>12}{columns[1]:>12}{columns[2]:>14}")


def _sum(pairs: Any) -> tuple[int, int]:
    listed = list(pairs)
    return sum(taken for taken, _ in listed), sum(feasible for _, feasible in listed)
