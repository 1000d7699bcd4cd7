"""Tools on Phonic's wire: LiveKit's function tools, Phonic's own by name, and how each behaves around speech."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, cast

from livekit.agents import llm
from livekit.agents.utils import is_given
from phonic.requests import ResponsesToolDefinitionParams

from . import checks

if TYPE_CHECKING:
    from .options import Options

OUTPUT_TIMEOUT_MS = 60_000
"""How long Phonic waits for a function tool's output before it counts the call as failed, in milliseconds."""

_SPEECH_TOOLS = ("keypad_input", "natural_conversation_ending", "web_search")
_SILENCE_TOOL = "choose_not_to_respond"


class PhonicToolConfig(TypedDict, total=False):
    """How one tool behaves; an entry of `configs_for_tools`. Only `name` must be there.

    The four booleans are for function tools and False by default. The last two are for Phonic's built-in tools, where
    the tool is also listed in `phonic_tools`. Meanings as in Phonic SDK 0.32.
    """

    name: str
    """The function tool, or the built-in tool, that this is about."""
    require_speech_before_tool_call: bool
    """The assistant has to say something before it calls the tool."""
    forbid_speech_after_tool_call: bool
    """The assistant stays silent once the tool has returned."""
    forbid_tool_call_after_speech: bool
    """The assistant may not call the tool directly after it has spoken."""
    allow_tool_chaining: bool
    """The assistant may call another tool after this one before it speaks."""
    respond_after_sec: float
    """choose_not_to_respond: seconds of further silence after which the assistant speaks anyway; else it never does."""
    speech_before_tool_call: str
    """keypad_input, natural_conversation_ending, web_search: "required", "optional" or "suppressed"."""


_FIELDS: dict[str, checks.Check] = {
    "name": checks.filled_text,
    "require_speech_before_tool_call": checks.flag,
    "forbid_speech_after_tool_call": checks.flag,
    "forbid_tool_call_after_speech": checks.flag,
    "allow_tool_chaining": checks.flag,
    "respond_after_sec": checks.number(),
    "speech_before_tool_call": checks.one_of("required", "optional", "suppressed"),
}


def check_configs(name: str, value: Any) -> None:
    """Raise ValueError unless `value` is a list of PhonicToolConfig; a key that would have no effect is refused."""
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list of dicts, not a value of type {type(value).__name__}")
    for index, entry in enumerate(value):
        where = f"{name}[{index}]"
        checks.mapping(where, entry)
        if entry.get("name") is None:
            raise ValueError(f"{where} has no 'name', so that it is about no tool")
        for key, item in entry.items():
            if key not in _FIELDS:
                raise ValueError(f"{where} has the unknown key {key!r}; the keys are {', '.join(_FIELDS)}")
            if item is not None:
                _FIELDS[key](f"{where}[{key!r}]", item)


def to_phonic_tool_definitions(tool_context: llm.ToolContext) -> list[ResponsesToolDefinitionParams]:
    """The schemas of LiveKit's function tools in the form of Phonic's Responses API.

    Schemas alone: a call that Phonic returns is run by the caller, with the tool in `tool_context`.
    """
    functions = [schema["function"] for schema in tool_context.parse_function_tools("openai", strict=True)]
    return [
        {
            "name": function["name"],
            "description": function.get("description") or "",
            "parameters": function["parameters"],
        }
        for function in functions
    ]


def tool_definitions(tools: llm.ToolContext, options: Options) -> list[dict[str, Any] | str]:
    """All tools of a conversation as Phonic's ToolDefinition: those of `phonic_tools` first, then the function tools.

    One of `phonic_tools` goes out as its bare name, unless it is a built-in tool with a configuration of its own.
    Function tools are called only after the assistant's speech has ended, since a call that came in the middle of it
    would have to wait for the playout in any case.
    """
    configs = _configs(options)
    named = options.phonic_tools if is_given(options.phonic_tools) else None
    definitions: list[dict[str, Any] | str] = [_phonic_tool(name, configs.get(name, {})) for name in named or ()]
    for schema in tools.parse_function_tools("openai", strict=True):
        config = configs.get(schema["function"]["name"], {})
        definitions.append(
            {
                "type": "custom_websocket",
                "tool_schema": schema,
                "tool_call_output_timeout_ms": OUTPUT_TIMEOUT_MS,
                "wait_for_speech_before_tool_call": True,
                "require_speech_before_tool_call": config.get("require_speech_before_tool_call", False),
                "forbid_speech_after_tool_call": config.get("forbid_speech_after_tool_call", False),
                "forbid_tool_call_after_speech": config.get("forbid_tool_call_after_speech", False),
                "allow_tool_chaining": config.get("allow_tool_chaining", False),
            }
        )
    return definitions


def forbids_speech_after(options: Options, tool_name: str) -> bool:
    """Whether the assistant stays silent after this tool, so that no reply to its output is to be expected."""
    return bool(_configs(options).get(tool_name, {}).get("forbid_speech_after_tool_call", False))


def _configs(options: Options) -> dict[str, PhonicToolConfig]:
    """One configuration per tool name; an explicit entry wins over the deprecated forbid_speech_after_tool_call."""
    listed = options.configs_for_tools if is_given(options.configs_for_tools) else None
    configs = {config["name"]: config for config in listed or ()}
    silent = options.forbid_speech_after_tool_call if is_given(options.forbid_speech_after_tool_call) else None
    for name in silent or ():
        deprecated: PhonicToolConfig = {"name": name, "forbid_speech_after_tool_call": True}
        configs[name] = cast(PhonicToolConfig, {**deprecated, **configs.get(name, {})})
    return configs


def _phonic_tool(name: str, config: PhonicToolConfig) -> dict[str, Any] | str:
    if name == _SILENCE_TOOL:
        key = "respond_after_sec"
    elif name in _SPEECH_TOOLS:
        key = "speech_before_tool_call"
    else:
        return name
    if key not in config:
        return name
    return {"type": "built_in", "name": name, "tool_config": {key: cast("dict[str, Any]", config)[key]}}
