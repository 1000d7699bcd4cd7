"""Every invariant fires on what it forbids: a check that cannot fail proves nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import pytest

from rtfsm.language import Effect, Emission, Event, Instance
from rtfsm.machines import INVARIANTS, Conversation, Generation, Monitor, Reply, Session, ToolCall, UserTurn
from rtfsm.machines.generation_context import GenerationContext, Lane
from rtfsm.machines.invariants import EFFECT_INVARIANTS, STATE_INVARIANTS, EffectInvariant
from rtfsm.profiles import PHONIC
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary.local import ConfigGiven, ReplyAbandoned, ReplyRequested
from rtfsm.vocabulary.wire import ProviderReady, TextDelta, ToolCallCancelled, TransportOpened

OPEN = (order.OpenGeneration(), order.OpenMessage())
READY = (order.OpenTransport(), order.SendConfig(), order.ReportReady())


def conversation() -> Conversation:
    """One that runs and does nothing."""
    made = Conversation(PHONIC)
    made.start()
    made.handle(ConfigGiven(), 0.0)
    made.receive(TransportOpened(), 1, 0.0)
    made.receive(ProviderReady(), 1, 0.0)
    assert made.monitor.violations == []
    return made


def born(made: Conversation, name: str, id: str, link: str | None = None) -> Instance:
    (machine,) = (one for one in made.composition.machines if one.name == name)
    return made.born(machine, id, link=link)


def put(made: Conversation, name: str, id: str, state: object) -> None:
    """An instance in a state that it never reached by itself."""
    instance = born(made, name, id)
    instance.state, instance.alive = state, True


class Forger:
    """Shows a monitor effects that no table ordered, as if of these instances."""

    def __init__(self) -> None:
        self.conversation = conversation()
        self.monitor = Monitor()
        self.stray = Conversation(PHONIC)
        self.stray.start()
        self.instances = {
            "g": born(self.stray, "generation", "g"),
            "h": born(self.stray, "generation", "h"),
            "c": born(self.stray, "tool_call", "c", link="g"),
            "q": born(self.stray, "reply", "q"),
            "s": self.stray.session,
        }

    def shows(self, who: str, *effects: Effect, after: Event | None = None) -> Forger:
        emissions = [Emission(effect, self.instances[who], after or TextDelta("words")) for effect in effects]
        for emission in emissions:
            for on_effect in self.judges:
                if not isinstance(emission.effect, on_effect.effects):
                    continue
                if (wrong := on_effect.check(self.monitor.mirror, emission)) is not None:
                    self.monitor.report(on_effect.name, wrong, "forged")
            self.monitor.mirror.take(emission)
        return self

    def tells(self, event: Event) -> Forger:
        self.monitor.mirror.host_said(event)
        return self

    @property
    def judges(self) -> Iterable[EffectInvariant]:
        return EFFECT_INVARIANTS

    @property
    def broken(self) -> list[str]:
        return [violation.invariant for violation in self.monitor.violations]


FORGERIES: dict[str, list[Callable[[Forger], object]]] = {
    "GEN-1": [lambda f: f.shows("g", *OPEN, order.CloseMessage(), order.Seal(), order.OpenGeneration())],
    "GEN-2": [
        lambda f: f.shows("g", order.PushText()),
        lambda f: f.shows("g", order.OpenMessage()),
        lambda f: f.shows("g", order.OpenGeneration(), order.PushAudio()),
        lambda f: f.shows("g", *OPEN, order.OpenMessage()),
        lambda f: f.shows("g", *OPEN, order.CloseMessage(), order.Seal(), order.PushText()),
        lambda f: f.shows("g", *OPEN, order.CloseMessage(), order.Seal(), order.CloseMessage()),
    ],
    "GEN-4": [
        lambda f: f.shows("g", *OPEN, order.Seal()),
        lambda f: f.shows("g", order.OpenGeneration(), order.Seal(), order.Seal()),
        lambda f: f.shows("g", order.Seal()),
    ],
    "GEN-6": [
        lambda f: f.shows("g", order.OpenGeneration()).shows("s", order.SpeechStarted()),
        lambda f: out_of_band(f).shows("g", order.OpenGeneration()).shows("s", order.SpeechStarted()),
    ],
    "TOOL-1": [
        lambda f: f.shows("c", order.DeliverCall()),
        lambda f: f.shows("g", order.OpenGeneration()).shows("c", order.DeliverCall(), order.DeliverCall()),
        lambda f: f.shows("g", order.OpenGeneration(), order.Seal()).shows("c", order.DeliverCall()),
    ],
    "TOOL-2": [
        lambda f: called(f).shows("c", order.SendToolOutput(), order.SendToolOutput()),
        lambda f: called(f).shows("c", order.SendToolOutput(), order.SendToolError()),
        lambda f: called(f).tells(ToolCallCancelled("c")).shows("c", order.SendToolOutput()),
        lambda f: called(f).shows("s", order.SendReset()).shows("c", order.SendToolOutput()),
        lambda f: called(f).shows("s", *READY).shows("c", order.SendToolError()),
    ],
    "REPLY-1": [
        lambda f: asked(f).shows("q", order.ResolveReply(), order.FailReply(order.Failure.LOST)),
        lambda f: asked(f).tells(ReplyAbandoned("q")).shows("q", order.ResolveReply()),
    ],
    "REPLY-2": [
        lambda f: asked(f).shows("q", order.FailReply(order.Failure.EXPIRED), order.SendReplyRequest()),
        lambda f: f.shows("s", *READY).shows("q", order.SendReplyRequest()),
    ],
    "SESSION-1": [lambda f: f.shows("s", order.OpenTransport(), order.SendConfig(), order.SendConfig())],
    "SESSION-2": [
        lambda f: f.shows("s", order.SendUpdate()),
        lambda f: f.shows("s", order.OpenTransport(), order.SendConfig(), order.SendReset()),
        lambda f: f.shows("s", *READY, order.OpenTransport()).shows("g", order.SendCancel()),
    ],
    "SESSION-3": [
        lambda f: f.shows("s", order.ReportEnded(), order.ReportFatal()),
        lambda f: f.shows("g", order.OpenGeneration()).shows("s", order.ReportFatal()),
        lambda f: asked(f).shows("s", order.ReportEnded()),
    ],
    "USER-1": [
        lambda f: f.shows("s", order.SpeechStarted(), order.SpeechStarted()),
        lambda f: f.shows("s", order.SpeechStopped()),
    ],
}


def out_of_band(forger: Forger) -> Forger:
    forger.instances["g"].context = GenerationContext(lane=Lane.OUT_OF_BAND)
    return forger


def called(forger: Forger) -> Forger:
    return forger.shows("s", *READY).shows("g", order.OpenGeneration()).shows("c", order.DeliverCall())


def asked(forger: Forger) -> Forger:
    return forger.shows("s", *READY).tells(ReplyRequested("q"))


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_effect_is_noticed(name: str) -> None:
    for forge in FORGERIES[name]:
        forger = Forger()
        assert forger.broken == []
        forge(forger)
        assert forger.broken == [name]


def unsealed(made: Conversation) -> None:
    made.monitor.mirror.take(Emission(order.OpenGeneration(), born(made, "generation", "g"), TextDelta("")))


def forgotten_future(made: Conversation) -> None:
    made.monitor.mirror.host_said(ReplyRequested("q"))


def ended_future(made: Conversation) -> None:
    made.handle(ReplyRequested("q"), 0.0)
    made.monitor.mirror.host_said(ReplyAbandoned("q"))


def early_generation(made: Conversation) -> None:
    made.session.state = Session.STARTING
    put(made, "generation", "g", Generation.TAIL)


def early_call(made: Conversation) -> None:
    made.session.state = Session.RECONNECTING
    put(made, "tool_call", "c", ToolCall.PENDING)


def early_request(made: Conversation) -> None:
    made.session.state = Session.CONNECTING
    put(made, "reply", "q", Reply.DISCARDING)


def early_user(made: Conversation) -> None:
    made.session.state = Session.AWAITING_CONFIG
    made.user_turn.state = UserTurn.AWAITING_TRANSCRIPT


def survivor(made: Conversation) -> None:
    made.session.state = Session.CLOSING
    put(made, "reply", "q", Reply.DISCARDING)


def never_told(made: Conversation) -> None:
    made.user_turn.state = UserTurn.SPEAKING


def told_for_nothing(made: Conversation) -> None:
    made.monitor.mirror.told_speaking = True


def two_alive(made: Conversation) -> None:
    for id in ("g", "h"):
        put(made, "generation", id, Generation.TAIL)


def no_timer(made: Conversation) -> None:
    made.user_turn.state = UserTurn.AWAITING_TRANSCRIPT


FORGED_STATES: dict[str, list[Callable[[Conversation], None]]] = {
    "S-1": [unsealed],
    "S-2": [forgotten_future, ended_future],
    "S-3": [early_generation, early_call, early_request, early_user],
    "S-4": [survivor],
    "S-5": [never_told, told_for_nothing],
    "BOUND": [two_alive],
    "TIME-1": [no_timer],
}


@pytest.mark.parametrize("name", FORGED_STATES)
def test_a_forged_state_is_noticed(name: str) -> None:
    for forge in FORGED_STATES[name]:
        made = conversation()
        forge(made)
        made.monitor.judge(made, None, [])
        assert name in made.monitor.counts, forge


def test_a_text_without_a_chunk_is_noticed() -> None:
    monitor = Monitor()
    monitor.text_closed(1)
    assert monitor.counts == {}
    monitor.text_closed(0)
    assert monitor.counts == {"GEN-3": 1}


def test_every_invariant_has_its_forgery() -> None:
    assert {*FORGERIES, *FORGED_STATES, "GEN-3"} == set(INVARIANTS)
    assert {one.name for one in EFFECT_INVARIANTS} == set(FORGERIES)
    assert {one.name for one in STATE_INVARIANTS} == set(FORGED_STATES)
    assert all(one.text for one in INVARIANTS.values())


def test_a_violation_is_logged_once_and_counted_each_time(caplog: pytest.LogCaptureFixture) -> None:
    made = conversation()
    two_alive(made)
    made.monitor.judge(made, None, [])
    made.monitor.judge(made, None, [])
    assert made.monitor.counts["BOUND"] == 2
    bound = [record for record in caplog.records if "BOUND" in record.getMessage()]
    assert [record.levelno for record in bound] == [logging.ERROR]
    assert bound[0].getMessage() == "invariant BOUND is violated after time: 2 are alive"


def test_no_violation_tells_what_was_said() -> None:
    forger = Forger()
    for forge in (one for forgeries in FORGERIES.values() for one in forgeries):
        forge(forger)
    assert forger.monitor.violations
    assert not any("words" in violation.detail for violation in forger.monitor.violations)


def test_a_long_conversation_does_not_grow() -> None:
    forger = Forger()
    forger.shows("s", *READY)
    for number in range(2000):
        forger.instances["n"] = born(forger.stray, "generation", f"n{number}")
        forger.shows("n", order.OpenGeneration(), order.Seal())
        forger.tells(ReplyRequested(f"q{number}")).tells(ReplyAbandoned(f"q{number}"))
    mirror = forger.monitor.mirror
    assert forger.broken == []
    assert max(len(mirror.generations), len(mirror.futures), len(mirror.calls)) < 1000
    assert not mirror.open_generations
    assert not mirror.pending_futures
