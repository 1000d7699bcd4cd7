"""The benchmark measures what it says: every path delivers the same, and a path that loses something is not measured.

How long anything takes is not tested: that is what the benchmark itself is for.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence
from pathlib import Path as File

import pytest

from benchmarks import audio_path, fuzz_rate
from benchmarks.paths import Floor, Official, Ours, Path
from benchmarks.wire import CHUNK, chunk, message

CASES = ["audio only", "audio with a word"]
PATHS = ["rtfsm", "official plugin", "floor"]


def test_a_quick_run_writes_every_figure(tmp_path: File) -> None:
    said: list[str] = []
    file = tmp_path / "figures.json"
    assert audio_path.main(["--quick", "--json", str(file)], say=said.append) == 0
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert list(figures["messages"]) == CASES
    for paths in figures["messages"].values():
        assert list(paths) == PATHS
        assert all(0 < spread["best"] <= spread["median"] for spread in paths.values())
    assert list(figures["sessions"]) == PATHS[:2]
    for cost in figures["sessions"].values():
        assert cost["cpu_ms"] > 0
        assert cost["read"] > 0
        assert cost["pushed"] == 50
        assert 0 < cost["heard"] <= 1
    ours, official, _ = (figures["messages"]["audio only"][name]["median"] for name in PATHS)
    assert figures["ratio"]["audio only"] == pytest.approx(official / ours)
    assert figures["target_met"] is (ours <= official * figures["target"])
    assert figures["machines_share"] == pytest.approx(1 - figures["known"]["median"] / figures["asked"]["median"])
    assert figures["moving"]["median"] > 0
    table = said[0]
    assert all(f"{case}: {name}" in table for case in CASES for name in PATHS)
    assert f"Target {'met' if figures['target_met'] else 'MISSED'}" in table


def test_the_verdict_says_that_the_target_was_missed() -> None:
    spread = audio_path.Spread
    paths = dict(zip(PATHS, (spread(5.1, 5.1), spread(90, 100), spread(2, 2)), strict=True))
    figures = audio_path.Figures(
        messages=dict.fromkeys(CASES, paths),
        moving=spread(80, 80),
        asked=spread(5, 5),
        known=spread(4, 4),
        sessions={name: audio_path.SessionCost(1, 50, 50, 1) for name in PATHS[:2]},
        versions={},
    )
    assert not figures.met
    assert math.isclose(figures.share, 0.2)
    assert "Target MISSED: on sound alone ours costs 1/19.6" in audio_path.table(figures, audio_path.QUICK)


@pytest.mark.parametrize("kind", [Ours, Official, Floor], ids=lambda kind: str(kind.name))
def test_every_path_delivers_the_samples_and_the_words_that_were_sent(kind: type[Ours | Official | Floor]) -> None:
    sounds = [bytes([number, 1]) * (CHUNK // 2) for number in range(5)]
    words = ["One", " two", "", " three", ""]
    frames = [message("assistant_started_speaking")]
    frames += [chunk(sound, word) for sound, word in zip(sounds, words, strict=True)]

    async def main() -> tuple[str, bytes]:
        return await audio_path.delivered(kind(keep=True), frames)

    assert asyncio.run(main()) == ("One two three", b"".join(sounds))


class Lossy(Floor):
    """A path that is fast because it leaves out the last frame."""

    async def receive(self, frames: Sequence[str]) -> None:
        await super().receive(frames[:-1])


def test_a_path_that_loses_something_is_not_measured() -> None:
    async def main() -> None:
        paths: Sequence[Path] = (Floor(keep=True), Lossy(keep=True))
        await audio_path.check(paths)

    with pytest.raises(RuntimeError, match="the path of floor did not deliver what was sent"):
        asyncio.run(main())


def test_a_quick_run_of_the_fuzzers_rate_prints_each_target() -> None:
    said: list[str] = []
    assert fuzz_rate.main(["--quick"], say=said.append) == 0
    assert ["rtfsm, in memory" in said[1], "rtfsm, over sockets" in said[2], "official" in said[3]] == [True] * 3
    assert said[-1].startswith("Target ")


def test_the_fuzzers_rate_counts_orderings_of_twenty_moves() -> None:
    rate = fuzz_rate.measure("ours", fuzz_rate.OURS, 40, 1, memory=True)
    assert 17 <= rate.moves <= 23
    assert rate.median > 0
    assert 0 < rate.playing < 1
