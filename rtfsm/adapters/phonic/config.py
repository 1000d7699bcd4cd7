"""The configuration that Phonic is sent: at the start of a conversation and, as a reset, in the middle of one."""

from __future__ import annotations

import copy
import re
from typing import Any

import attrs
from livekit.agents import llm
from livekit.agents.utils import is_given

from .options import Options
from .tools import tool_definitions

AUDIO_FORMAT = "pcm_24000"
"""16-bit little-endian mono PCM at 24 kHz, in both directions."""

# Options that have another name on the wire, and options that are not sent, or not as they are.
_WIRE_NAME = {"phonic_agent": "agent", "voice": "voice_id"}
_NOT_SENT = {
    "api_key",
    "base_url",
    "conn_options",
    "phonic_tools",
    "configs_for_tools",
    "forbid_speech_after_tool_call",
    "barge_in",
    "say_interruptible",
}

_HISTORY_PREFACE = (
    "You have been talking with the user for a while already. Below is what has been said so far, oldest first, one "
    "message per line, each with who said it. Carry on from where it ends; do not greet the user again.\n"
)


def config_options(
    options: Options,
    *,
    instructions: str,
    tools: llm.ToolContext,
    history: str | None,
    replay_welcome: bool = True,
) -> dict[str, Any]:
    """The fields of Phonic's `config` message, or of the `config` inside its `reset` (ConfigOptions in SDK 0.32).

    `history`, from `history_text`, is put behind the instructions in the system prompt. Without `replay_welcome` Phonic
    is told that there is no welcome, neither a fixed nor a generated one, since a reset might speak it again. An
    option that is not given has no key; one that is None has the value None, which is to be sent as null. The dict
    and all in it belong to the caller.
    """
    config: dict[str, Any] = {
        "system_prompt": instructions if history is None else f"{instructions}\n\n{history}",
        "input_format": AUDIO_FORMAT,
        "output_format": AUDIO_FORMAT,
        "stream_ahead_of_real_time": True,
    }
    for name in _SENT:
        value = getattr(options, name)
        if is_given(value):
            config[_WIRE_NAME.get(name, name)] = copy.deepcopy(value)
    definitions = tool_definitions(tools, options)
    if definitions:
        config["tools"] = copy.deepcopy(definitions)
    if not replay_welcome:
        config["welcome_message"] = None
        config["generate_welcome_message"] = False
    return config


_SENT = tuple(field.name for field in attrs.fields(Options) if field.name not in _NOT_SENT)


def has_welcome(options: Options) -> bool:
    """Whether these options say that the assistant speaks first. An agent at Phonic may have a welcome even so."""
    return bool(options.generate_welcome_message or options.welcome_message)


def history_text(chat_ctx: llm.ChatContext) -> str | None:
    """What was said before, for the system prompt of a conversation that goes on; None if nothing was.

    Only messages with text count. Each becomes one line, "role: text", whatever white space it held: text that a user
    typed cannot pose as another's line. Phonic fills `{{name}}` in a system prompt from template_variables (SDK 0.32),
    so such braces are parted, and what was said stays what was said.
    """
    lines = []
    for item in chat_ctx.items:
        if not isinstance(item, llm.ChatMessage):
            continue
        text = " ".join((item.raw_text_content or "").split())
        if text:
            lines.append(f"{item.role}: {_parted(text)}")
    return _HISTORY_PREFACE + "\n".join(lines) if lines else None


def filled(instructions: str, options: Options) -> str:
    """Instructions with their `{{name}}` filled from template_variables, and what else looks like one parted.

    For `update_system_prompt`, in which Phonic allows no template variable (SDK 0.32).
    """
    variables = options.template_variables if is_given(options.template_variables) else None
    known = variables or {}
    return _parted(re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: known.get(found[1], found[0]), instructions))


def _parted(text: str) -> str:
    return re.sub(r"\{(?=\{)", "{ ", text)
