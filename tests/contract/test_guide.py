"""The code of docs/contract.md does what it says, with the minimal session in the place of one's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rtfsm.testing.contract import PROBES
from rtfsm.testing.virtual_time import run
from tests.contract.broken import BROKEN
from tests.contract.minimal import CAPABILITIES, MinimalModel, MinimalSession
from tests.contract.minimal_stage import MinimalStage

GUIDE = Path(__file__).parents[2] / "docs" / "contract.md"
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)
CHOSEN = [
    probe for probe in PROBES if probe.name in ("generations-end", "interrupting-twice-is-once", "no-empty-words")
]


class MyServer:
    url = "ws://127.0.0.1"

    async def __aenter__(self) -> MyServer:
        return self

    async def __aexit__(self, *_: object) -> None: ...


def names(session: type[MinimalSession]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "MyServer": MyServer,
        "MyModel": lambda base_url: MinimalModel(session, CAPABILITIES),
        "MyStage": lambda model, server: MinimalStage(model),
    }
    for block in BLOCKS:
        exec(block, found)
    return found


def test_a_model_that_keeps_the_contract_passes_what_the_guide_shows() -> None:
    found = names(MinimalSession) | {"PROBES": CHOSEN}
    exec(BLOCKS[0].partition("def test_")[1] + BLOCKS[0].partition("def test_")[2], found)
    found["test_the_contract_is_kept"]()


def test_a_model_that_breaks_it_fails() -> None:
    (probe,) = (one for one in PROBES if one.name == "generations-end")
    found = names(BROKEN[probe.name]) | {"PROBES": [probe]}
    exec(BLOCKS[0].partition("def test_")[1] + BLOCKS[0].partition("def test_")[2], found)
    with pytest.raises(AssertionError):
        found["test_the_contract_is_kept"]()


def test_a_witness_judges_an_ordering_of_ones_own() -> None:
    async def ordering(session: Any) -> None:
        session.interrupt()

    async def main() -> list[Any]:
        findings: list[Any] = await names(MinimalSession)["watched"](
            MinimalModel(MinimalSession, CAPABILITIES), ordering
        )
        return findings

    assert run(main()) == []
