"""A picture has what the compiled engine has, at every level and in every format."""

from __future__ import annotations

import html
import re

import pytest
from transitions.extensions.markup import MarkupMachine

from rtfsm import Machine
from rtfsm.draw import Box, Form, Level, Picture, Stroke, dot, flowchart, mermaid, picture
from rtfsm.draw.mermaid import state_diagram
from rtfsm.draw.picture import legend, wrapped
from rtfsm.language import Engine, engine
from rtfsm.machines import compose
from rtfsm.profiles import PROFILES
from tests.draw.door import DOOR

Edges = set[tuple[str, str, str]]

ALL = [
    pytest.param(machine, id=f"{profile}-{machine.name}")
    for profile, wire in PROFILES.items()
    for machine in compose(wire).machines
]


class Marked(engine._Compiled, MarkupMachine):
    """The engine's own machine with the ``transitions`` package's own way of describing itself."""


def edges_of_markup(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Edges:
    monkeypatch.setattr(engine, "_Compiled", Marked)
    compiled = Engine(machine).compiled
    assert isinstance(compiled, Marked)
    return {
        (edge["source"], edge["trigger"], edge["dest"]) for edge in compiled.markup["transitions"] if edge.get("dest")
    }


def named(label: str, machine: Machine) -> set[str]:
    """The events that a label names, read as words."""
    words = set(re.findall(r"\w+", re.sub(r"\[[^]]*\]|/[^•]*", " ", label)))
    events = {event.__name__ for event in machine.events} & words
    return events | {"TimerElapsed"} if "after" in words else events


def edges_of_picture(drawn: Picture, machine: Machine) -> Edges:
    return {
        (arrow.source, event, arrow.target) for arrow in drawn.arrows for event in named(" ".join(arrow.lines), machine)
    }


def edges_of_dot(text: str, machine: Machine) -> Edges:
    found = set()
    for source, target, label in re.findall(r'^    "(\w+)" -> "(\w+)" \[.*?label=<(.*)>\];$', text, re.MULTILINE):
        plain = html.unescape(label.replace("<BR/>", " "))
        found |= {(source, event, target) for event in named(plain, machine)}
    return found


def edges_of_mermaid(text: str, machine: Machine) -> Edges:
    found = set()
    for source, target, label in re.findall(r"^    (\w+) --> (\w+) : (.*)$", text, re.MULTILINE):
        plain = html.unescape(re.sub(r"#(\w+);", r"&\1;", label.replace("<br/>", " ")))
        found |= {(source, event, target) for event in named(plain, machine)}
    return found


@pytest.mark.parametrize("machine", [pytest.param(DOOR, id="door"), *ALL])
def test_the_edges_drawn_are_those_of_the_packages_own_markup(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = edges_of_markup(machine, monkeypatch)
    assert run
    for level in (Level.EVENTS, Level.FULL):
        drawn = picture(machine, level)
        assert edges_of_picture(drawn, machine) == run
        assert edges_of_dot(dot(drawn), machine) == run
        assert edges_of_mermaid(mermaid(machine, level), machine) == run


@pytest.mark.parametrize("machine", ALL)
def test_an_overview_draws_a_way_or_tells_it_in_the_box_that_it_leads_to(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = edges_of_markup(machine, monkeypatch)
    drawn = picture(machine, Level.OVERVIEW)
    arrows = {(arrow.source, arrow.target) for arrow in drawn.arrows}
    assert arrows.isdisjoint(drawn.told)
    assert arrows | set(drawn.told) == {(source, target) for source, _, target in run}
    boxes = {box.id: " ".join(box.lines) for box in drawn.boxes}
    for source, target in drawn.told:
        for event in {event for one, event, other in run if (one, other) == (source, target)}:
            assert ("time" if event == "TimerElapsed" else event) in re.findall(r"\w+", boxes[target])
    assert all(len(arrow.lines) <= 3 for arrow in drawn.arrows)
    leaving = {source for source, _, _ in run}
    assert {arrow.source for arrow in drawn.arrows} == leaving, "no state looks like an end that is none"


def test_an_overview_of_the_session_has_half_of_its_arrows() -> None:
    (session,) = [one for one in compose(PROFILES["widest"]).machines if one.name == "session"]
    assert len(picture(session, Level.OVERVIEW).arrows) == 14
    assert len(picture(session, Level.EVENTS).arrows) == 28
    (closed,) = [box for box in picture(session, Level.OVERVIEW).boxes if box.id == "CLOSED"]
    # No arrow leads there, so that it would stand above the beginning.
    assert re.findall(r"(.*) \[style=invis\];", dot(picture(session, Level.OVERVIEW))) == [
        '    "CONNECTING" -> "RECONNECTING"'
    ]
    assert closed.lines == ("from any but ENDING, RECONNECTING, CLOSING: TransportLost, time",)


def test_looks_differ_by_more_than_colour_and_the_legend_says_how() -> None:
    drawn = picture(DOOR)
    assert [box.form for box in drawn.boxes] == [Form.RESTS, Form.WAITS, Form.FINAL]
    assert legend(drawn) == [Form.RESTS, Form.WAITS, Form.FINAL, Stroke.EVENT]
    styles = [re.sub(r'(fill)?color="#\w+", ', "", line) for line in dot(drawn).splitlines() if "peripheries" in line]
    looks = [re.findall(r'style="[^"]*"|peripheries=\d', line) for line in styles]
    assert looks == [
        ['style="rounded,filled"', "peripheries=1"],
        ['style="rounded,filled,dashed"', "peripheries=1"],
        ['style="filled"', "peripheries=2"],
    ]
    for look in legend(drawn):
        assert html.escape(look.value) in dot(drawn)


def test_text_is_escaped_and_a_control_character_is_shown_as_one() -> None:
    odd = Picture("a<b", "", (Box('"; x', 'A & "B" <i>\x00', Form.RESTS, ("• one <br/>",)),), ())
    text = dot(odd)
    assert "<B>A &amp; &quot;B&quot; &lt;i&gt;\N{REPLACEMENT CHARACTER}</B>" in text
    assert "• one &lt;br/&gt;" in text
    assert 'digraph "a<b" {' in text
    assert '    "\\"; x" [style=' in text
    assert 'm0("A & #quot;B#quot; #lt;i#gt;' in flowchart(odd)


def test_a_state_that_is_named_like_a_word_of_mermaids_has_another_id() -> None:
    names = ("END", "END_", "legend", "a b")
    boxes = tuple(Box(name, name, Form.FINAL if name == "END" else Form.RESTS) for name in names)
    text = state_diagram(Picture("words", "", boxes, ()))
    ids = re.findall(r'^    state "(.*)" as (\S+)$', text, re.MULTILINE)
    assert ids == [("END", "END_"), ("END_", "END__"), ("legend", "legend_"), ("a b", "s3_"), ("how to read", "legend")]
    assert "    END_ --> [*]\n" in text


def test_a_mark_stays_with_its_word_and_a_number_with_its_unit() -> None:
    assert wrapped(["• aaaa bbbb / cccc"], 12) == ["• aaaa bbbb", "/ cccc"]
    assert wrapped(["waits 30 s more"], 10) == ["waits 30 s", "more"]
    assert wrapped(["waiting 30 s"], 10) == ["waiting", "30 s"]
    assert wrapped(["/ verylongwordindeed"], 10) == ["/\N{NO-BREAK SPACE}verylongwordindeed"]
