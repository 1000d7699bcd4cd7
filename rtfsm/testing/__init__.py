"""Tools to test realtime agents: scripted providers, virtual time, a headless AgentSession, a fuzzer of orderings.

They need ``pip install 'rtfsm[phonic,test]'``. Names are loaded when they are asked for, so that one tool does not cost
the imports of all.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtfsm.fuzz.strategies import orderings

    from .fuzzing import FuzzReport, Move, Ordering, assert_ordering_holds, fuzz, play_ordering
    from .headless import Microphone, Speaker, headless_session
    from .log_watch import LogWatch
    from .openai_server import OpenAIServer
    from .phonic_server import PhonicServer
    from .virtual_time import run

__all__ = [
    "FuzzReport",
    "LogWatch",
    "Microphone",
    "Move",
    "OpenAIServer",
    "Ordering",
    "PhonicServer",
    "Speaker",
    "assert_ordering_holds",
    "fuzz",
    "headless_session",
    "orderings",
    "play_ordering",
    "run",
]

_HOMES = {
    "FuzzReport": "rtfsm.testing.fuzzing",
    "LogWatch": "rtfsm.testing.log_watch",
    "Microphone": "rtfsm.testing.headless",
    "Move": "rtfsm.fuzz.moves",
    "OpenAIServer": "rtfsm.testing.openai_server",
    "Ordering": "rtfsm.fuzz.moves",
    "PhonicServer": "rtfsm.testing.phonic_server",
    "Speaker": "rtfsm.testing.headless",
    "assert_ordering_holds": "rtfsm.testing.fuzzing",
    "fuzz": "rtfsm.testing.fuzzing",
    "headless_session": "rtfsm.testing.headless",
    "orderings": "rtfsm.fuzz.strategies",
    "play_ordering": "rtfsm.testing.fuzzing",
    "run": "rtfsm.testing.virtual_time",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
