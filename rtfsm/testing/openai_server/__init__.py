"""A scripted OpenAI Realtime service (GA protocol): the server side of its WebSocket, on the loopback interface.

    async def scenario(call: Call) -> None:
        response = await call.next_response()       # asked for by the client, or by the turn detection
        await response.say("Hello there")
        await response.done()
        await call.user_says("What time is it?")
        response = await call.next_response()
        await response.call_tool("clock", {"zone": "UTC"})
        await response.done()

    async with OpenAIServer(scenario) as server:
        ...                             # a client connects to server.base_url, with any key
    server.assert_client_correct()

Without a scenario the server listens to the user's voice and answers from a script (`listening`, `Dialogue`). The
service keeps the session, the conversation and the responses by itself, and judges the client; a scenario is the
model and the user. The wire is that of the openai SDK 3.52. Orders of events that the reference does not state are
choices of the script, not claims.
"""

from __future__ import annotations

from rtfsm.testing.openai_server import messages
from rtfsm.testing.openai_server.call import Call
from rtfsm.testing.openai_server.client_protocol import ClientProtocol
from rtfsm.testing.openai_server.connection import Connection
from rtfsm.testing.openai_server.conversation import Conversation, Item
from rtfsm.testing.openai_server.dialogue import DEFAULT_DIALOGUE, Dialogue
from rtfsm.testing.openai_server.listening import default_scenario, listening
from rtfsm.testing.openai_server.output import OutputCall, OutputMessage
from rtfsm.testing.openai_server.response import Response
from rtfsm.testing.openai_server.server import PATH, OpenAIServer
from rtfsm.testing.server.connection import CallEnded, Record
from rtfsm.testing.server.ears import Sensitivity
from rtfsm.testing.server.judging import ClientError, ClientNote
from rtfsm.testing.server.lines import UserLine

__all__ = [
    "DEFAULT_DIALOGUE",
    "PATH",
    "Call",
    "CallEnded",
    "ClientError",
    "ClientNote",
    "ClientProtocol",
    "Connection",
    "Conversation",
    "Dialogue",
    "Item",
    "OpenAIServer",
    "OutputCall",
    "OutputMessage",
    "Record",
    "Response",
    "Sensitivity",
    "UserLine",
    "default_scenario",
    "listening",
    "messages",
]
