"""Make pydantic models ask for the time when they need it.

``Field(default_factory=time.time)`` keeps the function of the moment of import, so that under another clock half of a
history bears the time of one clock and half that of the other. LiveKit sorts histories by that time
(livekit-agents 1.8.9, ``llm/chat_context.py``): a user's message would always come last.
"""

from __future__ import annotations

import inspect
import time
from types import ModuleType

from pydantic import BaseModel


def _now() -> float:
    return time.time()


def ask_the_time_late(*modules: ModuleType) -> None:
    """Let the models defined in these modules look ``time.time`` up on every use: no change under the real clock."""
    for module in modules:
        for model in list(vars(module).values()):
            if inspect.isclass(model) and issubclass(model, BaseModel) and model.__module__ == module.__name__:
                _rebuild(model)


def _rebuild(model: type[BaseModel]) -> None:
    early = [field for field in model.model_fields.values() if getattr(field.default_factory, "__name__", "") == "time"]
    for field in early:
        field.default_factory = _now
    if early:
        model.model_rebuild(force=True)
