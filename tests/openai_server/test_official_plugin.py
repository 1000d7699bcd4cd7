"""The official LiveKit plugin, in a real AgentSession, holds the default conversation with the recorded caller."""

from __future__ import annotations

import aiohttp
from livekit.agents import function_tool
from livekit.plugins.openai.realtime import RealtimeModel

from rtfsm.testing.headless import Microphone, headless_session
from rtfsm.testing.openai_server import DEFAULT_DIALOGUE, OpenAIServer
from rtfsm.testing.speech import CALLER, caller_path
from rtfsm.testing.virtual_time import run

ASIDE = {"conversation": "none", "metadata": {"topic": "summary"}, "output_modalities": ["text"], "input": []}


def test_the_official_plugin_completes_the_default_conversation_without_a_client_error() -> None:
    asked: list[str] = []

    @function_tool
    async def weather(city: str) -> str:
        """Tell the weather of a city.

        Args:
            city: its name
        """
        asked.append(city)
        return "It is sunny in Lisbon."

    async def main() -> list[tuple[str, str, bool]]:
        async with OpenAIServer() as server, aiohttp.ClientSession() as http:
            microphone = Microphone(caller_path(), autostart=False)
            model = RealtimeModel(api_key="a-key", base_url=server.base_url, http_session=http)
            async with headless_session(model, tools=[weather], microphone=microphone) as call:
                await call.until(
                    lambda: server.connections and server.connections[0].sent_types().count("session.updated") == 3
                )
                microphone.start()
                sent = server.connections[0]
                await call.until(lambda: sent.sent_types().count("response.done") == 6)
                await call.idle()
                # The plugin plays whatever response it is told of, so the aside is asked for in the quiet at the end.
                session = call.session._activity
                assert session is not None
                realtime = session.realtime_llm_session
                assert realtime is not None
                realtime.send_event({"type": "response.create", "response": ASIDE})  # type: ignore[attr-defined]
                await call.until(lambda: sent.sent_types().count("response.done") == 7)
                await call.idle()
                history = call.history()
            conversation = sent.service.conversation
            aside = list(sent.service.responses.values())[-1]
            assert (aside.conversation, aside.metadata) == (None, {"topic": "summary"})
            assert aside.output[0].text == DEFAULT_DIALOGUE.aside
            assert aside.output[0] not in conversation.items
            assert conversation.open_calls == []
            assert sent.received_types().count("conversation.item.truncate") == 1
        server.assert_client_correct()
        return history

    history = run(main())
    assert asked == ["Lisbon"]
    assert [text for role, text, _ in history if role == "user"] == [utterance.text for utterance in CALLER]
    first, long, sure, moment, found, bye, _ = [(text, cut) for role, text, cut in history if role == "assistant"]
    lines = DEFAULT_DIALOGUE.lines
    assert first == (lines[0].answers, False)
    assert long[1]
    assert sure == (lines[2].answers, False)
    assert moment == (lines[3].before_tool, False)
    assert found == ("Here is what I found: It is sunny in Lisbon.", False)
    assert bye == (lines[4].answers, False)
