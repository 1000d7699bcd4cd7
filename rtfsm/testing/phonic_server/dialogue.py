"""The words of a listening conversation: what the user is taken to have said, and what the assistant answers."""

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


def _lines(lines: Iterable[UserLine]) -> tuple[UserLine, ...]:
    return tuple(lines)


@frozen
class Dialogue:
    """A whole conversation. One line is used for each turn of the user, in order, and `otherwise` when none is left."""

    lines: tuple[UserLine, ...] = field(converter=_lines)
    otherwise: UserLine = UserLine("And what else?", "My script has no more lines.")
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


_ANSWERS = (
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

DEFAULT_DIALOGUE = Dialogue(_ANSWERS)
"""Answers the caller of `rtfsm.testing.speech`: an answer, a long one that is interrupted, a tool, a farewell."""
