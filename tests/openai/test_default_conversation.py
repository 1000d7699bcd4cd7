"""Ours, in a real AgentSession, holds the default conversation with the recorded caller."""

from __future__ import annotations

from livekit.agents import function_tool

from rtfsm.adapters.openai import RealtimeModel, RealtimeSession
from rtfsm.testing.headless import Microphone, headless_session
from rtfsm.testing.openai_server import DEFAULT_DIALOGUE, OpenAIServer
from rtfsm.testing.speech import CALLER, caller_path
from rtfsm.testing.virtual_time import run

ASIDE = {"conversation": "none", "metadata": {"topic": "summary"}, "output_modalities": ["text"], "input": []}


def test_ours_completes_the_default_conversation_without_a_client_error() -> None:
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
        async with OpenAIServer() as server:
            microphone = Microphone(caller_path(), autostart=False)
            model = RealtimeModel(api_key="a-key", base_url=server.base_url)
            async with headless_session(model, tools=[weather], microphone=microphone) as call:
                session = call.session.current_agent.realtime_llm_session
                assert isinstance(session, RealtimeSession)
                await call.until(lambda: session.turn.session == "READY")
                microphone.start()
                sent = server.connections[0]
                await call.until(lambda: sent.sent_types().count("response.done") == 6)
                await call.idle()
                session.send_event({"type": "response.create", "response": ASIDE})
                await call.until(lambda: sent.sent_types().count("response.done") == 7)
                await call.idle()
                history = call.history()
                assert session.turn.failed_effects == session.turn.refused == 0
                assert dict(session.turn.violations) == dict(session.turn.malformed) == {}
                told = [item.id for item in sent.service.conversation.items]
                assert [item.id for item in session.chat_ctx.items] == told
            conversation = sent.service.conversation
            aside = list(sent.service.responses.values())[-1]
            assert (aside.conversation, aside.metadata) == (None, {"topic": "summary"})
            assert conversation.open_calls == []
            assert sent.received_types().count("conversation.item.truncate") == 1
            call.assert_sane()
        server.assert_client_correct()
        return history

    history = run(main())
    assert asked == ["Lisbon"]
    assert [text for role, text, _ in history if role == "user"] == [utterance.text for utterance in CALLER]
    first, long, sure, moment, found, bye = [(text, cut) for role, text, cut in history if role == "assistant"]
    lines = DEFAULT_DIALOGUE.lines
    assert first == (lines[0].answers, False)
    assert long[1]
    assert sure == (lines[2].answers, False)
    assert moment == (lines[3].before_tool, False)
    assert found == ("Here is what I found: It is sunny in Lisbon.", False)
    assert bye == (lines[4].answers, False)
