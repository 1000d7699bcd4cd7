"""Failures on disk: one file each, to be replayed by hand, and played first by the next search."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

import rtfsm
from rtfsm.targets import UsageError

from .findings import Finding
from .moves import Ordering
from .search import Defect

__all__ = ["FORMAT", "Saved", "Store", "load"]

FORMAT = "rtfsm-ordering"
VERSION = 1
"""Grows when a reader of the former version would misunderstand a file."""


@attrs.frozen
class Saved:
    """A failure as it was found. target, provider, host: as the command takes them. memory: without sockets."""

    target: str
    provider: str
    host: str
    memory: bool
    defect: Defect

    @property
    def id(self) -> str:
        """Name of its file: the law, and a few letters that tell orderings apart."""
        whole = json.dumps([self.target, self.provider, self.host, self.defect.ordering.key])
        return f"{self.defect.finding.law}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"

    def to_json(self) -> dict[str, Any]:
        """As the file has it."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "rtfsm": rtfsm.__version__,
            "target": self.target,
            "provider": self.provider,
            "host": self.host,
            "memory": self.memory,
            "ordering": self.defect.ordering.to_json(),
            "finding": _finding_to_json(self.defect.finding),
            "also": [_finding_to_json(one) for one in self.defect.also],
        }


class Store:
    """A folder of failures, ``.rtfsm`` by custom. It is made when the first one is saved."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def path(self, saved: Saved) -> Path:
        """Where a failure is, or would be."""
        return self.folder / f"{saved.id}.json"

    def save(self, saved: Saved) -> Path:
        """Write a failure. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(saved)
        path.write_text(json.dumps(saved.to_json(), indent=2) + "\n", encoding="utf-8")
        return path

    def heal(self, saved: Saved) -> None:
        """Forget a failure that is none any more."""
        self.path(saved).unlink(missing_ok=True)

    def saved(self, target: str, provider: str, host: str) -> Iterator[Saved]:
        """The failures of one target, the shortest first. Files that cannot be read are left alone; see ``unread``."""
        found = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                one = load(path)
            except UsageError:
                continue
            if (one.target, one.provider, one.host) == (target, provider, host):
                found.append(one)
        yield from sorted(found, key=lambda one: len(one.defect.ordering.moves))

    def unread(self) -> list[str]:
        """Why files of the folder cannot be read, a line each."""
        lines = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                load(path)
            except UsageError as error:
                lines.append(str(error))
        return lines


def load(path: str | Path) -> Saved:
    """Read a failure. Raises UsageError that names the file and what is wrong with it."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text") from error
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON: {error}") from error
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        raise UsageError(f"{path} holds no ordering; expected a file that rtfsm fuzz has written")
    if data.get("version") != VERSION:
        raise UsageError(f"{path} is of version {data.get('version')!r}; this rtfsm reads version {VERSION}")
    try:
        return _saved(data)
    except (KeyError, TypeError, ValueError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise UsageError(f"{path} cannot be replayed: {what}") from error


def _saved(data: Mapping[str, Any]) -> Saved:
    for name, kind in (("target", str), ("provider", str), ("host", str), ("memory", bool), ("also", list)):
        if not isinstance(data[name], kind):
            raise ValueError(f"{name} is a {type(data[name]).__name__}; expected {kind.__name__}")
    also = tuple(_finding(one) for one in data["also"])
    defect = Defect(_finding(data["finding"]), Ordering.from_json(data["ordering"]), also)
    return Saved(data["target"], data["provider"], data["host"], data["memory"], defect)


def _finding_to_json(finding: Finding) -> dict[str, Any]:
    return {"law": finding.law, "clause": finding.clause, "detail": finding.detail}


def _finding(data: Any) -> Finding:
    if not isinstance(data, Mapping):
        raise ValueError("a finding is no object")
    return Finding(str(data["law"]), str(data["detail"]), int(data.get("clause", 0)))
