"""The canonical form of a door, to be changed; and two versions of it compared."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from rtfsm.diff import Difference, Side, difference, sheet
from rtfsm.draw import canonical_json
from tests.draw.door import DOOR

Data = dict[str, Any]
Edit = Callable[[Data], Any]


def door() -> Data:
    """A fresh copy, which may be changed."""
    data: Data = json.loads(canonical_json(DOOR))
    return data


def edited(edit: Edit) -> Data:
    data = door()
    edit(data)
    return data


def side(name: str, data: Data) -> Side:
    return Side(name, {("", "door"): sheet(name, copy.deepcopy(data))}, {})


def compared(old: Data, new: Data) -> Difference:
    return difference(side("old", old), side("new", new))
