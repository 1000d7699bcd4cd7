"""Reading recordings back. A recording is a file that anybody may have touched: every field is checked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from rtfsm.language import RtfsmError

from .record import FORMAT, VERSION

__all__ = ["Header", "Record", "TraceError", "read", "read_header"]


class TraceError(RtfsmError):
    """A recording cannot be read. Names the file, and the line where it is a line's fault."""


@attrs.frozen
class Header:
    """version: of the format. rtfsm: version of the package that wrote it. started: seconds since 1970. machines: name
    -> names of its states."""

    version: int
    rtfsm: str
    started: float
    machines: Mapping[str, tuple[str, ...]]


@attrs.frozen
class Record:
    """One event taken by one instance.

    time: seconds since the start. arm: number of the arm in its machine. before, after: names of states. reason: why it
    was ignored, or None. words, bytes: how much speech the event carried, 0 for none. seconds: how long its words
    last, where known. given: its bools, and the names of its Enums.
    """

    time: float
    machine: str
    instance: str
    event: str
    arm: int
    before: str
    after: str
    effects: tuple[str, ...]
    reason: str | None = None
    words: int = 0
    bytes: int = 0
    seconds: float | None = None
    given: Mapping[str, str | bool] = attrs.field(factory=dict)


def read_header(path: str | os.PathLike[str]) -> Header:
    """The first line of a recording. Raises TraceError if the file is none, or of a later version; OSError."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return _header(os.fspath(path), file.readline())


def read(path: str | os.PathLike[str]) -> Iterator[Record]:
    """The steps of a recording, in order.

    Raises, when the line in question is reached: TraceError if the file is no recording, is of a later version of the
    format, or has a broken line; OSError if it cannot be read.
    """
    name = os.fspath(path)
    with open(path, encoding="utf-8", errors="replace") as file:
        header = _header(name, file.readline())
        for number, line in enumerate(file, start=2):
            if not line.endswith("\n"):
                raise TraceError(f"{name}, line {number}: the file ends inside this line; the recording was cut short")
            yield _record(f"{name}, line {number}", line, header)


def _header(name: str, line: str) -> Header:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise TraceError(
            f'{name} is no rtfsm recording: its first line must be a JSON object with "format": "{FORMAT}"'
        )
    version = found.get("version")
    if type(version) is not int or version < 1:
        raise TraceError(f"{name}, line 1: the version must be a whole number from 1")
    if version > VERSION:
        raise TraceError(
            f"{name} is of version {version} of the format, and this rtfsm reads up to {VERSION}; upgrade rtfsm"
        )
    where = f"{name}, line 1"
    machines = _typed(where, found, "machines", dict)
    return Header(
        version,
        _typed(where, found, "rtfsm", str),
        _number(where, found, "started"),
        {machine: _names(where, machines, machine) for machine in machines},
    )


def _record(where: str, line: str, header: Header) -> Record:
    try:
        found = json.loads(line)
    except ValueError:
        raise TraceError(f"{where}: is no JSON") from None
    if not isinstance(found, dict):
        raise TraceError(f"{where}: is no JSON object")
    machine = _typed(where, found, "machine", str)
    states = header.machines.get(machine)
    if states is None:
        raise TraceError(f"{where}: machine {machine!r} is not in the header")
    before, after = (_typed(where, found, key, str) for key in ("before", "after"))
    for state in (before, after):
        if state not in states:
            raise TraceError(f"{where}: machine {machine!r} has no state {state!r}")
    return Record(
        time=_number(where, found, "time"),
        machine=machine,
        instance=_typed(where, found, "instance", str),
        event=_typed(where, found, "event", str),
        arm=_typed(where, found, "arm", int),
        before=before,
        after=after,
        effects=_names(where, found, "effects"),
        reason=_typed(where, found, "reason", str) if "reason" in found else None,
        words=_typed(where, found, "words", int) if "words" in found else 0,
        bytes=_typed(where, found, "bytes", int) if "bytes" in found else 0,
        seconds=_number(where, found, "seconds") if "seconds" in found else None,
        given=_given(where, found),
    )


_KINDS: Mapping[type, str] = {str: "a string", int: "a whole number", dict: "an object", list: "an array"}


def _typed(where: str, found: Mapping[str, Any], key: str, kind: type) -> Any:
    if key not in found:
        raise TraceError(f"{where}: lacks {key!r}")
    if type(found[key]) is not kind:
        raise TraceError(f"{where}: {key!r} must be {_KINDS[kind]}")
    return found[key]


def _number(where: str, found: Mapping[str, Any], key: str) -> float:
    value = found.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TraceError(f"{where}: {key!r} must be a number")
    return float(value)


def _names(where: str, found: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names = _typed(where, found, key, list)
    if not all(isinstance(name, str) for name in names):
        raise TraceError(f"{where}: {key!r} must be an array of strings")
    return tuple(names)


def _given(where: str, found: Mapping[str, Any]) -> dict[str, str | bool]:
    given = _typed(where, found, "with", dict) if "with" in found else {}
    if not all(isinstance(value, (str, bool)) for value in given.values()):
        raise TraceError(f"{where}: 'with' must hold strings and booleans")
    return dict(given)
