"""`serve`: the scripted server as a process of its own."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys

import pytest

from rtfsm.testing.phonic_server.cli import serve
from tests.phonic_server.client import SILENCE, connected


def test_a_taken_port_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert serve(port=port) == 2
    captured = capsys.readouterr()
    assert captured.err.splitlines() == [
        f"rtfsm serve: port {port} of 127.0.0.1 is taken; choose another with --port, or --port 0 for a free one"
    ]
    assert captured.out == ""


async def _short_call(url: str) -> None:
    async with connected(url) as client:
        await client.send("config", input_format="pcm_24000", colour="blue")
        await client.until("ready_to_start_conversation")
        for _ in range(3):
            await client.audio(SILENCE)
        await client.send("say", text="Watermelon")
        await client.until("assistant_finished_speaking")


def test_it_prints_its_address_and_types_but_no_words_and_ends_with_ctrl_c() -> None:
    code = "import sys; from rtfsm.testing.phonic_server.cli import serve; sys.exit(serve(port=0))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            first, second = process.stdout.readline(), process.stdout.readline()
            url = first.split()[-1]
            asyncio.run(_short_call(url))
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert f"PHONIC_BASE_URL={url}" in second
    assert process.returncode == 0
    assert rest.splitlines() == [
        "[0] <- config",
        "[0] !! message 0 (config): config has an unknown field 'colour'",
        "[0] -> conversation_created",
        "[0] -> ready_to_start_conversation",
        "[0] <- audio_chunk ...",
        "[0] <- say",
        "[0] -> assistant_started_speaking",
        "[0] -> audio_chunk ...",
        "[0] -> assistant_finished_speaking",
    ]
