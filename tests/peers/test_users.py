"""What the user does, and how the call ends."""

from __future__ import annotations

import asyncio

from rtfsm.testing.phonic_server import Call as ServerCall
from rtfsm.testing.phonic_server import messages

from .stage import Stage
from .story import Seen, at_least, story
from .test_turns import FINISH, START, USER_FINISHED, USER_STARTED, word

GOODBYE = "Goodbye, and thank you for calling us today."


@story(
    cut=False,
    seconds_of_it_heard=at_least(2),
    history=[f"assistant: {GOODBYE}"],
    errors_told_to_the_application=0,
)
async def test_a_goodbye_is_heard_to_its_end(stage: Stage) -> Seen:
    """A goodbye streamed ahead, assistant_ended_conversation while it is playing, and the close with 4600."""

    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.say(GOODBYE)
        await call.send(messages.assistant_ended_conversation())
        await call.delay(0.1)
        await call.close(4600, "assistant ended")

    allowed = ("AgentSession is closing due to unrecoverable error",)
    async with stage.in_call(server, allowed=allowed) as seat:
        await asyncio.sleep(0.2)
        stage.require(seat.call.speaker.playing, "the goodbye was not heard")
        await asyncio.sleep(10)
        stage.require("assistant_ended_conversation" in seat.connection.sent_types(), "the server did not hang up")
        heard = seat.call.speaker.heard[0]
        return {
            "cut": heard.interrupted,
            "seconds_of_it_heard": round(heard.position, 1),
            "history": seat.history(),
            "errors_told_to_the_application": len(seat.call.named("error")),
        }


@story(cut=False, seconds_of_it_heard=at_least(2))
async def test_a_welcome_that_may_not_be_interrupted_is_not_cut(stage: Stage) -> Seen:
    """is_welcome_message_interruptible=False; a welcome streamed ahead; the user speaks while it is playing, and Phonic
    goes on."""
    welcome = "Welcome to the service line of our little company."

    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.say(welcome)
        await call.delay(0.1)
        await call.send(USER_STARTED)
        await call.delay(0.5)
        await call.send(USER_FINISHED)

    model = {"welcome_message": welcome, "is_welcome_message_interruptible": False}
    async with stage.in_call(server, model=model) as seat:
        await asyncio.sleep(0.4)
        stage.require(seat.call.speaker.playing or seat.call.speaker.heard, "the welcome was not heard")
        await asyncio.sleep(8)
        stage.require(USER_STARTED["type"] in seat.connection.sent_types(), "the user did not speak")
        heard = seat.call.speaker.heard[0]
        return {"cut": heard.interrupted, "seconds_of_it_heard": round(heard.position, 1)}


@story(messages_heard=["One two three four"], marked_as_interrupted=0)
async def test_a_word_that_does_not_suffice_to_interrupt_does_not_split_the_turn(stage: Stage) -> Seen:
    """min_words_to_interrupt=3; a turn is being spoken; the user says one word; the turn goes on."""
    async with stage.alone(min_words_to_interrupt=3) as talk:
        await talk.hears(START, word("One "), word("two "), USER_STARTED, word("three "), USER_FINISHED)
        await talk.hears(word("four"), messages.input_cancelled(), FINISH)
        await talk.passes(1)
        stage.require(talk.ear.generations, "no turn was opened")
        items = [item for item in talk.rt.chat_ctx.items if item.type == "message"]
        return {
            "messages_heard": talk.ear.spoken,
            "marked_as_interrupted": sum(item.interrupted for item in items),
        }


@story(user_in_the_end="listening")
async def test_a_cough_does_not_leave_the_user_speaking(stage: Stage) -> Seen:
    """user_started_speaking, input_cancelled, and no user_finished_speaking."""

    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.send(USER_STARTED)
        await call.delay(0.2)
        await call.send(messages.input_cancelled())

    async with stage.in_call(server) as seat:
        await asyncio.sleep(0.15)
        stage.require(seat.call.session.user_state == "speaking", "the user was not noticed")
        await asyncio.sleep(3)
        stage.require("input_cancelled" in seat.connection.sent_types(), "nothing was cancelled")
        return {"user_in_the_end": seat.call.session.user_state}


@story(
    history=["user: And so on.", "assistant: I see."],
    segments_played=1,
)
async def test_a_murmur_while_the_user_speaks_is_no_message(stage: Stage) -> Seen:
    """enable_assistant_backchannel; the user speaks; a chunk "mm-hmm" without brackets; the user finishes; the
    answer."""

    async def server(call: ServerCall) -> None:
        await call.handshake()
        await call.send(USER_STARTED)
        await call.delay(0.5)
        await call.send(word("mm-hmm", times=15))
        await call.delay(0.5)
        await call.send(USER_FINISHED)
        await call.send(messages.input_text("And so on."))
        await call.say("I see.")

    async with stage.in_call(server, model={"enable_assistant_backchannel": True}) as seat:
        await asyncio.sleep(6)
        stage.require("assistant_finished_speaking" in seat.connection.sent_types(), "the answer did not come")
        stage.require(seat.call.user_states, "the user was not noticed")
        return {"history": seat.history(), "segments_played": len(seat.call.speaker.heard)}
