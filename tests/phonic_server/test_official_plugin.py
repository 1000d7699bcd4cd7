"""The official LiveKit plugin, in a real AgentSession, holds the default conversation with the recorded caller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from livekit.agents import function_tool
from livekit.plugins.phonic.realtime import RealtimeModel
from phonic.environment import PhonicEnvironment

from rtfsm.testing.headless import Microphone, headless_session
from rtfsm.testing.phonic_server import DEFAULT_DIALOGUE, PhonicServer
from rtfsm.testing.speech import CALLER, caller_path
from rtfsm.testing.virtual_time import run


@contextmanager
def phonic_at(url: str) -> Iterator[None]:
    """livekit-plugins-phonic 1.8.9 takes no address, so the SDK's default environment is bent for a while."""
    real = PhonicEnvironment.DEFAULT.production
    PhonicEnvironment.DEFAULT.production = url
    try:
        yield
    finally:
        PhonicEnvironment.DEFAULT.production = real


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

    async def main() -> tuple[list[tuple[str, str, bool]], int]:
        async with PhonicServer() as server:
            with phonic_at(server.url):
                microphone = Microphone(caller_path(), autostart=False)
                model = RealtimeModel(api_key="a-key")
                async with headless_session(model, tools=[weather], microphone=microphone) as call:
                    await call.until(
                        lambda: (
                            server.connections and "ready_to_start_conversation" in server.connections[0].sent_types()
                        )
                    )
                    microphone.start()
                    finished = "assistant_finished_speaking"
                    await call.until(lambda: server.connections[0].sent_types().count(finished) == 6)
                    await call.idle()
            server.assert_client_correct()
            assert server.connections[0].received_types() == ["config", "tool_call_output"]
            interruptions = [r.message for r in server.connections[0].sent if r.type == "interrupted_response"]
            assert len(interruptions) == 1
            return call.history(), len(call.speaker.heard)

    history, segments = run(main())
    assert asked == ["Lisbon"]
    assert [text for role, text, _ in history if role == "user"] == [utterance.text for utterance in CALLER]
    first, long, sure, _, found, bye = [(text, cut) for role, text, cut in history if role == "assistant"]
    lines = DEFAULT_DIALOGUE.lines
    assert first == (lines[0].answers, False)
    assert long[1]
    assert sure == (lines[2].answers, False)
    assert found == ("Here is what I found: It is sunny in Lisbon.", False)
    assert bye == (lines[4].answers, False)
    assert segments == 6
