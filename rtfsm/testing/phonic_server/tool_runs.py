"""Tool calls of a listening conversation: from the call to the spoken answer, or to its withdrawal."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

from attrs import frozen

from rtfsm.testing.phonic_server import messages
from rtfsm.testing.phonic_server.call import Call
from rtfsm.testing.phonic_server.client_protocol import CallState
from rtfsm.testing.phonic_server.dialogue import Dialogue
from rtfsm.testing.phonic_server.floor import Floor
from rtfsm.testing.phonic_server.messages import Message
from rtfsm.testing.phonic_server.offered_tools import OfferedTool, first_callable
from rtfsm.testing.server.lines import UserLine

SPOKEN_OUTPUT_WORDS = 60
"""A tool's output is spoken up to this many words."""

_DEFAULT_PREAMBLE = "One moment."


@frozen
class _Outcome:
    """How a call ended: its output, unless its time ran out."""

    output: Any
    timed_out: bool


class ToolRuns:
    """Calls the client's tools as the lines of a dialogue need them."""

    def __init__(self, call: Call, floor: Floor, dialogue: Dialogue) -> None:
        self.ever: dict[str, OfferedTool] = {}
        self._offered: dict[str, OfferedTool] = {}
        self._call = call
        self._floor = floor
        self._dialogue = dialogue
        self._outputs: dict[str, asyncio.Future[Any]] = {}
        self._holding: tuple[str, OfferedTool] | None = None
        self._background: set[asyncio.Task[None]] = set()

    @property
    def offered(self) -> dict[str, OfferedTool]:
        """The tools that may be called now. Those that were ever offered are remembered in `ever`."""
        return self._offered

    @offered.setter
    def offered(self, tools: dict[str, OfferedTool]) -> None:
        self._offered = tools
        self.ever.update(tools)

    @property
    def uninterruptible(self) -> bool:
        """Whether a call is under way that the user's voice must not end."""
        return self._holding is not None and self._holding[1].wants("uninterruptible")

    def withdraw(self) -> Message | None:
        """The user barged in: the message that withdraws the call on the floor, if there is one."""
        if self._holding is None:
            return None
        (call_id, tool), self._holding = self._holding, None
        self._outputs.pop(call_id, None)
        # An output that has arrived but was not yet looked at ends the call as well.
        if self._call.connection.protocol.calls.get(call_id) is not CallState.OPEN:
            return None
        return messages.tool_call_interrupted(call_id, tool.name)

    def stop(self) -> None:
        """Forget all calls; nothing is sent for them."""
        self._holding = None
        self._outputs.clear()
        for task in self._background:
            task.cancel()

    def take_output(self, message: Message) -> None:
        """A tool_call_output has arrived."""
        call_id = message.get("tool_call_id")
        waiting = self._outputs.pop(call_id, None) if isinstance(call_id, str) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(message.get("output"))

    async def answer(self, line: UserLine) -> None:
        """Within a job of the floor: call a tool for this line and speak the answer."""
        choice = first_callable(self._offered.values())
        if choice is None:
            await self._floor.speak(self._dialogue.no_tool)
            return
        tool, arguments = choice
        await self._speak_before(line, tool)
        call_id = self._call.new_tool_call_id()
        self._outputs[call_id] = asyncio.get_running_loop().create_future()
        if not tool.runs_async:
            self._holding = (call_id, tool)
        await self._call.send(messages.tool_call(call_id, tool.name, arguments))
        if tool.runs_async:
            task = asyncio.create_task(self._answer_later(line, tool, arguments, call_id), name="phonic-server-tool")
            self._background.add(task)
            task.add_done_callback(self._background.discard)
            return
        outcome = await self._finish(tool, arguments, call_id)
        self._holding = None
        if not tool.wants("forbid_speech_after_tool_call"):
            await self._floor.speak(self._words(line, outcome))

    async def _speak_before(self, line: UserLine, tool: OfferedTool) -> None:
        text = line.before_tool
        if tool.wants("forbid_tool_call_after_speech"):
            text = ""
        elif tool.wants("require_speech_before_tool_call"):
            text = text or _DEFAULT_PREAMBLE
        if text:
            waits = "wait_for_speech_before_tool_call" not in tool.denied
            await self._floor.speak(text, until_played=waits)

    async def _answer_later(self, line: UserLine, tool: OfferedTool, arguments: dict[str, Any], call_id: str) -> None:
        outcome = await self._finish(tool, arguments, call_id)
        if "wait_for_response" not in tool.denied:
            self._floor.add(functools.partial(self._floor.speak, self._words(line, outcome)))

    async def _finish(self, tool: OfferedTool, arguments: dict[str, Any], call_id: str) -> _Outcome:
        began = self._call.now
        try:
            outcome = _Outcome(await asyncio.wait_for(self._outputs[call_id], tool.timeout_s), timed_out=False)
        except asyncio.TimeoutError:
            self._outputs.pop(call_id, None)
            outcome = _Outcome(None, timed_out=True)
        await self._call.send(
            messages.tool_call_output_processed(
                call_id,
                tool.name,
                parameters=arguments,
                output=outcome.output,
                duration_ms=(self._call.now - began) * 1000,
                timed_out=outcome.timed_out,
                error_message="the tool's time ran out" if outcome.timed_out else None,
            )
        )
        return outcome

    def _words(self, line: UserLine, outcome: _Outcome) -> str:
        if outcome.timed_out:
            return self._dialogue.tool_failed
        output = outcome.output if isinstance(outcome.output, str) else ""
        spoken = " ".join(output.split()[:SPOKEN_OUTPUT_WORDS])
        if "{output}" in line.answers:
            return line.answers.replace("{output}", spoken)
        return f"{line.answers} {spoken}".strip()
