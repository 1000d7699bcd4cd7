"""`rtfsm serve phonic`: the scripted server by itself, for pointing any client at it."""

from __future__ import annotations

import functools

from rtfsm.testing.phonic_server.server import PhonicServer
from rtfsm.testing.server.cli import serve_until_interrupted


def serve(host: str = "127.0.0.1", port: int = 8765, *, verbose: bool = False) -> int:
    """Serve the default dialogue until Ctrl-C; returns the exit status, as `serve_until_interrupted` tells it."""
    return serve_until_interrupted(functools.partial(PhonicServer, host=host, port=port), _banner, verbose)


def _banner(server: PhonicServer) -> str:
    return (
        f"The scripted Phonic server listens on {server.url}\n"
        f"Point a client at it with PHONIC_BASE_URL={server.url} (any API key will do); Ctrl-C ends it."
    )
