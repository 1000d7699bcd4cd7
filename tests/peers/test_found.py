"""What the fuzzer found in the official plugins is still there, and is not in ours."""

from __future__ import annotations

import pytest

from .found import FOUND, Found


@pytest.mark.parametrize("found", FOUND, ids=lambda one: one.title.replace(" ", "-"))
def test_what_was_found_breaks_the_official_plugin_and_not_ours(found: Found) -> None:
    assert found.law in found.laws_broken(ours=False)
    assert found.laws_broken(ours=True) == set()
