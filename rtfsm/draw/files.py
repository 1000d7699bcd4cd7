"""The drawings that a repository keeps: written, and compared with what the declarations say now."""

from __future__ import annotations

from pathlib import Path

from rtfsm.machines import compose
from rtfsm.profiles import PROFILES

from .canonical import canonical_json
from .composition import composition_json, mermaid_composition
from .mermaid import mermaid
from .readme import readme
from .table import markdown_table

__all__ = ["DRAWN", "expected", "stale", "write"]

DRAWN = ("phonic", "widest")
"""The profiles whose machines are drawn: the one in use, and every capability together."""

NOTES = "notes"
GENERATED = {".mmd", ".md", ".json"}


def write(directory: str | Path) -> list[str]:
    """Write every drawing below ``directory`` and delete those of machines that are no more; returns what changed.

    ``directory``/notes/<machine>.md is read, never written: prose on the arrows that a reader would ask about. The
    README includes it where it exists.
    """
    root = Path(directory)
    changed = stale(root)
    wanted = expected(root)
    for name in changed:
        path = root / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wanted[name].encode())
        else:
            path.unlink()
    return changed


def stale(directory: str | Path) -> list[str]:
    """Names of files below ``directory`` that are missing, differ from the declarations, or should not be there."""
    root = Path(directory)
    wanted = expected(root)
    wrong = [name for name, text in wanted.items() if not _holds(root / name, text)]
    present = {path.relative_to(root).as_posix() for profile in DRAWN for path in (root / profile).glob("*")}
    return sorted([*wrong, *(name for name in present - set(wanted) if Path(name).suffix in GENERATED)])


def expected(directory: str | Path) -> dict[str, str]:
    """Every generated file by its name, as it has to be."""
    compositions = {profile: compose(PROFILES[profile]) for profile in DRAWN}
    files = {}
    for profile, composition in compositions.items():
        for machine in composition.machines:
            files[f"{profile}/{machine.name}.mmd"] = mermaid(machine)
            files[f"{profile}/{machine.name}.md"] = markdown_table(machine)
            files[f"{profile}/{machine.name}.json"] = canonical_json(machine)
        files[f"{profile}/composition.mmd"] = mermaid_composition(composition)
        files[f"{profile}/composition.json"] = composition_json(composition)
    files["README.md"] = readme(compositions, _notes(Path(directory)))
    return files


def _notes(root: Path) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8").strip() for path in sorted((root / NOTES).glob("*.md"))}


def _holds(path: Path, text: str) -> bool:
    # A checkout may have turned the line ends.
    return path.is_file() and path.read_bytes().replace(b"\r\n", b"\n") == text.encode()
