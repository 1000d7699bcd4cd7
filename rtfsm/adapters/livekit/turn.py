"""A snapshot of whose turn it is."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from rtfsm.machines import Conversation

__all__ = ["Turn", "snapshot"]


@attrs.frozen
class Turn:
    """The state of every machine at one instant. It holds names and numbers, never what was said.

    session, user_turn: the state's name. generations, replies, calls, playouts: id -> state's name, of the live ones.
    agent_state, user_state: as LiveKit names them. ignored: events ignored so far, by reason. refused: events that
    only a defect of ours can cause. failed_effects: orders that could not be carried out. dropped_input: 20 ms chunks
    of the user's sound that waited too long for the conversation to run, or that the connection was too slow for.
    violations: invariants violated so far, by name. malformed: frames or parts of frames that could not be read, by
    kind. not_honoured: calls of the host that the provider has nothing for, by name. epoch: number of the connection.
    """

    session: str
    user_turn: str
    generations: Mapping[str, str]
    replies: Mapping[str, str]
    calls: Mapping[str, str]
    playouts: Mapping[str, str]
    agent_state: str
    user_state: str
    ignored: Mapping[str, int]
    refused: int
    failed_effects: int
    dropped_input: int
    violations: Mapping[str, int]
    malformed: Mapping[str, int]
    not_honoured: Mapping[str, int]
    epoch: int


def snapshot(
    conversation: Conversation,
    malformed: Mapping[str, int],
    failed_effects: int = 0,
    dropped_input: int = 0,
    not_honoured: Mapping[str, int] | None = None,
) -> Turn:
    """The snapshot of a conversation now."""
    return Turn(
        session=conversation.session.state.name,
        user_turn=conversation.user_turn.state.name,
        generations={one.id: one.state.name for one in conversation.generations},
        replies={one.id: one.state.name for one in conversation.replies},
        calls={one.id: one.state.name for one in conversation.calls},
        playouts={one.id: one.state.name for one in conversation.playouts},
        agent_state=conversation.agent_state.value,
        user_state=conversation.user_state.value,
        ignored={
            reason.name: count for reason, count in sorted(conversation.ignored().items(), key=lambda p: p[0].name)
        },
        refused=conversation.refused,
        failed_effects=failed_effects,
        dropped_input=dropped_input,
        violations=dict(conversation.monitor.counts),
        malformed=dict(malformed),
        not_honoured=dict(not_honoured or {}),
        epoch=conversation.epoch,
    )
