"""Orderings that livekit-plugins-openai 1.8.9 gets wrong, played to ours; and replies that leave no trace."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from rtfsm.adapters.livekit import reply_ephemeral
from rtfsm.adapters.openai import RealtimeModel
from rtfsm.testing.openai_server import Call
from rtfsm.testing.virtual_time import run
from tests.contract.openai_stage import TrustingModel
from tests.openai.caller import adapter, calling
from tests.openai.rows import PAID, ROWS, Row, played

PAGE = Path(__file__).parents[2] / "docs" / "openai.md"

ours = functools.partial(TrustingModel, api_key="key")
"""Takes the scripted service for OpenAI's own."""
cautious = functools.partial(RealtimeModel, api_key="key")
"""Takes it for what it is: somebody's server."""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_ours_gets_right(row: Row) -> None:
    assert played(row, ours) == []


def test_a_call_that_a_server_calls_complete_in_a_cut_response_is_not_executed() -> None:
    async def scenario(call: Call) -> None:
        await call.expect("session.update")
        response = await call.start_response()
        await response.call_tool("transfer_money", {"to": "alice", "amount": 1})
        await response.done("incomplete", reason="max_output_tokens")

    row = ROWS[0]
    assert played(Row(row.name, scenario, row.look, more=row.more), cautious) == []
    assert PAID == []


def test_the_page_shows_every_row_and_ours_held() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for row in ROWS:
        assert f"| {row.name} | held |" in page, "run python -m tests.openai.record_rows"


def test_an_ephemeral_reply_is_heard_and_becomes_part_of_nothing() -> None:
    async def scenario(call: Call) -> None:
        response = await call.next_response()
        await response.say("A whispered word.")
        await response.done()

    async def main() -> None:
        async with calling(scenario) as (call, server):
            await call.until(lambda: adapter(call).turn.session == "READY")
            handle = await reply_ephemeral(call.session, instructions="Whisper.")
            await handle
            await call.idle()
            assert len(call.speaker.heard) == 1
            assert call.history() == []
            assert adapter(call).chat_ctx.items == []
            assert server.connections[0].service.conversation.items == []
            assert [item for item in call.session.current_agent.chat_ctx.items if item.type == "message"] == []

    run(main())
