"""Which effect of one machine is which event of another, and the conditions that hold over all of them.

A route reads the conversation and the effect with its cause; it changes nothing but the birth of the instances that it
delivers to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

from rtfsm.language import Composition, Effect, Emission, Event, Instance, Machine, Route, Standing
from rtfsm.vocabulary import effects as order
from rtfsm.vocabulary.local import (
    CallDelivered,
    CallHeld,
    CallRejected,
    FloorFree,
    InterruptionNoticed,
    Matched,
    MessageOpened,
    NextCall,
    PlayoutStopped,
    ProviderGone,
    Quiet,
    Release,
    ReleaseReason,
    ReplyExpected,
    SendNow,
    UserCut,
    UserSilent,
    UserSpoke,
    UserTalks,
)
from rtfsm.vocabulary.wire import GenerationCreated, ReplyDeclined, TextDelta, ToolCallReady

from .capabilities import Capabilities
from .generation import generation_machine
from .generation_context import Lane
from .playout import playout_machine
from .reply import Reply, reply_machine
from .session import Session, session_machine
from .session_context import RETRIES
from .timing import Timing
from .tool_call import ToolCall, tool_call_machine
from .user_turn import UserTurn, user_turn_machine

if TYPE_CHECKING:
    from .conversation import Conversation

__all__ = ["compose"]

Deliveries = Iterator[tuple[Instance, Event]]


def compose(
    wire: Capabilities,
    timing: Timing | None = None,
    retries: int = RETRIES,
    *,
    exchange: Callable[[Machine], Machine] = lambda machine: machine,
) -> Composition:
    """The machines of a conversation over a wire, and what couples them.

    exchange: given each machine, answers with the one to put in its place, under the same name.
    """
    session = exchange(session_machine(wire, timing, retries))
    generation = exchange(generation_machine(wire, timing))
    reply = exchange(reply_machine(wire, timing))
    call = exchange(tool_call_machine(wire, timing))
    user = exchange(user_turn_machine(wire, timing))
    playout = exchange(playout_machine(wire, timing))

    def release(target: Machine, *unless: ReleaseReason) -> Route:
        def deliver(conversation: Conversation, cause: Emission) -> Deliveries:
            reason = cast(order.ReleaseAll, cause.effect).reason
            if reason not in unless:
                yield from ((one, Release(reason)) for one in conversation.instances(target))

        return Route(order.ReleaseAll, target, Release, deliver)

    def end(effect: type[order.RoutedEffect], target: Machine) -> Route:
        def deliver(conversation: Conversation, _: Emission) -> Deliveries:
            yield from ((one, Release(ReleaseReason.END)) for one in conversation.instances(target))

        return Route(effect, target, Release, deliver)

    def begin_next(event: type[Event]) -> Route:
        def deliver(conversation: Conversation, cause: Emission) -> Deliveries:
            if isinstance(cause.event, event):
                after = cause.instance if cast(order.BeginNext, cause.effect).continued else None
                yield conversation.begin_generation(cause.event, after=after), cause.event

        return Route(order.BeginNext, generation, event, deliver, births=True)

    def claim(conversation: Conversation, cause: Emission) -> Deliveries:
        claimed = [one for one in conversation.instances(reply) if one.id == cause.instance.link]
        yield from ((one, Matched(cause.instance.id)) for one in claimed)

    def call_born(effect: type[Effect], event: type[CallDelivered | CallHeld]) -> Route:
        def deliver(conversation: Conversation, cause: Emission) -> Deliveries:
            ready = cast(ToolCallReady, cause.event)
            begun = conversation.begin_call(ready.call, cause.instance.id)
            yield begun, event(ready.call, ready.name, ready.arguments, ready.item)

        return Route(effect, call, event, deliver, births=True)

    def call_rejected(conversation: Conversation, cause: Emission) -> Deliveries:
        ready = cast(ToolCallReady, cause.event)
        yield conversation.begin_call(ready.call, cause.instance.id), CallRejected(ready.call, ready.name)

    def held(conversation: Conversation, cause: Emission) -> list[Instance]:
        calls = conversation.instances(call)
        return [one for one in calls if one.state is ToolCall.HELD and one.link == cause.instance.id]

    def release_held(conversation: Conversation, cause: Emission) -> Deliveries:
        yield from ((one, CallDelivered(one.id)) for one in held(conversation, cause))

    def drop_held(conversation: Conversation, cause: Emission) -> Deliveries:
        yield from ((one, Release(ReleaseReason.END)) for one in held(conversation, cause))

    def expected(conversation: Conversation) -> list[Instance]:
        return [one for one in conversation.instances(reply) if one.state is Reply.EXPECTED]

    def expect_reply(conversation: Conversation, _: Emission) -> Deliveries:
        if not expected(conversation):  # a second output is answered together with the first
            yield conversation.born(reply, conversation.mint("expected")), ReplyExpected()

    def next_call(conversation: Conversation, _: Emission) -> Deliveries:
        yield from ((one, NextCall()) for one in expected(conversation))

    def cancel_expectation(conversation: Conversation, _: Emission) -> Deliveries:
        yield from ((one, ReplyDeclined()) for one in expected(conversation))

    def notice(conversation: Conversation, cause: Emission) -> Deliveries:
        if cause.instance.context.lane is Lane.MAIN:  # the end of one out of band takes the floor from nobody
            audible = conversation.audible
            yield from ((one, InterruptionNoticed(audible)) for one in conversation.instances(user))

    def message_opened(conversation: Conversation, cause: Emission) -> Deliveries:
        yield conversation.begin_message(cause.instance, cause.event), MessageOpened()

    routes = [
        # Streams end before futures, futures before calls; whoever is told of the end hears of it after all of them.
        release(generation),
        release(reply),
        release(call),
        release(user, ReleaseReason.RESET),
        release(playout, ReleaseReason.RESET, ReleaseReason.LOST),
        end(order.FailRequests, reply),
        end(order.FailRequests, call),
        Route(order.FinishSpeech, generation, ProviderGone),
        end(order.FinishSpeech, reply),
        end(order.FinishSpeech, call),
        end(order.FinishSpeech, user),
        Route(order.CutAgent, generation, UserCut),
        Route(order.SpeechStarted, playout, PlayoutStopped),
        Route(order.TellReplies, reply, UserSpoke),
        Route(order.NoticeInterruption, user, InterruptionNoticed, notice),
        Route(order.ClaimReply, reply, Matched, claim),
        call_born(order.PassCall, CallDelivered),
        Route(order.RejectCall, call, CallRejected, call_rejected, births=True),
        Route(order.OpenMessage, playout, MessageOpened, message_opened, births=True),
    ]
    if wire.minted:
        routes += [
            Route(order.TellTalking, generation, UserTalks),
            Route(order.TellSilent, generation, UserSilent),
        ]
        routes += [begin_next(event) for event in (GenerationCreated, TextDelta, ToolCallReady)]
    if wire.auto_reply:
        routes += [
            Route(order.DeliverCall, reply, NextCall, next_call),
            Route(order.ExpectReply, reply, ReplyExpected, expect_reply, births=True),
            Route(order.CancelExpectation, reply, ReplyDeclined, cancel_expectation),
        ]
    if wire.hold_calls:
        routes += [
            call_born(order.HoldCall, CallHeld),
            Route(order.ReleaseHeld, call, CallDelivered, release_held),
            Route(order.DropHeld, call, Release, drop_held),
        ]

    def free_to_send(conversation: Conversation) -> tuple[Instance, Event] | None:
        waiting = [one for one in conversation.instances(reply) if one.state is Reply.QUEUED]
        for one in waiting:
            if conversation.may_send(one):
                return one, SendNow()
        return None

    def quiet(conversation: Conversation) -> tuple[Instance, Event] | None:
        state = conversation.session.state
        if (state is Session.ROLLING and conversation.quiet_to_roll) or (
            state is Session.ENDING and conversation.floor_free
        ):
            return conversation.session, Quiet()
        return None

    def floor_free(conversation: Conversation) -> tuple[Instance, Event] | None:
        turn = conversation.user_turn
        return (turn, FloorFree()) if turn.state is UserTurn.OVERLAPPING and conversation.floor_free else None

    return Composition(
        (session, generation, reply, call, user, playout),
        tuple(routes),
        (
            Standing("free to send", reply, SendNow, free_to_send),
            Standing("quiet", session, Quiet, quiet),
            Standing("floor free", user, FloorFree, floor_free),
        ),
    )
