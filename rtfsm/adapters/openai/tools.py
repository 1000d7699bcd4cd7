"""Tools and the choice among them, in the form of the Realtime API."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from livekit.agents import llm

__all__ = ["tool_choice_of", "tool_definitions"]

logger = logging.getLogger("rtfsm")


def tool_definitions(tools: Sequence[llm.Tool]) -> list[dict[str, Any]]:
    """Function tools as the API's; what is none is left out, and said once for each call of this."""
    definitions: list[dict[str, Any]] = []
    for tool in tools:
        if isinstance(tool, llm.FunctionTool):
            definitions.append(llm.utils.build_legacy_openai_schema(tool, internally_tagged=True))
        elif isinstance(tool, llm.RawFunctionTool):
            schema = {key: value for key, value in tool.info.raw_schema.items() if key != "meta"}
            definitions.append({**schema, "type": "function"})
        else:
            logger.warning("a tool of type %s was left out: the Realtime API takes functions", type(tool).__name__)
    return definitions


def tool_choice_of(choice: llm.ToolChoice | None) -> str | dict[str, Any]:
    """LiveKit's choice as the API's; without one, the model chooses."""
    if isinstance(choice, str):
        return choice
    if isinstance(choice, dict) and choice.get("type") == "function":
        return {"type": "function", "name": choice["function"]["name"]}
    return "auto"
