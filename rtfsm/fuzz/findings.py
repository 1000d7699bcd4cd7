"""What a law found wrong."""

from __future__ import annotations

import re

import attrs

__all__ = ["Finding"]

_NUMBERS = re.compile(r"\d+(\.\d+)?")


@attrs.frozen
class Finding:
    """law: the name of the demand that was broken. detail: what was expected and what was seen, without words that
    were spoken. clause: of the contract, 0 where it is none of LiveKit's."""

    law: str
    detail: str = attrs.field(eq=False)
    clause: int = attrs.field(default=0, eq=False)
    shape: str = attrs.field(init=False, repr=False)
    """The detail without its numbers: the same for the same defect."""

    @shape.default
    def _without_numbers(self) -> str:
        return _NUMBERS.sub("#", self.detail)

    def __str__(self) -> str:
        clause = f" (clause {self.clause})" if self.clause else ""
        return f"{self.law}{clause}: {self.detail}"
