"""Tests of the Phonic adapter. Their helpers assert too, so their assertions get pytest's explanations."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(*(f"tests.adapter.{name}" for name in ("caller", "host", "play", "stage")))
