"""Clauses 50 to 60: tool calls, their outputs and the answers to these."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from livekit.agents import function_tool, llm

from rtfsm.testing.headless import Call

from .generation import conversation
from .probe import Book, NotApplicable, NotExercised, demand
from .scene import PATIENCE, Scene, weather
from .witness import Witness

__all__ = ["book"]

book = Book()
ORPHAN_LIMIT = 120.0
"""Seconds within which the provider must hear of a call that nobody answers."""


def _not_automatic(capabilities: llm.RealtimeCapabilities) -> str:
    return (
        ""
        if capabilities.auto_tool_reply_generation
        else "auto_tool_reply_generation is off: the host asks for the answer"
    )


@function_tool(name="weather")
async def _slow(city: str) -> str:
    """Tells the weather of a city."""
    await asyncio.sleep(2.0)
    return "sunny"


@book.watch(
    50,
    "calls-are-well-formed",
    "Every tool call has an id of its own, a name, and the text of a JSON object as arguments.",
    story=conversation,
)
def _well_formed(seen: Witness) -> Iterator[str]:
    if not seen.calls:
        raise NotExercised("no tool was called")
    ids = Counter(call.call_id for call in seen.calls)
    if max(ids.values()) > 1:
        yield "expected each call to be handed over once; one came twice"
    for call in seen.calls:
        try:
            arguments: Any = json.loads(call.arguments) if call.arguments else {}
        except (TypeError, ValueError):
            arguments = None
        if not isinstance(arguments, dict):
            yield "expected the text of a JSON object as arguments; saw something else"
        if not call.name or not call.call_id:
            yield "expected a name and an id with every call; one is missing"


@book.drill(
    50,
    "a-call-is-the-hosts-to-change",
    "The call that is handed over is a copy: what the host writes into it changes nothing.",
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    call = await scene.calls()
    call.arguments, call.name = "changed", "changed"
    held = [item for item in session.chat_ctx.items if isinstance(item, llm.FunctionCall)]
    demand(
        all(item.arguments != "changed" for item in held),
        "expected the session's own record of a call; it is the host's object",
    )
    await scene.outputs(llm.FunctionCall(call_id=call.call_id, name="weather", arguments="{}"))
    await scene.until(
        lambda: call.call_id in scene.stage.outputs, "expected the output to reach the provider; it did not"
    )


@book.drill(
    51,
    "a-call-is-complete",
    "A tool call is handed over once, with all of its arguments, without waiting for speech to end.",
)
async def _(scene: Scene) -> None:
    await scene.begins()
    await scene.stage.calls_tool("pieces", "weather", '{"city":"Rome"}', in_pieces=True)
    await scene.until(lambda: scene.called("pieces"), "expected the call to be handed over; it was not", seconds=5.0)
    await scene.stage.settle(1.0)
    got = [call.arguments for call in scene.called("pieces")]
    demand(len(got) == 1, f"expected the call to be handed over once; it was {len(got)} times")
    demand(json.loads(got[0]) == {"city": "Rome"}, "expected all of the arguments; some are missing")


@book.drill(
    52,
    "outputs-in-one-update-all-arrive",
    "Outputs that come in one update reach the provider each once, and never again.",
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    await scene.stage.calls_tool("one", "weather", '{"city":"Rome"}')
    await scene.stage.calls_tool("two", "weather", '{"city":"Oslo"}')
    await scene.until(
        lambda: scene.called("one") and scene.called("two"), "expected both calls to be handed over; they were not"
    )
    await scene.outputs(*scene.called("one"), *scene.called("two"))
    await scene.stage.settle()
    demand(
        sorted(scene.stage.outputs) == ["one", "two"],
        f"expected both outputs at the provider; it got {len(scene.stage.outputs)}",
    )
    await session.update_chat_ctx(session.chat_ctx)
    await scene.outputs(*scene.called("one"))
    await scene.stage.settle()
    demand(len(scene.stage.outputs) == 2, f"expected each output once; the provider got {len(scene.stage.outputs)}")


@book.drill(
    53, "an-output-can-want-no-reply", "An output with reply_required=False is delivered, and starts no response."
)
async def _(scene: Scene) -> None:
    await scene.begins()
    call = await scene.calls()
    await scene.stage.settle(1.0)
    before, asked = len(scene.generations), scene.stage.requests
    await scene.outputs(call, reply=False)
    await scene.until(
        lambda: call.call_id in scene.stage.outputs, "expected the output to reach the provider; it did not"
    )
    await scene.stage.settle(20.0)
    demand(scene.stage.requests == asked, "expected no request for a reply; there was one")
    demand(len(scene.generations) == before, "expected no response to an output that wants none; one was announced")


@book.drill(
    54,
    "silence-after-an-output-releases-the-host",
    "When the provider says nothing to an output that wants a reply, the agent does not stay in thought.",
    needs=_not_automatic,
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session() as call:
        await scene.user()
        await scene.stage.calls_tool("mute", "weather", '{"city":"Rome"}')
        await scene.until(
            lambda: "mute" in scene.stage.outputs, "expected the output to reach the provider; it did not"
        )
        await scene.stage.settle(1.0)
        await scene.listens(call.session)
        await scene.idle(call)


@book.drill(
    54,
    "a-long-answer-is-the-answer",
    "While the answer to an output is being spoken, however long, nothing else is announced for it.",
    needs=_not_automatic,
)
async def _(scene: Scene) -> None:
    await scene.begins()
    call = await scene.calls()
    await scene.outputs(call)
    before = len(scene.generations)
    await scene.stage.agent_starts()
    for _ in range(20):
        await scene.stage.agent_says("word ", 1000)
        await scene.stage.settle(1.0)
    await scene.stage.agent_finishes()
    await scene.stage.settle(PATIENCE)
    new = scene.generations[before:]
    demand(len(new) == 1, f"expected the 20 s of the answer in one generation, and no other; {len(new)} were announced")


@book.drill(
    56,
    "a-cough-costs-no-answer",
    "The user's voice while a tool runs does not cost its answer.",
    needs=_not_automatic,
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session(tools=[_slow]) as call:
        await scene.agent("One moment.")
        await scene.idle(call)
        await scene.stage.calls_tool("cough", "weather", '{"city":"Rome"}')
        await scene.stage.settle(0.5)
        await scene.stage.user_starts()
        await scene.stage.settle(0.2)
        await scene.stage.user_stops()
        await scene.until(
            lambda: "cough" in scene.stage.outputs, "expected the output to reach the provider; it did not"
        )
        await scene.agent("Sunny.")
        await scene.until(
            lambda: any("Sunny" in text for _, text, _ in call.history()),
            "expected the answer in the history; it is not",
        )
        await scene.idle(call)
        await scene.listens(call.session)


@book.drill(
    57, "a-made-up-call-is-not-dropped", "The output of a call that the framework made up is told to the provider."
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    context = session.chat_ctx
    context.items.append(llm.FunctionCall(call_id="slow_final", name="weather", arguments="{}"))
    context.items.append(
        llm.FunctionCallOutput(call_id="slow_final", name="weather", output="Sunny at last.", is_error=False)
    )
    await session.update_chat_ctx(context)
    await scene.stage.settle()
    told = scene.stage.received("Sunny at last.")
    demand(told == 1, f"expected the provider to be told the late result once; it was told {told} times")


@book.drill(
    58,
    "an-orphaned-call-is-answered",
    "A call that the host will never answer is ended at the provider by the session.",
)
async def _(scene: Scene) -> None:
    session = await scene.begins(reads=False)
    await scene.stage.calls_tool("orphan", "weather", '{"city":"Rome"}')
    await scene.stage.settle()
    session.interrupt()
    await scene.until(
        lambda: "orphan" in scene.stage.outputs,
        "expected the provider to hear that nobody answers its call; it did not",
        seconds=ORPHAN_LIMIT,
    )


@book.drill(
    59, "the-output-of-a-withdrawn-call-is-dropped", "The output of a call that the provider has withdrawn is not sent."
)
async def _(scene: Scene) -> None:
    await scene.begins()
    call = await scene.calls()
    await scene.stage.withdraws_tool(call.call_id)
    await scene.stage.settle()
    await scene.outputs(call)
    await scene.stage.settle(1.0)
    demand(not scene.stage.outputs, "expected the output of a withdrawn call to be dropped; it was sent")
    await scene.still_works()


async def _outlives_its_call(scene: Scene, call: Call) -> None:
    """The tool returns into nothing, and the agent must not wait for an answer to it."""
    await scene.stage.settle(5.0)
    outputs = [item for item in call.session.history.items if item.type == "function_call_output"]
    if not outputs:
        raise NotExercised("the tool did not return")
    await scene.listens(call.session)
    await scene.idle(call)


@book.drill(
    59,
    "a-withdrawn-call-leaves-no-thought",
    "When a call was withdrawn while its tool ran, the output ends the agent's thought all the same.",
    needs=_not_automatic,
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session(tools=[_slow]) as call:
        await scene.stage.calls_tool("gone", "weather", '{"city":"Rome"}')
        await scene.stage.settle(0.5)
        await scene.stage.withdraws_tool("gone")
        await _outlives_its_call(scene, call)


@book.drill(
    65,
    "a-lost-call-leaves-no-thought",
    "When the connection was lost while a tool ran, its output ends the agent's thought all the same.",
    needs=_not_automatic,
)
async def _(scene: Scene) -> None:
    async with scene.in_agent_session(tools=[_slow]) as call:
        await scene.stage.calls_tool("lost", "weather", '{"city":"Rome"}')
        await scene.stage.settle(0.5)
        await scene.stage.drops(for_good=False)
        await scene.stage.settle(1.0)
        if call.named("close"):
            raise NotApplicable("it does not reconnect, and the session is over")
        await _outlives_its_call(scene, call)


@book.drill(
    60, "tools-can-be-read-back", "The tools property gives what was set last, so that the framework can restore it."
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    before = session.tools.flatten()
    demand([tool.id for tool in before] == [weather.id], f"expected the 1 configured tool; tools holds {len(before)}")
    await session.update_tools([])
    demand(not session.tools.flatten(), "expected no tools after update_tools([]); tools holds some")
    await session.update_tools(before)
    demand(
        [tool.id for tool in session.tools.flatten()] == [weather.id],
        "expected the restored tool; tools holds something else",
    )


@book.drill(
    60,
    "a-tool-choice-cuts-nothing",
    "update_options(tool_choice=...) around every tool reply disturbs no answer, None included.",
)
async def _(scene: Scene) -> None:
    session = await scene.begins()
    await scene.agent("Some ", finishes=False)
    choices: tuple[llm.ToolChoice | None, ...] = ("auto", "none", "required", None)
    for choice in choices:
        session.update_options(tool_choice=choice)
        await scene.stage.settle()
    await scene.stage.agent_says("words.")
    await scene.stage.agent_finishes()
    await scene.stage.settle()
    demand(scene.last.words == "Some words.", "expected the answer to go on; it was cut")
