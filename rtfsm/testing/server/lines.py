"""What the user is taken to have said, turn by turn, and what the assistant answers."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen

from rtfsm.testing.speech import CALLER


@frozen
class UserLine:
    """One turn of the user and what follows. The server has no recogniser: `hears` is sent as the transcript."""

    hears: str = field(repr=False)
    answers: str = field(repr=False)
    """The assistant's turn. With `tool`, "{output}" stands for the tool's output, which else is added at the end."""
    tool: bool = False
    """Call one of the client's tools before answering."""
    before_tool: str = field(default="", repr=False)
    """What the assistant says before it calls the tool; nothing if empty."""


def as_lines(lines: Iterable[UserLine]) -> tuple[UserLine, ...]:
    """The converter of a field of lines."""
    return tuple(lines)


CALLER_LINES = (
    UserLine(CALLER[0].text, "I am the scripted assistant."),
    UserLine(
        CALLER[1].text,
        "I can tell you about a great many things, for instance why the sea is salty, how bees find their way home, "
        "what the stars are made of, and who invented the paper clip.",
    ),
    UserLine(CALLER[2].text, "Of course. I will stop."),
    UserLine(CALLER[3].text, "Here is what I found: {output}", tool=True, before_tool="One moment."),
    UserLine(CALLER[4].text, "Goodbye!"),
)
"""Answers the caller of `rtfsm.testing.speech`: an answer, a long one that is interrupted, a tool, a farewell."""

NO_MORE_LINES = UserLine("And what else?", "My script has no more lines.")
"""For every turn behind the last line."""
