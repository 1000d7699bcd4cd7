"""What a guard asks, as it is written: a name alone would hide that its answer has changed."""

from __future__ import annotations

import ast
import inspect
import io
import textwrap
import tokenize
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

__all__ = ["bodies", "body"]


@cache
def body(function: Callable[..., Any]) -> str | None:
    """The statements of a function, without its name, docstring and comments; None where no source is at hand.

    Taken from the text and not from the compiled code, so that every version of Python gives the same. White space
    counts as one space. What the function calls, and what a closure holds, is not in it.
    """
    try:
        text = _without_comments(textwrap.dedent(inspect.getsource(function)))
        (declared,) = ast.parse(text).body
    except (OSError, TypeError, ValueError, SyntaxError, tokenize.TokenError):
        return None
    if not isinstance(declared, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    written = declared.body[1:] if ast.get_docstring(declared) is not None else declared.body
    return "; ".join(_on_one_line(text, statement) for statement in written) or None


def bodies(named: Iterable[tuple[str, Callable[..., Any]]]) -> dict[str, list[str]]:
    """name -> the bodies of all functions of that name, sorted; several may share one."""
    found: dict[str, set[str]] = {}
    for name, function in named:
        written = body(function)
        if written is not None:
            found.setdefault(name, set()).add(written)
    return {name: sorted(found[name]) for name in sorted(found)}


def _on_one_line(text: str, statement: ast.stmt) -> str:
    return " ".join((ast.get_source_segment(text, statement) or "").split())


def _without_comments(text: str) -> str:
    """The same text with blanks for comments, so that all else stays at its place."""
    lines = text.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column] + "\n"
    return "".join(lines)
