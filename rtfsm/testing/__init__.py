"""Tools to test realtime agents: scripted providers, virtual time, a headless AgentSession.

They need ``pip install 'rtfsm[phonic,test]'``. Names are loaded when they are asked for, so that one tool does not cost
the imports of all.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .headless import Microphone, Speaker, headless_session
    from .log_watch import LogWatch
    from .openai_server import OpenAIServer
    from .phonic_server import PhonicServer
    from .virtual_time import run

__all__ = ["LogWatch", "Microphone", "OpenAIServer", "PhonicServer", "Speaker", "headless_session", "run"]

_HOMES = {
    "LogWatch": "log_watch",
    "Microphone": "headless",
    "OpenAIServer": "openai_server",
    "PhonicServer": "phonic_server",
    "Speaker": "headless",
    "headless_session": "headless",
    "run": "virtual_time",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
