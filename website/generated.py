"""Pages and parts of pages that are made of the code itself, so that they cannot say anything else than it does."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator
from types import ModuleType
from unittest import mock

import attrs

from rtfsm.cli import main
from rtfsm.draw import markdown_table
from rtfsm.language import Effect, Event, Machine
from rtfsm.machines import INVARIANTS, Timing, compose
from rtfsm.profiles import PROFILES
from rtfsm.vocabulary import effects, local, wire

__all__ = ["MACHINES", "commands", "invariants", "machine_page", "profiles", "timers", "vocabulary"]

MACHINES = tuple(machine.name for machine in compose(PROFILES["phonic"]).machines)
TITLES = {
    "phonic": "Phonic",
    "openai": "OpenAI's Realtime API",
    "gemini": "Gemini Live",
    "widest": "Every capability, with response ids",
}
HELP_WIDTH = "92"


def help_of(*command: str) -> str:
    """What `rtfsm COMMAND --help` prints, on a terminal of this width."""
    printed = io.StringIO()
    width = mock.patch.dict(os.environ, {"COLUMNS": HELP_WIDTH, "NO_COLOR": "1"})
    with contextlib.redirect_stdout(printed), width:
        status = main([*command, "--help"])
    if status != 0:
        raise RuntimeError(f"rtfsm {' '.join(command)} --help ended with {status}")
    return printed.getvalue()


def command_names() -> list[str]:
    """Every command, as `rtfsm --help` lists them."""
    _, _, listed = help_of().partition("COMMAND\n")
    return re.findall(r"^    (\w[\w-]*) ", listed, flags=re.MULTILINE)


def commands() -> str:
    """A section for each command: its help, word for word."""
    parts = [f"```text\n{help_of()}```\n"]
    for name in command_names():
        parts.append(f"## rtfsm {name}\n\n```text\n{help_of(name)}```\n")
    return "\n".join(parts)


def machine_page(name: str) -> str:
    """Every cell of one machine, for each profile; profiles with the same table share it."""
    versions: dict[str, list[str]] = {}
    for profile, capabilities in PROFILES.items():
        (machine,) = (one for one in compose(capabilities).machines if one.name == name)
        versions.setdefault(_table(machine), []).append(profile)
    parts = [
        f"# {name}: every cell\n",
        "Made of the declaration when this site was built. What a wire can do picks arms, so each profile has "
        f"its own table. The same on the terminal: `rtfsm draw {name} --format table --profile PROFILE`. The "
        f"picture, and the reason of each odd arrow: [{name}](../../explanation/{name}.md).\n",
    ]
    for number, (table, profiles) in enumerate(versions.items()):
        # A search finds each why once.
        hidden = " { data-search-exclude }" if number else ""
        parts += [f"## {' and '.join(TITLES.get(one, one) for one in profiles)}{hidden}\n", _headed(table, hidden)]
    return "\n".join(parts)


def _table(machine: Machine) -> str:
    """Without its title, and with its own headings below the profile's."""
    _, _, body = markdown_table(machine).partition("\n")
    return re.sub(r"^(#+ )", r"#\1", body.strip(), flags=re.MULTILINE) + "\n"


def _headed(table: str, attributes: str) -> str:
    return re.sub(r"^(#+ .*)$", rf"\1{attributes}", table, flags=re.MULTILINE)


def invariants() -> str:
    """Every named invariant of a conversation."""
    rows = [f"| `{one.name}` | {one.text} |" for one in sorted(INVARIANTS.values(), key=lambda one: _order(one.name))]
    return "\n".join(["| name | what must hold |", "|---|---|", *rows]) + "\n"


def _order(name: str) -> tuple[str, int]:
    word, _, number = name.partition("-")
    return word, int(number) if number.isdecimal() else 0


def timers() -> str:
    """Every duration of the machines, with its meaning."""
    meanings = dict(re.findall(r"(\w+): ([^.]+)\.", " ".join((Timing.__doc__ or "").split())))
    rows = []
    for field in attrs.fields(Timing):
        rows.append(f"| `{field.name}` | {field.default:g} s | {meanings[field.name]} |")
    return "\n".join(["| name | by default | how long it may take |", "|---|---|---|", *rows]) + "\n"


def profiles() -> str:
    """What each wire can do, in the flags that the machines read."""
    names = list(PROFILES)
    rows = [f"| flag | {' | '.join(f'`{name}`' for name in names)} |", "|---" * (len(names) + 1) + "|"]
    for field in attrs.fields(type(PROFILES["phonic"])):
        values = [getattr(PROFILES[name], field.name) for name in names]
        rows.append(f"| `{field.name}` | {' | '.join(_flag(value) for value in values)} |")
    return "\n".join(rows) + "\n"


def _flag(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "–"
    return str(getattr(value, "name", value)).lower()


def vocabulary() -> str:
    """Every event and every effect, with its fields and what it means."""
    return "\n".join(
        [
            "## Events from the wire\n",
            *_words(wire, Event),
            "\n## Events from the host, and from one machine to another\n",
            *_words(local, Event),
            "\n## Effects\n",
            *_words(effects, Effect),
            "",
        ]
    )


def _words(module: ModuleType, kind: type) -> Iterator[str]:
    yield "| name | fields | meaning |"
    yield "|---|---|---|"
    for name, one in vars(module).items():
        if isinstance(one, type) and issubclass(one, kind) and one.__module__ == module.__name__:
            assert attrs.has(one)
            fields = ", ".join(f"`{field.name}`" for field in attrs.fields(one))
            yield f"| `{name}` | {fields} | {' '.join((one.__doc__ or '').split())} |"
