"""A pytest plugin: fixtures for voice agents, a marker that fuzzes a realtime model, and the coverage of tables.

Nothing heavy is loaded for a run that uses none of it.
"""

from __future__ import annotations

import pytest

from . import pytest_plugin_coverage as coverage
from . import pytest_plugin_fuzz as fuzz
from .pytest_plugin_fixtures import headless_agent, phonic_server, virtual_time
from .pytest_plugin_fuzz import fuzz_report

__all__ = [
    "fuzz_report",
    "headless_agent",
    "phonic_server",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_runtest_call",
    "virtual_time",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rtfsm", "state machines of realtime voice agents")
    coverage.add_options(group)
    fuzz.add_options(group)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", fuzz.MARKER)
    coverage.configure(config)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    fuzz.look_over(items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    fuzz.fail_where_it_fails(item)
