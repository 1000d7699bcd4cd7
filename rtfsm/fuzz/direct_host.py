"""A host that calls sessions itself: it opens them, configures them, and does with them what moves say."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from livekit import rtc
from livekit.agents import function_tool, llm

from rtfsm.testing.contract.witness import Witness

from .dialect import Wire
from .moves import Move, Ordering

__all__ = ["DirectHost", "persona"]


WATCHED = ("generate_reply", "say", "interrupt", "push_audio")
"""Methods whose errors a watch of the contract judges."""
_SCHEMA: dict[str, Any] = {
    "name": "weather",
    "description": "Tells the weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


# With its schema at hand: making one takes as long as half an ordering.
@function_tool(raw_schema=_SCHEMA)
async def weather(raw_arguments: dict[str, object]) -> str:
    return "sunny"


def persona(session: int, version: int) -> str:
    """A word of the instructions that nothing else holds."""
    return f"persona-{session}-{version}-"


class DirectHost:
    """The sessions of one model, each with a witness."""

    def __init__(self, wire: Wire, ordering: Ordering) -> None:
        self.witnesses: list[Witness] = []
        self.personas: list[list[str]] = []
        """Of each session, the personas that it was given, in order."""
        self.options: list[str] = []
        """Values that the model's options were set to, as text, each with how many sessions there were."""
        self.given: dict[str, int] = {}
        """Tool calls whose output was given, with the session that they belong to."""
        self.closed: set[int] = set()
        """Sessions that the host has closed."""
        self.over: set[int] = set()
        """Sessions that said their conversation has ended, as rtfsm's do."""
        self.failures: list[str] = []
        """Methods that raised where the witness does not look: their name and the type of the error."""
        self._wire = wire
        self._ordering = ordering
        self._calls: set[asyncio.Task[Any]] = set()
        self._truncated: set[str] = set()

    # -- what moves call -------------------------------------------------------------------------------------------

    async def begins(self) -> None:
        """The first session."""
        self.opens()

    def opens(self, *, by_hand: bool = False) -> None:
        """Another session, configured with a persona of its own. by_hand: without turn detection."""
        number = len(self.witnesses)
        session = self._wire.model.session(turn_detection_disabled=by_hand)
        witness = Witness(session, reads=self._ordering.reads)
        self.witnesses.append(witness)
        self.personas.append([])
        if self._ordering.obeys:
            witness.session.on("input_speech_started", lambda _: witness.session.interrupt())
        witness.session.on("conversation_ended", lambda _: self.over.add(number))
        self._configure(number, 0, llm.ChatContext.empty())

    async def do(self, move: Move) -> None:
        """Make the call that a move says. Nothing of it is awaited: other things happen meanwhile."""
        number = min(move.on, len(self.witnesses) - 1)
        if move.what in ("opens", "opens_by_hand"):
            self.opens(by_hand=move.what == "opens_by_hand")
        else:
            getattr(self, f"_{move.what}")(self.witnesses[number], number, **move.args)

    def _asks(self, witness: Witness, number: int, **keywords: Any) -> None:
        self._noted("generate_reply", lambda: witness.session.generate_reply(**keywords))

    _asks_for_tools = _asks

    def _truncates(self, witness: Witness, number: int, *, message: int, share: float) -> None:
        whole = [one for one in witness.messages[::-1] if one.id not in self._truncated]  # a host cuts each once
        for one in whole[message : message + 1]:
            self._truncated.add(one.id)
            end, words = int(one.seconds * share * 1000), one.words if share else ""
            cut = functools.partial(witness.session.truncate, message_id=one.id, modalities=["audio", "text"])
            self._noted("truncate", functools.partial(cut, audio_end_ms=end, audio_transcript=words))

    def _says(self, witness: Witness, number: int) -> None:
        if witness.session.capabilities.supports_say:
            self._noted("say", lambda: witness.session.say("Words to say."))

    def _interrupts(self, witness: Witness, number: int) -> None:
        self._noted("interrupt", witness.session.interrupt)

    def _outputs(self, witness: Witness, number: int, *, call: int, reply: bool, failed: bool) -> None:
        owed = [one for one in witness.calls if one.call_id not in self.given]
        if not owed:
            return
        one = owed[min(call, len(owed) - 1)]
        self.given[one.call_id] = number
        context = witness.session.chat_ctx
        output = llm.FunctionCallOutput(
            call_id=one.call_id, name=one.name, output="sunny", is_error=failed, reply_required=reply
        )
        context.items.append(output)
        self._start(witness.session.update_chat_ctx(context))

    def _types(self, witness: Witness, number: int, *, version: int) -> None:
        context = witness.session.chat_ctx
        context.add_message(role="user", content=f"typed-{version}-")
        self._start(witness.session.update_chat_ctx(context))

    def _hands_over(self, witness: Witness, number: int, *, version: int) -> None:
        self._configure(number, version, witness.session.chat_ctx)

    def _updates_instructions(self, witness: Witness, number: int, *, version: int) -> None:
        self.personas[number].append(persona(number, version))
        self._start(witness.session.update_instructions(f"You are {persona(number, version)}."))

    def _updates_tools(self, witness: Witness, number: int, *, count: int) -> None:
        self._start(witness.session.update_tools([*[weather][:count]]))

    def _updates_options(self, witness: Witness, number: int, *, keywords: dict[str, Any]) -> None:
        update = getattr(self._wire.model, "update_options", None)
        if update is None or not keywords:
            return
        self.options += map(str, keywords.values())
        self._noted("model.update_options", lambda: update(**keywords))

    def _sounds(self, witness: Witness, number: int, *, ms: int, rate: int, channels: int) -> None:
        samples = rate * ms // 1000
        frame = rtc.AudioFrame(b"\1\0" * samples * channels, rate, channels, samples)
        self._noted("push_audio", lambda: witness.session.push_audio(frame))

    def _cancels(self, witness: Witness, number: int) -> None:
        pending = [request for request in witness.requests if not request.future.done()]
        if pending:
            witness.cancel(pending[0])

    def _clears(self, witness: Witness, number: int) -> None:
        self._noted("clear_audio", witness.session.clear_audio)

    def _commits(self, witness: Witness, number: int) -> None:
        self._noted("commit_audio", witness.session.commit_audio)

    def _closes(self, witness: Witness, number: int) -> None:
        self.closed.add(number)
        self._start(witness.close())

    # -- the end ---------------------------------------------------------------------------------------------------

    def reads_all(self) -> None:
        """Take what nobody has taken from the streams so far."""
        for witness in self.witnesses:
            witness.read()

    async def ends(self) -> None:
        """Close what is open, and give up the calls that have not returned."""
        for witness in self.witnesses:
            await witness.close()
        for task in self._calls:
            task.cancel()
        if self._calls:
            await asyncio.wait(self._calls, timeout=1.0)

    async def leaves(self) -> None:
        """The provider is gone too: look what is left, and stop looking."""
        for witness in self.witnesses:
            witness.look_for_tasks()
        for witness in reversed(self.witnesses):
            await witness.leave()

    def _configure(self, number: int, version: int, context: llm.ChatContext) -> None:
        self.personas[number].append(persona(number, version))
        self._start(
            self.witnesses[number].session._update_session(
                instructions=f"You are {persona(number, version)}.", chat_ctx=context, tools=[weather]
            )
        )

    def _noted(self, name: str, call: Any) -> None:
        try:
            call()
        except Exception as error:
            if name not in WATCHED:
                self.failures.append(f"{name}() raised {type(error).__name__}")

    def _start(self, call: Coroutine[Any, Any, Any]) -> None:
        async def quiet() -> None:
            with suppress(Exception):  # noted by the witness
                await call

        task = asyncio.ensure_future(quiet())
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
