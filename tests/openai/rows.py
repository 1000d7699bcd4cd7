"""Orderings that livekit-plugins-openai 1.8.9 gets wrong, as rows that ours and the official plugin can both be put to.

Each row is a scenario of the service and a look at what came of it, in a real AgentSession; nothing of an adapter's own
is asked. One row of the known failures is of another API (GPT-Live), which neither model here speaks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import attrs
from livekit.agents import APIConnectOptions, function_tool, llm

from rtfsm.testing.headless import Call, headless_session
from rtfsm.testing.openai_server import Call as ServerCall
from rtfsm.testing.openai_server import OpenAIServer
from rtfsm.testing.virtual_time import LeftBehind, run

__all__ = ["ROWS", "Row", "played"]

QUICK = APIConnectOptions(max_retry=3, retry_interval=0.5, timeout=2.0)
INSTANTLY = float("inf")
Make = Callable[..., llm.RealtimeModel]
Look = Callable[[Call, OpenAIServer], Awaitable[str]]


@attrs.frozen
class Row:
    """name: what should happen. scenario: the service's part. look: what is wrong, or "". options: of the model; more:
    of the AgentSession."""

    name: str
    scenario: Callable[[ServerCall], Awaitable[None]]
    look: Look
    options: dict[str, Any] = attrs.field(factory=dict)
    more: dict[str, Any] = attrs.field(factory=dict)


def played(row: Row, make: Make) -> list[str]:
    """Play a row to a model. What was wrong in it, and then what was left behind; nothing where all was well."""
    wrong: list[str] = []

    async def main() -> None:
        async with OpenAIServer(row.scenario) as server, aiohttp.ClientSession() as http:
            model = make(base_url=server.base_url, http_session=http, **row.options)
            async with headless_session(model, **row.more) as call:
                try:
                    found = await row.look(call, server)
                except TimeoutError as late:
                    found = str(late).partition(": ")[0]
                wrong.extend([found] if found else [])
            wrong.extend(call.problems if not wrong else [])

    try:
        run(main())
    except LeftBehind as left:
        wrong.append(str(left).partition("\n")[0].rstrip(":"))
    return wrong


def _ready(server: OpenAIServer, number: int = 0) -> bool:
    return len(server.connections) > number and "session.updated" in server.connections[number].sent_types()


def _ended(server: OpenAIServer) -> int:
    return sum(connection.sent_types().count("response.done") for connection in server.connections)


def _realtime(call: Call) -> Any:
    return call.session.current_agent.realtime_llm_session


# -- O5 ----------------------------------------------------------------------------------------------------------------

PAID: list[tuple[str, int]] = []


@function_tool
async def transfer_money(to: str, amount: int) -> str:
    """Pays.

    Args:
        to: whom
        amount: how much
    """
    PAID.append((to, amount))
    return "done"


async def _cut_call(call: ServerCall) -> None:
    await call.expect("session.update")
    await call.user_says("Pay Alice 1500.")
    response = await call.next_response()
    started = await response.open_call("transfer_money")
    assert started is not None
    await started.arguments('{"to": "alice", "amount": 1')
    await response.done("incomplete", reason="max_output_tokens")


async def _nothing_paid(call: Call, server: OpenAIServer) -> str:
    PAID.clear()
    await call.until(lambda: _ended(server) == 1, what="the response")
    await asyncio.sleep(2.0)
    return "the cut call was executed" if PAID else ""


# -- O1, O2 ------------------------------------------------------------------------------------------------------------


async def _drops_while_a_connection_is_due(call: ServerCall) -> None:
    if call.connection.number:
        return
    await call.delay(8.0)
    response = await call.start_response()
    await response.say("This is being said as the", speed=1.0)
    await call.delay(3.0)
    await call.drop()


async def _goes_on(call: Call, server: OpenAIServer) -> str:
    await call.until(lambda: _ready(server, 1), 100.0, step=0.05, what="another connection")
    await call.idle(20.0)
    if call.named("close"):
        return "the session was closed"
    return "" if call.session.agent_state == "listening" else f"the agent is {call.session.agent_state}"


def _spoils(status: str) -> Callable[[ServerCall], Awaitable[None]]:
    async def scenario(call: ServerCall) -> None:
        if call.connection.number:
            return
        await call.delay(9.0)
        response = await call.start_response()
        await response.say("Said to the", speed=1.0)
        await call.delay(3.0)
        error = {"type": "server_error", "code": "overloaded", "message": "too much"}
        await response.done(status, error=error if status == "failed" else None)

    return scenario


# -- O3 ----------------------------------------------------------------------------------------------------------------


async def _drops_and_answers(call: ServerCall) -> None:
    if not call.connection.number:
        await call.delay(1.0)
        await call.drop()
        return
    while True:
        response = await call.next_response(600.0)
        await response.say("Hello.")
        await response.done()


async def _failed_reply_is_silent(call: Call, server: OpenAIServer) -> str:
    await call.until(lambda: _ready(server), what="ready")
    await call.until(lambda: server.connections[0].closed.is_set(), what="the drop")
    asked = _realtime(call).generate_reply(instructions="Say hello.")
    await call.until(lambda: _ready(server, 1), what="another connection")
    await asyncio.sleep(3.0)
    failed = asked.done() and not asked.cancelled() and asked.exception() is not None
    spoken = "response.create" in server.connections[1].received_types()
    return "a request that has failed was asked all the same" if failed and spoken else ""


# -- O4 ----------------------------------------------------------------------------------------------------------------


async def _overlapped(call: ServerCall) -> None:
    response = await call.start_response()
    message = await response.open_message()
    assert message is not None
    await message.text("Said ")
    await message.audio(bytes(48_000))
    own = await call.next_response()
    await own.say("A summary.")
    await message.text("aloud.")
    await message.audio(bytes(48_000))
    await own.done()
    await response.done()


async def _undisturbed(call: Call, server: OpenAIServer) -> str:
    await call.until(lambda: call.session.agent_state == "speaking", what="speech")
    aside = {"conversation": "none", "metadata": {"topic": "summary"}, "output_modalities": ["text"]}
    _realtime(call).send_event({"type": "response.create", "response": aside})
    await call.until(lambda: _ended(server) == 2, what="both responses")
    await call.idle(20.0)
    if call.history() != [("assistant", "Said aloud.", False)]:
        return f"the history has {len(call.history())} messages, not the one that was said"
    return ""


# -- O11 ---------------------------------------------------------------------------------------------------------------


async def _refuses(call: ServerCall) -> None:
    if call.connection.number:
        return
    for _ in range(20):
        await call.delay(0.05)
    call.hold("session.update")
    while True:
        update = await call.expect("session.update")
        if "Be anything else." in str(update):
            break
    await call.reject(update, "too long", code="string_above_max_length")
    await call.delay(1.0)
    await call.drop()


async def _taken_back(call: Call, server: OpenAIServer) -> str:
    await call.until(lambda: _ready(server), what="ready")
    await asyncio.sleep(2.0)
    await call.session.current_agent.update_instructions("Be anything else.")
    await call.until(lambda: _ready(server, 1), what="another connection")
    await asyncio.sleep(1.0)
    replayed = "Be anything else." in str(server.connections[1].service.session.config["instructions"])
    return "what was refused is replayed on the next connection" if replayed else ""


# -- F1 ----------------------------------------------------------------------------------------------------------------


async def _two_messages(call: ServerCall) -> None:
    await call.delay(0.5)
    response = await call.start_response()
    await response.say("One moment while I look that up for you please", speed=INSTANTLY)
    await response.say("It is noon.", speed=INSTANTLY)
    await response.done()
    await call.delay(1.0)
    await call.user_says("Stop.", seconds=0.3)
    answer = await call.next_response()
    await answer.say("All right.")
    await answer.done()


async def _forgotten(call: Call, server: OpenAIServer) -> str:
    await call.until(lambda: _ended(server) == 2, what="both responses")
    await call.idle(20.0)
    await asyncio.sleep(1.0)
    told = [item.text or "" for item in server.connections[0].service.conversation.items]
    if any("noon" in text for text in told):
        return "the unheard message stays in the service's conversation"
    known = [item for item in call.session.current_agent.chat_ctx.items if isinstance(item, llm.ChatMessage)]
    return "it stays in the agent's" if any("noon" in (item.raw_text_content or "") for item in known) else ""


ROWS: tuple[Row, ...] = (
    Row("a tool call that a limit cut is not executed", _cut_call, _nothing_paid, more={"tools": [transfer_money]}),
    Row(
        "a socket that drops while a connection is due is followed by another",
        _drops_while_a_connection_is_due,
        _goes_on,
        {"max_session_duration": 10.0, "conn_options": QUICK},
    ),
    Row("a cut response spoils no rollover", _spoils("incomplete"), _goes_on, {"max_session_duration": 10.0}),
    Row("a failed response spoils no rollover", _spoils("failed"), _goes_on, {"max_session_duration": 10.0}),
    Row(
        "a reply that failed in an outage is not spoken after it",
        _drops_and_answers,
        _failed_reply_is_silent,
        {"conn_options": QUICK},
    ),
    Row("a response beside the conversation disturbs none in it", _overlapped, _undisturbed),
    Row("a refused update is not replayed", _refuses, _taken_back, {"conn_options": QUICK}),
    Row(
        "an answer behind an interrupted preamble is forgotten",
        _two_messages,
        _forgotten,
        more={"sync_transcript": True},
    ),
)
