"""The hostile environment: everything that the host, the wire and time can do in a state, in any order.

It keeps a memory of its own, hidden from the machines: which turn of the provider is still worth hearing. So it can
tell, as a listener could, that a word is of a turn that was cut, ended or reset, and what became of it. What it cannot
know is assumed and said: content of a dead turn does not come after the machines have waited it out, and on a wire
without response ids not after the next opening bracket.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import attrs

from rtfsm.language import Emission, Event
from rtfsm.machines import BargeIn, Match, Reply, Session, UserTurn
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary import local, wire

from .world import World

__all__ = ["Bounds", "Memory", "Move", "judge", "moves", "remember"]


@attrs.frozen
class Bounds:
    """How many may be alive at once before the environment begins no more. Ended ones do not count, so conversations
    are of any length."""

    calls: int = 2
    requests: int = 2
    generations: int = 2


@attrs.frozen
class Move:
    """Something that happens: an event, or the timer of an instance running out. turn: whose content it is."""

    label: str
    event: Event | None = None
    timer: tuple[str, str] | None = None
    turn: str = ""


class Memory(NamedTuple):
    """turn: the provider's turn on a wire without ids: none, live or cut. old: content of an ended turn may still come.
    asked: place of the request that is on such a wire, or -1. owed: its future has ended, its answer may still come.
    dead: places of the generations that are not to be heard although their streams are open, on a wire with ids."""

    turn: str = "none"
    old: bool = False
    asked: int = -1
    owed: bool = False
    dead: frozenset[int] = frozenset()


ROUTINE = (
    wire.TransportOpened(),
    wire.ProviderReady(),
    wire.ConfigRejected(),
    *(wire.TransportLost(loss) for loss in wire.Loss),
    wire.ConversationEnded(),
    wire.Fault(False),
    wire.Fault(True),
    *(local.ConfigGiven(kind) for kind in local.ConfigKind),
    local.CloseRequested(),
    local.InterruptRequested(),
)
OF_USER = (wire.UserSpeechStarted(), wire.UserSpeechStopped(), wire.UserTurnCancelled(), wire.UserTranscript("-"))


def _label(event: Event) -> str:
    finite = [getattr(event, field.name) for field in attrs.fields(type(event))]
    shown = [getattr(value, "name", str(value)) for value in finite if value not in (None, "", "-", b"", (), False)]
    return f"{type(event).__name__}({', '.join(shown)})" if shown else type(event).__name__


def moves(world: World, memory: Memory, bounds: Bounds) -> Iterator[Move]:
    """Everything that can happen in the state that the world is in."""
    for event in ROUTINE:
        yield Move(_label(event), event)
    if world.capabilities.going_away:
        yield Move("GoingAway", wire.GoingAway())
    if world.resuming:
        yield Move("WindowOver", local.WindowOver())
    for one in world.instances():
        if one.timer is not None and one.machine.name != "playout":
            yield Move(f"time: {one.timer.name} of {one.machine.name} {one.id}", timer=(one.machine.name, one.id))
    yield from _requests(world, bounds)
    yield from _outputs(world)
    if world.session.state is Session.STARTING:
        return  # content waits for the consent, which is the same as coming after it
    for event in OF_USER:
        yield Move(_label(event), event)
    yield from _calls(world, bounds)
    heard = {one.context.keeps_floor: one.id for one in reversed(world.sounding)}
    for keeps in sorted(heard):
        yield Move("PlayoutFinished" + "(kept)" * keeps, local.PlayoutFinished(heard[keeps]))
    yield from _minted_content(world, memory) if world.capabilities.minted else _named_content(world, memory, bounds)


def _requests(world: World, bounds: Bounds) -> Iterator[Move]:
    caps = world.capabilities
    live = [one.id for one in world.replies]
    kinds = [local.ReplyKind.GENERATE]
    kinds += [local.ReplyKind.SAY] if caps.say else []
    kinds += [local.ReplyKind.OUT_OF_BAND] if caps.out_of_band else []
    if len(live) < bounds.requests:
        for kind in kinds:
            yield Move(f"ReplyRequested({kind.name})", local.ReplyRequested("new request", kind))
    for id in live:
        if world.monitor.mirror.futures.get(id) is False:
            yield Move(f"ReplyAbandoned({id})", local.ReplyAbandoned(id))
        if caps.request_errors:
            yield Move(f"RequestRejected({id})", wire.RequestRejected(id))
    yield Move("ReplyDeclined", wire.ReplyDeclined())


def _outputs(world: World) -> Iterator[Move]:
    """What the host says of its tools. A call that has ended and one that nobody made are the same: not alive. Whether
    an answer is withheld makes a difference only where the output is owed."""
    mirror = world.monitor.mirror
    for id in (*(one.id for one in world.calls if one.id in mirror.calls), "seen"):
        for reply in local.ToolReply if world.knows_call(id) else (local.ToolReply.WANTED, local.ToolReply.NOT_WANTED):
            yield Move(f"ToolOutputGiven({id}, {reply.name})", local.ToolOutputGiven(id, "-", reply))


def _calls(world: World, bounds: Bounds) -> Iterator[Move]:
    caps = world.capabilities
    live = [one.id for one in world.calls]
    for id in (*live, "seen"):
        if caps.tool_cancel:
            yield Move(f"ToolCallCancelled({id})", wire.ToolCallCancelled(id))
        if caps.result_taken:
            yield Move(f"ToolResultTaken({id})", wire.ToolResultTaken(id))
    targets = [one.id for one in world.generations] if not caps.minted else [None]
    for target in (*targets, "old") if not caps.minted else targets:
        for id in (*live, "seen", *(["new call"] if len(live) < bounds.calls else [])):
            said = f"ToolCallReady({id})" if target is None else f"ToolCallReady({id} of {target})"
            yield Move(said, wire.ToolCallReady(id, "tool", "{}", target))


def _minted_content(world: World, memory: Memory) -> Iterator[Move]:
    for greeting in (False, True):
        yield Move("GenerationCreated" + "(greeting)" * greeting, wire.GenerationCreated(greeting=greeting))
    whose = ["live"] if memory.turn != "cut" else []
    whose += ["dead"] if memory.turn == "cut" or memory.old else []
    for turn in whose:
        yield Move(f"TextDelta({turn} turn)", wire.TextDelta("-"), turn=turn)
        yield Move(f"AudioDelta({turn} turn)", wire.AudioDelta(b"--"), turn=turn)
    yield Move("MessageDone", wire.MessageDone())
    yield Move("GenerationInterrupted", wire.GenerationInterrupted())
    for status in (wire.GenerationStatus.COMPLETED, wire.GenerationStatus.CANCELLED):
        yield Move(f"GenerationDone({status.name})", wire.GenerationDone(status))


def _named_content(world: World, memory: Memory, bounds: Bounds) -> Iterator[Move]:
    caps = world.capabilities
    live = [one.id for one in world.generations]
    requests: list[str | None] = [None]
    if caps.match is Match.ECHO:
        requests += [*(one.id for one in world.replies if one.state is not Reply.EXPECTED), "ended"]
    for id in (*live, *(["new"] if len(live) < bounds.generations else [])):
        for request in requests:
            for stored in (True, False) if caps.out_of_band else (True,):
                shown = (
                    id + (f", answers {request}" if request is not None else "") + (", beside" if not stored else "")
                )
                yield Move(f"GenerationCreated({shown})", wire.GenerationCreated(id, request, stored))
    for place, id in (*enumerate(live), (-1, "old")):
        turn = "dead" if place in memory.dead or place < 0 else "live"
        yield Move(f"TextDelta({id})", wire.TextDelta("-", id), turn=turn)
        yield Move(f"AudioDelta({id})", wire.AudioDelta(b"--", id), turn=turn)
        yield Move(f"MessageDone({id})", wire.MessageDone(id))
        yield Move(f"GenerationInterrupted({id})", wire.GenerationInterrupted(id))
        for status in (wire.GenerationStatus.COMPLETED, wire.GenerationStatus.CANCELLED):
            yield Move(f"GenerationDone({id}, {status.name})", wire.GenerationDone(status, id))
    yield Move("GenerationInterrupted", wire.GenerationInterrupted())


REMEMBERED = (
    wire.TransportLost, wire.GenerationCreated, wire.TextDelta, wire.GenerationDone, wire.GenerationInterrupted,
    wire.ReplyDeclined, wire.RequestRejected, local.InterruptRequested, local.ReplyAbandoned,
)  # fmt: skip
"""What the environment remembers even where no machine makes anything of it."""
HEARD = (order.OpenGeneration, order.PushText, order.PushAudio)
ENDS = order.ReleaseAll(local.ReleaseReason.CLOSE)
WAITED_OUT = frozenset({"INTERRUPTED", "TAIL", "SEALED"})


def judge(world: World, move: Move, before: Memory, emissions: list[Emission]) -> str | None:
    """What the environment alone can see to be wrong."""
    effects = [type(emission.effect) for emission in emissions]
    if move.turn == "dead" and any(effect in HEARD for effect in effects):
        return "GEN-5: content of a turn that was cut, ended or reset is heard"
    talks = world.user_turn.state in (UserTurn.OVERLAPPING, UserTurn.SPEAKING)
    murmured = world.capabilities.minted and isinstance(move.event, wire.TextDelta) and talks
    if murmured and before.turn == "none" and order.OpenGeneration in effects:
        return "MURMUR: words outside of any turn are heard while the user speaks"
    lost = move.turn == "live" and before.turn == "live" and isinstance(move.event, wire.TextDelta)
    if lost and world.runs and order.PushText not in effects:
        return "GEN-7: a word of a living turn is lost"
    by_voice = isinstance(move.event, (wire.UserSpeechStarted, local.PlayoutFinished))
    if by_voice and world.floor.barge_in is BargeIn.PROVIDER and order.CloseMessage in effects:
        return "FLOOR: the user's voice alone cuts what only the provider may cut"
    if before.owed and any(e.effect.user_initiated for e in emissions if isinstance(e.effect, order.OpenGeneration)):
        return "REPLY-5: the late answer to a request that has ended is taken for the answer to the next one"
    if isinstance(move.event, wire.GenerationCreated) and move.event.request is not None:
        ended = world.monitor.mirror.futures.get(move.event.request, True)
        if ended and order.ResolveReply not in effects and order.OpenGeneration in effects:
            return "REPLY-4: an answer to a request that has ended is heard"
    return _judge_end(world, move, emissions)


def _judge_end(world: World, move: Move, emissions: list[Emission]) -> str | None:
    """What must be told: the end, and the user's words."""
    by_host = isinstance(move.event, local.CloseRequested)
    if by_host and world.session.state not in (Session.CLOSING, Session.CLOSED):
        return "CLOSE: the host closed and the session goes on"
    untold = emissions and not by_host and not world.monitor.mirror.ends_reported
    if untold and ENDS in [emission.effect for emission in emissions]:
        return "S-6: the session ends and nobody is told"
    said = isinstance(move.event, wire.UserTranscript) and world.runs
    if said and sum(isinstance(emission.effect, order.EmitTranscript) for emission in emissions) != 1:
        return "USER-2: what the user said is told other than once"
    return None


def remember(
    world: World, before: Memory, move: Move, emissions: list[Emission], places: dict[str, int], timed: str
) -> Memory:
    """The environment's memory after a move. timed: state of the generation whose timer ran out, or ''."""
    if not world.touched and move.event is not None and not isinstance(move.event, REMEMBERED):
        return before
    effects = {type(emission.effect) for emission in emissions}
    if order.OpenTransport in effects or isinstance(move.event, wire.TransportLost) or not _runs(world):
        return Memory()
    if world.capabilities.minted:
        turn = _remember_turn(before, move, effects, timed)
        asked, owed = _remember_question(world, before, move, emissions)
        return Memory(turn.turn, turn.old, asked, owed)
    return _remember_named(world, before, move, effects, places)


def _runs(world: World) -> bool:
    return world.session.state in (Session.READY, Session.ROLLING, Session.ENDING)


def _remember_turn(before: Memory, move: Move, effects: set[type], timed: str) -> Memory:
    turn, old, event = before.turn, before.old, move.event
    if timed in WAITED_OUT:
        return Memory()
    if isinstance(event, wire.GenerationCreated):
        unheard = order.OpenGeneration not in effects and order.ClaimReply in effects
        return Memory("cut" if unheard else "live")
    if isinstance(event, wire.TextDelta) and move.turn == "live" and turn == "none" and not old:
        turn = "live" if order.PushText in effects else "cut" if order.ClaimReply in effects else "none"
    if isinstance(event, wire.GenerationDone) and turn != "none":
        turn, old = "none", True
    cut = order.CutAgent in effects or order.SendReset in effects
    cut = cut or isinstance(event, (local.InterruptRequested, wire.GenerationInterrupted))
    if cut and turn == "live":
        turn = "cut"
    return Memory(turn, old)


BESIDE = (UserTurn.SILENT, UserTurn.OVERLAPPING)
"""The user has not taken the floor, so the next turn is no answer to the user."""
FORGOTTEN = (order.TellReplies, order.ReleaseAll, order.FailRequests, order.FinishSpeech)


def _remember_question(world: World, before: Memory, move: Move, emissions: list[Emission]) -> tuple[int, bool]:
    """Which request is on the wire, and whether an answer is owed to one that nobody waits for any more.

    The debt is over once anything has answered, once the user has spoken, and once it was waited out.
    """
    sent = [emission.instance.id for emission in emissions if isinstance(emission.effect, order.SendReplyRequest)]
    id = f"r{before.asked}" if before.asked >= 0 else None
    answered = isinstance(move.event, (wire.ReplyDeclined, wire.RequestRejected))
    answered = answered or any(isinstance(emission.effect, FORGOTTEN) for emission in emissions)
    answered = answered or any(
        isinstance(emission.effect, order.ClaimReply) and emission.instance.link is not None for emission in emissions
    )
    waited_out = move.timer is not None and move.timer[0] == "reply"
    given_up = id is not None and world.monitor.mirror.futures.get(id, True)
    by_host = isinstance(move.event, (local.ReplyAbandoned, local.InterruptRequested))
    to_the_user = by_host and world.user_turn.state not in BESIDE
    owed = (before.owed and not waited_out) or (given_up and not to_the_user)
    asked = sent[-1] if sent else None if given_up else id
    places = {one.id: place for place, one in enumerate(world.replies)}
    return places.get(asked or "", -1), owed and not answered


def _remember_named(world: World, before: Memory, move: Move, effects: set[type], places: dict[str, int]) -> Memory:
    event = move.event
    dead = {places[f"g{place}"] for place in before.dead if f"g{place}" in places}
    everyone = order.SpeechStarted in effects or order.SendReset in effects
    if everyone or isinstance(event, local.InterruptRequested):
        dead |= set(places.values())
    if isinstance(event, (wire.GenerationDone, wire.GenerationInterrupted)) and event.generation in places:
        dead.add(places[event.generation])
    if isinstance(event, wire.GenerationCreated) and event.generation == "new" and "new" in places:
        if order.OpenGeneration not in effects:
            dead.add(places["new"])
        elif everyone:
            dead.discard(places["new"])
    # Whatever reaches streams that have ended is wrong by itself, so nobody has to remember of whom it is.
    still_open = {places[id] for id in world.monitor.mirror.open_generations if id in places}
    return Memory(dead=frozenset(dead & still_open))
