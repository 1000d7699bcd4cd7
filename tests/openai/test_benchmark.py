"""The benchmark of the receiving path measures paths that deliver the same sound."""

from __future__ import annotations

import asyncio
import logging

from benchmarks.openai_path import PATHS, Floor, Official, Ours, frames, medians

SOUND = b"\1\2" * 480


def test_every_path_delivers_every_sample() -> None:
    async def main() -> None:
        for make in (Ours, Official, Floor):
            path = make(keep=True)
            await path.open()
            await path.receive(frames(25, SOUND))
            assert path.taken == [SOUND] * 25, path.name
            await path.close()

    asyncio.run(main())


def test_every_path_is_measured() -> None:
    logging.getLogger("livekit.agents").disabled = True
    try:
        found = asyncio.run(medians(rounds=1, count=5))
    finally:
        logging.getLogger("livekit.agents").disabled = False
    assert len(found) == len(PATHS)
    assert all(microseconds > 0 for microseconds in found.values())
