"""Names that a page leaves to its reader, with something of ours in their place."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from rtfsm.adapters.phonic import RealtimeModel
from tests.contract.minimal import CAPABILITIES, MinimalModel, MinimalSession
from tests.contract.minimal_stage import MinimalStage

__all__ = ["MODULES", "STAND_INS"]


class MyServer:
    """A provider of one's own."""

    url = "ws://127.0.0.1"

    async def __aenter__(self) -> MyServer:
        return self

    async def __aexit__(self, *_: object) -> None: ...


STAND_INS: Mapping[str, Mapping[str, object]] = {
    "docs/contract.md": {
        "MyServer": MyServer,
        "MyModel": lambda base_url: MinimalModel(MinimalSession, CAPABILITIES),
        "MyStage": lambda model, server: MinimalStage(model),
    }
}


def _plugin() -> ModuleType:
    module = ModuleType("my_plugin.realtime")
    module.__dict__.update(RealtimeModel=RealtimeModel, Options=dict)
    return module


MODULES: Mapping[str, tuple[ModuleType, ...]] = {"docs/fuzz.md": (ModuleType("my_plugin"), _plugin())}
