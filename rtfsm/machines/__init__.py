"""The turn machines, for every realtime provider."""

from .capabilities import Capabilities, Ids, Match
from .conversation import Conversation
from .derived import AgentState, Delivery, UserState
from .floor import BargeIn, Floor
from .generation import Generation, generation_machine
from .generation_context import GenerationContext, Lane
from .invariants import INVARIANTS
from .monitor import Monitor, Violation
from .playout import Playout, playout_machine
from .reply import Reply, ReplyContext, reply_machine
from .routing import compose
from .session import Session, session_machine
from .session_context import SessionContext
from .timing import Timing
from .tool_call import ToolCall, tool_call_machine
from .user_turn import UserTurn, user_turn_machine

__all__ = [
    "INVARIANTS",
    "AgentState",
    "BargeIn",
    "Capabilities",
    "Conversation",
    "Delivery",
    "Floor",
    "Generation",
    "GenerationContext",
    "Ids",
    "Lane",
    "Match",
    "Monitor",
    "Playout",
    "Reply",
    "ReplyContext",
    "Session",
    "SessionContext",
    "Timing",
    "ToolCall",
    "UserState",
    "UserTurn",
    "Violation",
    "compose",
    "generation_machine",
    "playout_machine",
    "reply_machine",
    "session_machine",
    "tool_call_machine",
    "user_turn_machine",
]
