"""The conversation that is disturbed: its messages in both directions, one moment after the other.

A moment is over when its message has arrived. A fault strikes right behind it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import attrs

from rtfsm.testing.phonic_server import messages
from tests.adapter.stage import SOUND

from .expected import Stretch
from .stage import Stage, sends

__all__ = ["MOMENTS", "NEXT_TURN", "Moment", "at", "rest_after", "way_to"]

GOODBYE = SOUND * 100
"""2 s of sound: a goodbye that is still being heard when the assistant has hung up."""
NEXT_TURN = "And tomorrow?", ("Snow ", "tomorrow.")
"""What the user says after a fault, and the words of the answer."""

NOTABLE = {"the first word of the answer", "a tool call", "a request for a reply"}
"""Moments of a conversation that runs at which every fault strikes."""

Play = Callable[[Stage], Awaitable[None]]


@attrs.frozen
class Moment:
    """name: what has just happened, said so that "after ..." reads well. play: makes it happen, the moment before it
    having been played. before: the moment that it follows where that is not the one before it in the list; nothing
    follows it then."""

    name: str
    stretch: Stretch
    play: Play
    before: str | None = None

    @property
    def pauses(self) -> bool:
        """Whether time passes before the next moment."""
        return self.name.startswith("the end of")

    @property
    def is_notable(self) -> bool:
        """Whether the faults that do not strike everywhere strike here."""
        return self.stretch is not Stretch.RUNNING or self.name in NOTABLE


def _takes(type_name: str, does: Play | None = None) -> Play:
    """The host does something, and the server takes the message that this leads to."""

    async def play(stage: Stage) -> None:
        if does is not None:
            await does(stage)
        await stage.call.expect(type_name, timeout=5.0)

    return play


async def _nothing(stage: Stage) -> None:
    """The moment is there already."""


async def _created(stage: Stage) -> None:
    await stage.call.send(messages.conversation_created(stage.connection.conversation_id or ""))


async def _ready(stage: Stage) -> None:
    await stage.call.send(messages.ready_to_start_conversation())
    stage.consents += 1


async def _speaks(stage: Stage) -> None:
    for _ in range(5):
        stage.push()


async def _outputs(stage: Stage) -> None:
    stage.given.add(stage.host.owed[-1].call_id)
    await stage.host.output(stage.host.owed[-1], "sunny")


async def _says(stage: Stage) -> None:
    stage.host.say("Please hold.")


async def _asks(stage: Stage) -> None:
    stage.host.generate_reply(instructions="Ask for the name.")


async def _says_and_asks(stage: Stage) -> None:
    await _says(stage)
    await _asks(stage)


async def _reminds(stage: Stage) -> None:
    ctx = stage.session.chat_ctx
    ctx.add_message(role="system", content="The caller is a member.")
    await stage.session.update_chat_ctx(ctx)


async def _instructs(stage: Stage) -> None:
    await stage.session.update_instructions("Be very brief.")


async def _hands_over(stage: Stage) -> None:
    ctx = stage.session.chat_ctx
    ctx.add_message(role="user", content="I want to pay.")
    await stage.session._update_session(instructions="Be the cashier.", chat_ctx=ctx, tools=list(stage.tools))


ORDINALS = ("first", "second", "third")


def _turn(name: str, *words: str) -> Iterator[tuple[str, Play]]:
    """The moments of a turn of the assistant's."""
    yield f"the beginning of {name}", sends(messages.assistant_started_speaking())
    for position, word in enumerate(words):
        yield (
            f"the {ORDINALS[position]} word of {name}",
            sends(messages.audio_chunk(SOUND, word), messages.audio_chunk(SOUND)),
        )
    yield f"the end of {name}", sends(messages.assistant_finished_speaking())


def _opening() -> Iterator[tuple[str, Play]]:
    yield "the handshake", _nothing
    yield "the configuration", _takes("config")
    yield "the creation", _created


def _running() -> Iterator[tuple[str, Play]]:
    yield "the consent", _ready
    yield from _turn("the welcome", "Hello ", "there.")
    yield "the user's sound", _takes("audio_chunk", _speaks)
    yield "the beginning of the user's speech", sends(messages.user_started_speaking())
    yield "the end of the user's speech", sends(messages.user_finished_speaking())
    yield "the user's words", sends(messages.input_text("What is the weather?"))
    yield from _turn("the answer", "One ", "moment, ", "please.")
    yield "a tool call", sends(messages.tool_call("call_1", "weather", {"city": "Rome"}))
    yield "a tool's output", _takes("tool_call_output", _outputs)
    yield "the note that it was taken", sends(messages.tool_call_output_processed("call_1", "weather", output="sunny"))
    yield from _turn("the tool's answer", "It ", "is sunny.")
    yield (
        "a turn that was cancelled",
        sends(messages.user_started_speaking(), messages.user_finished_speaking(), messages.input_cancelled()),
    )
    yield (
        "a choice not to answer",
        sends(
            messages.user_started_speaking(),
            messages.user_finished_speaking(),
            messages.input_text("Hm."),
            messages.assistant_chose_not_to_respond(),
        ),
    )
    yield "a request to say something", _takes("say", _says)
    yield from _turn("what was to be said", "Please hold.")
    yield "a request for a reply", _takes("generate_reply", _asks)
    yield from _turn("the reply", "What is ", "your name?")
    yield "a reminder", _takes("add_system_message", _reminds)
    yield "new instructions", _takes("update_system_prompt", _instructs)
    yield "a warning", sends(messages.warning("low credit", code="credit"))
    yield "a handoff", _takes("reset", _hands_over)
    yield "the beginning of the goodbye", sends(messages.assistant_started_speaking())
    yield "the goodbye's words", sends(messages.audio_chunk(GOODBYE, "Goodbye."))
    yield "the end of the goodbye", sends(messages.assistant_finished_speaking())


MIDDLE = "the first word of the answer"
"""Where the moments that follow no other lead away from the conversation."""


async def _hung_up(stage: Stage) -> None:
    await stage.call.send(messages.assistant_ended_conversation())


async def _lost(stage: Stage) -> None:
    await stage.settle()
    await stage.connection.drop()
    stage.outages += 1


async def _connected_again(stage: Stage) -> None:
    before = len(stage.server.connections)
    await _lost(stage)
    await stage.until(lambda: len(stage.server.connections) > before)
    await stage.settle()


async def _taken_up_again(stage: Stage) -> None:
    await _connected_again(stage)
    await stage.consent()
    await stage.settle()


async def _closing(stage: Stage) -> None:
    stage.close()


def _all() -> Iterator[Moment]:
    yield Moment("nothing", Stretch.DOOR, _nothing)
    for name, play in _opening():
        yield Moment(name, Stretch.OPENING, play)
    for name, play in _running():
        yield Moment(name, Stretch.RUNNING, play)
    yield Moment("the hanging up", Stretch.ENDING, _hung_up)
    yield Moment("an output that is on its way", Stretch.RUNNING, _outputs, before="a tool call")
    yield Moment("a request that is on its way", Stretch.RUNNING, _says, before="the user's words")
    yield Moment("two requests, one of which waits", Stretch.RUNNING, _says_and_asks, before="the user's sound")
    yield Moment("a request in the middle of a turn", Stretch.RUNNING, _asks, before=MIDDLE)
    yield Moment("a barge-in", Stretch.RUNNING, sends(messages.user_started_speaking()), before=MIDDLE)
    yield Moment("a loss", Stretch.RESUMING_DOOR, _lost, before=MIDDLE)
    yield Moment("a loss and another handshake", Stretch.RESUMING, _connected_again, before=MIDDLE)
    yield Moment("a loss and a taking up", Stretch.RUNNING, _taken_up_again, before=MIDDLE)
    yield Moment("a loss half a minute ago", Stretch.LATE_DOOR, _lost, before=MIDDLE)
    yield Moment("nothing, each time", Stretch.EVERY_DOOR, _nothing, before="nothing")
    yield Moment("the configuration, each time", Stretch.EVERY_OPENING, _takes("config"), before="the handshake")
    yield Moment("a loss, for good", Stretch.GONE, _lost, before=MIDDLE)
    yield Moment("the host's farewell", Stretch.CLOSING, _closing, before=MIDDLE)
    yield Moment("the host's farewell to a silent start", Stretch.CLOSING, _closing, before="the configuration")


MOMENTS = tuple(_all())
"""All moments; those of the conversation itself come first and in order."""


def at(name: str) -> Moment:
    """The moment with this name. Raises KeyError."""
    return {moment.name: moment for moment in MOMENTS}[name]


def way_to(moment: Moment) -> list[Moment]:
    """The moments that are played to come to this one, which is the last of them."""
    main = [one for one in MOMENTS if one.before is None]
    if moment.before is None:
        return main[: main.index(moment) + 1]
    return [*way_to(at(moment.before)), moment]


def rest_after(moment: Moment) -> list[Moment]:
    """What is left of the conversation, without its goodbye."""
    main = [one for one in MOMENTS if one.before is None]
    names = [one.name for one in main]
    if moment.name not in names:
        return []
    return main[names.index(moment.name) + 1 : names.index("the beginning of the goodbye")]
