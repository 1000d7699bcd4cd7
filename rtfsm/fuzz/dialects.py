"""Which provider a target speaks to: found by its name, or given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rtfsm.targets import UsageError, import_module

if TYPE_CHECKING:
    from .dialect import Dialect

__all__ = ["DIALECTS", "find_dialect", "guessed"]

DIALECTS = {"phonic": "rtfsm.fuzz.phonic_wires:PHONIC", "openai": "rtfsm.fuzz.openai_wires:OPENAI"}
"""Providers whose end this package can be -> where that is."""
_SPEAKS = {
    "rtfsm.adapters.phonic": "phonic",
    "livekit.plugins.phonic": "phonic",
    "rtfsm.adapters.openai": "openai",
    "livekit.plugins.openai": "openai",
}
"""Packages with models -> the provider that these speak to."""


def guessed(target: str) -> str | None:
    """The provider of a target whose package is known."""
    module = target.split(":")[0]
    return next((name for package, name in _SPEAKS.items() if f"{module}.".startswith(f"{package}.")), None)


def find_dialect(provider: str | None, target: str) -> Dialect:
    """A provider's language by its name, or ``module:NAME`` for one of your own; None guesses it from the target.

    Raises UsageError that says what is there.
    """
    name = provider or guessed(target)
    if name is None:
        known = ", ".join(DIALECTS)
        raise UsageError(f"nobody knows which provider {target} speaks to; say --provider, one of {known}")
    place = DIALECTS.get(name, name)
    module, _, attribute = place.partition(":")
    if not module or not attribute or module.startswith("."):
        raise UsageError(f"there is no provider {name!r}; expected one of {', '.join(DIALECTS)}, or module:NAME")
    found: Any = getattr(import_module(module), attribute, None)
    if found is None:
        raise UsageError(f"module {module!r} has no {attribute!r}")
    missing = [part for part in ("name", "kinds", "garbage", "faults", "talk", "open") if not hasattr(found, part)]
    if missing:
        raise UsageError(f"{name} is no provider's dialect: it lacks {', '.join(missing)}")
    return cast("Dialect", found)
