"""The real adapter under orders of events that nobody expected.

A conversation is data: a handshake, some phrases (a turn, a tool call, a barge-in, a request, a lost connection), then
disorder: steps left out, repeated, swapped, delayed, and any message, call of the host or stretch of time put in
anywhere. After every step the named invariants hold, and so do the rules of :mod:`tests.adapter.host`, which know
nothing of the tables.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from rtfsm.machines import Session
from rtfsm.testing.virtual_time import run
from tests.adapter.orderings import (
    AFTERWARDS,
    OVER_SPEECH,
    PHRASES,
    RARE,
    READY,
    SITUATIONS,
    STRAY,
    USER_STARTED,
    Plan,
    plans,
    renamed,
)
from tests.adapter.play import Play, Tally


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What the adapter logs about disorder is no news here, and slow to write."""
    logger = logging.getLogger("rtfsm")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


async def play(plan: Plan, tally: Tally) -> None:
    tally.add(await Play(plan).run())


def test_no_order_of_events_breaks_a_conversation() -> None:
    tally = Tally()
    for phrase in PHRASES.values():
        for reads in (True, False):
            run(play(Plan((*READY, *phrase), reads=reads), tally))
    for name, situation in SITUATIONS.items():
        for step in STRAY:
            run(play(Plan((*situation, step, *AFTERWARDS)), tally))
            if name in OVER_SPEECH:
                run(play(Plan((*situation, USER_STARTED, step, *AFTERWARDS), yields=False), tally))

    @settings(max_examples=500, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(plans())
    def disorder(plan: Plan) -> None:
        run(play(plan, tally))

    disorder()
    print(tally.report())  # noqa: T201  shown with -s, and when the test fails
    for machine, share in ARMS.items():
        reached, possible = tally.arms(machine)
        assert reached >= share * possible, f"only {reached} of the {possible} arms of {machine} were taken"
    for state, times in STATES.items():
        assert tally.states[state] >= times, f"{state} was entered {tally.states[state]} times only"


# Noise that never gets past the handshake proves nothing, so the disorder has to reach nearly everything.
ARMS = {"session": 0.75, "generation": 0.92, "reply": 0.85, "tool_call": 0.9, "user_turn": 0.9, "playout": 0.6}
STATES = {
    ("session", "READY"): 2000,
    ("session", "RECONNECTING"): 300,
    ("session", "ENDING"): 200,
    ("generation", "SPEAKING"): 4000,
    ("generation", "TOOL_PENDING"): 250,
    ("generation", "SEALED"): 150,
    ("generation", "INTERRUPTED"): 400,
    ("generation", "TAIL"): 3000,
    ("reply", "SENT"): 500,
    ("reply", "EXPECTED"): 500,
    ("reply", "DISCARDING"): 200,
    ("tool_call", "ANSWERED"): 500,
    ("tool_call", "PROCESSED"): 100,
    ("tool_call", "CANCELLED"): 30,
    ("tool_call", "EXPIRED"): 30,
    ("tool_call", "ORPHANED"): 300,
    ("user_turn", "OVERLAPPING"): 200,
    ("user_turn", "SPEAKING"): 1500,
    ("playout", "PLAYING"): 3000,
}


def test_an_hour_of_everything_leaves_nothing_behind() -> None:
    async def main() -> None:
        phrases = [step for name, phrase in PHRASES.items() if name not in RARE for step in phrase]
        one = Play(Plan(()))
        for number, step in enumerate((*READY, *phrases * 4)):
            # The ids of calls are used once in a conversation.
            await one.take(renamed(step, number // len(phrases)))
            one.host.read()
            if number % 100 == 0:
                one.check()
        await asyncio.sleep(70)
        one.check()
        shell, conversation = one.session._shell, one.session.conversation
        assert conversation.session.state is Session.READY
        assert conversation.live_objects == 0
        host, line = shell.host, shell.line
        assert (host._generations, host.requests, line._until_ready) == ({}, {}, [])
        assert len(host._sounding) == len(shell._queue) == len(conversation._held) == 0
        assert len(line._transports) <= 2
        assert len(one.host.generations) > 200
        assert len(one.host.futures) > 50
        await one.run()

    run(main(), limit=7200.0)
