"""What 20 ms of received sound cost, from the frame that the socket gives to the frame taken from LiveKit's channel.

Run as ``python -m benchmarks.audio_path``, or ``make bench``. Times are CPU times of this process. The paths take
turns, so that whatever else the machine does meets all of them alike. What counts is the median.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import logging
import platform
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path as File

import attrs

from benchmarks.paths import Floor, Official, Ours, Path
from benchmarks.sessions import SessionCost, official_model, our_model, session_cost
from benchmarks.wire import CHUNK, chunk, message
from rtfsm.vocabulary.wire import AudioDelta

__all__ = ["QUICK", "TARGET", "Figures", "Plan", "SessionCost", "Spread", "check", "delivered", "main", "table"]

TARGET = 1 / 20
"""Ours may cost this much of the official plugin's path, on sound alone."""

AUDIO, WORD = "audio only", "audio with a word"
BEGIN = (message("assistant_started_speaking"), chunk(bytes(CHUNK), "Well"), chunk(bytes(CHUNK), ", then"))
END = (message("assistant_finished_speaking"),)
MOVING = (message("user_started_speaking"), message("input_cancelled"))
"""Two events, each of which changes a state and is told to LiveKit, and which leave everything as it was."""


@attrs.frozen
class Plan:
    """rounds: turns measured for each path and case. turn: chunks in a turn; 250 are 5 s of speech. sessions, seconds:
    how many at once, for how long. session_rounds: how often."""

    rounds: int = 40
    turn: int = 250
    sessions: int = 10
    seconds: float = 4.0
    session_rounds: int = 3


QUICK = Plan(rounds=3, turn=50, sessions=2, seconds=0.4, session_rounds=1)


@attrs.frozen
class Spread:
    """Microseconds for one message."""

    best: float
    median: float

    @staticmethod
    def of(samples: Sequence[float]) -> Spread:
        return Spread(min(samples), statistics.median(samples))


@attrs.frozen
class Figures:
    """Everything measured. messages: case -> path -> spread. moving: an event that changes a state, through engine,
    effects and invariants. asked, known: sound alone on our path, with the machines asked, and with their answer known
    beforehand. sessions: path -> cost."""

    messages: Mapping[str, Mapping[str, Spread]]
    moving: Spread
    asked: Spread
    known: Spread
    sessions: Mapping[str, SessionCost]
    versions: Mapping[str, str]

    def ratio(self, case: str) -> float:
        """How many times cheaper ours is than the official plugin's path."""
        paths = self.messages[case]
        return paths[Official.name].median / paths[Ours.name].median

    @property
    def met(self) -> bool:
        return self.ratio(AUDIO) >= 1 / TARGET

    @property
    def share(self) -> float:
        """The machines' part of our path, sound alone."""
        return 1 - self.known.median / self.asked.median


@contextlib.asynccontextmanager
async def _opened(*paths: Path) -> AsyncIterator[tuple[Path, ...]]:
    try:
        for path in paths:
            await path.open()
        yield paths
    finally:
        for path in paths:
            await path.close()


async def _cpu(path: Path, frames: Sequence[str]) -> float:
    """Microseconds a frame."""
    began = time.process_time_ns()
    await path.receive(frames)
    return (time.process_time_ns() - began) / len(frames) / 1000


async def messages(plan: Plan) -> Mapping[str, Mapping[str, Spread]]:
    """Every case on every path, in turns."""
    sound = bytes(range(240)) * (CHUNK // 240)
    cases = {AUDIO: [chunk(sound)] * plan.turn, WORD: [chunk(sound, " word")] * plan.turn}
    async with _opened(Ours(), Official(), Floor()) as paths:
        samples: dict[str, dict[str, list[float]]] = {case: {path.name: [] for path in paths} for case in cases}
        for _ in range(plan.rounds):
            gc.collect()
            for case, frames in cases.items():
                for path in paths:
                    await path.receive(BEGIN)
                    samples[case][path.name].append(await _cpu(path, frames))
                    await path.receive(END)
    return {case: {name: Spread.of(them) for name, them in found.items()} for case, found in samples.items()}


async def moving(plan: Plan) -> Spread:
    """Events that move a machine."""
    ours = Ours()
    async with _opened(ours):
        frames = MOVING * plan.turn
        before = ours.session.conversation.version
        samples = [await _cpu(ours, frames) for _ in range(plan.rounds)]
        moved = ours.session.conversation.version - before
        if moved != len(frames) * plan.rounds:
            raise RuntimeError(f"{len(frames) * plan.rounds} events should have moved a machine each, {moved} did")
    return Spread.of(samples)


async def machines(plan: Plan) -> tuple[Spread, Spread]:
    """Our path on sound alone, and the same with what the machines say of it known beforehand: what they cost is the
    difference. Measured within the path, since a look-up in a loop of its own meets warmer caches."""
    ours = Ours()
    asked: list[float] = []
    known: list[float] = []
    frames = [chunk(bytes(CHUNK))] * plan.turn
    async with _opened(ours):
        conversation = ours.session.conversation
        for _ in range(plan.rounds):
            await ours.receive((*BEGIN, frames[0]))
            answer = conversation.lookup(AudioDelta(b""), ours.epoch, 0.0)
            if answer is None:
                raise RuntimeError("sound in an open message is not looked up any more")
            asked.append(await _cpu(ours, frames))
            own = vars(conversation)
            own["lookup"] = lambda event, epoch, now, answer=answer: answer
            known.append(await _cpu(ours, frames))
            del own["lookup"]
            await ours.receive(END)
    return Spread.of(asked), Spread.of(known)


async def sessions(plan: Plan) -> Mapping[str, SessionCost]:
    """Whole sessions; of several runs the cheapest, since disturbances only add."""
    found: dict[str, list[SessionCost]] = {Ours.name: [], Official.name: []}
    for _ in range(plan.session_rounds):
        for name, model in ((Ours.name, our_model), (Official.name, official_model)):
            gc.collect()
            found[name].append(await session_cost(model, sessions=plan.sessions, seconds=plan.seconds))
    return {name: min(costs, key=lambda cost: cost.cpu_ms) for name, costs in found.items()}


async def delivered(path: Path, frames: Sequence[str]) -> tuple[str, bytes]:
    """The words and the samples that come out of a path made with ``keep=True``."""
    async with _opened(path):
        await path.receive(frames)
    return "".join(path.reader.words), b"".join(path.reader.samples)


async def check(paths: Sequence[Path]) -> None:
    """Figures of paths that lose something would mean nothing. Raises RuntimeError where one does.

    paths: new ones, made with ``keep=True``.
    """
    sounds = [bytes([position % 256, position % 128]) * (CHUNK // 2) for position in range(60)]
    words = ["Well"] + [f" {position}" if position % 3 else "" for position in range(1, 60)]
    expected = "".join(words), b"".join(sounds)
    chunks = [chunk(sound, word) for sound, word in zip(sounds, words, strict=True)]
    for path in paths:
        if await delivered(path, (*BEGIN[:1], *chunks)) != expected:
            raise RuntimeError(f"the path of {path.name} did not deliver what was sent")


async def measure(plan: Plan) -> Figures:
    """Check that every path delivers, then measure them all."""
    await check((Ours(keep=True), Official(keep=True), Floor(keep=True)))
    packages = ("livekit-agents", "livekit-plugins-phonic", "phonic", "msgspec", "websockets")
    found = await messages(plan)
    asked, known = await machines(plan)
    return Figures(
        messages=found,
        moving=await moving(plan),
        asked=asked,
        known=known,
        sessions=await sessions(plan),
        versions={"python": platform.python_version(), **{name: version(name) for name in packages}},
    )


def table(figures: Figures, plan: Plan) -> str:
    """The figures for people."""
    lines = [", ".join(f"{name} {number}" for name, number in figures.versions.items()), ""]
    lines.append(f"{'CPU time of one received message, in µs':<48}{'best':>9}{'median':>9}{'of official':>13}")

    def row(label: str, spread: Spread, official: Spread | None = None) -> None:
        share = "" if official is None else f"1/{official.median / spread.median:.1f}"
        lines.append(f"  {label:<46}{spread.best:>9.2f}{spread.median:>9.2f}{share:>13}")

    for case, paths in figures.messages.items():
        for name, spread in paths.items():
            row(f"{case}: {name}", spread, None if name == Official.name else paths[Official.name])
    row("audio only, machines asked: rtfsm", figures.asked)
    row("audio only, their answer known before: rtfsm", figures.known)
    row("an event that changes a state: rtfsm", figures.moving)
    lines += ["", f"{plan.sessions} sessions at real time, 50 chunks a second each way, sockets included"]
    for name, cost in figures.sessions.items():
        lines.append(
            f"  {name:<46}{cost.cpu_ms:>9.2f} ms of CPU a session-second"
            f" ({cost.read:.0f} frames read, {cost.pushed:.0f} pushed, {cost.heard:.0%} of them heard)"
        )
    ours, official = figures.sessions[Ours.name].cpu_ms, figures.sessions[Official.name].cpu_ms
    lines.append(f"  official / rtfsm: {official / ours:.1f}")
    verdict = "met" if figures.met else "MISSED"
    lines += [
        "",
        f"On sound alone the machines take {figures.share:.0%} of our path.",
        f"Target {verdict}: on sound alone ours costs 1/{figures.ratio(AUDIO):.1f} of the official plugin's path; "
        f"the target is 1/{1 / TARGET:.0f} or less.",
    ]
    return "\n".join(lines)


def to_json(figures: Figures) -> str:
    """The figures for programs; times in microseconds where they are a message's."""
    derived = {"ratio": {case: figures.ratio(case) for case in figures.messages}, "machines_share": figures.share,
               "target": TARGET, "target_met": figures.met}  # fmt: skip
    return json.dumps({**attrs.asdict(figures), **derived}, indent=2) + "\n"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The plugin tells at length what it does; printing that would be measured too."""
    logger = logging.getLogger("livekit")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def main(arguments: Sequence[str] | None = None, *, say: Callable[[str], None] = print) -> int:
    """Measure and print; returns 0 whatever the verdict is: a figure of a shared machine is no test."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audio_path", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a run of a few seconds, with figures that say little")
    parser.add_argument("--json", metavar="FILE", type=File, help="write the figures to this file as well")
    given = parser.parse_args(arguments)
    plan = QUICK if given.quick else Plan()
    with _quiet():
        figures = asyncio.run(measure(plan))
    say(table(figures, plan))
    if given.json is not None:
        given.json.write_text(to_json(figures), encoding="utf-8")
        say(f"written to {given.json}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
