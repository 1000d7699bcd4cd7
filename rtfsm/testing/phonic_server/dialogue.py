"""The words of a listening conversation: what the user is taken to have said, and what the assistant answers."""

from __future__ import annotations

from attrs import field, frozen

from rtfsm.testing.server.lines import CALLER_LINES, NO_MORE_LINES, UserLine, as_lines


@frozen
class Dialogue:
    """A whole conversation. One line is used for each turn of the user, in order, and `otherwise` when none is left."""

    lines: tuple[UserLine, ...] = field(converter=as_lines)
    otherwise: UserLine = NO_MORE_LINES
    welcome: str = field(default="Hello, the line is open.", repr=False)
    """Spoken when the client asks for a generated welcome; a configured welcome_message is spoken as it is."""
    reply: str = field(default="Here is the reply that you asked for.", repr=False)
    """Spoken on generate_reply; with a user_message, that is repeated behind it."""
    no_tool: str = field(default="I have no tool for that.", repr=False)
    """Spoken when a line needs a tool and the client offers none that can be called."""
    tool_failed: str = field(default="The tool gave no answer.", repr=False)
    """Spoken when a tool's time ran out."""
    language: str = "en"
    thinking_s: float = 0.15
    """Seconds between the end of the user's turn and the start of the answer."""
    ends_conversation: bool = False
    """After the last line's answer send assistant_ended_conversation and, once it has been played, close with 4600."""


DEFAULT_DIALOGUE = Dialogue(CALLER_LINES)
"""Answers the caller of `rtfsm.testing.speech`: an answer, a long one that is interrupted, a tool, a farewell."""
