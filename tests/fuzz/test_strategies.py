"""Orderings as a strategy, a search and a single play, as tests and programs call them."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from hypothesis import find, given, settings

import rtfsm.testing
from rtfsm.adapters.phonic import RealtimeModel
from rtfsm.fuzz.phonic_wires import PHONIC
from rtfsm.targets import UsageError
from rtfsm.testing import Move, Ordering, assert_ordering_holds, fuzz, orderings, play_ordering

from .wrong import Wrong

ASKS = Ordering((Move("time", "passes", {"seconds": 0.3}), Move("host", "asks")))


def test_every_public_name_is_there() -> None:
    for name in rtfsm.testing.__all__:
        assert inspect.getdoc(getattr(rtfsm.testing, name)), name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        rtfsm.testing.nothing  # noqa: B018


@settings(max_examples=50, deadline=None, database=None)
@given(orderings("phonic", length=5))
def test_orderings_are_data_that_a_file_can_hold(ordering: Ordering) -> None:
    assert Ordering.from_json(ordering.to_json()) == ordering
    assert len(ordering.moves) <= 10


def test_a_provider_is_given_by_name_by_place_or_as_itself() -> None:
    found = [
        find(orderings(provider, length=3), lambda ordering: len(ordering.moves) > 0, settings=settings(database=None))
        for provider in ("phonic", "rtfsm.fuzz.phonic_wires:PHONIC", PHONIC)
    ]
    assert found[0] == found[1] == found[2]
    assert len(found[0].moves) == 1


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"provider": "nobody"}, "no provider 'nobody'"),
        ({"length": 0}, "length is 0; expected a number from 1 on"),
        ({"host": "robot"}, "host is 'robot'; expected one of direct"),
    ],
)
def test_a_wrong_argument_is_told_at_once(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        orderings(**wrong)


def test_an_ordering_that_holds_is_silent_and_one_that_does_not_says_why() -> None:
    assert play_ordering(RealtimeModel, ASKS, provider="phonic") == []
    assert_ordering_holds(RealtimeModel, ASKS)  # a package whose provider is known
    with pytest.raises(AssertionError) as raised:
        assert_ordering_holds(Wrong, Ordering(ASKS.moves, obeys=False), provider="phonic")
    lines = str(raised.value).splitlines()
    assert lines[0] == f"{Wrong.__module__}:Wrong: 1 thing is wrong under this ordering"
    assert lines[1].startswith("  asking-never-raises (clause 6): expected ")
    assert lines[2:] == [
        "  ordering: 2 moves",
        "     1  time   passes seconds=0.3",
        "     2  host   asks",
        "    while the host does not interrupt when the user speaks",
    ]


def test_a_target_may_be_whatever_makes_a_model() -> None:
    made: list[str] = []

    def factory(base_url: str, api_key: str) -> RealtimeModel:
        made.append(base_url)
        return RealtimeModel(base_url=base_url, api_key=api_key)

    assert_ordering_holds(factory, ASKS, provider="phonic")
    assert len(made) == 1
    assert made[0].startswith("ws://127.0.0.1:")


@pytest.mark.parametrize(
    ("target", "wrong", "complaint"),
    [
        (7, {}, "the target is a int; give module:Factory, or what makes a model"),
        ("no_colon", {}, "names no target"),
        (Wrong, {"host": "robot"}, "host is 'robot'"),
        (Wrong, {"provider": None}, "nobody knows which provider"),
    ],
)
def test_what_cannot_be_played_is_a_usage_error(target: Any, wrong: dict[str, Any], complaint: str) -> None:
    given: dict[str, Any] = {"provider": "phonic", **wrong}
    with pytest.raises(UsageError, match=complaint):
        play_ordering(target, ASKS, **given)
    with pytest.raises(UsageError, match=complaint):
        fuzz(target, max_examples=1, **given)


def test_what_is_saved_needs_names(tmp_path: Path) -> None:
    for target, provider in ((Wrong, PHONIC), (lambda base_url: Wrong(base_url=base_url), "phonic")):
        with pytest.raises(UsageError, match="replayed by name: give the target, and the provider, as module:NAME"):
            fuzz(target, provider=provider, store=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_search_is_the_same_each_time_and_tells_all_it_found() -> None:
    reports = [fuzz(Wrong, provider=PHONIC, seed=3, max_examples=60) for _ in range(2)]
    assert reports[0].failures == reports[1].failures
    assert reports[0].laws == ("asking-never-raises",)
    with pytest.raises(AssertionError) as raised:
        reports[0].assert_clean()
    assert str(raised.value) == str(reports[0])
    assert str(raised.value).splitlines()[2].startswith("1. asking-never-raises (clause 6): expected ")
    with pytest.raises(ValueError, match="the failures were not kept; give fuzz"):
        reports[0].path(reports[0].failures[0])


def test_a_clean_search_is_clean() -> None:
    report = fuzz(RealtimeModel, seed=3, max_examples=10)
    report.assert_clean()
    assert report.failures == ()
    assert str(report).startswith("rtfsm.adapters.phonic.model:RealtimeModel: nothing found; 10 orderings of ")
