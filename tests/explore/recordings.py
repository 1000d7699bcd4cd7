"""Recordings to look at: of conversations that the machines really had, and ones that mean harm."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rtfsm.fuzz.findings import Finding
from rtfsm.fuzz.moves import Move, Ordering
from rtfsm.fuzz.search import Defect
from rtfsm.fuzz.store import Saved, Store
from rtfsm.machines import Conversation
from rtfsm.profiles import PROFILES
from rtfsm.trace import Recorder
from rtfsm.vocabulary import local, wire

EVIL = '<img src=x onerror="window.hurt=1"></script><script>window.hurt=1</script>'
"""What would do harm where somebody made markup of it."""


def talk(turns: int, profile: str = "phonic") -> str:
    """The recording of a conversation of so many turns; the user cuts into every third answer."""
    out = io.StringIO()
    conversation = Conversation(PROFILES[profile])
    with Recorder(out) as recorder:
        recorder.attach(conversation)
        conversation.handle(local.ConfigGiven(), 0.1)
        conversation.receive(wire.TransportOpened(), conversation.epoch, 0.2)
        conversation.receive(wire.ProviderReady(), conversation.epoch, 0.3)
        for turn in range(turns):
            _turn(conversation, f"response-{turn}", 1.0 + 3.0 * turn, cut=turn % 3 == 2)
    assert not conversation.monitor.violations
    return out.getvalue()


def _turn(conversation: Conversation, response: str, at: float, *, cut: bool) -> None:
    named = None if conversation.capabilities.minted else response

    def take(event: Any, after: float) -> None:
        conversation.elapse(at + after)
        conversation.receive(event, conversation.epoch, at + after)

    take(wire.UserSpeechStarted(), 0.0)
    take(wire.UserSpeechStopped(), 0.5)
    take(wire.UserTranscript("what else"), 0.55)
    take(wire.GenerationCreated(named), 0.7)
    for chunk in range(4):
        take(wire.TextDelta("words ", named), 0.8 + chunk / 20)
        take(wire.AudioDelta(b"\0" * 960, named), 0.81 + chunk / 20)
    message = conversation.playouts[-1].id
    conversation.handle(local.PlayoutStarted(message), at + 1.0)
    if cut:
        take(wire.UserSpeechStarted(), 1.4)
        take(wire.UserSpeechStopped(), 1.6)
        take(wire.UserTranscript("stop"), 1.65)
    take(wire.GenerationDone(generation=named), 1.8)
    conversation.handle(local.PlayoutFinished(message), at + 2.2)


def trace(machines: Mapping[str, list[str]], *steps: Mapping[str, Any]) -> str:
    """A recording with these lines; what a step does not say is usual."""
    header = {"format": "rtfsm-trace", "version": 1, "rtfsm": "0.1.0", "started": 0.0, "machines": machines}
    usual = {"time": 0.0, "arm": 0, "effects": []}
    return "".join(json.dumps(line) + "\n" for line in (header, *({**usual, **step} for step in steps)))


def evil() -> str:
    """A recording in which every name is meant to do harm."""
    machines = {EVIL: [EVIL, "__proto__", "on\u202egoing"], "__proto__": ["constructor", "toString"]}
    one = {"machine": EVIL, "instance": EVIL, "event": EVIL, "before": EVIL, "after": "__proto__", "effects": [EVIL]}
    two = {"machine": "__proto__", "instance": "constructor", "event": "__proto__", "before": "constructor"}
    return trace(
        machines,
        {**one, "reason": EVIL, "with": {EVIL: EVIL, "__proto__": True}},
        {**two, "time": 1.0, "after": "toString"},
        {**one, "time": 2.0, "before": "on\u202egoing", "instance": "\x00\x1b[31m\ud800"},
        {**one, "time": 3.0, "before": EVIL},
    )


def finding(folder: Path, law: str = "one-fatal-error", words: str = "hello") -> Path:
    """The file of a finding, as rtfsm fuzz writes it."""
    moves = (
        Move("server", "assistant_started_speaking"),
        Move("server", "audio_chunk", {"text": words}, at_once=True),
        Move("host", "asks", {"words": 3}),
        Move("time", "passes", {"seconds": 2.5}),
        Move("wire", "closes", {"code": 1011}, on=1),
    )
    found = Finding(law, f"expected one, seen 2: {words}")
    return Store(folder).save(Saved("rtfsm", "phonic", "direct", True, Defect(found, Ordering(moves, obeys=False), ())))
