"""The body of a guard, as a reviewer reads it: the statements, on one line, and nothing about them."""

from __future__ import annotations

from collections.abc import Callable

from rtfsm.draw.source import bodies, body


def plain(context: int) -> bool:
    return context > 3


def spoken_of(context: int) -> bool:
    """What it asks."""
    # Why it asks.
    limit = 3  # why three

    return (
        context > limit  # a remark
        and "#" not in "it's"
    )


def spoken_of_otherwise(context: int) -> bool:
    limit = 3
    return context > limit and "#" not in "it's"


def made(limit: int) -> Callable[[int], bool]:
    def inner(context: int) -> bool:
        return context > limit

    return inner


def test_docstrings_comments_and_white_space_are_no_part_of_it() -> None:
    assert body(plain) == "return context > 3"
    assert body(spoken_of) == 'limit = 3; return ( context > limit and "#" not in "it\'s" )'
    assert body(spoken_of_otherwise) == 'limit = 3; return context > limit and "#" not in "it\'s"'


def test_a_function_inside_another_has_its_own_statements() -> None:
    assert body(made(3)) == "return context > limit"


def test_where_there_is_no_source_there_is_no_body() -> None:
    assert body(len) is None
    assert body(lambda context: context > 3) is None
    names: dict[str, Callable[[int], bool]] = {}
    exec("def built(context):\n    return True\n", names)
    assert body(names["built"]) is None


def test_functions_that_share_a_name_are_both_told() -> None:
    found = bodies([("b", plain), ("a", made(1)), ("b", made(2)), ("b", made(3)), ("c", len)])
    assert found == {"a": ["return context > limit"], "b": ["return context > 3", "return context > limit"]}
    assert list(found) == ["a", "b"]
