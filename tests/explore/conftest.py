"""One browser, and one run of the demo, for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtfsm.explore import page
from tests.demo.runs import demo, speech, write

from .browser import LACKING, MISSING, Browser, browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Skips where there is none; fails there if the environment variable CI is set."""
    if MISSING:
        if os.environ.get("CI"):
            pytest.fail(LACKING)
        pytest.skip(LACKING)
    yield from browser()


@pytest.fixture(scope="session")
def demo_trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``rtfsm demo`` recorded with a caller who says one thing."""
    out = tmp_path_factory.mktemp("demo")
    assert demo("--out", str(out), "--wav", write(out / "voice.wav", speech(0.5, 2.3))).status == 0
    return out / "trace.jsonl"


@pytest.fixture(scope="session")
def phonic_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of Phonic's machines."""
    file = tmp_path_factory.mktemp("page") / "machines.html"
    file.write_bytes(page().encode())
    return file


@pytest.fixture
def opened(chromium: Browser, phonic_page: Path) -> Iterator[Browser]:
    """The browser with a new page of Phonic's machines. Afterwards its console must be silent, and nothing but the page
    must have been asked for."""
    chromium.emulate(prefers_color_scheme="light")
    chromium.open(phonic_page)
    yield chromium
    assert chromium.logs() == []
    assert chromium.requests() == [phonic_page.as_uri()]
