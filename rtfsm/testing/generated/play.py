"""An ordering played through the real adapter: each move becomes what really happens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import attrs
from livekit.agents import function_tool, llm

from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.adapters.phonic.transport import loss_of_close
from rtfsm.language import Step
from rtfsm.language.instance import Instance
from rtfsm.machines import BargeIn
from rtfsm.testing.phonic_server import messages as say

from .goals import Pair, Taken
from .orderings import Act, Ordering
from .schedule import HEARD, WINDOW, Schedule
from .stage import Entry, Host, StagedSession

__all__ = ["Played", "play"]

SOUND = b"\1\0" * 24
"""1 ms."""
CODES = {"RETRYABLE": 1011, "RESUMABLE": 1006, "NORMAL": 1000, "FAILED": 4401}
HUSH: Any = [{"name": "hush", "forbid_speech_after_tool_call": True}]
LATE = 0.0001
"""Seconds after a deadline at which its timer has run out for sure."""


@function_tool
async def weather(city: str) -> str:
    """Tells the weather."""
    return f"sunny in {city}"


@function_tool
async def hush() -> str:
    """Does something that needs no answer."""
    return "done"


@attrs.define
class Played:
    """What came of an ordering. log: everything that was done and told. acts: places in the log where each move begins,
    and the end's last. differences: where an instance did not take the arms that it should have. faults: what the
    session counted or the server complained of. arms, pairs: what the machines really took. said: (role, text,
    interrupted) of the messages in the session's context at the end."""

    log: list[Entry]
    acts: list[int] = attrs.field(factory=list)
    differences: list[str] = attrs.field(factory=list)
    faults: list[str] = attrs.field(factory=list)
    arms: set[Taken] = attrs.field(factory=set)
    pairs: set[Pair] = attrs.field(factory=set)
    said: list[tuple[str, str, bool]] = attrs.field(factory=list)


async def play(ordering: Ordering, plan: Schedule, retries: int = 1) -> Played:
    """Play an ordering as scheduled, then close the session and its connections. Run it in virtual time."""
    return await _Player(ordering, plan, retries).run()


class _Player:
    def __init__(self, ordering: Ordering, plan: Schedule, retries: int) -> None:
        self.ordering, self.plan = ordering, plan
        self.host = Host()
        self.played = Played(self.host.log)
        floor = ordering.graph.floor
        model = RealtimeModel(
            api_key="key",
            base_url="ws://nowhere",
            configs_for_tools=HUSH,
            barge_in="provider" if floor.barge_in is BargeIn.PROVIDER else "speech",
            is_welcome_message_interruptible=floor.welcome,
            say_interruptible=floor.say,
        )
        self._began = asyncio.get_running_loop().time()
        self.session = StagedSession(model, self.host, timing=plan.timing, retries=retries)
        self.host.attend(self.session)
        self._steps: list[Step] = []
        self._last: dict[int, tuple[Instance, int]] = {}
        self.session.conversation.observe(self._observe)
        live = self.session.conversation
        self._names: dict[int, tuple[str, Instance]] = {
            id(live.session): ("session", live.session),
            id(live.user_turn): ("user", live.user_turn),
        }
        self._futures: dict[str, int] = {}
        self._called: dict[str, None] = {}
        self._closing: list[asyncio.Task[None]] = []
        self._count = 0
        self._silent = {
            act.who["tool_call", int(act.label.split("(c")[1].split(",")[0])]
            for act in ordering.acts
            if act.label.startswith("ToolOutputGiven(c") and "WITHHELD" in act.label
        }

    def _observe(self, step: Step) -> None:
        self._steps.append(step)
        one, arm = step.instance, step.arm.index
        self.played.arms.add((one.machine.name, arm))
        if id(one) in self._last:
            self.played.pairs.add((one.machine.name, self._last[id(one)][1], arm))
        self._last[id(one)] = (one, arm)

    async def run(self) -> Played:
        for number, act in enumerate(self.ordering.acts):
            self._steps.clear()
            await self._wait(number, act)
            await self._make(act)
            await self._rest()
            self._compare(number, act)
        self.played.acts.append(len(self.host.log))
        await self._end()
        return self.played

    async def _rest(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        self.host.read()

    async def _wait(self, number: int, act: Act) -> None:
        """Let time pass up to the move; a timer's move is the deadline that the conversation itself names."""
        loop, heard = asyncio.get_running_loop(), act.label == "PlayoutFinished"
        until = self._began + self.plan.at[number] - (HEARD / 2 if heard else 0.0)
        if act.label == WINDOW:
            until = (self.session.conversation.next_deadline() or loop.time()) + LATE
            self.played.acts.append(len(self.host.log))
            self.host.note("time", act.label, due=until - LATE)
            await asyncio.sleep(max(0.0, until - loop.time()))
            return
        if act.timed is not None:
            until = self._deadline(number, act.timed) + LATE
        else:
            await asyncio.sleep(max(0.0, until - loop.time()))
        self.played.acts.append(len(self.host.log))
        if act.timed is not None:
            self.host.note("time", act.label, due=until - LATE)
            await asyncio.sleep(max(0.0, until - loop.time()))

    def _deadline(self, number: int, name: str) -> float:
        one = next(one for known, one in self._names.values() if known == name)
        deadline, next_one = one.deadline, self.session.conversation.next_deadline()
        if deadline is None or next_one is None or deadline > next_one + 1e-6:
            self.played.differences.append(f"move {number}: the timer of {name} is not the next to run out")
            return asyncio.get_running_loop().time()
        return deadline

    def _compare(self, number: int, act: Act) -> None:
        """Whether every instance took the arms that it should have."""
        took: dict[str, list[int]] = {}
        born = list(act.born)
        for step in self._steps:
            machine = step.instance.machine.name
            if machine == "playout":
                continue
            if id(step.instance) not in self._names:
                name = next((name for name in born if act.machines[name] == machine), f"a new {machine}")
                if name in born:
                    born.remove(name)
                self._names[id(step.instance)] = (name, step.instance)
            took.setdefault(self._names[id(step.instance)][0], []).append(step.arm.index)
        really = {name: tuple(arms) for name, arms in took.items()}
        expected = {name: arms for name, arms in act.took.items() if arms}
        if really != expected:
            self.played.differences.append(f"move {number} ({act.label}): took {really}, not {expected}")

    # -- moves -----------------------------------------------------------------------------------------------------

    async def _make(self, act: Act) -> None:
        name, _, inside = act.label.partition("(")
        if act.timed is not None:
            return
        arguments = inside.rstrip(")").split(", ") if inside else []
        await getattr(self, f"_{name}")(act, *arguments)

    def _named(self, act: Act, machine: str, letter: str) -> str:
        return act.who[machine, int(letter[1:])]

    def _deliver(self, message: dict[str, Any]) -> None:
        line = self.session.line
        self.host.note("wire", message["type"], epoch=line.epoch, message=message)
        if line.alive and line.opened:
            line.deliver(message)
        else:
            line.deliver_late(message)

    async def _TransportOpened(self, act: Act) -> None:
        line = self.session.line
        self.host.note("wire", "opened", epoch=line.epoch, again=line.opened or not line.alive)
        if line.alive and not line.opened and not line.closing:
            line.open()
        else:
            self.session.sink.opened(line.epoch)

    async def _TransportLost(self, act: Act, outcome: str) -> None:
        line, code = self.session.line, CODES[outcome]
        self.host.note("wire", "lost", epoch=line.epoch, code=code, again=not line.alive)
        if line.alive:
            line.lose(code)
        else:
            self.session.sink.lost(line.epoch, loss_of_close(code), code, "lost again")

    async def _ProviderReady(self, act: Act) -> None:
        line = self.session.line
        if line.resumes is None:
            self._deliver(say.conversation_created(f"conversation {line.epoch}"))
            self._deliver(say.ready_to_start_conversation())
        else:
            self._deliver(say.conversation_reconnected(line.resumes))

    async def _WindowOver(self, act: Act) -> None:
        """It was the time for it, and the conversation knew."""

    async def _ConversationEnded(self, act: Act) -> None:
        self._deliver(say.assistant_ended_conversation())

    async def _Fault(self, act: Act) -> None:
        self._deliver(say.error("something is wrong"))

    async def _UserSpeechStarted(self, act: Act) -> None:
        self._deliver(say.user_started_speaking())

    async def _UserSpeechStopped(self, act: Act) -> None:
        self._deliver(say.user_finished_speaking())

    async def _UserTurnCancelled(self, act: Act) -> None:
        self._deliver(say.input_cancelled())

    async def _UserTranscript(self, act: Act) -> None:
        self._count += 1
        self._deliver(say.input_text(f"said {self._count}"))

    async def _GenerationCreated(self, act: Act, greeting: str = "") -> None:
        self._deliver(say.assistant_started_speaking())

    async def _TextDelta(self, act: Act, turn: str) -> None:
        self._count += 1
        self._deliver(say.audio_chunk(b"", f"word {self._count}."))

    async def _AudioDelta(self, act: Act, turn: str) -> None:
        self._deliver(say.audio_chunk(SOUND))

    async def _GenerationInterrupted(self, act: Act) -> None:
        self._deliver(say.interrupted_response("heard"))

    async def _GenerationDone(self, act: Act, status: str) -> None:
        self._deliver(say.assistant_finished_speaking())

    async def _ReplyDeclined(self, act: Act) -> None:
        self._deliver(say.assistant_chose_not_to_respond())

    async def _ToolCallReady(self, act: Act, call: str) -> None:
        new = next((name for name in act.born if act.machines[name] == "tool_call"), "")
        id = new if call == "new call" else self._named(act, "tool_call", call)
        self._called.setdefault(id)
        self._deliver(say.tool_call(id, self._tool(id), {"city": "Rome"}))

    def _tool(self, call: str) -> str:
        return "hush" if call in self._silent else "weather"

    async def _ToolCallCancelled(self, act: Act, call: str) -> None:
        id = self._named(act, "tool_call", call)
        self._deliver(say.tool_call_interrupted(id, self._tool(id)))

    async def _ToolResultTaken(self, act: Act, call: str) -> None:
        id = self._named(act, "tool_call", call)
        self._deliver(say.tool_call_output_processed(id, self._tool(id)))

    # -- the host --------------------------------------------------------------------------------------------------

    async def _ConfigGiven(self, act: Act, kind: str) -> None:
        self._count += 1
        handoff = kind == "RESET" and self._count % 2 == 0 and self.session.conversation.runs
        self.host.note("host", "configures", reset=kind == "RESET", handoff=handoff)
        if kind == "RESET":
            if not handoff:
                self.session.update_options(voice=f"voice {self._count}")
            else:
                ctx = llm.ChatContext.empty()
                ctx.add_message(role="user", content="what was said before")
                await self.session._update_session(instructions="Be another.", chat_ctx=ctx)
        elif not self.session.tools.function_tools:
            await self.session._update_session(
                instructions="Be brief.", chat_ctx=llm.ChatContext.empty(), tools=[weather, hush]
            )
        else:
            await self.session.update_instructions(f"Be brief, {self._count} times.")

    async def _ReplyRequested(self, act: Act, kind: str = "GENERATE") -> None:
        n = len(self.host.futures)
        self.host.note("host", "asks", n=n, say=kind == "SAY")
        asked = (
            self.session.say("These words.") if kind == "SAY" else self.session.generate_reply(instructions="Go on.")
        )
        self.host.futures.append(asked)
        self._futures[act.born[0]] = n

    async def _ReplyAbandoned(self, act: Act, reply: str) -> None:
        n = self._futures[self._named(act, "reply", reply)]
        self.host.note("host", "cancels", n=n)
        self.host.futures[n].cancel()

    async def _InterruptRequested(self, act: Act) -> None:
        self.host.note("host", "interrupts")
        self.session.interrupt()

    async def _CloseRequested(self, act: Act) -> None:
        self.host.note("host", "closes")
        self._closing.append(asyncio.create_task(self.session.aclose()))

    async def _ToolOutputGiven(self, act: Act, call: str, reply: str = "WANTED") -> None:
        id = self._ended(act) if call == "seen" else self._named(act, "tool_call", call)
        self.host.note("host", "output", id=id, reply=reply)
        ctx = self.session.chat_ctx
        ctx.items.append(
            llm.FunctionCallOutput(
                call_id=id, name=self._tool(id), output="done", is_error=False, reply_required=reply != "NOT_WANTED"
            )
        )
        await self.session.update_chat_ctx(ctx)

    def _ended(self, act: Act) -> str:
        """The call that ended last. Where none has, one that nobody made, which is the same to all."""
        live = set(act.who.values())
        over = [name for name in self._called if name not in live]
        return over[-1] if over else f"no call {self._count}"

    async def _PlayoutStarted(self, act: Act) -> None:
        self.host.note("host", "begins to hear")
        self.host.hear()

    async def _PlayoutFinished(self, act: Act, unheard: str = "") -> None:
        if unheard:
            self.host.note("host", "never hears")
            return  # the time for it has passed
        self.host.note("host", "hears")
        self.host.hear()
        await asyncio.sleep(HEARD / 4)
        self.host.note("host", "has heard")

    # -- the end ---------------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Close whatever is left, and judge what the session itself counted."""
        self.host.note("host", "closes")
        self._closing.append(asyncio.create_task(self.session.aclose()))
        await self._rest()
        for line in self.session.provider.lines:
            if line.alive:
                self.host.note("wire", "lost", epoch=line.epoch, code=1000, again=False)
                line.lose(1000)
        await self._rest()
        await asyncio.gather(*self._closing)
        await self._rest()
        conversation, faults = self.session.conversation, self.played.faults
        faults += [f"{one.invariant}: {one.detail} after {one.event}" for one in conversation.monitor.violations]
        counts = {
            "refused": conversation.refused,
            "failed effects": self.session.failed_effects,
            "live objects": conversation.live_objects,
            "open generations": len(self.host.open),
            "pending futures": self.host.pending,
        }
        faults += [f"{count} {what}" for what, count in counts.items() if count]
        faults += [str(error) for line in self.session.provider.lines for error in line.protocol.errors]
        if conversation.session.state.name != "CLOSED":
            faults.append(f"the session is {conversation.session.state.name} at the end")
        items: Sequence[Any] = self.session.chat_ctx.items
        self.played.said = [
            (item.role, item.text_content or "", item.interrupted)
            for item in items
            if isinstance(item, llm.ChatMessage)
        ]
