"""The example agent: its help needs no key, and its entry point holds a call with the scripted server."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest
from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.types import NOT_GIVEN, NotGivenOr

from rtfsm.testing import phonic_server as phonic
from rtfsm.testing.headless import Call, LogWatch, Microphone, Speaker, Transcript
from rtfsm.testing.phonic_server import PhonicServer, messages
from rtfsm.testing.phonic_server.offered_tools import offered_tools
from rtfsm.testing.virtual_time import run

EXAMPLE = Path(__file__).parents[1] / "examples" / "phonic_agent.py"
KEYS = ("PHONIC_API_KEY", "PHONIC_BASE_URL", "LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")


def test_the_help_works_without_any_key() -> None:
    bare = {name: value for name, value in os.environ.items() if name not in KEYS}
    told = subprocess.run(
        [sys.executable, str(EXAMPLE), "--help"], env=bare, capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 0, told.stderr
    assert all(command in told.stdout for command in ("console", "dev", "start"))


async def scenario(call: phonic.Call) -> None:
    await call.handshake()
    await call.say(call.config["welcome_message"])
    await use_tool(call, "get_weather", {"city": "Lisbon"})
    await use_tool(call, "set_reminder", {"what": "umbrella", "minutes": 5})


async def use_tool(call: phonic.Call, name: str, arguments: dict[str, object]) -> None:
    """Call a tool, and say what it answered."""
    id = call.new_tool_call_id()
    await call.send(messages.tool_call(id, name, arguments))
    answer = await call.expect("tool_call_output")
    assert answer["tool_call_id"] == id
    await call.send(messages.tool_call_output_processed(id, name))
    await call.say(answer["output"])


@attrs.frozen
class Job:
    """All that the entry point asks of its job. A session without a room keeps the devices that it has."""

    room: NotGivenOr[rtc.Room] = NOT_GIVEN


def load_example() -> ModuleType:
    """The example as a fresh module, as a worker's process loads it."""
    spec = importlib.util.spec_from_file_location("phonic_agent", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    return example


@asynccontextmanager
async def entered(example: ModuleType) -> AsyncIterator[Call]:
    """Run the entry point with a headset in the place of a room."""
    calls: list[Call] = []
    build = example.build_session

    def build_with_headset() -> AgentSession[None]:
        session: AgentSession[None] = build()
        microphone = Microphone()
        call = Call(session, speaker=Speaker(), transcript=Transcript(), microphone=microphone, watch=watch)
        session.input.audio = microphone
        session.output.audio, session.output.transcription = call.speaker, call.transcript
        calls.append(call)
        return session

    vars(example)["build_session"] = build_with_headset
    with LogWatch() as watch:
        try:
            await example.entrypoint(Job())
            (call,) = calls
            yield call
        finally:
            for call in calls:
                await call._close(None)


def test_the_entry_point_holds_a_call_in_which_both_tools_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    example = load_example()

    async def main() -> Call:
        async with PhonicServer(scenario) as server:
            monkeypatch.setenv("PHONIC_API_KEY", "a-key")
            monkeypatch.setenv("PHONIC_BASE_URL", server.url)
            async with entered(example) as call:
                await call.until(lambda: len(call.history()) == 3)
                await call.idle()
                assistant: Any = call.session.current_agent
                assert isinstance(assistant, example.Assistant)
                assert assistant.reminders == [("umbrella", 5)]
        server.assert_client_correct()
        (connection,) = server.connections
        assert list(offered_tools(connection.protocol.config["tools"])) == ["get_weather", "set_reminder"]
        assert "audio_chunk" in {record.type for record in connection.received}
        return call

    call = run(main())
    call.assert_sane()
    assert call.history() == [
        ("assistant", "Hello, how can I help?", False),
        ("assistant", "It is sunny in Lisbon.", False),
        ("assistant", "I will remind you in 5 minutes.", False),
    ]
    assert [segment.interrupted for segment in call.speaker.heard] == [False, False, False]


def test_an_assistant_that_hangs_up_is_heard_to_its_end_and_closes_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    example = load_example()

    async def hangs_up(call: phonic.Call) -> None:
        await call.handshake()
        await call.say("Goodbye, and have a nice day.")
        await call.send(messages.assistant_ended_conversation())
        await call.close(4600)

    async def main() -> Call:
        async with PhonicServer(hangs_up) as server:
            monkeypatch.setenv("PHONIC_API_KEY", "a-key")
            monkeypatch.setenv("PHONIC_BASE_URL", server.url)
            async with entered(example) as call:
                await call.until(lambda: call.named("close"), timeout=20)
        server.assert_client_correct()
        return call

    call = run(main())
    call.assert_sane()
    assert call.history() == [("assistant", "Goodbye, and have a nice day.", False)]
    assert call.named("error") == []


def test_the_entry_point_is_the_one_that_the_worker_calls() -> None:
    example = load_example()
    assert example.server._entrypoint_fnc is example.entrypoint
