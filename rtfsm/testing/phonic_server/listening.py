"""The default scenario: a server that listens to the user's voice and answers from a script.

What the protocol's documentation leaves open is an argument of `listening`, so that a client can be tried both ways.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from attrs import evolve

from rtfsm.testing.phonic_server import messages
from rtfsm.testing.phonic_server.call import Call
from rtfsm.testing.phonic_server.connection import Record
from rtfsm.testing.phonic_server.dialogue import DEFAULT_DIALOGUE, Dialogue
from rtfsm.testing.phonic_server.ears import Ears, Heard, Sensitivity
from rtfsm.testing.phonic_server.floor import Floor
from rtfsm.testing.phonic_server.messages import Message
from rtfsm.testing.phonic_server.offered_tools import offered_tools
from rtfsm.testing.phonic_server.tool_runs import ToolRuns
from rtfsm.testing.server.lines import UserLine


def listening(
    dialogue: Dialogue = DEFAULT_DIALOGUE,
    *,
    sensitivity: Sensitivity | None = None,
    finish_when_played: bool = False,
    finish_cut_turns: bool = False,
) -> Callable[[Call], Awaitable[None]]:
    """A scenario that listens and answers from `dialogue`.

    Args:
        sensitivity: when speech starts and stops; the configuration's vad_min_speech_duration_ms and
            vad_min_silence_duration_ms override its times.
        finish_when_played: send assistant_finished_speaking when the audio has been played, not when it has been sent.
            Matters only for a client that has audio streamed ahead of real time.
        finish_cut_turns: send assistant_finished_speaking for a turn that was cut while it was being sent, before
            user_started_speaking. The protocol's documentation does not say whether it comes.
    """

    async def scenario(call: Call) -> None:
        await _Listener(call, dialogue, sensitivity or Sensitivity(), finish_when_played, finish_cut_turns).run()

    return scenario


async def default_scenario(call: Call) -> None:
    """Listens, and answers `DEFAULT_DIALOGUE`."""
    await listening()(call)


class _Listener:
    """One listening conversation."""

    def __init__(
        self,
        call: Call,
        dialogue: Dialogue,
        sensitivity: Sensitivity,
        finish_when_played: bool,
        finish_cut_turns: bool,
    ) -> None:
        self._call = call
        self._dialogue = dialogue
        self._sensitivity = sensitivity
        self._finish_cut_turns = finish_cut_turns
        self._floor = Floor(call, finish_when_played=finish_when_played)
        self._tools = ToolRuns(call, self._floor, dialogue)
        self._turns = 0
        self._cut_words: str | None = None
        self._muted = False
        self._ears = Ears("pcm_24000", sensitivity)

    async def run(self) -> None:
        config = await self._call.handshake()
        self._configure(config)
        self._muted = config.get("push_to_talk") is True
        self._welcome(config)
        ears = asyncio.create_task(self._listen(), name="phonic-server-ears")
        try:
            await asyncio.wait({ears, self._floor.failed}, return_when=asyncio.FIRST_COMPLETED)
            if self._floor.failed.done():
                self._floor.failed.result()
            ears.result()
        finally:
            ears.cancel()
            self._tools.stop()
            self._floor.cut()

    def _configure(self, config: Mapping[str, Any]) -> None:
        changes = {
            ours: config[theirs]
            for ours, theirs in (("start_ms", "vad_min_speech_duration_ms"), ("stop_ms", "vad_min_silence_duration_ms"))
            if type(config.get(theirs)) is int
        }
        speaking = self._ears.speaking
        self._ears = Ears(self._call.connection.protocol.input_format, evolve(self._sensitivity, **changes))
        self._ears.speaking = speaking
        self._tools.offered = offered_tools(config.get("tools"))

    def _welcome(self, config: Mapping[str, Any]) -> None:
        text = config.get("welcome_message")
        if config.get("generate_welcome_message") is True:
            text = self._dialogue.welcome
        if isinstance(text, str) and text:
            self._say(text, interruptible=config.get("is_welcome_message_interruptible") is not False)

    def _say(self, text: str, *, interruptible: bool = True) -> None:
        self._floor.add(functools.partial(self._floor.speak, text, interruptible=interruptible))

    async def _listen(self) -> None:
        while True:
            # A client that stops sending while the user speaks has made the user silent.
            patience = self._ears.sensitivity.stop_ms / 1000 + 0.1 if self._ears.speaking else None
            try:
                record = await self._call.hear(patience)
            except asyncio.TimeoutError:
                await self._notice(self._ears.silence())
                continue
            if record.type != "audio_chunk":
                await self._obey(record)
            elif not self._muted:
                await self._notice(self._ears.hear(record.audio))

    async def _notice(self, changes: list[Heard]) -> None:
        for change in changes:
            await (self._user_started() if change is Heard.STARTED else self._user_finished())

    @property
    def _line(self) -> UserLine:
        lines = self._dialogue.lines
        return lines[self._turns] if self._turns < len(lines) else self._dialogue.otherwise

    def _may_interrupt(self) -> bool:
        needed = self._call.config.get("min_words_to_interrupt")
        enough = type(needed) is not int or len(self._line.hears.split()) >= needed
        return enough and self._floor.interruptible and not self._tools.uninterruptible

    async def _user_started(self) -> None:
        if self._may_interrupt():
            self._cut_words = self._floor.cut()
            withdrawn = self._tools.withdraw()
            await self._settle_bracket()
            await self._call.send(messages.user_started_speaking())
            if withdrawn is not None:
                await self._call.send(withdrawn)
        else:
            await self._call.send(messages.user_started_speaking())

    async def _settle_bracket(self) -> None:
        if self._finish_cut_turns:
            await self._floor.close_bracket()
        else:
            self._floor.forget_bracket()

    async def _user_finished(self) -> None:
        line = self._line
        last = self._turns == len(self._dialogue.lines) - 1
        self._turns += 1
        await self._call.send(messages.user_finished_speaking())
        if self._cut_words is not None:
            await self._call.send(messages.interrupted_response(self._cut_words))
            self._cut_words = None
        await self._call.send(messages.input_text(line.hears, language=self._dialogue.language))
        self._floor.add(functools.partial(self._answer, line, ends=last and self._dialogue.ends_conversation))

    async def _answer(self, line: UserLine, *, ends: bool) -> None:
        await self._call.delay(self._dialogue.thinking_s)
        if line.tool:
            await self._tools.answer(line)
        else:
            await self._floor.speak(line.answers, until_played=not ends)
        if ends:
            await self._call.send(messages.assistant_ended_conversation())
            await self._floor.played()
            await self._call.close(4600, "assistant ended conversation")

    async def _obey(self, record: Record) -> None:
        message: Message = record.message or {}
        action = self._ACTIONS.get(record.type)
        if action is not None:
            await action(self, message)

    async def _mute(self, message: Message) -> None:
        self._muted = True
        await self._notice(self._ears.silence())

    async def _unmute(self, message: Message) -> None:
        self._muted = False

    async def _generate_reply(self, message: Message) -> None:
        wish = message.get("user_message")
        repeated = f" You wrote: {wish}" if isinstance(wish, str) and wish else ""
        self._say(self._dialogue.reply + repeated)

    async def _say_text(self, message: Message) -> None:
        text = message.get("text")
        if isinstance(text, str):
            self._say(text, interruptible=message.get("interruptible") is not False)

    async def _tool_output(self, message: Message) -> None:
        self._tools.take_output(message)

    async def _update_tools(self, message: Message) -> None:
        self._tools.offered = offered_tools(message.get("tools"), {**self._tools.ever, **self._tools.offered})

    async def _reset(self, message: Message) -> None:
        self._cut_words = None
        self._floor.cut()
        self._tools.stop()
        await self._settle_bracket()
        self._configure(self._call.config)

    _ACTIONS: Mapping[str, Callable[[_Listener, Message], Coroutine[Any, Any, None]]] = {
        "mute": _mute,
        "unmute": _unmute,
        "generate_reply": _generate_reply,
        "say": _say_text,
        "tool_call_output": _tool_output,
        "update_tools_subset": _update_tools,
        "reset": _reset,
    }
