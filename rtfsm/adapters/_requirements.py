"""The packages that the adapters need, checked before the first of them is imported.

The adapters follow a contract of livekit-agents that its minor releases may change, so that another version is refused
with a sentence that says what to install, where it would otherwise fail in the middle of a conversation.
"""

from __future__ import annotations

import importlib.metadata
import re

import attrs


@attrs.frozen
class Requirement:
    """A distribution and the versions that fit: from `at_least` on and, where `below` is given, before it."""

    distribution: str
    at_least: str
    below: str | None = None

    def __str__(self) -> str:
        return f"{self.distribution}>={self.at_least}" + (f",<{self.below}" if self.below else "")


LIVEKIT = (Requirement("livekit-agents", "1.8.9", "1.9"), Requirement("livekit", "1.1.21"))
PHONIC = (
    Requirement("phonic", "0.32.42"),
    Requirement("websockets", "15"),
    Requirement("msgspec", "0.19"),
    Requirement("numpy", "1.26"),
)


OPENAI = (
    Requirement("aiohttp", "3.11"),
    Requirement("msgspec", "0.19"),
    Requirement("numpy", "1.26"),
)


def require_livekit() -> None:
    """Raise ImportError unless a livekit-agents that the adapters are written for is installed."""
    for requirement in LIVEKIT:
        _require(requirement, "rtfsm.adapters", "phonic")  # any extra of an adapter brings it


def require_phonic() -> None:
    """Raise ImportError unless everything that the Phonic adapter imports, apart from LiveKit, is installed."""
    for requirement in PHONIC:
        _require(requirement, "rtfsm.adapters.phonic", "phonic")


def require_openai() -> None:
    """Raise ImportError unless everything that the OpenAI adapter imports, apart from LiveKit, is installed."""
    for requirement in OPENAI:
        _require(requirement, "rtfsm.adapters.openai", "openai")


def _require(requirement: Requirement, who: str, extra: str) -> None:
    try:
        found = importlib.metadata.version(requirement.distribution)
    except importlib.metadata.PackageNotFoundError:
        raise ImportError(
            f"{who} needs {requirement}, which is not installed. Install it with: pip install 'rtfsm[{extra}]'",
            name=requirement.distribution,
        ) from None
    if not _fits(requirement, found):
        raise ImportError(
            f"{who} needs {requirement}, but version {found} is installed. "
            f"Install a version that fits with: pip install '{requirement}'",
            name=requirement.distribution,
        )


def _fits(requirement: Requirement, found: str) -> bool:
    release = _release(found)
    if release is None or release < _padded(requirement.at_least):
        return False
    if requirement.below is not None and release >= _padded(requirement.below):
        return False
    # As pip has it, 1.8.9rc1 comes before 1.8.9.
    return not (release == _padded(requirement.at_least) and re.search(r"\d\.?(a|b|rc|dev)\d*", found))


def _release(version: str) -> tuple[int, ...] | None:
    match = re.match(r"\d+(\.\d+)*", version)
    return _padded(match.group()) if match else None


def _padded(release: str) -> tuple[int, ...]:
    """The numbers of a release with zeros behind, so that 1.9 and 1.9.0 compare equal."""
    numbers = [int(number) for number in release.split(".")]
    return tuple(numbers + [0] * (4 - len(numbers)))
