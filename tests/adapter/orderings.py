"""Conversations as data: legal ones, and what disorder can be done to them."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st

from rtfsm.testing.phonic_server import messages as say

SOUND = b"\1\0" * 480
"""20 ms."""


@attrs.frozen
class Server:
    """The server sends a message, or a frame that is none."""

    message: Any


@attrs.frozen
class Client:
    """The host does something: a name of :class:`Play`'s methods."""

    action: str
    argument: Any = None


@attrs.frozen
class Wire:
    """The connection opens, or is lost with a close code."""

    opens: bool
    code: int | None = None


@attrs.frozen
class Wait:
    """Time passes. seconds: 0 for one pass of the loop."""

    seconds: float = 0.0


Step = Server | Client | Wire | Wait
STARTED, FINISHED = Server(say.assistant_started_speaking()), Server(say.assistant_finished_speaking())
USER_STARTED, USER_FINISHED = Server(say.user_started_speaking()), Server(say.user_finished_speaking())
HANDSHAKE: list[Step] = [Wire(True), Server(say.conversation_created("c")), Server(say.ready_to_start_conversation())]


def chunk(text: str = "", sound: bytes = SOUND) -> Server:
    return Server(say.audio_chunk(sound, text))


def called(call: str, tool: str = "weather") -> Server:
    return Server(say.tool_call(call, tool, {"city": "Rome"}))


def taken(call: str, timed_out: bool = False) -> Server:
    return Server(say.tool_call_output_processed(call, "weather", timed_out=timed_out))


def renamed(step: Step, suffix: int) -> Step:
    """The same step about another call."""
    if isinstance(step, Server) and isinstance(step.message, dict) and "tool_call_id" in step.message:
        return Server({**step.message, "tool_call_id": f"{step.message['tool_call_id']}-{suffix}"})
    return step


def speech(*words: str) -> list[Step]:
    return [STARTED, *(chunk(word) for word in words), chunk(), FINISHED]


def user(*, silent: bool = False) -> list[Step]:
    return [USER_STARTED, USER_FINISHED, *([] if silent else [Server(say.input_text("what I said"))])]


PHRASES: dict[str, list[Step]] = {
    "turn": [*user(), *speech("I ", "know.")],
    "unprompted": speech("Still ", "there?"),
    "wordless": [STARTED, chunk(), chunk(), FINISHED],
    "empty": [STARTED, FINISHED],
    "implicit": [chunk("mm"), chunk("-hmm"), Wait(2.5)],
    "barge in": [
        STARTED, chunk("A "), chunk("long "), USER_STARTED, chunk("story"), FINISHED, USER_FINISHED,
        Server(say.interrupted_response("A")), Server(say.input_text("stop")), *speech("Fine."),
    ],
    "barge in after the bracket": [
        *speech("Far ", "ahead."), Wait(0.01), *user(), Server(say.interrupted_response("Far")), *speech("Yes?"),
    ],
    "cut without speech": [STARTED, chunk("Al"), Server(say.interrupted_response("A")), chunk("so")],
    "tool": [
        *user(), STARTED, chunk("Wait."), called("a"), FINISHED, Wait(), Client("output"), taken("a"),
        *speech("Sunny."),
    ],
    "tool alone": [*user(), called("b"), Wait(), Client("output"), taken("b"), *speech("Rainy.")],
    "silent tool": [called("h"), Wait(), Client("silent_output"), taken("h")],
    "tool that is drained": [STARTED, chunk("Let me "), called("c"), Wait(0.6), chunk("see."), FINISHED,
                             Client("output"), taken("c"), *speech("So.")],
    "two tools": [called("d"), called("e"), Wait(), Client("output"), Client("output"), taken("d"), taken("e"),
                  *speech("Both.")],
    "withdrawn": [called("f"), Wait(), USER_STARTED, Server(say.tool_call_interrupted("f", "weather")),
                  Client("output"), USER_FINISHED, Server(say.input_text("no"))],
    "withdrawn after its output": [called("i"), Wait(), Client("output"),
                                   Server(say.tool_call_interrupted("i", "weather"))],
    "timed out": [called("g"), Wait(), taken("g", timed_out=True), Client("output"), *speech("Sorry.")],
    "forgotten tool": [called("j"), Wait(61)],
    "hushed tool": [called("q", "hush"), Wait(), Client("output"), taken("q")],
    "chain of tools": [called("r"), Wait(), Client("output"), taken("r"), called("s"), Wait(), Client("output")],
    "no answer to the output": [called("k"), Wait(), Client("output"), taken("k"),
                                Server(say.assistant_chose_not_to_respond())],
    "output over speech": [called("l"), Wait(), Client("output"), USER_STARTED, USER_FINISHED],
    "generate": [Client("generate"), *speech("As ", "asked.")],
    "generate declined": [Client("generate"), Server(say.assistant_chose_not_to_respond())],
    "generate behind a turn": [STARTED, chunk("One "), Client("generate"), chunk("two."), FINISHED,
                               *speech("Three.")],
    "generate given up": [Client("generate"), Client("cancel"), *speech("Nobody listens.")],
    "generate over speech": [USER_STARTED, Client("generate"), Client("cancel"), USER_FINISHED, *speech("Yes?")],
    "generate unanswered": [Client("generate"), Wait(10.5), *speech("Too late.")],
    "generate a call": [Client("generate"), called("m"), Wait(), Client("output"), taken("m"), *speech("Done.")],
    "given up and called": [Client("generate"), Client("cancel"), called("n")],
    "given up and unbracketed": [Client("generate"), Client("cancel"), chunk("So")],
    "say": [Client("say"), *speech("These ", "words.")],
    "say cut": [Client("say"), Client("interrupt"), *speech("These.")],
    "say cut while it waits": [STARTED, chunk("One "), Client("say"), Client("generate"), Client("interrupt")],
    "two asked": [Client("generate"), Client("say"), *speech("First."), *speech("Second.")],
    "interrupted": [STARTED, chunk("On "), Client("interrupt"), chunk("and on"), Wait(1.5), *speech("Well.")],
    "cough": [USER_STARTED, Server(say.input_cancelled())],
    "mumble": [USER_STARTED, USER_FINISHED, Wait(5.5)],
    "long speech": [USER_STARTED, Wait(61)],
    "reset": [STARTED, chunk("Old "), Client("handoff"), chunk("words"), FINISHED, *speech("New.")],
    "reset with a tool": [called("o"), Wait(), Client("handoff"), Client("output")],
    "options": [Client("options"), *speech("Hm.")],
    "update": [Client("instructions"), Client("tools")],
    "error": [Server(say.error("careful", code="c"))],
    "drop": [Wire(False, 1011), Wait(2.5), *HANDSHAKE],
    "break": [Wire(False, 1006), Wait(2.5), Wire(True), Server(say.conversation_reconnected("c"))],
    "break for good": [Wire(False, 1006), Wait(2.5), Wire(True), Wire(False, 4800), Wait(2.5), *HANDSHAKE],
    "drop while speaking": [STARTED, chunk("Half "), Client("generate"), Wire(False, 1012), Wait(2.5), *HANDSHAKE],
    "drop while a tool runs": [called("p"), Wait(), Wire(False), Wait(1), Client("output"), Wait(2), *HANDSHAKE],
    "stall": [STARTED, chunk("Er"), Wait(31), chunk("r"), FINISHED],
    "goodbye": [STARTED, chunk("Good"), Server(say.assistant_ended_conversation()), chunk("bye."), FINISHED,
                Wire(False, 4600), Wait(31)],
    "quiet goodbye": [Server(say.assistant_ended_conversation()), Wait(1)],
    "server leaves": [STARTED, chunk("Wh"), Wire(False, 1000)],
    "close": [Client("close"), chunk("a"), Wait(3)],
}  # fmt: skip
UNSAID = {"MessageDone", "ConfigRejected", "GoingAway", "Superseded", "RequestRejected"}
"""Events that Phonic has no message for."""
RARE = ("goodbye", "quiet goodbye", "server leaves", "close")
"""They end a conversation, so they come last."""

STRAY: list[Step] = [
    *(Server(message) for message in (
        say.ready_to_start_conversation(), say.conversation_created("x"), say.conversation_reconnected(),
        say.input_text("so"), say.input_text(" "), say.input_cancelled(), say.user_started_speaking(),
        say.user_finished_speaking(), say.assistant_started_speaking(), say.assistant_finished_speaking(),
        say.interrupted_response("A"), say.interrupted_response(""), say.dtmf("1"), say.tool_call("a", "weather"),
        say.tool_call("b", "nothing"), say.tool_call_output_processed("a", "weather"),
        say.tool_call_interrupted("a", "weather"), say.tool_call_interrupted("d", "weather"),
        say.assistant_chose_not_to_respond(), say.error("no"), say.warning("so"),
    )),
    chunk("x"), chunk(" "), chunk(), Server("{}"), Server(b"\0"), Server('{"type":"audio_chunk","text":"y"}'),
    *(Client(action) for action in (
        "interrupt", "generate", "say", "cancel", "output", "silent_output", "output_again", "output_unknown",
        "instructions", "tools", "options", "handoff", "sound", "clear", "typed", "remark", "drain",
    )),
    *(Wait(seconds) for seconds in (0, 0.1, 0.6, 1.1, 3, 11, 61)),
    Server(say.assistant_ended_conversation()), Wire(True), Wire(False, 1006), Wire(False, 4600), Wire(False, 4999),
    Client("close"), Client("late_frame"),
]  # fmt: skip

READY: list[Step] = [Client("configure"), *HANDSHAKE]
TRIED_OUT: list[Step] = [Client("configure"), *(step for _ in range(3) for step in (Wire(False, 1006), Wait(2.1)))]
SITUATIONS: dict[str, list[Step]] = {
    "connecting": [],
    "connecting, configured": [Client("configure")],
    "connecting, asked": [Client("configure"), Client("generate"), Client("say")],
    "awaiting config": [Wire(True)],
    "starting": [Client("configure"), Wire(True)],
    "starting, changed": [Client("configure"), Wire(True), Client("instructions"), Client("remark")],
    "starting, early": [Client("configure"), Wire(True), STARTED, chunk("Too "), called("a")],
    "ready": READY,
    "reconnecting": [*READY, Client("sound"), Wire(False, 1006)],
    "connecting again": [*READY, Wire(False, 1006), Wait(2.1)],
    "last attempt": TRIED_OUT,
    "last attempt, starting": [*TRIED_OUT, Wire(True)],
    "ending": [*READY, STARTED, chunk("Good"), Server(say.assistant_ended_conversation())],
    "ending, gone": [*READY, STARTED, chunk("Bye"), Client("drain"), Server(say.assistant_ended_conversation()),
                     Wire(False, 4600)],
    "ending, call open": [*READY, STARTED, chunk("Bye"), called("a"), Server(say.assistant_ended_conversation())],
    "closing": [*READY, Client("close")],
    "closed": [*READY, Wire(False, 1000)],
    "announced": [*READY, STARTED],
    "sounding": [*READY, STARTED, chunk()],
    "speaking": [*READY, STARTED, chunk("Some "), chunk("words")],
    "speaking without a bracket": [*READY, chunk("Some "), chunk()],
    "tool pending": [*READY, STARTED, chunk("Some "), called("a")],
    "tool pending, sounding": [*READY, STARTED, chunk(), called("a")],
    "sealed": [*READY, STARTED, called("a")],
    "sealed by time": [*READY, STARTED, chunk("Some "), called("a"), Wait(0.6)],
    "interrupted": [*READY, STARTED, chunk("Some "), Client("interrupt")],
    "interrupted unheard": [*READY, Client("generate"), Client("cancel"), STARTED],
    "tail": [*READY, *speech("Some ", "words.")],
    "tail of an empty turn": [*READY, STARTED, FINISHED],
    "user speaking": [*READY, USER_STARTED],
    "user understood": [*READY, USER_STARTED, USER_FINISHED],
    "queued": [*READY, STARTED, chunk("Some "), Client("generate"), Client("say")],
    "sent": [*READY, Client("generate")],
    "sent words": [*READY, Client("say")],
    "discarding": [*READY, Client("generate"), Client("cancel")],
    "discarding by time": [*READY, Client("generate"), Wait(10.1), Client("generate")],
    "call open": [*READY, called("a"), Wait()],
    "two calls open": [*READY, called("a"), called("d"), Wait(), Client("output")],
    "output sent": [*READY, called("a"), Wait(), Client("output")],
    "output taken": [*READY, called("a"), Wait(), Client("output"), taken("a")],
    "asked over an output": [*READY, called("a"), Wait(), Client("output"), Client("generate")],
}  # fmt: skip
"""A way into every state that matters."""
OVER_SPEECH = ("announced", "sounding", "speaking", "tool pending", "tail", "ending", "queued", "user speaking")
"""Situations in which it matters who decides that the user has the floor."""
AFTERWARDS: list[Step] = [
    chunk("late"), *speech("Next."), Wait(), Client("output"), Client("drain"), *user(), *speech("Last."), Wait(1.2),
]  # fmt: skip


@attrs.frozen
class Plan:
    """A conversation and its host.

    reads: it reads its streams as they come. interrupts: it answers the user's speech by interrupt(), as LiveKit does.
    during: what it does while a generation is announced. yields: the user's speech cuts the agent, not the provider.
    """

    steps: tuple[Step, ...]
    reads: bool = True
    interrupts: bool = True
    during: str = ""
    yields: bool = True


def _disordered(draw: st.DrawFn, steps: list[Step]) -> list[Step]:
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, len(steps) - 1))
        what = draw(st.sampled_from(("insert", "insert", "insert", "drop", "twice", "swap", "later")))
        if what == "insert":
            steps.insert(at, draw(st.sampled_from(STRAY)))
        elif what == "drop":
            del steps[at]
        elif what == "twice":
            steps.insert(at, steps[at])
        elif what == "swap":
            other = min(at + 1, len(steps) - 1)
            steps[at], steps[other] = steps[other], steps[at]
        else:
            steps.insert(min(at + draw(st.integers(2, 8)), len(steps) - 1), steps.pop(at))
        steps = steps or [Wait()]
    return steps


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A legal conversation with up to eight pieces of disorder."""
    common = sorted(set(PHRASES) - set(RARE))
    names = draw(st.lists(st.sampled_from(common), min_size=2, max_size=7))
    if draw(st.booleans()):
        names.append(draw(st.sampled_from(RARE)))
    steps: list[Step] = [*HANDSHAKE]
    steps.insert(draw(st.integers(0, 2)), Client("configure"))
    for name in names:
        phrase = PHRASES[name]
        steps += phrase[: draw(st.integers(1, len(phrase)))] if draw(st.integers(0, 3)) == 0 else phrase
        if draw(st.booleans()):
            steps.append(Wait(draw(st.sampled_from((0, 0.3, 1.2, 4)))))
    during = draw(st.sampled_from(("", "", "", "interrupt", "generate", "raise")))
    reads, interrupts, yields = draw(st.booleans()), draw(st.booleans()), draw(st.integers(0, 3)) > 0
    return Plan(tuple(_disordered(draw, steps)), reads, interrupts, during, yields)
