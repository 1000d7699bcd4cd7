"""The scenario that the document shows plays as its comments say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from rtfsm.testing.openai_server import Call, OpenAIServer, Response, messages
from rtfsm.testing.virtual_time import run
from tests.openai_server.client import call_output, connected, function

DOCUMENT = Path(__file__).parents[2] / "docs" / "servers.md"


def test_the_scenario_of_the_document_is_played_to_its_end() -> None:
    (source,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(source, names)

    async def main() -> None:
        async with OpenAIServer(names["scenario"]) as server, connected(server) as client:
            await client.update(tools=[function()])
            await client.send("response.create")
            called = (await client.until("response.done", 2))["response"]["output"][0]
            await client.send("conversation.item.create", item=call_output(called["call_id"]))
            await client.send("response.create")
            await client.ended()
            assert client.words() == "Hello there.It is sunny."
            assert client.got[-1][1]["type"] == "response.output_audio.delta"
            assert client.socket.close_code == 1006
        server.assert_client_correct()

    run(main())


def test_every_verb_that_the_document_names_is_there() -> None:
    of_the_wire_or_set_when_made = {"id", "output", "output_item", "create", "created", "cancel"}
    text = DOCUMENT.read_text(encoding="utf-8")
    for owner, kind in (("call", Call), ("response", Response), ("messages", messages)):
        named = set(re.findall(rf"\b{owner}\.([a-z_]+)", text)) - of_the_wire_or_set_when_made
        assert named
        assert [name for name in named if not hasattr(kind, name)] == []
