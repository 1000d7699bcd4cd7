"""What an option's value may be: small checks that name the option, the value and what is legal.

Ranges and choices are those of Phonic's agent API and of the types of its SDK 0.32; where they give none, none is
checked here. A message shows numbers, choices and languages. It never shows texts, headers or variables, which may
hold a secret or a caller's words: for these it says where the fault is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

Check = Callable[[str, Any], None]
"""Takes an option's name and its value, which is neither None nor NOT_GIVEN; raises ValueError unless it is legal."""


def number(low: float | None = None, high: float | None = None) -> Check:
    """A finite number, in [low, high] if both bounds are given."""

    def check(name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValueError(f"{name} is {_shown(value)}, but must be a number{_between(low, high)}")
        if low is not None and high is not None and not low <= value <= high:
            raise ValueError(f"{name} is {value!r}, but must be{_between(low, high)}")

    return check


def whole(low: int | None = None, high: int | None = None) -> Check:
    """An int, in [low, high] if both bounds are given: Phonic's wire takes no fraction, whatever a float promises."""
    in_range = number(low, high)

    def check(name: str, value: Any) -> None:
        in_range(name, value)
        if not isinstance(value, int):
            raise ValueError(
                f"{name} is {value!r}, but Phonic takes whole numbers only{_between(low, high)}; "
                f"try {math.floor(value)} or {math.ceil(value)}"
            )

    return check


def as_whole(value: Any) -> Any:
    """2 for 2.0; anything else as it is, for `whole` to judge."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def one_of(*choices: str) -> Check:
    def check(name: str, value: Any) -> None:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"{name} is {_shown(value)}, but must be one of {_listed(choices)}")

    return check


def flag(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False, not {_kind(value)}")


def text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a string, not {_kind(value)}")


def filled_text(name: str, value: Any) -> None:
    text(name, value)
    if not value.strip():
        raise ValueError(f"{name} must not be blank")


def texts(name: str, value: Any) -> None:
    """A list of strings; one bare string, which would be read letter by letter, is refused."""
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list of strings, not {_kind(value)}")
    for index, item in enumerate(value):
        text(f"{name}[{index}]", item)


def distinct_texts(name: str, value: Any) -> None:
    texts(name, value)
    _distinct(name, value)


def list_of(choices: Sequence[str]) -> Check:
    """A list whose items are all among `choices`."""
    chosen = one_of(*choices)

    def check(name: str, value: Any) -> None:
        texts(name, value)
        for index, item in enumerate(value):
            chosen(f"{name}[{index}]", item)

    return check


def mapping(name: str, value: Any) -> None:
    """A dict with strings for keys."""
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be a dict, not {_kind(value)}")
    for key in value:
        text(f"a key of {name}", key)


def json_mapping(name: str, value: Any) -> None:
    """A dict that can be written as JSON, all of it."""
    mapping(name, value)
    try:
        msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"{name} holds something that JSON has no form for ({type(error).__name__})") from None


def text_mapping(name: str, value: Any) -> None:
    """A dict from strings to strings."""
    mapping(name, value)
    for key, item in value.items():
        text(f"{name}[{key!r}]", item)


def pronunciations(name: str, value: Any) -> None:
    """A list of {"word": ..., "pronunciation": ...} with no word twice."""
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list of dicts, not {_kind(value)}")
    for index, entry in enumerate(value):
        mapping(f"{name}[{index}]", entry)
        for key in ("word", "pronunciation"):
            if key not in entry:
                raise ValueError(f"{name}[{index}] has no {key!r}")
            text(f"{name}[{index}][{key!r}]", entry[key])
    words = [entry["word"] for entry in value]
    for index, word in enumerate(words):
        if word in words[:index]:
            raise ValueError(f"{name}[{index}] names the same word as {name}[{words.index(word)}]; each word once")


def endpoint(name: str, value: Any) -> None:
    """A dict with "url" and, optionally, "headers" (strings) and "timeout_ms" (an int)."""
    mapping(name, value)
    if "url" not in value:
        raise ValueError(f"{name} has no 'url'")
    filled_text(f"{name}['url']", value["url"])
    if value.get("headers") is not None:
        text_mapping(f"{name}['headers']", value["headers"])
    if value.get("timeout_ms") is not None:
        whole()(f"{name}['timeout_ms']", value["timeout_ms"])


def _distinct(name: str, items: Sequence[str]) -> None:
    for index, item in enumerate(items):
        if item in items[:index]:
            raise ValueError(f"{name} names {item!r} twice; Phonic wants each once")


def _between(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" from {low} to {high}"


def _listed(choices: Sequence[str]) -> str:
    return ", ".join(repr(choice) for choice in choices)


def _kind(value: Any) -> str:
    return f"a value of type {type(value).__name__}"


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, (int, float, str)) and len(repr(value)) < 60 else _kind(value)
