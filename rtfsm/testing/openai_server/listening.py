"""The default scenario: a service that listens to the user's voice and answers from a script."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from attrs import evolve

from rtfsm.testing.openai_server.call import Call
from rtfsm.testing.openai_server.client_fields import AUDIO_FORMATS
from rtfsm.testing.openai_server.dialogue import DEFAULT_DIALOGUE, Dialogue
from rtfsm.testing.openai_server.response import AHEAD_SPEED, Response
from rtfsm.testing.openai_server.voice import decoder
from rtfsm.testing.server.arguments import plausible_arguments
from rtfsm.testing.server.ears import Ears, Heard, Sensitivity
from rtfsm.testing.server.lines import UserLine

SPOKEN_OUTPUT_WORDS = 60
"""A tool's output is spoken up to this many words."""


def listening(
    dialogue: Dialogue = DEFAULT_DIALOGUE,
    *,
    sensitivity: Sensitivity | None = None,
    speed: float = AHEAD_SPEED,
) -> Callable[[Call], Awaitable[None]]:
    """A scenario that listens and answers from `dialogue`.

    With turn detection the user's turns begin and end by loudness; without it they are what the client commits.

    Args:
        sensitivity: when speech starts and stops; silence_duration_ms of the session overrides its `stop_ms`.
        speed: how fast a voice is sent, relative to real time. At 1 the user interrupts responses that are under way,
            where a faster one is mostly over before it is heard.
    """

    async def scenario(call: Call) -> None:
        await _Listener(call, dialogue, sensitivity or Sensitivity(), speed).run()

    return scenario


async def default_scenario(call: Call) -> None:
    """Listens, and answers `DEFAULT_DIALOGUE`."""
    await listening()(call)


class _Listener:
    """One listening conversation."""

    def __init__(self, call: Call, dialogue: Dialogue, sensitivity: Sensitivity, speed: float) -> None:
        self._call = call
        self._dialogue = dialogue
        self._sensitivity = sensitivity
        self._speed = speed
        self._hearing_as: tuple[str, Sensitivity] | None = None
        self._ears = self._tuned_ears()
        self._turns = 0
        self._unanswered: UserLine | None = None
        self._tool_lines: dict[str, UserLine] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # A conversation that is already being torn down no longer waits for it.
        self._failed.add_done_callback(lambda failed: failed.cancelled() or failed.exception())

    async def run(self) -> None:
        self._spawn(self._listen())
        self._spawn(self._answer_all())
        try:
            await self._failed
        finally:
            for task in self._tasks:
                task.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="openai-server-listening")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self._failed.done():
            self._failed.set_exception(error)

    def _tuned_ears(self) -> Ears:
        detection = self._call.service.session.turn_detection or {}
        silence_ms = detection.get("silence_duration_ms")
        tuned = self._sensitivity if silence_ms is None else evolve(self._sensitivity, stop_ms=silence_ms)
        hearing_as = (self._call.service.session.input_format, tuned)
        if hearing_as != self._hearing_as:
            speaking = self._hearing_as is not None and self._ears.speaking
            self._hearing_as = hearing_as
            self._ears = Ears(AUDIO_FORMATS[hearing_as[0]][0], tuned, decoder(hearing_as[0]))
            self._ears.speaking = speaking
        return self._ears

    async def _listen(self) -> None:
        seen = 0
        while True:
            # A client that stops sending while the user speaks has made the user silent.
            patience = self._ears.sensitivity.stop_ms / 1000 + 0.1 if self._ears.speaking else None
            try:
                record = await self._call.hear(patience)
            except asyncio.TimeoutError:
                await self._notice(self._ears.silence())
            else:
                detects = self._call.service.session.turn_detection is not None
                if record.type == "input_audio_buffer.append" and detects:
                    await self._notice(self._tuned_ears().hear(record.audio))
            commits = self._call.service.commits
            for item_id in commits[seen:]:
                self._take_turn(item_id)
            seen = len(commits)

    async def _notice(self, changes: list[Heard]) -> None:
        for change in changes:
            if change is Heard.STARTED:
                await self._call.user_starts()
            else:
                await self._call.user_stops()

    def _take_turn(self, item_id: str) -> None:
        lines = self._dialogue.lines
        line = lines[self._turns] if self._turns < len(lines) else self._dialogue.otherwise
        self._turns += 1
        self._unanswered = line
        if self._call.service.session.transcribes:
            self._spawn(self._transcribe(item_id, line.hears))

    async def _transcribe(self, item_id: str, text: str) -> None:
        await self._call.delay(self._dialogue.transcript_after_s)
        await self._call.transcribe(item_id, text, pieces=2)

    async def _answer_all(self) -> None:
        while True:
            response = await self._call.next_response(timeout=float("inf"))
            self._spawn(self._answer(response))

    async def _answer(self, response: Response) -> None:
        await self._call.delay(self._dialogue.thinking_s)
        if response.over:
            return
        if response.conversation is None:
            await self._say(response, self._dialogue.aside)
        elif self._unanswered is not None:
            line, self._unanswered = self._unanswered, None
            await (self._use_tool(response, line) if line.tool else self._say(response, line.answers))
        else:
            await self._say(response, self._tool_answer() or self._dialogue.reply)
        await response.done()

    async def _use_tool(self, response: Response, line: UserLine) -> None:
        for tool in response.tools if response.tool_choice != "none" else ():
            arguments = plausible_arguments(tool.get("parameters") or {"type": "object"})
            if tool["type"] == "function" and arguments is not None:
                if line.before_tool:
                    await self._say(response, line.before_tool)
                call_id = await response.call_tool(tool["name"], arguments)
                if call_id is not None:
                    self._tool_lines[call_id] = line
                return
        await self._say(response, self._dialogue.no_tool)

    def _tool_answer(self) -> str | None:
        """The answer to the last output that the client has given, once."""
        for item in reversed(self._call.conversation.items):
            line = self._tool_lines.pop(str(item.body.get("call_id")), None) if "output" in item.body else None
            if line is not None:
                spoken = " ".join(str(item.body["output"]).split()[:SPOKEN_OUTPUT_WORDS])
                return line.answers.replace("{output}", spoken)
        return None

    async def _say(self, response: Response, text: str) -> None:
        await response.say(text, speed=self._speed)
