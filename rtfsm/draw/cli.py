"""`rtfsm draw`: print drawings, write those that a repository keeps, or compare them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from rtfsm.language import DeclarationError, Machine
from rtfsm.machines import compose
from rtfsm.profiles import PROFILES
from rtfsm.targets import ALL, UsageError, find_targets

from .canonical import canonical, canonical_json
from .composition import mermaid_composition
from .files import stale, write
from .mermaid import mermaid
from .table import markdown_table

__all__ = ["FORMATS", "check_directory", "run", "write_directory"]

PRINTERS: dict[str, Callable[[Machine], str]] = {
    "mermaid": mermaid,
    "table": markdown_table,
    "json": canonical_json,
}
FORMATS = (*PRINTERS, "composition")


def run(name: str = ALL, profile: str | None = None, form: str = "mermaid") -> int:
    """Print the machines that ``name`` and ``profile`` (Phonic's, if none is given) choose. form: one of FORMATS.

    Returns the exit status: 0, or 2 where there is no such machine.
    """
    try:
        if form == "composition":
            if name != ALL:
                raise UsageError(f"a composition is drawn as a whole; leave out {name}")
            print(mermaid_composition(compose(PROFILES[profile or "phonic"])), end="")
            return 0
        targets = find_targets(name, profile if profile or ":" in name else "phonic")
    except (UsageError, DeclarationError) as error:
        print(f"rtfsm draw: {error}", file=sys.stderr)
        return 2
    machines = [target.machine for target in targets]
    if form == "json" and len(machines) > 1:
        print(json.dumps([canonical(one) for one in machines], indent=2, sort_keys=True, ensure_ascii=False))
    else:
        print("\n".join(PRINTERS[form](one) for one in machines), end="")
    return 0


def write_directory(directory: str) -> int:
    """Write every drawing below ``directory``. Returns the exit status: 0, or 2 where it cannot be written."""
    try:
        changed = write(directory)
    except OSError as error:
        print(f"rtfsm draw: cannot write to {directory}: {error.strerror or error}", file=sys.stderr)
        return 2
    for name in changed:
        print(f"{directory}/{name}")
    print(f"{len(changed)} file{'' if len(changed) == 1 else 's'} changed")
    return 0


def check_directory(directory: str) -> int:
    """Compare the drawings below ``directory``. Returns the exit status: 0; 1 where some
    are out of date; 2 where there is no such directory."""
    if not os.path.isdir(directory):
        print(f"rtfsm draw: {directory} is no directory; run: rtfsm draw --write {directory}", file=sys.stderr)
        return 2
    wrong = stale(directory)
    for name in wrong:
        print(f"{directory}/{name} is out of date")
    if wrong:
        print(f"run: rtfsm draw --write {directory}")
    return 1 if wrong else 0
