"""Ours can stand where livekit-plugins-openai 1.8.9 stood: the same names, keywords and capabilities."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from livekit.plugins.openai import realtime as official

from rtfsm.adapters import openai as ours


def _parameters(function: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """name -> (kind, default)"""
    return {name: (one.kind, one.default) for name, one in inspect.signature(function).parameters.items()}


@pytest.mark.parametrize("method", ["__init__", "with_azure", "update_options", "session"])
def test_the_model_takes_the_same_keywords(method: str) -> None:
    mine = _parameters(getattr(ours.RealtimeModel, method))
    assert mine == _parameters(getattr(official.RealtimeModel, method))


def test_the_session_takes_the_same_options() -> None:
    mine = _parameters(ours.RealtimeSession.update_options)
    assert mine == _parameters(official.RealtimeSession.update_options)


def test_every_public_method_of_theirs_takes_the_same_arguments_here() -> None:
    for owner in ("RealtimeModel", "RealtimeSession"):
        mine, theirs = getattr(ours, owner), getattr(official, owner)
        own = [vars(one) for one in theirs.__mro__ if one.__module__.endswith("_realtime.openai")]
        names = [name for one in own for name, value in one.items() if not name.startswith("_") and callable(value)]
        assert len(names) >= 3
        for name in names:
            assert list(_parameters(getattr(mine, name))) == list(_parameters(getattr(theirs, name))), name


CHOICES: list[dict[str, Any]] = [
    {},
    {"modalities": ["text"]},
    {"turn_detection": None},
    {"input_audio_transcription": None},
    {"base_url": "https://gateway.example.com/v1"},
]


@pytest.mark.parametrize("options", CHOICES, ids=str)
def test_the_capabilities_are_equal(options: dict[str, Any]) -> None:
    mine = ours.RealtimeModel(api_key="key", **options)
    theirs = official.RealtimeModel(api_key="key", **options)
    assert dataclasses.asdict(mine.capabilities) == dataclasses.asdict(theirs.capabilities)
    assert (mine.model, mine.provider) == (theirs.model, theirs.provider)


def test_azures_capabilities_are_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_VERSION", raising=False)
    azure: dict[str, Any] = {
        "azure_deployment": "mine",
        "azure_endpoint": "https://me.openai.azure.com",
        "api_key": "k",
    }
    mine = ours.RealtimeModel.with_azure(**azure)
    theirs = official.RealtimeModel.with_azure(**azure)
    assert dataclasses.asdict(mine.capabilities) == dataclasses.asdict(theirs.capabilities)
