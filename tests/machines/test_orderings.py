"""Any ordering: legal conversations with frames dropped, repeated, swapped, delayed and put in, for every profile."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtfsm.language import Kind, Machine
from rtfsm.machines import BargeIn, Capabilities
from rtfsm.profiles import PROFILES
from rtfsm.vocabulary import local, wire
from rtfsm.vocabulary.effects import DeliverCall, SendToolOutput

from .cast import Cast, Move, PlayedOut, PlayNext, Wait
from .phrases import ENDS, PEACEFUL, beginning, phrases, tool_without_start
from .stage import Stage

CASTS = 4
EXAMPLES = 700

MINIMA = {"session": 0.72, "generation": 0.82, "reply": 0.62, "tool_call": 0.63, "user_turn": 0.82, "playout": 0.82}
"""The share of a machine's arms that the orderings must take, of those that a running conversation can. What is never
reached proves nothing, and noise does not leave CONNECTING."""


@st.composite
def orderings(draw: st.DrawFn, profile: Capabilities) -> list[Move]:
    """A few phrases one after another, then bent."""
    known = phrases(profile)
    moves = beginning(profile)
    for number in range(draw(st.integers(2, 8))):
        moves += draw(st.sampled_from(known[: -len(ENDS)]))(Cast(profile, number))
    if draw(st.integers(0, 3)) == 0:
        moves += draw(st.sampled_from(ENDS))(Cast(profile, CASTS))
    for _ in range(draw(st.integers(0, 8))):
        bend(draw, profile, moves)
    return moves


def bend(draw: st.DrawFn, profile: Capabilities, moves: list[Move]) -> None:
    """What a wire, a host or a clock does to an ordering: one frame is lost, late, doubled, early or another one."""
    at = draw(st.integers(0, len(moves) - 1))
    how = draw(st.sampled_from(["drop", "repeat", "swap", "delay", "inject", "wait"]))
    if how == "drop" and len(moves) > 1:
        del moves[at]
    elif how == "repeat":
        moves.insert(min(len(moves), at + draw(st.integers(1, 6))), moves[at])
    elif how == "swap":
        moves[at - 1], moves[at] = moves[at], moves[at - 1]
    elif how == "delay":
        moves.insert(min(len(moves), at + draw(st.integers(1, 6))), moves.pop(at))
    elif how == "inject":
        phrase = draw(st.sampled_from(phrases(profile)))(Cast(profile, draw(st.integers(0, CASTS))))
        moves.insert(at, draw(st.sampled_from(phrase)))
    else:
        moves.insert(at, Wait(draw(st.sampled_from([0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0]))))


def reachable(machine: Machine, singleton: bool) -> list[int]:
    """Numbers of the arms that a running conversation can take: an ended instance is dropped, so its row is not met."""
    over = frozenset() if singleton else machine.final
    return [arm.index for state, _, arm in machine.arms if arm.kind is not Kind.REFUSE and state not in over]


@pytest.mark.parametrize("name", PROFILES)
def test_no_ordering_breaks_an_invariant(name: str) -> None:
    profile = PROFILES[name]
    taken: Counter[tuple[str, int]] = Counter()

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(orderings(profile), st.sampled_from(BargeIn))
    def play(moves: list[Move], barge_in: BargeIn) -> None:
        stage = Stage(profile, barge_in)
        stage.play(moves)
        stage.closes()
        taken.update(stage.conversation.taken)

    play()
    conversation = Stage(profile).conversation
    shares = {}
    for machine in conversation.composition.machines:
        possible = reachable(machine, conversation.is_singleton(machine))
        shares[machine.name] = sum(taken[machine.name, index] > 0 for index in possible) / len(possible)
    weak = {machine: round(share, 2) for machine, share in shares.items() if share < MINIMA[machine]}
    assert weak == {}, f"too little was reached; all shares: {shares}"


@pytest.mark.parametrize("name", PROFILES)
def test_no_word_and_no_call_of_a_peaceful_conversation_is_lost(name: str) -> None:
    """The other side of swallowing what is dead: whatever two peaceful phrases say is handed over, once, in order."""
    profile = PROFILES[name]
    for first, second in itertools.product(PEACEFUL, PEACEFUL):
        stage = Stage(profile)
        moves = [*first(Cast(profile, 1)), Wait(1.2), *second(Cast(profile, 2))]
        stage.play([*beginning(profile), *moves])
        said = "".join(move.text for move in moves if isinstance(move, wire.TextDelta))
        called = sum(isinstance(move, wire.ToolCallReady) for move in moves)
        answered = sum(isinstance(move, local.ToolOutputGiven) for move in moves)
        if profile.minted or tool_without_start not in (first, second):  # on the other wires that one is not legal
            told = Counter(type(emission.effect) for emission in stage.emissions)
            assert (told[DeliverCall], told[SendToolOutput]) == (called, answered), (first, second)
        assert "".join(stage.words.values()) == said, (first, second)
        stage.closes()


@pytest.mark.parametrize("name", PROFILES)
def test_every_phrase_is_legal_alone(name: str) -> None:
    """A phrase that the machines drop would only seem to test them."""
    profile = PROFILES[name]
    for phrase in phrases(profile):
        stage = Stage(profile)
        stage.play([*beginning(profile), *phrase(Cast(profile, 1))])
        stage.closes()
        assert len(stage.emissions) > 3, phrase.__name__


def test_every_kind_of_event_is_in_some_phrase() -> None:
    said = {
        type(move) for profile in PROFILES.values() for phrase in phrases(profile) for move in phrase(Cast(profile, 1))
    }
    heard = {
        kind
        for profile in PROFILES.values()
        for machine in Stage(profile).conversation.composition.machines
        for kind in machine.events
        if issubclass(kind, wire.WireEvent)
    }
    assert heard <= said
    assert {PlayNext, PlayedOut, Wait} <= said
