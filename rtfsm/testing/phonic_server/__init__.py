"""A scripted Phonic: the server side of the conversation WebSocket, on the loopback interface.

    async def scenario(call: Call) -> None:
        await call.handshake()
        await call.say("Hello there")
        await call.expect("generate_reply")
        await call.close(1011)

    async with PhonicServer(scenario) as server:
        ...                             # a client connects to server.url
    server.assert_client_correct()

Without a scenario the server listens to the user's voice and answers from a script (`listening`, `Dialogue`). The wire
is that of the Phonic SDK 0.32. Orders of messages that no public source states are choices of the script, not claims.
"""

from __future__ import annotations

from rtfsm.testing.phonic_server import messages
from rtfsm.testing.phonic_server.call import Call
from rtfsm.testing.phonic_server.client_protocol import ClientProtocol
from rtfsm.testing.phonic_server.connection import CallEnded, Connection, Record
from rtfsm.testing.phonic_server.dialogue import DEFAULT_DIALOGUE, Dialogue
from rtfsm.testing.phonic_server.ears import Ears, Heard, Sensitivity
from rtfsm.testing.phonic_server.listening import default_scenario, listening
from rtfsm.testing.phonic_server.server import PATH, PhonicServer
from rtfsm.testing.phonic_server.steps import Close, Delay, Drop, Expect, Handshake, Raw, Say, Send, Step, script
from rtfsm.testing.phonic_server.turns import AssistantTurn
from rtfsm.testing.phonic_server.voice import synthesise
from rtfsm.testing.server.judging import ClientError, ClientNote
from rtfsm.testing.server.lines import UserLine

__all__ = [
    "DEFAULT_DIALOGUE",
    "PATH",
    "AssistantTurn",
    "Call",
    "CallEnded",
    "ClientError",
    "ClientNote",
    "ClientProtocol",
    "Close",
    "Connection",
    "Delay",
    "Dialogue",
    "Drop",
    "Ears",
    "Expect",
    "Handshake",
    "Heard",
    "PhonicServer",
    "Raw",
    "Record",
    "Say",
    "Send",
    "Sensitivity",
    "Step",
    "UserLine",
    "default_scenario",
    "listening",
    "messages",
    "script",
    "synthesise",
]
