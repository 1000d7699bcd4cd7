"""Runs all probes on our model and on the official plugin, and writes docs/conformance.md.

python -m tests.contract.write_conformance
"""

from __future__ import annotations

import logging
from pathlib import Path

from rtfsm.testing.contract import PROBES, conformance, perform
from tests.contract.phonic_stage import official, ours

__all__ = ["OFFICIAL", "OURS", "PAGE"]

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
OURS = "rtfsm.adapters.phonic"
OFFICIAL = "livekit-plugins-phonic 1.8.9"


def main() -> None:
    # What the models log on the way is part of what is judged, and of no use on a terminal.
    logging.getLogger().addHandler(logging.NullHandler())
    stages = {OURS: ours, OFFICIAL: official}
    results = {title: [perform(probe, stage) for probe in PROBES] for title, stage in stages.items()}
    PAGE.write_text(conformance(results), encoding="utf-8")


if __name__ == "__main__":
    main()
