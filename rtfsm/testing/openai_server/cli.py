"""`rtfsm serve openai`: the scripted service by itself, for pointing any client at it."""

from __future__ import annotations

import functools

from rtfsm.testing.openai_server.server import OpenAIServer
from rtfsm.testing.server.cli import find_scenario, serve_until_interrupted


def serve(host: str = "127.0.0.1", port: int = 8765, *, verbose: bool = False, scenario: str | None = None) -> int:
    """Serve a scenario, given as "MODULE:NAME", or else the default dialogue, until Ctrl-C.

    Returns the exit status: 0 after Ctrl-C, 2 if there is no such scenario or the address cannot be listened on.
    """
    script = find_scenario(scenario)
    if isinstance(script, int):
        return script
    return serve_until_interrupted(functools.partial(OpenAIServer, script, host=host, port=port), _banner, verbose)


def _banner(server: OpenAIServer) -> str:
    return (
        f"The scripted OpenAI Realtime server listens on {server.url}\n"
        f"Point a client at it with OPENAI_BASE_URL={server.base_url} (any API key will do); Ctrl-C ends it."
    )
