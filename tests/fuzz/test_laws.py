"""Every law can be broken, and our own model keeps it under the ordering that breaks it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from rtfsm.fuzz.laws import LAWS
from rtfsm.fuzz.moves import Move, Ordering
from rtfsm.fuzz.phonic_wires import PHONIC
from rtfsm.fuzz.play import play
from rtfsm.fuzz.target import load_target

OURS = "rtfsm.adapters.phonic:RealtimeModel"
OFFICIAL = "livekit.plugins.phonic.realtime:RealtimeModel"


def server(what: str, **args: Any) -> Move:
    return Move("server", what, args)


def host(what: str, **args: Any) -> Move:
    return Move("host", what, args)


def wire(what: str, **args: Any) -> Move:
    return Move("wire", what, args)


CALL = server("tool_call", tool_call_id="call_1", tool_name="weather", parameters={"city": "Rome"})
OUTPUT = host("outputs", call=0, reply=True, failed=False)
STARTS, USER = server("assistant_started_speaking"), server("user_started_speaking")
OPTION = host("updates_options", keywords={"voice": "voice-1"})

BROKEN: Mapping[str, tuple[str, Ordering]] = {
    "a-lost-session-says-so": (OFFICIAL, Ordering((wire("close", code=1000, reason=""),))),
    "only-a-lost-connection-ends-a-session": (OFFICIAL, Ordering((server("garbage", name="null"),))),
    "calls-return": (OFFICIAL, Ordering((host("hands_over", version=1),), handshake=False)),
    "calls-do-not-raise": ("tests.fuzz.wrong:CannotCommit", Ordering((host("commits"),))),
    "an-empty-generation-is-no-answer": (OFFICIAL, Ordering((CALL, OUTPUT))),
    "sessions-are-apart": ("tests.fuzz.wrong:OnePersona", Ordering((host("opens"),))),
    "options-reach-every-session": (OFFICIAL, Ordering((host("opens"), OPTION))),
    "outputs-reach-the-provider": ("tests.fuzz.wrong:KeepsOutputs", Ordering((CALL, OUTPUT))),
    "the-context-is-what-was-spoken": (
        OFFICIAL,
        Ordering((STARTS, server("audio_chunk", text="w1 ", ms=200), USER, server("interrupted_response", text=""))),
    ),
    "no-word-twice": (
        "tests.fuzz.wrong:Stammers",
        Ordering((STARTS, server("audio_chunk", text="w1 ", ms=200), server("assistant_finished_speaking"))),
    ),
    "the-next-turn-is-heard": (OFFICIAL, Ordering((wire("close", code=1000, reason=""), host("opens")))),
    "no-secret-shows": (OFFICIAL, Ordering((wire("refuse", status=401, times=1), host("opens")))),
    "the-client-keeps-the-protocol": (OFFICIAL, Ordering((CALL, OPTION, OUTPUT))),
    "sound-waits-to-be-taken": (
        OFFICIAL,
        Ordering(
            (server("garbage", name="an object without a type"), host("sounds", ms=100, rate=24000, channels=1)),
            handshake=False,
        ),
    ),
    "no-error-goes-unseen": ("tests.fuzz.wrong:LosesErrors", Ordering((host("interrupts"),))),
}


def laws_broken(target: str, ordering: Ordering) -> set[str]:
    return {finding.law for finding in play(PHONIC, load_target(target), ordering)}


def test_each_law_has_an_ordering_that_breaks_it() -> None:
    here = {
        law.name for law in LAWS if law.judge.__module__ == "rtfsm.fuzz.laws"
    }  # the others have a file of their own
    assert set(BROKEN) == here


@pytest.mark.parametrize("law", sorted(BROKEN))
def test_a_law_can_be_broken(law: str) -> None:
    target, ordering = BROKEN[law]
    assert law in laws_broken(target, ordering)


@pytest.mark.parametrize("law", sorted(BROKEN))
def test_our_model_keeps_it_in_memory(law: str) -> None:
    assert laws_broken(OURS, BROKEN[law][1]) == set()


def test_our_model_keeps_them_on_sockets() -> None:
    target = load_target(OURS)
    found = {law: play(PHONIC, target, ordering, memory=False) for law, (_, ordering) in BROKEN.items()}
    assert {law: findings for law, findings in found.items() if findings} == {}
