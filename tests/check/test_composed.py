"""The conversations of the profiles, whole: nothing is wrong in any state that any order of events reaches."""

from __future__ import annotations

import pytest

from rtfsm.check import Bounds, ConversationModel, search
from rtfsm.check.report import NoSuchStepError, labels_of, narrate
from rtfsm.check.search import replay
from rtfsm.profiles import PHONIC, PROFILES

STATES = {
    ("phonic", 1, 0, 1): 600,
    ("phonic", 0, 1, 1): 400,
    ("gemini", 0, 1, 1): 400,
    ("openai", 1, 0, 1): 300,
    ("openai", 0, 1, 1): 600,
    ("widest", 1, 0, 1): 800,
    ("widest", 0, 1, 1): 850,
}
"""At least as many; a search that sees fewer no longer sees what it did."""

CUT = (
    "ConfigGiven(UPDATE); TransportOpened; ProviderReady; TextDelta(live turn); UserSpeechStarted; TextDelta(dead turn)"
)


@pytest.mark.parametrize(("profile", "calls", "requests", "generations"), STATES)
def test_a_profile_is_clean(profile: str, calls: int, requests: int, generations: int) -> None:
    found = search(ConversationModel(PROFILES[profile], Bounds(calls, requests, generations)))
    assert found.violations == []
    assert found.states >= STATES[profile, calls, requests, generations]
    assert found.edges > 30 * found.states
    assert found.chain >= 5
    # An answer may be expected besides the calls and requests that bounds count, and a call outlives its generation.
    assert calls + requests <= found.alive <= calls + requests + generations + 1


def test_a_smaller_bound_reaches_no_state_that_a_larger_one_does_not() -> None:
    def states(bounds: Bounds) -> int:
        return search(ConversationModel(PHONIC, bounds)).states

    assert states(Bounds(0, 0, 1)) < states(Bounds(0, 1, 1))
    assert states(Bounds(0, 0, 1)) == states(Bounds(0, 0, 2))  # a wire without ids has one at a time


def test_an_order_is_replayed_in_the_same_states() -> None:
    model = ConversationModel(PHONIC, Bounds(1, 1, 1))
    ordering = labels_of(CUT)
    steps = list(narrate(model, ordering))
    again = [model.describe(step.target) for step, _ in list(replay(model, ordering))]
    assert [step.after for step in steps] == again
    assert [step.after for step in steps] == [step.before for step in steps[1:]] + [steps[-1].after]
    assert steps[-1].after == "session READY, user SPEAKING, g0 INTERRUPTED"
    assert [step.who for step in steps] == ["Host", "Wire", "Wire", "Wire", "User", "Wire"]
    assert [step.wrong for step in steps] == [None] * 6


def test_the_order_of_effects_and_steps_is_the_one_in_which_they_happened() -> None:
    steps = list(narrate(ConversationModel(PHONIC, Bounds(0, 0, 1)), labels_of(CUT)))
    told = [
        type(one.effect).__name__ if hasattr(one, "effect") else f"{one.before.name}>{one.after.name}"
        for one in steps[4].happenings
    ]
    assert told == [
        "SILENT>SPEAKING", "CutAgent", "SPEAKING>INTERRUPTED", "CloseMessage", "Seal",
        "TellTalking", "INTERRUPTED>INTERRUPTED", "SpeechStarted", "QUEUED>OVER", "TellReplies",
    ]  # fmt: skip


def test_what_cannot_come_is_told_with_what_can() -> None:
    model = ConversationModel(PHONIC, Bounds(0, 0, 1))
    with pytest.raises(NoSuchStepError, match=r"'Nonsense' cannot come in \(session CONNECTING.*TransportOpened;"):
        list(narrate(model, ("Nonsense",)))
    assert model.driver.observers == []


def test_an_order_may_stand_on_lines_or_behind_semicolons() -> None:
    assert labels_of("a; b(c, d) ;\n\n e\n") == ("a", "b(c, d)", "e")
