"""The model under test: found by its name, made for each ordering anew, and pointed at the scripted provider."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
from livekit.agents import llm

from rtfsm.targets import UsageError, import_module

__all__ = ["REDIRECTS", "Target", "load_target"]

Redirect = Callable[[str], Any]
"""Given the server's address: a context manager, inside which a model made without an address goes there."""


@attrs.frozen
class Target:
    """A factory of realtime models. name: ``module:Factory``, as it was given. factory: called with keywords."""

    name: str
    factory: Callable[..., llm.RealtimeModel] = attrs.field(repr=False)

    @property
    def takes_address(self) -> bool:
        """Whether the factory has a keyword ``base_url``."""
        return _takes(self.factory, "base_url")

    @contextmanager
    def pointed_at(self, url: str, api_key: str) -> Iterator[llm.RealtimeModel]:
        """A new model whose sessions go to ``url`` while this lasts.

        Raises UsageError where the target takes no address and nobody knows how to redirect it, and for what the
        factory raises or returns instead of a model.
        """
        keywords = {"api_key": api_key} if _takes(self.factory, "api_key") else {}
        if self.takes_address:
            yield self._make(base_url=url, **keywords)
            return
        redirect = REDIRECTS.get(self.name.split(":")[0])
        if redirect is None:
            raise UsageError(
                f"{self.name} has no keyword base_url, so it cannot be pointed at the scripted provider; "
                "write a function that takes base_url (and api_key) and returns the model, and name that one"
            )
        with redirect(url):
            yield self._make(**keywords)

    def _make(self, **keywords: Any) -> llm.RealtimeModel:
        try:
            model = self.factory(**keywords)
        except Exception as error:
            given = ", ".join(f"{name}=..." for name in keywords)
            raise UsageError(f"{self.name}({given}) raised {type(error).__name__}: {error}") from error
        if not isinstance(model, llm.RealtimeModel):
            raise UsageError(f"{self.name} made a {type(model).__name__}; expected an llm.RealtimeModel")
        return model


def load_target(name: str) -> Target:
    """The target of this name, ``module:Factory``, sought from the current directory on. Raises UsageError that says
    what is wrong with it."""
    module, _, attribute = name.partition(":")
    if not module or not attribute or module.startswith("."):
        raise UsageError(f"{name!r} names no target; expected module:Factory, such as my_plugin.realtime:RealtimeModel")
    found: Any = import_module(module)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise UsageError(f"module {module!r} has no {attribute!r}")
        found = getattr(found, part)
    if not callable(found):
        raise UsageError(f"{name} is a {type(found).__name__}; expected something to call that makes a model")
    return Target(name, found)


@functools.lru_cache(maxsize=64)
def _takes(factory: Callable[..., Any], keyword: str) -> bool:
    try:
        parameters: Mapping[str, inspect.Parameter] = inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return False
    any_keyword = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    return keyword in parameters or any_keyword


@contextmanager
def _phonic_sdk(url: str) -> Iterator[None]:
    """LiveKit's plugin for Phonic 1.8.9 takes no address; it asks the SDK's environment."""
    from phonic.environment import PhonicEnvironment

    environment = PhonicEnvironment.DEFAULT
    real = environment.production
    environment.production = url
    try:
        yield
    finally:
        environment.production = real


REDIRECTS: dict[str, Redirect] = {
    "livekit.plugins.phonic": _phonic_sdk,
    "livekit.plugins.phonic.realtime": _phonic_sdk,
}
"""Modules whose models take no address -> how to send them to another one."""
