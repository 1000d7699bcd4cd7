"""One browser for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from .browser import LACKING, MISSING, Browser, browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Skips where there is none; fails there if the environment variable CI is set."""
    if MISSING:
        if os.environ.get("CI"):
            pytest.fail(LACKING)
        pytest.skip(LACKING)
    yield from browser()
