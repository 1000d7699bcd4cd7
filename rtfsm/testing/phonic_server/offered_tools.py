"""The tools that a client offers, and arguments to call them with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from rtfsm.testing.phonic_server.client_fields import tool_name
from rtfsm.testing.server.arguments import plausible_arguments

DEFAULT_TIMEOUT_MS = 5000
"""How long a tool may take where its definition does not say (Phonic's public agent schema)."""


@frozen
class OfferedTool:
    """A custom_websocket tool of the client's configuration."""

    name: str
    parameters: Mapping[str, Any]
    """JSON schema of its arguments."""
    timeout_s: float
    runs_async: bool
    flags: frozenset[str]
    """The names of the definition's boolean options that are true."""
    denied: frozenset[str]
    """The names of those that are false."""

    def wants(self, flag: str) -> bool:
        """Whether a boolean option of the definition is set to true."""
        return flag in self.flags

    def arguments(self) -> dict[str, Any] | None:
        """Plausible arguments for all required parameters, or None where one cannot be made up."""
        return plausible_arguments(self.parameters)


def offered_tools(definitions: object, known: Mapping[str, OfferedTool] | None = None) -> dict[str, OfferedTool]:
    """The callable tools among `tools` of a message, by name and in order.

    A bare name stands for a tool in `known`, or for one of Phonic's own, which the client is never asked to run. What
    is malformed is left out: the client's error has been recorded elsewhere.
    """
    found: dict[str, OfferedTool] = {}
    for definition in definitions if isinstance(definitions, list) else []:
        name = tool_name(definition)
        if name is None:
            continue
        if isinstance(definition, dict) and definition.get("type") == "custom_websocket":
            found[name] = _tool(name, definition)
        elif known is not None and name in known:
            found[name] = known[name]
    return found


def first_callable(tools: Iterable[OfferedTool]) -> tuple[OfferedTool, dict[str, Any]] | None:
    """The first tool whose required parameters can be filled, with its arguments."""
    for tool in tools:
        arguments = tool.arguments()
        if arguments is not None:
            return tool, arguments
    return None


def _tool(name: str, definition: Mapping[str, Any]) -> OfferedTool:
    parameters = definition["tool_schema"]["function"].get("parameters")
    timeout_ms = definition.get("tool_call_output_timeout_ms")
    return OfferedTool(
        name,
        parameters if isinstance(parameters, dict) else {},
        timeout_s=(timeout_ms if isinstance(timeout_ms, int) else DEFAULT_TIMEOUT_MS) / 1000,
        runs_async=definition.get("execution_mode") == "async",
        flags=frozenset(option for option, value in definition.items() if value is True),
        denied=frozenset(option for option, value in definition.items() if value is False),
    )
