"""A scripted server by itself, for pointing any client at it: what `rtfsm serve` shares."""

from __future__ import annotations

import asyncio
import errno
import os
import pkgutil
import sys
from collections.abc import Callable
from typing import Any

from rtfsm.testing.server.connection import Connection
from rtfsm.testing.server.server import ScriptedServer


def serve_until_interrupted(
    make: Callable[..., ScriptedServer[Any]], banner: Callable[[Any], str], verbose: bool
) -> int:
    """Serve until Ctrl-C.

    Prints the banner, then one line for each message: its direction and type, never its words. Of messages of audio
    that follow one another only the first is printed, unless `verbose`.

    Args:
        make: makes the server; it is given the options `observe`, `ping_interval` and `keep_audio`.
        banner: where to point a client, once the server listens.

    Returns the exit status: 0 after Ctrl-C, 2 if the address cannot be listened on.
    """
    server = make(observe=_Printer(verbose), ping_interval=20, keep_audio=False)
    try:
        asyncio.run(_serve(server, banner))
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        print(_refusal(error, server), file=sys.stderr)
        return 2
    return 0


def find_scenario(name: str | None) -> Any:
    """What "MODULE:NAME" names, sought from the current directory on; None for None.

    Where nothing does, one line tells so, and the exit status 2 is returned in its place.
    """
    if name is None:
        return None
    sys.path.insert(0, os.getcwd())
    try:
        if ":" not in name:
            raise ValueError("write MODULE:NAME")
        return pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        print(f"rtfsm serve: no scenario {name!r}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    finally:
        sys.path.pop(0)


async def _serve(server: ScriptedServer[Any], banner: Callable[[Any], str]) -> None:
    async with server:
        print(banner(server), flush=True)
        await asyncio.get_running_loop().create_future()


def _refusal(error: OSError, server: ScriptedServer[Any]) -> str:
    if error.errno == errno.EADDRINUSE:
        taken = f"port {server.port} of {server.host} is taken"
        return f"rtfsm serve: {taken}; choose another with --port, or --port 0 for a free one"
    return f"rtfsm serve: cannot listen on {server.host}, port {server.port}: {error.strerror or error}"


class _Printer:
    """Prints a line for each message, runs of audio as one."""

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose
        self._last: dict[tuple[int, str], str] = {}
        self._told: dict[int, int] = {}

    def __call__(self, connection: Connection, direction: str, type_name: str) -> None:
        key = (connection.number, direction)
        is_audio = type_name in (connection.audio_in, connection.audio_out)
        run_on = is_audio and self._last.get(key) == type_name
        self._last[key] = type_name
        arrow = "<-" if direction == "received" else "->"
        if self._verbose or not run_on:
            more = " ..." if is_audio and not self._verbose else ""
            print(f"[{connection.number}] {arrow} {type_name}{more}", flush=True)
        told = self._told.get(connection.number, 0)
        for error in connection.client_errors[told:]:
            print(f"[{connection.number}] !! {error}", flush=True)
        self._told[connection.number] = len(connection.client_errors)
