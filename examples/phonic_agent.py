"""A voice agent that speaks through Phonic: it tells the weather and takes reminders.

Install ``rtfsm[phonic]``, set PHONIC_API_KEY, and run one of:

    python examples/phonic_agent.py console   talk to it in the terminal; needs a sound card, and PortAudio
                                              (on Debian: apt install libportaudio2)
    python examples/phonic_agent.py dev       wait for calls in LiveKit rooms, restart on changes to this file;
                                              needs LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET
    python examples/phonic_agent.py start     the same for production

Without an account at Phonic: run ``rtfsm serve phonic`` in another terminal, set PHONIC_BASE_URL to the address that
it prints, and PHONIC_API_KEY to anything. ``--help`` needs nothing.
"""

from __future__ import annotations

import logging

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli, function_tool

from rtfsm.adapters.livekit import close_when_ended
from rtfsm.adapters.phonic import RealtimeModel

logger = logging.getLogger("phonic-agent")

server = AgentServer()


class Assistant(Agent):
    """What the agent is told, and what it can do."""

    def __init__(self) -> None:
        super().__init__(
            instructions="You are a friendly assistant on the phone. Answer in one or two short sentences. "
            "Say what a tool told you, and never make up the weather."
        )
        self.reminders: list[tuple[str, int]] = []

    async def on_enter(self) -> None:
        # Whose turn it is, in names and numbers: never what was said.
        self.realtime_llm_session.on("turn_changed", lambda turn: logger.debug("%s", turn))

    @function_tool
    async def get_weather(self, city: str) -> str:
        """Tell the weather of a city.

        Args:
            city: its name
        """
        return f"It is sunny in {city}."

    @function_tool
    async def set_reminder(self, what: str, minutes: int) -> str:
        """Remind the user of something later.

        Args:
            what: what to remind of, in a few words
            minutes: in how many minutes
        """
        self.reminders.append((what, minutes))
        return f"I will remind you in {minutes} minutes."


def build_session() -> AgentSession[None]:
    """A session that Phonic speaks and listens for."""
    return AgentSession(
        llm=RealtimeModel(welcome_message="Hello, how can I help?"),
        # Phonic detects turns itself. A second detector here would cost CPU time and could only disagree.
        vad=None,
        turn_handling={"turn_detection": "realtime_llm"},
    )


@server.rtc_session()
async def entrypoint(ctx: JobContext) -> None:
    """Called for every call that comes in."""
    session = build_session()
    close_when_ended(session)  # when the assistant hangs up, after its goodbye was heard
    await session.start(agent=Assistant(), room=ctx.room)


if __name__ == "__main__":
    cli.run_app(server)
