"""Phonic as a provider: its codec, its socket, and the messages that configure it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from livekit.agents import llm
from livekit.agents.utils import is_given

from rtfsm.adapters.livekit.frames import frame_of
from rtfsm.adapters.livekit.provider import Features, Settings, Sink
from rtfsm.machines import BargeIn, Floor
from rtfsm.profiles import PHONIC

from .codec import OUTPUT_RATE, CodecState, Greets, PhonicCodec
from .config import config_options, filled, has_welcome, history_text
from .endpoint import headers, websocket_url
from .options import Options
from .tools import forbids_speech_after, tool_definitions
from .transport import WebSocketTransport

__all__ = ["PhonicProvider"]


class PhonicProvider:
    """Phonic, for any number of sessions; ``settings.options`` is an :class:`Options`."""

    capabilities = PHONIC
    features = Features()
    codec = PhonicCodec()
    input_rate = OUTPUT_RATE
    output_rate = OUTPUT_RATE

    def connect(self, settings: Settings, epoch: int, sink: Sink) -> WebSocketTransport:
        url = websocket_url(settings.options, settings.resumes)
        return WebSocketTransport(url, headers(settings.options), epoch, sink)

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

    def configured(self, state: CodecState, settings: Settings, *, anew: bool) -> CodecState:
        """A conversation that goes on, or begins anew, is told to have no welcome."""
        if anew or settings.continued:
            return attrs.evolve(state, greets=Greets.NOT)
        return attrs.evolve(state, greets=Greets.SURELY) if has_welcome(settings.options) else state

    def floor(self, settings: Settings) -> Floor:
        """Phonic takes several words for an interruption, where told so: then no beginning of speech is one."""
        options: Options = settings.options
        words = options.min_words_to_interrupt
        several = is_given(words) and words is not None and words > 1
        return Floor(
            BargeIn.PROVIDER if several or options.barge_in == "provider" else BargeIn.SPEECH,
            welcome=options.is_welcome_message_interruptible is not False,
            say=options.say_interruptible,
        )

    def secrets(self, settings: Settings) -> Sequence[str]:
        return (settings.options.api_key,)

    def lifetime(self, settings: Settings) -> float | None:
        return None

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
