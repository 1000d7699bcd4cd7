"""Machines that are put together wrongly are told so; standing conditions are tried until none holds."""

from __future__ import annotations

import pytest

from rtfsm import (
    Composition,
    CompositionError,
    Driver,
    Event,
    Machine,
    Reason,
    Route,
    RtfsmError,
    Standing,
    ignore,
    refuse,
    to,
)
from rtfsm.language import Instance

from .house import (
    PATIENT,
    B,
    Bow,
    Call,
    Called,
    Calm,
    Dismissed,
    Fade,
    G,
    House,
    Nod,
    R,
    Rung,
    Send,
    Sent,
    bell,
    master,
    names,
    sends_one,
    servant,
)


def test_a_circle_is_named() -> None:
    first, second = bell(Call), master(Nod, Send)
    with pytest.raises(CompositionError) as raised:
        Composition((first, second), (Route(Call, second, Called), Route(Send, first, Rung)))
    assert "bell.REST x Rung -> master.REST x Called -> bell.REST x Rung" in str(raised.value)
    assert "break it at one of these cells" in str(raised.value)


def test_a_machine_that_sends_to_itself_is_a_circle() -> None:
    only = bell(Call)
    with pytest.raises(CompositionError, match=r"bell\.REST x Rung -> bell\.REST x Rung"):
        Composition((only,), (Route(Call, only, Rung),))


def test_a_birth_is_met_in_the_first_state_only() -> None:
    """A servant's own effect may bring another servant: the newborn does not repeat it."""
    who = Machine(
        "servant", states=Calm, initial=R, final={G}, rests=PATIENT | {B: "works"},
        table={
            R: {Sent: to(B, Bow), Dismissed: refuse("nobody was sent")},
            B: {Sent: refuse("sent once"), Dismissed: to(G, Send)},
            G: {(Sent, Dismissed): ignore(Reason.TERMINAL, "gone")},
        },
    )  # fmt: skip
    Composition((who,), (Route(Send, who, Sent, sends_one, births=True),))
    first, second = bell(Call), who
    with pytest.raises(CompositionError, match="circle"):
        Composition((first, second), (Route(Send, second, Dismissed), Route(Call, second, Dismissed)))


def test_a_route_to_a_machine_that_is_not_there() -> None:
    with pytest.raises(CompositionError, match="Call leads to machine 'master', which is not part"):
        Composition((bell(Call),), (Route(Call, master(Nod), Called),))


def test_a_route_to_an_event_that_is_not_known_there() -> None:
    second = master(Nod)
    with pytest.raises(CompositionError, match="Call leads to Rung, which the table of machine 'master' does not know"):
        Composition((bell(Call), second), (Route(Call, second, Rung),))


def test_a_standing_condition_to_an_event_that_is_not_known_there() -> None:
    only = bell(Fade)
    with pytest.raises(CompositionError, match="standing condition 'dusk' leads to Called"):
        Composition((only,), (), (Standing("dusk", only, Called, lambda _: None),))


def test_two_machines_of_one_name() -> None:
    with pytest.raises(CompositionError, match="two machines are named 'bell'"):
        Composition((bell(Fade), bell(Call)))


def test_a_standing_condition_is_tried_until_it_holds_no_more() -> None:
    def crowded(house: House) -> tuple[Instance, Event] | None:
        servants = list(house.live["servant"].values())
        return (servants[0], Dismissed()) if len(servants) > 1 else None

    who = servant()
    parts = (bell(Call, Fade), master(Send, Send, Send), who)
    routes = (Route(Call, parts[1], Called), Route(Send, who, Sent, sends_one, births=True))
    house = House(Composition(parts, routes, (Standing("crowded", who, Dismissed, crowded),)))
    assert names(house.handle(Rung(), 1.0)) == [
        "Call",
        "Send",
        "Bow",
        "Send",
        "Bow",
        "Send",
        "Bow",
        "Fade",
        "Bow",
        "Bow",
    ]
    assert list(house.live["servant"]) == ["servant 3"]


def test_the_first_standing_condition_goes_first() -> None:
    told: list[str] = []
    only = bell(Fade)

    def once(name: str) -> Standing:
        def find(driver: Driver) -> tuple[Instance, Event] | None:
            if name in told or not driver.taken:
                return None
            told.append(name)
            return driver.instances()[0], Rung()

        return Standing(name, only, Rung, find)

    driver = Driver(Composition((only,), (), (once("first"), once("second"))))
    assert driver.start() == []
    assert names(driver.handle(Rung(), 1.0)) == ["Fade", "Fade", "Fade"]
    assert told == ["first", "second"]


def test_a_standing_condition_that_never_ends_is_told() -> None:
    only = bell(Fade)
    driver = Driver(Composition((only,), (), (Standing("dusk", only, Rung, lambda d: (d.instances()[0], Rung())),)))
    with pytest.raises(RtfsmError, match="standing condition still holds after its event was taken 1000 times"):
        driver.start()
