"""What has happened so far, for whoever shows it. Filled from inside the machines' steps, so nothing here prints."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum

import attrs
from livekit.agents import AgentSession, llm
from livekit.agents.voice.events import (
    AgentStateChangedEvent,
    ConversationItemAddedEvent,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
)

from rtfsm.adapters.livekit import RealtimeSession
from rtfsm.language import Kind, Step

from .evidence import Evidence
from .expectations import Expectation

__all__ = ["Board", "Entry", "What", "short_id"]


class What(Enum):
    STATE = "a machine changed its state"
    HOST = "LiveKit changed a state of its own"
    CALLER = "the caller said something"
    AGENT = "the agent said something"
    TOOL = "the tool was called, or answered"
    MET = "an expectation was met"
    WRONG = "something that must not be"


@attrs.frozen
class Entry:
    """time: seconds since the start. subject: who or which instance. text: one line. cause: the event's type, or ""."""

    time: float
    what: What
    subject: str
    text: str
    cause: str = ""


def short_id(id: str) -> str:
    """An instance's id as people like to read it; "" where the machine has one instance only."""
    if id in ("session", "user_turn"):
        return ""
    return id.removeprefix("generation-").removeprefix("message-")[:13]


class Board:
    """entries: all that happened, in order. ``session`` is None until the agent has one."""

    def __init__(self, title: str, expectations: tuple[Expectation, ...] = ()) -> None:
        self.title = title
        self.entries: list[Entry] = []
        self.expectations = expectations
        self.met: set[str] = set()
        self.session: RealtimeSession | None = None
        self.speaking: Callable[[], str] = str
        """The part of the agent's current message that was already shown."""
        self.url = ""
        self.events = 0
        self._began: float | None = None
        self._seen_violations: set[str] = set()

    @property
    def now(self) -> float:
        """Seconds since the start."""
        if self._began is None:
            self._began = asyncio.get_running_loop().time()
        return asyncio.get_running_loop().time() - self._began

    def add(self, what: What, subject: str, text: str, cause: str = "") -> None:
        self.entries.append(Entry(self.now, what, subject, text, cause))

    def watch_session(self, session: RealtimeSession) -> None:
        """Follow the machines of a realtime session."""
        self.session = session
        session.conversation.observe(self._step)

    def watch_host(self, host: AgentSession[None]) -> None:
        """Follow what LiveKit says of itself."""
        host.on("agent_state_changed", self._agent_state)
        host.on("user_state_changed", self._user_state)
        host.on("user_input_transcribed", self._transcribed)
        host.on("conversation_item_added", self._remembered)

    def update(self, evidence: Evidence) -> None:
        """Note violations and expectations that came since the last time."""
        if self.session is not None:
            for violation in self.session.conversation.monitor.violations:
                if violation.invariant not in self._seen_violations:
                    self._seen_violations.add(violation.invariant)
                    self.add(What.WRONG, f"invariant {violation.invariant}", violation.detail, violation.event)
        for one in self.expectations:
            if one.name not in self.met and one.met(evidence):
                self.met.add(one.name)
                self.add(What.MET, "scenario", one.name)

    def _step(self, step: Step) -> None:
        self.events += 1
        machine = step.instance.machine.name
        subject = f"{machine} {short_id(step.instance.id)}".rstrip()
        if step.arm.kind is Kind.REFUSE:
            self.add(What.WRONG, subject, f"refused in {step.before.name}: {step.arm.why}", type(step.event).__name__)
        elif step.before is not step.after:
            change = f"{step.before.name} -> {step.after.name}"
            self.add(What.STATE, subject, change, type(step.event).__name__)

    def _agent_state(self, event: AgentStateChangedEvent) -> None:
        self.add(What.HOST, "agent_state", f"{event.old_state} -> {event.new_state}")

    def _user_state(self, event: UserStateChangedEvent) -> None:
        self.add(What.HOST, "user_state", f"{event.old_state} -> {event.new_state}")

    def _transcribed(self, event: UserInputTranscribedEvent) -> None:
        if event.is_final:
            self.add(What.CALLER, "caller", event.transcript)

    def _remembered(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if isinstance(item, llm.ChatMessage) and item.role == "assistant":
            said = (item.text_content or "").strip() or "(a sound without words)"
            self.add(What.AGENT, "agent", f"{said} [cut]" if item.interrupted else said)
