"""What can be asked of a conversation: whose turn it is, what is alive, what may be sent. Derived, never stored."""

from __future__ import annotations

from enum import Enum

from rtfsm.language import Composition, Driver, Instance
from rtfsm.vocabulary.local import ReplyKind

from .capabilities import Capabilities, Match
from .generation import Generation
from .generation_context import Lane
from .playout import Playout
from .reply import Reply
from .session import Session
from .tool_call import ToolCall
from .user_turn import UserTurn

__all__ = ["AgentState", "Delivery", "Derived", "UserState"]

OPEN_AT_HOST = frozenset({Generation.SPEAKING, Generation.TOOL_PENDING})
SOUNDING = frozenset({Playout.QUEUED, Playout.PLAYING})
RUNNING = frozenset({Session.READY, Session.ROLLING, Session.ENDING})


class AgentState(Enum):
    """What the agent does, as LiveKit names it."""

    INITIALIZING = "initializing"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"


class UserState(Enum):
    """What the host was told of the user, as LiveKit names it."""

    LISTENING = "listening"
    SPEAKING = "speaking"


class Delivery(Enum):
    """What becomes of something that the provider is to be told now, beside requests, outputs and configurations."""

    NOW = "it is told"
    LATER = "it is told once the conversation runs, unless a configuration has told it by then"
    AT_START = "no conversation has run yet: the first configuration tells it"
    NEVER = "nobody can be told any more"


_UNCONFIGURED = frozenset({Session.CONNECTING, Session.AWAITING_CONFIG})
_OVER = frozenset({Session.ENDING, Session.CLOSING, Session.CLOSED})


class Derived(Driver):
    """A driver of the six machines that answers questions about the whole from their states."""

    def __init__(self, composition: Composition, capabilities: Capabilities) -> None:
        super().__init__(composition)
        self.capabilities = capabilities
        machines = self.composition.machines
        self._session, self._generation, self._reply, self._call, self._user, self._playout = machines

    @property
    def session(self) -> Instance:
        return self.live["session"]["session"]

    @property
    def user_turn(self) -> Instance:
        return self.live["user_turn"]["user_turn"]

    @property
    def main(self) -> Instance | None:
        """The live generation of the conversation's own lane, the youngest where there are several."""
        lane = [one for one in self.instances(self._generation) if one.context.lane is Lane.MAIN]
        return lane[-1] if lane else None

    @property
    def generations(self) -> list[Instance]:
        return self.instances(self._generation)

    @property
    def replies(self) -> list[Instance]:
        return self.instances(self._reply)

    @property
    def calls(self) -> list[Instance]:
        return self.instances(self._call)

    @property
    def playouts(self) -> list[Instance]:
        return self.instances(self._playout)

    @property
    def runs(self) -> bool:
        """The provider is ready, so it may be told things."""
        return self.session.state in (Session.READY, Session.ROLLING)

    @property
    def resuming(self) -> bool:
        """The session tries to go on with the provider's conversation on another connection."""
        trying = self.session.state in (Session.CONNECTING, Session.STARTING, Session.RECONNECTING)
        return trying and bool(self.session.context.resuming)

    @property
    def delivery(self) -> Delivery:
        """What becomes of a remark, or of a change that the provider takes while the conversation runs."""
        if self.runs:
            return Delivery.NOW
        session = self.session
        if session.state in _UNCONFIGURED and not session.context.ran:
            return Delivery.AT_START
        return Delivery.NEVER if session.state in _OVER else Delivery.LATER

    @staticmethod
    def was_heard_of_the_last(generation: Instance) -> bool:
        """Whether an interruption that reached this generation is about the message that was handed over last.

        It is not where the generation has said nothing: then nothing of it was heard. In IDLE nothing is alive, so the
        provider speaks of the turn before, which the host may still be playing.
        """
        return generation.state is Generation.IDLE or bool(generation.context.spoken)

    def knows_call(self, call: str) -> bool:
        """Whether a tool output for this call is still owed."""
        known = self.live["tool_call"].get(call)
        return known is not None and known.state is ToolCall.PENDING

    @property
    def expects_answer(self) -> bool:
        """The provider still owes an answer to a tool output."""
        return any(one.state is Reply.EXPECTED for one in self.replies)

    def awaits_playout(self, message: str) -> bool:
        """Whether it matters when this message has been heard. Nobody waits for one that was stopped or closed away."""
        return message in self.live["playout"]

    @property
    def audible(self) -> bool:
        """The host plays, or will play, speech."""
        return bool(self.sounding)

    @property
    def sounding(self) -> list[Instance]:
        """The messages that the host plays, or will play."""
        return [one for one in self.playouts if one.state in SOUNDING]

    @property
    def floor_held(self) -> bool:
        """The agent says something, or is still heard with it, that the user's voice alone does not cut."""
        saying = any(one.state in OPEN_AT_HOST and one.context.keeps_floor for one in self.generations)
        return saying or any(one.context.keeps_floor for one in self.sounding)

    @property
    def floor_free(self) -> bool:
        """The agent says nothing, and nothing of it is heard any more."""
        return not self.audible and not any(one.state in OPEN_AT_HOST for one in self.generations)

    @property
    def agent_state(self) -> AgentState:
        """What the agent does."""
        if self.session.state not in RUNNING:
            return AgentState.INITIALIZING
        if any(one.state is Playout.PLAYING for one in self.playouts):
            return AgentState.SPEAKING
        calling = any(one.state is ToolCall.PENDING for one in self.calls)
        asked = any(one.state in (Reply.EXPECTED, Reply.SENT) for one in self.replies)
        return AgentState.THINKING if calling or asked else AgentState.LISTENING

    @property
    def user_state(self) -> UserState:
        """What the host was told of the user."""
        return UserState.SPEAKING if self.user_turn.state is UserTurn.SPEAKING else UserState.LISTENING

    @property
    def live_objects(self) -> int:
        """Instances that are not over; none once the session is CLOSED."""
        return sum(len(self.instances(m)) for m in self.composition.machines if not self.is_singleton(m))

    def may_send(self, request: Instance) -> bool:
        """Whether the wire is free for a queued request."""
        if self.session.state is not Session.READY:
            return False
        if request.context.kind is ReplyKind.OUT_OF_BAND:
            return True
        blocking = {Reply.SENT}
        generations = self.generations
        if self.capabilities.match is Match.NEXT:
            blocking.add(Reply.DISCARDING)
            busy = any(one.state in OPEN_AT_HOST for one in generations)
        else:
            busy = any(one.context.lane is Lane.MAIN for one in generations)
        return not busy and not any(
            one.state in blocking and one.context.kind is not ReplyKind.OUT_OF_BAND for one in self.replies
        )

    @property
    def quiet_to_roll(self) -> bool:
        """Nothing would be lost with the connection."""
        return (
            all(one.state in (Generation.TAIL, Generation.SEALED) for one in self.generations)
            and not self.calls
            and all(one.state is Reply.QUEUED for one in self.replies)
            and self.user_turn.state in (UserTurn.SILENT, UserTurn.AWAITING_TRANSCRIPT)
            and not self.audible
        )
