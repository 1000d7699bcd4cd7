"""Defects of the official plugins that no list named before `rtfsm fuzz` found them, each as its shortest ordering."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from rtfsm.fuzz.dialects import find_dialect
from rtfsm.fuzz.moves import Move, Ordering
from rtfsm.fuzz.play import play
from rtfsm.fuzz.report import TEXTS
from rtfsm.fuzz.target import load_target

__all__ = ["FOUND", "Found", "section"]

TARGETS = {
    "phonic": ("livekit.plugins.phonic.realtime:RealtimeModel", "rtfsm.adapters.phonic:RealtimeModel"),
    "openai": ("livekit.plugins.openai.realtime:RealtimeModel", "rtfsm.adapters.openai:RealtimeModel"),
}


@attrs.frozen
class Found:
    """title: what goes wrong. law: what it breaks. provider, host: as `rtfsm fuzz` takes them."""

    title: str
    law: str
    ordering: Ordering = attrs.field(repr=False)
    provider: str = "phonic"
    host: str = "direct"

    def laws_broken(self, *, ours: bool) -> set[str]:
        """The laws that the official plugin, or ours, breaks under this ordering."""
        name = TARGETS[self.provider][ours]
        dialect = find_dialect(self.provider, name)
        return {finding.law for finding in play(dialect, load_target(name), self.ordering, host=self.host)}


def server(what: str, **args: Any) -> Move:
    return Move("server", what, args)


CALL = server("tool_call", tool_call_id="call_1", tool_name="weather", parameters={"city": "Rome"})
PROCESSED = server("tool_call_output_processed", tool_call_id="call_1", tool_name="weather")

FOUND = (
    Found("a repeated tool call is run twice", "calls-are-well-formed", Ordering((CALL, CALL))),
    Found(
        "an output is sent for a call that the provider has ended",
        "the-client-keeps-the-protocol",
        Ordering((CALL, PROCESSED), tool=1.0),
        host="agent",
    ),
    Found(
        "an error that quotes the API key puts it into the log",
        "no-secret-shows",
        Ordering((server("error", message="sk-fuzz-5ecret-1dent1fier may not do that", code="careful"),)),
    ),
    Found(
        "a warning without a body ends the session",
        "only-a-lost-connection-ends-a-session",
        Ordering((server("warning", message="take care", code="careful", bent={"warning": None}),)),
    ),
    Found(
        "a transcript that is no text is handed on, and ends the session",
        "only-a-lost-connection-ends-a-session",
        Ordering((server("input_text", text="hi", bent={"text": True}),)),
    ),
    Found(
        "a session that is closed while the user speaks leaves the user speaking",
        "the-user-falls-silent",
        Ordering((server("user_started_speaking"), Move("host", "closes"))),
    ),
    Found(
        "a goodbye within a turn tells the end before the streams have ended",
        "streams-end-before-the-fatal-error",
        Ordering((server("assistant_started_speaking"), server("assistant_ended_conversation"))),
    ),
    Found(
        "a request is cancelled by the session when that is closed",
        "requests-fail-only-with-realtime-error",
        Ordering((Move("host", "asks"), Move("host", "closes"))),
    ),
)


def section() -> Iterator[str]:
    """The part of the page about them, in Markdown, made by playing each with both."""
    yield from (
        "",
        "## Found by the fuzzer",
        "",
        "Nobody wrote these down beforehand: `rtfsm fuzz` came upon them, and made them short. Each is played again",
        "with both plugins when this page is written.",
        "",
        "| what goes wrong | shortest ordering | law | theirs | ours |",
        "|---|---|---|---|---|",
    )
    for found in FOUND:
        moves = "<br>".join(" ".join(str(move).split()) for move in found.ordering.moves)
        inside = "; in an AgentSession" if found.host == "agent" else ""
        seen = ["**broken**" if found.law in found.laws_broken(ours=ours) else "kept" for ours in (False, True)]
        law = f"`{found.law}`: {TEXTS[found.law]}"
        cells = (f"**{found.title}** ({found.provider}{inside})", moves.replace("|", "\\|"), law, *seen)
        yield f"| {' | '.join(cells)} |"
