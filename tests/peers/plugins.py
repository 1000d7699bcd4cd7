"""The plugins that stories are played with: ours, the official one, and one that does nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import attrs
from livekit.agents import llm

from rtfsm.adapters import phonic as ours

from .deaf import DeafModel

__all__ = ["DEAF", "KEY", "OURS", "THEIRS", "Plugin"]

KEY = "ph_secret_0123456789"


@attrs.frozen
class Plugin:
    """open: given the address of a server and the model's options, the model, for as long as it is needed."""

    name: str
    open: Callable[[str, Mapping[str, Any]], AbstractContextManager[llm.RealtimeModel]]


@contextmanager
def _ours(url: str, options: Mapping[str, Any]) -> Iterator[llm.RealtimeModel]:
    yield ours.RealtimeModel(api_key=KEY, base_url=url, **options)


@contextmanager
def _theirs(url: str, options: Mapping[str, Any]) -> Iterator[llm.RealtimeModel]:
    """livekit-plugins-phonic 1.8.9 takes no address, so the SDK's default environment is bent for a while."""
    # Here, since the tests need only ours.
    from livekit.plugins.phonic.realtime import RealtimeModel
    from phonic.environment import PhonicEnvironment

    real = PhonicEnvironment.DEFAULT.production
    PhonicEnvironment.DEFAULT.production = url
    try:
        yield RealtimeModel(api_key=KEY, **options)
    finally:
        PhonicEnvironment.DEFAULT.production = real


@contextmanager
def _deaf(url: str, options: Mapping[str, Any]) -> Iterator[llm.RealtimeModel]:
    yield DeafModel(url, KEY)


OURS = Plugin("ours", _ours)
THEIRS = Plugin("theirs", _theirs)
DEAF = Plugin("deaf", _deaf)
"""Connects, sends its configuration, and does nothing more. A story that it passes proves nothing."""
