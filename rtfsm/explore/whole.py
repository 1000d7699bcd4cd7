"""What the machines are to each other, as data: whose turn it is, and which effect of one is which event of another."""

from __future__ import annotations

import itertools
from typing import Any, cast

import attrs

from rtfsm.language import Composition, Instance, Machine
from rtfsm.machines import AgentState, Capabilities, UserState, compose
from rtfsm.machines.derived import Derived

__all__ = ["DECIDING", "STRONGEST_FIRST", "derived_states", "put", "routes"]

DECIDING = ("session", "playout", "tool_call", "reply")
"""The machines that the agent's state is read from; ``derived_states`` counts the states of the last one fastest."""

STRONGEST_FIRST = (AgentState.SPEAKING, AgentState.THINKING, AgentState.LISTENING, AgentState.INITIALIZING)
"""Where several instances of a machine live, the agent's state is the strongest that one of each would give."""


@attrs.frozen
class Placed:
    """What answers for an instance that is in a state, and that runs nowhere."""

    machine: Machine
    state: Any

    @property
    def id(self) -> str:
        return self.machine.name

    @property
    def context(self) -> Any:
        return self.machine.context

    @property
    def alive(self) -> bool:
        return self.state is not self.machine.initial and self.state not in self.machine.final


def put(whole: Derived, *placed: tuple[Machine, Any]) -> None:
    """Let the whole have instances of a machine in these states, and no others of it: to be asked, not to be run."""
    for machine, _ in placed:
        whole.live[machine.name] = {}
    for machine, state in placed:
        group = whole.live[machine.name]
        group[f"{machine.name}-{len(group)}" if group else machine.name] = cast(Instance, Placed(machine, state))


def derived_states(capabilities: Capabilities) -> dict[str, Any]:
    """The agent's and the user's state, tabulated over states of one instance of each machine.

    ``agent``: ``names``, ``machines`` and ``codes``: a digit, the place in ``names``, for each combination of states.
    ``user``: the user's state by the state of user_turn.
    """
    composition = compose(capabilities)
    whole = Derived(composition, capabilities)
    machines = {machine.name: machine for machine in composition.machines}
    deciding = [machines[name] for name in DECIDING]
    codes = []
    for states in itertools.product(*(machine.states for machine in deciding)):
        put(whole, *zip(deciding, states, strict=True))
        codes.append(str(STRONGEST_FIRST.index(whole.agent_state)))
    user = {}
    for state in machines["user_turn"].states:
        put(whole, (machines["user_turn"], state))
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
