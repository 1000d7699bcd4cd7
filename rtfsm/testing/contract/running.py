"""Runs probes, in virtual time; and lets the watches judge what a session did under any other ordering."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import attrs

from rtfsm.testing.virtual_time import VirtualTimeError, run

from .probe import Broken, NotApplicable, NotExercised, Outcome, Probe, Result
from .scene import Scene
from .stage import OpenStage
from .witness import Witness

__all__ = ["Finding", "judge", "perform", "unreadable"]

LIMIT = 3600.0
"""Virtual seconds that a probe may take."""


@attrs.frozen
class Finding:
    """A watch found something wrong."""

    clause: int
    probe: str
    detail: str

    def __str__(self) -> str:
        return f"clause {self.clause}, {self.probe}: {self.detail}"


def judge(witness: Witness, watches: Iterable[Probe]) -> list[Finding]:
    """What these watches find wrong in what the witness saw so far.

    Call it at any moment; most is judged once the witness was told that the session rests (``at_rest``) or has closed
    it. What does not apply to the model, or did not happen, is left out.
    """
    findings = []
    capabilities = witness.session.capabilities
    for watch in watches:
        if watch.judge is None:
            raise ValueError(f"{watch.name} is a drill: it has a story of its own, and judges no other")
        if watch.not_applicable(capabilities):
            continue
        try:
            findings += [Finding(watch.clause, watch.name, detail) for detail in watch.judge(witness)]
        except (NotExercised, NotApplicable):
            continue
        except Exception as error:
            # Only the type: what the session told may hold words.
            findings.append(Finding(watch.clause, watch.name, unreadable(error)))
    return findings


def unreadable(error: Exception) -> str:
    """What is wrong where judging what a session told came upon something that LiveKit's types do not allow."""
    return f"expected what LiveKit's types allow; judging what was told raised {type(error).__name__}"


def perform(probe: Probe, open_stage: OpenStage) -> Result:
    """Run one probe on a fresh stage, in virtual time."""
    try:
        return run(_undisturbed(probe, open_stage), limit=LIMIT, leftover="cancel")
    except VirtualTimeError as error:
        return Result(
            probe.name, Outcome.BROKEN, f"expected the run to come to its end; it ended in {type(error).__name__}"
        )


async def _undisturbed(probe: Probe, open_stage: OpenStage) -> Result:
    """What a session forgot in its tasks shows when they are collected; no probe asks for that."""
    result = await _perform(probe, open_stage)
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    return result


async def _perform(probe: Probe, open_stage: OpenStage) -> Result:
    try:
        async with open_stage() as stage:
            reason = probe.not_applicable(stage.model.capabilities)
            if reason:
                return Result(probe.name, Outcome.NOT_APPLICABLE, reason)
            scene = Scene(stage, probe.judge)
            try:
                await probe.story(scene)
            finally:
                await scene.ends()
        await scene.dissolves()
    except NotApplicable as reason:
        return Result(probe.name, Outcome.NOT_APPLICABLE, str(reason))
    except NotExercised as missing:
        return Result(probe.name, Outcome.NOT_EXERCISED, str(missing))
    except Broken as broken:
        return Result(probe.name, Outcome.BROKEN, str(broken))
    except Exception as error:
        # Only the type: what a session raises may hold words or a key.
        return Result(
            probe.name, Outcome.BROKEN, f"expected the story to go on; it broke off with {type(error).__name__}"
        )
    if scene.findings:
        return Result(probe.name, Outcome.BROKEN, scene.findings[0])
    if probe.is_watch and not scene.judged:
        return Result(probe.name, Outcome.NOT_EXERCISED, scene.missing)
    return Result(probe.name, Outcome.HELD)
