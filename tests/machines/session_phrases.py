"""What well-behaved providers and hosts do to a session: resets, losses, renewals and ends."""

from __future__ import annotations

from rtfsm.vocabulary import local, wire
from rtfsm.vocabulary.wire import Loss

from .cast import Cast, Move, PlayedOut, PlayNext, Wait


def reset(_: Cast) -> list[Move]:
    return [local.ConfigGiven(local.ConfigKind.RESET)]


def reset_in_a_sentence(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), local.ConfigGiven(local.ConfigKind.RESET), cast.text(), cast.done()]


def reset_in_a_turn(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.call(), local.ConfigGiven(local.ConfigKind.RESET), cast.text(),
            cast.done(), local.ToolOutputGiven(f"c{cast.number}", "42")]  # fmt: skip


def reconfigured(_: Cast) -> list[Move]:
    return [local.ConfigGiven(), wire.ConfigRejected("no"), local.ConfigGiven()]


def fault(_: Cast) -> list[Move]:
    return [wire.Fault(False)]


def reconnect(_: Cast) -> list[Move]:
    return [wire.TransportLost(Loss.RETRYABLE), Wait(2.0), wire.TransportOpened(), wire.ProviderReady()]


def broken(_: Cast) -> list[Move]:
    return [wire.TransportLost(Loss.RESUMABLE), Wait(2.0), wire.TransportOpened(), wire.ProviderReady()]


def broken_and_refused(_: Cast) -> list[Move]:
    return [wire.TransportLost(Loss.RESUMABLE), Wait(2.0), local.ConfigGiven(), wire.TransportOpened(),
            wire.TransportLost(Loss.RETRYABLE), Wait(2.0), wire.TransportOpened(), wire.ProviderReady()]  # fmt: skip


def broken_and_reset(_: Cast) -> list[Move]:
    return [wire.TransportLost(Loss.RESUMABLE), Wait(2.0), local.ConfigGiven(local.ConfigKind.RESET),
            wire.TransportOpened(), wire.ProviderReady()]  # fmt: skip


def broken_for_long(_: Cast) -> list[Move]:
    return [wire.TransportLost(Loss.RESUMABLE), Wait(30.0), wire.TransportOpened(), wire.ProviderReady()]


def lost_in_a_turn(cast: Cast) -> list[Move]:
    return [local.ReplyRequested(f"b{cast.number}"), cast.created(), cast.text(), cast.call(),
            wire.TransportLost(Loss.RETRYABLE), local.ToolOutputGiven(f"c{cast.number}", "42"), Wait(2.0),
            wire.TransportOpened(), local.ConfigGiven(), cast.text(), wire.ProviderReady()]  # fmt: skip


def roll(_: Cast) -> list[Move]:
    return [wire.GoingAway(5.0), wire.TransportOpened(), wire.ProviderReady()]


def roll_in_a_turn(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), wire.GoingAway(5.0), cast.text(), local.ReplyRequested(f"b{cast.number}"),
            cast.done(), PlayNext(), PlayedOut(), Wait(1.0), wire.TransportOpened(),
            wire.ProviderReady()]  # fmt: skip


def roll_that_cannot_wait(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), wire.GoingAway(5.0), Wait(30.0), wire.TransportOpened(),
            wire.ProviderReady()]  # fmt: skip


def goodbye(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), wire.ConversationEnded(), cast.text(), PlayNext(),
            wire.TransportLost(Loss.NORMAL), PlayedOut()]  # fmt: skip


def unheard_goodbye(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), wire.ConversationEnded(), local.ReplyRequested(f"b{cast.number}"), Wait(30.0)]


def end_by_the_wire(_: Cast) -> list[Move]:
    return [wire.TransportLost(Loss.NORMAL)]


def failure(_: Cast) -> list[Move]:
    return [wire.TransportLost(Loss.FAILED)]


def fatal_fault(_: Cast) -> list[Move]:
    return [wire.Fault(True)]


def close(_: Cast) -> list[Move]:
    return [local.CloseRequested(), wire.TransportLost(Loss.NORMAL)]


def goodbye_with_a_call(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), cast.call(), wire.ConversationEnded(), wire.TransportLost(Loss.NORMAL),
            Wait(30.0)]  # fmt: skip


def goodbye_with_faults(cast: Cast) -> list[Move]:
    return [cast.created(), cast.text(), wire.ConversationEnded(), wire.Fault(False), local.ConfigGiven(),
            wire.ConfigRejected("no"), wire.ConversationEnded(), wire.ProviderReady(), wire.Fault(True)]  # fmt: skip


def never_ready(_: Cast) -> list[Move]:
    return [wire.TransportLost(Loss.RETRYABLE), Wait(2.0), wire.TransportOpened(), Wait(60.0), Wait(60.0)]
