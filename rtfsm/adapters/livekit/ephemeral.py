"""Replies that are heard and leave no trace: in no history, and in no context of the provider's."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession, llm
from livekit.agents.utils.aio import itertools
from livekit.agents.voice import SpeechHandle

from .session import RealtimeSession

__all__ = ["reply_ephemeral"]


async def reply_ephemeral(session: AgentSession[Any], *, instructions: str | None = None) -> SpeechHandle:
    """Have the model say something that becomes part of nothing: a whispered hint, a word to bridge a wait.

    Returns the handle of the speech once the answer has begun; it is played like any other, can be interrupted, and is
    in neither the history of the AgentSession nor the conversation that the provider holds. instructions: what to say;
    without, the model continues as it likes. Tools that it calls are not run.

    Raises OutOfBandUnsupported, a RealtimeError, where the provider has no such replies (Phonic is one of them: all
    that it says becomes part of its conversation), RealtimeError if no answer comes in time or the conversation is
    over, and RuntimeError if the session is not running with a model of this library; TypeError for anything but an
    AgentSession.
    """
    if not isinstance(session, AgentSession):
        raise TypeError(f"reply_ephemeral takes a livekit.agents.AgentSession, not a {type(session).__name__}")
    realtime = session.current_agent.realtime_llm_session
    if not isinstance(realtime, RealtimeSession):
        raise RuntimeError(f"the session speaks through {type(realtime).__name__}, which rtfsm does not drive")
    event = await realtime.reply_out_of_band(instructions=instructions)
    # LiveKit plays what was asked of a realtime session only if it asked itself. What it is given as text and sound to
    # say, it plays and, where told so, writes down nowhere (livekit-agents 1.8.9).
    spoken, heard = itertools.tee(event.message_stream, 2)
    return session.say(_words(spoken), audio=_sound(heard), add_to_chat_ctx=False)


async def _words(messages: AsyncIterable[llm.MessageGeneration]) -> AsyncIterator[str]:
    async for message in messages:
        async for words in message.text_stream:
            yield words


async def _sound(messages: AsyncIterable[llm.MessageGeneration]) -> AsyncIterator[rtc.AudioFrame]:
    async for message in messages:
        async for frame in message.audio_stream:
            yield frame
