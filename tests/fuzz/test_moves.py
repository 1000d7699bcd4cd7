"""An ordering is data: it can be written down, read back, and refused where it makes no sense."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings

from rtfsm.fuzz.moves import Move, Ordering, Pick
from rtfsm.fuzz.phonic_talk import frame_of
from rtfsm.fuzz.phonic_wires import PHONIC
from rtfsm.fuzz.strategies import orderings

ASKS = Move("host", "asks", {"instructions": "Answer."}, on=1)


def test_what_is_written_down_is_read_back() -> None:
    ordering = Ordering((ASKS, Move("server", "garbage", {"name": "null"}, at_once=True)), handshake=False, reads=False)
    assert Ordering.from_json(json.loads(json.dumps(ordering.to_json()))) == ordering


@given(orderings(PHONIC, length=24))
@settings(max_examples=60, deadline=None, database=None)
def test_every_ordering_can_be_written_down_and_said(ordering: Ordering) -> None:
    assert Ordering.from_json(json.loads(json.dumps(ordering.to_json()))) == ordering
    for move in ordering.moves:
        if move.who == "server":
            assert isinstance(frame_of(move), (str, bytes))


def test_what_is_usual_is_not_written_down() -> None:
    assert Ordering((Move("time", "passes", {"seconds": 1.2}),)).to_json() == {
        "moves": [{"who": "time", "what": "passes", "args": {"seconds": 1.2}}]
    }


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "an ordering is an object with a list of moves"),
        ({"moves": 7}, "an ordering is an object with a list of moves"),
        ({"moves": [], "reads": "no"}, "reads is 'no'; expected true or false"),
        ({"moves": [7]}, "move 1 is no object"),
        ({"moves": [{"who": "host", "what": "asks"}, {"who": "cat", "what": "asks"}]}, "move 2: "),
        ({"moves": [{"who": "host", "what": "asks", "on": -1}]}, "move 1: on is -1; expected a whole number from 0 on"),
        ({"moves": [{"who": "host", "what": "asks", "when": 1}]}, "move 1 has ['when'], which no move has"),
        ({"moves": [{"who": "host"}]}, "move 1: "),
        ({"moves": [{"who": "host", "what": "asks", "args": [1]}]}, "move 1: "),
    ],
)
def test_what_is_no_ordering_is_refused_by_its_place(data: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as refused:
        Ordering.from_json(data)
    assert str(refused.value).startswith(says)


def test_moves_that_mean_the_same_have_one_kind() -> None:
    assert Move("server", "audio_chunk", {"text": "a", "ms": 20}).kind == "server audio_chunk"
    assert Move("server", "audio_chunk", {"text": "a", "ms": 20, "cut": 0.5}).kind == "server audio_chunk (odd)"
    assert Move("wire", "close", {"code": 1000, "reason": ""}).kind == "wire close 1000"


def test_a_move_is_shown_in_one_line_however_much_belongs_to_it() -> None:
    shown = str(Move("server", "input_text", {"text": "a\n" * 500}, on=1, at_once=True))
    assert shown.startswith('server input_text text="a\\na')
    assert shown.endswith("on=1 (at once)")
    assert "\n" not in shown
    assert len(shown) < 120


def test_zero_makes_the_first_choice_each_time() -> None:
    pick = Pick(0)
    assert [pick.of("abc"), pick.weighted([(1, "x"), (9, "y")]), pick.chance(3)] == ["a", "x", False]


def test_choices_follow_their_weights() -> None:
    chosen = [Pick(number).weighted([(1, "a"), (3, "b")]) for number in range(400)]
    assert (chosen.count("a"), chosen.count("b")) == (100, 300)
