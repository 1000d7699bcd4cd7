"""Ours can stand where livekit-plugins-phonic 1.8.9 stood: the same names, signatures and capabilities."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from livekit.plugins.phonic import realtime as official

from rtfsm.adapters import phonic as ours


def _parameters(function: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """name -> (kind, default)"""
    return {name: (one.kind, one.default) for name, one in inspect.signature(function).parameters.items()}


def test_every_public_name_is_here_too() -> None:
    assert set(official.__all__) <= set(ours.__all__)
    assert all(hasattr(ours, name) for name in ours.__all__)


def test_the_model_takes_the_same_keywords_and_three_more() -> None:
    mine, theirs = _parameters(ours.RealtimeModel.__init__), _parameters(official.RealtimeModel.__init__)
    assert set(mine) - set(theirs) == {"base_url", "barge_in", "say_interruptible"}
    assert {name: mine[name] for name in theirs} == theirs


@pytest.mark.parametrize("owner", ["RealtimeModel", "RealtimeSession"])
def test_update_options_takes_the_same_keywords(owner: str) -> None:
    mine = _parameters(getattr(ours, owner).update_options)
    assert mine == _parameters(getattr(official, owner).update_options)


def test_every_public_method_of_theirs_takes_the_same_arguments_here() -> None:
    for owner in ("RealtimeModel", "RealtimeSession"):
        mine, theirs = getattr(ours, owner), getattr(official, owner)
        names = [name for name, value in vars(theirs).items() if not name.startswith("_") and callable(value)]
        assert len(names) >= 3
        for name in names:
            assert list(_parameters(getattr(mine, name))) == list(_parameters(getattr(theirs, name))), name


def test_the_capabilities_are_equal() -> None:
    mine = ours.RealtimeModel(api_key="key")
    theirs = official.RealtimeModel(api_key="key")
    assert dataclasses.asdict(mine.capabilities) == dataclasses.asdict(theirs.capabilities)
    assert (mine.model, mine.provider) == (theirs.model, theirs.provider)
