"""What the machines are to each other, as data: whose turn it is, and which effect of one is which event of another."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from rtfsm.language import Composition, Instance
from rtfsm.machines import AgentState, Capabilities, UserState, compose
from rtfsm.machines.derived import Derived

__all__ = ["DECIDING", "STRONGEST_FIRST", "derived_states", "routes", "with_states"]

DECIDING = ("session", "playout", "tool_call", "reply")
"""The machines that the agent's state is read from; ``derived_states`` counts the states of the last one fastest."""

STRONGEST_FIRST = (AgentState.SPEAKING, AgentState.THINKING, AgentState.LISTENING, AgentState.INITIALIZING)
"""Where several instances of a machine live, the agent's state is the strongest that one of each would give."""


def with_states(capabilities: Capabilities, states: Mapping[str, Any]) -> Derived:
    """The whole with one instance of each named machine, in that state: to be asked, not to be run."""
    composition = compose(capabilities)
    whole = Derived(composition, capabilities)
    for machine in composition.machines:
        if machine.name in states:
            instance = Instance(machine, machine.name, machine.context)
            instance.state = states[machine.name]
            instance.alive = instance.state is not machine.initial and instance.state not in machine.final
            whole.live[machine.name][machine.name] = instance
    return whole


def derived_states(capabilities: Capabilities) -> dict[str, Any]:
    """The agent's and the user's state, tabulated over states of one instance of each machine.

    ``agent``: ``names``, ``machines`` and ``codes``: a digit, the place in ``names``, for each combination of states.
    ``user``: the user's state by the state of user_turn.
    """
    composition = compose(capabilities)
    states = {machine.name: machine.states for machine in composition.machines}
    whole = with_states(capabilities, {name: states[name][0] for name in (*DECIDING, "user_turn")})
    instances = [whole.live[name][name] for name in DECIDING]
    codes = []
    for chosen in itertools.product(*(states[name] for name in DECIDING)):
        for instance, state in zip(instances, chosen, strict=True):
            instance.state = state
            instance.alive = state not in (instance.machine.initial, *instance.machine.final)
        codes.append(str(STRONGEST_FIRST.index(whole.agent_state)))
    user = {}
    for state in states["user_turn"]:
        whole.user_turn.state = state
        user[state.name] = whole.user_state.value
    return {
        "agent": {
            "names": [one.value for one in STRONGEST_FIRST],
            "machines": list(DECIDING),
            "codes": "".join(codes),
        },
        "user": {"names": [one.value for one in UserState], "by": user},
    }


def routes(composition: Composition) -> dict[str, list[dict[str, Any]]]:
    """Effect -> the machines and events that it may become. Whether it does, and for whom, the router decides."""
    found: dict[str, list[dict[str, Any]]] = {}
    for route in composition.routes:
        one = {"machine": route.target.name, "event": route.event.__name__, "births": route.births}
        if one not in found.setdefault(route.effect.__name__, []):
            found[route.effect.__name__].append(one)
    return found
