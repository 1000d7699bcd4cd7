"""Runs all probes on our models and on the official plugins, and writes docs/conformance.md and its like.

python -m tests.contract.write_conformance
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from rtfsm.testing.contract import PROBES, OpenStage, conformance, perform
from tests.contract import openai_stage, phonic_stage

__all__ = ["OFFICIAL", "OPENAI", "OURS", "PAGE", "PAGES"]

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "conformance.md"
OURS = "rtfsm.adapters.phonic"
OFFICIAL = "livekit-plugins-phonic 1.8.9"
OPENAI = ("rtfsm.adapters.openai", "livekit-plugins-openai 1.8.9")
"""Ours and the official plugin, as the page of the Realtime API calls them."""
PAGES: Mapping[Path, Mapping[str, OpenStage]] = {
    PAGE: {OURS: phonic_stage.ours, OFFICIAL: phonic_stage.official},
    DOCS / "conformance-openai.md": {OPENAI[0]: openai_stage.ours, OPENAI[1]: openai_stage.official},
}


def main() -> None:
    # What the models log on the way is part of what is judged, and of no use on a terminal.
    logging.getLogger().addHandler(logging.NullHandler())
    for page, stages in PAGES.items():
        results = {title: [perform(probe, stage) for probe in PROBES] for title, stage in stages.items()}
        page.write_text(conformance(results), encoding="utf-8")


if __name__ == "__main__":
    main()
