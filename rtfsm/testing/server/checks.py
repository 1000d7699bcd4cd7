"""Small checks of JSON values, composed into a provider's table of messages.

A check takes a value and the path where it was found, and yields one complaint for each thing that is wrong.
Its sentence names fields, types and limits; a text value is never repeated, since it may hold spoken words.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from datetime import datetime

from attrs import frozen


class Kind(enum.Enum):
    """What is wrong with a value."""

    UNKNOWN = "unknown field"
    MISSING = "missing field"
    TYPE = "wrong type"
    VALUE = "wrong value"
    TOO_LONG = "too long"


@frozen
class Complaint:
    """One thing that is wrong with a message."""

    path: str
    """Where: field names with dots and positions in brackets."""
    kind: Kind
    sentence: str

    def __str__(self) -> str:
        return self.sentence


Check = Callable[[object, str], Iterator[Complaint]]

_NAMES: Mapping[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a whole number",
    float: "a number",
    type(None): "null",
}


def kind(value: object) -> str:
    """The JSON name of a value's type, with its article."""
    return _NAMES.get(type(value), type(value).__name__)


def shown(name: object) -> str:
    """An identifier from the wire, quoted and cut to a length that fits in one line."""
    text = repr(name)
    return text if len(text) <= 48 else text[:44] + "...'"


def within(path: str, name: str) -> str:
    """The path of a field of the object at `path`; a message itself has the empty path."""
    return f"{path}.{name}" if path else name


def anything(value: object, path: str) -> Iterator[Complaint]:
    """Every JSON value passes."""
    return iter(())


def string(*, empty: bool = True, longest: int | None = None) -> Check:
    """A string; with `empty=False` one that holds more than blanks, with `longest` of so many characters at most."""

    def check(value: object, path: str) -> Iterator[Complaint]:
        if not isinstance(value, str):
            yield Complaint(path, Kind.TYPE, f"{path} must be a string, not {kind(value)}")
        elif not empty and not value.strip():
            yield Complaint(path, Kind.VALUE, f"{path} must not be empty")
        elif longest is not None and len(value) > longest:
            sentence = f"{path} may have {longest} characters, not {len(value)}"
            yield Complaint(path, Kind.TOO_LONG, sentence)

    return check


def boolean(value: object, path: str) -> Iterator[Complaint]:
    """True or false."""
    if not isinstance(value, bool):
        yield Complaint(path, Kind.TYPE, f"{path} must be a boolean, not {kind(value)}")


def constant(expected: object) -> Check:
    """Exactly this value."""

    def check(value: object, path: str) -> Iterator[Complaint]:
        if type(value) is not type(expected) or value != expected:
            yield Complaint(path, Kind.VALUE, f"{path} must be {expected!r}")

    return check


def number(low: float = -math.inf, high: float = math.inf, *, whole: bool = False, step: float | None = None) -> Check:
    """A finite number between `low` and `high`, both included, where given a whole one or a multiple of `step`."""
    wanted = "a whole number" if whole else "a number"

    def check(value: object, path: str) -> Iterator[Complaint]:
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            got = f"{value}" if isinstance(value, float) else kind(value)
            yield Complaint(path, Kind.TYPE, f"{path} must be {wanted}, not {got}")
        elif not math.isfinite(value):
            yield Complaint(path, Kind.VALUE, f"{path} must be finite")
        elif not low <= value <= high:
            yield Complaint(path, Kind.VALUE, f"{path} must be between {low:g} and {high:g}, not {value:g}")
        elif step is not None and abs(value / step - round(value / step)) > 1e-6:
            yield Complaint(path, Kind.VALUE, f"{path} must be a multiple of {step:g}, not {value:g}")

    return check


def one_of(*choices: str, hint: str = "") -> Check:
    """One of a closed set of strings. `hint` is added to the sentence when the value is none of them."""

    def check(value: object, path: str) -> Iterator[Complaint]:
        if not isinstance(value, str) or value not in choices:
            sentence = f"{path} must be one of {', '.join(choices)}" + (f" ({hint})" if hint else "")
            yield Complaint(path, Kind.VALUE if isinstance(value, str) else Kind.TYPE, sentence)

    return check


def moment(value: object, path: str) -> Iterator[Complaint]:
    """An ISO 8601 date and time."""
    if not isinstance(value, str):
        yield Complaint(path, Kind.TYPE, f"{path} must be an ISO 8601 string, not {kind(value)}")
        return
    try:
        # Python 3.10 does not read the "Z" that most writers use for UTC.
        datetime.fromisoformat(value[:-1] + "+00:00" if value.endswith("Z") else value)
    except ValueError:
        yield Complaint(path, Kind.VALUE, f"{path} is not an ISO 8601 date and time")


def nullable(check: Check) -> Check:
    """The same, or null."""

    def nullable_check(value: object, path: str) -> Iterator[Complaint]:
        return iter(()) if value is None else check(value, path)

    return nullable_check


def array(of: Check, *, unique: bool = False) -> Check:
    """An array whose items all pass; with `unique` no item twice."""

    def check(value: object, path: str) -> Iterator[Complaint]:
        if not isinstance(value, list):
            yield Complaint(path, Kind.TYPE, f"{path} must be an array, not {kind(value)}")
            return
        for position, item in enumerate(value):
            yield from of(item, f"{path}[{position}]")
        if unique:
            yield from repeated([item for item in value if isinstance(item, str)], path)

    return check


def mapping(of: Check) -> Check:
    """An object with free names whose values all pass."""

    def check(value: object, path: str) -> Iterator[Complaint]:
        if not isinstance(value, dict):
            yield Complaint(path, Kind.TYPE, f"{path} must be an object, not {kind(value)}")
            return
        for name, item in value.items():
            yield from of(item, f"{path}[{shown(name)}]")

    return check


def fields(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with exactly these names: the required ones present, no name besides."""
    known = {**required, **(optional or {})}

    def check(value: object, path: str) -> Iterator[Complaint]:
        if not isinstance(value, dict):
            yield Complaint(path, Kind.TYPE, f"{path} must be an object, not {kind(value)}")
            return
        for name in required:
            if name not in value:
                yield Complaint(within(path, name), Kind.MISSING, f"{path or 'the message'} lacks {name!r}")
        for name, item in value.items():
            if name in known:
                yield from known[name](item, within(path, name))
            else:
                sentence = f"{path or 'the message'} has an unknown field {shown(name)}"
                yield Complaint(within(path, str(name)[:48]), Kind.UNKNOWN, sentence)

    return check


def repeated(names: Sequence[Hashable], path: str, what: str = "entry") -> Iterator[Complaint]:
    """One sentence if a name occurs twice. The names are not shown: they may be a customer's words."""
    twice: Collection[Hashable] = {name for name in names if names.count(name) > 1}
    if twice:
        yield Complaint(path, Kind.VALUE, f"{path} must be unique: {len(twice)} {what} occurs more than once")
