"""The words of a listening conversation: what the user is taken to have said, and what the assistant answers."""

from __future__ import annotations

from attrs import field, frozen

from rtfsm.testing.server.lines import CALLER_LINES, NO_MORE_LINES, UserLine, as_lines


@frozen
class Dialogue:
    """A whole conversation. One line is used for each turn of the user, in order, and `otherwise` when none is left."""

    lines: tuple[UserLine, ...] = field(converter=as_lines)
    otherwise: UserLine = NO_MORE_LINES
    reply: str = field(default="Here is the reply that you asked for.", repr=False)
    """The answer to a response.create that follows no turn of the user and no tool's output."""
    aside: str = field(default="This is beside the conversation.", repr=False)
    """The answer to a response.create out of band."""
    no_tool: str = field(default="I have no tool for that.", repr=False)
    """Spoken when a line needs a tool and the client offers none that can be called."""
    thinking_s: float = 0.15
    """Seconds between the beginning of a response and its first output."""
    transcript_after_s: float = 0.0
    """Seconds between the end of the user's turn and its transcript. Transcripts come when they come: before the
    answer, in it, behind it."""


DEFAULT_DIALOGUE = Dialogue(CALLER_LINES)
"""Answers the caller of `rtfsm.testing.speech`: an answer, a long one that is interrupted, a tool, a farewell."""
