"""`rtfsm serve openai`: the scripted server as a process of its own."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys

import pytest

from rtfsm.cli import main
from rtfsm.testing.openai_server.cli import serve
from tests.openai_server.client import SILENCE, connected

SCENARIO = f"{__name__}:greeting"


async def greeting(call: object) -> None:
    """A scenario to be found by its name."""


def test_a_taken_port_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert serve(port=port, scenario=SCENARIO) == 2
    told = capsys.readouterr().err.splitlines()
    taken = f"rtfsm serve: port {port} of 127.0.0.1 is taken; choose another with --port, or --port 0 for a free one"
    assert told == [taken]


@pytest.mark.parametrize("provider", ["openai", "phonic"])
@pytest.mark.parametrize("name", ["nonsense", "no_such_module:x", "rtfsm:no_such_scenario"])
def test_a_scenario_that_is_not_there_is_told_in_one_line(
    provider: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", provider, "--port", "0", "--scenario", name]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert told[0].startswith(f"rtfsm serve: no scenario '{name}': ")


async def _short_session(url: str) -> None:
    async with connected(url) as client:
        await client.update(instructions="Watermelon", tools=[])
        await client.send("input_audio_buffer.clear", colour="blue")
        for _ in range(3):
            await client.audio(SILENCE)
        await client.send("response.create", response={"output_modalities": ["text"]})
        await client.until("response.created")


def test_it_prints_its_address_and_types_but_no_words_and_ends_with_ctrl_c() -> None:
    code = "import sys; from rtfsm.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "serve", "openai", "--port", "0", "--scenario", SCENARIO]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            first, second = process.stdout.readline(), process.stdout.readline()
            url = first.split()[-1]
            asyncio.run(_short_session(url))
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert url.endswith("/v1/realtime")
    assert f"OPENAI_BASE_URL={url.replace('ws', 'http', 1).removesuffix('/realtime')}" in second
    assert process.returncode == 0
    assert rest.splitlines() == [
        "[0] -> session.created",
        "[0] <- session.update",
        "[0] -> session.updated",
        "[0] <- input_audio_buffer.clear",
        "[0] !! message 1 (input_audio_buffer.clear): the message has an unknown field 'colour'",
        "[0] -> error",
        "[0] <- input_audio_buffer.append ...",
        "[0] <- response.create",
        "[0] -> response.created",
        "[0] -> rate_limits.updated",
    ]
