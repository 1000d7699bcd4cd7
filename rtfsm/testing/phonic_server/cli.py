"""`rtfsm serve phonic`: the scripted server by itself, for pointing any client at it."""

from __future__ import annotations

import asyncio
import errno
import sys

from rtfsm.testing.phonic_server.connection import Connection
from rtfsm.testing.phonic_server.server import PhonicServer


def serve(host: str = "127.0.0.1", port: int = 8765, *, verbose: bool = False) -> int:
    """Serve the default dialogue until Ctrl-C.

    Prints where to point a client, then one line for each message: its direction and type, never its words. Of audio
    chunks that follow one another only the first is printed, unless `verbose`.

    Returns the exit status: 0 after Ctrl-C, 2 if the address cannot be listened on.
    """
    try:
        asyncio.run(_serve(host, port, _Printer(verbose)))
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        print(_refusal(error, host, port), file=sys.stderr)
        return 2
    return 0


async def _serve(host: str, port: int, printer: _Printer) -> None:
    async with PhonicServer(host=host, port=port, observe=printer, ping_interval=20, keep_audio=False) as server:
        print(f"The scripted Phonic server listens on {server.url}")
        print(
            f"Point a client at it with PHONIC_BASE_URL={server.url} (any API key will do); Ctrl-C ends it.", flush=True
        )
        await asyncio.get_running_loop().create_future()


def _refusal(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"rtfsm serve: port {port} of {host} is taken; choose another with --port, or --port 0 for a free one"
    return f"rtfsm serve: cannot listen on {host}, port {port}: {error.strerror or error}"


class _Printer:
    """Prints a line for each message, runs of audio as one."""

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose
        self._last: dict[tuple[int, str], str] = {}
        self._told: dict[int, int] = {}

    def __call__(self, connection: Connection, direction: str, type_name: str) -> None:
        key = (connection.number, direction)
        run_on = type_name == "audio_chunk" and self._last.get(key) == type_name
        self._last[key] = type_name
        arrow = "<-" if direction == "received" else "->"
        if self._verbose or not run_on:
            more = " ..." if type_name == "audio_chunk" and not self._verbose else ""
            print(f"[{connection.number}] {arrow} {type_name}{more}", flush=True)
        told = self._told.get(connection.number, 0)
        for error in connection.client_errors[told:]:
            print(f"[{connection.number}] !! {error}", flush=True)
        self._told[connection.number] = len(connection.client_errors)
