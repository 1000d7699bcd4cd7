"""Phonic as a provider: its codec, its socket, and the messages that configure it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from livekit.agents import llm

from rtfsm.adapters.livekit.provider import Settings, Sink
from rtfsm.profiles import PHONIC

from .codec import OUTPUT_RATE, PhonicCodec, frame_of
from .config import config_options, filled, history_text
from .endpoint import headers, websocket_url
from .tools import forbids_speech_after, tool_definitions
from .transport import WebSocketTransport

__all__ = ["PhonicProvider"]


class PhonicProvider:
    """Phonic, for any number of sessions; ``settings.options`` is an :class:`Options`."""

    capabilities = PHONIC
    codec = PhonicCodec()
    input_rate = OUTPUT_RATE
    output_rate = OUTPUT_RATE

    def connect(self, settings: Settings, epoch: int, sink: Sink) -> WebSocketTransport:
        return WebSocketTransport(websocket_url(settings.options), headers(settings.options), epoch, sink)

    def configure(self, settings: Settings) -> Sequence[str]:
        return (frame_of({"type": "config", **_config(settings, replay_welcome=not settings.continued)}),)

    def reset(self, settings: Settings) -> Sequence[str]:
        return (frame_of({"type": "reset", "config": _config(settings, replay_welcome=False)}),)

    def update(self, before: Settings, now: Settings) -> Sequence[str]:
        frames = []
        if now.instructions != before.instructions:
            prompt = filled(now.instructions or "", now.options)
            frames.append(frame_of({"type": "update_system_prompt", "system_prompt": prompt}))
        had, has = _tools(before), _tools(now)
        if has != had:
            frames.append(frame_of({"type": "update_tools_subset", "tools": has}))
        return frames

    def secrets(self, settings: Settings) -> Sequence[str]:
        return (settings.options.api_key,)

    def answers_output(self, settings: Settings, tool: str) -> bool:
        return not forbids_speech_after(settings.options, tool)


def _tools(settings: Settings) -> list[Any]:
    return tool_definitions(settings.tools or llm.ToolContext.empty(), settings.options)


def _config(settings: Settings, *, replay_welcome: bool) -> dict[str, Any]:
    return config_options(
        settings.options,
        instructions=settings.instructions or "",
        tools=settings.tools or llm.ToolContext.empty(),
        history=None if settings.history is None else history_text(settings.history),
        replay_welcome=replay_welcome,
    )
