"""Where two versions come from: a git revision, files, or a machine of one's own. Of a revision, files are read and
nothing is run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import attrs

from rtfsm.draw import canonical_json
from rtfsm.targets import find_targets

from .sheet import Coupling, DiffError, Sheet, coupling, is_coupling, sheet

__all__ = ["DIRECTORY", "Side", "load"]

DIRECTORY = "diagrams"

Key = tuple[str, str]
"""Profile, "" where there is none, and name of a machine."""


@attrs.frozen
class Side:
    """One of the two versions. whole: it has all machines, so that one which is missing is none any more."""

    name: str
    machines: Mapping[Key, Sheet]
    couplings: Mapping[str, Coupling]
    whole: bool = True


def load(name: str, directory: str = DIRECTORY) -> Side:
    """name: a path, MODULE:MACHINE, or else a git revision, whose ``directory`` is read (relative to the top of the
    repository). Raises DiffError, and what an import of a module of one's own raises."""
    if os.path.isdir(name):
        return _side(name, _of_directory(Path(name)), f"no canonical JSON below {name}; run: rtfsm draw --write {name}")
    if os.path.exists(name):
        return _of_file(name)
    if name.endswith((".json", "/")):
        raise DiffError(f"there is no {name}")
    if ":" in name:
        (target,) = find_targets(name)
        return _single(name, [sheet(name, json.loads(canonical_json(target.machine)))])
    found = _of_revision(name, directory)
    return _side(name, found, f"revision {name} has no canonical JSON below {directory}/; name another --directory")


def _side(name: str, found: Iterator[tuple[str, str, Any]], nothing: str) -> Side:
    machines: dict[Key, Sheet] = {}
    couplings: dict[str, Coupling] = {}
    for where, profile, data in found:
        if is_coupling(data):
            couplings[profile] = coupling(where, data)
        else:
            one = sheet(where, data)
            if (profile, one.name) in machines:
                raise DiffError(
                    f"{where}: another file beside it has a machine named {one.name} too; delete one of them"
                )
            machines[profile, one.name] = one
    if not machines:
        raise DiffError(nothing)
    return Side(name, machines, couplings)


def _single(name: str, sheets: list[Sheet], whole: bool = False) -> Side:
    return Side(name, {("", one.name): one for one in sheets}, {}, whole)


def _of_file(name: str) -> Side:
    data = _parsed(name, _read(Path(name)))
    if isinstance(data, list):  # what rtfsm draw all --format json prints
        return _single(name, [sheet(f"{name}, number {number}", one) for number, one in enumerate(data, 1)], True)
    if is_coupling(data):
        raise DiffError(f"{name} says what couples machines; compare the directory that it is in")
    return _single(name, [sheet(name, data)])


def _of_directory(root: Path) -> Iterator[tuple[str, str, Any]]:
    for path in sorted([*root.glob("*.json"), *root.glob("*/*.json")]):
        profile = path.parent.name if path.parent != root else ""
        yield str(path), profile, _parsed(str(path), _read(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DiffError(f"{path} cannot be read: {error.strerror or error}") from error


def _parsed(where: str, text: bytes) -> Any:
    try:
        return json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise DiffError(f"{where} is broken: {error}; write it anew with rtfsm draw --write") from error


# -- git ---------------------------------------------------------------------------------------------------------------


def _of_revision(revision: str, directory: str) -> Iterator[tuple[str, str, Any]]:
    if shutil.which("git") is None:
        raise DiffError(f"{revision!r} is no path, and to look for a revision of that name git is needed on the PATH")
    try:
        top = _git(None, "rev-parse", "--show-toplevel").decode().strip()
    except subprocess.CalledProcessError:
        raise DiffError(
            f"{revision!r} is neither a path nor MODULE:MACHINE, and {os.getcwd()} is in no git repository that could "
            "have a revision of that name"
        ) from None
    try:
        commit = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except subprocess.CalledProcessError:
        raise DiffError(
            f"{revision!r} is neither a path nor a revision that this repository has; a shallow clone has few: "
            "git fetch --unshallow, or fetch-depth: 0 in an action"
        ) from None
    tree = commit.decode().strip()
    within = PurePosixPath(directory)
    try:
        listed = _git(top, "ls-tree", "-r", "-z", "--name-only", tree, "--", f"{within}/").decode().split("\0")
        for path in map(PurePosixPath, sorted(listed)):
            if path.suffix == ".json" and within in (path.parent, path.parent.parent):
                where = f"{revision}:{path}"
                profile = path.parent.name if path.parent != within else ""
                yield where, profile, _parsed(where, _git(top, "cat-file", "blob", f"{tree}:{path}"))
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.decode(errors="replace").split())
        raise DiffError(f"git cannot read {directory} of {revision}: {said}") from error


def _git(top: str | None, *arguments: str) -> bytes:
    place = [] if top is None else ["-C", top]
    return subprocess.run(["git", *place, *arguments], capture_output=True, check=True).stdout
