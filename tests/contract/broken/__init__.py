"""For every probe, a session that breaks it: the minimal one with a single mistake."""

from __future__ import annotations

from tests.contract.broken import life, speech, tools, turns
from tests.contract.broken.book import BROKEN

__all__ = ["BROKEN", "life", "speech", "tools", "turns"]
