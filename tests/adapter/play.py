"""A conversation at work: each step is taken, and then everything must be right."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from livekit import rtc
from livekit.agents import function_tool, llm

from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.language import Kind
from rtfsm.machines import Conversation
from rtfsm.testing.memory import MemorySession, MemoryTransport
from rtfsm.testing.phonic_server import messages as say
from tests.adapter.host import Host
from tests.adapter.orderings import SOUND, UNSAID, Client, Plan, Server, Step, Wait


class Play:
    """One plan on a stage. Each action of the host is a method of this class."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        hush: Any = [{"name": "hush", "forbid_speech_after_tool_call": True}]
        model = RealtimeModel(
            api_key="key",
            base_url="ws://nowhere",
            configs_for_tools=hush,
            barge_in="speech" if plan.yields else "provider",
        )
        self.session = MemorySession(model)
        self.host = Host(self.session, reads=plan.reads, interrupts=plan.interrupts)
        if plan.during:
            self.host.during = getattr(self, f"_{plan.during}_within")
        self._answered: list[llm.FunctionCall] = []
        self._count = 0
        self._closing: asyncio.Task[None] | None = None
        self._told_at_close = 0

    async def run(self) -> Conversation:
        """Play it; after every step everything must be right."""
        for step in self.plan.steps:
            await self.take(step)
            self.check()
        await self.close()
        for wire in self.wires:
            wire.lose(1000)
        assert self._closing is not None
        await self._closing
        await asyncio.sleep(0.01)
        self.host.check_closed()
        self.check()
        self._check_silence()
        return self.session.conversation

    @property
    def wires(self) -> list[MemoryTransport]:
        return self.session.provider.transports

    async def take(self, step: Step) -> None:
        wire = self.session.wire
        if isinstance(step, Server):
            wire.deliver(step.message)
        elif isinstance(step, Client):
            await getattr(self, step.action)()
        elif isinstance(step, Wait):
            await asyncio.sleep(step.seconds)
        elif step.opens:
            wire.open()
        else:
            wire.lose(step.code)

    def check(self) -> None:
        self.host.check()
        for wire in self.wires:
            assert wire.protocol.errors == [], "the client broke the protocol"
        if self._closing is not None:
            self._check_silence()

    def _check_silence(self) -> None:
        told = [name for name, _ in self.host.told[self._told_at_close :]]
        assert told in ([], ["tool_output_dropped"] * len(told)), f"told after the close: {told}"

    # -- the host --------------------------------------------------------------------------------------------------

    async def configure(self) -> None:
        await self.session._update_session(instructions="Be brief.", chat_ctx=llm.ChatContext.empty(), tools=[weather])

    async def interrupt(self) -> None:
        self.session.interrupt()
        assert not self.host.open, "interrupt() left streams open"

    async def generate(self) -> None:
        self.host.generate_reply(instructions="Go on.")

    async def say(self) -> None:
        self.host.say("These words.")

    async def cancel(self) -> None:
        self.host.cancel()
        await asyncio.sleep(0)

    def _owed(self) -> llm.FunctionCall | None:
        self.host.read()
        known = [call.call_id for call in self._answered]
        return next((call for call in self.host.owed if call.call_id not in known), None)

    async def output(self, *, reply: bool = True) -> None:
        call = self._owed()
        if call is not None:
            self._answered.append(call)
            await self.host.output(call, reply=reply)

    async def silent_output(self) -> None:
        await self.output(reply=False)

    async def output_again(self) -> None:
        if self._answered:
            await self.host.output(self._answered[-1])

    async def output_unknown(self) -> None:
        await self.host.output(llm.FunctionCall(call_id="nobody", name="weather", arguments="{}"))

    async def instructions(self) -> None:
        self._count += 1
        await self.session.update_instructions(f"Be brief, {self._count} times.")

    async def tools(self) -> None:
        await self.session.update_tools([weather] if self._count % 2 else [])

    async def options(self) -> None:
        self._count += 1
        self.session.update_options(voice=f"voice {self._count}")

    async def handoff(self) -> None:
        ctx = llm.ChatContext.empty()
        ctx.add_message(role="user", content="what was said before")
        await self.session._update_session(instructions="Be another.", chat_ctx=ctx, tools=[weather])

    async def sound(self) -> None:
        self.session.push_audio(rtc.AudioFrame(SOUND, 24000, 1, 480))

    async def clear(self) -> None:
        self.session.clear_audio()

    async def typed(self) -> None:
        ctx = self.session.chat_ctx
        ctx.add_message(role="user", content="typed words")
        await self.session.update_chat_ctx(ctx)

    async def remark(self) -> None:
        ctx = self.session.chat_ctx
        ctx.add_message(role="system", content="a remark")
        await self.session.update_chat_ctx(ctx)

    async def drain(self) -> None:
        self.host.read()

    async def late_frame(self) -> None:
        """A frame of the first connection, which may be long gone."""
        self.wires[0].deliver_late(say.assistant_started_speaking()) if len(self.wires) > 1 else None

    async def close(self) -> None:
        if self._closing is None:
            self._closing = asyncio.create_task(self.session.aclose())
            await asyncio.sleep(0)
            assert not self.host.open, "the close left streams open"
            assert all(future.done() for future in self.host.futures), "the close left futures pending"
            self._told_at_close = len(self.host.told)

    # -- an application's handlers ---------------------------------------------------------------------------------

    def _interrupt_within(self) -> None:
        self.session.interrupt()

    def _generate_within(self) -> None:
        if len(self.host.futures) < 3:
            self.host.generate_reply()

    def _raise_within(self) -> None:
        raise TypeError("a bug of the application")


@function_tool
async def weather(city: str) -> str:
    """Tells the weather."""
    return "sunny"


class Tally:
    """How often every state and every arm of every machine was reached."""

    def __init__(self) -> None:
        self.conversations = 0
        self.taken: Counter[tuple[str, int]] = Counter()
        self.states: Counter[tuple[str, str]] = Counter()
        self._machines: dict[str, Any] = {}

    def add(self, conversation: Conversation) -> None:
        self.conversations += 1
        self.taken += conversation.taken
        for machine in conversation.composition.machines:
            self._machines[machine.name] = machine
            for _, _, arm in machine.arms:
                count = conversation.taken[machine.name, arm.index]
                if count and arm.target is not None:
                    self.states[machine.name, arm.target.name] += count

    def _possible(self, machine: str) -> list[Any]:
        """The arms that this wire can take: nothing refused or never said by Phonic, and not of what was dropped."""
        declared = self._machines[machine]
        dropped = set() if machine in ("session", "user_turn") else declared.final
        return [
            (state, event, arm)
            for state, event, arm in declared.arms
            if arm.kind is not Kind.REFUSE
            and event.__name__ not in UNSAID
            and state not in dropped
            and not (arm.guard is not None and arm.guard.name in ("fatal", "was_cut"))
        ]

    def arms(self, machine: str) -> tuple[int, int]:
        """Arms that were taken, and arms that can be."""
        possible = self._possible(machine)
        return sum(self.taken[machine, arm.index] > 0 for _, _, arm in possible), len(possible)

    def missed(self, machine: str) -> list[str]:
        """The arms that were not taken."""
        return [
            f"{state.name} x {event.__name__}" + (f" [{arm.guard.name}]" if arm.guard else "")
            for state, event, arm in self._possible(machine)
            if not self.taken[machine, arm.index]
        ]

    def report(self) -> str:
        lines = ["", f"{self.conversations} conversations, {sum(self.taken.values())} arms taken"]
        for machine in self._machines:
            reached, legal = self.arms(machine)
            states = {state: count for (name, state), count in self.states.items() if name == machine}
            shown = ", ".join(f"{state} {count}" for state, count in states.items())
            lines.append(f"{machine}: {reached} of {legal} arms; entered: {shown}")
            lines.append(f"    not taken: {'; '.join(self.missed(machine)) or 'none'}")
        return "\n".join(lines)
