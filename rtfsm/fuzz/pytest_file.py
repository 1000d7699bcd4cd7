"""A failure as a test that stands alone: the moves are in it, and the file that they came from may go."""

from __future__ import annotations

import pprint
import re

from .report import TEXTS
from .store import Saved

__all__ = ["as_pytest"]


def as_pytest(saved: Saved) -> str:
    """Source of a module with one test, which fails as long as the law is broken."""
    finding = saved.defect.finding
    moves = pprint.pformat(saved.defect.ordering.to_json(), width=110, sort_dicts=False)
    name = re.sub(r"\W", "_", finding.law)
    text = TEXTS.get(finding.law, finding.detail).replace('"', "'").replace("\\", "")
    return f'''"""{text}"""

from rtfsm.testing import assert_ordering_holds

ORDERING = {moves}


def test_{name}() -> None:
    assert_ordering_holds({saved.target!r}, ORDERING, provider={saved.provider!r}, host={saved.host!r})
'''
