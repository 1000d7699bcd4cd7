"""The judges under any ordering, the outcomes of a probe, and the page that is made of them."""

from __future__ import annotations

import asyncio

import pytest

from rtfsm.testing.contract import (
    PROBES,
    WATCHES,
    NotExercised,
    Outcome,
    Probe,
    Result,
    Scene,
    Stage,
    Witness,
    conformance,
    judge,
    perform,
)
from rtfsm.testing.virtual_time import run
from tests.contract.broken import BROKEN
from tests.contract.minimal import MinimalModel, MinimalSession
from tests.contract.minimal_stage import MinimalStage, minimal

STEPS = {
    "the agent begins": lambda stage: stage.agent_starts(),
    "the agent speaks": lambda stage: stage.agent_says("words "),
    "the agent ends": lambda stage: stage.agent_finishes(),
    "the user begins": lambda stage: stage.user_starts(),
    "the user ends": lambda stage: stage.user_stops(),
    "a transcript": lambda stage: stage.user_says("words"),
    "a drop": lambda stage: stage.drops(for_good=False),
}


def _found(session: type[MinimalSession], *steps: str) -> set[str]:
    """The watches that find something, during an ordering, at rest or after the close."""

    async def main() -> set[str]:
        stage: Stage = MinimalStage(MinimalModel(session))
        scene = Scene(stage)
        await scene.begins()
        found = set()
        for step in steps:
            await STEPS[step](stage)
            await stage.settle()
            found |= {finding.probe for finding in judge(scene.witness, WATCHES)}
        await stage.settle(60.0)
        await scene.witness.at_rest()
        found |= {finding.probe for finding in judge(scene.witness, WATCHES)}
        await scene.ends()
        await scene.dissolves()
        return found | {finding.probe for finding in judge(scene.witness, WATCHES)}

    return run(main(), leftover="cancel")


TALK = ("the agent begins", "the agent speaks", "the user begins", "the agent speaks", "the user ends", "a transcript")


@pytest.mark.parametrize("first", range(len(TALK)))
def test_no_watch_finds_anything_in_a_correct_session_whatever_the_order(first: int) -> None:
    steps = TALK[first:] + TALK[:first]
    assert _found(MinimalSession, *steps, "a drop", *steps, "the agent ends", "the user ends") == set()


def test_a_watch_finds_its_mistake_in_an_ordering_that_is_not_its_story() -> None:
    late = BROKEN["a-barge-in-ends-generations-at-once"]
    assert _found(late, *TALK) == {"a-barge-in-ends-generations-at-once"}


def test_a_drill_cannot_judge_an_ordering() -> None:
    async def main() -> None:
        witness = Witness(MinimalModel(MinimalSession).session())
        drill = next(probe for probe in PROBES if not probe.is_watch)
        with pytest.raises(ValueError, match="is a drill"):
            judge(witness, [drill])
        await witness.close()
        await witness.leave()

    run(main())


def test_a_probe_whose_occasion_did_not_come_is_not_exercised() -> None:
    async def nothing_happens(scene: Scene) -> None:
        await scene.begins()
        await scene.rests()

    watch = next(probe for probe in PROBES if probe.name == "no-empty-words")
    idle = Probe(watch.clause, watch.name, watch.text, nothing_happens, watch.judge)
    assert perform(idle, minimal()) == Result(watch.name, Outcome.NOT_EXERCISED, "there was no text")

    async def gives_up(scene: Scene) -> None:
        raise NotExercised("it was too early")

    drill = Probe(1, "early", "Nothing.", gives_up)
    assert perform(drill, minimal()) == Result("early", Outcome.NOT_EXERCISED, "it was too early")


def test_what_a_session_raises_is_named_and_not_repeated() -> None:
    async def fails(scene: Scene) -> None:
        raise ConnectionError("the key is 0123")

    result = perform(Probe(1, "fails", "Nothing.", fails), minimal())
    assert result.outcome is Outcome.BROKEN
    assert "ConnectionError" in result.detail
    assert "0123" not in result.detail


def test_a_run_that_never_ends_is_broken() -> None:
    async def hangs(scene: Scene) -> None:
        await asyncio.get_running_loop().create_future()

    result = perform(Probe(1, "hangs", "Nothing.", hangs), minimal())
    assert result.outcome is Outcome.BROKEN
    assert "VirtualDeadlock" in result.detail


def test_words_never_show_in_what_a_witness_remembers() -> None:
    async def main() -> None:
        stage = MinimalStage(MinimalModel(MinimalSession))
        scene = Scene(stage)
        await scene.begins()
        await scene.agent("Spoken in private.")
        await scene.user("Said in private.")
        seen = scene.witness
        assert seen.generations[0].words == "Spoken in private."
        assert "private" not in repr([seen.told, seen.generations, seen.messages, seen.requests, seen.called])
        await scene.ends()
        await scene.dissolves()

    run(main())


def test_the_page_has_a_row_for_every_clause_and_a_cell_for_every_model() -> None:
    some = [Result(PROBES[0].name, Outcome.HELD), Result(PROBES[1].name, Outcome.BROKEN, "expected more; saw less")]
    page = conformance({"mine": some, "theirs": []})
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert all(any(row.startswith(f"| {number}. ") for row in rows) for number in range(1, 83))
    assert f"`{PROBES[0].name}` | held |" in page
    assert f"`{PROBES[1].name}` | **broken** |" in page
    assert f"- `{PROBES[1].name}`, broken: expected more; saw less" in page
    assert all(f"`{probe.name}`" in page for probe in PROBES)
